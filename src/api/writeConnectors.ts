/** Write connectors: network, cluster and functions of one dataset together, as they stood when last looked at. */
import type { AnswerOf } from "../contract/operations.ts";
import { needsVpc } from "../control/datasets.ts";
import { connectorStatusOf, deletePlanOf, networkStatusOf } from "../control/outlook.ts";
import type { BootstrapBrokers, SeenCluster, SeenFunction } from "../domain/connector.ts";
import { brokerCount } from "../domain/kafka.ts";
import type { Dataset, KafkaCluster } from "../domain/model.ts";
import { topicOf } from "../domain/topic.ts";
import type { World } from "../domain/world.ts";
import type { Handlers, House } from "./call.ts";
import { clientSnippets } from "./clientSnippets.ts";
import { conditionView, deleteStepView, type KnownDataset, readDataset, statusReason } from "./datasets.ts";
import { RequestFailure } from "./errors.ts";

type ConnectorView = AnswerOf<"writeConnectors.view">;

export const writeConnectorHandlers: Handlers<
  | "writeConnectors.view"
  | "writeConnectors.update"
  | "writeConnectors.reinitialize"
  | "writeConnectors.delete"
> = {
  async "writeConnectors.view"(house, { tenant, dataset, query }) {
    const known = await readDataset(house.store, tenant, dataset);
    return connectorView(house, known, query.clientSnippet);
  },

  async "writeConnectors.update"(house, { actor, tenant, dataset, body }) {
    if (body.volumeGiB === undefined && body.partitions === undefined)
      throw new RequestFailure("invalid", "Nothing to change: give volumeGiB or partitions");
    const changed = await house.intent.updateConnector(actor, tenant.id, dataset.name, body);
    return connectorView(house, await readDataset(house.store, tenant, changed), false);
  },

  async "writeConnectors.reinitialize"(house, { actor, tenant, dataset }) {
    const changed = await house.intent.reinitializeConnector(actor, tenant.id, dataset.name);
    return connectorView(house, await readDataset(house.store, tenant, changed), false);
  },

  async "writeConnectors.delete"(house, { actor, tenant, dataset }) {
    const changed = await house.intent.deleteConnector(actor, tenant.id, dataset.name);
    return connectorView(house, await readDataset(house.store, tenant, changed), false);
  },
};

function connectorView(
  { clock }: Pick<House, "clock">,
  known: KnownDataset,
  snippet: boolean,
): ConnectorView {
  const { dataset, network, status } = known;
  const world = status?.world ?? null;
  const { kafka } = dataset.writeConnector;
  const cluster = world?.clusters.find(({ ours }) => ours) ?? null;
  const plan = deletePlanOf(known, clock.now());
  return {
    datasetName: dataset.name,
    connectorDestination: dataset.writeConnector.connectorDestination,
    status: connectorStatusOf(known),
    statusReason: statusReason(known),
    vpcId: world?.vpcs[0]?.id ?? null,
    cidrBlock: network?.goneAt === null ? network.cidr : null,
    vpcStatus: networkStatusOf(known),
    cluster: kafka && { ...clusterView(kafka, cluster), ...topicView(kafka, world) },
    functions: dataset.functionArns.map((arn) => functionView(known, arn)),
    conditions: (status?.conditions ?? []).map(conditionView),
    deletePlan: plan?.map(deleteStepView) ?? null,
    ...(snippet && kafka && { clientSnippets: snippetsOf(dataset, kafka, cluster) }),
  };
}

const NOT_YET: BootstrapBrokers = { plaintext: null, tls: null, scram: null, iam: null };

function snippetsOf({ region }: Dataset, cluster: KafkaCluster, seen: SeenCluster | null) {
  return clientSnippets({ cluster, bootstrap: seen?.bootstrap ?? NOT_YET, region });
}

type ClusterView = NonNullable<ConnectorView["cluster"]>;
type TopicView = Pick<ClusterView, "topic" | "topicState" | "partitions" | "replicationFactor">;

/** As it is; as it is to be while it is not there, or AWS does not tell. */
function topicView(wish: KafkaCluster, world: World | null): TopicView {
  const topic = topicOf(wish);
  const seen = world?.topics.find(({ name, state }) => name === topic?.name && state !== "unknown");
  return {
    topic: topic?.name ?? null,
    topicState: seen?.state.toUpperCase() ?? null,
    partitions: seen?.partitions ?? topic?.partitions ?? null,
    replicationFactor: seen?.replicationFactor ?? topic?.replicationFactor ?? null,
  };
}

function clusterView(wish: KafkaCluster, seen: SeenCluster | null): Omit<ClusterView, keyof TopicView> {
  const { clusterType, authentication } = wish;
  return {
    ...{ clusterType, authentication },
    clusterArn: seen?.id ?? null,
    clusterName: seen?.name ?? null,
    state: seen?.state.toUpperCase() ?? null,
    stateReason: seen?.stateReason ?? null,
    version: seen?.version || wish.version,
    availableVersions: [...(seen?.upgrades ?? [])],
    instanceType: seen?.instanceType || wish.instanceType,
    brokerCount: seen?.brokerCount || brokerCount(wish),
    volumeGiB: seen?.volumeGiB ?? wish.volumeGiB,
    bootstrapBrokers: { ...(seen?.bootstrap ?? NOT_YET) },
    brokers: (seen?.brokers ?? []).map(({ brokerId, address, subnetId, interfaceId }) => ({
      brokerId,
      privateIp: address,
      subnetId,
      networkInterfaceId: interfaceId,
    })),
  };
}

function functionView({ status }: KnownDataset, arn: string): ConnectorView["functions"][number] {
  const world = status?.world ?? null;
  const seen: SeenFunction | undefined = world?.functions.find(({ id }) => id === arn);
  return {
    functionArn: arn,
    state: seen?.state ?? null,
    lastUpdateStatus: seen?.updateState ?? null,
    isAttached: world?.vpcs.some(({ id }) => id === seen?.vpcId) ?? false,
  };
}

/** Where Kafka clients of this dataset begin; null without a cluster. */
export function bootstrapOf({ dataset, status }: KnownDataset): BootstrapBrokers | null {
  if (!needsVpc(dataset.writeConnector) || !dataset.writeConnector.kafka) return null;
  return { ...(status?.world?.clusters.find(({ ours }) => ours)?.bootstrap ?? NOT_YET) };
}
