/**
 * The IPv4 blocks of VPCs: which may be the first, which may be added, which may go. Promises AWS's rules on
 * sizes, reserved space, mixing of private ranges and overlaps with peers.
 * An accepter may add what overlaps a pending request's VPC: the request fails then, in elapse.ts.
 * https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { type Cidr, cidr, contains, maskLength, overlaps, parseCidr } from "../domain/cidr.ts";
import { AwsError } from "./errors.ts";
import { theVpc } from "./find.ts";
import { blocksOf, hasVpc, otherSide, type PeeringState, peeringState } from "./peeringStates.ts";
import type { VpcRow } from "./rows.ts";
import { seen } from "./visibility.ts";
import type { Call, Ec2Handlers } from "./world.ts";

/** The block as AWS keeps it: host bits cleared. InvalidParameterValue when it is not a block at all. */
export function canonicalBlock(text: string, parameter = "cidrBlock"): Cidr {
  const parsed = parseCidr(text);
  const block = "cidr" in parsed ? parsed.cidr : parsed.canonical;
  if (block) return block;
  throw new AwsError(
    "InvalidParameterValue",
    `Value (${text}) for parameter ${parameter} is invalid. This is not a valid CIDR block.`,
  );
}

/** VPCs and subnets alike are between /16 and /28. */
export function isSizeAllowed(block: Cidr): boolean {
  return maskLength(block) >= 16 && maskLength(block) <= 28;
}

const NEVER = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"].map(cidr);

/** A block a VPC may have as its first; InvalidVpc.Range otherwise. */
export function vpcBlock(text: string | undefined): Cidr {
  if (!text)
    throw new AwsError("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.");
  const block = canonicalBlock(text);
  if (!isSizeAllowed(block) || NEVER.some((space) => overlaps(space, block)))
    throw new AwsError("InvalidVpc.Range", `The CIDR '${text}' is invalid.`);
  return block;
}

const TEN = cidr("10.0.0.0/8");
const RFC1918 = [TEN, cidr("172.16.0.0/12"), cidr("192.168.0.0/16")];
/** Kept for AWS's own use inside VPCs. */
const INTERNAL = cidr("198.19.0.0/16");

function privateRange(block: Cidr): Cidr | undefined {
  return RFC1918.find((range) => overlaps(range, block));
}

/**
 * True when AWS's table of restricted associations forbids the added block beside the VPC's first:
 *
 *   first in        may not be joined by
 *   10/8            the other private ranges, 198.19/16; 10.0/16 if any of its blocks is in 10.0/15
 *   172.16/12       the other private ranges, 198.19/16, 172.31/16
 *   192.168/16      the other private ranges, 198.19/16
 *   198.19/16       private ranges
 *   anything else   private ranges, 198.19/16
 */
function isRestricted(vpc: VpcRow, added: Cidr): boolean {
  const own = privateRange(vpc.cidr);
  const range = privateRange(added);
  if (range !== undefined && range !== own) return true;
  if (overlaps(added, INTERNAL) && !overlaps(vpc.cidr, INTERNAL)) return true;
  if (own === RFC1918[1] && overlaps(added, cidr("172.31.0.0/16"))) return true;
  const low = blocksOf(vpc).some((block) => overlaps(block, cidr("10.0.0.0/15")));
  return own === TEN && low && overlaps(added, cidr("10.0.0.0/16"));
}

function range(message: string): AwsError {
  return new AwsError("InvalidVpc.Range", message);
}

function checkAdded(call: Call, vpc: VpcRow, added: Cidr): void {
  if (blocksOf(vpc).length >= call.settings.blocksPerVpcQuota)
    throw new AwsError(
      "CidrLimitExceeded",
      `This network '${vpc.id}' has met its maximum number of allowed CIDRs: ${call.settings.blocksPerVpcQuota}`,
    );
  if (blocksOf(vpc).some((block) => overlaps(block, added)))
    throw range(`The CIDR '${added}' conflicts with another CIDR of the network`);
  if (isRestricted(vpc, added))
    throw range(
      `The CIDR '${added}' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, or use a publicly-routable CIDR.`,
    );
  if (routesInside(call, vpc, added))
    throw range(
      `The CIDR '${added}' is the same as or larger than the destination of a route of the network`,
    );
  checkPeers(call, vpc, added);
}

function routesInside(call: Call, vpc: VpcRow, added: Cidr): boolean {
  const tables = call.tables.routeTables.list(call).filter((table) => table.vpcId === vpc.id);
  const routes = tables.flatMap((table) => table.routes);
  return routes.some(({ kind, destination }) => kind === "cidr" && contains(added, cidr(destination)));
}

/** Once accepted, neither side may overlap the other; while it is pending the requester may add nothing. */
function checkPeers(call: Call, vpc: VpcRow, added: Cidr): void {
  const all = call.tables.peerings.all().filter((row) => hasVpc(row, vpc.id));
  const states = all.map((row) => ({ row, state: peeringState(row, call.now) }));
  for (const { row: peering, state } of states) {
    if (state !== "active" && state !== "provisioning") continue;
    const peer = call.tables.vpcs.get(otherSide(peering, vpc.id).vpcId);
    if (blocksOf(peer).some((block) => overlaps(block, added)))
      throw range(`The CIDR '${added}' overlaps with a CIDR of the VPC peered by ${peering.id}`);
  }
  if (states.some(({ row, state }) => row.requester.vpcId === vpc.id && isPending(state)))
    throw range(
      `A CIDR cannot be added to '${vpc.id}' while a VPC peering connection it requested is pending`,
    );
}

function isPending(state: PeeringState): boolean {
  return state === "initiating-request" || state === "pending-acceptance";
}

/** What stood in the place of the block's local route goes with the block; local routes are derived. */
function dropLocalRoute(call: Call, vpcId: string, block: Cidr): void {
  for (const table of call.tables.routeTables.list(call)) {
    const routes = table.routes.filter((route) => route.destination !== block);
    if (table.vpcId === vpcId && routes.length < table.routes.length)
      call.tables.routeTables.put({ ...table, routes });
  }
}

/** A block with its association, as VPCs show it. */
export function association(id: string, block: Cidr, State: ec2.VpcCidrBlockStateCode = "associated") {
  return { AssociationId: id, CidrBlock: block as string, CidrBlockState: { State } };
}

function owner(call: Call, associationId: string | undefined): VpcRow {
  const vpcs = seen(call, call.tables.vpcs.list(call));
  const found = vpcs.find(
    (vpc) =>
      vpc.primaryAssociationId === associationId || vpc.secondary.some((one) => one.id === associationId),
  );
  if (found) return found;
  throw new AwsError(
    "InvalidVpcCidrBlockAssociationID.NotFound",
    `The vpc CIDR block association ID '${associationId}' does not exist`,
  );
}

export const vpcBlockHandlers = {
  AssociateVpcCidrBlock(call, input) {
    const vpc = theVpc(call, input.VpcId);
    if (!input.CidrBlock)
      throw new AwsError("UnsupportedOperation", "Only IPv4 CIDR blocks can be associated in this sandbox.");
    const block = vpcBlock(input.CidrBlock);
    checkAdded(call, vpc, block);
    const id = call.newId("vpc-cidr-assoc");
    call.tables.vpcs.put({ ...vpc, secondary: [...vpc.secondary, { id, cidr: block }] });
    return { VpcId: vpc.id, CidrBlockAssociation: association(id, block, "associating") };
  },

  DisassociateVpcCidrBlock(call, { AssociationId: id }) {
    const vpc = owner(call, id);
    const gone = vpc.secondary.find((one) => one.id === id);
    if (!gone)
      throw new AwsError(
        "OperationNotPermitted",
        `The vpc CIDR block with association ID ${id} may not be disassociated. It is the primary IPv4 CIDR block of the VPC`,
      );
    const subnets = call.tables.subnets.list(call).filter((subnet) => subnet.vpcId === vpc.id);
    if (subnets.some((subnet) => contains(gone.cidr, subnet.cidr)))
      throw new AwsError(
        "DependencyViolation",
        `The vpc CIDR block with association ID ${id} has dependencies and cannot be disassociated.`,
      );
    call.tables.vpcs.put({ ...vpc, secondary: vpc.secondary.filter((one) => one !== gone) });
    dropLocalRoute(call, vpc.id, gone.cidr);
    return { VpcId: vpc.id, CidrBlockAssociation: association(gone.id, gone.cidr, "disassociating") };
  },
} satisfies Ec2Handlers;
