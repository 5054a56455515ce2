/**
 * The brokers of one sandbox, put together: what they are run with, where their files are, who vouches for them.
 * Promises to say to the cloud what its brokers are before the first request is answered, and, where the state is
 * kept in memory only, that files go with the sandbox.
 */
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Cloud } from "../cloud.ts";
import type { DataPlane } from "../dataplane/dataPlane.ts";
import type { Clock } from "../world.ts";
import { Authority } from "./authority.ts";
import { Fleet } from "./fleet.ts";
import { findSoftware, type Places } from "./software.ts";

export interface BrokersOptions {
  readonly clock: Clock;
  readonly cloud: Cloud;
  readonly dataPlane: DataPlane | undefined;
  readonly dataDir: string | undefined;
  /** Where Kafka may be; undefined = it is not to be run. */
  readonly kafka: Places | undefined;
  readonly log: (line: string) => void;
}

export interface Brokers {
  readonly authority: Authority;
  /** undefined where there are no packets. */
  readonly fleet: Fleet | undefined;
  /** Before the data plane is closed. */
  close(): Promise<void>;
  /** After everything else. */
  removeFiles(): void;
}

export async function openBrokers(options: BrokersOptions): Promise<Brokers> {
  const { cloud, dataPlane: plane, kafka, dataDir, clock, log } = options;
  const place = folderOf(dataDir);
  const authority = new Authority(path.join(place.folder, "authority"));
  if (!plane || plane.status().status === "off") {
    for (const { id, brokers } of cloud.tables.clusters.all()) if (brokers) cloud.noteBrokers(id, {});
    return { authority, fleet: undefined, close: async () => {}, removeFiles: place.remove };
  }
  const found = kafka ? await findSoftware(kafka) : { missing: "the sandbox was started without Kafka" };
  cloud.brokers = "software" in found ? { are: "kafka" } : { are: "listeners", why: found.missing };
  const folder = path.join(place.folder, "clusters");
  const fleet = new Fleet({ clock, cloud, plane, authority, folder, found, log });
  fleet.start();
  return { authority, fleet, close: () => fleet.close(), removeFiles: place.remove };
}

interface Place {
  readonly folder: string;
  remove(): void;
}

/** Made by who first writes there. */
function folderOf(dataDir: string | undefined): Place {
  if (dataDir !== undefined) return { folder: path.resolve(dataDir), remove: () => {} };
  const folder = path.join(tmpdir(), `letsdata-sandbox-${randomUUID()}`);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }) };
}
