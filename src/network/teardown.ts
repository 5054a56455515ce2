/**
 * The moves that take a network away, paid things first, each only when nothing seen still needs it; and, at
 * each moment, what is waited on. Promises that it ends only when the cloud shows nothing of ours any more
 * and no attempt of the journal can still come to light. The last step is a compound one (see DeleteStep).
 *
 *   peerings ▶ endpoint, nat/* ▶ eip/*, igw ▶ group/*, subnet/* ▶ table/* ▶ vpc
 *
 * Source of the order: https://docs.aws.amazon.com/vpc/latest/userguide/delete-vpc.html
 */
import type { SeenInterface, SeenNatGateway, SeenPeering } from "../domain/world.ts";
import type { Draft, Sight } from "./sight.ts";

export interface TeardownInput {
  readonly sight: Sight;
  readonly draft: Draft;
}

/** Seconds; a NAT gateway took 61 s in a public log of 2026-08. */
const USUAL = { natGateway: 60, address: 10, interface: 1_200, peering: 5, other: 2 } as const;

/** True when nothing is left. */
export function teardown(input: TeardownInput): boolean {
  const { sight, draft } = input;
  dropPeerings(input);
  dropEndpoints(input);
  dropNatGateways(input);
  dropAddresses(input);
  dropInternetGateways(input);
  tellInterfaces(input);
  dropGroups(input);
  dropSubnets(input);
  dropTables(input);
  dropVpcs(input);
  for (const attempt of sight.hiddenAttempts(seenIds(sight)))
    draft.deleting({
      resource: attempt.key,
      id: attempt.resourceId,
      actor: "aws",
      message: "was asked for; it may still come to light, so its range is kept until then",
    });
  return draft.conditions.length === 0;
}

function seenIds({ world }: Sight): ReadonlySet<string> {
  const tagged = [
    ...world.vpcs,
    ...world.subnets,
    ...world.internetGateways,
    ...world.addresses,
    ...world.natGateways,
    ...world.routeTables,
    ...world.endpoints,
    ...world.groups,
  ];
  return new Set(tagged.map(({ id }) => id));
}

function livePeering({ state }: SeenPeering): boolean {
  return (
    state === "active" || state === "provisioning" || state === "deleting" || state === "pending-acceptance"
  );
}

function dropPeerings({ sight, draft }: TeardownInput): void {
  for (const { id, state } of sight.world.peerings.filter(livePeering)) {
    const key = `peering/${id}`;
    const tell = (message: string) =>
      draft.deleting({ resource: key, id, message, usualSeconds: USUAL.peering });
    const routes = sight.world.routeTables.flatMap((table) =>
      table.routes.filter(({ targetId }) => targetId === id).map((route) => ({ table, route })),
    );
    for (const { table, route } of routes)
      draft.move({ do: "deleteRoute", key: table.key, tableId: table.id, destination: route.destination });
    if (routes.length > 0) tell("routes go first, then the connection");
    else if (state === "pending-acceptance") {
      draft.move({ do: "rejectPeering", key, peeringId: id });
      tell("a request that waits is being rejected");
    } else if (state === "deleting") tell("is being deleted by AWS");
    else {
      draft.move({ do: "deletePeering", key, peeringId: id });
      tell("is being deleted");
    }
  }
}

function dropEndpoints({ sight, draft }: TeardownInput): void {
  for (const { key, id, state } of sight.world.endpoints) {
    if (!/^deleting$/i.test(state)) draft.move({ do: "deleteEndpoint", key, endpointId: id });
    draft.deleting({ resource: key, id, message: "is being deleted", usualSeconds: USUAL.other });
  }
}

function natHolds({ state }: SeenNatGateway): boolean {
  return state === "pending" || state === "available" || state === "deleting";
}

function dropNatGateways({ sight, draft }: TeardownInput): void {
  for (const { key, id, state } of sight.world.natGateways.filter(natHolds)) {
    if (state !== "deleting") draft.move({ do: "deleteNatGateway", key, natGatewayId: id });
    draft.deleting({
      resource: key,
      id,
      actor: state === "deleting" ? "aws" : "letsdata",
      message: "is being deleted",
      usualSeconds: USUAL.natGateway,
    });
  }
}

function dropAddresses({ sight, draft }: TeardownInput): void {
  const held = new Map(
    sight.world.natGateways
      .filter(natHolds)
      .flatMap((nat) => nat.allocationIds.map((allocationId) => [allocationId, nat.id] as const)),
  );
  for (const { key, id, associationId } of sight.world.addresses) {
    const holder = held.get(id) ?? associationId;
    if (!holder) draft.move({ do: "releaseAddress", key, allocationId: id });
    draft.deleting({
      resource: key,
      id,
      actor: holder ? "aws" : "letsdata",
      message: holder ? `is still held by ${holder}` : "is being released",
      usualSeconds: holder ? USUAL.natGateway : USUAL.address,
    });
  }
}

function dropInternetGateways({ sight, draft }: TeardownInput): void {
  const mapped =
    sight.world.natGateways.some(natHolds) || sight.world.addresses.some((address) => address.associationId);
  for (const { key, id, vpcId } of sight.world.internetGateways) {
    // A gateway cannot be detached while a public address is mapped in its VPC.
    if (vpcId && !mapped) draft.move({ do: "detachInternetGateway", key, gatewayId: id, vpcId });
    if (!vpcId) draft.move({ do: "deleteInternetGateway", key, gatewayId: id });
    draft.deleting({
      resource: key,
      id,
      message: vpcId && mapped ? "waits until no public address is mapped" : "is being taken away",
      usualSeconds: mapped ? USUAL.natGateway : USUAL.other,
    });
  }
}

/** Interfaces that are not a NAT gateway's: they hold their subnet and group, and are somebody else's to remove. */
function strangers({ world }: Sight): readonly SeenInterface[] {
  return world.interfaces.filter(({ interfaceType }) => interfaceType !== "nat_gateway");
}

function tellInterfaces({ sight, draft }: TeardownInput): void {
  for (const { id, subnetId, description, ownerId, state, requesterManaged } of strangers(sight))
    draft.blocked({
      resource: `interface/${id}`,
      id,
      actor: requesterManaged ? "aws" : "operator",
      message: `"${description}" (${state}, owner ${ownerId}) is still in ${subnetId}`,
      hint: requesterManaged
        ? "An AWS service holds it and removes it after its own resource is gone."
        : `Remove what uses it, or: aws ec2 delete-network-interface --network-interface-id ${id}`,
      ...(requesterManaged && { usualSeconds: USUAL.interface }),
    });
}

function dropGroups({ sight, draft }: TeardownInput): void {
  for (const { key, id } of sight.world.groups) {
    if (key === "group/default") continue;
    const holder = sight.world.interfaces.find(({ groupIds }) => groupIds.includes(id));
    if (!holder) draft.move({ do: "deleteGroup", key, groupId: id });
    draft.deleting({ resource: key, id, message: holder ? `is still on ${holder.id}` : "is being deleted" });
  }
}

function dropSubnets({ sight, draft }: TeardownInput): void {
  for (const { key, id } of sight.world.subnets) {
    const nat = sight.world.natGateways.find((candidate) => candidate.subnetId === id && natHolds(candidate));
    const holder = nat?.id ?? sight.world.interfaces.find(({ subnetId }) => subnetId === id)?.id;
    if (!holder) draft.move({ do: "deleteSubnet", key, subnetId: id });
    draft.deleting({ resource: key, id, message: holder ? `waits for ${holder}` : "is being deleted" });
  }
}

function dropTables({ sight, draft }: TeardownInput): void {
  for (const { key, id, main, associations } of sight.world.routeTables) {
    if (main) continue;
    const used = associations.length > 0;
    if (!used) draft.move({ do: "deleteRouteTable", key, tableId: id });
    draft.deleting({ resource: key, id, message: used ? "waits for its subnets" : "is being deleted" });
  }
}

function dropVpcs({ sight, draft }: TeardownInput): void {
  const { world } = sight;
  for (const { key, id } of world.vpcs) {
    const inside = [
      ...world.subnets,
      ...world.routeTables.filter(({ main }) => !main),
      ...world.endpoints,
    ].filter(({ vpcId }) => vpcId === id).length;
    const groups = world.groups.filter((group) => group.vpcId === id && group.key !== "group/default").length;
    const gateways = world.internetGateways.filter(({ vpcId }) => vpcId === id).length;
    const nats = world.natGateways.filter((nat) => nat.vpcId === id && natHolds(nat)).length;
    const interfaces = world.interfaces.filter(({ vpcId }) => vpcId === id).length;
    const peerings = world.peerings.filter(
      (peering) => peering.vpcId === id && livePeering(peering) && peering.state !== "pending-acceptance",
    ).length;
    const left = inside + groups + gateways + nats + interfaces + peerings;
    if (left === 0) draft.move({ do: "deleteVpc", key, vpcId: id });
    draft.deleting({
      resource: key,
      id,
      message: left > 0 ? `goes last; ${left} things are still in it` : "is being deleted",
      usualSeconds: USUAL.other,
    });
  }
}
