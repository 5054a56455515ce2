/**
 * Subnets. Promises that each lies in one block of its VPC and beside its siblings, that its free addresses
 * are counted from the interfaces in it, and that it starts on the VPC's default ACL and, for want of an
 * association, on its main route table. Refuses IPv6, Outposts and local zones.
 * https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { addressCount, type Cidr, contains, overlaps } from "../domain/cidr.ts";
import { AwsError } from "./errors.ts";
import { addressesInUse, notFound, RESERVED_ADDRESSES, theSubnet, theVpc } from "./find.ts";
import { blocksOf } from "./peeringStates.ts";
import { type Zone, zoneName, zonesOf } from "./places.ts";
import { describe } from "./query.ts";
import type { SubnetRow, VpcRow } from "./rows.ts";
import type { Tag } from "./state.ts";
import { tagSet, tagsFor } from "./tags.ts";
import { canonicalBlock, isSizeAllowed } from "./vpcBlocks.ts";
import type { Call, Ec2Handlers } from "./world.ts";

export interface NewSubnet {
  readonly vpc: VpcRow;
  readonly cidr: Cidr;
  readonly zoneId: string;
  readonly tags: readonly Tag[];
  readonly isDefault?: boolean;
}

/** Makes the subnet and puts it on the VPC's default ACL. */
export function makeSubnet(call: Call, spec: NewSubnet): SubnetRow {
  const isDefault = spec.isDefault ?? false;
  const subnet = call.tables.subnets.put({
    id: call.newId("subnet"),
    account: call.account,
    region: call.region,
    at: call.now,
    tags: spec.tags,
    vpcId: spec.vpc.id,
    cidr: spec.cidr,
    zoneId: spec.zoneId,
    isDefault,
    mapPublicIpOnLaunch: isDefault,
    dns64: false,
    assignIpv6AddressOnCreation: false,
    hostnameType: "ip-name",
    resourceNameDnsA: false,
    resourceNameDnsAaaa: false,
  });
  const acls = call.tables.networkAcls.list(call);
  const acl = acls.find((row) => row.vpcId === spec.vpc.id && row.isDefault);
  const added = { id: call.newId("aclassoc"), subnetId: subnet.id };
  if (acl) call.tables.networkAcls.put({ ...acl, associations: [...acl.associations, added] });
  return subnet;
}

/**
 * The zone asked for by name or id; AWS chooses when neither is given. An empty one is not given: terraform's
 * older providers always send both, one of them empty.
 */
function zoneFor(call: Call, input: ec2.CreateSubnetRequest): Zone {
  const name = input.AvailabilityZone || undefined;
  const id = input.AvailabilityZoneId || undefined;
  if (name !== undefined && id !== undefined)
    throw new AwsError(
      "InvalidParameterCombination",
      "The parameter availabilityZoneId cannot be used with the parameter availabilityZone",
    );
  const zones = zonesOf(call.region);
  const found = zones.find((zone) =>
    id === undefined ? name === undefined || zone.name === name : zone.id === id,
  );
  if (found) return found;
  const [parameter, value] = id === undefined ? ["availabilityZone", name] : ["availabilityZoneId", id];
  const names = zones.map((zone) => (id === undefined ? zone.name : zone.id)).join(", ");
  throw new AwsError(
    "InvalidParameterValue",
    `Value (${value}) for parameter ${parameter} is invalid. Subnets can currently only be created in the following availability zones: ${names}.`,
  );
}

function blockFor(call: Call, vpc: VpcRow, text: string): Cidr {
  const block = canonicalBlock(text);
  if (!isSizeAllowed(block) || !blocksOf(vpc).some((own) => contains(own, block)))
    throw new AwsError("InvalidSubnet.Range", `The CIDR '${text}' is invalid.`);
  const siblings = call.tables.subnets.list(call).filter((row) => row.vpcId === vpc.id);
  if (siblings.some((row) => overlaps(row.cidr, block)))
    throw new AwsError("InvalidSubnet.Conflict", `The CIDR '${text}' conflicts with another subnet`);
  if (siblings.length >= call.settings.subnetsPerVpcQuota)
    throw new AwsError(
      "SubnetLimitExceeded",
      `The maximum number of subnets has been reached for '${vpc.id}'.`,
    );
  return block;
}

function checkCreate(call: Call, input: ec2.CreateSubnetRequest): NewSubnet {
  const { Ipv6CidrBlock, Ipv6Native, OutpostArn, Ipv4IpamPoolId, Ipv6IpamPoolId } = input;
  if (Ipv6CidrBlock || Ipv6Native || OutpostArn || Ipv4IpamPoolId || Ipv6IpamPoolId)
    throw new AwsError("UnsupportedOperation", "IPv6, IPAM pools and Outposts are not part of this sandbox.");
  if (!input.CidrBlock)
    throw new AwsError("MissingParameter", "Either 'cidrBlock' or 'ipv6CidrBlock' should be provided.");
  const tags = tagsFor(input.TagSpecifications, "subnet");
  const vpc = theVpc(call, input.VpcId);
  const zoneId = zoneFor(call, input).id;
  return { vpc, zoneId, tags, cidr: blockFor(call, vpc, input.CidrBlock) };
}

function free(row: SubnetRow, inUse: ReadonlyMap<string, number>): number {
  return addressCount(row.cidr) - RESERVED_ADDRESSES - (inUse.get(row.id) ?? 0);
}

function arn(row: SubnetRow): string {
  return `arn:aws:ec2:${row.region}:${row.account}:subnet/${row.id}`;
}

function described(row: SubnetRow, inUse: ReadonlyMap<string, number>): ec2.Subnet {
  return {
    SubnetId: row.id,
    SubnetArn: arn(row),
    VpcId: row.vpcId,
    OwnerId: row.account,
    State: "available",
    CidrBlock: row.cidr,
    AvailableIpAddressCount: free(row, inUse),
    AvailabilityZone: zoneName(row.region, row.zoneId),
    AvailabilityZoneId: row.zoneId,
    DefaultForAz: row.isDefault,
    MapPublicIpOnLaunch: row.mapPublicIpOnLaunch,
    MapCustomerOwnedIpOnLaunch: false,
    AssignIpv6AddressOnCreation: row.assignIpv6AddressOnCreation,
    Ipv6CidrBlockAssociationSet: [],
    Ipv6Native: false,
    EnableDns64: row.dns64,
    PrivateDnsNameOptionsOnLaunch: {
      HostnameType: row.hostnameType,
      EnableResourceNameDnsARecord: row.resourceNameDnsA,
      EnableResourceNameDnsAAAARecord: row.resourceNameDnsAaaa,
    },
    BlockPublicAccessStates: { InternetGatewayBlockMode: "off" },
    Tags: tagSet(row.tags),
  };
}

function filters(inUse: ReadonlyMap<string, number>) {
  const zone = (row: SubnetRow) => zoneName(row.region, row.zoneId);
  const block = (row: SubnetRow) => row.cidr;
  return {
    availabilityZone: zone,
    "availability-zone": zone,
    availabilityZoneId: (row: SubnetRow) => row.zoneId,
    "availability-zone-id": (row: SubnetRow) => row.zoneId,
    "available-ip-address-count": (row: SubnetRow) => free(row, inUse),
    cidr: block,
    cidrBlock: block,
    "cidr-block": block,
    "customer-owned-ipv4-pool": () => undefined,
    defaultForAz: (row: SubnetRow) => row.isDefault,
    "default-for-az": (row: SubnetRow) => row.isDefault,
    "enable-dns64": (row: SubnetRow) => row.dns64,
    "enable-lni-at-device-index": () => undefined,
    "ipv6-cidr-block-association.association-id": () => undefined,
    "ipv6-cidr-block-association.ipv6-cidr-block": () => undefined,
    "ipv6-cidr-block-association.state": () => undefined,
    "ipv6-native": () => false,
    "map-customer-owned-ip-on-launch": () => false,
    "map-public-ip-on-launch": (row: SubnetRow) => row.mapPublicIpOnLaunch,
    "outpost-arn": () => undefined,
    "owner-id": (row: SubnetRow) => row.account,
    "private-dns-name-options-on-launch.enable-resource-name-dns-a-record": (row: SubnetRow) =>
      row.resourceNameDnsA,
    "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": (row: SubnetRow) =>
      row.resourceNameDnsAaaa,
    "private-dns-name-options-on-launch.hostname-type": (row: SubnetRow) => row.hostnameType,
    state: () => "available",
    "subnet-arn": arn,
    "subnet-id": (row: SubnetRow) => row.id,
    "vpc-id": (row: SubnetRow) => row.vpcId,
  };
}

/** A subnet goes with its places in its route table and its ACL. */
function remove(call: Call, subnet: SubnetRow): void {
  const without = <A extends { readonly subnetId?: string }>(all: readonly A[]) =>
    all.filter((one) => one.subnetId !== subnet.id);
  const has = (row: { readonly associations: readonly { readonly subnetId?: string }[] }) =>
    row.associations.some((one) => one.subnetId === subnet.id);
  for (const row of call.tables.routeTables.list(call).filter(has))
    call.tables.routeTables.put({ ...row, associations: without(row.associations) });
  for (const row of call.tables.networkAcls.list(call).filter(has))
    call.tables.networkAcls.put({ ...row, associations: without(row.associations) });
  call.tables.subnets.delete(subnet.id);
}

/** What a ModifySubnetAttribute changes; https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySubnetAttribute.html */
function changes(input: ec2.ModifySubnetAttributeRequest): Partial<SubnetRow>[] {
  const booleans = {
    mapPublicIpOnLaunch: input.MapPublicIpOnLaunch,
    assignIpv6AddressOnCreation: input.AssignIpv6AddressOnCreation,
    dns64: input.EnableDns64,
    resourceNameDnsA: input.EnableResourceNameDnsARecordOnLaunch,
    resourceNameDnsAaaa: input.EnableResourceNameDnsAAAARecordOnLaunch,
  };
  const given = Object.entries(booleans).filter(([, value]) => value !== undefined);
  const all: Partial<SubnetRow>[] = given.map(([column, value]) => ({ [column]: value?.Value ?? false }));
  const hostname = input.PrivateDnsHostnameTypeOnLaunch;
  if (hostname === undefined) return all;
  if (hostname !== "ip-name" && hostname !== "resource-name")
    throw new AwsError(
      "InvalidParameterValue",
      `Value (${hostname}) for parameter privateDnsHostnameTypeOnLaunch is invalid.`,
    );
  return [...all, { hostnameType: hostname }];
}

function modified(subnet: SubnetRow, input: ec2.ModifySubnetAttributeRequest): SubnetRow {
  if (input.MapCustomerOwnedIpOnLaunch || input.CustomerOwnedIpv4Pool || input.EnableLniAtDeviceIndex)
    throw new AwsError("UnsupportedOperation", "Outposts are not part of this sandbox.");
  const all = changes(input);
  if (all.length === 0) throw new AwsError("InvalidParameterCombination", "No attributes specified.");
  if (all.length > 1)
    throw new AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified");
  const result: SubnetRow = { ...subnet, ...all[0] };
  if (result.assignIpv6AddressOnCreation)
    throw new AwsError("InvalidParameterValue", `The subnet '${subnet.id}' has no IPv6 CIDR block.`);
  return result;
}

export const subnetHandlers = {
  CreateSubnet(call, input) {
    const subnet = makeSubnet(call, checkCreate(call, input));
    return { Subnet: described(subnet, new Map()) };
  },

  DescribeSubnets(call, input) {
    const inUse = addressesInUse(call);
    const { rows, NextToken } = describe(call, input, {
      rows: call.tables.subnets.list(call),
      ids: input.SubnetIds,
      notFound: (ids) => notFound("subnet", ids),
      filters: filters(inUse),
    });
    return { Subnets: rows.map((row) => described(row, inUse)), NextToken };
  },

  DeleteSubnet(call, input) {
    const subnet = theSubnet(call, input.SubnetId);
    if (call.tables.interfaces.list(call).some((row) => row.subnetId === subnet.id))
      throw new AwsError(
        "DependencyViolation",
        `The subnet '${subnet.id}' has dependencies and cannot be deleted.`,
      );
    remove(call, subnet);
    return {};
  },

  ModifySubnetAttribute(call, input) {
    call.tables.subnets.put(modified(theSubnet(call, input.SubnetId), input));
    return {};
  },
} satisfies Ec2Handlers;
