/**
 * The rows of services that put things into a customer's VPC: MSK's clusters and Lambda's functions. As with
 * rows.ts, moments instead of states. They say which interface belongs to which broker and which function, so
 * that whoever carries packets or runs code has to ask nobody else. A row's id is its ARN.
 */
import type { EnhancedMonitoring, LoggingInfo, MutableClusterInfo } from "@aws-sdk/client-kafka";
import type { Row } from "./state.ts";

/** Why something fails, in the service's words. */
export interface FailureRow {
  readonly code: string;
  readonly message: string;
}

export interface ClusterNodeRow {
  readonly kind: "broker" | "zookeeper";
  /** From 1, each kind by itself. */
  readonly number: number;
  readonly subnetId: string;
  readonly interfaceId: string;
  readonly privateIp: string;
}

/** What is known of brokers that are run for real. */
export interface BrokersRow {
  /** When all of them served for the first time; the cluster is CREATING until then. */
  readonly servingAt?: number;
  /** Since when one of them does not. */
  readonly downSince?: number;
}

/** Who may come in, and by which proof. */
export interface AuthenticationRow {
  readonly unauthenticated: boolean;
  readonly iam: boolean;
  readonly scram: boolean;
  /** The authorities whose certificates are a proof; none = certificates are not asked for. */
  readonly tlsAuthorities: readonly string[];
}

/** What an update may change of a cluster. */
export interface ClusterSettingsRow {
  readonly kafkaVersion: string;
  /** Of each broker, by its number; none with Express brokers. */
  readonly volumesGiB: readonly number[];
  readonly throughputMiB?: number;
  readonly authentication: AuthenticationRow;
  readonly clientBroker: "TLS" | "TLS_PLAINTEXT" | "PLAINTEXT";
  readonly monitoring: EnhancedMonitoring;
  readonly prometheus: { readonly jmx: boolean; readonly node: boolean };
  readonly logging?: LoggingInfo;
}

export interface ClusterRow extends Row, ClusterSettingsRow {
  readonly name: string;
  readonly instanceType: string;
  readonly brokerCount: number;
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
  readonly inCluster: boolean;
  readonly keyArn: string;
  readonly storageMode?: "LOCAL" | "TIERED";
  readonly rebalancing?: "ACTIVE" | "PAUSED";
  /** An update must name it: who has not seen the last change may not make the next. */
  readonly currentVersion: string;
  /** What all its hosts' names end with: `clicks.a1b2c3.c2.kafka.us-east-1.amazonaws.com`. */
  readonly domain: string;
  /** None when they could not be made: the cluster fails. */
  readonly nodes: readonly ClusterNodeRow[];
  readonly secretArns: readonly string[];
  /** Either it becomes active then, or it fails then. */
  readonly activeAt?: number;
  readonly failsAt?: number;
  readonly failure?: FailureRow;
  /** undefined = nobody runs them, and nobody is waited for. */
  readonly brokers?: BrokersRow;
  readonly update?: {
    readonly operationArn: string;
    readonly endsAt: number;
    readonly change: Partial<ClusterSettingsRow>;
  };
  readonly volumesGrownAt?: number;
  readonly deletedAt?: number;
}

export interface ClusterOperationRow extends Row {
  readonly clusterArn: string;
  readonly requestId: string;
  /** `INCREASE_BROKER_STORAGE` */
  readonly type: string;
  readonly endsAt: number;
  readonly before: MutableClusterInfo;
  readonly after: MutableClusterInfo;
}

/** A partition of a topic, as its brokers tell. */
export interface TopicPartitionRow {
  /** -1 = it has none now. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface TopicWorkRow {
  readonly is: "CREATING" | "UPDATING" | "DELETING";
  /** undefined = the cluster's brokers do it, and say when it is done. */
  readonly endsAt?: number;
  readonly partitions?: number;
  readonly configs?: Readonly<Record<string, string>>;
}

export interface TopicRow extends Row {
  readonly clusterArn: string;
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** What was asked for beside the cluster's own values. */
  readonly configs: Readonly<Record<string, string>>;
  readonly work?: TopicWorkRow;
  /** As the brokers tell; undefined = there are none to tell. */
  readonly placed?: readonly TopicPartitionRow[];
}

/** A secret of Secrets Manager: its last value only. */
export interface SecretRow extends Row {
  readonly name: string;
  readonly description: string;
  readonly versionId: string;
  readonly value: string;
  readonly changedAt: number;
}

/** Where a function's packets are to leave. */
export interface FunctionVpcRow {
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
}

export interface FunctionRow extends Row {
  readonly name: string;
  readonly runtime: string;
  readonly role: string;
  readonly handler: string;
  readonly description: string;
  readonly timeoutS: number;
  readonly memoryMiB: number;
  readonly storageMiB: number;
  readonly architecture: "x86_64" | "arm64";
  readonly environment?: Readonly<Record<string, string>>;
  /** Its code's row. */
  readonly codeId: string;
  readonly codeSha256: string;
  readonly codeSize: number;
  readonly revisionId: string;
  readonly modifiedAt: number;
  /** What was last asked for. */
  readonly vpc?: FunctionVpcRow;
  /** What its packets leave by, one a subnet; shared with functions of the same subnets and groups. */
  readonly interfaceIds: readonly string[];
  /** Either it becomes active then, or it fails then. */
  readonly activeAt?: number;
  readonly failsAt?: number;
  readonly failure?: FailureRow;
  readonly update?: {
    readonly endsAt: number;
    /** What its packets leave by from then on. */
    readonly interfaceIds: readonly string[];
    /** It fails then, and packets leave as before. */
    readonly failure?: FailureRow;
  };
  /** Of the last update, when it failed. */
  readonly updateFailure?: FailureRow;
}

/** Apart from the function's row, which changes often, because it is large. */
export interface FunctionCodeRow extends Row {
  /** Base 64. */
  readonly zip: string;
}
