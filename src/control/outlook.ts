/**
 * What a reader of one dataset is told beyond its state: what it costs now, and, while it is deleted, what still
 * has to go. Joins what the store knows with the thinking; writes nothing.
 */
import type { Dataset, Network } from "../domain/model.ts";
import { type Cost, cost, countsOf } from "../network/cost.ts";
import { type DeleteRow, deletePlan } from "../network/deletePlan.ts";
import { PRICES, type PriceTable } from "../network/prices.ts";
import type { NetworkStatus } from "../store/store.ts";

export type { PriceTable };

export interface Outlook {
  readonly dataset: Dataset;
  readonly network: Network | null;
  readonly status: NetworkStatus | null;
}

/** By what was seen last; null when nothing was ever there to see. */
export function runningCost({ network, status }: Outlook, prices: PriceTable = PRICES): Cost | null {
  if (!network || !status?.world) return null;
  return cost(countsOf(status.world), { region: network.cell.region, prices });
}

/** Null unless it is being deleted. */
export function deletePlanOf(
  { dataset, network, status }: Outlook,
  now: number,
): readonly DeleteRow[] | null {
  if (dataset.status !== "DELETING" || !network) return null;
  return deletePlan({
    network,
    world: status?.world ?? null,
    conditions: status?.conditions ?? [],
    observedAt: status?.observedAt ?? null,
    askedAt: dataset.deleteAskedAt ?? now,
    now,
  });
}
