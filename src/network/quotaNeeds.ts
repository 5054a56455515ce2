/**
 * What a network takes of AWS's quotas, and how a shortage is said. Names only; which number AWS allows and
 * what is used is told by the hands.
 */
import { brokerCount } from "../domain/kafka.ts";
import type { Condition, KafkaCluster, Layout } from "../domain/model.ts";

/** Our names of the quotas that a whole network needs; a zone's stands behind the slash. */
export function quotaNeeds(
  { zoneIds }: Pick<Layout, "zoneIds">,
  cluster: KafkaCluster | null,
): ReadonlyMap<string, number> {
  return new Map([
    ...(cluster ? [["kafkaBrokers", brokerCount(cluster)] as const] : []),
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

/** How much is missing of which quota, and where to raise it. */
export function shortageText(
  short: Shortage,
  others: string,
): { readonly message: string; readonly hint: string } {
  const { title, code, link, needed, limit, used, reserved, missing } = short;
  const taken =
    reserved > 0 ? `${used} are used and ${reserved} reserved for other ${others}` : `${used} are used`;
  return {
    message: `AWS's quota "${title}" (${code}) is short by ${missing}: ${needed} needed, ${limit} allowed, ${taken}`,
    hint: `Raise it to at least ${limit + missing}: ${link} . It is looked at again by itself.`,
  };
}

/** What a user reads about a quota that holds a whole network up. */
export function shortageCondition(short: Shortage): Condition {
  const { message, hint } = shortageText(short, "datasets");
  return {
    resource: `quota/${short.quota}`,
    id: short.code,
    state: "blocked",
    actor: "operator",
    message: `${message}. Nothing was created`,
    hint,
    since: 0,
    usualSeconds: null,
  };
}

/** Reading quotas is tried again quietly for so long; then somebody has to look. Milliseconds. */
const UNREAD_LATE_MS = 600_000;

export interface Unread {
  /** Why they cannot be read. */
  readonly why: string;
  /** What was said of it in the pass before. */
  readonly before: Condition | undefined;
  readonly now: number;
}

/** Nothing is begun without knowing the quotas: it might end half-way, with things that cost money. */
export function unreadCondition({ why, before, now }: Unread): Condition {
  const since = before?.since ?? now;
  const late = now - since >= UNREAD_LATE_MS;
  const minutes = Math.floor((now - since) / 60_000);
  return {
    resource: "quota",
    id: null,
    state: late ? "blocked" : "waiting",
    actor: late ? "operator" : "aws",
    message: `AWS's quotas cannot be read${late ? ` for ${minutes} min now` : ""}, so nothing was created yet: ${why}`,
    hint: late
      ? "See whether Service Quotas and EC2 work in this region: https://health.aws.amazon.com/health/status . " +
        "What was created before is not touched. It is tried again by itself."
      : "Nothing to do: it is tried again by itself.",
    since,
    usualSeconds: null,
  };
}
