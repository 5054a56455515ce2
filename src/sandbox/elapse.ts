/**
 * What time alone has brought, made true in the caller's rows before a request reads them: a deleted NAT
 * gateway's interface and address become free, a terminated instance's interfaces go, a pending peering whose
 * VPCs came to overlap fails, and what is visible no more is forgotten. Nothing runs in the background, so the
 * server calls `elapse` first in every request; called twice it changes nothing the second time.
 */
import { freeAddressOn } from "./addresses.ts";
import { peeringsOf } from "./find.ts";
import { instanceState } from "./instanceStates.ts";
import { detached, removeInterface } from "./interfaceRows.ts";
import { natGatewayFreedAt } from "./natGateways.ts";
import { cannotPeer, FAILURE, isForgotten, peeringState } from "./peeringStates.ts";
import type { InstanceRow, InterfaceRow } from "./rows.ts";
import type { Call } from "./world.ts";

/** Brings the caller's rows to `call.now`. The changes are part of the request's own, kept or undone with it. */
export function elapse(call: Call): void {
  natGateways(call);
  instances(call);
  peerings(call);
  endpoints(call);
}

function natGateways(call: Call): void {
  const { tables, now, settings } = call;
  for (const row of tables.natGateways.list(call)) {
    const freedAt = natGatewayFreedAt(row);
    if (freedAt === undefined || freedAt > now) continue;
    removeInterface(call, row.interfaceId);
    if (now >= freedAt + settings.natVisibleMs) tables.natGateways.delete(row.id);
  }
}

function instances(call: Call): void {
  const { tables, now, settings } = call;
  for (const row of tables.instances.list(call)) {
    if (row.terminatedAt === undefined || instanceState(row, now) !== "terminated") continue;
    for (const id of row.interfaceIds) letGo(call, tables.interfaces.get(id), row);
    if (now >= row.terminatedAt + settings.instanceVisibleMs) tables.instances.delete(row.id);
  }
}

/** An interface goes with its instance unless it was attached to stay. */
function letGo(call: Call, row: InterfaceRow | undefined, instance: InstanceRow): void {
  if (row?.attachment?.instanceId !== instance.id) return;
  if (row.attachment.deleteOnTermination) removeInterface(call, row.id);
  else {
    freeAddressOn(call, row);
    const { autoPublicIp: _, ...rest } = detached(row);
    call.tables.interfaces.put(rest);
  }
}

/**
 * A block added to the accepter's VPC that overlaps the requester's makes a pending request fail.
 * https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
 */
function peerings(call: Call): void {
  const { tables, now } = call;
  for (const row of peeringsOf(call)) {
    const pending = peeringState(row, now) === "pending-acceptance";
    if (pending && cannotPeer(call, row.requester, row.accepter))
      tables.peerings.put({ ...row, failsAt: now, failureMessage: FAILURE });
    if (isForgotten(call, row)) tables.peerings.delete(row.id);
  }
}

function endpoints(call: Call): void {
  const { tables, now } = call;
  for (const row of tables.endpoints.list(call))
    if (row.deletedAt !== undefined && row.deletedAt <= now) tables.endpoints.delete(row.id);
}
