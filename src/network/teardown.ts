/**
 * The moves that take a network away, paid things first, each only when nothing seen still needs it; and, at
 * each moment, what is waited on. Promises that it ends only when the cloud shows nothing of ours any more
 * and no attempt of the journal can still come to light. The last step is a compound one (see DeleteStep).
 *
 *   peerings, function/*, probe ▶ cluster, endpoint, nat/* ▶ eip/*, igw ▶ interface/* ▶ group/*, subnet/* ▶ table/* ▶ vpc
 *
 * Source of the order: https://docs.aws.amazon.com/vpc/latest/userguide/delete-vpc.html
 */
import { networkThings, type SeenAddress, type SeenInterface, type World } from "../domain/world.ts";
import {
  type Holder,
  holdersOfAddress,
  holdersOfGateway,
  holdersOfGroup,
  holdersOfSubnet,
  holdersOfTable,
  holdersOfVpc,
  LAMBDA_INTERFACE,
  livePeering,
  natHolds,
  strangers,
} from "./holders.ts";
import type { Draft, Sight } from "./sight.ts";
import { dropConnector, tellOwnInterface } from "./teardownConnector.ts";
import { TOPIC } from "./topic.ts";

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
  dropConnector(input);
  dropEndpoints(input);
  dropNatGateways(input);
  dropAddresses(input);
  dropInternetGateways(input);
  dropInterfaces(input);
  dropGroups(input);
  dropSubnets(input);
  dropTables(input);
  dropVpcs(input);
  // A topic goes with its cluster, and cannot come to light after it.
  const hidden = sight.hiddenAttempts(seenIds(sight)).filter(({ key }) => key !== TOPIC);
  for (const attempt of hidden)
    draft.deleting({
      resource: attempt.key,
      id: attempt.resourceId,
      actor: "aws",
      message: "was asked for; it may still come to light, so its range is kept until then",
    });
  return draft.conditions.length === 0;
}

function seenIds({ world }: Sight): ReadonlySet<string> {
  const tagged = [...networkThings(world), ...world.clusters, ...world.probes];
  return new Set(tagged.map(({ id }) => id));
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

/** What is held waits, and says for what; it begins to be deleted when nothing holds it any more. */
function tellHeld(
  draft: Draft,
  thing: { readonly key: string; readonly id: string },
  held: { readonly message: string; readonly usualSeconds?: number; readonly actor?: "aws" | "letsdata" },
): void {
  draft.waiting({ resource: thing.key, id: thing.id, actor: "letsdata", ...held });
}

function first(holders: readonly Holder[]): string {
  return holders[0]?.id ?? "";
}

function dropAddresses({ sight, draft }: TeardownInput): void {
  for (const address of sight.world.addresses) {
    const { key, id } = address;
    const holders = holdersOfAddress(sight.world, address);
    const usualSeconds = USUAL.address;
    if (holders.length === 0) {
      draft.move({ do: "releaseAddress", key, allocationId: id });
      draft.deleting({ resource: key, id, message: "is being released", usualSeconds });
    } else if (outlivedItsNat(sight.world, address)) {
      const message = `AWS still shows ${first(holders)} of it, though its NAT gateway is gone`;
      draft.deleting({ resource: key, id, actor: "aws", message, usualSeconds });
    } else {
      // Held by a NAT gateway it goes when that does; held by no more than an association, when AWS says so.
      const actor = holders.some(({ resource }) => resource.startsWith("nat/")) ? "letsdata" : "aws";
      const message = `is still held by ${first(holders)}`;
      tellHeld(draft, address, { message, actor, usualSeconds: USUAL.natGateway });
    }
  }
}

/** The association goes a little after the NAT gateway, and may have been looked at a little before. */
function outlivedItsNat({ natGateways }: World, { id }: SeenAddress): boolean {
  const own = natGateways.filter(({ allocationIds }) => allocationIds.includes(id));
  return own.length > 0 && !own.some(natHolds);
}

function dropInternetGateways({ sight, draft }: TeardownInput): void {
  for (const gateway of sight.world.internetGateways) {
    const { key, id, vpcId } = gateway;
    if (holdersOfGateway(sight.world, gateway).length > 0) {
      const message = "waits until no public address is mapped";
      tellHeld(draft, gateway, { message, usualSeconds: USUAL.natGateway });
      continue;
    }
    if (vpcId) draft.move({ do: "detachInternetGateway", key, gatewayId: id, vpcId });
    else draft.move({ do: "deleteInternetGateway", key, gatewayId: id });
    draft.deleting({ resource: key, id, message: "is being taken away", usualSeconds: USUAL.other });
  }
}

/**
 * Others' interfaces are theirs to remove. What a Lambda function left behind AWS removes some time; once nothing is
 * attached to it any more, its owner may: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
 */
function dropInterfaces({ sight, draft }: TeardownInput): void {
  for (const stranger of strangers(sight.world)) {
    const { id } = stranger;
    const key = `interface/${id}`;
    if (!isLeftBehind(sight.world, stranger)) {
      if (!tellOwnInterface(draft, sight.world, stranger)) tellInterface(draft, stranger);
    } else {
      draft.tryMove({ do: "deleteInterface", key, interfaceId: id });
      const message = `${described(stranger)} was left behind by a function and is being deleted`;
      draft.deleting({ resource: key, id, message, usualSeconds: USUAL.other });
    }
  }
}

/** Its type is an ordinary one by then: only the description tells whose it was. */
function isLeftBehind({ vpcs }: World, { state, description, ownerId, vpcId }: SeenInterface): boolean {
  const ours = vpcs.some((vpc) => vpc.id === vpcId && vpc.ownerId === ownerId);
  return ours && state === "available" && description.startsWith(LAMBDA_INTERFACE);
}

function described({ description, state, ownerId }: SeenInterface): string {
  return `"${description}" (${state}, owner ${ownerId})`;
}

function tellInterface(draft: Draft, stranger: SeenInterface): void {
  const { id, subnetId, requesterManaged } = stranger;
  draft.blocked({
    resource: `interface/${id}`,
    id,
    actor: requesterManaged ? "aws" : "operator",
    message: `${described(stranger)} is still in ${subnetId}`,
    hint: requesterManaged
      ? "An AWS service holds it and removes it after its own resource is gone."
      : `Remove what uses it, or: aws ec2 delete-network-interface --network-interface-id ${id}`,
    ...(requesterManaged && { usualSeconds: USUAL.interface }),
  });
}

function dropGroups({ sight, draft }: TeardownInput): void {
  for (const group of sight.world.groups) {
    const { key, id } = group;
    if (key === "group/default") continue;
    const holders = holdersOfGroup(sight.world, group);
    if (holders.length > 0) {
      tellHeld(draft, group, { message: `is still on ${first(holders)}` });
      continue;
    }
    draft.move({ do: "deleteGroup", key, groupId: id });
    draft.deleting({ resource: key, id, message: "is being deleted", usualSeconds: USUAL.other });
  }
}

function dropSubnets({ sight, draft }: TeardownInput): void {
  for (const subnet of sight.world.subnets) {
    const { key, id } = subnet;
    const holders = holdersOfSubnet(sight.world, subnet);
    if (holders.length > 0) {
      tellHeld(draft, subnet, { message: `waits for ${first(holders)}` });
      continue;
    }
    draft.move({ do: "deleteSubnet", key, subnetId: id });
    draft.deleting({ resource: key, id, message: "is being deleted", usualSeconds: USUAL.other });
  }
}

function dropTables({ sight, draft }: TeardownInput): void {
  for (const table of sight.world.routeTables) {
    const { key, id, main } = table;
    if (main) continue;
    if (holdersOfTable(sight.world, table).length > 0) {
      tellHeld(draft, table, { message: "waits for its subnets" });
      continue;
    }
    draft.move({ do: "deleteRouteTable", key, tableId: id });
    draft.deleting({ resource: key, id, message: "is being deleted", usualSeconds: USUAL.other });
  }
}

function dropVpcs({ sight, draft }: TeardownInput): void {
  for (const vpc of sight.world.vpcs) {
    const { key, id } = vpc;
    const left = holdersOfVpc(sight.world, vpc).length;
    if (left > 0) {
      tellHeld(draft, vpc, { message: `goes last; ${left} things are still in it` });
      continue;
    }
    draft.move({ do: "deleteVpc", key, vpcId: id });
    draft.deleting({ resource: key, id, message: "is being deleted", usualSeconds: USUAL.other });
  }
}
