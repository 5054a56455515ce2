/**
 * What a reader of one dataset is told beyond its state: what it costs now, and, while it is deleted, what still
 * has to go. Joins what the store knows with the thinking; writes nothing.
 */
import type { Dataset, Network } from "../domain/model.ts";
import { type Cost, cost, countsOf } from "../network/cost.ts";
import { type DeleteRow, deletePlan } from "../network/deletePlan.ts";
import { PRICES, type PriceTable } from "../network/prices.ts";
import { connectorStatus, networkStatus, type PartStatus } from "../network/status.ts";
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

/** Of the network alone; null for a dataset without one. */
export function networkStatusOf({ network, status }: Outlook): PartStatus | null {
  return network && networkStatus(network, status?.conditions ?? []);
}

/** A connector without anything of ours is there with its dataset. */
export function connectorStatusOf({ dataset, network }: Outlook): PartStatus {
  if (network) return connectorStatus({ ...network, datasetStatus: dataset.status });
  return dataset.status === "DELETED" ? "DELETED" : "ACTIVE";
}

/** Null unless its network is being deleted: with the dataset, or with the write connector alone. */
export function deletePlanOf(
  { dataset, network, status }: Outlook,
  now: number,
): readonly DeleteRow[] | null {
  if (network?.want !== "absent" || network.goneAt !== null) return null;
  return deletePlan({
    network,
    world: status?.world ?? null,
    conditions: status?.conditions ?? [],
    observedAt: status?.observedAt ?? null,
    askedAt: network.absentAskedAt ?? dataset.deleteAskedAt ?? now,
    now,
  });
}
