/**
 * A create that is only thought through: the same transaction as the real one, rolled back at its end, so that
 * it refuses what the real one would refuse and names the very range that is free now. Promises that nothing
 * is written, no network is woken, and nothing is reserved: the real create may get another range later.
 */
import type { Cidr } from "../domain/cidr.ts";
import type { Dataset, DatasetRange } from "../domain/model.ts";
import { THING_KINDS, type ThingKind } from "../domain/sweep.ts";
import { type Cost, clusterCounts, cost } from "../network/cost.ts";
import { type Footprint, footprint } from "../network/footprint.ts";
import { PRICES, type PriceTable } from "../network/prices.ts";
import type { Tx } from "../store/store.ts";
import type { Actor, DatasetRequest } from "./actor.ts";
import { type DatasetDeps, insertDataset, needsVpc } from "./datasets.ts";

export interface RehearsalDeps extends DatasetDeps {
  /** The table that is built in, unless another is given. */
  readonly prices?: PriceTable;
}

export interface DatasetPlan {
  readonly dataset: Dataset;
  /** Null when it needs no network. */
  readonly place: {
    readonly account: string;
    readonly cidr: Cidr;
    readonly tenantRange: Cidr;
    /** The tenant range would be a new one. */
    readonly isNew: boolean;
  } | null;
  readonly resources: readonly { readonly resource: ThingKind; readonly count: number }[];
  readonly subnets: Footprint["subnets"];
  readonly quotas: Footprint["quotas"];
  readonly cost: Cost;
}

export interface Rehearsals {
  planDataset(actor: Actor, tenantId: string, request: DatasetRequest): Promise<DatasetPlan>;
}

export function rehearsals(deps: RehearsalDeps): Rehearsals {
  return {
    async planDataset(actor, tenantId, request) {
      const cell = needsVpc(request.writeConnector) ? await deps.cellOf(request.region) : null;
      return deps.store.rehearse(async (tx) => {
        const before = await tx.tenant(tenantId).ranges();
        const dataset = await insertDataset(tx, { deps, actor, tenantId, request, cell });
        const range = cell ? await rangeOf(tx, dataset) : null;
        const owned = before.some(({ cidr }) => cidr === range?.tenantRange);
        return planned(deps, { dataset, range, isNew: !owned, account: cell?.account ?? "" });
      });
    },
  };
}

async function rangeOf(tx: Tx, { id, tenantId }: Dataset): Promise<DatasetRange | null> {
  const ranges = await tx.tenant(tenantId).datasetRanges();
  return ranges.find(({ datasetId }) => datasetId === id) ?? null;
}

interface Taken {
  readonly dataset: Dataset;
  readonly range: DatasetRange | null;
  readonly isNew: boolean;
  readonly account: string;
}

function planned({ prices = PRICES }: RehearsalDeps, taken: Taken): DatasetPlan {
  const { dataset, range, isNew, account } = taken;
  const { region, writeConnector } = dataset;
  const needs = range && footprint(range.cidr, writeConnector.vpcSize, writeConnector.kafka);
  const { cluster: _, ...counts } = { cluster: 0, ...needs?.counts, ...clusterCounts(writeConnector.kafka) };
  return {
    dataset,
    place: range && { account, cidr: range.cidr, tenantRange: range.tenantRange, isNew },
    resources: needs ? counted(needs) : [],
    subnets: needs?.subnets ?? [],
    quotas: needs?.quotas ?? [],
    cost: cost(counts, { region, prices }),
  };
}

function counted({ counts }: Footprint): DatasetPlan["resources"] {
  return THING_KINDS.map((resource) => ({ resource, count: counts[resource] })).filter(
    ({ count }) => count > 0,
  );
}
