/**
 * What accepting a peering takes of AWS's quotas: one active connection of the VPC, and for each block that is to
 * be routed one rule in the peers' group and one route in each private table. Pure. Promises that what a peering
 * needs is told before it is accepted, again when AWS shows its blocks, and again when the customer adds some.
 */
import type { Network } from "../domain/model.ts";
import type { SeenPeering, World } from "../domain/world.ts";
import { type BlocksJudgement, byAge, judgeNetwork } from "./peerings.ts";
import { type Shortage, shortageText } from "./quotaNeeds.ts";

/** One quota that a peering takes of; `limit` names it as the hands do. */
export interface NeededLine {
  readonly limit: "activePeeringsPerVpc" | "rulesPerGroup" | "routesPerTable";
  /** Each VPC, group and table has its own. */
  readonly quota: string;
  readonly needed: number;
  readonly used: number;
  /** By connection id. */
  readonly usedBy: ReadonlyMap<string, number>;
}

export interface PeeringNeed {
  readonly connectionId: string;
  readonly lines: readonly NeededLine[];
}

/** Of each connection that is to be accepted, or whose blocks have not all their rules and routes yet. */
export function peeringNeeds(network: Network, world: World): readonly PeeringNeed[] {
  const blocks = judgeNetwork(network, world);
  const wanted = network.peerings.filter(({ want, endedAt }) => want === "active" && endedAt === null);
  return wanted.toSorted(byAge).flatMap(({ connectionId }) => {
    const seen = world.peerings.find(({ id }) => id === connectionId);
    const count = seen ? blocksWanted(seen, blocks.get(connectionId)) : 0;
    if (count === 0) return [];
    const lines = linesOf(network, world, count);
    const isThere = lines.every(({ needed, usedBy }) => (usedBy.get(connectionId) ?? 0) >= needed);
    return isThere ? [] : [{ connectionId, lines }];
  });
}

/** AWS may hide the blocks of a request: there is one at least. */
function blocksWanted(
  { state, requesterCidrs }: SeenPeering,
  judgement: BlocksJudgement | undefined,
): number {
  if (state === "pending-acceptance") return Math.max(1, requesterCidrs.length);
  return state === "active" ? (judgement?.clean.length ?? 0) : 0;
}

function linesOf(network: Network, world: World, count: number): readonly NeededLine[] {
  const tables = network.layout?.privateSubnets.map(({ index }) => `table/private/${index}`) ?? [];
  return [
    {
      limit: "activePeeringsPerVpc",
      quota: `activePeeringsPerVpc/${network.id}`,
      needed: 1,
      ...connections(world),
    },
    { limit: "rulesPerGroup", quota: `rulesPerGroup/${network.id}`, needed: count, ...rules(world) },
    ...tables.map((key) => ({
      limit: "routesPerTable" as const,
      quota: `routesPerTable/${network.id}/${key}`,
      needed: count,
      ...routes(world, key),
    })),
  ];
}

type Use = Pick<NeededLine, "used" | "usedBy">;

function connections({ peerings }: World): Use {
  const active = peerings.filter(({ state }) => state === "active" || state === "provisioning");
  return { used: active.length, usedBy: new Map(active.map(({ id }) => [id, 1])) };
}

function rules({ groups, peerings }: World): Use {
  const inbound =
    groups.find(({ key }) => key === "group/peers")?.rules.filter(({ egress }) => !egress) ?? [];
  const sources = new Set(inbound.map(({ source }) => source));
  const own = peerings.map(({ id, requesterCidrs }): [string, number] => [
    id,
    requesterCidrs.filter((block) => sources.has(block)).length,
  ]);
  return { used: inbound.length, usedBy: new Map(own) };
}

/**
 * Every private table has a way out and the S3 endpoint's prefix list, which weighs one route, be they there yet
 * or not: https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
 */
const OWN_ROUTES = 2;

function routes({ routeTables }: World, key: string): Use {
  const table = routeTables.find((one) => one.key === key);
  const made = (table?.routes ?? []).filter(({ destination }) => destination !== "0.0.0.0/0");
  const usedBy = new Map<string, number>();
  for (const { targetId } of made) usedBy.set(targetId, (usedBy.get(targetId) ?? 0) + 1);
  return { used: made.length + OWN_ROUTES, usedBy };
}

/** Why a peering gets nothing more of ours for now. */
export interface Hold {
  readonly state: "blocked" | "waiting";
  readonly actor: "operator" | "aws";
  readonly message: string;
  readonly hint: string;
}

/** Of a quota that several tables are short of, the worst is told. */
export function shortageHold(short: readonly Shortage[]): Hold {
  const worst = [...Map.groupBy(short, ({ code }) => code).values()].flatMap(
    (same) => same.toSorted((a, b) => b.missing - a.missing)[0] ?? [],
  );
  const texts = worst.map((one) => shortageText(one, "peerings"));
  return {
    state: "blocked",
    actor: "operator",
    message: texts.map(({ message }) => message).join("; "),
    hint: texts.map(({ hint }) => hint).join(" "),
  };
}

export function unreadHold(why: string): Hold {
  return {
    state: "waiting",
    actor: "aws",
    message: `AWS's quotas cannot be read: ${why}`,
    hint: "Nothing to do: it is tried again by itself.",
  };
}
