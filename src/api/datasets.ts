/** Datasets: their status in one word and one sentence, and a condition for each resource. */
import type { AnswerOf, BodyOf, DryRunOf } from "../contract/operations.ts";
import { needsVpc } from "../control/datasets.ts";
import type { DatasetRequest } from "../control/intent.ts";
import { deletePlanOf, runningCost } from "../control/outlook.ts";
import type { DatasetPlan } from "../control/rehearsal.ts";
import { kafkaCluster } from "../domain/kafka.ts";
import type { Condition, Dataset, Network, Tenant } from "../domain/model.ts";
import type { NetworkStatus, Reads } from "../store/store.ts";
import type { Handlers, House } from "./call.ts";
import { iso, isoOrNull } from "./moments.ts";
import { pageRequest } from "./paging.ts";

export const datasetHandlers: Handlers<
  "datasets.create" | "datasets.list" | "datasets.view" | "datasets.delete"
> = {
  async "datasets.create"(house, { actor, tenant, query, body, once }) {
    const { store, intent } = house;
    const request = datasetRequest(body);
    if (query.dryRun) return planView(tenant, await intent.planDataset(actor, tenant.id, request));
    const dataset = await intent.createDataset(actor, tenant.id, request, once);
    return datasetDetail(house, await readDataset(store, tenant, dataset));
  },

  async "datasets.list"({ store }, { tenant, query }) {
    const page = await store.tenant(tenant.id).datasets(pageRequest(query));
    const known = await Promise.all(page.items.map((dataset) => readDataset(store, tenant, dataset)));
    return { items: known.map(datasetView), nextCursor: page.nextCursor };
  },

  "datasets.view": async (house, { tenant, dataset }) =>
    datasetDetail(house, await readDataset(house.store, tenant, dataset)),

  async "datasets.delete"(house, { actor, tenant, dataset }) {
    const deleted = await house.intent.deleteDataset(actor, tenant.id, dataset.name);
    return datasetDetail(house, await readDataset(house.store, tenant, deleted));
  },
};

/** All that is known of one dataset. */
export interface KnownDataset {
  readonly dataset: Dataset;
  readonly tenant: Tenant;
  readonly network: Network | null;
  readonly status: NetworkStatus | null;
}

export async function readDataset(reads: Reads, tenant: Tenant, dataset: Dataset): Promise<KnownDataset> {
  const scope = reads.tenant(tenant.id);
  const [network, status] = await Promise.all([scope.network(dataset.id), scope.status(dataset.id)]);
  return { dataset, tenant, network, status };
}

export function datasetView(known: KnownDataset): AnswerOf<"datasets.list">["items"][number] {
  const { dataset, tenant, network, status } = known;
  return {
    datasetName: dataset.name,
    datasetId: dataset.id,
    tenantName: tenant.name,
    region: dataset.region,
    customerAccountForAccess: dataset.customerAccountForAccess,
    status: dataset.status,
    statusReason: statusReason(known),
    connectorDestination: dataset.writeConnector.connectorDestination,
    vpcSize: network?.size ?? null,
    cidrBlock: isPast(known) ? null : (network?.cidr ?? null),
    vpcId: isPast(known) ? null : (status?.world?.vpcs[0]?.id ?? null),
    createdDatetime: iso(dataset.createdAt),
    deletedDatetime: isoOrNull(dataset.deletedAt),
  };
}

/** Its write connector was deleted, and nothing of it is left; of a deleted dataset the last is still shown. */
function isPast({ dataset, network }: Pick<KnownDataset, "dataset" | "network">): boolean {
  return dataset.status === "INACTIVE" && network !== null && network.goneAt !== null;
}

function datasetDetail(
  { clock, prices }: Pick<House, "clock" | "prices">,
  known: KnownDataset,
): AnswerOf<"datasets.view"> {
  const cost = runningCost(known, prices);
  const plan = deletePlanOf(known, clock.now());
  return {
    ...datasetView(known),
    conditions: (known.status?.conditions ?? []).map(conditionView),
    observedDatetime: isoOrNull(known.status?.observedAt ?? null),
    deletePlan: plan?.map(deleteStepView) ?? null,
    cost: cost && costView(cost),
    configuration: { ...known.dataset.configuration },
  };
}

type DeleteSteps = NonNullable<AnswerOf<"datasets.view">["deletePlan"]>;
type DeleteRow = NonNullable<ReturnType<typeof deletePlanOf>>[number];

export function deleteStepView({ actor, since, blockedBy, ...rest }: DeleteRow): DeleteSteps[number] {
  return { ...rest, blockedBy: [...blockedBy], whoseMove: actor, since: isoOrNull(since) };
}

type CostView = NonNullable<AnswerOf<"datasets.view">["cost"]>;

function costView(cost: DatasetPlan["cost"]): CostView {
  return { ...cost, parts: cost.parts.map((part) => ({ ...part })) };
}

function planView(tenant: Tenant, plan: DatasetPlan): DryRunOf<"datasets.create"> {
  const { dataset, place, resources, subnets, quotas, cost } = plan;
  return {
    dryRun: true,
    datasetName: dataset.name,
    tenantName: tenant.name,
    region: dataset.region,
    ownerId: place?.account ?? null,
    vpcSize: place ? dataset.writeConnector.vpcSize : null,
    cidrBlock: place?.cidr ?? null,
    tenantRange: place && { cidrBlock: place.tenantRange, isNew: place.isNew },
    subnets: subnets.map(({ type, cidr }) => ({ type, cidrBlock: cidr })),
    resources: resources.map((one) => ({ ...one })),
    quotas: quotas.map((quota) => ({ ...quota })),
    cost: costView(cost),
  };
}

/** What blocks comes before what is waited for; in a deletion what goes now comes before what waits for it. */
export function statusReason({ dataset, network, status }: KnownDataset): string | null {
  const conditions = status?.conditions ?? [];
  const first = (state: Condition["state"]) => conditions.find((condition) => condition.state === state);
  const rest =
    network?.want === "absent" ? (["deleting", "waiting"] as const) : (["waiting", "deleting"] as const);
  const telling = first("blocked") ?? first(rest[0]) ?? first(rest[1]);
  if (dataset.status === "DELETED") return null;
  if (isPast({ dataset, network })) return "Its write connector was deleted";
  if (telling) return `${telling.resource}: ${telling.message}`;
  const fresh = network !== null && (status?.observedAt ?? null) === null;
  return fresh ? "The cloud has not been looked at yet" : null;
}

export function conditionView(condition: Condition): AnswerOf<"datasets.view">["conditions"][number] {
  const { actor, since, ...rest } = condition;
  return { ...rest, whoseMove: actor, since: iso(since) };
}

function datasetRequest(body: BodyOf<"datasets.create">): DatasetRequest {
  const { connectorDestination, resourceLocation, vpcSize, vpcCidrBlock = null } = body.writeConnector;
  const place = { connectorDestination, resourceLocation, vpcSize, vpcCidrBlock };
  const kafka = needsVpc(place) ? kafkaCluster(body.writeConnector.kafka ?? {}, vpcSize) : null;
  return {
    name: body.datasetName,
    region: body.region,
    customerAccountForAccess: body.customerAccountForAccess,
    writeConnector: { ...place, kafka },
    functionArns: body.computeEngine?.functionArns ?? [],
    configuration: body,
  };
}
