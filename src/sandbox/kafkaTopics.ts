/**
 * Topics of MSK's clusters by MSK's own API: made, shown, grown, deleted. A request only writes down what is to be
 * done; the cluster's brokers do it where they are Kafka (brokers/topics.ts), and time alone where they are not.
 * Promises that what clients do to topics by Kafka's own protocol is shown too, some time after. Refuses clusters that
 * are not ACTIVE or older than Kafka 3.6, and partitions that would become fewer.
 * https://docs.aws.amazon.com/msk/latest/developerguide/msk-topic-operations-information.html
 */
import type * as kafka from "@aws-sdk/client-kafka";
import { AwsError } from "./errors.ts";
import { badRequest, notFound } from "./kafkaErrors.ts";
import { clusterState, theCluster } from "./kafkaStates.ts";
import { configsText, shownPartitions, topicArn } from "./kafkaTopicsShown.ts";
import { brokerKind, kafkaPage } from "./kafkaVersions.ts";
import type { ClusterRow, TopicRow, TopicWorkRow } from "./serviceRows.ts";
import { isSeen, seen } from "./visibility.ts";
import type { Call, Handlers } from "./world.ts";

const OLDEST_VERSION = "3.6.0";
/** https://docs.aws.amazon.com/msk/latest/developerguide/msk-configuration-express-topic-configuration.html */
const EXPRESS_REPLICAS = 3;

function theReadyCluster(call: Call, arn: string | undefined): ClusterRow {
  const row = theCluster(call, arn);
  const state = clusterState(row, call.now);
  if (state !== "ACTIVE")
    throw badRequest(`Topics can't be accessed while the cluster is in ${state} state.`);
  if (row.kafkaVersion.localeCompare(OLDEST_VERSION, "en", { numeric: true }) < 0)
    throw badRequest(
      `Topic operations need Apache Kafka ${OLDEST_VERSION} or later; the cluster runs ${row.kafkaVersion}.`,
      "clusterArn",
    );
  return row;
}

function named(call: Call, clusterArn: string, name: string): TopicRow | undefined {
  return call.tables.topics.own(call, topicArn(clusterArn, name));
}

function theTopic(call: Call, { ClusterArn, TopicName = "" }: kafka.DescribeTopicRequest): TopicRow {
  const cluster = theReadyCluster(call, ClusterArn);
  const row = named(call, cluster.id, TopicName);
  if (!row || !isSeen(call, row)) throw notFound("topic", TopicName);
  return row;
}

function theIdleTopic(call: Call, input: kafka.DescribeTopicRequest): TopicRow {
  const row = theTopic(call, input);
  if (row.work) throw badRequest(`You can't change a topic in ${row.work.is} state.`, "topicName");
  return row;
}

/** Kafka's own rule: org.apache.kafka.common.internals.Topic. */
function checkName(name: string): string {
  if (/^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== "." && name !== "..") return name;
  throw badRequest(
    "A topic's name has 1 to 249 letters, digits, points, underscores and hyphens, and is neither . nor ..",
    "topicName",
  );
}

function checkReplicas(replicas: number, { brokerCount, instanceType }: ClusterRow): void {
  const express = brokerKind(instanceType) === "express";
  if (replicas < 1 || replicas > brokerCount)
    throw badRequest(
      `The replication factor must be between 1 and the number of brokers, which is ${brokerCount}.`,
      "replicationFactor",
    );
  if (express && replicas !== EXPRESS_REPLICAS)
    throw badRequest(
      `The replication factor of Express brokers' topics is ${EXPRESS_REPLICAS}.`,
      "replicationFactor",
    );
}

/** An object of texts, as base 64. */
function configsOf(text: string | undefined): Readonly<Record<string, string>> {
  if (text === undefined) return {};
  try {
    const read: unknown = JSON.parse(Buffer.from(text, "base64").toString());
    if (typeof read === "object" && read !== null && !Array.isArray(read))
      return Object.fromEntries(Object.entries(read).map(([name, value]) => [name, String(value)]));
  } catch {}
  throw badRequest("The configuration must be a JSON object, encoded as base 64.", "configs");
}

function begun(call: Call, cluster: ClusterRow, work: TopicWorkRow): TopicWorkRow {
  return cluster.brokers ? work : { ...work, endsAt: call.now + call.settings.mskTopicMs };
}

/** What is done is so from then on; what is told by brokers ends when they say so. */
function ended(row: TopicRow): TopicRow | undefined {
  const { work, ...rest } = row;
  if (work?.is === "DELETING") return undefined;
  const { partitions = row.partitions, configs = {} } = work ?? {};
  return { ...rest, partitions, configs: { ...row.configs, ...configs } };
}

/** What time alone has brought the caller's topics; and what nobody does any more, because the brokers went. */
export function elapseTopics(call: Call): void {
  const { topics, clusters } = call.tables;
  for (const row of topics.list(call)) {
    if (!row.work) continue;
    const { endsAt = clusters.get(row.clusterArn)?.brokers ? Number.POSITIVE_INFINITY : call.now } = row.work;
    if (endsAt > call.now) continue;
    const after = ended(row);
    if (after) topics.put(after);
    else topics.delete(row.id);
  }
}

function answered(row: TopicRow) {
  return { TopicArn: row.id, TopicName: row.name, Status: row.work?.is ?? ("ACTIVE" as const) };
}

export const kafkaTopicHandlers = {
  CreateTopic(call, input) {
    const cluster = theReadyCluster(call, input.ClusterArn);
    const name = checkName(input.TopicName ?? "");
    const { PartitionCount: partitions = 0, ReplicationFactor: replicationFactor = 0 } = input;
    if (partitions < 1) throw badRequest("A topic has at least one partition.", "partitionCount");
    checkReplicas(replicationFactor, cluster);
    const configs = configsOf(input.Configs);
    if (named(call, cluster.id, name)) throw topicExists(name);
    const { account, region, now } = call;
    const row = call.tables.topics.put({
      ...{ id: topicArn(cluster.id, name), account, region, at: now, tags: [] },
      ...{ clusterArn: cluster.id, name, partitions, replicationFactor, configs },
      work: begun(call, cluster, { is: "CREATING" }),
    });
    return answered(row);
  },

  DescribeTopic(call, input) {
    const row = theTopic(call, input);
    const cluster = theCluster(call, row.clusterArn);
    return {
      ...answered(row),
      ReplicationFactor: row.replicationFactor,
      PartitionCount: row.partitions,
      Configs: configsText(cluster, row),
    };
  },

  DescribeTopicPartitions(call, input) {
    const row = theTopic(call, input);
    const all = shownPartitions(theCluster(call, row.clusterArn), row);
    const { items, NextToken } = kafkaPage(all, inOrder, input);
    return { Partitions: items, NextToken };
  },

  ListTopics(call, input) {
    const cluster = theReadyCluster(call, input.ClusterArn);
    const { TopicNameFilter: prefix = "" } = input;
    const rows = seen(call, call.tables.topics.list(call)).filter(
      ({ clusterArn, name }) => clusterArn === cluster.id && name.startsWith(prefix),
    );
    const { items, NextToken } = kafkaPage(rows, ({ name }) => name, input);
    return { Topics: items.map((row) => listed(cluster, row)), NextToken };
  },

  UpdateTopic(call, input) {
    const row = theIdleTopic(call, input);
    const { PartitionCount: partitions, Configs } = input;
    if ((partitions === undefined) === (Configs === undefined))
      throw badRequest("You must specify either configs or partitionCount to update.");
    if (partitions !== undefined && partitions <= row.partitions)
      throw badRequest(
        `The number of partitions can only be increased, and is ${row.partitions}.`,
        "partitionCount",
      );
    const change = partitions === undefined ? { configs: configsOf(Configs) } : { partitions };
    const cluster = theCluster(call, row.clusterArn);
    const work = begun(call, cluster, { is: "UPDATING", ...change });
    return answered(call.tables.topics.put({ ...row, work }));
  },

  DeleteTopic(call, input) {
    const row = theIdleTopic(call, input);
    const cluster = theCluster(call, row.clusterArn);
    return answered(call.tables.topics.put({ ...row, work: begun(call, cluster, { is: "DELETING" }) }));
  },
} satisfies Handlers<typeof kafka>;

function topicExists(name: string): AwsError {
  const members = { InvalidParameter: "topicName" };
  return new AwsError("TopicExistsException", `Topic '${name}' already exists.`, { status: 409, members });
}

const inOrder = ({ Partition = 0 }: kafka.TopicPartitionInfo) => String(Partition).padStart(9, "0");

function listed(cluster: ClusterRow, row: TopicRow): kafka.TopicInfo {
  const late = shownPartitions(cluster, row).map(
    ({ Replicas = [], Isr = [] }) => Replicas.length - Isr.length,
  );
  return {
    TopicArn: row.id,
    TopicName: row.name,
    ReplicationFactor: row.replicationFactor,
    PartitionCount: row.partitions,
    OutOfSyncReplicaCount: late.reduce((sum, one) => sum + one, 0),
  };
}
