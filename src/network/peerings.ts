/**
 * Which peering requests we accept, and which blocks of the other side we route. Pure. Promises that no route
 * is ever wished for a block that is public, lies over our network, or is another peer's already. A refusal is
 * a value that says which block collides with what, and what the customer can do.
 */
import { type Cidr, isPrivate, overlaps } from "../domain/cidr.ts";
import type { Network, PeeringWish } from "../domain/model.ts";
import type { SeenPeering, World } from "../domain/world.ts";

export interface PeeringQuestion {
  readonly vpcCidr: Cidr;
  /** The dataset's `customerAccountForAccess`. */
  readonly customerAccount: string;
  readonly peering: SeenPeering;
  /** Accepted peers of the same network, with their blocks. */
  readonly others: readonly SeenPeering[];
  /** Epoch milliseconds. */
  readonly now: number;
}

export type PeeringJudgement =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: "forbidden" | "conflict" | "invalid";
      readonly message: string;
      readonly hint: string;
    };

type Refusal = Exclude<PeeringJudgement, { ok: true }>;

/**
 * Whether the request may be accepted now. Blocks that are still hidden pass: they are judged again by
 * `judgeBlocks` once the connection is active.
 */
export function judgePeering(question: PeeringQuestion): PeeringJudgement {
  return wrongOwner(question) ?? wrongState(question) ?? wrongBlock(question) ?? { ok: true };
}

/**
 * An unknown account must never be accepted, whatever the state of its request:
 * https://docs.aws.amazon.com/vpc/latest/peering/accept-vpc-peering-connection.html
 */
function wrongOwner({ peering, customerAccount }: PeeringQuestion): Refusal | null {
  if (peering.requesterAccount === customerAccount) return null;
  return {
    ok: false,
    code: "forbidden",
    message:
      `${peering.id} was requested by account ${peering.requesterAccount}, and only ${customerAccount}, ` +
      "the dataset's customerAccountForAccess, may peer with it",
    hint: `Request the connection from a VPC of account ${customerAccount}.`,
  };
}

type StateText = (peering: SeenPeering) => { readonly message: string; readonly hint: string };

const REQUEST_AGAIN = "Request a new connection with create-vpc-peering-connection, then accept that one.";

/** The states: https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-lifecycle */
const STATE_TEXT: Readonly<Record<Exclude<SeenPeering["state"], "pending-acceptance">, StateText>> = {
  "initiating-request": ({ id }) => ({
    message: `${id} is still being requested (initiating-request)`,
    hint: "It waits for acceptance within seconds: try again then.",
  }),
  provisioning: ({ id }) => ({
    message: `${id} is accepted already and becomes active (provisioning)`,
    hint: "Nothing is to be done: list the connections to see it become active.",
  }),
  active: ({ id }) => ({
    message: `${id} is active already`,
    hint: "Nothing is to be accepted. If traffic does not pass, look at the routes and groups of your side.",
  }),
  rejected: ({ id }) => ({
    message: `${id} was rejected and cannot be accepted any more`,
    hint: REQUEST_AGAIN,
  }),
  failed: ({ id, stateMessage }) => ({
    message: `${id} has failed${because(stateMessage)}`,
    hint: `A failed request cannot be accepted; overlapping blocks are the usual cause. ${REQUEST_AGAIN}`,
  }),
  expired: ({ id, expiresAt }) => ({
    message: `${id} expired${expiresAt === null ? "" : ` at ${iso(expiresAt)}`}: a request waits 7 days`,
    hint: REQUEST_AGAIN,
  }),
  deleting: ({ id, stateMessage }) => ({
    message: `${id} is being deleted${because(stateMessage)}`,
    hint: REQUEST_AGAIN,
  }),
  deleted: ({ id, stateMessage }) => ({
    message: `${id} was deleted${because(stateMessage)}`,
    hint: REQUEST_AGAIN,
  }),
};

function wrongState({ peering, now }: PeeringQuestion): Refusal | null {
  const { state, expiresAt } = peering;
  if (state !== "pending-acceptance") return { ok: false, code: "conflict", ...STATE_TEXT[state](peering) };
  // The state may lag behind the expiration time; accepting after it fails.
  if (expiresAt !== null && expiresAt <= now)
    return { ok: false, code: "conflict", ...STATE_TEXT.expired(peering) };
  return null;
}

function because(stateMessage: string): string {
  return stateMessage === "" ? "" : `: ${stateMessage}`;
}

function iso(moment: number): string {
  return new Date(moment).toISOString();
}

export interface BlocksQuestion {
  readonly vpcCidr: Cidr;
  readonly peering: SeenPeering;
  /**
   * Accepted peers, each with the blocks that are routed to it: with all that it shows, two peers that show
   * the same block would take it from each other. `settleBlocks` sees to that for all peers at once.
   */
  readonly others: readonly SeenPeering[];
}

export interface BadBlock {
  readonly cidr: Cidr;
  readonly why: string;
  readonly hint: string;
}

export interface BlocksJudgement {
  /** To be routed. */
  readonly clean: readonly Cidr[];
  readonly bad: readonly BadBlock[];
}

/** Splits the requester's blocks into those that may be routed and those that may not, in the order given. */
export function judgeBlocks(question: BlocksQuestion): BlocksJudgement {
  const bad = question.peering.requesterCidrs.flatMap((block) => blockTrouble(block, question) ?? []);
  const refused = new Set(bad.map((trouble) => trouble.cidr));
  return { clean: question.peering.requesterCidrs.filter((block) => !refused.has(block)), bad };
}

function wrongBlock(question: PeeringQuestion): Refusal | null {
  const { bad } = judgeBlocks(question);
  const [first] = bad;
  if (!first) return null;
  const overlapping = bad.some((trouble) => isPrivate(trouble.cidr));
  return {
    ok: false,
    code: overlapping ? "conflict" : "invalid",
    message: `${question.peering.id} is refused: ${bad.map((trouble) => trouble.why).join("; ")}`,
    hint: [...new Set(bad.map((trouble) => trouble.hint))].join(" "),
  };
}

/**
 * Overlap with our network forbids a peering, used or not:
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-limitations
 * Two peers may overlap each other, but a route table can lead one block to one of them only:
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html
 * A route to a public block would take our own way to that part of the internet.
 */
function blockTrouble(block: Cidr, { vpcCidr, peering, others }: BlocksQuestion): BadBlock | null {
  const theirs = `${block} of ${peering.requesterVpcId}`;
  if (!isPrivate(block))
    return {
      cidr: block,
      why: `${theirs} is public address space`,
      hint: "Peer a VPC whose blocks all lie in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10.",
    };
  if (overlaps(block, vpcCidr))
    return {
      cidr: block,
      why: `${theirs} overlaps ${vpcCidr}, the dataset's own range`,
      hint: "Peer another VPC, or create a dataset with avoidCidrs or vpcCidrBlock set so that they keep apart.",
    };
  const holder = heldByOther(block, peering, others);
  if (!holder) return null;
  return {
    cidr: block,
    why: `${theirs} overlaps ${holder.block} of ${holder.other.requesterVpcId}, peered by ${holder.other.id}`,
    hint: `Peer a VPC with other blocks, or delete ${holder.other.id} first.`,
  };
}

function heldByOther(block: Cidr, peering: SeenPeering, others: readonly SeenPeering[]) {
  for (const other of others) {
    if (other.id === peering.id) continue;
    const held = other.requesterCidrs.find((taken) => overlaps(block, taken));
    if (held !== undefined) return { other, block: held };
  }
  return null;
}

export interface Peer {
  readonly peering: SeenPeering;
  /** Blocks of its that are routed to it now. */
  readonly routed: readonly Cidr[];
}

/**
 * Judges all active peers of one network together. Who has a block keeps it: what is routed already comes
 * first, so a block that one peer adds later never takes away another's; new blocks are judged in the order
 * of the peers given.
 */
export function settleBlocks(vpcCidr: Cidr, peers: readonly Peer[]): ReadonlyMap<string, BlocksJudgement> {
  const settled = new Map<string, readonly Cidr[]>(
    peers.map(({ peering, routed }) => [
      peering.id,
      peering.requesterCidrs.filter((block) => routed.includes(block)),
    ]),
  );
  const judgements = new Map<string, BlocksJudgement>();
  for (const { peering } of peers) {
    const others = peers
      .filter((peer) => peer.peering.id !== peering.id)
      .map((peer) => ({ ...peer.peering, requesterCidrs: settled.get(peer.peering.id) ?? [] }));
    const judgement = judgeBlocks({ vpcCidr, peering, others });
    judgements.set(peering.id, judgement);
    settled.set(peering.id, judgement.clean);
  }
  return judgements;
}

/** Established connections first, then as they were asked for. */
export function byAge(a: PeeringWish, b: PeeringWish): number {
  return (a.establishedAt ?? Infinity) - (b.establishedAt ?? Infinity) || a.askedAt - b.askedAt;
}

/** The active connections of a network: established ones are judged first, then the others as they were asked. */
export function judgeNetwork(network: Network, world: World): ReadonlyMap<string, BlocksJudgement> {
  const wanted = network.peerings
    .filter(({ want, endedAt }) => want === "active" && endedAt === null)
    .sort(byAge);
  const active = wanted.flatMap(({ connectionId }) =>
    world.peerings.filter(({ id, state }) => id === connectionId && state === "active"),
  );
  const routed = (id: string) =>
    world.routeTables.flatMap(({ routes }) =>
      routes.flatMap(({ destination, targetId }) => (targetId === id ? [destination as Cidr] : [])),
    );
  return settleBlocks(
    network.cidr,
    active.map((peering) => ({ peering, routed: routed(peering.id) })),
  );
}
