/**
 * List prices by region, with where each comes from and the date of the table, and the check of a table that
 * an operator puts in its place. Hours only: traffic is not in it. A price that is not here is unknown, never
 * guessed from another region's.
 */
import { INSTANCE_TYPES } from "../domain/kafka.ts";
import { REGIONS } from "../domain/model.ts";
import { THING_KINDS, type ThingKind } from "../domain/sweep.ts";

/** What a cluster costs: its brokers, by instance type, and their storage. */
type ClusterPart = `kafka.${string}` | `express.${string}` | "kafkaStorageGiB";
/** A cluster itself costs nothing, and a function only while it runs. */
type Unpriced = "cluster" | "probe";
export type PricedKind = Exclude<ThingKind, Unpriced> | "peeringConnection" | ClusterPart;
export const PRICED_KINDS: readonly PricedKind[] = [
  ...THING_KINDS.filter((kind) => kind !== "cluster" && kind !== "probe"),
  "peeringConnection",
  ...([...INSTANCE_TYPES.provisioned, ...INSTANCE_TYPES.express] as ClusterPart[]),
  "kafkaStorageGiB",
];

export interface Price {
  /** US dollars for each hour that the thing exists. */
  readonly hourlyUsd: number;
  readonly source: string;
}

export type PriceList = Readonly<Partial<Record<PricedKind, Price>>>;

export interface PriceTable {
  /** Day the table was made, `YYYY-MM-DD`. */
  readonly date: string;
  /** The same in every region, unless the region has its own. */
  readonly everywhere: PriceList;
  readonly regions: Readonly<Record<string, PriceList>>;
}

const free = (source: string): Price => ({ hourlyUsd: 0, source });
const VPC_PRICING = "https://aws.amazon.com/vpc/pricing/";
const NO_CHARGE = `${VPC_PRICING}: no charge for it`;
const publicAddress: Price = {
  hourlyUsd: 0.005,
  source: `${VPC_PRICING}: public IPv4 address, in use or idle, since 2024-02-01`,
};
const usEast: PriceList = {
  natGateway: { hourlyUsd: 0.045, source: `${VPC_PRICING}: as of 2026-09-20` },
  elasticIp: publicAddress,
};
/** Not AWS's own page: the table of a cost tool. What sources disagree on (kafka.t3.small) is left out. */
const BROKER_SOURCE = "a third party's table of MSK's list prices, 2026";
const usEastBrokers: PriceList = {
  "kafka.m5.large": { hourlyUsd: 0.21, source: BROKER_SOURCE },
  "kafka.m7g.large": { hourlyUsd: 0.204, source: BROKER_SOURCE },
  "express.m7g.large": { hourlyUsd: 0.408, source: BROKER_SOURCE },
};

/** Compiled from public sources; an operator may put their own in its place with `serve --pricesFile`. */
export const PRICES: PriceTable = {
  date: "2026-11-23",
  everywhere: {
    vpc: free(NO_CHARGE),
    subnet: free(NO_CHARGE),
    internetGateway: free(NO_CHARGE),
    routeTable: free(NO_CHARGE),
    securityGroup: free(NO_CHARGE),
    gatewayEndpoint: free("https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html"),
    peeringConnection: free("https://docs.aws.amazon.com/vpc/latest/peering/what-is-vpc-peering.html"),
  },
  regions: {
    "us-east-1": { ...usEast, ...usEastBrokers },
    "us-east-2": usEast,
    "eu-west-1": {
      natGateway: { hourlyUsd: 0.048, source: "price list, EU-NatGateway-Hours, recorded 2026-10-02" },
    },
    "ap-northeast-1": {
      natGateway: { hourlyUsd: 0.062, source: "price list (bulk API), NatGateway-Hours" },
    },
  },
};

/** Null: nobody said what it costs there. */
export function hourlyPrice(prices: PriceTable, region: string, kind: PricedKind): number | null {
  const own = prices.regions[region]?.[kind];
  return (own ?? prices.everywhere[kind])?.hourlyUsd ?? null;
}

export type ParsedPrices =
  | { readonly kind: "prices"; readonly prices: PriceTable }
  /** `at` is the path of the field, such as `regions.us-east-1.natGateway`. */
  | { readonly kind: "problem"; readonly at: string; readonly problem: string };

/** Reads a table that somebody wrote. Everything in it must be understood, so that no slip is taken for "free". */
export function parsePrices(value: unknown): ParsedPrices {
  const slip =
    wrongFields(value, "", ["date", "everywhere", "regions"]) ??
    wrongDate((value as Fields).date) ??
    wrongList((value as Fields).everywhere ?? {}, "everywhere") ??
    wrongRegions((value as Fields).regions);
  if (slip) return { kind: "problem", ...slip };
  const { date, everywhere = {}, regions } = value as PriceTable & { everywhere?: PriceList };
  return { kind: "prices", prices: { date, everywhere, regions } };
}

type Fields = Readonly<Record<string, unknown>>;

interface Slip {
  readonly at: string;
  readonly problem: string;
}

function wrongFields(value: unknown, at: string, known: readonly string[]): Slip | null {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { at, problem: "must be an object" };
  const strange = Object.keys(value).find((name) => !known.includes(name));
  if (strange === undefined) return null;
  return { at: joined(at, strange), problem: `is not known here; known are ${known.join(", ")}` };
}

function wrongDate(value: unknown): Slip | null {
  const isDay =
    typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value));
  return isDay ? null : { at: "date", problem: "must be the day of the prices, such as 2026-11-23" };
}

function wrongRegions(value: unknown): Slip | null {
  const strange = wrongFields(value, "regions", REGIONS);
  if (strange) return strange;
  for (const [region, list] of Object.entries(value as Fields)) {
    const slip = wrongList(list, `regions.${region}`);
    if (slip) return slip;
  }
  return null;
}

function wrongList(value: unknown, at: string): Slip | null {
  const strange = wrongFields(value, at, PRICED_KINDS);
  if (strange) return strange;
  for (const [kind, price] of Object.entries(value as Fields)) {
    const slip = wrongPrice(price, joined(at, kind));
    if (slip) return slip;
  }
  return null;
}

function wrongPrice(value: unknown, at: string): Slip | null {
  const strange = wrongFields(value, at, ["hourlyUsd", "source"]);
  if (strange) return strange;
  const { hourlyUsd, source } = value as Fields;
  if (typeof hourlyUsd !== "number" || !Number.isFinite(hourlyUsd) || hourlyUsd < 0)
    return { at: joined(at, "hourlyUsd"), problem: "must be a number of dollars, 0 or more" };
  if (typeof source !== "string" || source.trim() === "")
    return { at: joined(at, "source"), problem: "must say where the price comes from" };
  return null;
}

function joined(at: string, name: string): string {
  return at === "" ? name : `${at}.${name}`;
}
