/**
 * Elastic IP addresses: allocate, release, associate with an interface and part again. Promises that a public
 * address is unique over all accounts, and that one in use is never released. An address that a NAT gateway
 * holds is the gateway's to free. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { addressText, cidr, span } from "../domain/cidr.ts";
import { AwsError } from "./errors.ts";
import { notFound, theAddress, theInstance, theInterface } from "./find.ts";
import { instanceState } from "./instanceStates.ts";
import { describe } from "./query.ts";
import { withinQuota } from "./quotas.ts";
import type { AddressRow, InterfaceRow } from "./rows.ts";
import { tagSet, tagsFor } from "./tags.ts";
import { seen } from "./visibility.ts";
import type { Call, Ec2Handlers } from "./world.ts";

/** The elastic IP on the interface, if there is one. */
export function addressOn(call: Pick<Call, "tables">, on: InterfaceRow): AddressRow | undefined {
  return call.tables.addresses.list(on).find((row) => row.interfaceId === on.id);
}

/** Takes the elastic IP off the interface; it stays allocated. */
export function freeAddressOn(call: Pick<Call, "tables">, on: InterfaceRow): void {
  const row = addressOn(call, on);
  if (row) call.tables.addresses.put(unmapped(row));
}

function unmapped(row: AddressRow): AddressRow {
  const { associationId: _a, interfaceId: _i, privateIp: _p, ...rest } = row;
  return rest;
}

/** The address on the interface, with a new association. */
export function mapped(call: Call, row: AddressRow, to: InterfaceRow): AddressRow {
  return { ...row, associationId: call.newId("eipassoc"), interfaceId: to.id, privateIp: to.privateIp };
}

/**
 * A public address nobody has. It starts looking at a place that depends on the id it is for, so that an
 * address just released is not at once somebody else's, as at AWS. AddressLimitExceeded when none is left.
 */
export function freePublicIp(call: Call, forId: string): string {
  const { first, end } = span(cidr(call.settings.publicSpace));
  const taken = new Set<string | undefined>([
    ...call.tables.addresses.all().map((row) => row.publicIp),
    ...call.tables.interfaces.all().map((row) => row.autoPublicIp),
  ]);
  const size = end - first;
  const start = Number.parseInt(forId.slice(-8), 16) % size;
  for (let step = 0; step < size; step++) {
    const number = first + ((start + step) % size);
    const text = addressText(number);
    if (number % 256 !== 0 && number % 256 !== 255 && !taken.has(text)) return text;
  }
  throw new AwsError("AddressLimitExceeded", "The maximum number of addresses has been reached.");
}

/** True when the VPC has an internet gateway: public addresses mean nothing without one. */
export function hasInternetGateway(call: Call, vpcId: string): boolean {
  return call.tables.internetGateways.list(call).some((row) => row.vpcId === vpcId);
}

function asked(
  call: Call,
  input: { AllocationId?: string | undefined; PublicIp?: string | undefined },
): AddressRow {
  if (input.AllocationId) return theAddress(call, input.AllocationId);
  if (!input.PublicIp)
    throw new AwsError("MissingParameter", "Either 'AllocationId' or 'PublicIp' must be provided");
  const holders = call.tables.addresses.all().filter((one) => one.publicIp === input.PublicIp);
  // One that was released, and that somebody else has been given since.
  if (holders.some((one) => one.account !== call.account)) throw notYours();
  const row = seen(call, holders).find((one) => one.region === call.region);
  if (!row) throw new AwsError("InvalidAddress.NotFound", `Address '${input.PublicIp}' not found.`);
  return row;
}

function notYours(): AwsError {
  return new AwsError("AuthFailure", "You do not have permission to access the specified resource.");
}

/** The interface to associate with: the one named, or the only one of the instance. */
function target(call: Call, input: ec2.AssociateAddressRequest): InterfaceRow {
  if (input.NetworkInterfaceId) return theInterface(call, input.NetworkInterfaceId);
  if (!input.InstanceId)
    throw new AwsError("MissingParameter", "Either 'InstanceId' or 'NetworkInterfaceId' must be provided");
  const instance = theInstance(call, input.InstanceId);
  const state = instanceState(instance, call.now);
  if (state !== "running" && state !== "pending")
    throw new AwsError("IncorrectInstanceState", `The instance '${instance.id}' is not in a valid state.`);
  if (instance.interfaceIds.length > 1)
    throw new AwsError(
      "InvalidInstanceID",
      `There are multiple interfaces attached to instance '${instance.id}'. Please specify an interface ID for the operation instead.`,
    );
  return theInterface(call, instance.interfaceIds[0]);
}

function checkTarget(call: Call, to: InterfaceRow, privateIp: string | undefined): void {
  if (to.requesterManaged) throw notYours();
  if (privateIp !== undefined && privateIp !== to.privateIp)
    throw new AwsError(
      "InvalidParameterValue",
      `Invalid value '${privateIp}' for PrivateIpAddress. The address is not assigned to interface '${to.id}'`,
    );
  if (!hasInternetGateway(call, to.vpcId))
    throw new AwsError("Gateway.NotAttached", `Network ${to.vpcId} is not attached to any internet gateway`);
}

/** An address or interface that is already associated changes partner only when the caller allows it. */
function checkReassociation(call: Call, row: AddressRow, to: InterfaceRow): void {
  if (row.associationId)
    throw new AwsError(
      "Resource.AlreadyAssociated",
      `resource ${row.id} is already associated with associate-id ${row.associationId}`,
    );
  const other = addressOn(call, to);
  if (other)
    throw new AwsError(
      "Resource.AlreadyAssociated",
      `resource ${to.id} is already associated with address ${other.publicIp}`,
    );
}

function described(call: Call, row: AddressRow): ec2.Address {
  const on = row.interfaceId ? call.tables.interfaces.get(row.interfaceId) : undefined;
  const instanceId = on?.attachment?.instanceId;
  return {
    PublicIp: row.publicIp,
    AllocationId: row.id,
    Domain: "vpc",
    PublicIpv4Pool: "amazon",
    NetworkBorderGroup: row.region,
    Tags: tagSet(row.tags),
    ...(on
      ? {
          AssociationId: row.associationId,
          NetworkInterfaceId: on.id,
          NetworkInterfaceOwnerId: on.account,
          PrivateIpAddress: row.privateIp,
          ...(instanceId ? { InstanceId: instanceId } : {}),
        }
      : {}),
  };
}

function byPublicIp(call: Call, ips: readonly string[] | undefined): AddressRow[] {
  const rows = seen(call, call.tables.addresses.list(call));
  if (!ips?.length) return rows;
  const missing = ips.filter((ip) => !rows.some((row) => row.publicIp === ip));
  if (missing.length > 0)
    throw new AwsError("InvalidAddress.NotFound", `Address '${missing.join(", ")}' not found.`);
  return rows.filter((row) => ips.includes(row.publicIp));
}

export const addressHandlers = {
  AllocateAddress(call, input) {
    if (input.Domain !== undefined && input.Domain !== "vpc")
      throw new AwsError("InvalidParameterValue", `Invalid value '${input.Domain}' for domain.`);
    if (input.Address !== undefined)
      throw new AwsError("InvalidParameterValue", `Address ${input.Address} cannot be recovered`);
    const tags = tagsFor(input.TagSpecifications, "elastic-ip");
    const { account, region, now: at } = call;
    withinQuota({
      count: call.tables.addresses.list(call).length + 1,
      quota: call.settings.addressesQuota,
      code: "AddressLimitExceeded",
      what: "addresses",
    });
    const id = call.newId("eipalloc");
    const row = call.tables.addresses.put({
      id,
      account,
      region,
      at,
      tags,
      publicIp: freePublicIp(call, id),
    });
    return {
      PublicIp: row.publicIp,
      AllocationId: id,
      PublicIpv4Pool: "amazon",
      NetworkBorderGroup: region,
      Domain: "vpc",
    };
  },

  /**
   * While the NAT gateway that holds the address is being deleted, and for a while after, AWS answers
   * AuthFailure, which is a red herring to be retried. https://github.com/kubernetes/kops/issues/938
   */
  ReleaseAddress(call, input) {
    const row = asked(call, input);
    if (row.associationId) {
      const nat = call.tables.natGateways.list(call).find((one) => one.interfaceId === row.interfaceId);
      if (nat?.deleteAskedAt !== undefined) throw notYours();
      throw new AwsError("InvalidIPAddress.InUse", `Address ${row.publicIp} is in use.`);
    }
    if (row.heldUntil !== undefined && call.now < row.heldUntil) throw notYours();
    call.tables.addresses.delete(row.id);
    return {};
  },

  AssociateAddress(call, input) {
    const row = asked(call, input);
    const to = target(call, input);
    checkTarget(call, to, input.PrivateIpAddress);
    if (row.interfaceId === to.id) return { AssociationId: row.associationId };
    if (!input.AllowReassociation) checkReassociation(call, row, to);
    const from = row.interfaceId ? call.tables.interfaces.get(row.interfaceId) : undefined;
    if (from?.requesterManaged) throw notYours();
    freeAddressOn(call, to);
    const { autoPublicIp: _, ...withoutAuto } = to;
    call.tables.interfaces.put(withoutAuto);
    return { AssociationId: call.tables.addresses.put(mapped(call, row, to)).associationId };
  },

  DisassociateAddress(call, input) {
    const { AssociationId: id } = input;
    const row = id
      ? call.tables.addresses.list(call).find((one) => one.associationId === id)
      : asked(call, input);
    if (!row)
      throw new AwsError("InvalidAssociationID.NotFound", `The association ID '${id}' does not exist`);
    if (row.interfaceId && call.tables.interfaces.get(row.interfaceId)?.requesterManaged) throw notYours();
    call.tables.addresses.put(unmapped(row));
    return {};
  },

  DescribeAddresses(call, input) {
    const { rows } = describe(call, input, {
      rows: byPublicIp(call, input.PublicIps),
      ids: input.AllocationIds,
      notFound: (ids) => notFound("eipalloc", ids),
      filters: {
        "allocation-id": (row) => row.id,
        "association-id": (row) => row.associationId,
        domain: () => "vpc",
        "instance-id": (row) => described(call, row).InstanceId,
        "network-border-group": (row) => row.region,
        "network-interface-id": (row) => row.interfaceId,
        "network-interface-owner-id": (row) => described(call, row).NetworkInterfaceOwnerId,
        "private-ip-address": (row) => row.privateIp,
        "public-ip": (row) => row.publicIp,
      },
      // This call has no pages: all are answered at once.
      pageSize: { min: 5, max: Number.POSITIVE_INFINITY },
    });
    return { Addresses: rows.map((row) => described(call, row)) };
  },

  DescribeAddressesAttribute(call, input) {
    const { AllocationIds: ids, MaxResults, NextToken: token } = input;
    const { rows, NextToken } = describe(
      call,
      { MaxResults, NextToken: token },
      {
        rows: call.tables.addresses.list(call),
        ids,
        notFound: (missing) => notFound("eipalloc", missing),
        filters: {},
        pageSize: { min: 1, max: 1000 },
      },
    );
    return { Addresses: rows.map((row) => ({ PublicIp: row.publicIp, AllocationId: row.id })), NextToken };
  },
} satisfies Ec2Handlers;
