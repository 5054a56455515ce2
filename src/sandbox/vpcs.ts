/**
 * VPCs. Promises that each is born with its main route table, default security group and default network ACL,
 * and dies with them; that it cannot be deleted while anything else depends on it. Refuses IPv6, IPAM and the
 * rest of CreateVpc that this cloud does not have. Blocks are in vpcBlocks.ts.
 * https://docs.aws.amazon.com/vpc/latest/userguide/delete-vpc.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { type Cidr, cidr } from "../domain/cidr.ts";
import { AwsError } from "./errors.ts";
import { notFound, theVpc } from "./find.ts";
import { activePeeringsOf, endedPeering, peeringState } from "./peeringStates.ts";
import { dhcpOptionsId } from "./places.ts";
import { describe } from "./query.ts";
import type { AclEntryRow, GroupRuleRow, VpcRow } from "./rows.ts";
import type { Tag } from "./state.ts";
import { tagSet, tagsFor } from "./tags.ts";
import { association, vpcBlock } from "./vpcBlocks.ts";
import type { Call, Ec2Handlers } from "./world.ts";

export interface NewVpc {
  readonly cidr: Cidr;
  readonly tags: readonly Tag[];
  readonly isDefault?: boolean;
  readonly tenancy?: VpcRow["tenancy"];
}

/** Makes the VPC and what AWS makes with it. */
export function makeVpc(call: Call, spec: NewVpc): VpcRow {
  const isDefault = spec.isDefault ?? false;
  const vpc = call.tables.vpcs.put({
    ...born(call, "vpc", spec.tags),
    cidr: spec.cidr,
    secondary: [],
    primaryAssociationId: call.newId("vpc-cidr-assoc"),
    isDefault,
    // The default VPC is there from the beginning.
    availableAt: call.now + (isDefault ? 0 : call.settings.vpcPendingMs),
    tenancy: spec.tenancy ?? "default",
    dnsSupport: true,
    dnsHostnames: isDefault,
    networkAddressUsageMetrics: false,
  });
  makeMainRouteTable(call, vpc);
  makeDefaultGroup(call, vpc);
  makeDefaultAcl(call, vpc);
  return vpc;
}

function born(call: Call, prefix: string, tags: readonly Tag[] = []) {
  const { account, region, now } = call;
  return { id: call.newId(prefix), account, region, at: now, tags };
}

function makeMainRouteTable(call: Call, vpc: VpcRow): void {
  call.tables.routeTables.put({
    ...born(call, "rtb"),
    vpcId: vpc.id,
    routes: [],
    associations: [{ id: call.newId("rtbassoc"), main: true }],
  });
}

const ANYWHERE = cidr("0.0.0.0/0");

/** In from itself, out to everywhere: https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html */
function makeDefaultGroup(call: Call, vpc: VpcRow): void {
  const group = born(call, "sg");
  const all = { protocol: "-1", fromPort: -1, toPort: -1, tags: [] };
  const rules: GroupRuleRow[] = [
    {
      ...all,
      id: call.newId("sgr"),
      egress: false,
      source: { type: "group", groupId: group.id, userId: call.account },
    },
    { ...all, id: call.newId("sgr"), egress: true, source: { type: "cidr", cidr: ANYWHERE } },
  ];
  const description = "default VPC security group";
  call.tables.securityGroups.put({ ...group, vpcId: vpc.id, name: "default", description, rules });
}

/** All in, all out; the last deny, 32767, is shown by every ACL and kept by none. */
function makeDefaultAcl(call: Call, vpc: VpcRow): void {
  const entry = (egress: boolean): AclEntryRow => ({
    number: 100,
    egress,
    protocol: "-1",
    action: "allow",
    cidr: ANYWHERE,
  });
  call.tables.networkAcls.put({
    ...born(call, "acl"),
    vpcId: vpc.id,
    isDefault: true,
    entries: [entry(false), entry(true)],
    associations: [],
  });
}

function checkCreate(call: Call, input: ec2.CreateVpcRequest): NewVpc {
  const ipv6 = input.AmazonProvidedIpv6CidrBlock || input.Ipv6Pool || input.Ipv6CidrBlock;
  if (ipv6 || input.Ipv6IpamPoolId || input.Ipv4IpamPoolId)
    throw new AwsError("UnsupportedOperation", "IPv6 and IPAM pools are not part of this sandbox.");
  const tenancy = input.InstanceTenancy ?? "default";
  if (tenancy !== "default" && tenancy !== "dedicated")
    throw new AwsError(
      "InvalidParameterValue",
      `Value (${tenancy}) for parameter instanceTenancy is invalid. Tenancy must be default or dedicated.`,
    );
  if (call.tables.vpcs.list(call).length >= call.settings.vpcsQuota)
    throw new AwsError("VpcLimitExceeded", "The maximum number of VPCs has been reached.");
  return { cidr: vpcBlock(input.CidrBlock), tags: tagsFor(input.TagSpecifications, "vpc"), tenancy };
}

function state(call: Call, row: VpcRow): ec2.VpcState {
  return row.availableAt <= call.now ? "available" : "pending";
}

function described(call: Call, row: VpcRow): ec2.Vpc {
  return {
    VpcId: row.id,
    OwnerId: row.account,
    State: state(call, row),
    CidrBlock: row.cidr,
    CidrBlockAssociationSet: [
      association(row.primaryAssociationId, row.cidr),
      ...row.secondary.map((one) => association(one.id, one.cidr)),
    ],
    Ipv6CidrBlockAssociationSet: [],
    DhcpOptionsId: dhcpOptionsId(call),
    InstanceTenancy: row.tenancy,
    IsDefault: row.isDefault,
    BlockPublicAccessStates: { InternetGatewayBlockMode: "off" },
    Tags: tagSet(row.tags),
  };
}

function filters(call: Call) {
  const blocks = (row: VpcRow) => [row.cidr, ...row.secondary.map((one) => one.cidr)];
  return {
    cidr: (row: VpcRow) => row.cidr,
    cidrBlock: (row: VpcRow) => row.cidr,
    "cidr-block": (row: VpcRow) => row.cidr,
    "cidr-block-association.association-id": (row: VpcRow) => [
      row.primaryAssociationId,
      ...row.secondary.map((one) => one.id),
    ],
    "cidr-block-association.cidr-block": blocks,
    "cidr-block-association.state": () => "associated",
    "dhcp-options-id": () => dhcpOptionsId(call),
    dhcpOptionsId: () => dhcpOptionsId(call),
    "ipv6-cidr-block-association.association-id": () => undefined,
    "ipv6-cidr-block-association.ipv6-cidr-block": () => undefined,
    "ipv6-cidr-block-association.ipv6-pool": () => undefined,
    "ipv6-cidr-block-association.state": () => undefined,
    "is-default": (row: VpcRow) => row.isDefault,
    isDefault: (row: VpcRow) => row.isDefault,
    "owner-id": (row: VpcRow) => row.account,
    state: (row: VpcRow) => state(call, row),
    "vpc-id": (row: VpcRow) => row.id,
  };
}

/**
 * True while something that does not go with the VPC depends on it. A pending peering request of another
 * account does: https://docs.aws.amazon.com/vpc/latest/peering/delete-vpc-peering-connection.html
 */
function hasDependents(call: Call, vpc: VpcRow): boolean {
  const { tables, now } = call;
  const ofVpc = (row: { readonly vpcId?: string }) => row.vpcId === vpc.id;
  const pastOf = (moment: number | undefined) => moment !== undefined && moment <= now;
  return (
    tables.subnets.list(call).some(ofVpc) ||
    tables.internetGateways.list(call).some(ofVpc) ||
    tables.interfaces.list(call).some(ofVpc) ||
    tables.natGateways
      .list(call)
      .some((row) => ofVpc(row) && !pastOf(row.deletedAt) && !pastOf(row.failsAt)) ||
    tables.endpoints.list(call).some((row) => ofVpc(row) && !pastOf(row.deletedAt)) ||
    tables.routeTables.list(call).some((row) => ofVpc(row) && !row.associations.some((one) => one.main)) ||
    tables.securityGroups.list(call).some((row) => ofVpc(row) && row.name !== "default") ||
    tables.networkAcls.list(call).some((row) => ofVpc(row) && !row.isDefault) ||
    isPeered(call, vpc)
  );
}

function isPeered(call: Call, vpc: VpcRow): boolean {
  if (activePeeringsOf(call, vpc.id).length > 0) return true;
  return call.tables.peerings.all().some((row) => {
    const from = peeringState(row, call.now);
    const accepted =
      from === "provisioning" && (row.requester.vpcId === vpc.id || row.accepter.vpcId === vpc.id);
    const received = row.accepter.vpcId === vpc.id && row.requester.account !== vpc.account;
    return accepted || (received && (from === "initiating-request" || from === "pending-acceptance"));
  });
}

/** Requests nobody has accepted go with the VPC that made them, and those of the same account with either. */
function endRequests(call: Call, vpc: VpcRow): void {
  for (const row of call.tables.peerings.all()) {
    const from = peeringState(row, call.now);
    const open = from === "initiating-request" || from === "pending-acceptance";
    const own = row.requester.vpcId === vpc.id;
    const received = row.accepter.vpcId === vpc.id && row.requester.account === vpc.account;
    if (open && (own || received)) call.tables.peerings.put(endedPeering(call, row));
  }
}

function remove(call: Call, vpc: VpcRow): void {
  const { tables } = call;
  endRequests(call, vpc);
  for (const table of [tables.routeTables, tables.securityGroups, tables.networkAcls])
    for (const row of table.list(call)) if (row.vpcId === vpc.id) table.delete(row.id);
  tables.vpcs.delete(vpc.id);
}

const ATTRIBUTES = {
  enableDnsSupport: ["EnableDnsSupport", "dnsSupport"],
  enableDnsHostnames: ["EnableDnsHostnames", "dnsHostnames"],
  enableNetworkAddressUsageMetrics: ["EnableNetworkAddressUsageMetrics", "networkAddressUsageMetrics"],
} as const;

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcAttribute.html: one attribute a request. */
function modified(vpc: VpcRow, input: ec2.ModifyVpcAttributeRequest): VpcRow {
  const given = Object.values(ATTRIBUTES).filter(([member]) => input[member] !== undefined);
  const [first, second] = given;
  if (!first) throw new AwsError("InvalidParameterCombination", "No attributes specified.");
  if (second)
    throw new AwsError(
      "InvalidParameterCombination",
      `Fields for multiple attribute types specified: ${given.map(([member]) => member).join(", ")}`,
    );
  const [member, column] = first;
  const value = input[member]?.Value ?? false;
  if (column === "dnsHostnames" && value && !vpc.dnsSupport)
    throw new AwsError(
      "InvalidParameterCombination",
      "DNS hostnames can only be enabled when DNS support is enabled.",
    );
  return { ...vpc, [column]: value };
}

export const vpcHandlers = {
  CreateVpc(call, input) {
    return { Vpc: described(call, makeVpc(call, checkCreate(call, input))) };
  },

  DescribeVpcs(call, input) {
    const { rows, NextToken } = describe(call, input, {
      rows: call.tables.vpcs.list(call),
      ids: input.VpcIds,
      notFound: (ids) => notFound("vpc", ids),
      filters: filters(call),
    });
    return { Vpcs: rows.map((row) => described(call, row)), NextToken };
  },

  DeleteVpc(call, input) {
    const vpc = theVpc(call, input.VpcId);
    if (hasDependents(call, vpc))
      throw new AwsError(
        "DependencyViolation",
        `The vpc '${vpc.id}' has dependencies and cannot be deleted.`,
      );
    remove(call, vpc);
    return {};
  },

  ModifyVpcAttribute(call, input) {
    call.tables.vpcs.put(modified(theVpc(call, input.VpcId), input));
    return {};
  },

  DescribeVpcAttribute(call, input) {
    const vpc = theVpc(call, input.VpcId);
    const asked = input.Attribute ?? "";
    const found = Object.hasOwn(ATTRIBUTES, asked) ? ATTRIBUTES[asked as keyof typeof ATTRIBUTES] : undefined;
    if (!found)
      throw new AwsError(
        "InvalidParameterValue",
        `Value (${asked}) for parameter attribute is invalid. Unknown attribute.`,
      );
    const [member, column] = found;
    return { VpcId: vpc.id, [member]: { Value: vpc[column] } };
  },
} satisfies Ec2Handlers;
