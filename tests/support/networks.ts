/**
 * What a test does with a dataset's network in the cloud: makes one, peers with it as the customer does, looks
 * at it with the platform's own eyes.
 */
import assert from "node:assert/strict";
import {
  CreateVpcCommand,
  CreateVpcPeeringConnectionCommand,
  DescribeNatGatewaysCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeTagsCommand,
  type EC2Client,
  ModifyVpcAttributeCommand,
  type RouteTable,
  type SecurityGroup,
} from "@aws-sdk/client-ec2";
import type { AnswerOf } from "../../src/contract/operations.ts";
import type { Region } from "../../src/domain/model.ts";
import { CUSTOMER, type House, PLATFORM } from "./house.ts";
import { askPatiently } from "./requests.ts";

export type Vpc = AnswerOf<"vpcs.list">["items"][number] & {
  readonly vpcId: string;
  readonly ownerId: string;
};
export type Peering = AnswerOf<"vpcPeeringConnections.list">["items"][number];

/** Creates the dataset and waits until it is ACTIVE. */
export async function activeVpc(
  house: House,
  datasetName: string,
  region: Region = "us-east-1",
): Promise<Vpc> {
  await house.api.call("datasets.create", {
    datasetName,
    region,
    customerAccountForAccess: CUSTOMER,
    writeConnector: { connectorDestination: "Kafka", kafka: { clusterType: "none" } },
  });
  await reaches(house, datasetName, "ACTIVE");
  return vpcOf(house, datasetName);
}

export async function reaches(house: House, datasetName: string, status: string, ms?: number): Promise<void> {
  const isThere = async () => (await house.api.call("datasets.view", { datasetName })).status === status;
  await house.until(`${datasetName} ${status}`, isThere, ms);
}

export async function vpcOf(house: House, datasetName: string): Promise<Vpc> {
  const { items } = await house.api.call("vpcs.list", { datasetName });
  const [vpc] = items;
  assert.ok(vpc?.vpcId && vpc.ownerId);
  return { ...vpc, vpcId: vpc.vpcId, ownerId: vpc.ownerId };
}

/** A VPC of the customer's with that block, and with DNS names, so that nothing of the peering stays open. */
export async function customerVpc(
  house: House,
  CidrBlock: string,
  side: { readonly region?: Region; readonly account?: string } = {},
): Promise<string> {
  const ec2 = house.ec2(side.account ?? CUSTOMER, side.region);
  const made = await ec2.send(new CreateVpcCommand({ CidrBlock }));
  const VpcId = present(made.Vpc?.VpcId);
  await ec2.send(new ModifyVpcAttributeCommand({ VpcId, EnableDnsHostnames: { Value: true } }));
  return VpcId;
}

export interface Request {
  readonly from: string;
  readonly to: Vpc;
  /** Of the requesting VPC. */
  readonly region?: Region;
  readonly account?: string;
}

/** The id of the connection that was asked for. */
export async function requestPeering(house: House, { from, to, region, account }: Request): Promise<string> {
  const made = await house.ec2(account ?? CUSTOMER, region ?? "us-east-1").send(
    new CreateVpcPeeringConnectionCommand({
      VpcId: from,
      PeerVpcId: to.vpcId,
      PeerOwnerId: to.ownerId,
      PeerRegion: to.region,
    }),
  );
  return present(made.VpcPeeringConnection?.VpcPeeringConnectionId);
}

export async function accept(house: House, datasetName: string, id: string): Promise<Peering> {
  const what = `POST /v1/datasets/${datasetName}/vpcPeeringConnections/${id}/accept`;
  const { status, body, text } = await askPatiently(house, what);
  assert.equal(status, 202, text);
  return body;
}

export async function peeringOf(house: House, datasetName: string, id: string): Promise<Peering | undefined> {
  const { items } = await house.api.call("vpcPeeringConnections.list", { datasetName });
  return items.find(({ vpcPeeringConnectionId }) => vpcPeeringConnectionId === id);
}

/** Waits until the list says so of the connection; the connection as listed. */
export function peeringIs(house: House, datasetName: string, peering: { id: string; status: string }) {
  return house.until(`${peering.id} ${peering.status}`, async () => {
    const listed = await peeringOf(house, datasetName, peering.id);
    return listed?.status === peering.status && listed;
  });
}

/** A peering between a new VPC of the customer's and the dataset's, ACTIVE. */
export async function activePeering(
  house: House,
  vpc: Vpc,
  block: string,
): Promise<{ id: string; vpcId: string }> {
  const vpcId = await customerVpc(house, block);
  const id = await requestPeering(house, { from: vpcId, to: vpc });
  await accept(house, vpc.datasetName, id);
  await peeringIs(house, vpc.datasetName, { id, status: "ACTIVE" });
  return { id, vpcId };
}

const inVpc = (vpcId: string) => [{ Name: "vpc-id", Values: [vpcId] }];

export async function tablesOf(ec2: EC2Client, vpcId: string): Promise<readonly RouteTable[]> {
  const { RouteTables = [] } = await ec2.send(new DescribeRouteTablesCommand({ Filters: inVpc(vpcId) }));
  return RouteTables;
}

export async function groupsOf(ec2: EC2Client, vpcId: string): Promise<readonly SecurityGroup[]> {
  const { SecurityGroups = [] } = await ec2.send(
    new DescribeSecurityGroupsCommand({ Filters: inVpc(vpcId) }),
  );
  return SecurityGroups;
}

interface Tagged {
  readonly Tags?: { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined;
}

/** Our key of a thing, such as `table/private/0`. */
export function keyOf({ Tags = [] }: Tagged): string {
  return Tags.find(({ Key }) => Key === "letsdata:key")?.Value ?? "";
}

/** Where the VPC's tables lead through that connection: `table/private/0 172.16.0.0/16`, sorted. */
export async function routesThrough(ec2: EC2Client, vpcId: string, connectionId: string): Promise<string[]> {
  const tables = await tablesOf(ec2, vpcId);
  return tables
    .flatMap((table) =>
      (table.Routes ?? [])
        .filter((route) => route.VpcPeeringConnectionId === connectionId)
        .map((route) => `${keyOf(table)} ${route.DestinationCidrBlock}`),
    )
    .sort();
}

export function everyPrivateTable(...blocks: readonly string[]): string[] {
  return [0, 1, 2].flatMap((index) => blocks.map((block) => `table/private/${index} ${block}`)).sort();
}

/** What the group of that name lets in or out: `tcp 0-65535 10.2.0.0/25`, sorted. */
export async function rulesOf(
  ec2: EC2Client,
  vpcId: string,
  name: string,
  egress = false,
): Promise<string[]> {
  const group = (await groupsOf(ec2, vpcId)).find(({ GroupName }) => GroupName === name);
  const permissions = (egress ? group?.IpPermissionsEgress : group?.IpPermissions) ?? [];
  return permissions
    .flatMap(({ IpProtocol, FromPort, ToPort, IpRanges = [] }) =>
      IpRanges.map(({ CidrIp }) => `${IpProtocol} ${FromPort}-${ToPort} ${CidrIp}`),
    )
    .sort();
}

/**
 * How many things of ours the cloud has, by our key; dead NAT gateways, which AWS shows for an hour, left out:
 * https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html
 */
export async function oursByKey(
  house: Pick<House, "ec2">,
  region: Region = "us-east-1",
): Promise<ReadonlyMap<string, number>> {
  const ec2 = house.ec2(PLATFORM, region);
  const Filters = [{ Name: "key", Values: ["letsdata:key"] }];
  const { Tags = [] } = await ec2.send(new DescribeTagsCommand({ Filters }));
  const dead = await deadNatGateways(ec2);
  const counts = new Map<string, number>();
  for (const { ResourceId, ResourceType, Value = "" } of Tags)
    if (ResourceType !== "security-group-rule" && !dead.has(ResourceId ?? ""))
      counts.set(Value, (counts.get(Value) ?? 0) + 1);
  return counts;
}

async function deadNatGateways(ec2: EC2Client): Promise<ReadonlySet<string>> {
  const { NatGateways = [] } = await ec2.send(new DescribeNatGatewaysCommand({}));
  const dead = NatGateways.filter(({ State }) => State === "deleted" || State === "failed");
  return new Set(dead.map(({ NatGatewayId }) => NatGatewayId ?? ""));
}

/** Everything one network is made of, once; with a cluster, when it has one. */
export function oneOfEach(cluster: readonly "cluster"[] = []): ReadonlyMap<string, number> {
  const zones = [0, 1, 2];
  const keys = [
    ...cluster,
    ...["vpc", "igw", "endpoint/s3", "group/cluster", "group/peers", "table/public"],
    ...zones.flatMap((zone) => [`subnet/private/${zone}`, `subnet/public/${zone}`]),
    ...zones.flatMap((zone) => [`eip/${zone}`, `nat/${zone}`, `table/private/${zone}`]),
  ];
  return new Map(keys.map((key) => [key, 1]));
}

export function sortedEntries<T>(counts: ReadonlyMap<string, T>): [string, T][] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

export function present<T>(value: T | undefined | null): T {
  assert.ok(value !== undefined && value !== null);
  return value;
}
