/** Security groups over the wire: names, what keeps a group, references across peerings. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AcceptVpcPeeringConnectionCommand,
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateNetworkInterfaceCommand,
  CreateSecurityGroupCommand,
  CreateVpcPeeringConnectionCommand,
  DeleteNetworkInterfaceCommand,
  DeleteSecurityGroupCommand,
  DeleteVpcPeeringConnectionCommand,
  DescribeSecurityGroupsCommand,
  DescribeVpcsCommand,
  type EC2Client,
  RevokeSecurityGroupIngressCommand,
} from "@aws-sdk/client-ec2";
import { settings } from "./settings.ts";
import { startSandbox, type TestSandbox } from "./testing.ts";
import { makeGroup, makeSubnet, makeVpc } from "./testNetwork.ts";

describe("security groups", () => {
  let sandbox: TestSandbox;
  let client: EC2Client;

  before(async () => {
    sandbox = await startSandbox();
    client = sandbox.client("111111111111", "eu-west-1");
  });
  after(() => sandbox.close());

  const groupOf = async (id: string) =>
    (await client.send(new DescribeSecurityGroupsCommand({ GroupIds: [id] }))).SecurityGroups?.[0];

  const idsBy = async (Name: string, value: string) => {
    const Filters = [{ Name, Values: [value] }];
    const { SecurityGroups } = await client.send(new DescribeSecurityGroupsCommand({ Filters }));
    return SecurityGroups?.map((one) => one.GroupId);
  };

  const allow = (GroupId: string, permission: object) =>
    client.send(
      new AuthorizeSecurityGroupIngressCommand({
        GroupId,
        IpPermissions: [{ IpProtocol: "tcp", FromPort: 0, ToPort: 65535, ...permission }],
      }),
    );

  test("a VPC is born with its default group, a new group with all egress", async () => {
    const vpcId = await makeVpc(client);
    const [own = ""] = (await idsBy("vpc-id", vpcId)) ?? [];
    const group = await groupOf(own);
    assert.equal(group?.GroupName, "default");
    assert.deepEqual(group?.IpPermissions?.[0]?.UserIdGroupPairs, [{ GroupId: own, UserId: "111111111111" }]);
    await assert.rejects(client.send(new DeleteSecurityGroupCommand({ GroupId: own })), {
      name: "CannotDelete",
    });
    const made = await groupOf(await makeGroup(client, vpcId, "cluster"));
    assert.deepEqual(made?.IpPermissions, []);
    assert.deepEqual(
      made?.IpPermissionsEgress?.map((one) => [one.IpProtocol, one.FromPort, one.IpRanges]),
      [["-1", undefined, [{ CidrIp: "0.0.0.0/0" }]]],
    );
  });

  test("names are checked and are one a VPC", async () => {
    const VpcId = await makeVpc(client);
    const create = (GroupName: string, Description = "for a test", vpc: string | undefined = VpcId) =>
      client.send(new CreateSecurityGroupCommand({ GroupName, Description, VpcId: vpc }));
    await create("cluster");
    await assert.rejects(create("cluster"), { name: "InvalidGroup.Duplicate" });
    await assert.rejects(create("default"), { name: "InvalidParameterValue" });
    await assert.rejects(create("sg-cluster"), { name: "InvalidParameterValue" });
    await assert.rejects(create("größer"), { name: "InvalidParameterValue" });
    await assert.rejects(create("empty", ""), { name: "InvalidParameterValue" });
    await assert.rejects(create("lost", "x", "vpc-00000000000000000"), { name: "InvalidVpcID.NotFound" });
    await create("cluster", "in another VPC", await makeVpc(client, "10.2.0.0/16"));
  });

  test("without a VPC it is made in the default one, where its name is enough", async () => {
    const { GroupId } = await client.send(
      new CreateSecurityGroupCommand({ GroupName: "web", Description: "in the default VPC" }),
    );
    const { SecurityGroups } = await client.send(new DescribeSecurityGroupsCommand({ GroupNames: ["web"] }));
    assert.deepEqual(
      SecurityGroups?.map((one) => one.GroupId),
      [GroupId],
    );
    const { Vpcs } = await client.send(
      new DescribeVpcsCommand({ Filters: [{ Name: "is-default", Values: ["true"] }] }),
    );
    assert.equal(SecurityGroups?.[0]?.VpcId, Vpcs?.[0]?.VpcId);
    await client.send(new DeleteSecurityGroupCommand({ GroupName: "web" }));
    await assert.rejects(client.send(new DescribeSecurityGroupsCommand({ GroupNames: ["web"] })), {
      name: "InvalidGroup.NotFound",
    });
  });

  test("one that an interface has, or a rule of the VPC names, cannot be deleted", async () => {
    const vpcId = await makeVpc(client);
    const [a, b] = [await makeGroup(client, vpcId, "a"), await makeGroup(client, vpcId, "b")];
    const SubnetId = await makeSubnet(client, vpcId);
    const { NetworkInterface } = await client.send(
      new CreateNetworkInterfaceCommand({ SubnetId, Groups: [a] }),
    );
    const remove = () => client.send(new DeleteSecurityGroupCommand({ GroupId: a }));
    await assert.rejects(remove(), {
      name: "DependencyViolation",
      message: `resource ${a} has a dependent object`,
    });
    const { NetworkInterfaceId } = NetworkInterface ?? {};
    await client.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));
    await allow(a, { UserIdGroupPairs: [{ GroupId: a }] });
    await allow(b, { UserIdGroupPairs: [{ GroupId: a }] });
    await assert.rejects(remove(), { name: "DependencyViolation" });
    const all = { IpProtocol: "tcp", FromPort: 0, ToPort: 65535, UserIdGroupPairs: [{ GroupId: a }] };
    await client.send(new RevokeSecurityGroupIngressCommand({ GroupId: b, IpPermissions: [all] }));
    await remove();
    await assert.rejects(groupOf(a), { name: "InvalidGroup.NotFound" });
  });

  test("filters look at the group and at its rules", async () => {
    const vpcId = await makeVpc(client);
    const id = await makeGroup(client, vpcId, "filtered");
    await allow(id, { FromPort: 9092, ToPort: 9098, IpRanges: [{ CidrIp: "10.77.0.0/16" }] });
    for (const [name, value] of [
      ["group-name", "filtered"],
      ["ip-permission.cidr", "10.77.0.0/16"],
      ["ip-permission.from-port", "9092"],
      ["ip-permission.to-port", "9098"],
      ["group-id", id],
    ] as const)
      assert.deepEqual(await idsBy(name, value), [id], name);
    assert.ok((await idsBy("egress.ip-permission.cidr", "0.0.0.0/0"))?.includes(id));
    await assert.rejects(idsBy("ip-permission.colour", "red"), { name: "InvalidParameterValue" });
  });

  test("a group of another network is named only across an active peering of the region", async () => {
    const customer = sandbox.client("222222222222", "eu-west-1");
    const [mine, theirs] = [await makeVpc(client), await makeVpc(customer, "10.88.0.0/16")];
    const [id, other] = [
      await makeGroup(client, mine, "peers"),
      await makeGroup(customer, theirs, "clients"),
    ];
    const pair = { UserIdGroupPairs: [{ GroupId: other, UserId: "222222222222" }] };
    await assert.rejects(allow(id, pair), { name: "InvalidGroup.NotFound" });
    const { VpcPeeringConnection } = await customer.send(
      new CreateVpcPeeringConnectionCommand({ VpcId: theirs, PeerVpcId: mine, PeerOwnerId: "111111111111" }),
    );
    const VpcPeeringConnectionId = VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
    await client.send(new AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
    sandbox.clock.advance(settings("quick").peeringProvisioningMs);
    await assert.rejects(allow(id, { UserIdGroupPairs: [{ GroupId: other, UserId: "333333333333" }] }), {
      name: "InvalidGroup.NotFound",
    });
    await allow(id, pair);
    const shown = async () => (await groupOf(id))?.IpPermissions?.[0]?.UserIdGroupPairs?.[0];
    assert.deepEqual(await shown(), {
      GroupId: other,
      UserId: "222222222222",
      VpcId: theirs,
      VpcPeeringConnectionId,
      PeeringStatus: "active",
    });
    await client.send(new DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
    assert.equal((await shown())?.PeeringStatus, "deleted");
    // A reference of another VPC does not keep the customer's group.
    await customer.send(new DeleteSecurityGroupCommand({ GroupId: other }));
    const stale = { IpProtocol: "tcp", FromPort: 0, ToPort: 65535, ...pair };
    await client.send(new RevokeSecurityGroupIngressCommand({ GroupId: id, IpPermissions: [stale] }));
    assert.deepEqual((await groupOf(id))?.IpPermissions, []);
  });

  test("egress is a direction of its own", async () => {
    const id = await makeGroup(client, await makeVpc(client), "out");
    const IpPermissions = [
      { IpProtocol: "udp", FromPort: 53, ToPort: 53, IpRanges: [{ CidrIp: "10.0.0.0/8" }] },
    ];
    await client.send(new AuthorizeSecurityGroupEgressCommand({ GroupId: id, IpPermissions }));
    const group = await groupOf(id);
    assert.deepEqual(group?.IpPermissions, []);
    assert.equal(group?.IpPermissionsEgress?.length, 2);
  });
});
