/** Network ACLs over the wire: entries, associations, the default ACL. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CreateNetworkAclCommand,
  CreateNetworkAclEntryCommand,
  type CreateNetworkAclEntryCommandInput,
  DeleteNetworkAclCommand,
  DeleteNetworkAclEntryCommand,
  DescribeNetworkAclsCommand,
  type EC2Client,
  ReplaceNetworkAclAssociationCommand,
  ReplaceNetworkAclEntryCommand,
} from "@aws-sdk/client-ec2";
import { startSandbox, type TestSandbox } from "./testing.ts";
import { makeSubnet, makeVpc } from "./testNetwork.ts";

describe("network ACLs", () => {
  let sandbox: TestSandbox;
  let client: EC2Client;

  before(async () => {
    sandbox = await startSandbox();
    client = sandbox.client("111111111111", "eu-west-1");
  });
  after(() => sandbox.close());

  const aclsOf = async (Name: string, value: string) =>
    (await client.send(new DescribeNetworkAclsCommand({ Filters: [{ Name, Values: [value] }] })))
      .NetworkAcls ?? [];

  const entriesOf = async (id: string) => {
    const [acl] = await aclsOf("network-acl-id", id);
    return acl?.Entries?.map((one) => [
      one.Egress ? "out" : "in",
      one.RuleNumber,
      one.RuleAction,
      one.Protocol,
    ]);
  };

  async function makeAcl(vpcId: string): Promise<string> {
    const { NetworkAcl } = await client.send(new CreateNetworkAclCommand({ VpcId: vpcId }));
    return NetworkAcl?.NetworkAclId ?? "";
  }

  const tcp = (NetworkAclId: string, change: Partial<CreateNetworkAclEntryCommandInput> = {}) => ({
    NetworkAclId,
    RuleNumber: 100,
    Protocol: "tcp",
    RuleAction: "allow" as const,
    Egress: false,
    CidrBlock: "10.0.0.0/8",
    PortRange: { From: 0, To: 65535 },
    ...change,
  });

  test("the default ACL lets all through, a new one nothing", async () => {
    const vpcId = await makeVpc(client);
    const [own, ...more] = await aclsOf("vpc-id", vpcId);
    assert.deepEqual(more, []);
    assert.equal(own?.IsDefault, true);
    assert.deepEqual(await entriesOf(own?.NetworkAclId ?? ""), [
      ["out", 100, "allow", "-1"],
      ["out", 32767, "deny", "-1"],
      ["in", 100, "allow", "-1"],
      ["in", 32767, "deny", "-1"],
    ]);
    const id = await makeAcl(vpcId);
    assert.deepEqual(await entriesOf(id), [
      ["out", 32767, "deny", "-1"],
      ["in", 32767, "deny", "-1"],
    ]);
    await assert.rejects(client.send(new DeleteNetworkAclCommand({ NetworkAclId: own?.NetworkAclId })), {
      name: "InvalidParameterValue",
    });
    await client.send(new DeleteNetworkAclCommand({ NetworkAclId: id }));
    await assert.rejects(client.send(new DeleteNetworkAclCommand({ NetworkAclId: id })), {
      name: "InvalidNetworkAclID.NotFound",
    });
  });

  test("entries are created, replaced and deleted by number and direction", async () => {
    const id = await makeAcl(await makeVpc(client));
    await client.send(new CreateNetworkAclEntryCommand(tcp(id)));
    await client.send(new CreateNetworkAclEntryCommand(tcp(id, { Egress: true })));
    await assert.rejects(client.send(new CreateNetworkAclEntryCommand(tcp(id))), {
      name: "NetworkAclEntryAlreadyExists",
    });
    await client.send(new ReplaceNetworkAclEntryCommand(tcp(id, { RuleAction: "deny", Protocol: "17" })));
    await assert.rejects(client.send(new ReplaceNetworkAclEntryCommand(tcp(id, { RuleNumber: 7 }))), {
      name: "InvalidNetworkAclEntry.NotFound",
    });
    const icmp = { RuleNumber: 110, Protocol: "1", IcmpTypeCode: { Type: 3, Code: 4 } };
    await client.send(new CreateNetworkAclEntryCommand(tcp(id, icmp)));
    assert.deepEqual(await entriesOf(id), [
      ["out", 100, "allow", "6"],
      ["out", 32767, "deny", "-1"],
      ["in", 100, "deny", "17"],
      ["in", 110, "allow", "1"],
      ["in", 32767, "deny", "-1"],
    ]);
    const [acl] = await aclsOf("entry.icmp.code", "4");
    assert.deepEqual(acl?.Entries?.[3]?.IcmpTypeCode, { Type: 3, Code: 4 });
    const gone = { NetworkAclId: id, RuleNumber: 100, Egress: true };
    await client.send(new DeleteNetworkAclEntryCommand(gone));
    await assert.rejects(client.send(new DeleteNetworkAclEntryCommand(gone)), {
      name: "InvalidNetworkAclEntry.NotFound",
    });
  });

  test("malformed entries are refused", async () => {
    const id = await makeAcl(await makeVpc(client));
    const refused: [Partial<CreateNetworkAclEntryCommandInput>, string][] = [
      [{ RuleNumber: 32767 }, "InvalidParameterValue"],
      [{ RuleNumber: 0 }, "InvalidParameterValue"],
      [{ Protocol: "carrier-pigeon" }, "InvalidParameterValue"],
      [{ PortRange: { From: 9, To: 8 } }, "InvalidParameterValue"],
      [{ PortRange: undefined }, "MissingParameter"],
      [{ Protocol: "1" }, "MissingParameter"],
      [{ CidrBlock: undefined }, "MissingParameter"],
      [{ CidrBlock: "10.0.0.0/99" }, "InvalidParameterValue"],
    ];
    for (const [change, name] of refused)
      await assert.rejects(client.send(new CreateNetworkAclEntryCommand(tcp(id, change))), { name });
    await assert.rejects(
      client.send(new DeleteNetworkAclEntryCommand({ NetworkAclId: id, RuleNumber: 32767, Egress: false })),
      {
        name: "InvalidParameterValue",
      },
    );
  });

  test("a subnet changes its ACL and always has one", async () => {
    const vpcId = await makeVpc(client);
    const SubnetId = await makeSubnet(client, vpcId);
    const id = await makeAcl(vpcId);
    const [before] = await aclsOf("association.subnet-id", SubnetId);
    const AssociationId = before?.Associations?.[0]?.NetworkAclAssociationId;
    const replaced = await client.send(
      new ReplaceNetworkAclAssociationCommand({ AssociationId, NetworkAclId: id }),
    );
    const now = await aclsOf("association.subnet-id", SubnetId);
    assert.deepEqual(
      now.map((one) => one.NetworkAclId),
      [id],
    );
    assert.equal(now[0]?.Associations?.[0]?.NetworkAclAssociationId, replaced.NewAssociationId);
    await assert.rejects(client.send(new DeleteNetworkAclCommand({ NetworkAclId: id })), {
      name: "DependencyViolation",
    });
    await assert.rejects(
      client.send(new ReplaceNetworkAclAssociationCommand({ AssociationId, NetworkAclId: id })),
      { name: "InvalidAssociationID.NotFound" },
    );
    const stranger = await makeAcl(await makeVpc(client, "10.2.0.0/16"));
    const input = { AssociationId: replaced.NewAssociationId, NetworkAclId: stranger };
    await assert.rejects(client.send(new ReplaceNetworkAclAssociationCommand(input)), {
      name: "InvalidParameterValue",
    });
  });

  test("a client token makes one ACL", async () => {
    const [VpcId, other] = [await makeVpc(client), await makeVpc(client, "10.2.0.0/16")];
    const create = (vpcId: string) =>
      client.send(new CreateNetworkAclCommand({ VpcId: vpcId, ClientToken: "acl-1" }));
    const first = await create(VpcId);
    assert.equal((await create(VpcId)).NetworkAcl?.NetworkAclId, first.NetworkAcl?.NetworkAclId);
    await assert.rejects(create(other), { name: "IdempotentParameterMismatch" });
  });
});
