/**
 * Where a peering stands, read from its row's moments. Promises the states and the visible times of
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-lifecycle
 *
 *   initiating-request ──▶ pending-acceptance ──accept──▶ provisioning ──▶ active
 *          │                 │      │      │                                 │ delete
 *          ▼                 ▼      ▼      ▼                                 ▼
 *        failed ◀──overlap───┘  rejected  expired (7 days)      deleting (between regions) ──▶ deleted
 */
import { type Cidr, overlaps } from "../domain/cidr.ts";
import { AwsError } from "./errors.ts";
import { isSide, notFound, peeringsOf, thePeering } from "./find.ts";
import type { PeeringRow, PeeringSide, VpcRow } from "./rows.ts";
import type { Call } from "./world.ts";

export type PeeringState =
  | "initiating-request"
  | "pending-acceptance"
  | "provisioning"
  | "active"
  | "deleting"
  | "deleted"
  | "rejected"
  | "failed"
  | "expired";

/** `now` is epoch milliseconds. What ended a peering wins over what it was before. */
export function peeringState(row: PeeringRow, now: number): PeeringState {
  const past = (moment: number | undefined) => moment !== undefined && moment <= now;
  if (past(row.deletedAt)) return "deleted";
  if (past(row.deleteAskedAt)) return "deleting";
  if (past(row.rejectedAt)) return "rejected";
  if (past(row.acceptedAt)) return past(row.activeAt) ? "active" : "provisioning";
  if (past(row.failsAt)) return "failed";
  if (past(row.expiresAt)) return "expired";
  return past(row.pendingAt) ? "pending-acceptance" : "initiating-request";
}

const LIVE: readonly PeeringState[] = ["initiating-request", "pending-acceptance", "provisioning", "active"];

/** True until it was ended: a pair of VPCs has one such connection in one direction. */
export function isLive(row: PeeringRow, now: number): boolean {
  return LIVE.includes(peeringState(row, now));
}

/** The VPC's active peerings, of either side; any caller's, as a route or a rule may lead to them. */
export function activePeeringsOf(call: Pick<Call, "tables" | "now">, vpcId: string): PeeringRow[] {
  const all = call.tables.peerings.all();
  return all.filter((row) => hasVpc(row, vpcId) && peeringState(row, call.now) === "active");
}

export function hasVpc(row: PeeringRow, vpcId: string): boolean {
  return row.requester.vpcId === vpcId || row.accepter.vpcId === vpcId;
}

/** The other VPC of the peering. */
export function otherSide(row: PeeringRow, vpcId: string): PeeringSide {
  return row.requester.vpcId === vpcId ? row.accepter : row.requester;
}

/** The peering if the caller can still see it, else InvalidVpcPeeringConnectionID.NotFound. */
export function theVisiblePeering(call: Call, id: string | undefined): PeeringRow {
  const row = thePeering(call, id);
  if (!isVisible(call, row)) throw notFound("pcx", [row.id]);
  return row;
}

export function visiblePeerings(call: Call): PeeringRow[] {
  return peeringsOf(call).filter((row) => isVisible(call, row));
}

function isVisible(call: Call, row: PeeringRow): boolean {
  const accepter = isSide(call, row.accepter);
  // An accepter never hears of a request before it has reached it, nor of one that failed.
  if (!isSide(call, row.requester) && accepter) {
    const state = peeringState(row, call.now);
    if (state === "initiating-request" || state === "failed") return false;
  }
  return call.now < visibleUntil(call, row);
}

/** When the caller stops seeing it; Infinity while it lives. */
function visibleUntil(call: Pick<Call, "account" | "now" | "settings">, row: PeeringRow): number {
  const { peeringVisibleToEnderMs: short, peeringVisibleToOtherMs: long } = call.settings;
  const oneAccount = row.requester.account === row.accepter.account;
  const forEnder = oneAccount || row.endedBy === call.account ? short : long;
  const state = peeringState(row, call.now);
  if (state === "deleted") return (row.deletedAt ?? 0) + forEnder;
  if (state === "rejected") return (row.rejectedAt ?? 0) + forEnder;
  if (state === "failed") return (row.failsAt ?? 0) + short;
  if (state === "expired") return row.expiresAt + long;
  return Number.POSITIVE_INFINITY;
}

/** True when neither side can see it any more. */
export function isForgotten(call: Pick<Call, "now" | "settings">, row: PeeringRow): boolean {
  return [row.requester.account, row.accepter.account].every(
    (account) => call.now >= visibleUntil({ ...call, account }, row),
  );
}

/** All IPv4 blocks of a VPC, the primary first; none when it does not exist. */
export function blocksOf(vpc: VpcRow | undefined): Cidr[] {
  return vpc ? [vpc.cidr, ...vpc.secondary.map((one) => one.cidr)] : [];
}

/** AWS's one sentence for every peering that failed. */
export const FAILURE = "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range";

/** True when the two VPCs cannot be peered: one is not where it is said to be, or blocks overlap. */
export function cannotPeer(
  call: Pick<Call, "tables">,
  requester: PeeringSide,
  accepter: PeeringSide,
): boolean {
  const [a, b] = [requester, accepter].map((side) => call.tables.vpcs.own(side, side.vpcId));
  if (!a || !b) return true;
  return blocksOf(a).some((mine) => blocksOf(b).some((theirs) => overlaps(mine, theirs)));
}

/** The row once `account` has deleted it; between regions it is `deleting` first. */
export function endedPeering(call: Call, row: PeeringRow): PeeringRow {
  const between = row.requester.region !== row.accepter.region;
  const deletedAt = call.now + (between ? call.settings.peeringDeletingMs : 0);
  return { ...row, deleteAskedAt: call.now, deletedAt, endedBy: call.account };
}

export function invalidTransition(row: PeeringRow, now: number, wanted: PeeringState): AwsError {
  return new AwsError(
    "InvalidStateTransition",
    `Invalid state transition for ${row.id}, attempted to transition from ${peeringState(row, now)} to ${wanted}`,
  );
}
