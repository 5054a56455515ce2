/** Network interfaces over the wire: addresses, groups, attachments, those of services. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AttachNetworkInterfaceCommand,
  CreateNetworkInterfaceCommand,
  type CreateNetworkInterfaceCommandInput,
  DeleteNetworkInterfaceCommand,
  DeleteSubnetCommand,
  DescribeNetworkInterfaceAttributeCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSubnetsCommand,
  DetachNetworkInterfaceCommand,
  type EC2Client,
  ModifyNetworkInterfaceAttributeCommand,
  type ModifyNetworkInterfaceAttributeCommandInput,
} from "@aws-sdk/client-ec2";
import { startSandbox, type TestSandbox } from "./testing.ts";
import {
  makeGroup,
  makeInstance,
  makeInternetGateway,
  makeNatGateway,
  makeSubnet,
  makeVpc,
} from "./testNetwork.ts";

describe("network interfaces", () => {
  let sandbox: TestSandbox;
  let client: EC2Client;

  before(async () => {
    sandbox = await startSandbox();
    client = sandbox.client("111111111111", "eu-west-1");
  });
  after(() => sandbox.close());

  async function network(block = "10.1.0.0/28") {
    const vpcId = await makeVpc(client);
    return { vpcId, SubnetId: await makeSubnet(client, vpcId, block) };
  }

  const create = async (input: CreateNetworkInterfaceCommandInput) =>
    (await client.send(new CreateNetworkInterfaceCommand(input))).NetworkInterface ?? {};

  const interfaceOf = async (id: string | undefined) =>
    (await client.send(new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [id ?? ""] })))
      .NetworkInterfaces?.[0];

  const remove = (NetworkInterfaceId: string | undefined) =>
    client.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));

  const natInterfaceIn = async (SubnetId: string) => {
    const Filters = [{ Name: "subnet-id", Values: [SubnetId] }];
    const { NetworkInterfaces } = await client.send(new DescribeNetworkInterfacesCommand({ Filters }));
    return NetworkInterfaces?.[0];
  };

  test("one takes an address of its subnet and the VPC's default group", async () => {
    const { vpcId, SubnetId } = await network();
    const Tags = [{ Key: "role", Value: "probe" }];
    const made = await create({
      SubnetId,
      Description: "a probe",
      TagSpecifications: [{ ResourceType: "network-interface", Tags }],
    });
    const seen = await interfaceOf(made.NetworkInterfaceId);
    assert.equal(seen?.PrivateIpAddress, "10.1.0.4");
    assert.equal(seen?.VpcId, vpcId);
    assert.equal(seen?.Status, "available");
    assert.equal(seen?.AvailabilityZone, "eu-west-1a");
    assert.match(seen?.MacAddress ?? "", /^02(:[0-9a-f]{2}){5}$/);
    assert.deepEqual(
      seen?.Groups?.map((group) => group.GroupName),
      ["default"],
    );
    assert.deepEqual(seen?.TagSet, Tags);
    const { Subnets } = await client.send(new DescribeSubnetsCommand({ SubnetIds: [SubnetId] }));
    assert.equal(Subnets?.[0]?.AvailableIpAddressCount, 10);
    await assert.rejects(client.send(new DeleteSubnetCommand({ SubnetId })), { name: "DependencyViolation" });
    await remove(made.NetworkInterfaceId);
    await assert.rejects(remove(made.NetworkInterfaceId), { name: "InvalidNetworkInterfaceID.NotFound" });
  });

  test("addresses are inside the subnet, not AWS's own, and one interface's each", async () => {
    const { SubnetId } = await network();
    await create({ SubnetId, PrivateIpAddress: "10.1.0.7" });
    await assert.rejects(create({ SubnetId, PrivateIpAddress: "10.1.0.7" }), {
      name: "InvalidIPAddress.InUse",
    });
    for (const PrivateIpAddress of ["10.1.0.3", "10.1.0.15", "10.1.0.16", "nonsense"])
      await assert.rejects(create({ SubnetId, PrivateIpAddress }), { name: "InvalidParameterValue" });
    for (let n = 0; n < 10; n++) await create({ SubnetId });
    await assert.rejects(create({ SubnetId }), { name: "InsufficientFreeAddressesInSubnet" });
  });

  test("groups are of the same VPC and can be changed", async () => {
    const { vpcId, SubnetId } = await network();
    const [a, b] = [await makeGroup(client, vpcId, "a"), await makeGroup(client, vpcId, "b")];
    const stranger = await makeGroup(client, await makeVpc(client, "10.2.0.0/16"), "c");
    const { NetworkInterfaceId } = await create({ SubnetId, Groups: [a] });
    const modify = (input: Partial<ModifyNetworkInterfaceAttributeCommandInput>) =>
      client.send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, ...input }));
    await modify({ Groups: [a, b] });
    assert.deepEqual(
      (await interfaceOf(NetworkInterfaceId))?.Groups?.map((group) => group.GroupId),
      [a, b],
    );
    await assert.rejects(modify({ Groups: [stranger] }), { name: "InvalidParameterValue" });
    await assert.rejects(modify({ Groups: ["sg-00000000000000000"] }), { name: "InvalidGroup.NotFound" });
    await assert.rejects(modify({}), { name: "InvalidParameterCombination" });
    await modify({ Description: { Value: "changed" } });
    await modify({ SourceDestCheck: { Value: false } });
    const attribute = async (Attribute: "description" | "sourceDestCheck") =>
      client.send(new DescribeNetworkInterfaceAttributeCommand({ NetworkInterfaceId, Attribute }));
    assert.equal((await attribute("description")).Description?.Value, "changed");
    assert.equal((await attribute("sourceDestCheck")).SourceDestCheck?.Value, false);
  });

  test("attached to an instance it is in use until it is detached", async () => {
    const { SubnetId } = await network();
    const InstanceId = await makeInstance(client, SubnetId);
    const { NetworkInterfaceId } = await create({ SubnetId });
    const attach = (DeviceIndex: number) =>
      client.send(new AttachNetworkInterfaceCommand({ NetworkInterfaceId, InstanceId, DeviceIndex }));
    await assert.rejects(attach(0), { name: "InvalidParameterValue" });
    const { AttachmentId } = await attach(1);
    await assert.rejects(attach(2), { name: "InvalidNetworkInterface.InUse" });
    const seen = await interfaceOf(NetworkInterfaceId);
    assert.equal(seen?.Status, "in-use");
    assert.equal(seen?.Attachment?.InstanceId, InstanceId);
    await assert.rejects(remove(NetworkInterfaceId), { name: "InvalidNetworkInterface.InUse" });
    await client.send(new DetachNetworkInterfaceCommand({ AttachmentId }));
    await assert.rejects(client.send(new DetachNetworkInterfaceCommand({ AttachmentId })), {
      name: "InvalidAttachmentID.NotFound",
    });
    await remove(NetworkInterfaceId);
    const Filters = [{ Name: "attachment.instance-id", Values: [InstanceId] }];
    const own = await client.send(new DescribeNetworkInterfacesCommand({ Filters }));
    assert.equal(own.NetworkInterfaces?.length, 1);
    await assert.rejects(
      client.send(
        new DetachNetworkInterfaceCommand({
          AttachmentId: own.NetworkInterfaces?.[0]?.Attachment?.AttachmentId,
        }),
      ),
      { name: "OperationNotPermitted" },
    );
  });

  test("a NAT gateway's is shown but not the owner's to touch", async () => {
    const { vpcId, SubnetId } = await network();
    await makeInternetGateway(client, vpcId);
    await makeNatGateway(client, SubnetId);
    const { NetworkInterfaceId, Attachment } = (await natInterfaceIn(SubnetId)) ?? {};
    await assert.rejects(remove(NetworkInterfaceId), { name: "OperationNotPermitted" });
    const { AttachmentId } = Attachment ?? {};
    assert.match(AttachmentId ?? "", /^ela-attach-/);
    await assert.rejects(client.send(new DetachNetworkInterfaceCommand({ AttachmentId })), {
      name: "OperationNotPermitted",
      message: "You are not allowed to manage 'ela-attach' attachments.",
    });
    const change = { NetworkInterfaceId, Description: { Value: "mine" } };
    await assert.rejects(client.send(new ModifyNetworkInterfaceAttributeCommand(change)), {
      name: "OperationNotPermitted",
    });
  });

  test("a client token makes one interface", async () => {
    const { SubnetId } = await network();
    const input = { SubnetId, ClientToken: "interface-1" };
    const first = await create(input);
    assert.equal((await create(input)).NetworkInterfaceId, first.NetworkInterfaceId);
    await assert.rejects(create({ ...input, Description: "another" }), {
      name: "IdempotentParameterMismatch",
    });
  });
});
