/**
 * The brokers of one sandbox, put together: what they are run with, where their files are, who vouches for them.
 * Promises to say to the cloud what its brokers are before the first request is answered.
 */
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
  /** Of all files of the sandbox; made by who first writes there. */
  readonly folder: string;
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
}

export async function openBrokers(options: BrokersOptions): Promise<Brokers> {
  const { cloud, dataPlane: plane, kafka, clock, log } = options;
  const authority = new Authority(path.join(options.folder, "authority"));
  if (!plane || plane.status().status === "off") {
    for (const { id, brokers } of cloud.tables.clusters.all()) if (brokers) cloud.noteBrokers(id, {});
    return { authority, fleet: undefined, close: async () => {} };
  }
  const found = kafka ? await findSoftware(kafka) : { missing: "the sandbox was started without Kafka" };
  cloud.brokers = "software" in found ? { are: "kafka" } : { are: "listeners", why: found.missing };
  const folder = path.join(options.folder, "clusters");
  const fleet = new Fleet({ clock, cloud, plane, authority, folder, found, log });
  await fleet.start();
  return { authority, fleet, close: () => fleet.close() };
}
