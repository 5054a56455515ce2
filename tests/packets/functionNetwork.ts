/**
 * A VPC with a private subnet for functions, and whom they can talk to: a server beside them, one on the internet,
 * both saying whom they see. Functions are made and invoked over Lambda's wire. Promises that nothing outlives
 * `close`. Where there can be no packets it says why, and has nothing else.
 *
 *   10.1.0.0/24 public: NAT gateway        10.1.1.0/24 private: `server`, functions; default route to the gateway
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as ec2 from "@aws-sdk/client-ec2";
import * as lambda from "@aws-sdk/client-lambda";
import { strToU8, zipSync } from "fflate";
import type { DataPlane } from "../../src/sandbox/dataplane/dataPlane.ts";
import { TOOLS_PATH } from "../../src/sandbox/dataplane/holder.ts";
import { INTERNET } from "../../src/sandbox/dataplane/names.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/server.ts";
import { settings } from "../../src/sandbox/settings.ts";
import {
  makeGroup,
  makeInternetGateway,
  makeNatGateway,
  makeRouteTable,
  makeSubnet,
  makeVpc,
} from "../../src/sandbox/testNetwork.ts";
import { fastClock } from "../support/clocks.ts";
import { AT_ONCE } from "./packetNetwork.ts";

const OWNER = "111111111111";
const REGION = "us-east-1";
export const PORT = 7000;

/** Nothing that is made takes any time. */
const SETTINGS = settings("quick", { ...AT_ONCE, lambdaPendingMs: 0, lambdaInterfacePendingMs: 0 });

/** Says to each who comes whom it sees. */
const SERVER = `require("node:net").createServer((socket) => {
  socket.on("error", () => {});
  socket.end(socket.remoteAddress.replace("::ffff:", ""));
}).listen(${PORT}, () => console.log("serving"));`;

/** Connects where its event says: \`seen\` = whom the server saw, or \`error\`. */
const DIALLER = `
const net = require("node:net");
exports.handler = ({ host, port, waitMs }) => new Promise((resolve) => {
  const socket = net.connect({ host, port });
  let seen = "";
  socket.setTimeout(waitMs, () => { resolve({ error: "silence" }); socket.destroy(); });
  socket.on("data", (data) => { seen += data; });
  socket.on("end", () => resolve({ seen }));
  socket.on("error", ({ code }) => resolve({ error: code }));
});`;

/** Stays, listening, and says so in the log. */
const LISTENER = `
exports.handler = () => new Promise(() => {
  require("node:net").createServer((socket) => socket.end("inside")).listen(${PORT}, () => console.log("serving"));
});`;

const CODES = { dialler: DIALLER, listener: LISTENER } as const;

export interface Reached {
  readonly seen?: string;
  readonly error?: string;
}

export interface ShownFunction {
  readonly name: string;
  readonly environments: readonly { readonly state: string; readonly place: string; readonly pid?: number }[];
}

export class FunctionNetwork {
  readonly plane: DataPlane;
  readonly url: string;
  readonly log: readonly string[];
  readonly ec2: ec2.EC2Client;
  readonly lambda: lambda.LambdaClient;
  vpcId = "";
  privateSubnet = "";
  publicSubnet = "";
  /** Of functions, and of the server: it lets the functions in. */
  groups = { functions: "", server: "" };
  server = { id: "", address: "", name: "" };
  natAddress = "";
  readonly #sandbox: Sandbox;
  readonly #servers: ChildProcess[] = [];

  private constructor(
    sandbox: Sandbox,
    plane: DataPlane,
    is: { readonly url: string; readonly log: string[] },
  ) {
    this.#sandbox = sandbox;
    this.plane = plane;
    this.url = is.url;
    this.log = is.log;
    const credentials = { accessKeyId: OWNER, secretAccessKey: "test" };
    const place = { endpoint: is.url, region: REGION, credentials, maxAttempts: 1 };
    this.ec2 = new ec2.EC2Client(place);
    this.lambda = new lambda.LambdaClient(place);
  }

  static async open(): Promise<FunctionNetwork> {
    const log: string[] = [];
    const sandbox = await createSandbox({
      clock: fastClock(1),
      settings: SETTINGS,
      packets: true,
      log: (line) => log.push(line),
    });
    const { url } = await sandbox.listen(0);
    if (!sandbox.dataPlane) throw new Error("packets were asked for");
    const network = new FunctionNetwork(sandbox, sandbox.dataPlane, { url, log });
    if (!network.off)
      await network.#furnish().catch((error) => network.close().then(() => Promise.reject(error)));
    return network;
  }

  /** Why there are no packets; false when there are. */
  get off(): string | false {
    const status = this.plane.status();
    return status.status === "off" ? `there are no packets here: ${status.why}` : false;
  }

  async #furnish(): Promise<void> {
    this.vpcId = await makeVpc(this.ec2, "10.1.0.0/16");
    await this.ec2.send(
      new ec2.ModifyVpcAttributeCommand({ VpcId: this.vpcId, EnableDnsHostnames: { Value: true } }),
    );
    this.publicSubnet = await makeSubnet(this.ec2, this.vpcId, "10.1.0.0/24");
    this.privateSubnet = await makeSubnet(this.ec2, this.vpcId, "10.1.1.0/24");
    this.groups = {
      functions: await makeGroup(this.ec2, this.vpcId, "functions"),
      server: await makeGroup(this.ec2, this.vpcId, "server"),
    };
    await this.allow();
    await this.#connect();
    const started = await this.ec2.send(
      new ec2.RunInstancesCommand({
        ...{ ImageId: "ami-12345678", MinCount: 1, MaxCount: 1 },
        SubnetId: this.privateSubnet,
        SecurityGroupIds: [this.groups.server],
      }),
    );
    const [instance] = started.Instances ?? [];
    const id = instance?.InstanceId ?? "";
    const { PrivateIpAddress: address = "", PrivateDnsName: name = "" } = instance ?? {};
    this.server = { id, address, name };
    await this.serve(id);
    await this.serve(INTERNET);
  }

  /** The private subnet's way out. */
  async #connect(): Promise<void> {
    const GatewayId = await makeInternetGateway(this.ec2, this.vpcId);
    const { id: NatGatewayId, allocationId } = await makeNatGateway(this.ec2, this.publicSubnet);
    const tables = [
      { subnet: this.publicSubnet, to: { GatewayId } },
      { subnet: this.privateSubnet, to: { NatGatewayId } },
    ];
    for (const { subnet: SubnetId, to } of tables) {
      const RouteTableId = await makeRouteTable(this.ec2, this.vpcId);
      await this.ec2.send(new ec2.AssociateRouteTableCommand({ RouteTableId, SubnetId }));
      await this.ec2.send(
        new ec2.CreateRouteCommand({ RouteTableId, DestinationCidrBlock: "0.0.0.0/0", ...to }),
      );
    }
    const { Addresses } = await this.ec2.send(
      new ec2.DescribeAddressesCommand({ AllocationIds: [allocationId] }),
    );
    this.natAddress = Addresses?.[0]?.PublicIp ?? "";
  }

  #rule() {
    const UserIdGroupPairs = [{ GroupId: this.groups.functions }];
    const one = { IpProtocol: "tcp", FromPort: PORT, ToPort: PORT, UserIdGroupPairs };
    return { GroupId: this.groups.server, IpPermissions: [one] };
  }

  /** Lets functions reach the server. */
  async allow(): Promise<void> {
    await this.ec2.send(new ec2.AuthorizeSecurityGroupIngressCommand(this.#rule()));
  }

  async forbid(): Promise<void> {
    await this.ec2.send(new ec2.RevokeSecurityGroupIngressCommand(this.#rule()));
  }

  /** A server in that host that says whom it sees. */
  async serve(host: string): Promise<void> {
    await this.plane.settled();
    const [command = "", ...args] = [...(await this.plane.inside(host)), process.execPath, "-e", SERVER];
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], env: { PATH: TOOLS_PATH } });
    this.#servers.push(child);
    await once(child.stdout, "data");
  }

  inVpc(group = this.groups.functions): lambda.VpcConfig {
    return { SubnetIds: [this.privateSubnet], SecurityGroupIds: [group] };
  }

  /** Active. */
  async make(
    FunctionName: string,
    more: Partial<lambda.CreateFunctionRequest> & { does?: keyof typeof CODES } = {},
  ) {
    const { does = "dialler", ...input } = more;
    const ZipFile = zipSync({ "index.js": strToU8(CODES[does]) });
    await this.lambda.send(
      new lambda.CreateFunctionCommand({
        ...{ FunctionName, Role: `arn:aws:iam::${OWNER}:role/functions`, Runtime: "nodejs22.x" },
        ...{ Handler: "index.handler", Code: { ZipFile }, Timeout: 60, ...input },
      }),
    );
  }

  async remove(FunctionName: string): Promise<void> {
    await this.lambda.send(new lambda.DeleteFunctionCommand({ FunctionName }));
  }

  /** What becomes of a connection that the function opens. */
  async dial(FunctionName: string, host: string, waitMs = 20_000): Promise<Reached> {
    const Payload = JSON.stringify({ host, port: PORT, waitMs });
    const { Payload: answer } = await this.lambda.send(new lambda.InvokeCommand({ FunctionName, Payload }));
    return JSON.parse(answer?.transformToString() ?? "");
  }

  /** The same from a host, by a program in it. */
  async dialFrom(host: string, to: string, waitMs: number): Promise<Reached> {
    await this.plane.settled();
    const event = JSON.stringify({ host: to, port: PORT, waitMs });
    const script = `${DIALLER} exports.handler(${event}).then((said) => console.log(JSON.stringify(said)));`;
    const [command = "", ...args] = [...(await this.plane.inside(host)), process.execPath, "-e", script];
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], env: { PATH: TOOLS_PATH } });
    const [data] = await once(child.stdout, "data");
    return JSON.parse(String(data));
  }

  /** Those of Lambda's in the VPC. */
  async interfaces(): Promise<readonly ec2.NetworkInterface[]> {
    const Filters = [
      { Name: "vpc-id", Values: [this.vpcId] },
      { Name: "interface-type", Values: ["lambda"] },
    ];
    return (
      (await this.ec2.send(new ec2.DescribeNetworkInterfacesCommand({ Filters }))).NetworkInterfaces ?? []
    );
  }

  /** One of the sandbox's own requests. */
  async own<T>(what: string): Promise<T> {
    const [method = "", at = ""] = what.split(" ");
    const response = await fetch(`${this.url}/_sandbox/${at}`, { method });
    return (await response.json()) as T;
  }

  async close(): Promise<void> {
    for (const client of [this.ec2, this.lambda]) client.destroy();
    await this.#sandbox.close();
    for (const child of this.#servers) child.kill("SIGKILL");
  }
}
