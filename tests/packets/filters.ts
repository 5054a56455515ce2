/**
 * What security groups and network ACLs let through, as AWS documents them. Promises that a refusal names the
 * group or the entry that refuses. Knows IPv4 alone, and no prefix list.
 */
import type { NetworkAclEntry, NetworkInterface, SecurityGroupRule } from "@aws-sdk/client-ec2";
import { addressNumber, cidr, span } from "../../src/domain/cidr.ts";
import type { Ec2State } from "./ec2State.ts";

export type Protocol = "tcp" | "udp" | "icmp";

export interface Packet {
  readonly protocol: Protocol;
  readonly source: string;
  readonly destination: string;
  /** 0 for ICMP. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** ICMP's echo and echo reply have code 0. */
  readonly icmpType: number;
}

export function isIn(address: string, block: string | undefined): boolean {
  const number = addressNumber(address);
  if (number === undefined || block === undefined) return false;
  const { first, end } = span(cidr(block));
  return first <= number && number < end;
}

/** The way a packet goes past a filter: out of an interface or subnet, or into it. */
export type Way = "out" | "in";

function farEnd(packet: Packet, way: Way): string {
  return way === "out" ? packet.destination : packet.source;
}

/**
 * True when a rule of one of the interface's groups allows the packet.
 * https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
 */
export function groupsAllow(state: Ec2State, at: NetworkInterface, packet: Packet, way: Way): boolean {
  const own = new Set(at.Groups?.map((group) => group.GroupId));
  return state.SecurityGroupRules.filter((rule) => own.has(rule.GroupId))
    .filter((rule) => rule.IsEgress === (way === "out"))
    .some(
      (rule) => ruleMatches(rule, packet) && sourceMatches(state, rule, { at, far: farEnd(packet, way) }),
    );
}

function ruleMatches(rule: SecurityGroupRule, packet: Packet): boolean {
  if (rule.IpProtocol === "-1") return true;
  if (rule.IpProtocol !== packet.protocol) return false;
  const { FromPort: from = -1, ToPort: to = -1 } = rule;
  if (packet.protocol !== "icmp") return from <= packet.destinationPort && packet.destinationPort <= to;
  return (from === -1 || from === packet.icmpType) && (to === -1 || to === 0);
}

function sourceMatches(
  state: Ec2State,
  rule: SecurityGroupRule,
  { at, far }: { readonly at: NetworkInterface; readonly far: string },
): boolean {
  if (rule.CidrIpv4 !== undefined) return isIn(far, rule.CidrIpv4);
  const referenced = rule.ReferencedGroupInfo?.GroupId;
  return referenced !== undefined && membersSeenFrom(state, at.VpcId, referenced).includes(far);
}

/**
 * A reference means the private addresses of the interfaces that have the group; it is stale, and means nobody,
 * when the group's VPC is neither this one nor an active peer of the same region.
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
 */
function membersSeenFrom(
  state: Ec2State,
  vpcId: string | undefined,
  groupId: string,
): (string | undefined)[] {
  return state.NetworkInterfaces.filter((one) => one.Groups?.some((group) => group.GroupId === groupId))
    .filter((one) => one.VpcId === vpcId || isPeerOfOneRegion(state, vpcId, one.VpcId))
    .map((one) => one.PrivateIpAddress);
}

function isPeerOfOneRegion(state: Ec2State, a: string | undefined, b: string | undefined): boolean {
  return state.VpcPeeringConnections.some(({ Status, RequesterVpcInfo: one, AccepterVpcInfo: other }) => {
    const joins = [one?.VpcId, other?.VpcId].includes(a) && [one?.VpcId, other?.VpcId].includes(b);
    return Status?.Code === "active" && joins && one?.Region === other?.Region;
  });
}

const NUMBERS: Readonly<Record<Protocol, string>> = { icmp: "1", tcp: "6", udp: "17" };

/**
 * What the subnet's ACL refuses the packet by, or undefined when it lets it through: the first entry that
 * matches, by number, decides. https://docs.aws.amazon.com/vpc/latest/userguide/nacl-basics.html
 */
export function aclRefusal(
  state: Ec2State,
  subnetId: string | undefined,
  packet: Packet,
  way: Way,
): string | undefined {
  const acl = state.NetworkAcls.find((one) => one.Associations?.some((each) => each.SubnetId === subnetId));
  const entries = (acl?.Entries ?? []).filter((entry) => entry.Egress === (way === "out"));
  const first = entries
    .toSorted((a, b) => (a.RuleNumber ?? 0) - (b.RuleNumber ?? 0))
    .find((entry) => entryMatches(entry, packet, way));
  if (first?.RuleAction === "allow") return undefined;
  return `${acl?.NetworkAclId} ${way} ${first?.RuleNumber}`;
}

function entryMatches(entry: NetworkAclEntry, packet: Packet, way: Way): boolean {
  if (!isIn(farEnd(packet, way), entry.CidrBlock)) return false;
  if (entry.Protocol === "-1") return true;
  if (entry.Protocol !== NUMBERS[packet.protocol]) return false;
  if (packet.protocol === "icmp") {
    const { Type = -1, Code = -1 } = entry.IcmpTypeCode ?? {};
    return (Type === -1 || Type === packet.icmpType) && (Code === -1 || Code === 0);
  }
  const { From = 0, To = 65535 } = entry.PortRange ?? {};
  return From <= packet.destinationPort && packet.destinationPort <= To;
}
