/**
 * Kafka clusters on AWS (MSK): what is seen of them, and the steps on them. CreateClusterV2 has no client token, so
 * a cluster is known by its name, which says whose it is, and is ours only if it bears our tags too: one that has
 * the name alone is shown as somebody else's. Promises one paged list however many networks are looked at; what the
 * list does not tell is asked for by cluster and remembered (`clusterMemory.ts`).
 */
import {
  type Cluster,
  CreateClusterV2Command,
  type CreateClusterV2Request,
  DeleteClusterCommand,
  type KafkaClient,
  paginateListClustersV2,
  UpdateBrokerStorageCommand,
} from "@aws-sdk/client-kafka";
import type { ClusterSpec, SeenCluster } from "../../domain/connector.ts";
import { Failure } from "../../domain/failure.ts";
import type { NetworkRef } from "../cloud.ts";
import { notes, refusedWith } from "./callError.ts";
import type { ClusterDetail } from "./clusterMemory.ts";
import { answeredId, change, type Hands } from "./hand.ts";
import { ATTEMPT_TAG, DATASET_TAG, INSTALLATION_TAG, KEY_TAG, tagMap, tags } from "./tags.ts";

const PAGE = 100;

/** What the names of all of an installation's clusters begin with. */
export function clusterPrefix(installation: string): string {
  return `ld-${installation.slice(0, 8)}-`;
}

/** Two tenants may both have `Clicks`, and a deleted name may come back: the dataset's id is in it, never its name. */
export function clusterName(installation: string, { datasetId }: Pick<NetworkRef, "datasetId">): string {
  return `${clusterPrefix(installation)}${datasetId.replaceAll("_", "-")}`;
}

/** All clusters whose name begins so, whoever made them. */
export async function listClusters(client: KafkaClient, prefix?: string): Promise<readonly Cluster[]> {
  const found: Cluster[] = [];
  const filter = prefix === undefined ? {} : { ClusterNameFilter: prefix };
  for await (const page of paginateListClustersV2({ client, pageSize: PAGE }, filter))
    found.push(...(page.ClusterInfoList ?? []));
  return found;
}

/** True for one that bears this installation's tag. */
export function isOurs({ Tags = {} }: Cluster, installation: string): boolean {
  return Tags[INSTALLATION_TAG] === installation;
}

/** Null for what has no ARN. */
export function seenCluster(
  cluster: Cluster,
  network: Pick<NetworkRef, "datasetId">,
  { installation, detail }: { readonly installation: string; readonly detail: ClusterDetail },
): SeenCluster | null {
  const { ClusterArn: id, ClusterName: name = "", Tags = {}, Provisioned: provisioned } = cluster;
  if (!id) return null;
  const nodes = provisioned?.BrokerNodeGroupInfo;
  const instanceType = nodes?.InstanceType ?? "";
  return {
    id,
    key: Tags[KEY_TAG] ?? "cluster",
    attempt: Number(Tags[ATTEMPT_TAG]) || 0,
    name,
    ours: isOurs(cluster, installation) && Tags[DATASET_TAG] === network.datasetId,
    state: (cluster.State ?? "").toLowerCase(),
    stateReason: [cluster.StateInfo?.Code, cluster.StateInfo?.Message].filter(Boolean).join(": ") || null,
    clusterType: clusterTypeOf(cluster, instanceType),
    version: provisioned?.CurrentBrokerSoftwareInfo?.KafkaVersion ?? "",
    instanceType,
    brokerCount: provisioned?.NumberOfBrokerNodes ?? 0,
    volumeGiB: nodes?.StorageInfo?.EbsStorageInfo?.VolumeSize ?? null,
    authentication: authenticationOf(provisioned?.ClientAuthentication),
    subnetIds: nodes?.ClientSubnets ?? [],
    groupIds: nodes?.SecurityGroups ?? [],
    revision: cluster.CurrentVersion ?? "",
    createdAt: cluster.CreationTime?.getTime() ?? null,
    ...detail,
  };
}

function clusterTypeOf({ ClusterType }: Cluster, instanceType: string): SeenCluster["clusterType"] {
  if (ClusterType !== "PROVISIONED") return "other";
  return instanceType.startsWith("express.") ? "express" : "provisioned";
}

type Authentication = NonNullable<Cluster["Provisioned"]>["ClientAuthentication"];

function authenticationOf(of: Authentication): SeenCluster["authentication"] {
  return [
    ...(of?.Sasl?.Iam?.Enabled ? ["iam" as const] : []),
    ...(of?.Sasl?.Scram?.Enabled ? ["scram" as const] : []),
    ...(of?.Unauthenticated?.Enabled ? ["none" as const] : []),
  ];
}

/** A refusal that says nothing about the request: MSK calls a wrong state a bad request. */
const STATE_IN_DISGUISE = new Set(["badrequestexception", "conflictexception"]);
const GONE = "notfoundexception";

export const mskCreates: Hands<"createCluster"> = {
  async createCluster(hand, { spec }) {
    const { installation, call } = hand;
    const request: CreateClusterV2Request = {
      ClusterName: clusterName(installation, call.network),
      Tags: tagMap(tags(installation, call)),
      Provisioned: provisionedOf(spec),
    };
    const answer = await hand.kafka.send(new CreateClusterV2Command(request));
    return answeredId(answer.ClusterArn, "CreateClusterV2");
  },
};

/**
 * Encrypted on the way and at rest (with AWS's own key). Groups cannot be changed later, so the peers' one is there
 * from the beginning: https://docs.aws.amazon.com/msk/latest/developerguide/change-security-group.html
 */
function provisionedOf(spec: ClusterSpec): NonNullable<CreateClusterV2Request["Provisioned"]> {
  const open = spec.authentication === "none";
  return {
    KafkaVersion: spec.version,
    NumberOfBrokerNodes: spec.brokerCount,
    BrokerNodeGroupInfo: {
      InstanceType: spec.instanceType,
      ClientSubnets: [...spec.subnetIds],
      SecurityGroups: [...spec.groupIds],
      ...(spec.volumeGiB !== null && { StorageInfo: { EbsStorageInfo: { VolumeSize: spec.volumeGiB } } }),
    },
    EncryptionInfo: {
      EncryptionInTransit: { ClientBroker: open ? "TLS_PLAINTEXT" : "TLS", InCluster: true },
    },
    ClientAuthentication: {
      Sasl: {
        Iam: { Enabled: spec.authentication === "iam" },
        Scram: { Enabled: spec.authentication === "scram" },
      },
      Unauthenticated: { Enabled: open },
    },
    EnhancedMonitoring: "PER_BROKER",
    OpenMonitoring: {
      Prometheus: { JmxExporter: { EnabledInBroker: true }, NodeExporter: { EnabledInBroker: true } },
    },
    // A log group, bucket or stream would be the operator's: none is assumed.
    LoggingInfo: {
      BrokerLogs: {
        CloudWatchLogs: { Enabled: false },
        Firehose: { Enabled: false },
        S3: { Enabled: false },
      },
    },
  };
}

export const mskChanges: Hands<"growStorage"> = {
  growStorage: ({ kafka }, { clusterArn, revision, volumeGiB }) =>
    notNow(
      kafka.send(
        new UpdateBrokerStorageCommand({
          ClusterArn: clusterArn,
          CurrentVersion: revision,
          TargetBrokerEBSVolumeInfo: [{ KafkaBrokerNodeId: "ALL", VolumeSizeGB: volumeGiB }],
        }),
      ),
    ),
};

export const mskDeletes: Hands<"deleteCluster"> = {
  deleteCluster: ({ kafka }, { clusterArn }) =>
    notNow(kafka.send(new DeleteClusterCommand({ ClusterArn: clusterArn })), [GONE]),
};

/** Of a cluster that is there, and a request that is right, a refusal is about its state: look again, and try. */
async function notNow(call: Promise<unknown>, alreadySo: readonly string[] = []): Promise<null> {
  try {
    return await change(call, alreadySo);
  } catch (error) {
    if (!refusedWith(error, STATE_IN_DISGUISE)) throw error;
    throw new Failure("conflict", `AWS does not do that to the cluster now: ${error.message}`, {
      hint: "Nothing to do: it is tried again when AWS has finished what it does to the cluster.",
      ...notes(error),
    });
  }
}
