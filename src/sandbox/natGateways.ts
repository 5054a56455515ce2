/**
 * Zonal NAT gateways, public and private. Promises AWS's states and waits, the requester-managed interface in
 * the subnet, and that interface and elastic IP are freed only when the gateway is deleted.
 * https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html
 *
 *   pending ──▶ available ──DeleteNatGateway──▶ deleting ──▶ deleted (visible for an hour)
 *      └──────▶ failed (visible for an hour)
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { hasInternetGateway, mapped } from "./addresses.ts";
import { madeBefore, tokenOf } from "./clientTokens.ts";
import { AwsError } from "./errors.ts";
import { find, notFound, theNatGateway, theSubnet } from "./find.ts";
import { cannotHold, newInterface, serviceAttachment } from "./interfaceRows.ts";
import { describe } from "./query.ts";
import { withinQuota } from "./quotas.ts";
import type { AddressRow, InterfaceRow, NatGatewayRow, SubnetRow } from "./rows.ts";
import { tagSet, tagsFor } from "./tags.ts";
import type { Call, Ec2Handlers } from "./world.ts";

export function natGatewayState(row: NatGatewayRow, now: number): ec2.NatGatewayState {
  if (row.deletedAt !== undefined && row.deletedAt <= now) return "deleted";
  if (row.deleteAskedAt !== undefined) return "deleting";
  if (row.failsAt !== undefined) return row.failsAt <= now ? "failed" : "pending";
  return row.availableAt !== undefined && row.availableAt <= now ? "available" : "pending";
}

/** When the gateway's interface and address become free; undefined while they are its own. */
export function natGatewayFreedAt(row: NatGatewayRow): number | undefined {
  return row.deletedAt ?? row.failsAt;
}

function checkRequest(input: ec2.CreateNatGatewayRequest): void {
  const secondary = [
    input.SecondaryAllocationIds,
    input.SecondaryPrivateIpAddresses,
    input.SecondaryPrivateIpAddressCount,
  ];
  if (input.AvailabilityMode === "regional" || secondary.some((one) => one !== undefined))
    throw new AwsError(
      "UnsupportedOperation",
      "Regional NAT gateways and secondary addresses are not part of this sandbox.",
    );
  if (!input.SubnetId)
    throw new AwsError("MissingParameter", "The request must contain the parameter SubnetId");
  const isPrivate = input.ConnectivityType === "private";
  if (isPrivate && input.AllocationId)
    throw new AwsError(
      "InvalidParameterCombination",
      "An elastic IP address cannot be associated with a private NAT gateway",
    );
  if (!isPrivate && !input.AllocationId)
    throw new AwsError("MissingParameter", "The request must contain the parameter AllocationId");
}

/**
 * This call alone misses an address by a code of its own.
 * https://github.com/ansible-collections/amazon.aws/issues/1872
 */
function addressFor(call: Call, id: string): AddressRow {
  const address = find(call, "eipalloc", id);
  if (address) return address;
  throw new AwsError("InvalidElasticIpID.NotFound", `The elastic-ip ID '${id}' does not exist`);
}

function natInterface(
  call: Call,
  subnet: SubnetRow,
  nat: { id: string; privateIp: string | undefined },
): InterfaceRow {
  return newInterface(call, {
    subnet,
    privateIp: nat.privateIp,
    description: `Interface for NAT Gateway ${nat.id}`,
    interfaceType: "nat_gateway",
    requesterId: "amazon-nat",
    sourceDestCheck: false,
    attachment: serviceAttachment(call),
  });
}

function created(call: Call, input: ec2.CreateNatGatewayRequest): NatGatewayRow {
  checkRequest(input);
  const tags = tagsFor(input.TagSpecifications, "natgateway");
  const subnet = theSubnet(call, input.SubnetId);
  const address = input.AllocationId ? addressFor(call, input.AllocationId) : undefined;
  checkQuota(call, subnet.zoneId);
  const id = call.newId("nat");
  const isFull = cannotHold(call, subnet, 1) === "noAddresses";
  const own = isFull ? undefined : natInterface(call, subnet, { id, privateIp: input.PrivateIpAddress });
  const readyAt = call.now + call.settings.natPendingMs;
  const failure = isFull ? NO_ROOM : address && failureWith(call, subnet.vpcId, address);
  if (own) call.tables.interfaces.put(own);
  if (address && own && !failure) call.tables.addresses.put(mapped(call, address, own));
  return call.tables.natGateways.put({
    id,
    account: call.account,
    region: call.region,
    at: call.now,
    tags,
    vpcId: subnet.vpcId,
    subnetId: subnet.id,
    connectivity: address ? "public" : "private",
    ...(own ? { interfaceId: own.id, privateIp: own.privateIp } : {}),
    ...(address ? { allocationId: address.id, publicIp: address.publicIp } : {}),
    ...(failure ? { failsAt: readyAt, ...failure } : { availableAt: readyAt }),
    ...tokenOf(input),
  });
}

function checkQuota(call: Call, zoneId: string): void {
  const inZone = call.tables.natGateways.list(call).filter((row) => {
    const state = natGatewayState(row, call.now);
    const counts = state !== "deleted" && state !== "failed";
    return counts && call.tables.subnets.get(row.subnetId)?.zoneId === zoneId;
  });
  withinQuota({
    count: inZone.length + 1,
    quota: call.settings.natGatewaysPerZoneQuota,
    code: "NatGatewayLimitExceeded",
    what: "NAT gateways",
  });
}

const NO_ROOM = {
  failureCode: "InsufficientFreeAddressesInSubnet",
  failureMessage: "Subnet has insufficient free addresses to create this NAT gateway",
};

/**
 * What AWS finds out only while the gateway is pending: it is made, and fails.
 * https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
 */
function failureWith(call: Call, vpcId: string, address: AddressRow) {
  if (!hasInternetGateway(call, vpcId))
    return {
      failureCode: "Gateway.NotAttached",
      failureMessage: `Network ${vpcId} has no Internet gateway attached`,
    };
  if (!address.associationId) return undefined;
  return {
    failureCode: "Resource.AlreadyAssociated",
    failureMessage: `Elastic IP address [${address.id}] is already associated`,
  };
}

function described(call: Call, row: NatGatewayRow): ec2.NatGateway {
  const State = natGatewayState(row, call.now);
  const failed = row.failsAt !== undefined && row.failsAt <= call.now;
  return {
    NatGatewayId: row.id,
    VpcId: row.vpcId,
    SubnetId: row.subnetId,
    State,
    ConnectivityType: row.connectivity,
    AvailabilityMode: "zonal",
    CreateTime: new Date(row.at),
    NatGatewayAddresses: [failed ? allocationOnly(row) : addressOf(call, row, State)],
    Tags: tagSet(row.tags),
    ...(State === "deleted" ? { DeleteTime: new Date(row.deletedAt ?? call.now) } : {}),
    ...(failed ? { FailureCode: row.failureCode, FailureMessage: row.failureMessage } : {}),
  };
}

function allocationOnly(row: NatGatewayRow): ec2.NatGatewayAddress {
  return row.allocationId ? { AllocationId: row.allocationId } : {};
}

function addressOf(call: Call, row: NatGatewayRow, state: ec2.NatGatewayState): ec2.NatGatewayAddress {
  const address = row.allocationId ? call.tables.addresses.get(row.allocationId) : undefined;
  if (!row.interfaceId) return allocationOnly(row);
  const held = address?.interfaceId === row.interfaceId;
  return {
    ...allocationOnly(row),
    NetworkInterfaceId: row.interfaceId,
    PrivateIp: row.privateIp,
    ...(row.publicIp ? { PublicIp: row.publicIp } : {}),
    ...(held ? { AssociationId: address.associationId } : {}),
    IsPrimary: true,
    Status: state === "pending" ? "associating" : "succeeded",
  };
}

export const natGatewayHandlers = {
  CreateNatGateway(call, input) {
    const [before] = madeBefore(call.tables.natGateways.list(call), input);
    const row = before ?? created(call, input);
    return { ClientToken: input.ClientToken, NatGateway: described(call, row) };
  },

  DeleteNatGateway(call, input) {
    const row = theNatGateway(call, input.NatGatewayId);
    if (row.deleteAskedAt === undefined) {
      const deletedAt = call.now + call.settings.natDeletingMs;
      call.tables.natGateways.put({ ...row, deleteAskedAt: call.now, deletedAt });
    }
    return { NatGatewayId: row.id };
  },

  DescribeNatGateways(call, input) {
    const { Filter: Filters, MaxResults, NextToken: token } = input;
    const { rows, NextToken } = describe(
      call,
      { Filters, MaxResults, NextToken: token },
      {
        rows: call.tables.natGateways.list(call),
        ids: input.NatGatewayIds,
        notFound: (ids) => notFound("nat", ids),
        filters: {
          "nat-gateway-id": (row) => row.id,
          state: (row) => natGatewayState(row, call.now),
          "subnet-id": (row) => row.subnetId,
          "vpc-id": (row) => row.vpcId,
        },
      },
    );
    return { NatGateways: rows.map((row) => described(call, row)), NextToken };
  },
} satisfies Ec2Handlers;
