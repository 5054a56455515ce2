/**
 * Looking things up, and AWS's words when they are not there. Promises that a handler sees only what belongs
 * to its caller's account and region (a peering: to either side) and is not too new to be seen, and that each
 * noun is missed with its own error code. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */
import { addressNumber, addressText, type Cidr, span } from "../domain/cidr.ts";
import { AwsError } from "./errors.ts";
import type { PeeringRow, PeeringSide } from "./rows.ts";
import type { Place } from "./state.ts";
import { isSeen } from "./visibility.ts";
import type { Call, Tables } from "./world.ts";

interface Noun {
  readonly table: keyof Tables;
  /** The `ResourceType` of tags. */
  readonly resourceType: string;
  /** Error code for an id that is not there. */
  readonly code: string;
  /** How AWS calls it in that error's sentence. */
  readonly word: string;
}

/** The nouns by the prefix of their ids. */
export const NOUNS = {
  vpc: { table: "vpcs", resourceType: "vpc", code: "InvalidVpcID.NotFound", word: "vpc" },
  subnet: { table: "subnets", resourceType: "subnet", code: "InvalidSubnetID.NotFound", word: "subnet" },
  igw: {
    table: "internetGateways",
    resourceType: "internet-gateway",
    code: "InvalidInternetGatewayID.NotFound",
    word: "internetGateway",
  },
  eipalloc: {
    table: "addresses",
    resourceType: "elastic-ip",
    code: "InvalidAllocationID.NotFound",
    word: "allocation",
  },
  nat: { table: "natGateways", resourceType: "natgateway", code: "NatGatewayNotFound", word: "NatGateway" },
  rtb: {
    table: "routeTables",
    resourceType: "route-table",
    code: "InvalidRouteTableID.NotFound",
    word: "routeTable",
  },
  sg: {
    table: "securityGroups",
    resourceType: "security-group",
    code: "InvalidGroup.NotFound",
    word: "security group",
  },
  acl: {
    table: "networkAcls",
    resourceType: "network-acl",
    code: "InvalidNetworkAclID.NotFound",
    word: "networkAcl",
  },
  pcx: {
    table: "peerings",
    resourceType: "vpc-peering-connection",
    code: "InvalidVpcPeeringConnectionID.NotFound",
    word: "vpcPeeringConnection",
  },
  eni: {
    table: "interfaces",
    resourceType: "network-interface",
    code: "InvalidNetworkInterfaceID.NotFound",
    word: "networkInterface",
  },
  i: { table: "instances", resourceType: "instance", code: "InvalidInstanceID.NotFound", word: "instance" },
  vpce: {
    table: "endpoints",
    resourceType: "vpc-endpoint",
    code: "InvalidVpcEndpointId.NotFound",
    word: "VpcEndpoint",
  },
} as const satisfies Record<string, Noun>;

export type Prefix = keyof typeof NOUNS;

/** The row type of a noun: `RowOf<"vpc">` is VpcRow. */
export type RowOf<P extends Prefix> = NonNullable<ReturnType<Tables[(typeof NOUNS)[P]["table"]]["get"]>>;

/** AWS's error for ids that do not exist (or are somebody else's: AWS does not tell them apart). */
export function notFound(prefix: Prefix, ids: readonly string[]): AwsError {
  const { code, word } = NOUNS[prefix];
  const names = ids.join(", ");
  if (prefix === "nat") return new AwsError(code, `${word} ${names} was not found`);
  if (prefix === "sg") return new AwsError(code, `The security group '${names}' does not exist`);
  return new AwsError(
    code,
    ids.length > 1 ? `The ${word} IDs '${names}' do not exist` : `The ${word} ID '${names}' does not exist`,
  );
}

/** The caller's row of that noun, if there is one to be seen. Peerings have two owners: `thePeering`. */
export function find<P extends Exclude<Prefix, "pcx">>(
  call: Call,
  prefix: P,
  id: string | undefined,
): RowOf<P> | undefined {
  const row = call.tables[NOUNS[prefix].table].own(call, id ?? "");
  // The noun's table holds rows of the noun's type, which an index by a type parameter cannot express.
  return row && isSeen(call, row) ? (row as RowOf<P>) : undefined;
}

/** The caller's row of that noun, or the noun's NotFound error. */
export function the<P extends Exclude<Prefix, "pcx">>(
  call: Call,
  prefix: P,
  id: string | undefined,
): RowOf<P> {
  const row = find(call, prefix, id);
  if (!row) throw notFound(prefix, [id ?? ""]);
  return row;
}

export const theVpc = (call: Call, id: string | undefined) => the(call, "vpc", id);
export const theSubnet = (call: Call, id: string | undefined) => the(call, "subnet", id);
export const theInternetGateway = (call: Call, id: string | undefined) => the(call, "igw", id);
export const theAddress = (call: Call, id: string | undefined) => the(call, "eipalloc", id);
export const theNatGateway = (call: Call, id: string | undefined) => the(call, "nat", id);
export const theRouteTable = (call: Call, id: string | undefined) => the(call, "rtb", id);
export const theSecurityGroup = (call: Call, id: string | undefined) => the(call, "sg", id);
export const theNetworkAcl = (call: Call, id: string | undefined) => the(call, "acl", id);
export const theInterface = (call: Call, id: string | undefined) => the(call, "eni", id);
export const theInstance = (call: Call, id: string | undefined) => the(call, "i", id);
export const theEndpoint = (call: Call, id: string | undefined) => the(call, "vpce", id);

/** The peering, seen by either of its sides in that side's region. */
export function thePeering(call: Call, id: string | undefined): PeeringRow {
  const row = call.tables.peerings.get(id ?? "");
  const isOwn = row && (isSide(call, row.requester) || isSide(call, row.accepter));
  if (!isOwn || !isSeen(call, row)) throw notFound("pcx", [id ?? ""]);
  return row;
}

/** All peerings the caller is a side of, in order of id, whatever their state. */
export function peeringsOf(call: Call): PeeringRow[] {
  const all = call.tables.peerings.all();
  return all.filter((row) => isSide(call, row.requester) || isSide(call, row.accepter));
}

/** True when that side of a peering is the caller's account and region. */
export function isSide(place: Place, side: PeeringSide): boolean {
  return side.account === place.account && side.region === place.region;
}

/**
 * How many addresses of each subnet are in use, by subnet id. The interfaces are the one truth of it.
 * For many subnets at once; `usedAddresses` for one.
 */
export function addressesInUse(call: Call): Map<string, number> {
  const used = new Map<string, number>();
  for (const row of call.tables.interfaces.list(call))
    used.set(row.subnetId, (used.get(row.subnetId) ?? 0) + 1);
  return used;
}

/** The private addresses in use in the subnet. */
export function usedAddresses(call: Call, subnetId: string): Set<string> {
  const rows = call.tables.interfaces.list(call);
  return new Set(rows.flatMap((row) => (row.subnetId === subnetId ? [row.privateIp] : [])));
}

/** AWS keeps the first four addresses of a subnet and the last one. */
export const RESERVED_ADDRESSES = 5;

/**
 * The first and last address a thing in this block may have, as numbers.
 * https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
 */
export function assignable(block: Cidr): { readonly first: number; readonly last: number } {
  const { first, end } = span(block);
  return { first: first + 4, last: end - 2 };
}

/** The lowest free private address of the subnet; InsufficientFreeAddressesInSubnet when there is none. */
export function freeAddress(call: Call, subnetId: string): string {
  const subnet = theSubnet(call, subnetId);
  const used = usedAddresses(call, subnetId);
  const { first, last } = assignable(subnet.cidr);
  for (let address = first; address <= last; address++) {
    const text = addressText(address);
    if (!used.has(text)) return text;
  }
  throw new AwsError(
    "InsufficientFreeAddressesInSubnet",
    `The specified subnet does not have enough free addresses to satisfy the request.`,
  );
}

/**
 * The address asked for, if a thing in the subnet may have it and nothing has; `freeAddress` when none is
 * asked for. Codes: InvalidParameterValue outside the assignable addresses, InvalidIPAddress.InUse when taken.
 */
export function privateAddress(call: Call, subnetId: string, wanted?: string): string {
  if (wanted === undefined) return freeAddress(call, subnetId);
  const subnet = theSubnet(call, subnetId);
  const { first, last } = assignable(subnet.cidr);
  const number = addressNumber(wanted);
  if (number === undefined || number < first || number > last)
    throw new AwsError(
      "InvalidParameterValue",
      `Address ${wanted} does not fall within the subnet's address range`,
    );
  if (usedAddresses(call, subnetId).has(wanted))
    throw new AwsError("InvalidIPAddress.InUse", `Address ${wanted} is in use.`);
  return wanted;
}
