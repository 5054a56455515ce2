/**
 * A sandbox with packets as a process of its own, and a network in it that has one of each: two peered VPCs, a
 * third with the addresses of the second, a NAT gateway, an internet gateway, a list that denies, a black hole.
 * Promises that nothing outlives `close`, and to say why where this machine carries no packets.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ec2 from "@aws-sdk/client-ec2";
import {
  makeAddress,
  makeGroup,
  makeInternetGateway,
  makeNatGateway,
  makeRouteTable,
  makeSubnet,
  makeVpc,
} from "../../src/sandbox/testNetwork.ts";
import { type Ended, type Running, readyUrl, run } from "./letsdata.ts";

const BINARY = join(import.meta.dirname, "../../bin/letsdata");

/** false, or why tests with packets are skipped here. */
export function withoutPackets(): string | false {
  const { status, stdout } = spawnSync(BINARY, ["sandbox", "doctor", "--output", "json"], {
    encoding: "utf8",
  });
  if (status === 0) return false;
  const { checks = [] } = JSON.parse(stdout || "{}") as { checks?: readonly { readonly says: string }[] };
  return `no packets on this machine: ${checks.at(-1)?.says ?? "the doctor failed"}`;
}

export interface HostsSandbox {
  readonly url: string;
  readonly ec2: ec2.EC2Client;
  /** A folder whose data folder has a credentials file that names this sandbox. */
  readonly cwd: string;
  readonly network: Network;
  /** `letsdata sandbox …` in that folder, without --sandboxUrl. */
  sandbox(...args: readonly string[]): Running;
  /** The same, when it has ended. */
  ran(...args: readonly string[]): Promise<Ended>;
  /** Resolves when packets obey what was changed before. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export async function hostsSandbox(): Promise<HostsSandbox> {
  const cwd = mkdtempSync(join(tmpdir(), "letsdata-hosts-"));
  const set = ["natPendingMs=0", "instancePendingMs=0", "vpcPendingMs=0", "peeringProvisioningMs=0"];
  const served = run(cwd, ["sandbox", "serve", "--port", "0", ...set.flatMap((one) => ["--set", one])]);
  const url = await readyUrl(served);
  mkdirSync(join(cwd, ".letsdata"));
  const credentials = { url: "http://127.0.0.1:1", apiKey: "none", sandboxUrl: url };
  writeFileSync(join(cwd, ".letsdata/credentials.json"), JSON.stringify(credentials));
  const keys = { accessKeyId: "111111111111", secretAccessKey: "test" };
  const client = new ec2.EC2Client({ endpoint: url, region: "us-east-1", credentials: keys });
  const settled = async () => void (await fetch(`${url}/_sandbox/dataplane?settled`));
  const network = await makeNetwork(client);
  await settled();
  const sandbox = (...args: readonly string[]) => run(cwd, ["sandbox", ...args]);
  return {
    ...{ url, cwd, network, sandbox, settled, ec2: client },
    ran: (...args) => sandbox(...args).ended,
    async close() {
      client.destroy();
      served.child.kill("SIGTERM");
      await served.ended;
      rmSync(cwd, { recursive: true, force: true });
    },
  };
}

/** Ids by what they are; addresses are fixed: see makeNetwork. */
export type Network = Awaited<ReturnType<typeof makeNetwork>>;

const EVERYWHERE = "0.0.0.0/0";

/**
 * customer 10.0.0.0/16   public 10.0.0.0/24: `shop` .10 with a public address, NAT gateway
 *                        private 10.0.1.0/24: `client` .10, default route to the NAT gateway, 10.9/16 a black hole
 * platform 10.1.0.0/16   10.1.0.0/24: `broker` .10; the list denies TCP 7100 in and everything out to `shop`
 * stranger 10.1.0.0/16   10.1.0.0/24: `double` .10
 */
async function makeNetwork(client: ec2.EC2Client) {
  const customer = await makeVpc(client, "10.0.0.0/16");
  const platform = await makeVpc(client, "10.1.0.0/16");
  const stranger = await makeVpc(client, "10.1.0.0/16");
  const publicSubnet = await makeSubnet(client, customer, "10.0.0.0/24");
  const privateSubnet = await makeSubnet(client, customer, "10.0.1.0/24");
  const brokers = await makeSubnet(client, platform, "10.1.0.0/24");
  const doubles = await makeSubnet(client, stranger, "10.1.0.0/24");
  const customers = await makeGroup(client, customer, "customers");
  const platforms = await makeGroup(client, platform, "platforms");
  const strangers = await makeGroup(client, stranger, "strangers");
  const instances = {
    shop: await instance(client, { subnet: publicSubnet, group: customers, address: "10.0.0.10" }),
    client: await instance(client, { subnet: privateSubnet, group: customers, address: "10.0.1.10" }),
    broker: await instance(client, { subnet: brokers, group: platforms, address: "10.1.0.10" }),
    double: await instance(client, { subnet: doubles, group: strangers, address: "10.1.0.10" }),
  };
  const gate = { IpProtocol: "tcp", FromPort: 7000, ToPort: 7100, IpRanges: [{ CidrIp: "10.0.0.0/16" }] };
  const allow = new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId: platforms, IpPermissions: [gate] });
  const rule = (await client.send(allow)).SecurityGroupRules?.[0]?.SecurityGroupRuleId ?? "";
  const gateways = await makeGateways(client, { customer, publicSubnet, shop: instances.shop });
  const peering = await peer(client, customer, platform);
  const tables = await makeTables(client, {
    ...gateways,
    ...{ customer, platform, stranger },
    privateSubnet,
    peering,
  });
  const list = await makeList(client, platform, brokers);
  return {
    customer,
    platform,
    stranger,
    ...instances,
    ...gateways,
    ...tables,
    peering,
    list,
    platforms,
    rule,
  };
}

interface Instance {
  readonly subnet: string;
  readonly group: string;
  readonly address: string;
}

async function instance(client: ec2.EC2Client, { subnet, group, address }: Instance): Promise<string> {
  const { Instances } = await client.send(
    new ec2.RunInstancesCommand({
      ...{ ImageId: "ami-12345678", MinCount: 1, MaxCount: 1 },
      SubnetId: subnet,
      SecurityGroupIds: [group],
      PrivateIpAddress: address,
    }),
  );
  return Instances?.[0]?.InstanceId ?? "";
}

interface Outside {
  readonly customer: string;
  readonly publicSubnet: string;
  readonly shop: string;
}

async function makeGateways(client: ec2.EC2Client, { customer, publicSubnet, shop }: Outside) {
  const internetGateway = await makeInternetGateway(client, customer);
  const { id: natGateway, allocationId } = await makeNatGateway(client, publicSubnet);
  const shopAllocation = await makeAddress(client);
  await client.send(new ec2.AssociateAddressCommand({ AllocationId: shopAllocation, InstanceId: shop }));
  const AllocationIds = [allocationId, shopAllocation];
  const { Addresses = [] } = await client.send(new ec2.DescribeAddressesCommand({ AllocationIds }));
  const publicIp = (id: string) => Addresses.find(({ AllocationId }) => AllocationId === id)?.PublicIp ?? "";
  return { internetGateway, natGateway, natIp: publicIp(allocationId), shopIp: publicIp(shopAllocation) };
}

async function peer(client: ec2.EC2Client, from: string, to: string): Promise<string> {
  const asked = await client.send(new ec2.CreateVpcPeeringConnectionCommand({ VpcId: from, PeerVpcId: to }));
  const VpcPeeringConnectionId = asked.VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
  await client.send(new ec2.AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
  return VpcPeeringConnectionId;
}

interface Ways {
  readonly customer: string;
  readonly platform: string;
  readonly stranger: string;
  readonly privateSubnet: string;
  readonly internetGateway: string;
  readonly natGateway: string;
  readonly peering: string;
}

async function makeTables(client: ec2.EC2Client, ways: Ways) {
  const [customerMain, platformMain] = [
    await mainTable(client, ways.customer),
    await mainTable(client, ways.platform),
  ];
  const privateTable = await makeRouteTable(client, ways.customer);
  await client.send(
    new ec2.AssociateRouteTableCommand({ RouteTableId: privateTable, SubnetId: ways.privateSubnet }),
  );
  const gone = await peer(client, ways.customer, ways.stranger);
  const route = (
    RouteTableId: string,
    DestinationCidrBlock: string,
    target: Partial<ec2.CreateRouteRequest>,
  ) => client.send(new ec2.CreateRouteCommand({ RouteTableId, DestinationCidrBlock, ...target }));
  await route(customerMain, EVERYWHERE, { GatewayId: ways.internetGateway });
  await route(privateTable, EVERYWHERE, { NatGatewayId: ways.natGateway });
  await route(privateTable, "10.9.0.0/16", { VpcPeeringConnectionId: gone });
  for (const table of [customerMain, privateTable])
    await route(table, "10.1.0.0/16", { VpcPeeringConnectionId: ways.peering });
  await route(platformMain, "10.0.0.0/16", { VpcPeeringConnectionId: ways.peering });
  await client.send(new ec2.DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId: gone }));
  return { privateTable, platformMain };
}

async function mainTable(client: ec2.EC2Client, vpcId: string): Promise<string> {
  const Filters = [{ Name: "vpc-id", Values: [vpcId] }];
  const { RouteTables } = await client.send(new ec2.DescribeRouteTablesCommand({ Filters }));
  return RouteTables?.[0]?.RouteTableId ?? "";
}

async function makeList(client: ec2.EC2Client, vpcId: string, subnetId: string): Promise<string> {
  const { NetworkAcl } = await client.send(new ec2.CreateNetworkAclCommand({ VpcId: vpcId }));
  const NetworkAclId = NetworkAcl?.NetworkAclId ?? "";
  const entry = (
    RuleNumber: number,
    rest: Omit<ec2.CreateNetworkAclEntryCommandInput, "NetworkAclId" | "RuleNumber">,
  ) => client.send(new ec2.CreateNetworkAclEntryCommand({ NetworkAclId, RuleNumber, ...rest }));
  const all = { Protocol: "-1", RuleAction: "allow", CidrBlock: EVERYWHERE } as const;
  const from7100 = { Protocol: "6", PortRange: { From: 7100, To: 7100 }, CidrBlock: EVERYWHERE } as const;
  await entry(50, { ...from7100, Egress: false, RuleAction: "deny" });
  await entry(100, { ...all, Egress: false });
  await entry(60, { ...all, Egress: true, RuleAction: "deny", CidrBlock: "10.0.0.10/32" });
  await entry(100, { ...all, Egress: true });
  const Filters = [{ Name: "association.subnet-id", Values: [subnetId] }];
  const { NetworkAcls } = await client.send(new ec2.DescribeNetworkAclsCommand({ Filters }));
  const association = NetworkAcls?.[0]?.Associations?.find(({ SubnetId }) => SubnetId === subnetId);
  const AssociationId = association?.NetworkAclAssociationId ?? "";
  await client.send(new ec2.ReplaceNetworkAclAssociationCommand({ AssociationId, NetworkAclId }));
  return NetworkAclId;
}
