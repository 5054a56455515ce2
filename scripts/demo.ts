/**
 * `npm run demo`: the product page's own walk, on a throw-away data folder and the sandbox cloud, told step by
 * step. The customer's side is the real `aws` command line where it is installed, a stand-in by the SDK otherwise.
 * Exits 0 only when everything it says it verified was so; leaves no process and no file, and touches no
 * installation that the environment or a profile of whoever runs it may lead to.
 */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as aws from "@aws-sdk/client-ec2";
import { CUSTOMER_ACCOUNT, commandLine } from "../tests/support/customer.ts";
import { Scene, type Zonal } from "./demo/scene.ts";
import { type Credentials, REGION, telling } from "./demo/telling.ts";

const ROOT = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "letsdata-demo-"));
const dataDir = join(folder, ".letsdata");
const place = commandLine(folder);
const started = Date.now();
const tell = telling(folder, place);
const { say, check, letsdata } = tell;

const customer = <T>(credentials: Credentials, ...args: string[]) =>
  tell.ec2<T>(CUSTOMER_ACCOUNT, credentials, ...args);

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

interface Vpc extends Zonal {
  readonly ownerId: string;
  readonly status: string;
  readonly natGateways: readonly (Zonal["natGateways"][number] & { readonly state: string })[];
}

async function walk(): Promise<void> {
  const credentials = JSON.parse(readFileSync(join(dataDir, "credentials.json"), "utf8")) as Credentials;
  cpSync(join(ROOT, "examples"), join(folder, "examples"), { recursive: true });

  say("1. A dataset with a Kafka write connector, size small: its VPC is created and secured");
  await letsdata("datasets", "create", "--configFile", "examples/dataset.json", "--wait");
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

  say(`2. The customer's VPC, in account ${CUSTOMER_ACCOUNT}, by ${place.aws}`);
  tell.note(`In the sandbox the access key names the account: AWS_ACCESS_KEY_ID=${CUSTOMER_ACCOUNT}`);
  const own = await customer<aws.CreateVpcResult>(credentials, "create-vpc", "--cidr-block", "172.20.0.0/16");
  const vpcId = own.Vpc?.VpcId ?? "";
  check(`${vpcId} is there, 172.20.0.0/16`, vpcId.startsWith("vpc-"));

  say("3. A host in each VPC, to see what packets do");
  const scene = await Scene.set(tell, credentials, { vpc, customer: vpcId });

  say("4. The customer requests a VPC peering connection");
  const made = await customer<aws.CreateVpcPeeringConnectionResult>(
    credentials,
    "create-vpc-peering-connection",
    "--vpc-id",
    vpcId,
    "--peer-vpc-id",
    vpc.vpcId,
    "--peer-owner-id",
    vpc.ownerId,
  );
  const connectionId = made.VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
  check(`${connectionId} is requested`, connectionId.startsWith("pcx-"));

  await scene?.beforeAccept();

  say("5. It is listed, accepted, and its routes and rules are set");
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

  if (scene) say("6. TCP from the peer, and nothing else");
  await scene?.whilePeered(connectionId);

  say("7. The connection is deleted");
  await letsdata("vpcs", "vpcPeeringConnections", "delete", ...peering, "--wait");
  const after = await customer<aws.DescribeVpcPeeringConnectionsResult>(
    credentials,
    "describe-vpc-peering-connections",
    "--vpc-peering-connection-ids",
    connectionId,
  );
  check("the customer's side sees it deleted", after.VpcPeeringConnections?.[0]?.Status?.Code === "deleted");
  check("no route and no rule of it is left", (await peeredRoutes(credentials, connectionId)) === 0);
  await scene?.afterDelete();

  say("8. The dataset is deleted, and its VPC with it");
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
  const child = tell.started("letsdata", "serve", "--port", "0", "--dataDir", dataDir);
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void interrupted(stop));
  return new Promise((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      process.stdout.write(`  ${chunk}`);
      if (String(chunk).includes("ready ")) resolve({ stop });
    });
    child.on("close", (code) => reject(new Error(`letsdata serve ended with ${code}:\n${log.slice(-2000)}`)));
  });
}

async function interrupted(stop: () => Promise<void>): Promise<never> {
  await stop();
  rmSync(folder, { recursive: true, force: true });
  process.exit(130);
}

try {
  say(
    "0. The control plane and the sandbox cloud, on a throw-away data folder (a new one takes some seconds)",
  );
  const server = await serve();
  try {
    await walk();
    say(`Done: ${tell.verified()} facts verified in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
    console.log("To walk it yourself: npm start, and README.md, A walk.");
  } finally {
    for (const one of clients) one.destroy();
    await server.stop();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
