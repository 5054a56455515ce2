/**
 * A security group's rules between the wire and the rows: an IpPermission of the wire holds several sources, a
 * row holds one, with an id and tags of its own. Promises that what reaches a row is well formed and canonical.
 * Refuses blocks with host bits, ports out of order, and groups of networks that are not peered.
 * https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
 */
import { isIPv6 } from "node:net";
import type * as ec2 from "@aws-sdk/client-ec2";
import { parseCidr } from "../domain/cidr.ts";
import { gatewayServices, prefixListOf } from "./endpointServices.ts";
import { AwsError } from "./errors.ts";
import { activePeeringsOf, hasVpc } from "./peeringStates.ts";
import type { GroupRuleRow, PeeringRow, SecurityGroupRow } from "./rows.ts";
import type { Tag } from "./state.ts";
import { isSeen } from "./visibility.ts";
import type { Call } from "./world.ts";

export type Source = GroupRuleRow["source"];

/** A rule as asked for, not yet one of a group. */
export type AskedRule = Omit<GroupRuleRow, "id" | "tags">;

interface Direction {
  readonly egress: boolean;
  /** False when rules are only sought: what they refer to may be gone by then. */
  readonly mustExist: boolean;
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterValue", message);
}

/** One rule for each source, in the order of the wire. Errors: InvalidParameterValue, InvalidGroup.NotFound. */
export function askedRules(
  call: Call,
  group: SecurityGroupRow,
  asked: { readonly permissions: readonly ec2.IpPermission[] } & Direction,
): AskedRule[] {
  if (asked.permissions.length === 0)
    throw new AwsError("MissingParameter", "The request must contain the parameter ipPermissions");
  return asked.permissions.flatMap((permission) => {
    const { protocol, fromPort, toPort } = protocolAndPorts(permission);
    const sources = sourcesOf(call, group, { permission, ...asked });
    if (sources.length === 0)
      throw new AwsError(
        "MissingParameter",
        "The permission must contain a source: a range, a group or a list",
      );
    return sources.map(({ source, description }) => ({
      egress: asked.egress,
      protocol,
      fromPort,
      toPort,
      source,
      ...withDescription(description),
    }));
  });
}

export function withDescription(text: string | undefined): { description?: string } {
  if (!text) return {};
  if (text.length > 255 || !/^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]*$/.test(text))
    throw invalid(
      "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
    );
  return { description: text };
}

const NAMES: Readonly<Record<string, string>> = {
  "6": "tcp",
  "17": "udp",
  "1": "icmp",
  "58": "icmpv6",
  all: "-1",
};

function protocolAndPorts(
  permission: ec2.IpPermission,
): Pick<GroupRuleRow, "protocol" | "fromPort" | "toPort"> {
  const protocol = protocolName(permission.IpProtocol);
  const { FromPort: from, ToPort: to } = permission;
  if (protocol === "tcp" || protocol === "udp") return { protocol, ...ports(from, to) };
  if (protocol === "icmp" || protocol === "icmpv6") return { protocol, ...icmp(from, to) };
  return { protocol, fromPort: -1, toPort: -1 };
}

function protocolName(text: string | undefined): string {
  if (text === undefined)
    throw new AwsError("MissingParameter", "The request must contain the parameter ipProtocol");
  const asked = text.toLowerCase();
  const name = Object.hasOwn(NAMES, asked) ? (NAMES[asked] ?? asked) : asked;
  const known = ["tcp", "udp", "icmp", "icmpv6", "-1"].includes(name);
  if (known || (/^\d{1,3}$/.test(name) && Number(name) <= 255)) return name;
  throw invalid(`Invalid value '${text}' for IP protocol. Unknown protocol.`);
}

function ports(from: number | undefined, to: number | undefined) {
  if (from === undefined || to === undefined)
    throw invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.");
  if (from < 0 || from > 65535 || to < 0 || to > 65535)
    throw invalid(`Invalid value '${from}-${to}' for portRange. Ports are 0 to 65535.`);
  if (from > to) throw invalid(`Invalid TCP/UDP port range (${from}, ${to})`);
  return { fromPort: from, toPort: to };
}

/** Type and code in the places of the ports; -1 = all. */
function icmp(type = -1, code = -1) {
  if (type < -1 || type > 255 || code < -1 || code > 255) throw invalid(`ICMP code (${code}) out of range`);
  if (type === -1 && code !== -1) throw invalid("All ICMP types need all ICMP codes: -1.");
  return { fromPort: type, toPort: code };
}

interface Described {
  readonly source: Source;
  readonly description: string | undefined;
}

function sourcesOf(
  call: Call,
  group: SecurityGroupRow,
  { permission, mustExist }: { readonly permission: ec2.IpPermission } & Direction,
): Described[] {
  return [
    ...(permission.IpRanges ?? []).map((one) => ({
      source: range(one.CidrIp),
      description: one.Description,
    })),
    ...(permission.Ipv6Ranges ?? []).map((one) => ({
      source: range6(one.CidrIpv6),
      description: one.Description,
    })),
    ...(permission.PrefixListIds ?? []).map((one) => ({
      source: prefixList(call, one.PrefixListId, mustExist),
      description: one.Description,
    })),
    ...(permission.UserIdGroupPairs ?? []).map((one) => ({
      source: pair(call, group, { pair: one, mustExist }),
      description: one.Description,
    })),
  ];
}

function range(text: string | undefined): Source {
  const parsed = parseCidr(text ?? "");
  if ("problem" in parsed) throw invalid(`CIDR block ${text} is malformed`);
  return { type: "cidr", cidr: parsed.cidr };
}

function range6(text = ""): Source {
  const [address = "", length = ""] = text.split("/");
  if (!isIPv6(address) || !/^\d{1,3}$/.test(length) || Number(length) > 128)
    throw invalid(`CIDR block ${text} is malformed`);
  return { type: "cidr6", cidr: text.toLowerCase() };
}

function prefixList(call: Call, id = "", mustExist: boolean): Source {
  const lists = gatewayServices(call.region).map((name) => prefixListOf(name).id);
  if (mustExist && !lists.includes(id))
    throw new AwsError("InvalidPrefixListID.NotFound", `The prefix list ID '${id}' does not exist`);
  return { type: "prefixList", prefixListId: id };
}

/**
 * A group of the same VPC, or of one that an active peering of the same region leads to.
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
 */
function pair(
  call: Call,
  group: SecurityGroupRow,
  asked: { readonly pair: ec2.UserIdGroupPair; readonly mustExist: boolean },
): Source {
  const { GroupId: id, GroupName: name, UserId: user } = asked.pair;
  const siblings = call.tables.securityGroups.list(call).filter((row) => row.vpcId === group.vpcId);
  const found = id ? call.tables.securityGroups.get(id) : siblings.find((row) => row.name === name);
  if (!asked.mustExist && id)
    return { type: "group", groupId: id, userId: found?.account ?? user ?? call.account };
  if (!found || !isSeen(call, found) || (user !== undefined && user !== found.account))
    throw new AwsError("InvalidGroup.NotFound", `The security group '${id ?? name}' does not exist`);
  if (found.vpcId !== group.vpcId && !peeringBetween(call, group, found))
    throw new AwsError(
      "InvalidGroup.NotFound",
      "You have specified two resources that belong to different networks.",
    );
  return { type: "group", groupId: found.id, userId: found.account };
}

/** The active peering of one region that joins the two groups' VPCs. */
export function peeringBetween(call: Call, a: SecurityGroupRow, b: SecurityGroupRow): PeeringRow | undefined {
  return activePeeringsOf(call, a.vpcId).find(
    (row) => hasVpc(row, b.vpcId) && row.requester.region === row.accepter.region,
  );
}

export function sourceText(source: Source): string {
  if (source.type === "group") return source.groupId;
  return source.type === "prefixList" ? source.prefixListId : source.cidr;
}

/** True when both let the same traffic through; ids, tags and descriptions do not matter. */
export function isSameRule(a: AskedRule, b: AskedRule): boolean {
  return (
    a.egress === b.egress &&
    a.protocol === b.protocol &&
    a.fromPort === b.fromPort &&
    a.toPort === b.toPort &&
    a.source.type === b.source.type &&
    sourceText(a.source) === sourceText(b.source)
  );
}

/** Asked rules as rules of a group, all with the same tags. */
export function madeRules(call: Call, asked: readonly AskedRule[], tags: readonly Tag[]): GroupRuleRow[] {
  return asked.map((rule) => ({ ...rule, id: call.newId("sgr"), tags }));
}

/** InvalidPermission.Duplicate when the group, or the request itself, has one of the rules already. */
export function refuseDuplicates(existing: readonly AskedRule[], asked: readonly AskedRule[]): void {
  asked.forEach((rule, at) => {
    if (asked.slice(0, at).some((other) => isSameRule(other, rule)))
      throw invalid("The same permission must not appear multiple times");
    if (existing.some((other) => isSameRule(other, rule)))
      throw new AwsError(
        "InvalidPermission.Duplicate",
        `the specified rule "${ruleText(rule)}" already exists`,
      );
  });
}

function ruleText(rule: AskedRule): string {
  const peer = `peer: ${sourceText(rule.source)}`;
  if (rule.protocol === "-1") return `${peer}, ALL, ALLOW`;
  const range = `from port: ${rule.fromPort}, to port: ${rule.toPort}`;
  return `${peer}, ${rule.protocol.toUpperCase()}, ${range}, ALLOW`;
}
