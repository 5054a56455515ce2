/**
 * `npm run demo`: the product page's own walk, on a throw-away data folder and the sandbox cloud, told step by
 * step. The customer's side is the real `aws` command line where it is installed, the SDK otherwise. Exits 0
 * only when everything it says it verified was so; leaves no process and no file.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as aws from "@aws-sdk/client-ec2";

const ROOT = join(import.meta.dirname, "..");
const CUSTOMER = "111122223333";
const REGION = "us-east-1";
const folder = mkdtempSync(join(tmpdir(), "letsdata-demo-"));
const dataDir = join(folder, ".letsdata");
const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const started = Date.now();
let verified = 0;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...env } });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}

function say(text: string): void {
  console.log(colour ? `\n\x1b[1m${text}\x1b[0m` : `\n${text}`);
}

function shown(command: string, args: readonly string[]): void {
  const quoted = args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg}'`));
  console.log(`  $ ${command} ${quoted.join(" ")}`);
}

function check(what: string, fact: boolean): void {
  assert.ok(fact, what);
  verified += 1;
  console.log(`  ✔ ${what}`);
}

/** Runs the CLI as a user would, shows the command, answers its JSON. */
async function letsdata<T>(...args: string[]): Promise<T> {
  shown("letsdata", args);
  const ran = await run(join(ROOT, "bin/letsdata"), args);
  if (ran.code !== 0) throw new Error(`letsdata ${args.join(" ")} ended with ${ran.code}:\n${ran.stderr}`);
  return JSON.parse(ran.stdout) as T;
}

interface Credentials {
  readonly sandboxUrl: string;
  readonly platformAccount: string;
}

/** The customer's own command line, or the same request by the SDK. */
interface Customer {
  readonly name: string;
  ec2<T>(args: readonly string[], bySdk: (client: aws.EC2Client) => Promise<T>): Promise<T>;
}

async function customer(sandboxUrl: string): Promise<Customer> {
  const env = {
    AWS_ACCESS_KEY_ID: CUSTOMER,
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_DEFAULT_REGION: REGION,
    AWS_PAGER: "",
  };
  const version = await run("aws", ["--version"], env).catch(() => null);
  if (version?.code === 0)
    return {
      name: `the real aws command line (${(version.stdout || version.stderr).split(" ")[0]})`,
      async ec2<T>(args: readonly string[]) {
        // Debian's aws knows no AWS_ENDPOINT_URL, so the endpoint is always named.
        const all = ["ec2", ...args, "--output", "json", "--endpoint-url", sandboxUrl];
        shown("aws", all);
        const ran = await run("aws", all, env);
        if (ran.code !== 0) throw new Error(`aws ${args.join(" ")} ended with ${ran.code}:\n${ran.stderr}`);
        return (ran.stdout.trim() ? JSON.parse(ran.stdout) : {}) as T;
      },
    };
  return {
    name: "the AWS SDK (the aws command line is not installed; on Debian: apt-get install awscli)",
    ec2: (args, bySdk) => {
      shown("aws", ["ec2", ...args]);
      return bySdk(client(sandboxUrl, CUSTOMER));
    },
  };
}

const clients: aws.EC2Client[] = [];

function client(sandboxUrl: string, account: string): aws.EC2Client {
  const credentials = { accessKeyId: account, secretAccessKey: "test" };
  const made = new aws.EC2Client({ endpoint: sandboxUrl, region: REGION, credentials });
  clients.push(made);
  return made;
}

/** Everything that bears a tag of ours in the platform account, dead NAT gateways left out. */
async function leftovers({ sandboxUrl, platformAccount }: Credentials): Promise<string[]> {
  const ec2 = client(sandboxUrl, platformAccount);
  const Filters = [{ Name: "tag-key", Values: ["letsdata:installation"] }];
  const nats = await ec2.send(new aws.DescribeNatGatewaysCommand({ Filter: Filters }));
  const tags = await ec2.send(
    new aws.DescribeTagsCommand({ Filters: [{ Name: "key", Values: ["letsdata:installation"] }] }),
  );
  const dead = new Set(
    (nats.NatGateways ?? [])
      .filter(({ State }) => State === "deleted")
      .map(({ NatGatewayId }) => NatGatewayId),
  );
  return (tags.Tags ?? []).flatMap(({ ResourceId }) =>
    ResourceId && !dead.has(ResourceId) ? [ResourceId] : [],
  );
}

interface Vpc {
  readonly vpcId: string;
  readonly ownerId: string;
  readonly cidrBlock: string;
  readonly status: string;
  readonly subnets: readonly {
    readonly type: string;
    readonly availabilityZone: string;
    readonly subnetId: string;
  }[];
  readonly natGateways: readonly { readonly state: string }[];
}

async function walk(): Promise<void> {
  const credentials = JSON.parse(readFileSync(join(dataDir, "credentials.json"), "utf8")) as Credentials;
  const them = await customer(credentials.sandboxUrl);
  writeFileSync(join(folder, "dataset.json"), readFileSync(join(ROOT, "examples/dataset.json")));

  say("1. A dataset with a Kafka write connector, size small: its VPC is created and secured");
  await letsdata("datasets", "create", "--configFile", "dataset.json", "--wait");
  const vpcs = await letsdata<{ items: Vpc[] }>("vpcs", "list", "--datasetName", "Clicks");
  const [vpc] = vpcs.items;
  assert.ok(vpc, "a VPC");
  check(
    `${vpc.vpcId} of account ${vpc.ownerId} is ${vpc.status}, ${vpc.cidrBlock}`,
    vpc.status === "ACTIVE" && vpc.cidrBlock.endsWith("/25"),
  );
  const zones = (type: string) =>
    new Set(vpc.subnets.filter((subnet) => subnet.type === type).map((subnet) => subnet.availabilityZone));
  check(
    "3 private and 3 public subnets over 3 zones",
    zones("private").size === 3 && zones("public").size === 3,
  );
  check(
    "3 NAT gateways are available",
    vpc.natGateways.filter(({ state }) => state === "available").length === 3,
  );

  say(`2. The customer's VPC, in account ${CUSTOMER}, by ${them.name}`);
  const own = await them.ec2(["create-vpc", "--cidr-block", "172.20.0.0/16"], (ec2) =>
    ec2.send(new aws.CreateVpcCommand({ CidrBlock: "172.20.0.0/16" })),
  );
  const vpcId = own.Vpc?.VpcId ?? "";
  check(`${vpcId} 172.20.0.0/16`, vpcId.startsWith("vpc-"));

  say("3. The customer requests a VPC peering connection");
  const wish = { VpcId: vpcId, PeerVpcId: vpc.vpcId, PeerOwnerId: vpc.ownerId };
  const request = [
    "create-vpc-peering-connection",
    "--vpc-id",
    vpcId,
    "--peer-vpc-id",
    vpc.vpcId,
    "--peer-owner-id",
    vpc.ownerId,
  ];
  const made = await them.ec2(request, (ec2) => ec2.send(new aws.CreateVpcPeeringConnectionCommand(wish)));
  const connectionId = made.VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
  check(`${connectionId} is requested`, connectionId.startsWith("pcx-"));

  say("4. It is listed, accepted, and its routes and rules are set");
  const peering = ["--datasetName", "Clicks", "--vpcPeeringConnectionId", connectionId];
  const listed = await letsdata<{ items: { vpcPeeringConnectionId: string; status: string }[] }>(
    "vpcs",
    "vpcPeeringConnections",
    "list",
    "--datasetName",
    "Clicks",
  );
  check(
    "the request is listed as PENDING",
    listed.items.some((item) => item.vpcPeeringConnectionId === connectionId && item.status === "PENDING"),
  );
  const accepted = await letsdata<{ status: string }>(
    "vpcs",
    "vpcPeeringConnections",
    "accept",
    ...peering,
    "--wait",
  );
  check("it is ACTIVE", accepted.status === "ACTIVE");
  await verifyPeered(credentials, vpc, connectionId);

  say("5. The connection is deleted");
  await letsdata("vpcs", "vpcPeeringConnections", "delete", ...peering, "--wait");
  const after = await them.ec2(
    ["describe-vpc-peering-connections", "--vpc-peering-connection-ids", connectionId],
    (ec2) =>
      ec2.send(new aws.DescribeVpcPeeringConnectionsCommand({ VpcPeeringConnectionIds: [connectionId] })),
  );
  check("the customer's side sees it deleted", after.VpcPeeringConnections?.[0]?.Status?.Code === "deleted");
  check("no route and no rule of it is left", (await peeredRoutes(credentials, connectionId)) === 0);

  say("6. The dataset is deleted, and its VPC with it");
  await letsdata("datasets", "delete", "--datasetName", "Clicks", "--wait");
  const left = await leftovers(credentials);
  check(`nothing is left under our tags${left.length > 0 ? `: ${left.join(", ")}` : ""}`, left.length === 0);
}

async function peeredRoutes(
  { sandboxUrl, platformAccount }: Credentials,
  connectionId: string,
): Promise<number> {
  const ec2 = client(sandboxUrl, platformAccount);
  const tables = await ec2.send(new aws.DescribeRouteTablesCommand({}));
  return (tables.RouteTables ?? [])
    .flatMap(({ Routes }) => Routes ?? [])
    .filter((route) => route.VpcPeeringConnectionId === connectionId && route.State === "active").length;
}

async function verifyPeered(credentials: Credentials, vpc: Vpc, connectionId: string): Promise<void> {
  check(
    "3 private route tables lead to the customer's range",
    (await peeredRoutes(credentials, connectionId)) === 3,
  );
  const ec2 = client(credentials.sandboxUrl, credentials.platformAccount);
  const groups = await ec2.send(
    new aws.DescribeSecurityGroupsCommand({ Filters: [{ Name: "vpc-id", Values: [vpc.vpcId] }] }),
  );
  const peers =
    groups.SecurityGroups?.find(({ GroupName }) => GroupName === "letsdata-peers")?.IpPermissions ?? [];
  const [rule] = peers;
  check(
    "TCP on all ports is let in from 172.20.0.0/16, and nothing else",
    peers.length === 1 &&
      rule?.IpProtocol === "tcp" &&
      rule.FromPort === 0 &&
      rule.ToPort === 65535 &&
      rule.IpRanges?.length === 1 &&
      rule.IpRanges[0]?.CidrIp === "172.20.0.0/16",
  );
}

/** Starts the control plane and resolves when it says it is ready. */
function serve(): Promise<{ stop(): Promise<void> }> {
  const args = ["serve", "--port", "0", "--dataDir", dataDir];
  shown("letsdata", args);
  const child = spawn(join(ROOT, "bin/letsdata"), args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return new Promise((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      process.stdout.write(`  ${chunk}`);
      if (String(chunk).includes("ready ")) resolve({ stop });
    });
    child.on("close", (code) => reject(new Error(`letsdata serve ended with ${code}:\n${log.slice(-2000)}`)));
  });
}

say("0. The control plane and the sandbox cloud, on a throw-away data folder");
const server = await serve();
try {
  await walk();
  say(`Done: ${verified} facts verified in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
} finally {
  for (const one of clients) one.destroy();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
