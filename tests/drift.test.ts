/**
 * What somebody changes in the cloud by hand, past letsdata, is put right within a minute of the house's clock,
 * with the interval between two looks that the product has by default. What cannot be put right is reported
 * and left alone.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateNetworkAclEntryCommand,
  CreateRouteCommand,
  CreateSubnetCommand,
  DeleteNatGatewayCommand,
  DeleteNetworkAclEntryCommand,
  DeleteRouteCommand,
  DeleteSubnetCommand,
  DeleteVpcPeeringConnectionCommand,
  DescribeNetworkAclsCommand,
  DescribeSubnetsCommand,
  DescribeVpcEndpointsCommand,
  DisassociateRouteTableCommand,
  type EC2Client,
  ModifyVpcEndpointCommand,
  type NetworkAcl,
  ReplaceRouteTableAssociationCommand,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
  type RouteTable,
} from "@aws-sdk/client-ec2";
import { awsCli } from "./support/awsCli.ts";
import { fastClock } from "./support/clocks.ts";
import { CUSTOMER, type House, openHouse, PLATFORM } from "./support/house.ts";
import {
  activePeering,
  activeVpc,
  everyPrivateTable,
  groupsOf,
  keyOf,
  oursByKey,
  peeringIs,
  present,
  reaches,
  routesThrough,
  rulesOf,
  tablesOf,
  type Vpc,
  vpcOf,
} from "./support/networks.ts";

const MINUTE = 60_000;
const PEER = "172.20.0.0/16";
const ANYWHERE = "0.0.0.0/0";

let house: House;
let platform: EC2Client;
let vpc: Vpc;
let peeringId = "";

before(async () => {
  // No faster: what the machine needs for the work counts in that minute.
  house = await openHouse({ clock: fastClock(2), windowMs: 30_000 });
  platform = house.ec2(PLATFORM);
  vpc = await activeVpc(house, "Clicks");
  peeringId = (await activePeering(house, vpc, PEER)).id;
});
after(() => house.close());

const mended = (what: string, whole: () => Promise<boolean>) => house.until(`mended: ${what}`, whole, MINUTE);

async function table(key: string): Promise<RouteTable & { RouteTableId: string }> {
  const found = present((await tablesOf(platform, vpc.vpcId)).find((candidate) => keyOf(candidate) === key));
  return { ...found, RouteTableId: present(found.RouteTableId) };
}

async function target(key: string, destination: string): Promise<string | undefined> {
  const { Routes = [] } = await table(key);
  const route = Routes.find(({ DestinationCidrBlock }) => DestinationCidrBlock === destination);
  return route?.State === "active"
    ? (route.NatGatewayId ?? route.GatewayId ?? route.VpcPeeringConnectionId)
    : "";
}

/** Deletes the route as its owner would at a terminal. */
async function deleteRoute(key: string, destination: string): Promise<void> {
  const { RouteTableId } = await table(key);
  const cli = await awsCli(house.sandboxUrl, PLATFORM);
  if (cli)
    await cli.ec2("delete-route", "--route-table-id", RouteTableId, "--destination-cidr-block", destination);
  else await platform.send(new DeleteRouteCommand({ RouteTableId, DestinationCidrBlock: destination }));
}

/** The conditions of a look made now: the list of connections asks for one. */
async function looked() {
  await house.api.call("vpcPeeringConnections.list", { datasetName: "Clicks" });
  return (await house.api.call("datasets.view", { datasetName: "Clicks" })).conditions;
}

async function groupId(name: string): Promise<string> {
  const groups = await groupsOf(platform, vpc.vpcId);
  return present(groups.find(({ GroupName }) => GroupName === name)?.GroupId);
}

async function acl(): Promise<NetworkAcl> {
  const Filters = [{ Name: "vpc-id", Values: [vpc.vpcId] }];
  const { NetworkAcls } = await platform.send(new DescribeNetworkAclsCommand({ Filters }));
  return present(NetworkAcls?.[0]);
}

/** `in 100 tcp …` of the entries, without the closing deny. */
async function entries(): Promise<string[]> {
  const { Entries = [] } = await acl();
  return Entries.filter(({ RuleNumber }) => RuleNumber !== 32767)
    .map(
      (entry) => `${entry.Egress ? "out" : "in"} ${entry.RuleNumber} ${entry.Protocol} ${entry.RuleAction}`,
    )
    .sort();
}

const ENTRIES = ["in 100 6 allow", "in 110 1 allow", "out 100 6 allow", "out 110 1 allow"];
const same = (a: readonly string[], b: readonly string[]) => JSON.stringify(a) === JSON.stringify(b);

describe("changed by hand", { concurrency: true }, () => {
  test("deleted: a private subnet's way out, by the aws command line", async () => {
    const nat = await target("table/private/1", ANYWHERE);
    await deleteRoute("table/private/1", ANYWHERE);
    await mended("the route", async () => (await target("table/private/1", ANYWHERE)) === nat);
  });

  test("deleted: the route to the customer", async () => {
    await deleteRoute("table/private/2", PEER);
    await mended("the route", async () => (await target("table/private/2", PEER)) === peeringId);
  });

  test("deleted: the rule of the cluster's group, and its way out", async () => {
    const GroupId = await groupId("letsdata-cluster");
    const rule = { IpProtocol: "tcp", FromPort: 0, ToPort: 65535 };
    const inside = { ...rule, IpRanges: [{ CidrIp: vpc.cidrBlock }] };
    const out = { ...rule, IpRanges: [{ CidrIp: ANYWHERE }] };
    await platform.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions: [inside] }));
    await platform.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: [out] }));
    await mended("the rules", async () => {
      const there = await rulesOf(platform, vpc.vpcId, "letsdata-cluster");
      const back = await rulesOf(platform, vpc.vpcId, "letsdata-cluster", true);
      return same(there, [`tcp 0-65535 ${vpc.cidrBlock}`]) && same(back, [`tcp 0-65535 ${ANYWHERE}`]);
    });
  });

  test("deleted: the rule that lets the customer in", async () => {
    const GroupId = await groupId("letsdata-peers");
    const rule = { IpProtocol: "tcp", FromPort: 0, ToPort: 65535, IpRanges: [{ CidrIp: PEER }] };
    await platform.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] }));
    await mended("the rule", async () =>
      same(await rulesOf(platform, vpc.vpcId, "letsdata-peers"), [`tcp 0-65535 ${PEER}`]),
    );
  });

  test("deleted: an entry of the ACL", async () => {
    const { NetworkAclId } = await acl();
    await platform.send(new DeleteNetworkAclEntryCommand({ NetworkAclId, RuleNumber: 100, Egress: false }));
    await mended("the entry", async () => same(await entries(), ENTRIES));
  });

  test("deleted: the association of a public subnet; a private one moved to another table", async () => {
    const { Associations = [] } = await table("table/public");
    const AssociationId = present(Associations[0]?.RouteTableAssociationId);
    await platform.send(new DisassociateRouteTableCommand({ AssociationId }));
    const first = await table("table/private/0");
    const moved = present(first.Associations?.[0]);
    const other = await table("table/public");
    await platform.send(
      new ReplaceRouteTableAssociationCommand({
        AssociationId: moved.RouteTableAssociationId,
        RouteTableId: other.RouteTableId,
      }),
    );
    await mended("the associations", async () => {
      const all = await Promise.all(["table/public", "table/private/0"].map(table));
      const [publicOnes = [], privateOnes = []] = all.map(({ Associations: found = [] }) => found);
      return publicOnes.length === 3 && privateOnes[0]?.SubnetId === moved.SubnetId;
    });
  });

  test("deleted: a table of the S3 endpoint", async () => {
    const Filters = [{ Name: "vpc-id", Values: [vpc.vpcId] }];
    const endpoint = async () => {
      const { VpcEndpoints } = await platform.send(new DescribeVpcEndpointsCommand({ Filters }));
      return present(VpcEndpoints?.[0]);
    };
    const { VpcEndpointId, RouteTableIds = [] } = await endpoint();
    const RemoveRouteTableIds = RouteTableIds.slice(0, 1);
    await platform.send(new ModifyVpcEndpointCommand({ VpcEndpointId, RemoveRouteTableIds }));
    await mended("the tables", async () =>
      same([...((await endpoint()).RouteTableIds ?? [])].sort(), [...RouteTableIds].sort()),
    );
  });

  test("deleted: a NAT gateway: another takes its address and its routes", async () => {
    const before = await target("table/private/0", ANYWHERE);
    const address = (await vpcOf(house, "Clicks")).natGateways.find(
      (nat) => nat.natGatewayId === before,
    )?.publicIp;
    await platform.send(new DeleteNatGatewayCommand({ NatGatewayId: before }));
    await mended("the NAT gateway", async () => {
      const now = await target("table/private/0", ANYWHERE);
      return Boolean(now) && now !== before;
    });
    const now = await target("table/private/0", ANYWHERE);
    await mended("its address is shown", async () => {
      const { natGateways } = await vpcOf(house, "Clicks");
      const nat = natGateways.find(({ natGatewayId }) => natGatewayId === now);
      return natGateways.length === 3 && nat?.state === "available" && nat.publicIp === address;
    });
  });

  test("added: a rule open to the world goes, from each group", async () => {
    const IpPermissions = [
      { IpProtocol: "-1", IpRanges: [{ CidrIp: ANYWHERE }] },
      { IpProtocol: "udp", FromPort: 53, ToPort: 53, IpRanges: [{ CidrIp: PEER }] },
    ];
    for (const name of ["letsdata-cluster", "letsdata-peers", "default"])
      await platform.send(
        new AuthorizeSecurityGroupIngressCommand({ GroupId: await groupId(name), IpPermissions }),
      );
    await mended("the groups", async () => {
      const found = await Promise.all(
        ["letsdata-cluster", "letsdata-peers", "default"].map((name) => rulesOf(platform, vpc.vpcId, name)),
      );
      return same(found.flat(), [`tcp 0-65535 ${vpc.cidrBlock}`, `tcp 0-65535 ${PEER}`]);
    });
  });

  test("added: an entry that opens the ACL goes", async () => {
    const { NetworkAclId } = await acl();
    const entry = { NetworkAclId, RuleNumber: 50, Egress: false, CidrBlock: ANYWHERE };
    await platform.send(new CreateNetworkAclEntryCommand({ ...entry, Protocol: "-1", RuleAction: "allow" }));
    await mended("the ACL", async () => same(await entries(), ENTRIES));
  });

  test("added: a route that leads elsewhere goes", async () => {
    const { RouteTableId } = await table("table/private/2");
    const NatGatewayId = await target("table/private/1", ANYWHERE);
    const DestinationCidrBlock = "192.168.7.0/24";
    await platform.send(new CreateRouteCommand({ RouteTableId, DestinationCidrBlock, NatGatewayId }));
    await mended("the table", async () => {
      const { Routes = [] } = await table("table/private/2");
      return !Routes.some((route) => route.DestinationCidrBlock === DestinationCidrBlock);
    });
  });
});

describe("afterwards", () => {
  test("the dataset is ACTIVE, everything is ready, and the customer is still connected", async () => {
    await house.until("all is ready", async () => {
      const { status, conditions } = await house.api.call("datasets.view", { datasetName: "Clicks" });
      const open = conditions.filter(
        ({ state, resource }) => state !== "ready" && !resource.endsWith("/dns"),
      );
      return status === "ACTIVE" && open.length === 0;
    });
    assert.deepEqual(await routesThrough(platform, vpc.vpcId, peeringId), everyPrivateTable(PEER));
  });

  test("a peering that the customer's side deleted is cleaned up, and the list says who did it", async () => {
    const cli = await awsCli(house.sandboxUrl, CUSTOMER);
    const VpcPeeringConnectionId = peeringId;
    if (cli) await cli.ec2("delete-vpc-peering-connection", "--vpc-peering-connection-id", peeringId);
    else await house.ec2(CUSTOMER).send(new DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
    const listed = await peeringIs(house, "Clicks", { id: peeringId, status: "DELETED" });
    assert.match(
      listed.statusReason,
      new RegExp(`was deleted by the customer's side \\(account ${CUSTOMER}\\)`),
    );
    await mended("no route and no rule is left", async () => {
      const routes = await routesThrough(platform, vpc.vpcId, peeringId);
      return routes.length === 0 && (await rulesOf(platform, vpc.vpcId, "letsdata-peers")).length === 0;
    });
    const dataset = await house.api.call("datasets.view", { datasetName: "Clicks" });
    assert.equal(dataset.status, "ACTIVE");
  });

  test("a subnet that somebody replaced is reported and left alone; a delete takes it along", async () => {
    const first = present(vpc.subnets.find(({ type }) => type === "private"));
    const { Subnets } = await platform.send(new DescribeSubnetsCommand({ SubnetIds: [first.subnetId] }));
    // The layout's spare block, with the tags of the subnet that it stands for.
    const CidrBlock = spareOf(vpc.cidrBlock);
    const { AvailabilityZoneId, Tags } = present(Subnets?.[0]);
    const TagSpecifications = [{ ResourceType: "subnet" as const, Tags }];
    const wrong = { VpcId: vpc.vpcId, CidrBlock, AvailabilityZoneId, TagSpecifications };
    const { Subnet } = await platform.send(new CreateSubnetCommand(wrong));
    await platform.send(new DeleteSubnetCommand({ SubnetId: first.subnetId }));
    const blocked = await house.until("it is reported", async () =>
      (await looked()).find(({ resource, state }) => resource === "subnet/private/0" && state === "blocked"),
    );
    assert.equal(blocked.id, Subnet?.SubnetId);
    assert.equal(blocked.whoseMove, "operator");
    assert.match(
      blocked.message,
      new RegExp(`is ${CidrBlock} .* should be ${first.cidrBlock} .*cannot be changed`),
    );
    const seen = await platform.send(new DescribeSubnetsCommand({ SubnetIds: [present(Subnet?.SubnetId)] }));
    assert.equal(seen.Subnets?.[0]?.CidrBlock, CidrBlock);
    await house.api.call("datasets.delete", { datasetName: "Clicks" });
    await reaches(house, "Clicks", "DELETED");
    assert.deepEqual([...(await oursByKey(house))], []);
  });
});

/** The last /28 of a /25: no layout of ours uses it. */
function spareOf(range: string): string {
  const [a, b, c, d] = range.split("/")[0]?.split(".").map(Number) ?? [];
  return `${a}.${b}.${c}.${Number(d) + 112}/28`;
}
