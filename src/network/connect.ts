/**
 * The moves that bring peering connections to what was wished, and what became of them. The order is AWS's
 * traps turned round: accept, check all blocks once active, DNS option, rules, routes; and back: routes,
 * rules, connection. Whatever the customer's side does meanwhile is found here and said.
 *
 *   wish active:   pending ─judge─▶ accept ─▶ active ─judge blocks─▶ DNS ─▶ rules ─▶ routes ─▶ established
 *                     └── refused (want becomes deleted, with the reason) ◀──┘
 *   wish deleted:  routes ─▶ rules ─▶ connection ─▶ ended        pending ─▶ reject ─▶ ended
 */
import type { Cidr } from "../domain/cidr.ts";
import type { Network, PeeringWish } from "../domain/model.ts";
import type { PeeringState, SeenPeering } from "../domain/world.ts";
import type { Peer } from "./desired.ts";
import type { Hold } from "./peeringQuotas.ts";
import { type BadBlock, type BlocksJudgement, judgeNetwork, judgePeering } from "./peerings.ts";
import type { Draft, Sight } from "./sight.ts";

/** What the pass found out about a wish; the reconciler writes it down. */
export type Verdict = { readonly wish: PeeringWish } & (
  | { readonly is: "refused"; readonly reason: string }
  | { readonly is: "established" }
  | { readonly is: "ended"; readonly by: string; readonly reason: string }
);

export interface ConnectInput {
  readonly network: Network;
  readonly sight: Sight;
  readonly draft: Draft;
  readonly verdicts: Verdict[];
  /** Connections that AWS's quotas hold up, by id. */
  readonly holds: ReadonlyMap<string, Hold>;
}

/** How long AWS may hide a peering connection that we were told of, milliseconds. */
const APPEARS_WITHIN_MS = 60_000;

const OVER: readonly PeeringState[] = ["deleted", "deleting", "rejected", "expired", "failed"];

/** Makes the moves and answers the peers whose blocks may get rules and routes. */
export function connect(input: ConnectInput): readonly Peer[] {
  const open = input.network.peerings.filter((wish) => wish.endedAt === null);
  const blocks = judgeNetwork(input.network, input.sight.world);
  const peers = open.flatMap((wish) => {
    const seen = input.sight.world.peerings.find(({ id }) => id === wish.connectionId);
    if (!seen) return gone(input, wish);
    if (wish.want === "deleted") return disconnect(input, wish, seen);
    if (OVER.includes(seen.state)) return endedByOthers(input, wish, seen);
    const judgement = blocks.get(seen.id);
    return judgement ? configure(input, { wish, seen, judgement }) : bringUp(input, wish, seen);
  });
  tellStrangers(input);
  return peers;
}

/** Connections accepted past us: they get no route of ours, and somebody should know. */
function tellStrangers({ network, sight, draft }: ConnectInput): void {
  const known = new Set(network.peerings.map(({ connectionId }) => connectionId));
  for (const { id, state, requesterAccount } of sight.world.peerings)
    if (state === "active" && !known.has(id))
      draft.blocked({
        resource: `peering/${id}`,
        id,
        actor: "operator",
        message: `is active with account ${requesterAccount}, and nobody accepted it here: it gets no route and no rule`,
        hint: "Delete it with: letsdata vpcs vpcPeeringConnections delete, then let the customer request again.",
      });
}

function gone({ network, sight, draft, verdicts }: ConnectInput, wish: PeeringWish): Peer[] {
  const resource = { resource: `peering/${wish.connectionId}`, id: wish.connectionId };
  if (wish.want === "deleted") {
    verdicts.push({ wish, is: "ended", by: "letsdata", reason: wish.reason ?? "was deleted as asked" });
  } else if (wish.establishedAt === null && sight.now - wish.askedAt < APPEARS_WITHIN_MS) {
    draft.waiting({ ...resource, message: "AWS does not show it yet" });
  } else {
    const reason = "is no longer shown by AWS: the customer's side deleted it";
    verdicts.push({ wish, is: "ended", by: network.customerAccount, reason });
  }
  return [];
}

function endedByOthers({ draft, verdicts }: ConnectInput, wish: PeeringWish, seen: SeenPeering): Peer[] {
  const { state, stateMessage, requesterAccount } = seen;
  const reasons: Partial<Record<PeeringState, { by: string; reason: string }>> = {
    deleted: {
      by: requesterAccount,
      reason: `was deleted by the customer's side (account ${requesterAccount})`,
    },
    deleting: {
      by: requesterAccount,
      reason: `is being deleted by the customer's side (account ${requesterAccount})`,
    },
    rejected: { by: "operator", reason: "was rejected on our side, outside of letsdata" },
    expired: { by: "aws", reason: "expired: a request lives for 7 days" },
    failed: { by: "aws", reason: `failed at AWS: ${stateMessage}` },
  };
  const { by, reason } = reasons[state] ?? { by: "aws", reason: `is ${state}` };
  verdicts.push({ wish, is: "ended", by, reason });
  draft.deleting({ resource: `peering/${seen.id}`, id: seen.id, message: reason });
  return [];
}

function bringUp(input: ConnectInput, wish: PeeringWish, seen: SeenPeering): Peer[] {
  const { network, sight, draft } = input;
  const resource = { resource: `peering/${seen.id}`, id: seen.id };
  if (seen.state !== "pending-acceptance") {
    draft.waiting({ ...resource, message: `is ${seen.state}`, usualSeconds: 5 });
    return [];
  }
  const verdict = judgePeering({
    vpcCidr: network.cidr,
    customerAccount: network.customerAccount,
    peering: seen,
    others: others(input, seen.id),
    now: sight.now,
  });
  if (!verdict.ok) return refuse(input, wish, verdict.message);
  const hold = input.holds.get(seen.id);
  if (hold) {
    const { state, message, ...told } = hold;
    draft[state]({ ...resource, ...told, message: `is not accepted yet: ${message}` });
    return [];
  }
  draft.move({ do: "acceptPeering", key: `peering/${seen.id}`, peeringId: seen.id });
  draft.waiting({ ...resource, message: "is being accepted", actor: "letsdata", usualSeconds: 5 });
  return [];
}

function refuse({ draft, verdicts }: ConnectInput, wish: PeeringWish, reason: string): Peer[] {
  verdicts.push({ wish, is: "refused", reason });
  draft.deleting({ resource: `peering/${wish.connectionId}`, id: wish.connectionId, message: reason });
  return [];
}

/** The other accepted connections of this VPC, as AWS shows them. */
export function others(
  { network, sight }: Pick<ConnectInput, "network" | "sight">,
  id: string,
): SeenPeering[] {
  const wanted = new Set(
    network.peerings
      .filter((wish) => wish.want === "active" && wish.endedAt === null && wish.connectionId !== id)
      .map(({ connectionId }) => connectionId),
  );
  return sight.world.peerings.filter((peering) => wanted.has(peering.id) && !OVER.includes(peering.state));
}

interface Active {
  readonly wish: PeeringWish;
  readonly seen: SeenPeering;
  readonly judgement: BlocksJudgement;
}

function configure(input: ConnectInput, { wish, seen, judgement }: Active): Peer[] {
  const { sight, draft, verdicts } = input;
  const { clean, bad } = withinQuotas(input, seen, judgement);
  const resource = { resource: `peering/${seen.id}`, id: seen.id };
  if (seen.requesterCidrs.length === 0) {
    draft.waiting({ ...resource, message: "is active; AWS does not show its blocks yet", usualSeconds: 5 });
    return [];
  }
  const [first] = bad;
  if (first && wish.establishedAt === null) return refuse(input, wish, first.why);
  allowDns(draft, seen);
  const ruled = hasRules(sight, clean);
  if (ruled && hasRoutes(input, seen.id, clean)) {
    if (wish.establishedAt === null) verdicts.push({ wish, is: "established" });
    draft.ready({
      ...resource,
      actor: !first ? "letsdata" : input.holds.has(seen.id) ? "operator" : "customer",
      message: [`routes ${clean.join(", ")}`, ...bad.map(({ why }) => `not routed: ${why}`)].join("; "),
      hint: first?.hint ?? null,
    });
  } else
    draft.waiting({ ...resource, message: "is active; rules and routes are being set", actor: "letsdata" });
  return [{ connectionId: seen.id, cidrs: clean, routed: wish.establishedAt !== null || ruled }];
}

/** Where a quota is short, only what is routed already stays: there is no room for more. */
function withinQuotas(
  { sight, holds }: ConnectInput,
  { id, requesterVpcId }: SeenPeering,
  { clean, bad }: BlocksJudgement,
): BlocksJudgement {
  const hold = holds.get(id);
  if (hold?.state !== "blocked") return { clean, bad };
  const routed = new Set(
    sight.world.routeTables.flatMap(({ routes }) =>
      routes.flatMap(({ destination, targetId }) => (targetId === id ? [destination] : [])),
    ),
  );
  const tooMany = clean
    .filter((block) => !routed.has(block))
    .map(
      (cidr): BadBlock => ({ cidr, why: `${cidr} of ${requesterVpcId}: ${hold.message}`, hint: hold.hint }),
    );
  return { clean: clean.filter((block) => routed.has(block)), bad: [...tooMany, ...bad] };
}

/**
 * Our side's option lets them resolve our public names to private addresses. AWS refuses it until the
 * customer's VPC has DNS hostnames and support too, so it is tried again and again and holds nothing up:
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-dns.html
 */
function allowDns(draft: Draft, { id, dnsFromRemote, requesterVpcId, requesterRegion }: SeenPeering): void {
  if (dnsFromRemote) return;
  const key = `peering/${id}/dns`;
  draft.tryMove({ do: "allowPeeringDns", key, peeringId: id });
  draft.waiting({
    resource: key,
    id,
    actor: "customer",
    message: `private DNS answers for ${requesterVpcId} are off: AWS allows them once that VPC has DNS hostnames and DNS support`,
    hint: `If you need them: aws ec2 modify-vpc-attribute --region ${requesterRegion} --vpc-id ${requesterVpcId} --enable-dns-hostnames`,
  });
}

function hasRules(sight: Sight, cidrs: readonly Cidr[]): boolean {
  const sources = new Set(peerRules(sight));
  return cidrs.every((block) => sources.has(block));
}

function peerRules(sight: Sight): string[] {
  const group = sight.look(sight.world.groups, "group/peers");
  return group.is === "seen" ? group.thing.rules.map(({ source }) => source) : [];
}

function hasRoutes({ network, sight }: ConnectInput, connectionId: string, cidrs: readonly Cidr[]): boolean {
  const tables = sight.world.routeTables.filter(({ key }) => key.startsWith("table/private/"));
  if (tables.length < (network.layout?.privateSubnets.length ?? 0)) return false;
  return tables.every((table) =>
    cidrs.every((block) =>
      table.routes.some(({ destination, targetId }) => destination === block && targetId === connectionId),
    ),
  );
}

function disconnect(input: ConnectInput, wish: PeeringWish, seen: SeenPeering): Peer[] {
  const { sight, draft, verdicts } = input;
  const key = `peering/${seen.id}`;
  const reason = wish.reason ?? "was deleted as asked";
  if (
    seen.state === "deleted" ||
    seen.state === "rejected" ||
    seen.state === "expired" ||
    seen.state === "failed"
  ) {
    verdicts.push({ wish, is: "ended", by: "letsdata", reason });
  } else if (seen.state === "pending-acceptance") {
    draft.move({ do: "rejectPeering", key, peeringId: seen.id });
    draft.deleting({ resource: key, id: seen.id, message: "is being rejected" });
  } else if (seen.state === "deleting" || seen.state === "initiating-request") {
    draft.deleting({ resource: key, id: seen.id, message: `is ${seen.state}`, actor: "aws" });
  } else if (isUsed(sight, seen)) {
    draft.deleting({
      resource: key,
      id: seen.id,
      message: "routes go first, then rules, then the connection",
    });
  } else {
    draft.move({ do: "deletePeering", key, peeringId: seen.id });
    draft.deleting({ resource: key, id: seen.id, message: "is being deleted" });
  }
  return [];
}

function isUsed(sight: Sight, { id, requesterCidrs }: SeenPeering): boolean {
  const routed = sight.world.routeTables.some(({ routes }) => routes.some(({ targetId }) => targetId === id));
  return routed || peerRules(sight).some((source) => requesterCidrs.some((block) => block === source));
}
