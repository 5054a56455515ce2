/** Instances over the wire: launched, addressed, terminated. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CreateNetworkInterfaceCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  type EC2Client,
  ModifyVpcAttributeCommand,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { settings } from "./settings.ts";
import { startSandbox, type TestSandbox } from "./testing.ts";
import { makeGroup, makeInstance, makeInternetGateway, makeSubnet, makeVpc } from "./testNetwork.ts";

const { instancePendingMs, instanceTerminatingMs, instanceVisibleMs } = settings("quick");

describe("instances", () => {
  let sandbox: TestSandbox;
  let client: EC2Client;

  before(async () => {
    sandbox = await startSandbox();
    client = sandbox.client("111111111111", "eu-west-1");
  });
  after(() => sandbox.close());

  const run = (input: Partial<RunInstancesCommandInput>) =>
    client.send(
      new RunInstancesCommand({ ImageId: "ami-0abcdef1234567890", MinCount: 1, MaxCount: 1, ...input }),
    );

  const instanceOf = async (id: string) =>
    (await client.send(new DescribeInstancesCommand({ InstanceIds: [id] }))).Reservations?.[0]
      ?.Instances?.[0];

  async function network(block = "10.1.0.0/28") {
    const vpcId = await makeVpc(client);
    return { vpcId, SubnetId: await makeSubnet(client, vpcId, block) };
  }

  test("pending, running, shutting-down, terminated, forgotten", async () => {
    const { vpcId, SubnetId } = await network();
    const id = await makeInstance(client, SubnetId);
    assert.deepEqual((await instanceOf(id))?.State, { Code: 0, Name: "pending" });
    sandbox.clock.advance(instancePendingMs);
    const seen = await instanceOf(id);
    assert.deepEqual(seen?.State, { Code: 16, Name: "running" });
    assert.deepEqual([seen?.VpcId, seen?.SubnetId, seen?.PrivateIpAddress], [vpcId, SubnetId, "10.1.0.4"]);
    const { TerminatingInstances } = await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    assert.equal(TerminatingInstances?.[0]?.PreviousState?.Name, "running");
    assert.equal(TerminatingInstances?.[0]?.CurrentState?.Name, "shutting-down");
    sandbox.clock.advance(instanceTerminatingMs);
    const gone = await instanceOf(id);
    assert.deepEqual(gone?.State, { Code: 48, Name: "terminated" });
    assert.equal(gone?.PrivateIpAddress, undefined);
    const Filters = [{ Name: "subnet-id", Values: [SubnetId] }];
    const left = await client.send(new DescribeNetworkInterfacesCommand({ Filters }));
    assert.deepEqual(left.NetworkInterfaces, []);
    sandbox.clock.advance(instanceVisibleMs);
    await assert.rejects(instanceOf(id), { name: "InvalidInstanceID.NotFound" });
  });

  test("as many start as were asked for and there are addresses for, or none", async () => {
    const { SubnetId } = await network();
    const { Instances, ReservationId } = await run({ SubnetId, MinCount: 2, MaxCount: 4 });
    assert.deepEqual(
      Instances?.map((one) => one.AmiLaunchIndex),
      [0, 1, 2, 3],
    );
    const Filters = [{ Name: "reservation-id", Values: [ReservationId ?? ""] }];
    const { Reservations } = await client.send(new DescribeInstancesCommand({ Filters }));
    assert.equal(Reservations?.[0]?.Instances?.length, 4);
    assert.equal((await run({ SubnetId, MinCount: 1, MaxCount: 20 })).Instances?.length, 7);
    await assert.rejects(run({ SubnetId }), { name: "InsufficientFreeAddressesInSubnet" });
  });

  test("user data, tags, groups and type are kept", async () => {
    const { vpcId, SubnetId } = await network();
    const group = await makeGroup(client, vpcId, "hosts");
    const UserData = Buffer.from("#!/bin/sh\necho hello\n").toString("base64");
    const { Instances } = await run({
      SubnetId,
      UserData,
      InstanceType: "t3.small",
      SecurityGroupIds: [group],
      TagSpecifications: [
        { ResourceType: "instance", Tags: [{ Key: "role", Value: "broker" }] },
        { ResourceType: "network-interface", Tags: [{ Key: "role", Value: "nic" }] },
      ],
    });
    const [made] = Instances ?? [];
    assert.equal(made?.InstanceType, "t3.small");
    assert.deepEqual(made?.SecurityGroups, [{ GroupId: group, GroupName: "hosts" }]);
    assert.deepEqual(made?.Tags, [{ Key: "role", Value: "broker" }]);
    const attribute = await client.send(
      new DescribeInstanceAttributeCommand({ InstanceId: made?.InstanceId, Attribute: "userData" }),
    );
    assert.equal(attribute.UserData?.Value, UserData);
    const Filters = [{ Name: "tag:role", Values: ["nic"] }];
    const nics = await client.send(new DescribeNetworkInterfacesCommand({ Filters }));
    assert.equal(nics.NetworkInterfaces?.[0]?.Attachment?.InstanceId, made?.InstanceId);
  });

  test("who may read its metadata is kept", async () => {
    const { SubnetId } = await network();
    const MetadataOptions = { HttpTokens: "required" } as const;
    const [made] = (await run({ SubnetId, MetadataOptions })).Instances ?? [];
    assert.equal(made?.MetadataOptions?.HttpTokens, "required");
    assert.equal(made?.MetadataOptions?.HttpEndpoint, "enabled");
    const [plain] = (await run({ SubnetId })).Instances ?? [];
    assert.equal(plain?.MetadataOptions?.HttpTokens, "optional");
  });

  test("without a subnet it starts in the default VPC, with a public address", async () => {
    const { Instances } = await run({});
    assert.match(Instances?.[0]?.PrivateIpAddress ?? "", /^172\.31\./);
    assert.match(Instances?.[0]?.PublicIpAddress ?? "", /^198\.1[89]\./);
  });

  test("a public address of its own is asked for with the interface", async () => {
    const { vpcId, SubnetId } = await network();
    await makeInternetGateway(client, vpcId);
    const { Instances } = await run({
      NetworkInterfaces: [{ DeviceIndex: 0, SubnetId, AssociatePublicIpAddress: true }],
    });
    const [made] = Instances ?? [];
    assert.equal(made?.NetworkInterfaces?.[0]?.Association?.IpOwnerId, "amazon");
    assert.match(made?.PublicIpAddress ?? "", /^198\.1[89]\./);
  });

  test("a public address has a name where the VPC gives names", async () => {
    const { vpcId, SubnetId } = await network();
    await makeInternetGateway(client, vpcId);
    const NetworkInterfaces = [{ DeviceIndex: 0, SubnetId, AssociatePublicIpAddress: true }];
    const [made] = (await run({ NetworkInterfaces })).Instances ?? [];
    assert.equal(made?.PublicDnsName, "");
    await client.send(new ModifyVpcAttributeCommand({ VpcId: vpcId, EnableDnsHostnames: { Value: true } }));
    const name = `ec2-${made?.PublicIpAddress?.replaceAll(".", "-")}.eu-west-1.compute.amazonaws.com`;
    const Filters = [{ Name: "dns-name", Values: [name] }];
    const { Reservations } = await client.send(new DescribeInstancesCommand({ Filters }));
    const [seen] = Reservations?.[0]?.Instances ?? [];
    assert.deepEqual([seen?.InstanceId, seen?.PublicDnsName], [made?.InstanceId, name]);
    assert.equal(seen?.NetworkInterfaces?.[0]?.Association?.PublicDnsName, name);
    const named = [{ Name: "association.public-dns-name", Values: [name] }];
    const nics = await client.send(new DescribeNetworkInterfacesCommand({ Filters: named }));
    assert.equal(nics.NetworkInterfaces?.[0]?.Attachment?.InstanceId, made?.InstanceId);
  });

  test("an interface of the caller's is attached and outlives the instance", async () => {
    const { SubnetId } = await network();
    const { NetworkInterface } = await client.send(new CreateNetworkInterfaceCommand({ SubnetId }));
    const NetworkInterfaceId = NetworkInterface?.NetworkInterfaceId ?? "";
    const NetworkInterfaces = [{ DeviceIndex: 0, NetworkInterfaceId }];
    const { Instances } = await run({ NetworkInterfaces });
    await assert.rejects(run({ NetworkInterfaces }), { name: "InvalidNetworkInterface.InUse" });
    const InstanceIds = [Instances?.[0]?.InstanceId ?? ""];
    await client.send(new TerminateInstancesCommand({ InstanceIds }));
    sandbox.clock.advance(instanceTerminatingMs);
    const NetworkInterfaceIds = [NetworkInterfaceId];
    const left = await client.send(new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds }));
    assert.equal(left.NetworkInterfaces?.[0]?.Status, "available");
  });

  test("requests that make no sense are refused", async () => {
    const { vpcId, SubnetId } = await network();
    const group = await makeGroup(client, await makeVpc(client, "10.2.0.0/16"), "elsewhere");
    assert.ok(vpcId);
    const refused: [Partial<RunInstancesCommandInput>, string][] = [
      [{ SubnetId, ImageId: "debian" }, "InvalidAMIID.Malformed"],
      [{ SubnetId, ImageId: undefined }, "MissingParameter"],
      [{ SubnetId, MinCount: 3, MaxCount: 2 }, "InvalidParameterValue"],
      [{ SubnetId, MinCount: 0 }, "InvalidParameterValue"],
      [{ SubnetId: "subnet-00000000000000000" }, "InvalidSubnetID.NotFound"],
      [{ SubnetId, SecurityGroupIds: [group] }, "InvalidParameterValue"],
      [{ SubnetId, SecurityGroupIds: ["sg-00000000000000000"] }, "InvalidGroup.NotFound"],
      [{ SubnetId, NetworkInterfaces: [{ DeviceIndex: 0, SubnetId }] }, "InvalidParameterCombination"],
      [{ SubnetId, PrivateIpAddress: "10.1.0.9", MaxCount: 2 }, "InvalidParameterCombination"],
      [{ SubnetId, PrivateIpAddress: "10.9.0.9" }, "InvalidParameterValue"],
      [{ SubnetId, UserData: Buffer.alloc(16_385).toString("base64") }, "InvalidParameterValue"],
    ];
    for (const [input, name] of refused)
      await assert.rejects(run(input), { name }, JSON.stringify(input).slice(0, 100));
    await assert.rejects(
      client.send(new TerminateInstancesCommand({ InstanceIds: ["i-00000000000000000"] })),
      { name: "InvalidInstanceID.NotFound" },
    );
  });

  test("a client token starts one reservation", async () => {
    const { SubnetId } = await network();
    const input = { SubnetId, ClientToken: "hosts-1", MinCount: 2, MaxCount: 2 };
    const first = await run(input);
    const again = await run(input);
    assert.equal(again.ReservationId, first.ReservationId);
    assert.equal(again.Instances?.length, 2);
    await assert.rejects(run({ ...input, MaxCount: 3 }), { name: "IdempotentParameterMismatch" });
  });
});
