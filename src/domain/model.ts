/**
 * The words of the product: tenants, keys, datasets, networks, ranges, conditions. Types and closed lists
 * only; no rule stands here. Moments are epoch milliseconds.
 */
import type { Cidr } from "./cidr.ts";

export const REGIONS = [
  "us-east-1",
  "us-east-2",
  "us-west-2",
  "eu-west-1",
  "ap-south-1",
  "ap-northeast-1",
] as const;
export type Region = (typeof REGIONS)[number];

export const VPC_SIZES = ["small", "medium", "large"] as const;
export type VpcSize = (typeof VPC_SIZES)[number];

/** The mask of a dataset range by size: https://docs.letsdata.io → Vpcs → IP Address Management. */
export const SIZE_MASK: Readonly<Record<VpcSize, number>> = { small: 25, medium: 23, large: 22 };

/** The mask of every tenant range. */
export const TENANT_RANGE_MASK = 21;

export const ROLES = ["viewer", "member", "admin"] as const;
export type Role = (typeof ROLES)[number];

export interface Tenant {
  readonly id: string;
  readonly name: string;
  /** Networks the tenant uses itself: our ranges keep away from them. */
  readonly avoidCidrs: readonly Cidr[];
  /** How many tenant ranges it may own. */
  readonly rangeLimit: number;
  readonly createdAt: number;
}

/** A key without a tenant is an operator's. */
export interface ApiKey {
  readonly id: string;
  readonly tenantId: string | null;
  readonly name: string;
  readonly role: Role;
  /** The first characters of the key, to recognise it by. */
  readonly prefix: string;
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

/** INACTIVE: its write connector was deleted, or is being; the dataset is kept. */
export const DATASET_STATUSES = ["CREATING", "ACTIVE", "INACTIVE", "DELETING", "DELETED", "ERROR"] as const;
export type DatasetStatus = (typeof DATASET_STATUSES)[number];

/** The Kafka cluster of a write connector. */
export interface KafkaCluster {
  readonly clusterType: "provisioned" | "express";
  /** As MSK writes it, such as `3.9.x.kraft`. */
  readonly version: string;
  readonly instanceType: string;
  readonly brokersPerZone: number;
  /** Of each broker; null where storage has no size. */
  readonly volumeGiB: number | null;
  readonly authentication: "iam" | "scram" | "none";
  /** What the data task writes to; null for none of ours. */
  readonly topic: string | null;
  readonly partitions: number | null;
  readonly replicationFactor: number | null;
}

export interface WriteConnector {
  readonly connectorDestination: string;
  readonly resourceLocation: "letsdata" | "customer";
  readonly vpcSize: VpcSize;
  readonly vpcCidrBlock: Cidr | null;
  /** Null: no cluster of ours. */
  readonly kafka: KafkaCluster | null;
}

export interface Dataset {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly region: Region;
  readonly customerAccountForAccess: string;
  readonly writeConnector: WriteConnector;
  /** The data task's functions, which reach the cluster from inside the VPC. */
  readonly functionArns: readonly string[];
  /** The configuration as it was given, for `view`. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly status: DatasetStatus;
  readonly createdAt: number;
  readonly deleteAskedAt: number | null;
  readonly deletedAt: number | null;
}

/** Where networks live. */
export interface Cell {
  readonly id: string;
  readonly account: string;
  readonly roleArn: string | null;
  readonly region: Region;
}

/** One planned subnet. `index` 0..2 is the zone's place in `Layout.zoneIds`. */
export interface SubnetPlan {
  readonly key: string;
  readonly index: number;
  readonly cidr: Cidr;
}

/** How a network's range is cut; stored with the network and never recomputed. */
export interface Layout {
  readonly version: 1;
  readonly zoneIds: readonly string[];
  readonly privateSubnets: readonly SubnetPlan[];
  readonly publicSubnets: readonly SubnetPlan[];
}

export type PeeringWant = "active" | "deleted";

/**
 * What we want of one peering connection, and how it ended. `establishedAt` is set once all its blocks were
 * checked after activation; from then on a new block of the customer's is judged alone.
 */
export interface PeeringWish {
  readonly connectionId: string;
  readonly want: PeeringWant;
  readonly reason: string | null;
  readonly askedAt: number;
  readonly establishedAt: number | null;
  readonly endedAt: number | null;
  /** `letsdata` or the account of the other side. */
  readonly endedBy: string | null;
}

/** The wish for one network. */
export interface Network {
  readonly id: string;
  readonly tenantId: string;
  readonly datasetId: string;
  readonly datasetName: string;
  readonly customerAccount: string;
  readonly cell: Cell;
  readonly size: VpcSize;
  readonly cidr: Cidr;
  readonly want: "present" | "absent";
  /** When `absent` was asked for. */
  readonly absentAskedAt: number | null;
  readonly datasetStatus: DatasetStatus;
  /** The cluster that stands in it; null for a network alone. */
  readonly cluster: KafkaCluster | null;
  readonly functionArns: readonly string[];
  /** Its probe's function runs as this role; null until somebody probes. */
  readonly probeRoleArn: string | null;
  /** Chosen at the first reconcile, when the zones are known. */
  readonly layout: Layout | null;
  readonly peerings: readonly PeeringWish[];
  /** When the network was first complete; null before. */
  readonly readyAt: number | null;
  readonly createdAt: number;
  /** When the cloud showed nothing of it any more. */
  readonly goneAt: number | null;
}

export type ConditionState = "ready" | "waiting" | "blocked" | "deleting";

/** What a user reads about one resource. */
export interface Condition {
  /** The resource's key, such as `nat/1` or `peering/pcx-…`. */
  readonly resource: string;
  readonly id: string | null;
  readonly state: ConditionState;
  readonly message: string;
  /** Whose move it is: we, AWS, the operator or the customer. */
  readonly actor: "letsdata" | "aws" | "operator" | "customer";
  readonly hint: string | null;
  readonly since: number;
  /** How long this usually takes, in seconds. */
  readonly usualSeconds: number | null;
}

export const RANGE_STATES = ["used", "quarantined"] as const;
export type RangeState = (typeof RANGE_STATES)[number];

/** A range given out to a tenant. */
export interface TenantRange {
  readonly cidr: Cidr;
  readonly tenantId: string;
  readonly createdAt: number;
}

/** A dataset's block; a quarantined one rests until `freeAt`. */
export interface DatasetRange {
  readonly cidr: Cidr;
  readonly tenantRange: Cidr;
  readonly tenantId: string;
  readonly datasetId: string;
  readonly datasetName: string;
  readonly state: RangeState;
  readonly freeAt: number | null;
}

/** What the operator sets for the whole installation. */
export interface Settings {
  readonly installation: string;
  /** Pools that tenant ranges come from. */
  readonly addressSpace: readonly Cidr[];
  /** Never given to anybody. */
  readonly excludedCidrs: readonly Cidr[];
  readonly excludedZoneIds: readonly string[];
  readonly quarantineSeconds: number;
  readonly defaultRangeLimit: number;
}

export interface AuditRecord {
  readonly id: string;
  readonly at: number;
  /** The tenant it belongs to; null for the installation's own. */
  readonly tenantId: string | null;
  readonly keyId: string;
  readonly keyName: string;
  /** The operation, such as `datasets.create`. */
  readonly action: string;
  /** What it was done to, such as `dataset/Clicks`. */
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Time, handed in by main.ts; nothing else may look at the clock. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after `ms` milliseconds; at once, without an error, when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** One page of a list; `nextCursor` is opaque. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface PageRequest {
  readonly limit: number;
  readonly cursor: string | null;
}
