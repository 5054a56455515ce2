/** Lambda's interfaces in its users' subnets: shared, kept while a function needs them, released late. */
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import {
  CreateNetworkInterfaceCommand,
  DeleteNetworkInterfaceCommand,
  DeleteSecurityGroupCommand,
  DeleteSubnetCommand,
} from "@aws-sdk/client-ec2";
import { DETACH, Functions, INTERFACE_PENDING, PENDING, RELEASE } from "./testing/functions.ts";
import { makeGroup, makeVpc, makeZonedSubnets } from "./testNetwork.ts";

const MINUTE = 60_000;

describe("interfaces of functions", () => {
  let functions: Functions;
  beforeEach(async () => {
    await functions?.sandbox.close();
    functions = await Functions.start();
  });
  after(() => functions.sandbox.close());

  const VpcConfig = (...groups: number[]) => ({ VpcConfig: functions.network(...groups) });
  const statuses = async () =>
    (await functions.interfaces()).map((one) => `${one.InterfaceType} ${one.Status}`);
  const advance = (ms: number) => functions.sandbox.clock.advance(ms);

  test("one for each subnet, Lambda's and not its owner's, there before the function is", async () => {
    const made = await functions.make("probe", VpcConfig());
    assert.deepEqual(made.VpcConfig, {
      ...functions.network(),
      VpcId: functions.vpcId,
      Ipv6AllowedForDualStack: false,
    });
    const own = await functions.interfaces();
    assert.deepEqual(own.map((one) => one.SubnetId).sort(), [...functions.subnets].sort());
    for (const one of own) {
      assert.match(one.Description ?? "", /^AWS Lambda VPC ENI-probe-[0-9a-f-]{36}$/);
      assert.deepEqual([one.InterfaceType, one.Status, one.RequesterManaged], ["lambda", "in-use", true]);
      const drop = new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: one.NetworkInterfaceId });
      await assert.rejects(functions.ec2.send(drop), { name: "OperationNotPermitted" });
    }
    advance(INTERFACE_PENDING - 1);
    assert.equal((await functions.shown("probe")).State, "Pending");
    advance(1);
    assert.equal((await functions.shown("probe")).State, "Active");
  });

  test("functions of the same subnets and groups share them, whatever the order; others do not", async () => {
    await functions.makeActive("one", VpcConfig(0, 1));
    const shared = (await functions.interfaces()).map((one) => one.NetworkInterfaceId).sort();
    await functions.make("two", VpcConfig(1, 0));
    assert.deepEqual((await functions.interfaces()).map((one) => one.NetworkInterfaceId).sort(), shared);
    advance(PENDING);
    assert.equal((await functions.shown("two")).State, "Active", "nothing new, so soon done");
    await functions.make("three", VpcConfig(0));
    assert.equal((await functions.interfaces()).length, 6);
  });

  test("detached: in use until the update is done and a while more, then its owner's, then gone", async () => {
    await functions.makeActive("probe", VpcConfig());
    const { LastUpdateStatus, VpcConfig: network } = await functions.detach("probe");
    assert.deepEqual([LastUpdateStatus, network], ["InProgress", undefined]);
    const inUse = ["lambda in-use", "lambda in-use", "lambda in-use"];
    advance(PENDING);
    assert.equal((await functions.shown("probe")).LastUpdateStatus, "Successful");
    advance(DETACH - 1);
    assert.deepEqual(await statuses(), inUse);
    const dropGroup = () =>
      functions.ec2.send(new DeleteSecurityGroupCommand({ GroupId: functions.groups[0] }));
    await assert.rejects(dropGroup(), { name: "DependencyViolation" });
    advance(1);
    const [first, ...rest] = await functions.interfaces();
    assert.deepEqual(
      [first?.InterfaceType, first?.Status, first?.RequesterManaged],
      ["interface", "available", false],
    );
    assert.match(first?.Description ?? "", /^AWS Lambda VPC ENI-probe-/);
    const drop = new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: first?.NetworkInterfaceId });
    await functions.ec2.send(drop);
    assert.equal(rest.length, 2);
    advance(RELEASE - DETACH - 1);
    assert.equal((await functions.interfaces()).length, 2);
    advance(1);
    assert.deepEqual(await functions.interfaces(), []);
    await dropGroup();
    await functions.ec2.send(new DeleteSubnetCommand({ SubnetId: functions.subnets[0] }));
  });

  test("deleted without being detached: nobody can take them away before AWS does", async () => {
    await functions.makeActive("probe", VpcConfig());
    await functions.remove("probe");
    advance(RELEASE - 1);
    assert.deepEqual(await statuses(), ["lambda in-use", "lambda in-use", "lambda in-use"]);
    advance(1);
    assert.deepEqual(await functions.interfaces(), []);
  });

  test("deleted in the middle of the detaching: as if it had not begun", async () => {
    await functions.makeActive("probe", VpcConfig());
    await functions.detach("probe");
    await functions.remove("probe");
    advance(RELEASE - 1);
    assert.deepEqual(await statuses(), ["lambda in-use", "lambda in-use", "lambda in-use"]);
    advance(1);
    assert.deepEqual(await functions.interfaces(), []);
  });

  test("detached and then deleted: detached all the same", async () => {
    await functions.makeActive("probe", VpcConfig());
    await functions.detach("probe");
    advance(PENDING);
    // The update is done when somebody looks: AWS's clock does not wait for that.
    await functions.remove("probe");
    advance(DETACH);
    assert.equal((await statuses())[0], "interface available");
  });

  test("shared ones stay until the last function has left them", async () => {
    await functions.makeActive("one", VpcConfig());
    await functions.makeActive("two", VpcConfig());
    await functions.remove("one");
    advance(10 * RELEASE);
    assert.equal((await functions.interfaces()).length, 3);
    await functions.detach("two");
    advance(PENDING + RELEASE);
    assert.deepEqual(await functions.interfaces(), []);
  });

  test("one that is leaving is not taken up again: a new one is made beside it", async () => {
    await functions.makeActive("one", VpcConfig());
    await functions.remove("one");
    await functions.make("two", VpcConfig());
    assert.equal((await functions.interfaces()).length, 6);
    advance(RELEASE);
    assert.equal((await functions.interfaces()).length, 3);
    advance(RELEASE);
    assert.equal((await functions.interfaces()).length, 3);
  });

  test("moved to other groups: new ones, and the old ones released; not said = not moved", async () => {
    await functions.makeActive("probe", VpcConfig(0));
    await functions.change("probe", { Timeout: 9 });
    advance(PENDING);
    assert.deepEqual((await functions.shown("probe")).VpcConfig?.SecurityGroupIds, [functions.groups[0]]);
    await functions.change("probe", VpcConfig(1));
    assert.equal((await functions.interfaces()).length, 6);
    advance(INTERFACE_PENDING + RELEASE);
    const left = await functions.interfaces();
    assert.deepEqual(
      left.map((one) => one.Groups?.[0]?.GroupId),
      [functions.groups[1], functions.groups[1], functions.groups[1]],
    );
  });

  test("released 40 minutes late, when that is what is wanted", async () => {
    const late = { lambdaInterfaceDetachMs: 41 * MINUTE, lambdaInterfaceReleaseMs: 40 * MINUTE };
    await functions.sandbox.own("PATCH settings", late);
    await functions.makeActive("probe", VpcConfig());
    await functions.detach("probe");
    advance(PENDING);
    await functions.remove("probe");
    advance(40 * MINUTE - 1);
    assert.deepEqual(await statuses(), ["lambda in-use", "lambda in-use", "lambda in-use"]);
    advance(1);
    assert.deepEqual(await functions.interfaces(), []);
  });

  test("a function without room for its interfaces fails, an update without room too", async () => {
    const [SubnetId = ""] = functions.subnets;
    await functions.makeActive("outside");
    for (let taken = 0; taken < 11; taken++)
      await functions.ec2.send(new CreateNetworkInterfaceCommand({ SubnetId }));
    await functions.makeActive("probe", VpcConfig());
    const { State, StateReasonCode } = await functions.shown("probe");
    assert.deepEqual([State, StateReasonCode], ["Failed", "SubnetOutOfIPAddresses"]);
    await functions.change("outside", VpcConfig());
    advance(INTERFACE_PENDING);
    const outside = await functions.shown("outside");
    assert.deepEqual(
      [outside.State, outside.LastUpdateStatus, outside.LastUpdateStatusReasonCode],
      ["Active", "Failed", "SubnetOutOfIPAddresses"],
    );
    assert.equal((await functions.interfaces()).length, 11);
  });

  test("quotas: of the VPC's interfaces for functions, and of all the account's", async () => {
    const failed = async (name: string, groups: number[]) => {
      await functions.makeActive(name, VpcConfig(...groups));
      return (await functions.shown(name)).StateReasonCode;
    };
    await functions.sandbox.own("PATCH settings", { lambdaInterfacesPerVpcQuota: 3 });
    assert.equal(await failed("one", [0]), undefined);
    assert.equal(await failed("two", [0]), undefined);
    assert.equal(await failed("three", [1]), "EniLimitExceeded");
    await functions.sandbox.own("PATCH settings", { lambdaInterfacesPerVpcQuota: 9, interfacesQuota: 1 });
    assert.equal(await failed("four", [1]), "EniLimitExceeded");
  });

  test("refused: half a network, and what is not there", async () => {
    const { SubnetIds, SecurityGroupIds } = functions.network();
    const elsewhere = await makeVpc(functions.ec2, "10.1.0.0/16");
    const [far = ""] = await makeZonedSubnets(functions.ec2, elsewhere, "a");
    const farGroup = await makeGroup(functions.ec2, elsewhere, "far");
    const wrong = [
      { SubnetIds, SecurityGroupIds: [] },
      { SubnetIds: [], SecurityGroupIds },
      { SubnetIds: ["subnet-0"], SecurityGroupIds },
      { SubnetIds: [SubnetIds[0] ?? "", far], SecurityGroupIds },
      { SubnetIds, SecurityGroupIds: ["sg-0"] },
      { SubnetIds, SecurityGroupIds: [farGroup] },
      { SubnetIds, SecurityGroupIds, Ipv6AllowedForDualStack: true },
    ];
    for (const one of wrong)
      await assert.rejects(
        functions.make("probe", { VpcConfig: one }),
        { name: "InvalidParameterValueException" },
        JSON.stringify(one),
      );
    const missing = functions.make("probe", { VpcConfig: { SubnetIds: ["subnet-0"], SecurityGroupIds } });
    await assert.rejects(missing, /EC2 Error Code: InvalidSubnetID.NotFound/);
    assert.deepEqual(await functions.interfaces(), []);
  });
});
