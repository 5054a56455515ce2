/**
 * Small random networks, made by calls to EC2 as a customer would make them: two to four VPCs in two accounts and
 * two regions, some with the same addresses, peerings in all their states, gateways, and routes, groups and lists
 * of which some are right, some useless and some wrong. Promises that the same seed makes the same topology but
 * for AWS's ids and the public addresses.
 *
 *   VPCs, groups ─▶ peerings ─▶ rules ─▶ hosts, NAT gateways ─▶ routes, lists ─▶ mishaps
 */
import * as ec2 from "@aws-sdk/client-ec2";
import { Dice } from "../../src/sandbox/dice.ts";
import type { TestSandbox } from "../../src/sandbox/testing.ts";
import {
  makeAddress,
  makeGroup,
  makeInternetGateway,
  makeNatGateway,
  makeRouteTable,
  makeSubnet,
  makeVpc,
} from "../../src/sandbox/testNetwork.ts";
import { chance, type Made, type MadeHost, type MadePeering, type MadeVpc, pick } from "./made.ts";
import { listSubnets, routeTables, ruleGroups } from "./topologyRules.ts";

export const ACCOUNTS = ["111111111111", "222222222222"] as const;
export const REGIONS = ["us-east-1", "eu-west-1"] as const;

/** Longer than anything of the `quick` profile takes. */
const SETTLES_MS = 10_000;

/** Everything made and come to rest, nothing gone wrong yet. */
export async function makeTopology(sandbox: TestSandbox, seed: number): Promise<Made> {
  const dice = new Dice(seed);
  const vpcs: MadeVpc[] = [];
  const count = dice.between(2, 4);
  for (let at = 0; at < count; at++) vpcs.push(await vpc(sandbox, dice, at));
  sandbox.clock.advance(SETTLES_MS);
  const peerings = await makePeerings(vpcs, dice);
  sandbox.clock.advance(SETTLES_MS);
  const made: Made = { sandbox, dice, vpcs, peerings, forwarding: [] };
  await ruleGroups(made);
  for (const one of vpcs) await inhabit(made, one);
  await routeTables(made);
  await listSubnets(made);
  sandbox.clock.advance(SETTLES_MS);
  return made;
}

/** The first two may be peered; later ones may have the addresses of earlier ones. */
const BLOCKS: readonly (readonly [string, ...string[]])[] = [
  ["10.1.0.0/16"],
  ["10.2.0.0/16", "10.1.0.0/20"],
  ["10.3.0.0/16", "10.1.0.0/16", "10.2.0.0/16"],
  ["10.2.0.0/16", "10.1.0.0/18", "10.4.0.0/16"],
];

async function vpc(sandbox: TestSandbox, dice: Dice, at: number): Promise<MadeVpc> {
  const place = {
    account: chance(dice, 75) ? ACCOUNTS[0] : ACCOUNTS[1],
    region: chance(dice, 80) ? REGIONS[0] : REGIONS[1],
  };
  const client = sandbox.client(place.account, place.region);
  const block = chance(dice, 65) ? (BLOCKS[at]?.[0] ?? "") : pick(dice, BLOCKS[at] ?? []);
  const id = await makeVpc(client, block);
  const gatewayId = chance(dice, 75) ? await makeInternetGateway(client, id) : undefined;
  const subnets = [];
  for (let third = 0; third < dice.between(1, 3); third++) {
    const part = `${block.split(".").slice(0, 2).join(".")}.${third}.0/24`;
    subnets.push({ id: await makeSubnet(client, id, part), block: part });
  }
  const groups = [await makeGroup(client, id, "one"), await makeGroup(client, id, "two")];
  const { RouteTables = [] } = await client.send(
    new ec2.DescribeRouteTablesCommand({ Filters: [{ Name: "vpc-id", Values: [id] }] }),
  );
  const tables = [RouteTables[0]?.RouteTableId ?? ""];
  const natSubnetId = gatewayId && chance(dice, 65) ? pick(dice, subnets).id : undefined;
  return { client, place, id, block, gatewayId, subnets, groups, tables, hosts: [], natIds: [], natSubnetId };
}

async function makePeerings(vpcs: readonly MadeVpc[], dice: Dice): Promise<MadePeering[]> {
  const pairs = vpcs.flatMap((one, at) => vpcs.slice(at + 1).map((other) => [one, other] as const));
  const peerings: MadePeering[] = [];
  for (const pair of pairs.filter(() => chance(dice, 70))) {
    const ends = chance(dice, 50) ? pair : ([pair[1], pair[0]] as const);
    const peering = await makePeering(ends, chance(dice, 85));
    if (peering) peerings.push(peering);
  }
  return peerings;
}

async function makePeering(
  ends: readonly [MadeVpc, MadeVpc],
  accepted: boolean,
): Promise<MadePeering | undefined> {
  const [from, to] = ends;
  const { VpcPeeringConnection: peering } = await from.client.send(
    new ec2.CreateVpcPeeringConnectionCommand({
      VpcId: from.id,
      PeerVpcId: to.id,
      PeerOwnerId: to.place.account,
      PeerRegion: to.place.region,
    }),
  );
  const id = peering?.VpcPeeringConnectionId ?? "";
  const { VpcPeeringConnections: seen = [] } = await from.client.send(
    new ec2.DescribeVpcPeeringConnectionsCommand({ VpcPeeringConnectionIds: [id] }),
  );
  // Overlapping blocks: AWS lets the request fail.
  if (seen[0]?.Status?.Code !== "pending-acceptance") return undefined;
  if (accepted)
    await to.client.send(new ec2.AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId: id }));
  return { id, ends, isActive: accepted };
}

/** Hosts, public addresses and NAT gateways. The same places in VPCs with the same blocks: the same addresses. */
async function inhabit(made: Made, vpc: MadeVpc): Promise<void> {
  const { dice } = made;
  const most = Math.max(2, Math.floor(9 / made.vpcs.length));
  for (let at = 0; at < dice.between(2, most); at++) vpc.hosts.push(await host(made, vpc, at));
  for (const one of vpc.hosts)
    if (vpc.gatewayId && chance(dice, 30)) await makePublic(vpc.client, one.interfaceId);
  if (vpc.natSubnetId) vpc.natIds.push((await makeNatGateway(vpc.client, vpc.natSubnetId)).id);
  if (chance(dice, 50)) await forwarder(made, vpc, pick(dice, vpc.hosts));
  for (let more = 0; more < 2; more++) vpc.tables.push(await makeRouteTable(vpc.client, vpc.id));
}

async function host({ dice }: Made, vpc: MadeVpc, at: number): Promise<MadeHost> {
  const subnet = pick(dice, vpc.subnets);
  const address = subnet.block.replace(/0\/24$/, String(10 + at));
  const Groups = chance(dice, 30) ? [...vpc.groups] : [pick(dice, vpc.groups)];
  const isPublic = vpc.gatewayId !== undefined && chance(dice, 35);
  const { Instances } = await vpc.client.send(
    new ec2.RunInstancesCommand({
      ImageId: "ami-12345678",
      MinCount: 1,
      MaxCount: 1,
      NetworkInterfaces: [
        {
          DeviceIndex: 0,
          SubnetId: subnet.id,
          PrivateIpAddress: address,
          Groups,
          AssociatePublicIpAddress: isPublic,
        },
      ],
    }),
  );
  const [instance] = Instances ?? [];
  const interfaceId = instance?.NetworkInterfaces?.[0]?.NetworkInterfaceId ?? "";
  return { id: instance?.InstanceId ?? "", address, interfaceId };
}

export async function makePublic(client: ec2.EC2Client, NetworkInterfaceId: string): Promise<void> {
  const AllocationId = await makeAddress(client);
  await client.send(
    new ec2.AssociateAddressCommand({ AllocationId, NetworkInterfaceId, AllowReassociation: true }),
  );
}

/**
 * A host that forwards, mostly with the check off. Its group lets everything through: AWS tracks connections at
 * each interface, a router of the sandbox for its whole VPC, and a forwarder that sees only half of a connection
 * would be told apart.
 */
async function forwarder(made: Made, vpc: MadeVpc, one: MadeHost): Promise<void> {
  const GroupId = await makeGroup(vpc.client, vpc.id, "forwarder");
  const IpPermissions = [{ IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] }];
  await vpc.client.send(new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
  const { interfaceId: NetworkInterfaceId } = one;
  const modify = (change: object) =>
    vpc.client.send(new ec2.ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, ...change }));
  await modify({ Groups: [GroupId] });
  if (chance(made.dice, 60)) await modify({ SourceDestCheck: { Value: false } });
  made.forwarding.push(one.id);
}
