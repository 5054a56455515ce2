/**
 * Network ACLs: stateless, numbered entries, one ACL a subnet at any time. Promises that the last entry, 32767,
 * denies the rest and is shown though no call can make or change it, and that the default ACL stays.
 * https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
 */
import { isIPv6 } from "node:net";
import type * as ec2 from "@aws-sdk/client-ec2";
import { addressNumber, type Cidr, cidr, cidrAt } from "../domain/cidr.ts";
import { madeBefore, tokenOf } from "./clientTokens.ts";
import { AwsError } from "./errors.ts";
import { notFound, theNetworkAcl, theVpc } from "./find.ts";
import { describe, type FilterMap } from "./query.ts";
import { withinQuota } from "./quotas.ts";
import type { AclEntryRow, NetworkAclRow } from "./rows.ts";
import { tagSet, tagsFor } from "./tags.ts";
import type { Call, Ec2Handlers } from "./world.ts";

const LAST = 32767;
const ANYWHERE = cidr("0.0.0.0/0");

/** The entries of an ACL in the order they are looked at, egress first as AWS shows them. */
export function aclEntriesOf(row: NetworkAclRow): AclEntryRow[] {
  const last = (egress: boolean): AclEntryRow => ({
    number: LAST,
    egress,
    protocol: "-1",
    action: "deny",
    cidr: ANYWHERE,
  });
  const all = [...row.entries, last(true), last(false)];
  return all.sort((a, b) => Number(b.egress) - Number(a.egress) || a.number - b.number);
}

function created(call: Call, input: ec2.CreateNetworkAclRequest): NetworkAclRow {
  const tags = tagsFor(input.TagSpecifications, "network-acl");
  const vpc = theVpc(call, input.VpcId);
  withinQuota({
    count: call.tables.networkAcls.list(call).filter((row) => row.vpcId === vpc.id).length + 1,
    quota: call.settings.aclsPerVpcQuota,
    code: "NetworkAclLimitExceeded",
    what: "network ACLs",
  });
  return call.tables.networkAcls.put({
    id: call.newId("acl"),
    account: call.account,
    region: call.region,
    at: call.now,
    tags,
    vpcId: vpc.id,
    isDefault: false,
    entries: [],
    associations: [],
    ...tokenOf(input),
  });
}

function described(row: NetworkAclRow): ec2.NetworkAcl {
  return {
    NetworkAclId: row.id,
    VpcId: row.vpcId,
    OwnerId: row.account,
    IsDefault: row.isDefault,
    Entries: aclEntriesOf(row).map(describedEntry),
    Associations: row.associations.map((one) => ({
      NetworkAclAssociationId: one.id,
      NetworkAclId: row.id,
      SubnetId: one.subnetId,
    })),
    Tags: tagSet(row.tags),
  };
}

function describedEntry(entry: AclEntryRow): ec2.NetworkAclEntry {
  const { ports, icmp } = entry;
  return {
    RuleNumber: entry.number,
    Egress: entry.egress,
    Protocol: entry.protocol,
    RuleAction: entry.action,
    ...(entry.cidr ? { CidrBlock: entry.cidr } : {}),
    ...(entry.cidr6 ? { Ipv6CidrBlock: entry.cidr6 } : {}),
    ...(ports ? { PortRange: { From: ports.from, To: ports.to } } : {}),
    ...(icmp ? { IcmpTypeCode: { Type: icmp.type, Code: icmp.code } } : {}),
  };
}

const FILTERS: FilterMap<NetworkAclRow> = {
  "association.association-id": (row) => row.associations.map((one) => one.id),
  "association.network-acl-id": (row) => (row.associations.length > 0 ? row.id : undefined),
  "association.subnet-id": (row) => row.associations.map((one) => one.subnetId),
  default: (row) => row.isDefault,
  "entry.cidr": (row) => aclEntriesOf(row).map((one) => one.cidr),
  "entry.egress": (row) => aclEntriesOf(row).map((one) => one.egress),
  "entry.icmp.code": (row) => aclEntriesOf(row).map((one) => one.icmp?.code),
  "entry.icmp.type": (row) => aclEntriesOf(row).map((one) => one.icmp?.type),
  "entry.ipv6-cidr": (row) => aclEntriesOf(row).map((one) => one.cidr6),
  "entry.port-range.from": (row) => aclEntriesOf(row).map((one) => one.ports?.from),
  "entry.port-range.to": (row) => aclEntriesOf(row).map((one) => one.ports?.to),
  "entry.protocol": (row) => aclEntriesOf(row).map((one) => one.protocol),
  "entry.rule-action": (row) => aclEntriesOf(row).map((one) => one.action),
  "entry.rule-number": (row) => aclEntriesOf(row).map((one) => one.number),
  "network-acl-id": (row) => row.id,
  "owner-id": (row) => row.account,
  "vpc-id": (row) => row.vpcId,
};

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterValue", message);
}

const NUMBERS: Readonly<Record<string, string>> = { all: "-1", icmp: "1", tcp: "6", udp: "17", icmpv6: "58" };

/** AWS keeps the number, whatever of the two was sent. */
function protocolNumber(text: string | undefined): string {
  const asked = (text ?? "").toLowerCase();
  const number = Object.hasOwn(NUMBERS, asked) ? (NUMBERS[asked] ?? "") : asked;
  if (/^(-1|\d{1,3})$/.test(number) && Number(number) <= 255) return number;
  throw invalid(`Invalid value '${text}' for protocol. Unknown protocol.`);
}

/** AWS takes a block with host bits and keeps the canonical one. */
function block(text: string): Cidr {
  const [address = "", length = ""] = text.split("/");
  const number = addressNumber(address);
  if (number === undefined || !/^(\d|[12]\d|3[0-2])$/.test(length))
    throw invalid(`Value (${text}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`);
  return cidrAt(number, Number(length));
}

function block6(text: string): string {
  const [address = "", length = ""] = text.split("/");
  if (!isIPv6(address) || !/^\d{1,3}$/.test(length) || Number(length) > 128)
    throw invalid(`Value (${text}) for parameter ipv6CidrBlock is invalid. This is not a valid CIDR block.`);
  return text.toLowerCase();
}

type EntryInput = ec2.CreateNetworkAclEntryRequest;

function entryFrom(input: EntryInput): AclEntryRow {
  const { RuleNumber: number = 0, RuleAction: action, CidrBlock, Ipv6CidrBlock } = input;
  checkNumber(number);
  if (action !== "allow" && action !== "deny")
    throw invalid(`Value (${action}) for parameter ruleAction is invalid. Unknown rule action.`);
  if ((CidrBlock === undefined) === (Ipv6CidrBlock === undefined))
    throw new AwsError(
      "MissingParameter",
      "The request must contain exactly one of cidrBlock or ipv6CidrBlock",
    );
  const protocol = protocolNumber(input.Protocol);
  return {
    number,
    egress: input.Egress ?? false,
    protocol,
    action,
    ...(CidrBlock === undefined ? {} : { cidr: block(CidrBlock) }),
    ...(Ipv6CidrBlock === undefined ? {} : { cidr6: block6(Ipv6CidrBlock) }),
    ...ports(protocol, input.PortRange),
    ...icmp(protocol, input.IcmpTypeCode),
  };
}

function checkNumber(number: number): void {
  if (!Number.isInteger(number) || number < 1 || number >= LAST)
    throw invalid(
      `Value (${number}) for parameter ruleNumber is invalid. It must be between 1 and ${LAST - 1}.`,
    );
}

/** TCP and UDP need ports; other protocols have none. */
function ports(protocol: string, range: ec2.PortRange | undefined): Pick<AclEntryRow, "ports"> {
  if (protocol !== "6" && protocol !== "17") return {};
  if (range?.From === undefined || range.To === undefined)
    throw new AwsError("MissingParameter", "The request must contain the parameter PortRange");
  const { From: from, To: to } = range;
  if (from < 0 || to > 65535 || from > to) throw invalid(`Invalid port range (${from}-${to}).`);
  return { ports: { from, to } };
}

function icmp(protocol: string, asked: ec2.IcmpTypeCode | undefined): Pick<AclEntryRow, "icmp"> {
  if (protocol !== "1" && protocol !== "58") return {};
  if (asked?.Type === undefined || asked.Code === undefined)
    throw new AwsError("MissingParameter", "The request must contain the parameter icmpTypeCode");
  const { Type: type, Code: code } = asked;
  if (type < -1 || type > 255 || code < -1 || code > 255)
    throw invalid(`Invalid ICMP type (${type}) or code (${code}).`);
  return { icmp: { type, code } };
}

function isEntry(number: number | undefined, egress: boolean | undefined): (entry: AclEntryRow) => boolean {
  return (entry) => entry.number === number && entry.egress === (egress ?? false);
}

function missingEntry(row: NetworkAclRow, number: number | undefined): AwsError {
  return new AwsError(
    "InvalidNetworkAclEntry.NotFound",
    `The network acl entry identified by ${number} does not exist in ${row.id}.`,
  );
}

function replaceAssociation(call: Call, id: string | undefined, to: NetworkAclRow): string {
  const from = call.tables.networkAcls
    .list(call)
    .find((row) => row.associations.some((one) => one.id === id));
  const old = from?.associations.find((one) => one.id === id);
  if (!from || !old)
    throw new AwsError("InvalidAssociationID.NotFound", `The association ID '${id}' does not exist`);
  if (from.vpcId !== to.vpcId)
    throw invalid(`network acl ${to.id} and subnet ${old.subnetId} belong to different networks`);
  const left = call.tables.networkAcls.put({
    ...from,
    associations: from.associations.filter((one) => one.id !== id),
  });
  const target = to.id === left.id ? left : to;
  const added = { id: call.newId("aclassoc"), subnetId: old.subnetId };
  call.tables.networkAcls.put({ ...target, associations: [...target.associations, added] });
  return added.id;
}

export const networkAclHandlers = {
  CreateNetworkAcl(call, input) {
    const [before] = madeBefore(call.tables.networkAcls.list(call), input);
    return { NetworkAcl: described(before ?? created(call, input)), ClientToken: input.ClientToken };
  },

  DeleteNetworkAcl(call, input) {
    const row = theNetworkAcl(call, input.NetworkAclId);
    if (row.isDefault) throw invalid(`cannot delete default network ACL ${row.id}`);
    if (row.associations.length > 0)
      throw new AwsError(
        "DependencyViolation",
        `The networkAcl '${row.id}' has dependencies and cannot be deleted.`,
      );
    call.tables.networkAcls.delete(row.id);
    return {};
  },

  DescribeNetworkAcls(call, input) {
    const { rows, NextToken } = describe(call, input, {
      rows: call.tables.networkAcls.list(call),
      ids: input.NetworkAclIds,
      notFound: (ids) => notFound("acl", ids),
      filters: FILTERS,
    });
    return { NetworkAcls: rows.map(described), NextToken };
  },

  CreateNetworkAclEntry(call, input) {
    const row = theNetworkAcl(call, input.NetworkAclId);
    const entry = entryFrom(input);
    if (row.entries.some(isEntry(entry.number, entry.egress)))
      throw new AwsError(
        "NetworkAclEntryAlreadyExists",
        `The network acl entry identified by ${entry.number} already exists.`,
      );
    withinQuota({
      count: row.entries.filter((other) => other.egress === entry.egress).length + 1,
      quota: call.settings.entriesPerAclQuota,
      code: "NetworkAclEntryLimitExceeded",
      what: "network ACL entries",
    });
    call.tables.networkAcls.put({ ...row, entries: [...row.entries, entry] });
    return {};
  },

  ReplaceNetworkAclEntry(call, input) {
    const row = theNetworkAcl(call, input.NetworkAclId);
    const entry = entryFrom(input);
    const at = row.entries.findIndex(isEntry(entry.number, entry.egress));
    if (at < 0) throw missingEntry(row, entry.number);
    call.tables.networkAcls.put({ ...row, entries: row.entries.with(at, entry) });
    return {};
  },

  DeleteNetworkAclEntry(call, input) {
    const row = theNetworkAcl(call, input.NetworkAclId);
    checkNumber(input.RuleNumber ?? 0);
    const gone = isEntry(input.RuleNumber, input.Egress);
    if (!row.entries.some(gone)) throw missingEntry(row, input.RuleNumber);
    call.tables.networkAcls.put({ ...row, entries: row.entries.filter((entry) => !gone(entry)) });
    return {};
  },

  ReplaceNetworkAclAssociation(call, input) {
    const to = theNetworkAcl(call, input.NetworkAclId);
    return { NewAssociationId: replaceAssociation(call, input.AssociationId, to) };
  },
} satisfies Ec2Handlers;
