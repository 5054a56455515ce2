/** Interfaces that services leave behind: what they hold, and when they let go. */
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import {
  CreateNetworkInterfaceCommand,
  DeleteNetworkInterfaceCommand,
  DeleteSecurityGroupCommand,
  DeleteSubnetCommand,
  DeleteVpcCommand,
  DescribeNetworkInterfacesCommand,
  type EC2Client,
} from "@aws-sdk/client-ec2";
import { startSandbox, type TestSandbox } from "./testing.ts";
import { makeGroup, makeSubnet, makeVpc } from "./testNetwork.ts";

describe("services' interfaces", () => {
  let sandbox: TestSandbox;
  let client: EC2Client;
  let vpcId: string;
  let subnetId: string;
  let groupId: string;
  beforeEach(async () => {
    await sandbox?.close();
    sandbox = await startSandbox();
    client = sandbox.client("111111111111", "eu-west-1");
    vpcId = await makeVpc(client);
    subnetId = await makeSubnet(client, vpcId);
    groupId = await makeGroup(client, vpcId, "functions");
  });
  after(() => sandbox.close());

  async function plant(more: object): Promise<string> {
    const { status, value } = await sandbox.own("POST interfaces", {
      subnetId,
      groupIds: [groupId],
      ...more,
    });
    assert.equal(status, 201, JSON.stringify(value));
    assert.match(String(value?.privateIpAddress), /^10\.1\.0\.\d+$/);
    return String(value?.networkInterfaceId);
  }

  const interfaces = async () =>
    (
      await client.send(
        new DescribeNetworkInterfacesCommand({ Filters: [{ Name: "vpc-id", Values: [vpcId] }] }),
      )
    ).NetworkInterfaces ?? [];
  const remove = (NetworkInterfaceId: string) =>
    client.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));

  test("AWS Lambda's becomes an ordinary one when it is detached, and its owner's to delete", async () => {
    const description = "AWS Lambda VPC ENI-f-1234";
    const id = await plant({ description, interfaceType: "lambda", availableAfterMs: 240_000 });
    const [own] = await interfaces();
    assert.deepEqual(
      [own?.NetworkInterfaceId, own?.InterfaceType, own?.Status, own?.RequesterManaged, own?.Description],
      [id, "lambda", "in-use", true, description],
    );
    assert.equal(own?.Groups?.[0]?.GroupId, groupId);
    await assert.rejects(remove(id), { name: "OperationNotPermitted" });
    const DependencyViolation = { name: "DependencyViolation" };
    await assert.rejects(
      client.send(new DeleteSecurityGroupCommand({ GroupId: groupId })),
      DependencyViolation,
    );
    await assert.rejects(client.send(new DeleteSubnetCommand({ SubnetId: subnetId })), DependencyViolation);
    sandbox.clock.advance(239_999);
    assert.equal((await interfaces())[0]?.Status, "in-use");
    sandbox.clock.advance(1);
    const [left] = await interfaces();
    assert.deepEqual(
      [left?.InterfaceType, left?.Status, left?.Attachment, left?.Description],
      ["interface", "available", undefined, description],
    );
    await remove(id);
    await client.send(new DeleteSecurityGroupCommand({ GroupId: groupId }));
    await client.send(new DeleteSubnetCommand({ SubnetId: subnetId }));
    await client.send(new DeleteVpcCommand({ VpcId: vpcId }));
  });

  test("another service's stays the service's, and goes by itself", async () => {
    const id = await plant({ description: "DO NOT DELETE", availableAfterMs: 1_000, releasedAfterMs: 5_000 });
    sandbox.clock.advance(1_000);
    const [own] = await interfaces();
    assert.deepEqual(
      [own?.InterfaceType, own?.Status, own?.RequesterManaged],
      ["interface", "available", true],
    );
    await assert.rejects(remove(id), { name: "OperationNotPermitted" });
    sandbox.clock.advance(4_000);
    assert.deepEqual(await interfaces(), []);
    await client.send(new DeleteSubnetCommand({ SubnetId: subnetId }));
  });

  test("without times it stays until its owner may and does delete it", async () => {
    const id = await plant({ requesterManaged: false });
    sandbox.clock.advance(24 * 3_600_000);
    await assert.rejects(remove(id), { name: "InvalidNetworkInterface.InUse" });
    assert.equal((await interfaces()).length, 1);
  });

  test("the quota of interfaces counts them", async () => {
    await sandbox.own("PATCH settings", { interfacesQuota: 1 });
    await plant({});
    await assert.rejects(client.send(new CreateNetworkInterfaceCommand({ SubnetId: subnetId })), {
      name: "NetworkInterfaceLimitExceeded",
    });
  });

  test("what cannot be is refused with a reason", async () => {
    const refused = async (body: object) => (await sandbox.own("POST interfaces", body)).status;
    assert.equal(await refused({}), 400);
    assert.equal(await refused({ subnetId, colour: "red" }), 400);
    assert.equal(await refused({ subnetId, releasedAfterMs: "soon" }), 400);
    const { status, value } = await sandbox.own("POST interfaces", { subnetId: "subnet-0" });
    assert.deepEqual([status, value?.code], [400, "InvalidSubnetID.NotFound"]);
    const other = await sandbox.own("POST interfaces", { subnetId, groupIds: ["sg-0"] });
    assert.deepEqual([other.status, other.value?.code], [400, "InvalidGroup.NotFound"]);
  });
});
