/**
 * One peering connection in the customer's words. Pure: from what AWS shows, what was wished and the condition
 * of the last pass to a status, the reason for it, whose move it is and the next command. Promises an answer
 * for every pair of them, also when AWS no longer shows the connection.
 */
import type { AnswerOf } from "../contract/operations.ts";
import type { Condition, PeeringWish } from "../domain/model.ts";
import type { SeenPeering } from "../domain/world.ts";
import {
  acceptCommand,
  type CommandPlace,
  deleteCommand,
  dropRouteCommand,
  type PeerOf,
  requestCommand,
  routeCommand,
} from "./commands.ts";
import { isoOrNull } from "./moments.ts";

export interface PeeringSight {
  readonly id: string;
  readonly seen: SeenPeering | null;
  readonly wish: PeeringWish | null;
  /** Of the resource `peering/<id>`. */
  readonly condition: Condition | null;
  /** The dataset's `customerAccountForAccess`. */
  readonly customerAccount: string;
  /** Our side; null while our VPC is not seen. */
  readonly peer: PeerOf | null;
  readonly place: CommandPlace;
  /** Epoch milliseconds. */
  readonly now: number;
}

type View = AnswerOf<"vpcPeeringConnections.accept">;
type Verdict = Pick<View, "status" | "statusReason" | "whoseMove" | "nextStep">;

export function peeringView(sight: PeeringSight): View {
  const { id, seen, peer, now } = sight;
  const open = seen?.state === "pending-acceptance" ? seen.expiresAt : null;
  return {
    vpcPeeringConnectionId: id,
    ...verdict(sight),
    awsStatus: seen?.state ?? "gone",
    requesterOwnerId: seen?.requesterAccount ?? null,
    requesterVpcId: seen?.requesterVpcId ?? null,
    requesterRegion: seen?.requesterRegion ?? null,
    requesterCidrBlocks: [...(seen?.requesterCidrs ?? [])],
    accepterVpcId: seen?.vpcId ?? peer?.vpcId ?? null,
    expirationTime: isoOrNull(open),
    expiresInSeconds: open === null ? null : Math.max(0, Math.floor((open - now) / 1000)),
  };
}

function verdict(sight: PeeringSight): Verdict {
  const { seen, wish } = sight;
  if (isOver(sight)) return ended(sight);
  if (wish?.want === "deleted" || seen?.state === "deleting") return deleting(sight);
  if (!wish || wish.endedAt !== null) return seen?.state === "active" ? stranger(sight) : pending(sight);
  return seen?.state === "active" ? connected(sight) : accepting(sight);
}

/** AWS's closing states: https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-lifecycle */
function isOver({ seen, wish }: PeeringSight): boolean {
  if (!seen) return wish?.endedAt != null;
  return ["deleted", "rejected", "expired", "failed"].includes(seen.state);
}

function pending(sight: PeeringSight): Verdict {
  const { id, seen, place, customerAccount } = sight;
  if (seen && seen.requesterAccount !== customerAccount) return foreign(sight, seen.requesterAccount);
  const initiating = seen?.state === "initiating-request";
  return {
    status: "PENDING",
    statusReason: initiating ? "AWS is still taking up the request" : "The request waits to be accepted",
    whoseMove: initiating ? "aws" : "customer",
    nextStep: acceptCommand(place, id),
    ...said(sight, "blocked"),
  };
}

/** Shown and never accepted: accepting it would be refused. */
function foreign({ id, place, customerAccount }: PeeringSight, requester: string): Verdict {
  return {
    status: "PENDING",
    statusReason:
      `Account ${requester} requests it, and only ${customerAccount}, the dataset's customerAccountForAccess, ` +
      "may peer: it is not accepted",
    whoseMove: "customer",
    nextStep: deleteCommand(place, id),
  };
}

/** Active at AWS past us, or again after it had ended here: it has no route and no rule of ours. */
function stranger(sight: PeeringSight): Verdict {
  return {
    status: "CONFIGURING",
    statusReason: "Active at AWS, but not accepted here: it gets no route and no rule",
    whoseMove: "operator",
    nextStep: deleteCommand(sight.place, sight.id),
    ...said(sight, "blocked"),
  };
}

function accepting(sight: PeeringSight): Verdict {
  const moving = sight.seen?.state === "provisioning";
  return {
    status: "ACCEPTING",
    statusReason: moving ? "Accepted; AWS is setting it up" : "Accepted here; AWS is told next",
    whoseMove: moving ? "aws" : "letsdata",
    nextStep: null,
    ...said(sight, "blocked", "waiting"),
  };
}

function connected(sight: PeeringSight): Verdict {
  const { condition, wish } = sight;
  if (condition?.state === "ready" && wish?.establishedAt !== null) return active(sight, condition);
  return {
    status: "CONFIGURING",
    statusReason: "Active at AWS; our routes and rules are being set",
    whoseMove: "letsdata",
    nextStep: null,
    ...said(sight, "blocked", "waiting"),
  };
}

/** Ready with a move of somebody's: a block of the customer's is not routed. */
function active({ id, seen, peer, place }: PeeringSight, condition: Condition): Verdict {
  const route =
    seen && peer
      ? routeCommand(place, { connectionId: id, region: seen.requesterRegion, cidrBlock: peer.cidrBlock })
      : null;
  const partly = condition.actor !== "letsdata";
  return {
    status: "ACTIVE",
    statusReason: `Our side is ready: ${condition.message}`,
    whoseMove: partly ? condition.actor : "nobody",
    nextStep: partly ? condition.hint : route,
  };
}

function deleting(sight: PeeringSight): Verdict {
  const { wish } = sight;
  const why = refusal(wish);
  return {
    status: "DELETING",
    statusReason: why === null ? "It is being taken away" : `It is refused and being taken away: ${why}`,
    whoseMove: sight.seen?.state === "deleting" ? "aws" : "letsdata",
    nextStep: null,
    ...said(sight, "blocked", ...(why === null ? (["deleting"] as const) : [])),
  };
}

const OVER = {
  expired: { status: "EXPIRED", reason: "It was not accepted in time: a request waits 7 days" },
  failed: { status: "FAILED", reason: "AWS could not set it up" },
  rejected: { status: "REJECTED", reason: "It was rejected" },
  deleted: { status: "DELETED", reason: "It was deleted" },
} as const;

function ended(sight: PeeringSight): Verdict {
  const { seen, wish } = sight;
  const again = { whoseMove: "customer", nextStep: requestAgain(sight) } as const;
  const why = refusal(wish);
  if (why !== null) return { status: "REFUSED", statusReason: why, ...again };
  const state = seen?.state;
  const closed = state === "expired" || state === "failed" || state === "rejected" ? state : "deleted";
  const { status, reason } = OVER[closed];
  const statusReason = whoEndedIt(sight) ?? [reason, seen?.stateMessage].filter(Boolean).join(": ");
  if (status === "EXPIRED" || status === "FAILED") return { status, statusReason, ...again };
  return { status, statusReason, whoseMove: "nobody", nextStep: routeLeftBehind(sight) };
}

/** Once it was established, the customer has a route to us that leads nowhere now. */
function routeLeftBehind({ wish, seen, peer, place }: PeeringSight): string | null {
  if (wish?.establishedAt == null || !peer) return null;
  return dropRouteCommand(place, {
    region: seen?.requesterRegion ?? "<your-region>",
    cidrBlock: peer.cidrBlock,
  });
}

/** Why we took a connection away that had been accepted; null when somebody asked for it. */
function refusal(wish: PeeringWish | null): string | null {
  return wish?.want === "deleted" ? wish.reason : null;
}

/** The reason of an ended wish may tell of the moment before the end: `is being deleted by …`. */
function whoEndedIt({ wish }: PeeringSight): string | null {
  if (wish?.want === "deleted") return "It was deleted on our side, as was asked here";
  if (/^\d{12}$/.test(wish?.endedBy ?? ""))
    return `It was deleted by the customer's side (account ${wish?.endedBy})`;
  return wish?.reason ? sentence(wish.reason) : null;
}

/** Reasons and conditions go on from the name of the connection: `is provisioning`. */
function sentence(text: string): string {
  return /^(is|was|has|expired|failed) ?\b/.test(text) ? `It ${text}` : text;
}

function requestAgain({ seen, peer, place }: PeeringSight): string | null {
  if (!peer) return null;
  const yours = {
    vpcId: seen?.requesterVpcId ?? "<your-vpc-id>",
    region: seen?.requesterRegion ?? "<your-region>",
  };
  return requestCommand(place, peer, yours);
}

/** What the last pass said, when it is of one of these kinds. */
function said({ condition }: PeeringSight, ...states: Condition["state"][]): Partial<Verdict> {
  if (!condition || !states.includes(condition.state)) return {};
  return {
    statusReason: sentence(condition.message),
    whoseMove: condition.actor,
    ...(condition.hint !== null && { nextStep: condition.hint }),
  };
}
