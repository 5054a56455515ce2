/** Datasets: their status in one word and one sentence, and a condition for each resource. */
import type { AnswerOf, BodyOf } from "../contract/operations.ts";
import type { DatasetRequest } from "../control/intent.ts";
import type { Condition, Dataset, Network, Tenant } from "../domain/model.ts";
import type { NetworkStatus, Reads } from "../store/store.ts";
import type { Handlers } from "./call.ts";
import { iso, isoOrNull } from "./moments.ts";
import { pageRequest } from "./paging.ts";

export const datasetHandlers: Handlers<
  "datasets.create" | "datasets.list" | "datasets.view" | "datasets.delete"
> = {
  async "datasets.create"({ store, intent }, { actor, tenant, body, once }) {
    const dataset = await intent.createDataset(actor, tenant.id, datasetRequest(body), once);
    return datasetDetail(await readDataset(store, tenant, dataset));
  },

  async "datasets.list"({ store }, { tenant, query }) {
    const page = await store.tenant(tenant.id).datasets(pageRequest(query));
    const known = await Promise.all(page.items.map((dataset) => readDataset(store, tenant, dataset)));
    return { items: known.map(datasetView), nextCursor: page.nextCursor };
  },

  "datasets.view": async ({ store }, { tenant, dataset }) =>
    datasetDetail(await readDataset(store, tenant, dataset)),

  async "datasets.delete"({ store, intent }, { actor, tenant, dataset }) {
    const deleted = await intent.deleteDataset(actor, tenant.id, dataset.name);
    return datasetDetail(await readDataset(store, tenant, deleted));
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
    cidrBlock: network?.cidr ?? null,
    vpcId: status?.world?.vpcs[0]?.id ?? null,
    createdDatetime: iso(dataset.createdAt),
    deletedDatetime: isoOrNull(dataset.deletedAt),
  };
}

function datasetDetail(known: KnownDataset): AnswerOf<"datasets.view"> {
  return {
    ...datasetView(known),
    conditions: (known.status?.conditions ?? []).map(conditionView),
    observedDatetime: isoOrNull(known.status?.observedAt ?? null),
    configuration: { ...known.dataset.configuration },
  };
}

/** What blocks comes before what is waited for, and that before what is being taken away. */
export function statusReason({ dataset, network, status }: KnownDataset): string | null {
  const conditions = status?.conditions ?? [];
  const first = (state: Condition["state"]) => conditions.find((condition) => condition.state === state);
  const telling = first("blocked") ?? first("waiting") ?? first("deleting");
  if (dataset.status === "DELETED") return null;
  if (telling) return `${telling.resource}: ${telling.message}`;
  const fresh = network !== null && (status?.observedAt ?? null) === null;
  return fresh ? "The cloud has not been looked at yet" : null;
}

function conditionView(condition: Condition): AnswerOf<"datasets.view">["conditions"][number] {
  const { actor, since, ...rest } = condition;
  return { ...rest, whoseMove: actor, since: iso(since) };
}

function datasetRequest(body: BodyOf<"datasets.create">): DatasetRequest {
  const { connectorDestination, resourceLocation, vpcSize, vpcCidrBlock } = body.writeConnector;
  return {
    name: body.datasetName,
    region: body.region,
    customerAccountForAccess: body.customerAccountForAccess,
    writeConnector: { connectorDestination, resourceLocation, vpcSize, vpcCidrBlock: vpcCidrBlock ?? null },
    configuration: body,
  };
}
