/**
 * What holds what: for each thing of a network, the things that must be gone before it can go. Pure reading of
 * one world; the teardown takes its order from here, and the delete plan its reasons.
 */
import type { SeenCluster, SeenFunction } from "../domain/connector.ts";
import type {
  SeenAddress,
  SeenGroup,
  SeenInterface,
  SeenInternetGateway,
  SeenNatGateway,
  SeenPeering,
  SeenRouteTable,
  SeenSubnet,
  SeenVpc,
  World,
} from "../domain/world.ts";

/** `resource` is its key in the network, as conditions name it. */
export interface Holder {
  readonly resource: string;
  readonly id: string;
}

/** A NAT gateway holds its address and subnet until it is deleted; a failed one holds nothing. */
export function natHolds({ state }: SeenNatGateway): boolean {
  return state === "pending" || state === "available" || state === "deleting";
}

export function livePeering({ state }: SeenPeering): boolean {
  return (
    state === "active" || state === "provisioning" || state === "deleting" || state === "pending-acceptance"
  );
}

/** Interfaces that are not a NAT gateway's: they are somebody else's to remove. */
export function strangers({ interfaces }: World): readonly SeenInterface[] {
  return interfaces.filter(({ interfaceType }) => interfaceType !== "nat_gateway");
}

/** Never somebody else's that has our name. */
export function ownClusters({ clusters }: World): readonly SeenCluster[] {
  return clusters.filter(({ ours }) => ours);
}

/** Functions that stand in the network's VPC, or are just leaving it. */
export function holdersOfCluster({ functions, vpcs }: World): readonly Holder[] {
  return functions
    .filter(
      ({ vpcId, updateState }) =>
        vpcs.some(({ id }) => id === vpcId) || (vpcId === null && updateState === "inprogress"),
    )
    .map(({ id, name }) => ({ resource: `function/${name}`, id }));
}

export interface InterfaceOwner {
  readonly kind: "cluster" | "function";
  /** As a reader calls it. */
  readonly of: string;
  /** It, as long as it is there. */
  readonly holder: Holder | null;
}

/**
 * Whose interface it is, of what runs in the network; null for a stranger's. Nothing but a cluster gets the group
 * of the peers, so its interfaces are known when it is gone; a function's bear its name.
 */
export function heldInterfaceOwner(world: World, one: SeenInterface): InterfaceOwner | null {
  const cluster = ownClusters(world)[0];
  const isBroker = cluster?.brokers.some(({ interfaceId }) => interfaceId === one.id) ?? false;
  const peers = world.groups.filter(({ key }) => key === "group/peers").map(({ id }) => id);
  if (isBroker || (one.requesterManaged && one.groupIds.some((id) => peers.includes(id))))
    return { kind: "cluster", of: "the cluster", holder: cluster ? named(cluster) : null };
  const isOf = ({ name }: SeenFunction) => one.description.startsWith(`${LAMBDA_INTERFACE}-${name}-`);
  const owner = world.functions.find(isOf);
  const holder = holdersOfCluster(world).find(({ id }) => id === owner?.id) ?? null;
  if (owner) return { kind: "function", of: `function ${owner.name}`, holder };
  const probe = world.probes.find(isOf);
  if (!probe && !PROBE_INTERFACE.test(one.description)) return null;
  return { kind: "function", of: "the probe", holder: probe ? named(probe) : null };
}

/** A probe's interface outlives it. */
const PROBE_INTERFACE = /^AWS Lambda VPC ENI-ld-.+-probe-/;

export function holdersOfInterface(world: World, one: SeenInterface): readonly Holder[] {
  const holder = heldInterfaceOwner(world, one)?.holder;
  return holder ? [holder] : [];
}

/** How AWS describes a function's interface; the function's name and a random part follow. */
export const LAMBDA_INTERFACE = "AWS Lambda VPC ENI";

export function holdersOfAddress({ natGateways }: World, address: SeenAddress): readonly Holder[] {
  const nats = natGateways.filter((nat) => natHolds(nat) && nat.allocationIds.includes(address.id));
  if (nats.length > 0) return nats.map(named);
  const { associationId } = address;
  return associationId ? [{ resource: associationId, id: associationId }] : [];
}

/** An attached gateway cannot go while a public address is mapped in its VPC. */
export function holdersOfGateway(world: World, { vpcId }: SeenInternetGateway): readonly Holder[] {
  if (!vpcId) return [];
  const nats = world.natGateways.filter(natHolds);
  const mapped = world.addresses.filter(({ associationId }) => associationId);
  return [...nats, ...mapped].map(named);
}

export function holdersOfGroup({ interfaces }: World, { id }: SeenGroup): readonly Holder[] {
  return interfaces.filter(({ groupIds }) => groupIds.includes(id)).map(namedInterface);
}

export function holdersOfSubnet({ natGateways, interfaces }: World, { id }: SeenSubnet): readonly Holder[] {
  const nats = natGateways.filter((nat) => nat.subnetId === id && natHolds(nat));
  const own = (one: SeenInterface) => nats.length > 0 && one.interfaceType === "nat_gateway";
  const inside = interfaces.filter((one) => one.subnetId === id && !own(one));
  return [...nats.map(named), ...inside.map(namedInterface)];
}

export function holdersOfTable({ subnets }: World, { associations }: SeenRouteTable): readonly Holder[] {
  return associations.map(({ subnetId }) => {
    const subnet = subnets.find(({ id }) => id === subnetId);
    return subnet ? named(subnet) : { resource: subnetId, id: subnetId };
  });
}

/** Requests that wait are not among them: they are rejected in the same step that deletes the VPC. */
export function holdersOfVpc(world: World, { id }: SeenVpc): readonly Holder[] {
  const inside = [
    ...world.endpoints,
    ...world.natGateways.filter(natHolds),
    ...world.internetGateways,
    ...world.groups.filter(({ key }) => key !== "group/default"),
    ...world.subnets,
    ...world.routeTables.filter(({ main }) => !main),
  ].filter(({ vpcId }) => vpcId === id);
  const peerings = world.peerings.filter(
    (peering) => peering.vpcId === id && livePeering(peering) && peering.state !== "pending-acceptance",
  );
  const interfaces = world.interfaces.filter(({ vpcId }) => vpcId === id);
  return [
    ...peerings.map((peering) => ({ resource: `peering/${peering.id}`, id: peering.id })),
    ...inside.map(named),
    ...interfaces.map(namedInterface),
  ];
}

function named({ key, id }: { readonly key: string; readonly id: string }): Holder {
  return { resource: key, id };
}

function namedInterface({ id }: SeenInterface): Holder {
  return { resource: `interface/${id}`, id };
}
