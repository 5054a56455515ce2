/**
 * The product page's walk: a dataset gets its VPC, a customer peers theirs with it, packets show what gets through,
 * and all of it is taken away again. Where this machine carries no packets, the walk is told without them.
 */
import assert from "node:assert/strict";
import type * as aws from "@aws-sdk/client-ec2";
import { CUSTOMER_ACCOUNT } from "../../tests/support/customer.ts";
import { Platform } from "./platform.ts";
import { Scene, type Zonal } from "./scene.ts";
import type { Stage, Story } from "./stage.ts";

interface Vpc extends Zonal {
  readonly ownerId: string;
  readonly status: string;
  readonly natGateways: readonly (Zonal["natGateways"][number] & { readonly state: string })[];
}

interface Told extends Stage {
  readonly platform: Platform;
}

export const networkStory: Story = {
  serve: [],
  async walk(stage) {
    const platform = new Platform(stage.credentials);
    try {
      await walk({ ...stage, platform });
    } finally {
      platform.close();
    }
    stage.tell.note("To walk it yourself: npm start, and README.md, A walk.");
  },
};

async function walk(told: Told): Promise<void> {
  const { tell, credentials } = told;
  const vpc = await created(told);
  const vpcId = await customersVpc(told);
  tell.say("3. A host in each VPC, to see what packets do");
  const scene = await Scene.set(tell, credentials, { vpc, customer: vpcId });
  const connectionId = await requested(told, vpc, vpcId);
  await scene?.beforeAccept();
  await accepted(told, vpc, connectionId);
  if (scene) tell.say("6. TCP from the peer, and nothing else");
  await scene?.whilePeered(connectionId);
  await deleted(told, connectionId);
  await scene?.afterDelete();
  tell.say("8. The dataset is deleted, and its VPC with it");
  await tell.letsdata("datasets", "delete", "--datasetName", "Clicks", "--wait");
  const left = await told.platform.leftovers();
  tell.check(
    `nothing is left under our tags${left.length > 0 ? `: ${left.join(", ")}` : ""}`,
    left.length === 0,
  );
}

async function created({ tell }: Told): Promise<Vpc> {
  tell.say("1. A dataset with a Kafka write connector, size small: its VPC is created and secured");
  await tell.letsdata("datasets", "create", "--configFile", "examples/dataset.json", "--wait");
  const vpcs = await tell.letsdata<{ items: Vpc[] }>("vpcs", "list", "--datasetName", "Clicks");
  const [vpc] = vpcs.items;
  assert.ok(vpc, "a VPC");
  tell.check(
    `${vpc.vpcId} of account ${vpc.ownerId} is ${vpc.status}, ${vpc.cidrBlock}`,
    vpc.status === "ACTIVE" && vpc.cidrBlock.endsWith("/25"),
  );
  const zones = (type: string) =>
    new Set(vpc.subnets.filter((subnet) => subnet.type === type).map((subnet) => subnet.availabilityZone));
  tell.check(
    "3 private and 3 public subnets over 3 zones",
    zones("private").size === 3 && zones("public").size === 3,
  );
  tell.check(
    "3 NAT gateways are available",
    vpc.natGateways.filter(({ state }) => state === "available").length === 3,
  );
  return vpc;
}

async function customersVpc({ tell, credentials, aws: command }: Told): Promise<string> {
  tell.say(`2. The customer's VPC, in account ${CUSTOMER_ACCOUNT}, by ${command}`);
  tell.note(`In the sandbox the access key names the account: AWS_ACCESS_KEY_ID=${CUSTOMER_ACCOUNT}`);
  const args = ["create-vpc", "--cidr-block", "172.20.0.0/16"];
  const own = await tell.ec2<aws.CreateVpcResult>(CUSTOMER_ACCOUNT, credentials, ...args);
  const vpcId = own.Vpc?.VpcId ?? "";
  tell.check(`${vpcId} is there, 172.20.0.0/16`, vpcId.startsWith("vpc-"));
  return vpcId;
}

async function requested({ tell, credentials }: Told, vpc: Vpc, vpcId: string): Promise<string> {
  tell.say("4. The customer requests a VPC peering connection");
  const made = await tell.ec2<aws.CreateVpcPeeringConnectionResult>(
    CUSTOMER_ACCOUNT,
    credentials,
    ...["create-vpc-peering-connection", "--vpc-id", vpcId],
    ...["--peer-vpc-id", vpc.vpcId, "--peer-owner-id", vpc.ownerId],
  );
  const connectionId = made.VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
  tell.check(`${connectionId} is requested`, connectionId.startsWith("pcx-"));
  return connectionId;
}

/** `letsdata vpcs vpcPeeringConnections VERB` of that connection. */
function peering({ tell }: Told, verb: string, connectionId: string): Promise<{ status: string }> {
  const which = ["--datasetName", "Clicks", "--vpcPeeringConnectionId", connectionId];
  return tell.letsdata("vpcs", "vpcPeeringConnections", verb, ...which, "--wait");
}

async function accepted(told: Told, vpc: Vpc, connectionId: string): Promise<void> {
  const { tell, platform } = told;
  tell.say("5. It is listed, accepted, and its routes and rules are set");
  const list = ["vpcs", "vpcPeeringConnections", "list", "--datasetName", "Clicks"];
  type Listed = { items: { vpcPeeringConnectionId: string; status: string }[] };
  const { items } = await tell.letsdata<Listed>(...list);
  tell.check(
    "the request is listed as PENDING",
    items.some((item) => item.vpcPeeringConnectionId === connectionId && item.status === "PENDING"),
  );
  tell.check("it is ACTIVE", (await peering(told, "accept", connectionId)).status === "ACTIVE");
  tell.check(
    "3 private route tables lead to the customer's range",
    (await platform.routesOf(connectionId)) === 3,
  );
  const peers = await platform.peersRules(vpc.vpcId);
  const [rule] = peers;
  tell.check(
    "TCP on all ports is let in from 172.20.0.0/16, and nothing else",
    peers.length === 1 &&
      rule?.IpProtocol === "tcp" &&
      rule.FromPort === 0 &&
      rule.ToPort === 65535 &&
      rule.IpRanges?.length === 1 &&
      rule.IpRanges[0]?.CidrIp === "172.20.0.0/16",
  );
}

async function deleted(told: Told, connectionId: string): Promise<void> {
  const { tell, credentials, platform } = told;
  tell.say("7. The connection is deleted");
  await peering(told, "delete", connectionId);
  const after = await tell.ec2<aws.DescribeVpcPeeringConnectionsResult>(
    CUSTOMER_ACCOUNT,
    credentials,
    ...["describe-vpc-peering-connections", "--vpc-peering-connection-ids", connectionId],
  );
  tell.check(
    "the customer's side sees it deleted",
    after.VpcPeeringConnections?.[0]?.Status?.Code === "deleted",
  );
  tell.check("no route and no rule of it is left", (await platform.routesOf(connectionId)) === 0);
}
