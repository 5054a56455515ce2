/**
 * The rules of a random topology: what its groups and network ACLs let through, and where its route tables lead.
 * Promises that every range of ports holds either all or none of the ports that connections are made from, so
 * that a NAT gateway that changes them changes no verdict.
 */
import * as ec2 from "@aws-sdk/client-ec2";
import type { Dice } from "../../src/sandbox/dice.ts";
import { ALIAS, chance, type Made, type MadePeering, type MadeVpc, pick } from "./made.ts";

const ANYWHERE = "0.0.0.0/0";

/** Around the ports of the probes, and around those that answers go to. */
const PORTS = [
  [4000, 4001],
  [4000, 4002],
  [4001, 4001],
  [4001, 4002],
  [4002, 4003],
  [0, 65535],
] as const;
const ANSWERS = [
  [1024, 65535],
  [32768, 65535],
] as const;

const GENEROUS = [{ IpProtocol: "-1" }, { IpProtocol: "tcp", FromPort: 4000, ToPort: 4002 }] as const;

/** A block that matters to somebody in the topology. */
export function someBlock({ dice, vpcs }: Made): string {
  const vpc = pick(dice, vpcs);
  const kinds = [ANYWHERE, ANYWHERE, "10.0.0.0/8", vpc.block, vpc.block, pick(dice, vpc.subnets).block];
  return pick(dice, [...kinds, "192.0.2.0/24", ...vpc.hosts.map((host) => `${host.address}/32`)]);
}

export async function ruleGroups(made: Made): Promise<void> {
  const { dice } = made;
  for (const vpc of made.vpcs)
    for (const GroupId of vpc.groups) {
      const ingress = permissions(made, vpc, dice.between(1, 3));
      if (chance(dice, 60)) ingress.push({ ...pick(dice, GENEROUS), IpRanges: [{ CidrIp: "10.0.0.0/8" }] });
      await vpc.client.send(
        new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: distinct(ingress) }),
      );
      if (chance(dice, 25)) await limitEgress(made, vpc, GroupId);
    }
}

async function limitEgress(made: Made, vpc: MadeVpc, GroupId: string): Promise<void> {
  const IpPermissions = [{ IpProtocol: "-1", IpRanges: [{ CidrIp: ANYWHERE }] }];
  await vpc.client.send(new ec2.RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions }));
  const allowed = distinct(permissions(made, vpc, made.dice.between(1, 3))).filter(
    (one) => JSON.stringify(one) !== JSON.stringify(IpPermissions[0]),
  );
  if (allowed.length > 0)
    await vpc.client.send(new ec2.AuthorizeSecurityGroupEgressCommand({ GroupId, IpPermissions: allowed }));
}

function permissions(made: Made, vpc: MadeVpc, count: number): ec2.IpPermission[] {
  return Array.from({ length: count }, () => somePermission(made, vpc));
}

/** AWS refuses the same permission twice in one request. */
function distinct(all: readonly ec2.IpPermission[]): ec2.IpPermission[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

export function somePermission(made: Made, vpc: MadeVpc): ec2.IpPermission {
  const { dice } = made;
  const protocol = pick(dice, ["-1", "tcp", "tcp", "tcp", "udp", "icmp"]);
  return { IpProtocol: protocol, ...portsOf(dice, protocol), ...someSource(made, vpc) };
}

function portsOf(dice: Dice, protocol: string): { FromPort?: number; ToPort?: number } {
  if (protocol === "-1") return {};
  if (protocol === "icmp") return { FromPort: pick(dice, [-1, 8, 8, 0]), ToPort: -1 };
  const [FromPort, ToPort] = pick(dice, PORTS);
  return { FromPort, ToPort };
}

/** A block, or a group of the VPC or of a peer that may be referred to. */
function someSource(made: Made, vpc: MadeVpc): ec2.IpPermission {
  const { dice } = made;
  if (chance(dice, 60)) return { IpRanges: [{ CidrIp: someBlock(made) }] };
  const owners = [vpc, ...peersOfRegion(made, vpc)];
  const owner = pick(dice, owners);
  return { UserIdGroupPairs: [{ GroupId: pick(dice, owner.groups), UserId: owner.place.account }] };
}

function peersOfRegion({ peerings }: Made, vpc: MadeVpc): MadeVpc[] {
  return peerings
    .filter((one) => one.isActive && one.ends.includes(vpc))
    .map((one) => otherEnd(one, vpc))
    .filter((other) => other.place.region === vpc.place.region);
}

function otherEnd({ ends: [one, other] }: MadePeering, vpc: MadeVpc): MadeVpc {
  return one === vpc ? other : one;
}

/** Half of the VPCs get a list of their own for a subnet; the default one lets everything through. */
export async function listSubnets(made: Made): Promise<void> {
  for (const vpc of made.vpcs.filter(() => chance(made.dice, 55))) {
    const { NetworkAcl: acl } = await vpc.client.send(new ec2.CreateNetworkAclCommand({ VpcId: vpc.id }));
    const id = acl?.NetworkAclId ?? "";
    for (const Egress of [true, false]) await fillList(made, vpc, { id, Egress });
    await useList(vpc, id, pick(made.dice, vpc.subnets).id);
  }
}

async function fillList(
  made: Made,
  vpc: MadeVpc,
  { id: NetworkAclId, Egress }: { readonly id: string; readonly Egress: boolean },
): Promise<void> {
  const { dice } = made;
  const add = (RuleNumber: number, entry: Entry) =>
    vpc.client.send(new ec2.CreateNetworkAclEntryCommand({ NetworkAclId, Egress, RuleNumber, ...entry }));
  const count = dice.between(0, 3);
  for (let at = 0; at < count; at++) await add(10 + 10 * at, someEntry(made));
  if (chance(dice, 75)) await add(200, { RuleAction: "allow", Protocol: "-1", CidrBlock: ANYWHERE });
  else
    for (const [at, range] of [pick(dice, PORTS), pick(dice, ANSWERS)].entries())
      await add(210 + at, { ...ofPorts("6", range), RuleAction: "allow", CidrBlock: ANYWHERE });
}

type Entry = Omit<ec2.CreateNetworkAclEntryRequest, "NetworkAclId" | "Egress" | "RuleNumber">;

function ofPorts(Protocol: string, [From, To]: readonly [number, number]) {
  return { Protocol, PortRange: { From, To } };
}

export function someEntry(made: Made): Entry {
  const { dice } = made;
  const Protocol = pick(dice, ["-1", "6", "6", "6", "17", "1"]);
  const what =
    Protocol === "1"
      ? { Protocol, IcmpTypeCode: { Type: pick(dice, [-1, 8, 0]), Code: -1 } }
      : Protocol === "-1"
        ? { Protocol }
        : ofPorts(Protocol, pick(dice, [...PORTS, ...ANSWERS]));
  const RuleAction = chance(dice, 50) ? "allow" : "deny";
  return { ...what, RuleAction, CidrBlock: someBlock(made) };
}

/** The list takes the place of the one that the subnet has. */
async function useList(vpc: MadeVpc, NetworkAclId: string, subnetId: string): Promise<void> {
  const Filters = [{ Name: "association.subnet-id", Values: [subnetId] }];
  const { NetworkAcls = [] } = await vpc.client.send(new ec2.DescribeNetworkAclsCommand({ Filters }));
  const associations = NetworkAcls.flatMap((one) => one.Associations ?? []);
  const AssociationId = associations.find((one) => one.SubnetId === subnetId)?.NetworkAclAssociationId;
  await vpc.client.send(new ec2.ReplaceNetworkAclAssociationCommand({ AssociationId, NetworkAclId }));
}

export async function routeTables(made: Made): Promise<void> {
  for (const vpc of made.vpcs) {
    for (const table of vpc.tables) await fillTable(made, vpc, table);
    for (const subnet of vpc.subnets.filter(() => chance(made.dice, 80)))
      await vpc.client.send(
        new ec2.AssociateRouteTableCommand({
          SubnetId: subnet.id,
          RouteTableId: tableFor(made, vpc, subnet),
        }),
      );
  }
}

/** A NAT gateway whose own subnet leads to itself is a circle: mostly it gets the table that leads out. */
function tableFor({ dice }: Made, { tables, natSubnetId }: MadeVpc, { id }: { readonly id: string }): string {
  return id === natSubnetId && chance(dice, 85) ? (tables[1] ?? "") : pick(dice, tables);
}

type Target = Pick<
  ec2.CreateRouteRequest,
  "GatewayId" | "NatGatewayId" | "VpcPeeringConnectionId" | "NetworkInterfaceId"
>;

async function fillTable(made: Made, vpc: MadeVpc, table: string): Promise<void> {
  const { dice } = made;
  const wanted = new Map<string, Target>();
  const isPublic = table === vpc.tables[1];
  const out = isPublic && vpc.gatewayId ? { GatewayId: vpc.gatewayId } : defaultTarget(made, vpc);
  if (out && chance(dice, 90)) wanted.set(ANYWHERE, out);
  for (const peering of made.peerings.filter((one) => one.ends.includes(vpc))) {
    const other = otherEnd(peering, vpc);
    if (chance(dice, 90)) wanted.set(destination(dice, other), peerTarget(made, vpc, peering));
  }
  const alias = vpc.hosts.find((host) => made.forwarding.includes(host.id));
  if (alias && chance(dice, 70)) wanted.set(`${ALIAS}/32`, { NetworkInterfaceId: alias.interfaceId });
  if (chance(dice, 15)) wanted.set(pick(dice, made.vpcs).block, someTarget(made, vpc) ?? {});
  for (const [DestinationCidrBlock, target] of wanted)
    if (DestinationCidrBlock !== vpc.block && Object.keys(target).length > 0)
      await addRoute(vpc, { RouteTableId: table, DestinationCidrBlock, ...target });
}

/** AWS refuses what lies within the VPC: where a random route would, there is none. */
async function addRoute(vpc: MadeVpc, route: ec2.CreateRouteRequest): Promise<void> {
  await vpc.client.send(new ec2.CreateRouteCommand(route)).catch((error: unknown) => {
    if (!(error instanceof ec2.EC2ServiceException && error.name === "InvalidParameterValue")) throw error;
  });
}

function defaultTarget({ dice }: Made, { gatewayId, natIds }: MadeVpc): Target | undefined {
  const [NatGatewayId] = natIds;
  if (NatGatewayId && chance(dice, 45)) return { NatGatewayId };
  return gatewayId ? { GatewayId: gatewayId } : undefined;
}

/** The peer's whole block mostly; one subnet of it, or far more than it. */
function destination(dice: Dice, other: MadeVpc): string {
  if (chance(dice, 70)) return other.block;
  return chance(dice, 50) ? pick(dice, other.subnets).block : "10.0.0.0/8";
}

/** Straight to the peer mostly; by a host that forwards, or by the NAT gateway. */
function peerTarget(made: Made, vpc: MadeVpc, peering: MadePeering): Target {
  const straight = { VpcPeeringConnectionId: peering.id };
  return chance(made.dice, 75) ? straight : (someTarget(made, vpc) ?? straight);
}

function someTarget({ dice, peerings, forwarding }: Made, vpc: MadeVpc): Target | undefined {
  const forwarder = vpc.hosts.find((host) => forwarding.includes(host.id));
  const targets: Target[] = [
    ...(forwarder ? Array(3).fill({ NetworkInterfaceId: forwarder.interfaceId }) : []),
    ...vpc.natIds.map((NatGatewayId) => ({ NatGatewayId })),
    ...vpc.hosts.slice(0, 1).map((host) => ({ NetworkInterfaceId: host.interfaceId })),
    ...peerings.filter((one) => one.ends.includes(vpc)).map((one) => ({ VpcPeeringConnectionId: one.id })),
  ];
  return dice.oneOf(targets);
}
