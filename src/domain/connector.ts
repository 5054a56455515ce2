/**
 * What the cloud shows of what runs in a network: the Kafka cluster, the functions attached to its subnets, and the
 * function that probes from inside.
 * Types only. States are the provider's own words in lower case, and none of these lists is closed.
 */

/** One broker, as far as its address is of interest. */
export interface SeenBroker {
  readonly brokerId: number;
  readonly interfaceId: string;
  readonly subnetId: string;
  readonly address: string;
}

/** Where clients begin, by authentication; null where the cluster does not offer it, or does not say yet. */
export interface BootstrapBrokers {
  readonly plaintext: string | null;
  readonly tls: string | null;
  readonly scram: string | null;
  readonly iam: string | null;
}

/** A cluster that bears our name for this network. */
export interface SeenCluster {
  /** Its ARN. */
  readonly id: string;
  readonly key: string;
  readonly attempt: number;
  readonly name: string;
  /** False when it bears our name and not our tags: somebody else's, and not to be touched. */
  readonly ours: boolean;
  readonly state: string;
  /** Why it stands so, in the provider's words. */
  readonly stateReason: string | null;
  readonly clusterType: "provisioned" | "express" | "other";
  readonly version: string;
  /** Versions it could be upgraded to. */
  readonly upgrades: readonly string[];
  readonly instanceType: string;
  readonly brokerCount: number;
  readonly volumeGiB: number | null;
  readonly authentication: readonly ("iam" | "scram" | "none")[];
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
  readonly brokers: readonly SeenBroker[];
  readonly bootstrap: BootstrapBrokers;
  /** Names this configuration of it, for a change. */
  readonly revision: string;
  readonly createdAt: number | null;
}

/** A topic of a cluster, by its name: it bears no tag. */
export interface SeenTopic {
  /** Its ARN. */
  readonly id: string;
  readonly key: string;
  readonly attempt: number;
  readonly name: string;
  readonly clusterId: string;
  /** `unknown`: the provider did not tell, or was not asked, because the cluster was at work. */
  readonly state: string;
  /** Why the provider does not tell. */
  readonly refusal: string | null;
  readonly partitions: number;
  readonly replicationFactor: number;
}

export type FunctionLack = "role" | "quota" | "addresses" | "calls";

export interface SeenFunction {
  /** Its ARN, as the wish names it. */
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly stateReason: string | null;
  /** `inprogress` while a change is being carried out. */
  readonly updateState: string;
  readonly updateReason: string | null;
  /** What a failed change lacked, where that is known: rights of its role, a quota, addresses, calls. */
  readonly lacks: FunctionLack | null;
  readonly vpcId: string | null;
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
}

/** A cluster to be made. */
export interface ClusterSpec {
  readonly clusterType: "provisioned" | "express";
  readonly version: string;
  readonly instanceType: string;
  readonly brokerCount: number;
  readonly volumeGiB: number | null;
  readonly authentication: "iam" | "scram" | "none";
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
}

/** The function of ours that opens connections from inside the network. */
export interface SeenProbe extends SeenFunction {
  readonly key: string;
  readonly attempt: number;
  /** False when it bears our name and not our tags: somebody else's, and not to be touched. */
  readonly ours: boolean;
  readonly roleArn: string;
  /** It has the settings of this version of the product. */
  readonly isConfigured: boolean;
  /** It runs the code of this version of the product. */
  readonly isCurrent: boolean;
}

/** Where it stands, and as whom it runs. */
export interface ProbeSpec {
  readonly roleArn: string;
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
}
