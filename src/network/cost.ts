/**
 * What things cost a month, by counting them: list prices for hours, without traffic. Promises that a price
 * nobody knows is never taken for zero: its part is null, and the sum says that it is at least so much.
 */
import { brokerCount } from "../domain/kafka.ts";
import type { KafkaCluster } from "../domain/model.ts";
import type { World } from "../domain/world.ts";
import { livePeering, natHolds, ownClusters } from "./holders.ts";
import { hourlyPrice, PRICED_KINDS, type PricedKind, type PriceTable } from "./prices.ts";

/** Hours in a month: 365 days × 24 h / 12. */
export const HOURS_A_MONTH = 730;

export type Counts = Readonly<Partial<Record<PricedKind, number>>>;

export interface CostPart {
  readonly resource: PricedKind;
  readonly count: number;
  /** For one of them; null when it is unknown. */
  readonly hourlyUsd: number | null;
  /** For all of them. */
  readonly monthlyUsd: number | null;
}

export interface Cost {
  /** Null when of what costs anything no price is known. */
  readonly monthlyUsd: number | null;
  readonly atLeast: boolean;
  readonly parts: readonly CostPart[];
  readonly pricesDate: string;
  readonly region: string;
}

/** Where things are, and what they cost there. */
export interface PriceSource {
  readonly region: string;
  readonly prices: PriceTable;
}

export function cost(counts: Counts, { region, prices }: PriceSource): Cost {
  const parts = PRICED_KINDS.flatMap((resource): CostPart[] => {
    const count = counts[resource] ?? 0;
    if (count === 0) return [];
    const hourlyUsd = hourlyPrice(prices, region, resource);
    return [
      { resource, count, hourlyUsd, monthlyUsd: hourlyUsd === null ? null : monthly(hourlyUsd, count) },
    ];
  });
  return { ...summed(parts.map(({ monthlyUsd }) => monthlyUsd)), parts, pricesDate: prices.date, region };
}

/** Dollars a month, in whole cents. */
export function monthly(hourlyUsd: number, count = 1): number {
  return cents(hourlyUsd * count * HOURS_A_MONTH);
}

export interface Sum {
  readonly monthlyUsd: number | null;
  readonly atLeast: boolean;
}

/** Null among them is unknown: the sum is then at least what is known, or unknown itself when nothing is. */
export function summed(parts: readonly (number | null)[]): Sum {
  const known = cents(parts.reduce<number>((sum, part) => sum + (part ?? 0), 0));
  const atLeast = parts.includes(null);
  return { monthlyUsd: atLeast && known === 0 ? null : known, atLeast };
}

function cents(dollars: number): number {
  return Math.round(dollars * 100) / 100;
}

/** What is there now and may cost something. A failed or deleted NAT gateway is not charged. */
export function countsOf(world: World): Counts {
  return {
    vpc: world.vpcs.length,
    subnet: world.subnets.length,
    internetGateway: world.internetGateways.length,
    elasticIp: world.addresses.length,
    natGateway: world.natGateways.filter(natHolds).length,
    routeTable: world.routeTables.filter(({ main }) => !main).length,
    gatewayEndpoint: world.endpoints.length,
    securityGroup: world.groups.filter(({ key }) => key !== "group/default").length,
    peeringConnection: world.peerings.filter((peering) => livePeering(peering)).length,
    ...Object.assign({}, ...ownClusters(world).map(brokersOf)),
  };
}

/** What a cluster will be charged for. */
export function clusterCounts(cluster: KafkaCluster | null): Counts {
  return cluster ? brokersOf({ ...cluster, brokerCount: brokerCount(cluster) }) : {};
}

interface Brokers {
  readonly instanceType: string;
  readonly brokerCount: number;
  readonly volumeGiB: number | null;
}

function brokersOf({ instanceType, brokerCount: count, volumeGiB }: Brokers): Counts {
  return { [instanceType]: count, ...(volumeGiB !== null && { kafkaStorageGiB: volumeGiB * count }) };
}
