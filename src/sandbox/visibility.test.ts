/** Eventual consistency over the wire: who sees what is new, and who cannot yet. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import {
  CreateNatGatewayCommand,
  CreateRouteTableCommand,
  CreateSubnetCommand,
  CreateTagsCommand,
  CreateVpcCommand,
  CreateVpcPeeringConnectionCommand,
  DeleteVpcCommand,
  DescribeAddressesCommand,
  DescribeInternetGatewaysCommand,
  DescribeNetworkAclsCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupRulesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeTagsCommand,
  DescribeVpcPeeringConnectionsCommand,
  DescribeVpcsCommand,
  type EC2Client,
} from "@aws-sdk/client-ec2";
import { startSandbox, type TestSandbox } from "./testing.ts";
import {
  makeAddress,
  makeGroup,
  makeInternetGateway,
  makeNatGateway,
  makeRouteTable,
  makeSubnet,
  makeVpc,
} from "./testNetwork.ts";

const A = "111111111111";
const B = "222222222222";
const WHILE = 3_000;

describe("what is new", () => {
  let sandbox: TestSandbox;
  let client: EC2Client;
  afterEach(() => sandbox.close());

  async function start(over = {}): Promise<void> {
    sandbox = await startSandbox({ settings: { unseenMsMin: WHILE, unseenMsMax: WHILE, ...over } });
    client = sandbox.client(A, "eu-west-1");
  }

  const settle = () => sandbox.clock.advance(WHILE);
  const inVpc = (id: string) => [{ Name: "vpc-id", Values: [id] }];

  test("is in no list, not found by its id, and comes into sight whole", async () => {
    await start();
    const Tags = [{ Key: "Name", Value: "new" }];
    const TagSpecifications = [{ ResourceType: "vpc" as const, Tags }];
    const { Vpc } = await client.send(new CreateVpcCommand({ CidrBlock: "10.1.0.0/16", TagSpecifications }));
    const id = Vpc?.VpcId ?? "";
    const byTag = { Filters: [{ Name: "tag:Name", Values: ["new"] }] };
    const tagged = async () => (await client.send(new DescribeVpcsCommand(byTag))).Vpcs?.length;
    const tags = async () => (await client.send(new DescribeTagsCommand({}))).Tags?.length;
    const groups = async () =>
      (await client.send(new DescribeSecurityGroupsCommand({ Filters: inVpc(id) }))).SecurityGroups?.length;
    const acls = async () =>
      (await client.send(new DescribeNetworkAclsCommand({ Filters: inVpc(id) }))).NetworkAcls?.length;
    const tables = async () =>
      (await client.send(new DescribeRouteTablesCommand({ Filters: inVpc(id) }))).RouteTables?.length;
    const rules = async () =>
      (await client.send(new DescribeSecurityGroupRulesCommand({}))).SecurityGroupRules?.length;
    const counts = () => Promise.all([tagged(), tags(), groups(), acls(), tables(), rules()]);
    const describeIt = () => client.send(new DescribeVpcsCommand({ VpcIds: [id] }));
    sandbox.clock.advance(WHILE - 1);
    // The rules of the default VPC's default group are there all the time.
    assert.deepEqual(await counts(), [0, 0, 0, 0, 0, 2]);
    await assert.rejects(describeIt(), { name: "InvalidVpcID.NotFound" });
    sandbox.clock.advance(1);
    assert.deepEqual(await counts(), [1, 1, 1, 1, 1, 4]);
    assert.deepEqual((await describeIt()).Vpcs?.[0]?.Tags, Tags);
  });

  test("cannot be referred to yet", async () => {
    await start();
    const vpcId = await makeVpc(client);
    const NotFound = { name: "InvalidVpcID.NotFound" };
    await assert.rejects(makeSubnet(client, vpcId), NotFound);
    await assert.rejects(makeRouteTable(client, vpcId), NotFound);
    await assert.rejects(makeGroup(client, vpcId, "a"), NotFound);
    await assert.rejects(makeInternetGateway(client, vpcId), { name: "InvalidInternetGatewayID.NotFound" });
    await assert.rejects(client.send(new DeleteVpcCommand({ VpcId: vpcId })), NotFound);
    const tag = { Resources: [vpcId], Tags: [{ Key: "a", Value: "b" }] };
    await assert.rejects(client.send(new CreateTagsCommand(tag)), NotFound);
    settle();
    const SubnetId = await makeSubnet(client, vpcId);
    const AllocationId = await makeAddress(client);
    const nat = () => client.send(new CreateNatGatewayCommand({ SubnetId, AllocationId }));
    await assert.rejects(nat(), { name: "InvalidSubnetID.NotFound" });
    settle();
    const fresh = await makeAddress(client);
    await assert.rejects(client.send(new CreateNatGatewayCommand({ SubnetId, AllocationId: fresh })), {
      name: "InvalidElasticIpID.NotFound",
    });
    assert.match((await nat()).NatGateway?.NatGatewayId ?? "", /^nat-/);
  });

  test("is known at once to rules about what exists: blocks, names, quotas, client tokens", async () => {
    await start({ vpcsQuota: 2 });
    const vpcId = await makeVpc(client);
    await assert.rejects(makeVpc(client, "10.2.0.0/16"), { name: "VpcLimitExceeded" });
    settle();
    await makeSubnet(client, vpcId);
    const twin = { VpcId: vpcId, CidrBlock: "10.1.0.0/24" };
    await assert.rejects(client.send(new CreateSubnetCommand(twin)), { name: "InvalidSubnet.Conflict" });
    const { Subnets } = await client.send(new DescribeSubnetsCommand({ Filters: inVpc(vpcId) }));
    assert.deepEqual(Subnets, []);
    await makeGroup(client, vpcId, "a");
    await assert.rejects(makeGroup(client, vpcId, "a"), { name: "InvalidGroup.Duplicate" });
    const table = { VpcId: vpcId, ClientToken: "token" };
    const [one, two] = [
      await client.send(new CreateRouteTableCommand(table)),
      await client.send(new CreateRouteTableCommand(table)),
    ];
    assert.equal(one.RouteTable?.RouteTableId, two.RouteTable?.RouteTableId);
  });

  test("a NAT gateway hides with its interface, an address by its public address too", async () => {
    await start({ unseenMsMin: 0, unseenMsMax: 0 });
    const vpcId = await makeVpc(client);
    await makeInternetGateway(client, vpcId);
    const subnetId = await makeSubnet(client, vpcId);
    await sandbox.own("PATCH settings", { unseenMsMin: WHILE, unseenMsMax: WHILE });
    const AllocationId = await makeAddress(client);
    settle();
    const input = { SubnetId: subnetId, AllocationId };
    await client.send(new CreateNatGatewayCommand(input));
    const interfaces = async () =>
      (await client.send(new DescribeNetworkInterfacesCommand({ Filters: inVpc(vpcId) }))).NetworkInterfaces
        ?.length;
    assert.equal(await interfaces(), 0);
    settle();
    assert.equal(await interfaces(), 1);
    const { Addresses: [known] = [] } = await client.send(new DescribeAddressesCommand({}));
    const id = await makeAddress(client);
    const seen = (await client.send(new DescribeAddressesCommand({}))).Addresses ?? [];
    assert.deepEqual(
      seen.map((one) => one.AllocationId),
      [known?.AllocationId],
    );
    settle();
    const { Addresses: [fresh] = [] } = await client.send(
      new DescribeAddressesCommand({ AllocationIds: [id] }),
    );
    assert.match(fresh?.PublicIp ?? "", /^198\.1[89]\./);
  });

  test("a peering request is unseen by both sides, and a second one answers the first", async () => {
    await start({ peeringInitiatingMs: 0 });
    const other = sandbox.client(B, "eu-west-1");
    const [mine, theirs] = [await makeVpc(client), await makeVpc(other, "10.2.0.0/16")];
    settle();
    const input = { VpcId: mine, PeerVpcId: theirs, PeerOwnerId: B };
    const request = async () =>
      (await client.send(new CreateVpcPeeringConnectionCommand(input))).VpcPeeringConnection
        ?.VpcPeeringConnectionId;
    const id = await request();
    const seenBy = async (by: EC2Client) =>
      (await by.send(new DescribeVpcPeeringConnectionsCommand({}))).VpcPeeringConnections?.length;
    assert.deepEqual([await seenBy(client), await seenBy(other)], [0, 0]);
    assert.equal(await request(), id);
    settle();
    assert.deepEqual([await seenBy(client), await seenBy(other)], [1, 1]);
  });

  test("what the account always had is always seen, and nothing is hidden in the profile quick", async () => {
    await start();
    assert.equal((await client.send(new DescribeVpcsCommand({}))).Vpcs?.length, 1);
    assert.equal((await client.send(new DescribeInternetGatewaysCommand({}))).InternetGateways?.length, 1);
    await sandbox.close();
    sandbox = await startSandbox();
    client = sandbox.client(A, "eu-west-1");
    const vpcId = await makeVpc(client);
    await makeInternetGateway(client, vpcId);
    await makeNatGateway(client, await makeSubnet(client, vpcId));
  });

  test("the whiles differ, lie between the bounds, and are the same again for the same seed", async () => {
    const whiles = async (seed: number) => {
      await start({ unseenMsMin: 10, unseenMsMax: 20, seed });
      const born = sandbox.clock.now();
      const ids = [];
      for (let i = 0; i < 12; i++) ids.push(await makeVpc(client, `10.${i}.0.0/16`));
      const lasted = new Map<string, number>();
      for (let ms = 0; ms <= 20; ms++) {
        sandbox.clock.set(born + ms);
        const { Vpcs = [] } = await client.send(new DescribeVpcsCommand({}));
        for (const { VpcId = "" } of Vpcs) if (!lasted.has(VpcId)) lasted.set(VpcId, ms);
      }
      return ids.map((id) => lasted.get(id) ?? -1);
    };
    const first = await whiles(7);
    assert.ok(first.every((ms) => ms >= 10 && ms <= 20));
    assert.ok(new Set(first).size > 1);
    await sandbox.close();
    assert.deepEqual(await whiles(7), first);
    await sandbox.close();
    assert.notDeepEqual(await whiles(8), first);
  });
});
