/**
 * The test bed of `npm run bench:packets`: a sandbox with packets and no waits, and networks in it as the product
 * makes them, by a real client. Promises that `close` leaves nothing behind.
 */
import { spawn } from "node:child_process";
import {
  AcceptVpcPeeringConnectionCommand,
  AssociateRouteTableCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateRouteCommand,
  CreateVpcPeeringConnectionCommand,
  DeleteRouteCommand,
  EC2Client,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { cidr, cidrAt, span } from "../../src/domain/cidr.ts";
import type { DataPlane } from "../../src/sandbox/dataplane/dataPlane.ts";
import { createSandbox } from "../../src/sandbox/server.ts";
import { settings } from "../../src/sandbox/settings.ts";
import {
  makeGroup,
  makeInternetGateway,
  makeNatGateway,
  makeRouteTable,
  makeSubnet,
  makeVpc,
} from "../../src/sandbox/testNetwork.ts";
import type { Clock } from "../../src/sandbox/world.ts";

const NO_WAITS = {
  vpcPendingMs: 0,
  natPendingMs: 0,
  instancePendingMs: 0,
  peeringInitiatingMs: 0,
  peeringProvisioningMs: 0,
} as const;

export const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end, { once: true });
    }),
};

export interface Bed {
  readonly client: EC2Client;
  readonly dataPlane: DataPlane;
  close(): Promise<void>;
}

/** Throws when this machine carries no packets. */
export async function openBed(): Promise<Bed> {
  const log = (line: string) => console.error(line);
  const sandbox = await createSandbox({ clock, log, packets: true, settings: settings("quick", NO_WAITS) });
  const { dataPlane } = sandbox;
  const { url } = await sandbox.listen(0);
  const credentials = { accessKeyId: "111122223333", secretAccessKey: "test" };
  const client = new EC2Client({ endpoint: url, region: "us-east-1", credentials });
  const close = async () => {
    client.destroy();
    await sandbox.close();
  };
  const status = dataPlane?.status();
  if (dataPlane && status?.status === "on") return { client, dataPlane, close };
  await close();
  throw new Error(`no packets here: ${status?.status === "off" ? status.why : ""}`);
}

export interface SmallVpc {
  readonly vpcId: string;
  readonly block: string;
  /** Of the first private subnet, and its route table. */
  readonly subnetId: string;
  readonly tableId: string;
  /** Lets everything in from anywhere. */
  readonly groupId: string;
}

/** A /25 with three private and three public subnets and three NAT gateways, as a small dataset gets it. */
export async function makeSmallVpc({ client }: Bed, block: string): Promise<SmallVpc> {
  const vpcId = await makeVpc(client, block);
  const GatewayId = await makeInternetGateway(client, vpcId);
  const { first } = span(cidr(block));
  const subnets = await inTurn([0, 1, 2, 3, 4, 5], (n) =>
    makeSubnet(client, vpcId, cidrAt(first + n * 16, 28)),
  );
  const publicTable = await makeRouteTable(client, vpcId);
  await route(client, publicTable, { GatewayId });
  for (const SubnetId of subnets.slice(3)) await associate(client, publicTable, SubnetId);
  const tables = await inTurn(subnets.slice(3), async (publicSubnet, n) => {
    const table = await makeRouteTable(client, vpcId);
    await route(client, table, { NatGatewayId: (await makeNatGateway(client, publicSubnet)).id });
    await associate(client, table, subnets[n] ?? "");
    return table;
  });
  const GroupId = await makeGroup(client, vpcId, "open");
  const IpPermissions = [{ IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] }];
  await client.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
  return { vpcId, block, subnetId: subnets[0] ?? "", tableId: tables[0] ?? "", groupId: GroupId };
}

async function inTurn<A, B>(all: readonly A[], work: (one: A, index: number) => Promise<B>): Promise<B[]> {
  const done: B[] = [];
  for (const [index, one] of all.entries()) done.push(await work(one, index));
  return done;
}

type Target = { GatewayId: string } | { NatGatewayId: string } | { VpcPeeringConnectionId: string };

function route(client: EC2Client, RouteTableId: string, target: Target, block = "0.0.0.0/0") {
  return client.send(new CreateRouteCommand({ RouteTableId, DestinationCidrBlock: block, ...target }));
}

function associate(client: EC2Client, RouteTableId: string, SubnetId: string) {
  return client.send(new AssociateRouteTableCommand({ RouteTableId, SubnetId }));
}

export interface Host {
  readonly id: string;
  readonly privateIp: string;
}

export async function makeHosts({ client }: Bed, vpc: SmallVpc, count: number): Promise<Host[]> {
  const { Instances = [] } = await client.send(
    new RunInstancesCommand({
      ImageId: "ami-12345678",
      MinCount: count,
      MaxCount: count,
      SubnetId: vpc.subnetId,
      SecurityGroupIds: [vpc.groupId],
    }),
  );
  return Instances.map(({ InstanceId = "", PrivateIpAddress = "" }) => ({
    id: InstanceId,
    privateIp: PrivateIpAddress,
  }));
}

/** An active connection, routed on both sides; its id. */
export async function peer({ client }: Bed, a: SmallVpc, b: SmallVpc): Promise<string> {
  const request = new CreateVpcPeeringConnectionCommand({ VpcId: a.vpcId, PeerVpcId: b.vpcId });
  const { VpcPeeringConnection } = await client.send(request);
  const target = { VpcPeeringConnectionId: VpcPeeringConnection?.VpcPeeringConnectionId ?? "" };
  await client.send(new AcceptVpcPeeringConnectionCommand(target));
  await route(client, a.tableId, target, b.block);
  await route(client, b.tableId, target, a.block);
  return target.VpcPeeringConnectionId;
}

/** Takes the routes of `peer` away again. */
export async function unroute({ client }: Bed, a: SmallVpc, b: SmallVpc): Promise<void> {
  const remove = (from: SmallVpc, to: SmallVpc) =>
    client.send(new DeleteRouteCommand({ RouteTableId: from.tableId, DestinationCidrBlock: to.block }));
  await Promise.all([remove(a, b), remove(b, a)]);
}

export interface Inside {
  /** What it has written to its standard output so far. */
  readonly said: () => string;
  /** The standard output once it has ended; rejects when it fails. */
  readonly ended: Promise<string>;
  tell(text: string): void;
  stop(): void;
}

/** Runs a program in a namespace. */
export function inside({ dataPlane }: Bed, namespace: string, argv: readonly string[]): Inside {
  const [command = "", ...rest] = [...dataPlane.entry(namespace), ...argv];
  const child = spawn(command, rest, { stdio: ["pipe", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  const ended = new Promise<string>((resolve, reject) =>
    child.once("close", (code) =>
      code === 0 ? resolve(out) : reject(new Error(`${argv[0]}: ${code}: ${out}`)),
    ),
  );
  // A server is ended with the bed; who waits for an end still hears of a failure.
  ended.catch(() => undefined);
  return { said: () => out, ended, tell: (text) => child.stdin.write(text), stop: () => child.stdin.end() };
}
