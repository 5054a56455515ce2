/**
 * The topic that a data task writes to: what is taken where nothing is said, and why Kafka or MSK would refuse the
 * rest. Promises as many partitions as brokers and three copies where nothing is said. Pure.
 */
import type { KafkaCluster } from "./model.ts";

export interface TopicWish {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
}

const ZONES = 3;
export const COPIES = 3;
/** https://docs.aws.amazon.com/msk/latest/developerguide/msk-configuration-express-topic-configuration.html */
const EXPRESS_COPIES = 3;

type Named = Pick<KafkaCluster, "topic" | "brokersPerZone" | "partitions" | "replicationFactor">;

/** Null when none was asked for. */
export function topicOf({ topic, brokersPerZone, ...wish }: Named): TopicWish | null {
  if (topic === null) return null;
  const { partitions, replicationFactor } = wish;
  return {
    name: topic,
    partitions: partitions ?? brokersPerZone * ZONES,
    replicationFactor: replicationFactor ?? COPIES,
  };
}

/** Kafka's own rule (org.apache.kafka.common.internals.Topic), and the names that Kafka and MSK keep for themselves. */
export function topicNameProblem(name: string): string | null {
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name))
    return "must be 1 to 249 letters, digits, points, hyphens and underscores";
  if (name === "." || name === "..") return `${name} is no topic's name: add letters or digits`;
  return name.startsWith("__")
    ? `${name} is a name that Kafka and MSK keep for themselves: do not begin with two underscores`
    : null;
}

/**
 * How many copies of partitions AWS recommends for one broker at most, by the broker's size. One topic with more would
 * fill the cluster by itself: https://docs.aws.amazon.com/msk/latest/developerguide/bestpractices.html
 */
const COPIES_PER_BROKER: Readonly<Record<string, number>> = {
  small: 300,
  large: 1_000,
  xlarge: 1_000,
  "2xlarge": 2_000,
};
const COPIES_PER_LARGE_BROKER = 4_000;

export function mostPartitions(
  { instanceType, brokersPerZone }: Pick<KafkaCluster, "instanceType" | "brokersPerZone">,
  replicationFactor: number,
): number {
  const size = instanceType.split(".").at(-1) ?? "";
  const perBroker = COPIES_PER_BROKER[size] ?? COPIES_PER_LARGE_BROKER;
  return Math.floor((perBroker * brokersPerZone * ZONES) / replicationFactor);
}

type Sized = Pick<KafkaCluster, "clusterType" | "instanceType" | "brokersPerZone">;

export function partitionsProblem(
  cluster: Sized,
  { partitions, replicationFactor }: Omit<TopicWish, "name">,
) {
  const most = mostPartitions(cluster, replicationFactor);
  return partitions <= most
    ? null
    : `${partitions} partitions of ${replicationFactor} copies are more than AWS recommends for all topics of ` +
        `${cluster.brokersPerZone * ZONES} brokers ${cluster.instanceType}: at most ${most}`;
}

export function replicationProblem(
  { clusterType, brokersPerZone }: Pick<Sized, "clusterType" | "brokersPerZone">,
  replicationFactor: number,
): string | null {
  const brokers = brokersPerZone * ZONES;
  if (replicationFactor > brokers)
    return `${replicationFactor} copies need as many brokers, and there are ${brokers}`;
  return clusterType === "express" && replicationFactor !== EXPRESS_COPIES
    ? `an express cluster keeps ${EXPRESS_COPIES} copies of every topic: leave it out`
    : null;
}
