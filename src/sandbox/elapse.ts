/**
 * What time alone has brought, made true in the caller's rows before a request reads them: a deleted NAT
 * gateway's interface and address become free, a terminated instance's interfaces go, a pending peering whose
 * VPCs came to overlap fails, what a service left in a subnet goes, and what is visible no more is forgotten.
 * Nothing runs in the background, so the server calls `elapse` first in every request; called twice it changes
 * nothing the second time.
 */
import { addressOn, freeAddressOn } from "./addresses.ts";
import { peeringsOf } from "./find.ts";
import { instanceState } from "./instanceStates.ts";
import { detached, removeInterface } from "./interfaceRows.ts";
import { elapseClusters } from "./kafkaClusters.ts";
import { elapseTopics } from "./kafkaTopics.ts";
import { elapseFunctions } from "./lambdaInterfaces.ts";
import { natGatewayFreedAt } from "./natGateways.ts";
import { cannotPeer, FAILURE, isForgotten, peeringState } from "./peeringStates.ts";
import type { InstanceRow, InterfaceRow, NatGatewayRow } from "./rows.ts";
import type { Call } from "./world.ts";

/** Brings the caller's rows to `call.now`. The changes are part of the request's own, kept or undone with it. */
export function elapse(call: Call): void {
  natGateways(call);
  instances(call);
  peerings(call);
  endpoints(call);
  elapseClusters(call);
  elapseTopics(call);
  elapseFunctions(call);
  servicesInterfaces(call);
}

function natGateways(call: Call): void {
  const { tables, now, settings } = call;
  for (const row of tables.natGateways.list(call)) {
    const freedAt = natGatewayFreedAt(row);
    if (freedAt === undefined || freedAt > now) continue;
    holdAddress(call, row, freedAt);
    if (row.interfaceId) removeInterface(call, row.interfaceId);
    if (now >= freedAt + settings.natVisibleMs) tables.natGateways.delete(row.id);
  }
}

/** For a while the address of a deleted gateway is free, yet not to be released. */
function holdAddress(call: Call, nat: NatGatewayRow, freedAt: number): void {
  const on = call.tables.interfaces.get(nat.interfaceId ?? "");
  const address = on && addressOn(call, on);
  const heldUntil = freedAt + call.settings.eipReleaseLagMs;
  if (address && heldUntil > call.now) call.tables.addresses.put({ ...address, heldUntil });
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

/**
 * What a service left in a subnet is detached after a while, and gone after another. AWS Lambda's interfaces
 * become ordinary ones when they are detached, and their owner may delete them.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
 */
function servicesInterfaces(call: Call): void {
  const { tables, now } = call;
  for (const row of tables.interfaces.list(call)) {
    if (row.releasedAt !== undefined && row.releasedAt <= now) removeInterface(call, row.id);
    else if (row.attachment && row.availableAt !== undefined && row.availableAt <= now)
      tables.interfaces.put(leftBehind(row));
  }
}

function leftBehind(row: InterfaceRow): InterfaceRow {
  const { availableAt: _, ...rest } = detached(row);
  if (row.interfaceType !== "lambda") return rest;
  return { ...rest, interfaceType: "interface", requesterManaged: false };
}
