/** Internet gateways over the wire: one a VPC, and what keeps one attached. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AssociateAddressCommand,
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateNetworkInterfaceCommand,
  DeleteInternetGatewayCommand,
  DescribeInternetGatewaysCommand,
  DetachInternetGatewayCommand,
  DisassociateAddressCommand,
  type EC2Client,
} from "@aws-sdk/client-ec2";
import { startSandbox, type TestSandbox } from "./testing.ts";
import { makeAddress, makeInternetGateway, makeSubnet, makeVpc } from "./testNetwork.ts";

describe("internet gateways", () => {
  let sandbox: TestSandbox;
  let client: EC2Client;

  before(async () => {
    sandbox = await startSandbox();
    client = sandbox.client("111111111111", "eu-west-1");
  });
  after(() => sandbox.close());

  const describeOne = async (id: string) =>
    (await client.send(new DescribeInternetGatewaysCommand({ InternetGatewayIds: [id] })))
      .InternetGateways?.[0];

  test("one is created with tags, attached, found by its VPC, detached and deleted", async () => {
    const vpcId = await makeVpc(client);
    const tag = { Key: "role", Value: "way out" };
    const { InternetGateway } = await client.send(
      new CreateInternetGatewayCommand({
        TagSpecifications: [{ ResourceType: "internet-gateway", Tags: [tag] }],
      }),
    );
    const id = InternetGateway?.InternetGatewayId ?? "";
    assert.match(id, /^igw-0[0-9a-f]{16}$/);
    assert.deepEqual(InternetGateway?.Tags, [tag]);
    assert.deepEqual(InternetGateway?.Attachments, []);
    const both = { InternetGatewayId: id, VpcId: vpcId };
    await client.send(new AttachInternetGatewayCommand(both));
    const { InternetGateways } = await client.send(
      new DescribeInternetGatewaysCommand({ Filters: [{ Name: "attachment.vpc-id", Values: [vpcId] }] }),
    );
    assert.deepEqual(
      InternetGateways?.map((one) => one.InternetGatewayId),
      [id],
    );
    assert.deepEqual(InternetGateways?.[0]?.Attachments, [{ VpcId: vpcId, State: "available" }]);
    await client.send(new DetachInternetGatewayCommand(both));
    assert.deepEqual((await describeOne(id))?.Attachments, []);
    await client.send(new DeleteInternetGatewayCommand({ InternetGatewayId: id }));
    await assert.rejects(describeOne(id), { name: "InvalidInternetGatewayID.NotFound" });
  });

  test("a VPC has one gateway and a gateway has one VPC", async () => {
    const [vpcId, other] = [await makeVpc(client), await makeVpc(client, "10.2.0.0/16")];
    const id = await makeInternetGateway(client, vpcId);
    const second = await makeInternetGateway(client);
    await assert.rejects(
      client.send(new AttachInternetGatewayCommand({ InternetGatewayId: second, VpcId: vpcId })),
      { name: "InvalidParameterValue", message: `Network ${vpcId} already has an internet gateway attached` },
    );
    await assert.rejects(
      client.send(new AttachInternetGatewayCommand({ InternetGatewayId: id, VpcId: other })),
      { name: "Resource.AlreadyAssociated" },
    );
    await assert.rejects(
      client.send(new DetachInternetGatewayCommand({ InternetGatewayId: id, VpcId: other })),
      { name: "Gateway.NotAttached" },
    );
    await assert.rejects(client.send(new DeleteInternetGatewayCommand({ InternetGatewayId: id })), {
      name: "DependencyViolation",
    });
  });

  test("it cannot be detached while a public address in the VPC depends on it", async () => {
    const vpcId = await makeVpc(client);
    const id = await makeInternetGateway(client, vpcId);
    const SubnetId = await makeSubnet(client, vpcId);
    const { NetworkInterface } = await client.send(new CreateNetworkInterfaceCommand({ SubnetId }));
    const AllocationId = await makeAddress(client);
    const NetworkInterfaceId = NetworkInterface?.NetworkInterfaceId;
    const { AssociationId } = await client.send(
      new AssociateAddressCommand({ AllocationId, NetworkInterfaceId }),
    );
    const detach = () =>
      client.send(new DetachInternetGatewayCommand({ InternetGatewayId: id, VpcId: vpcId }));
    await assert.rejects(detach(), {
      name: "DependencyViolation",
      message: `Network ${vpcId} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`,
    });
    await client.send(new DisassociateAddressCommand({ AssociationId }));
    await detach();
    assert.deepEqual((await describeOne(id))?.Attachments, []);
  });

  test("what belongs to others does not exist", async () => {
    const id = await makeInternetGateway(client);
    for (const stranger of [
      sandbox.client("222222222222", "eu-west-1"),
      sandbox.client("111111111111", "us-east-1"),
    ])
      await assert.rejects(stranger.send(new DeleteInternetGatewayCommand({ InternetGatewayId: id })), {
        name: "InvalidInternetGatewayID.NotFound",
      });
    await assert.rejects(
      client.send(
        new AttachInternetGatewayCommand({ InternetGatewayId: id, VpcId: "vpc-00000000000000000" }),
      ),
      { name: "InvalidVpcID.NotFound" },
    );
  });
});
