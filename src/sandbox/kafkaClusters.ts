/**
 * MSK's provisioned clusters: made, shown, listed, deleted. Promises AWS's states and waits, interfaces of the
 * brokers from the beginning until a while after the end, and a name that is the account's only until the cluster
 * is gone. A cluster that fails does so only while it is being made, and says why.
 * https://docs.aws.amazon.com/msk/1.0/apireference/v2-clusters.html
 */
import { createHash, randomInt, randomUUID } from "node:crypto";
import type * as kafka from "@aws-sdk/client-kafka";
import type { AwsError } from "./errors.ts";
import { defaultGroup } from "./interfaceRows.ts";
import { describedV1, describedV2 } from "./kafkaClustersShown.ts";
import { badRequest, conflict, KAFKA_TAG_REFUSALS } from "./kafkaErrors.ts";
import { domainOf, placeNodes } from "./kafkaNodes.ts";
import { type Provisioned, type RequestedCluster, requested } from "./kafkaRequests.ts";
import { hasKafkaRoom } from "./kafkaRoom.ts";
import { checkCurrentVersion, clusterAt, clusterState, theCluster } from "./kafkaStates.ts";
import { brokerKind, isKraft, kafkaPage } from "./kafkaVersions.ts";
import { zoneName } from "./places.ts";
import type { SubnetRow } from "./rows.ts";
import { groupsAsked, type NetworkRefusals, subnetsAsked } from "./serviceNetworks.ts";
import type { ClusterRow } from "./serviceRows.ts";
import { type TagMap, tagsFromMap } from "./tagMaps.ts";
import { seen } from "./visibility.ts";
import type { Call, Handlers } from "./world.ts";

const REFUSALS: NetworkRefusals = {
  subnet: (message) => badRequest(message, "clientSubnets"),
  group: (message) => badRequest(message, "securityGroups"),
};

/** MSK is not in these. https://docs.aws.amazon.com/msk/1.0/apireference/clusters.html */
const CLOSED_ZONES = ["use1-az3"];

function subnetsOf(call: Call, ids: readonly string[], { instanceType }: RequestedCluster): SubnetRow[] {
  const express = brokerKind(instanceType) === "express";
  if (express && ids.length !== 3)
    throw badRequest("Specify three client subnets for Express brokers.", "clientSubnets");
  if (ids.length < 2 || ids.length > 3)
    throw badRequest("Specify either two or three client subnets.", "clientSubnets");
  const rows = subnetsAsked(call, ids, REFUSALS);
  if (new Set(rows.map(({ zoneId }) => zoneId)).size < rows.length)
    throw badRequest("The client subnets must be in different Availability Zones.", "clientSubnets");
  const closed = rows.find(({ zoneId }) => CLOSED_ZONES.includes(zoneId));
  if (closed)
    throw badRequest(
      `The subnet ${closed.id} is in the unsupported Availability Zone ${zoneName(call.region, closed.zoneId)} (${closed.zoneId}).`,
      "clientSubnets",
    );
  return rows;
}

function groupsOf(call: Call, vpcId: string, ids: readonly string[] | undefined): string[] {
  return ids?.length ? groupsAsked(call, { vpcId, ids }, REFUSALS) : defaultGroup(call, vpcId);
}

function checkName(call: Call, name: string): void {
  if (call.tables.clusters.list(call).some((row) => row.name === name))
    throw conflict("A resource with this name already exists.", "clusterName");
}

function checkQuotas(call: Call, asked: RequestedCluster): void {
  const { mskBrokersQuota, mskBrokersPerClusterQuota, mskBrokersPerZookeeperClusterQuota } = call.settings;
  const perCluster = isKraft(asked.kafkaVersion)
    ? mskBrokersPerClusterQuota
    : mskBrokersPerZookeeperClusterQuota;
  if (asked.brokerCount > perCluster) throw overQuota(`A cluster may have ${perCluster} brokers at most.`);
  const there = call.tables.clusters.list(call).reduce((sum, row) => sum + row.brokerCount, 0);
  if (there + asked.brokerCount > mskBrokersQuota)
    throw overQuota(`The account may have ${mskBrokersQuota} brokers at most, and has ${there}.`);
}

function overQuota(message: string): AwsError {
  return badRequest(`${message} Request a quota increase through Service Quotas.`, "numberOfBrokerNodes");
}

/** As AWS's look: `K3AEGXETSR30VB`. */
export function versionAfter(what: string): string {
  const hash = createHash("sha256").update(what).digest("hex");
  return `K${BigInt(`0x${hash}`).toString(36).toUpperCase().slice(0, 13)}`;
}

interface Wanted {
  readonly name: string | undefined;
  readonly tags: TagMap | undefined;
  readonly provisioned: Provisioned;
}

function created(call: Call, { name, tags: map, provisioned }: Wanted): ClusterRow {
  const asked = requested(name, provisioned);
  const tags = tagsFromMap(map, KAFKA_TAG_REFUSALS);
  const { BrokerNodeGroupInfo: group, EncryptionInfo: encryption } = provisioned;
  const subnets = subnetsOf(call, group?.ClientSubnets ?? [], asked);
  const vpcId = subnets[0]?.vpcId ?? "";
  const groupIds = groupsOf(call, vpcId, group?.SecurityGroups);
  checkName(call, asked.name);
  checkQuotas(call, asked);
  const { account, region, now } = call;
  const arn = `arn:aws:kafka:${region}:${account}:cluster/${asked.name}/${randomUUID()}-${randomInt(10, 26)}`;
  return call.tables.clusters.put({
    ...asked,
    id: arn,
    account,
    region,
    at: now,
    tags,
    vpcId,
    subnetIds: subnets.map(({ id }) => id),
    groupIds,
    keyArn: encryption?.EncryptionAtRest?.DataVolumeKMSKeyId ?? managedKey(call),
    currentVersion: versionAfter(arn),
    domain: domainOf(arn, call),
    secretArns: [],
    ...(call.brokers.are === "kafka" && hasKafkaRoom(call) ? { brokers: {} } : {}),
    ...outcome(call, { ...asked, arn, subnets, groupIds }),
  });
}

/** The brokers, and when they serve; or why they never will. */
function outcome(call: Call, asked: Parameters<typeof placeNodes>[1]) {
  const at = call.now + call.settings.mskCreatingMs;
  const code = call.settings.mskFailure;
  const placed = code ? { code, message: "The cluster could not be created." } : placeNodes(call, asked);
  return "code" in placed ? { nodes: [], failsAt: at, failure: placed } : { nodes: placed, activeAt: at };
}

/** The account's own key for MSK, `aws/kafka`, the same at each look. */
function managedKey({ account, region }: Call): string {
  const hex = createHash("sha256").update(`aws/kafka ${account} ${region}`).digest("hex");
  const id = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join("-");
  return `arn:aws:kms:${region}:${account}:key/${id}`;
}

/** From now on it goes, and its interfaces a while after it. */
function doomed(call: Call, row: ClusterRow): ClusterRow {
  const deletedAt = call.now + call.settings.mskDeletingMs;
  const releasedAt = deletedAt + call.settings.mskInterfacesLagMs;
  for (const { interfaceId } of row.nodes) {
    const own = call.tables.interfaces.get(interfaceId);
    if (own) call.tables.interfaces.put({ ...own, releasedAt });
  }
  return call.tables.clusters.put({ ...row, deletedAt });
}

/** What time alone has brought the caller's clusters: an update is done, a deleted one is gone. */
export function elapseClusters(call: Call): void {
  const { clusters, clusterOperations, topics } = call.tables;
  for (const row of clusters.list(call)) {
    if (row.deletedAt !== undefined && row.deletedAt <= call.now) {
      for (const one of clusterOperations.list(call))
        if (one.clusterArn === row.id) clusterOperations.delete(one.id);
      for (const one of topics.list(call)) if (one.clusterArn === row.id) topics.delete(one.id);
      clusters.delete(row.id);
    } else if (row.update && row.update.endsAt <= call.now) {
      const { update, ...rest } = clusterAt(row, call.now);
      clusters.put({ ...rest, currentVersion: versionAfter(row.update.operationArn) });
    }
  }
}

/** The caller's clusters whose names begin so, in order of name. */
function listed(call: Call, prefix = ""): ClusterRow[] {
  return seen(call, call.tables.clusters.list(call)).filter(({ name }) => name.startsWith(prefix));
}

const byName = ({ id, name }: ClusterRow) => `${name}/${id}`;

export const kafkaClusterHandlers = {
  CreateCluster(call, input) {
    const { ClusterName: name, Tags: tags, ...provisioned } = input;
    const row = created(call, { name, tags, provisioned });
    return { ClusterArn: row.id, ClusterName: row.name, State: "CREATING" };
  },

  CreateClusterV2(call, input) {
    if (!input.Provisioned)
      throw badRequest(
        input.Serverless
          ? "Serverless clusters are not part of this sandbox."
          : "Specify either provisioned or serverless.",
        "provisioned",
      );
    const { ClusterName: name, Tags: tags, Provisioned: provisioned } = input;
    const row = created(call, { name, tags, provisioned });
    return { ClusterArn: row.id, ClusterName: row.name, State: "CREATING", ClusterType: "PROVISIONED" };
  },

  DescribeCluster(call, input) {
    return { ClusterInfo: describedV1(call, theCluster(call, input.ClusterArn)) };
  },

  DescribeClusterV2(call, input) {
    return { ClusterInfo: describedV2(call, theCluster(call, input.ClusterArn)) };
  },

  ListClusters(call, input) {
    const { items, NextToken } = kafkaPage(listed(call, input.ClusterNameFilter), byName, input);
    return { ClusterInfoList: items.map((row) => describedV1(call, row)), NextToken };
  },

  ListClustersV2(call, input) {
    const { ClusterTypeFilter: type = "PROVISIONED" } = input;
    if (type !== "PROVISIONED" && type !== "SERVERLESS")
      throw badRequest("Valid values are: PROVISIONED, SERVERLESS.", "clusterTypeFilter");
    const rows = type === "PROVISIONED" ? listed(call, input.ClusterNameFilter) : [];
    const { items, NextToken } = kafkaPage(rows, byName, input);
    return { ClusterInfoList: items.map((row) => describedV2(call, row)), NextToken };
  },

  DeleteCluster(call, input) {
    const row = theCluster(call, input.ClusterArn);
    const state = clusterState(row, call.now);
    if (state !== "ACTIVE" && state !== "FAILED")
      throw badRequest(`You can't delete cluster in ${state} state.`);
    if (input.CurrentVersion !== undefined) checkCurrentVersion(row, input.CurrentVersion);
    return { ClusterArn: doomed(call, row).id, State: "DELETING" };
  },
} satisfies Handlers<typeof kafka>;
