/**
 * Kafka clusters as they may be asked for: closed lists, what is taken where nothing is said, and why AWS would
 * refuse the rest. Promises that what these rules let through leaves enough addresses in every private subnet.
 * Refuses versions in ZooKeeper mode: new clusters are KRaft's.
 */
import type { KafkaCluster, VpcSize } from "./model.ts";
import { partitionsProblem, replicationProblem, topicNameProblem, topicOf } from "./topic.ts";

/** `none`: the network alone, without a cluster. */
export const CLUSTER_TYPES = ["provisioned", "express", "none"] as const;
export type ClusterType = KafkaCluster["clusterType"];

export const AUTHENTICATIONS = ["iam", "scram", "none"] as const;

/**
 * https://docs.aws.amazon.com/msk/latest/developerguide/broker-instance-sizes.html
 * https://docs.aws.amazon.com/msk/latest/developerguide/msk-broker-types-express.html
 */
const M7G = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"];
const SMALLEST = "kafka.t3.small";
export const INSTANCE_TYPES: Readonly<Record<ClusterType, readonly string[]>> = {
  provisioned: [
    SMALLEST,
    ...[...M7G, "24xlarge"].map((size) => `kafka.m5.${size}`),
    ...M7G.map((size) => `kafka.m7g.${size}`),
  ],
  express: M7G.map((size) => `express.m7g.${size}`),
};

/**
 * KRaft begins with 3.7, for express brokers with 3.9:
 * https://docs.aws.amazon.com/msk/latest/developerguide/metadata-management.html
 */
export const KAFKA_VERSIONS: Readonly<Record<ClusterType, readonly string[]>> = {
  provisioned: ["3.7.x.kraft", "3.8.x.kraft", "3.9.x.kraft", "4.0.x.kraft", "4.1.x.kraft"],
  express: ["3.9.x.kraft", "4.2.x.kraft"],
};
export const DEFAULT_VERSION = "3.9.x.kraft";

/** The least and the most that a standard broker's volume may have, GiB. */
export const LEAST_VOLUME_GIB = 1;
export const MOST_VOLUME_GIB = 16_384;

/** A KRaft cluster has 60 brokers at most: https://docs.aws.amazon.com/msk/latest/developerguide/limits.html */
const MOST_BROKERS = 60;
const ZONES = 3;

/** MSK has no brokers there: https://docs.aws.amazon.com/msk/latest/developerguide/msk-create-cluster.html */
export const ZONES_WITHOUT_BROKERS: readonly string[] = ["use1-az3"];

interface Sizing {
  readonly provisioned: string;
  readonly express: string;
  readonly brokersPerZone: number;
  readonly volumeGiB: number;
}

const SIZING: Readonly<Record<VpcSize, Sizing>> = {
  small: {
    provisioned: "kafka.m7g.large",
    express: "express.m7g.large",
    brokersPerZone: 1,
    volumeGiB: 100,
  },
  medium: {
    provisioned: "kafka.m7g.xlarge",
    express: "express.m7g.xlarge",
    brokersPerZone: 1,
    volumeGiB: 500,
  },
  large: {
    provisioned: "kafka.m7g.2xlarge",
    express: "express.m7g.2xlarge",
    brokersPerZone: 2,
    volumeGiB: 1_000,
  },
};

/** What somebody may say of a cluster; everything may be left out. */
export interface KafkaRequest {
  readonly clusterType?: (typeof CLUSTER_TYPES)[number] | undefined;
  readonly version?: string | undefined;
  readonly instanceType?: string | undefined;
  readonly brokersPerZone?: number | undefined;
  readonly volumeGiB?: number | undefined;
  readonly authentication?: KafkaCluster["authentication"] | undefined;
  readonly topic?: string | undefined;
  readonly partitions?: number | undefined;
  readonly replicationFactor?: number | undefined;
}

/** The cluster that is asked for, with what nobody said; null for none. */
export function kafkaCluster(asked: KafkaRequest, size: VpcSize): KafkaCluster | null {
  const { clusterType = "provisioned", topic = null } = asked;
  if (clusterType === "none") return null;
  const { [clusterType]: instanceType, brokersPerZone: usual, volumeGiB } = SIZING[size];
  const brokersPerZone = asked.brokersPerZone ?? usual;
  const { partitions = null, replicationFactor = null } = asked;
  const of = topicOf({ topic, partitions, replicationFactor, brokersPerZone });
  return {
    clusterType,
    version: asked.version ?? DEFAULT_VERSION,
    instanceType: asked.instanceType ?? instanceType,
    brokersPerZone,
    volumeGiB: clusterType === "express" ? null : (asked.volumeGiB ?? volumeGiB),
    authentication: asked.authentication ?? "iam",
    topic,
    partitions: of?.partitions ?? null,
    replicationFactor: of?.replicationFactor ?? null,
  };
}

export function brokerCount({ brokersPerZone }: Pick<KafkaCluster, "brokersPerZone">): number {
  return brokersPerZone * ZONES;
}

/** Addresses that can be used in each private subnet: five of every subnet are AWS's. */
const USABLE: Readonly<Record<VpcSize, number>> = { small: 11, medium: 123, large: 251 };

/**
 * What stands beside the brokers in a private subnet: a metadata node, the interface of an event source mapping,
 * and the functions' shared one, which AWS may replace by a second before the first has gone:
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
 */
export const BESIDE_BROKERS = 4;
/** So many stay free in each private subnet, for what AWS may put there for a while. */
export const FREE_ADDRESSES = 4;

export function mostBrokersPerZone(size: VpcSize): number {
  return Math.min(USABLE[size] - BESIDE_BROKERS - FREE_ADDRESSES, MOST_BROKERS / ZONES);
}

export interface KafkaProblem {
  readonly field: keyof KafkaRequest;
  readonly message: string;
}

/** Why AWS, or the size of the VPC, does not allow what was asked for. */
export function kafkaProblems(asked: KafkaRequest, size: VpcSize): readonly KafkaProblem[] {
  const { clusterType = "provisioned" } = asked;
  if (clusterType === "none")
    return Object.keys(asked).flatMap((field) =>
      field === "clusterType" ? [] : [problem(field as keyof KafkaRequest, "is not for clusterType none")],
    );
  return [
    ...wrongInstanceType(asked, clusterType),
    ...wrongVersion(asked, clusterType),
    ...wrongVolume(asked, clusterType),
    ...tooManyBrokers(asked, size),
    ...wrongTopic(asked, size),
  ];
}

const KIND: Readonly<Record<ClusterType, string>> = { provisioned: "a provisioned", express: "an express" };

function problem(field: keyof KafkaRequest, message: string): KafkaProblem {
  return { field, message };
}

function wrongInstanceType({ instanceType }: KafkaRequest, clusterType: ClusterType): KafkaProblem[] {
  const known = INSTANCE_TYPES[clusterType];
  if (instanceType === undefined || known.includes(instanceType)) return [];
  return [
    problem(
      "instanceType",
      `${instanceType} is none of ${KIND[clusterType]} cluster; known: ${known.join(", ")}`,
    ),
  ];
}

function wrongVersion({ version, instanceType }: KafkaRequest, clusterType: ClusterType): KafkaProblem[] {
  if (instanceType === SMALLEST && version?.startsWith("4."))
    return [problem("version", `${version} is not for ${SMALLEST}: a 3.x one, or a larger instanceType`)];
  const known = KAFKA_VERSIONS[clusterType];
  if (version === undefined || known.includes(version)) return [];
  const meant = known.find((one) => one.startsWith(`${version.replace(/\.x$/, "")}.`));
  const hint = meant ? `; did you mean ${meant}?` : "";
  return [
    problem(
      "version",
      `${version} is no KRaft version of ${KIND[clusterType]} cluster: ${known.join(", ")}${hint}`,
    ),
  ];
}

/** Express brokers have storage without a size: https://docs.aws.amazon.com/msk/latest/developerguide/msk-broker-types-express.html */
function wrongVolume({ volumeGiB }: KafkaRequest, clusterType: ClusterType): KafkaProblem[] {
  if (volumeGiB === undefined) return [];
  if (clusterType === "express")
    return [problem("volumeGiB", "an express cluster's storage has no size: leave it out")];
  if (volumeGiB >= LEAST_VOLUME_GIB && volumeGiB <= MOST_VOLUME_GIB) return [];
  return [problem("volumeGiB", `must be ${LEAST_VOLUME_GIB} to ${MOST_VOLUME_GIB} GiB, not ${volumeGiB}`)];
}

function tooManyBrokers(asked: KafkaRequest, size: VpcSize): KafkaProblem[] {
  const { brokersPerZone } = asked;
  const most = mostBrokersPerZone(size);
  if (brokersPerZone === undefined || brokersPerZone <= most) return [];
  const free = USABLE[size] - BESIDE_BROKERS - brokersPerZone;
  const why =
    free < FREE_ADDRESSES
      ? `${brokersPerZone} would leave ${Math.max(0, free)} of ${USABLE[size]} addresses free in each private subnet ` +
        `of a ${size} VPC, and ${FREE_ADDRESSES} must stay free`
      : `${brokersPerZone} would be ${brokersPerZone * ZONES} brokers, and a KRaft cluster has ${MOST_BROKERS} at most`;
  const larger = size === "small" ? ", or take vpcSize medium" : "";
  return [problem("brokersPerZone", `${why}: at most ${most}${larger}`)];
}

/** Without a topic its numbers are of nothing. */
function wrongTopic(asked: KafkaRequest, size: VpcSize): KafkaProblem[] {
  const cluster = kafkaCluster(asked, size);
  if (asked.topic === undefined)
    return (["partitions", "replicationFactor"] as const).flatMap((field) =>
      asked[field] === undefined ? [] : [problem(field, "is of a topic, and none is named: add topic")],
    );
  const told = (field: keyof KafkaRequest, message: string | null) =>
    message === null ? [] : [problem(field, message)];
  const wish = cluster && topicOf(cluster);
  if (!wish) return [];
  const copies = replicationProblem(cluster, wish.replicationFactor);
  return [
    ...told("topic", topicNameProblem(wish.name)),
    ...told("replicationFactor", copies),
    ...(copies === null ? told("partitions", partitionsProblem(cluster, wish)) : []),
  ];
}

/** Parts of a Lambda function's ARN: https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html */
const FUNCTION_ARN = /^arn:aws[a-z-]*:lambda:([a-z0-9-]+):(\d{12}):function:([A-Za-z0-9_-]{1,64})$/;

export interface FunctionArn {
  readonly region: string;
  readonly account: string;
  readonly name: string;
}

/** Null for what names no function, and for a version or alias: its VPC cannot be set. */
export function functionArn(text: string): FunctionArn | null {
  const [, region, account, name] = FUNCTION_ARN.exec(text) ?? [];
  return region && account && name ? { region, account, name } : null;
}
