/**
 * Wishes about write connectors: to delete one and keep its dataset, to build it again, to let its storage grow.
 * Deleting gives the dataset's range back as a dataset's own deletion does: it rests, and nobody else gets it; built
 * again while it still rests, the connector gets the same block, so that the customer's routes stay right. Refuses
 * to build anew what works, and to shrink what only grows.
 */
import { Failure } from "../domain/failure.ts";
import type { Dataset, DatasetRange, KafkaCluster, Network, Tenant } from "../domain/model.ts";
import { partitionsProblem, topicOf } from "../domain/topic.ts";
import { CLUSTER } from "../network/cluster.ts";
import { ownClusters } from "../network/holders.ts";
import { TOPIC } from "../network/topic.ts";
import type { NetworkStatus, Tx } from "../store/store.ts";
import type { Actor } from "./actor.ts";
import { takeRange } from "./addresses.ts";
import { type DatasetDeps, needsVpc, noDataset } from "./datasets.ts";
import { by } from "./people.ts";

export interface ConnectorChange {
  /** Of each broker. */
  readonly volumeGiB?: number | undefined;
  /** Of the topic. */
  readonly partitions?: number | undefined;
}

export interface ConnectorWishes {
  deleteConnector(actor: Actor, tenantId: string, name: string): Promise<Dataset>;
  reinitializeConnector(actor: Actor, tenantId: string, name: string): Promise<Dataset>;
  updateConnector(actor: Actor, tenantId: string, name: string, change: ConnectorChange): Promise<Dataset>;
}

export function connectorWishes(deps: DatasetDeps): ConnectorWishes {
  const { store } = deps;
  return {
    deleteConnector: (actor, tenantId, name) =>
      store.change(async (tx) => {
        const found = await find(tx, tenantId, name);
        if (found.network.goneAt !== null) throw alreadyGone(name);
        if (found.network.want === "absent") throw underWay(name, "is already being deleted");
        const dataset = await tx.askConnectorDelete(found.dataset.id);
        await tx.wake(found.network.id);
        await audit(tx, { actor, tenantId, name, action: "delete", detail: {} });
        return dataset;
      }),

    async reinitializeConnector(actor, tenantId, name) {
      const known = await store.tenant(tenantId).dataset(name);
      const cell = known ? await deps.cellOf(known.region) : null;
      return store.change(async (tx) => {
        const found = await find(tx, tenantId, name);
        const { network } = found;
        const detail = network.goneAt !== null && cell ? await anew(tx, deps, { ...found, cell }) : {};
        if (network.goneAt === null) await again(tx, found);
        await audit(tx, { actor, tenantId, name, action: "reinitialize", detail });
        return tx.askConnector(found.dataset.id);
      });
    },

    updateConnector: (actor, tenantId, name, change) =>
      store.change(async (tx) => {
        const found = await find(tx, tenantId, name);
        const { dataset, network } = found;
        const { writeConnector } = dataset;
        const kafka = grown(found, change);
        if (kafka === writeConnector.kafka) return dataset;
        const updated = await tx.updateConnector(dataset.id, { ...writeConnector, kafka });
        if (network.goneAt === null) await tx.wake(network.id);
        await audit(tx, { actor, tenantId, name, action: "update", detail: { ...change } });
        return updated;
      }),
  };
}

interface Found {
  readonly tenant: Tenant;
  readonly dataset: Dataset;
  /** The living one, or the last. */
  readonly network: Network;
  readonly status: NetworkStatus | null;
}

/** The tenant's row is held: wishes about one connector come one after another. */
async function find(tx: Tx, tenantId: string, name: string): Promise<Found> {
  const tenant = await tx.lockTenant(tenantId);
  const scope = tx.tenant(tenantId);
  const dataset = await scope.dataset(name);
  if (!tenant || !dataset || dataset.status === "DELETED") throw noDataset(name);
  if (dataset.status === "DELETING")
    throw new Failure("conflict", `Dataset ${name} is being deleted, and its write connector with it`, {
      hint: `See how far it is: letsdata datasets view --datasetName ${name}`,
    });
  const network = needsVpc(dataset.writeConnector) ? await scope.network(dataset.id) : null;
  if (!network) throw nothingOfOurs(dataset);
  return { tenant, dataset, network, status: await scope.status(dataset.id) };
}

function nothingOfOurs({ name, writeConnector }: Dataset): Failure {
  const { connectorDestination, resourceLocation } = writeConnector;
  const why = resourceLocation === "customer" ? "is the customer's own" : `goes to ${connectorDestination}`;
  return new Failure(
    "conflict",
    `The write connector of ${name} ${why}: there is nothing of ours to change`,
    {
      hint: "Only a Kafka write connector with resourceLocation letsdata has a VPC and a cluster here.",
    },
  );
}

function alreadyGone(name: string): Failure {
  return new Failure("conflict", `The write connector of ${name} is deleted already`, {
    hint: `Build it again: letsdata writeConnectors reinitialize --datasetName ${name}`,
  });
}

function underWay(name: string, what: string): Failure {
  return new Failure("conflict", `The write connector of ${name} ${what}`, {
    hint:
      `See how far it is: letsdata writeConnectors view --datasetName ${name} ; ` +
      `wait for its end: letsdata writeConnectors delete --datasetName ${name} --wait`,
  });
}

type Rebuilding = Found & { readonly cell: { account: string; roleArn: string | null } };

/** A new network, in the block that still rests for this dataset, or in a new one. */
async function anew(tx: Tx, deps: DatasetDeps, found: Rebuilding): Promise<Record<string, unknown>> {
  const { tenant, dataset, cell } = found;
  const { vpcSize: size } = dataset.writeConnector;
  const range = (await tx.restoreRange(dataset.id)) ?? (await newRange(tx, deps, found));
  const network = await tx.insertNetwork({
    tenantId: tenant.id,
    datasetId: dataset.id,
    cell: await tx.cellFor({ ...cell, region: dataset.region }),
    size,
    cidr: range.cidr,
  });
  await tx.wake(network.id);
  return { cidrBlock: range.cidr };
}

async function newRange(tx: Tx, { clock }: DatasetDeps, { tenant, dataset }: Found): Promise<DatasetRange> {
  const { vpcSize: size, vpcCidrBlock: wanted } = dataset.writeConnector;
  const settings = await tx.settings();
  return takeRange(tx, { tenant, datasetId: dataset.id, size, wanted, settings, now: clock.now() });
}

/** Its network stands: only a cluster that failed, or a cluster or topic that somebody deleted, is made again. */
async function again(tx: Tx, { dataset, network, status }: Found): Promise<void> {
  const { name } = dataset;
  if (network.want === "absent") throw underWay(name, "is still being deleted");
  const isBlocked = (key: string) =>
    status?.conditions.some(
      ({ resource, state, id }) => resource === key && state === "blocked" && id !== null,
    );
  const [cluster] = status?.world ? ownClusters(status.world) : [];
  const isTaken = status?.world?.clusters.some(({ ours }) => !ours);
  const isClusterLost = isBlocked(CLUSTER) && !isTaken && (!cluster || cluster.state === "failed");
  const isTopicLost = isBlocked(TOPIC) && status?.world?.topics.length === 0;
  if (!isClusterLost && !isTopicLost)
    throw new Failure("conflict", `The write connector of ${name} stands: there is nothing to build again`, {
      hint: `See how it is: letsdata writeConnectors view --datasetName ${name} ; to start from nothing, delete it first.`,
    });
  if (isClusterLost) await tx.giveUp(network.id, CLUSTER);
  await tx.giveUp(network.id, TOPIC);
  await tx.wake(network.id, "fresh");
}

/** The same object when nothing changes. */
function grown({ dataset, status }: Found, { volumeGiB, partitions }: ConnectorChange): KafkaCluster {
  const { name, writeConnector } = dataset;
  const { kafka } = writeConnector;
  if (!kafka)
    throw new Failure("conflict", `The write connector of ${name} has no cluster: its clusterType is none`);
  const grownOnce = volumeGiB === undefined ? kafka : withStorage(name, kafka, volumeGiB);
  if (partitions === undefined) return grownOnce;
  const seen = status?.world?.topics.find((topic) => topic.name === kafka.topic)?.partitions ?? 0;
  return withPartitions(name, grownOnce, { partitions, seen });
}

function withStorage(name: string, kafka: KafkaCluster, volumeGiB: number): KafkaCluster {
  const { volumeGiB: present } = kafka;
  if (present === null)
    throw new Failure("conflict", `The cluster of ${name} is an express one: its storage has no size`);
  if (volumeGiB < present)
    throw new Failure("invalid", `volumeGiB ${volumeGiB} is less than the ${present} GiB there are`, {
      hint: "A broker's storage grows and never shrinks.",
    });
  return volumeGiB === present ? kafka : { ...kafka, volumeGiB };
}

interface Growth {
  readonly partitions: number;
  /** As many as the topic has already, whoever made them. */
  readonly seen: number;
}

function withPartitions(name: string, kafka: KafkaCluster, { partitions, seen }: Growth): KafkaCluster {
  const topic = topicOf(kafka);
  if (!topic)
    throw new Failure("conflict", `The write connector of ${name} has no topic: there is nothing to grow`, {
      hint: "Name one when the dataset is created: writeConnector.kafka.topic.",
    });
  const present = Math.max(topic.partitions, seen);
  if (partitions < present)
    throw new Failure(
      "invalid",
      `partitions ${partitions} is less than the ${present} that ${topic.name} has or is to have`,
      { hint: "A topic's partitions become more and never fewer: records would be lost." },
    );
  const problem = partitionsProblem(kafka, { ...topic, partitions });
  if (problem) throw new Failure("invalid", `partitions: ${problem}`);
  return partitions === topic.partitions ? kafka : { ...kafka, partitions };
}

interface Done {
  readonly actor: Actor;
  readonly tenantId: string;
  readonly name: string;
  readonly action: "delete" | "reinitialize" | "update";
  readonly detail: Readonly<Record<string, unknown>>;
}

function audit(tx: Tx, { actor, tenantId, name, action, detail }: Done): Promise<void> {
  return tx.writeAudit({
    ...by(actor),
    tenantId,
    action: `writeConnectors.${action}`,
    subject: `dataset/${name}`,
    detail,
  });
}
