/**
 * What a broker has on this machine's disk: its configuration, its certificate, its log. Promises that a new
 * broker's disk begins as Kafka's own storage tool would format it, that one which is there is left as it is, and
 * that nothing is left after `removeClusterFolder`.
 *
 *   <folder>/<cluster's domain>/broker.pem, authority.pem        the cluster's
 *   <folder>/<cluster's domain>/b-1/server.properties, tmp       a broker's
 *                                   data/meta.properties, …
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { ClusterNodeRow, ClusterRow } from "../serviceRows.ts";
import { type Authority, writeWhole } from "./authority.ts";
import { CLOSURE } from "./closure.ts";
import { type BrokerFiles, serverProperties } from "./serverProperties.ts";

export function brokerFolder(root: string, { domain }: ClusterRow, { number }: ClusterNodeRow): string {
  return path.join(root, domain, `b-${number}`);
}

/** The configuration that the broker is to have. */
export function wantedProperties(root: string, row: ClusterRow, node: ClusterNodeRow): string {
  return serverProperties(row, node, filesOf(root, row, node));
}

function filesOf(root: string, row: ClusterRow, node: ClusterNodeRow): BrokerFiles {
  return {
    logDir: path.join(brokerFolder(root, row, node), "data"),
    keyStore: path.join(root, row.domain, "broker.pem"),
    trustStore: path.join(root, row.domain, "authority.pem"),
  };
}

/** Makes what is not there. Rejects with the system's error when the disk refuses. */
export async function prepareCluster(
  root: string,
  { domain }: ClusterRow,
  authority: Authority,
): Promise<void> {
  const folder = path.join(root, domain);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const keyStore = path.join(folder, "broker.pem");
  const certificate = await authority.certificate();
  await writeWhole(path.join(folder, "authority.pem"), certificate);
  if (existsSync(keyStore)) return;
  // AWS's brokers have one for all of a cluster, too.
  const own = await authority.issue(`*.${domain}`);
  await writeWhole(keyStore, `${own.key}${own.certificate}${certificate}`);
}

export async function prepareBroker(root: string, row: ClusterRow, node: ClusterNodeRow): Promise<string> {
  const folder = brokerFolder(root, row, node);
  const data = path.join(folder, "data");
  await mkdir(data, { recursive: true });
  await mkdir(path.join(folder, "tmp"), { recursive: true });
  await writeWhole(path.join(folder, "server.properties"), wantedProperties(root, row, node));
  const meta = path.join(data, "meta.properties");
  if (existsSync(meta)) return folder;
  await writeWhole(path.join(data, "bootstrap.checkpoint"), CLOSURE.checkpoint);
  // Last: with it the disk counts as formatted.
  await writeWhole(meta, metaProperties(row, node));
  return folder;
}

function metaProperties({ id }: ClusterRow, { number }: ClusterNodeRow): string {
  const clusterId = createHash("sha256").update(id).digest().subarray(0, 16);
  return [
    "version=1",
    `cluster.id=${kafkaId(clusterId)}`,
    `node.id=${number}`,
    `directory.id=${kafkaId(randomBytes(16))}`,
    "",
  ].join("\n");
}

/** As Kafka writes 16 bytes; never with a hyphen at the beginning, which its tools would take for an option. */
function kafkaId(bytes: Buffer): string {
  return Buffer.from([(bytes[0] ?? 0) & 0x7f, ...bytes.subarray(1)]).toString("base64url");
}

export async function removeClusterFolder(root: string, domain: string): Promise<void> {
  await rm(path.join(root, domain), { recursive: true, force: true, maxRetries: 3 });
}

/** Of clusters that went while nobody was there to see it. */
export async function removeOrphans(root: string, isThere: (domain: string) => boolean): Promise<void> {
  const names = existsSync(root) ? await readdir(root) : [];
  await Promise.all(names.filter((name) => !isThere(name)).map((name) => removeClusterFolder(root, name)));
}
