/**
 * What a network takes of AWS's quotas, and how a shortage is said. Names only; which number AWS allows and
 * what is used is told by the hands.
 */
import type { Condition, Layout } from "../domain/model.ts";

/** Our names of the quotas that a whole network needs; a zone's stands behind the slash. */
export function quotaNeeds({ zoneIds }: Pick<Layout, "zoneIds">): ReadonlyMap<string, number> {
  return new Map([
    ["vpcs", 1],
    ["internetGateways", 1],
    ["elasticIps", zoneIds.length],
    ["gatewayEndpoints", 1],
    ...zoneIds.map((zone) => [`natGatewaysPerZone/${zone}`, 1] as const),
  ]);
}

/** A quota that is too small for what is wanted. */
export interface Shortage {
  readonly quota: string;
  /** AWS's name of it, its code and where to raise it. */
  readonly title: string;
  readonly code: string;
  readonly link: string;
  readonly needed: number;
  readonly limit: number;
  readonly used: number;
  readonly reserved: number;
  readonly missing: number;
}

/** What a user reads about a shortage: how much is missing, which quota it is, where to raise it. */
export function shortageCondition(short: Shortage): Condition {
  const { quota, title, code, link, needed, limit, used, reserved, missing } = short;
  const taken =
    reserved > 0 ? `${used} are used and ${reserved} reserved for other datasets` : `${used} are used`;
  return {
    resource: `quota/${quota}`,
    id: code,
    state: "blocked",
    actor: "operator",
    message: `AWS's quota "${title}" (${code}) is short by ${missing}: ${needed} needed, ${limit} allowed, ${taken}. Nothing was created`,
    hint: `Raise it to at least ${limit + missing}: ${link} . It is looked at again by itself.`,
    since: 0,
    usualSeconds: null,
  };
}
