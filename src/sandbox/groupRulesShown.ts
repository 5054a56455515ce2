/**
 * How the wire shows a security group's rules: one by one, or those of the same protocol and ports together.
 * Promises that a reference across a peering says how the peering stands: AWS lets such references go stale.
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { peeringBetween, type Source } from "./groupRules.ts";
import { hasVpc, peeringState } from "./peeringStates.ts";
import type { GroupRuleRow, SecurityGroupRow } from "./rows.ts";
import { tagSet } from "./tags.ts";
import type { Call } from "./world.ts";

/** How the wire shows one rule. */
export function describedRule(
  call: Call,
  group: SecurityGroupRow,
  rule: GroupRuleRow,
): ec2.SecurityGroupRule {
  return {
    SecurityGroupRuleId: rule.id,
    SecurityGroupRuleArn: `arn:aws:ec2:${group.region}:${group.account}:security-group-rule/${rule.id}`,
    GroupId: group.id,
    GroupOwnerId: group.account,
    IsEgress: rule.egress,
    IpProtocol: rule.protocol,
    FromPort: rule.fromPort,
    ToPort: rule.toPort,
    ...describedSource(call, group, rule.source),
    ...(rule.description ? { Description: rule.description } : {}),
    Tags: tagSet(rule.tags),
  };
}

function describedSource(call: Call, group: SecurityGroupRow, source: Source): ec2.SecurityGroupRule {
  switch (source.type) {
    case "cidr":
      return { CidrIpv4: source.cidr };
    case "cidr6":
      return { CidrIpv6: source.cidr };
    case "prefixList":
      return { PrefixListId: source.prefixListId };
    case "group":
      return { ReferencedGroupInfo: { ...reference(call, group, source) } };
  }
}

/** Across a peering, AWS adds where the group is and how the peering stands: a reference can go stale. */
function reference(call: Call, group: SecurityGroupRow, source: Extract<Source, { type: "group" }>) {
  const base = { GroupId: source.groupId, UserId: source.userId };
  const other = call.tables.securityGroups.get(source.groupId);
  if (!other || other.vpcId === group.vpcId) return base;
  const all = call.tables.peerings
    .all()
    .filter((row) => hasVpc(row, group.vpcId) && hasVpc(row, other.vpcId));
  const peering = peeringBetween(call, group, other) ?? all.at(-1);
  if (!peering) return { ...base, VpcId: other.vpcId };
  return {
    ...base,
    VpcId: other.vpcId,
    VpcPeeringConnectionId: peering.id,
    PeeringStatus: peeringState(peering, call.now),
  };
}

/** The rules of one direction, those of the same protocol and ports together, as DescribeSecurityGroups has them. */
export function describedPermissions(
  call: Call,
  group: SecurityGroupRow,
  rules: readonly GroupRuleRow[],
): ec2.IpPermission[] {
  const together = Map.groupBy(rules, (rule) => `${rule.protocol} ${rule.fromPort} ${rule.toPort}`);
  return [...together.values()].map((members) => permission(call, group, members));
}

function permission(call: Call, group: SecurityGroupRow, rules: readonly GroupRuleRow[]): ec2.IpPermission {
  const [first] = rules;
  const sources = rules.map(({ source, description }) => ({
    source,
    ...(description ? { description } : {}),
  }));
  const pick = <T>(make: (source: Source, description: { Description?: string }) => T | undefined): T[] =>
    sources.flatMap((one) => make(one.source, one.description ? { Description: one.description } : {}) ?? []);
  const portless = first === undefined || !/^(tcp|udp|icmp|icmpv6)$/.test(first.protocol);
  return {
    IpProtocol: first?.protocol,
    ...(portless ? {} : { FromPort: first.fromPort, ToPort: first.toPort }),
    IpRanges: pick((source, text) => (source.type === "cidr" ? { CidrIp: source.cidr, ...text } : undefined)),
    Ipv6Ranges: pick((source, text) =>
      source.type === "cidr6" ? { CidrIpv6: source.cidr, ...text } : undefined,
    ),
    PrefixListIds: pick((source, text) =>
      source.type === "prefixList" ? { PrefixListId: source.prefixListId, ...text } : undefined,
    ),
    UserIdGroupPairs: pick((source, text) =>
      source.type === "group" ? { ...reference(call, group, source), ...text } : undefined,
    ),
  };
}
