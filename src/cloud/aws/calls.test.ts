import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cidr } from "../../domain/cidr.ts";
import { Failure, type FailureCode } from "../../domain/failure.ts";
import { cellIn, handsOn, hurriedClock, networkRef, stepper, wiredSandbox } from "./testing.ts";

const HOME = cellIn("us-east-1");

const { sandbox, wire, cloud } = await wiredSandbox();

function isFailure(code: FailureCode) {
  return (error: unknown) => error instanceof Failure && error.code === code;
}

/** How often the action was sent while the work was done. */
async function sentDuring(action: string, work: () => Promise<unknown>): Promise<number> {
  const before = wire.sent.length;
  await work();
  return wire.sent.slice(before).filter((sent) => sent === action).length;
}

describe("an answer that is lost", () => {
  test("is not asked for again where that could make a second thing", async () => {
    const { made, look } = stepper(cloud, HOME, networkRef("lost"));
    const create = { do: "createVpc", key: "vpc", cidr: cidr("10.20.0.0/25") } as const;
    wire.loseAnswers("CreateVpc", 1);
    const sent = await sentDuring("CreateVpc", () => assert.rejects(made(create), isFailure("unavailable")));
    assert.equal(sent, 1);
    assert.deepEqual(
      (await look()).vpcs.map((vpc) => [vpc.key, vpc.attempt]),
      [["vpc", 1]],
    );

    wire.loseAnswers("AllocateAddress", 1);
    await assert.rejects(made({ do: "allocateAddress", key: "eip/0" }), isFailure("unavailable"));
    wire.loseAnswers("CreateInternetGateway", 1);
    await assert.rejects(made({ do: "createInternetGateway", key: "igw" }), isFailure("unavailable"));
    const world = await look();
    assert.deepEqual([world.addresses.length, world.internetGateways.length], [1, 1]);
  });

  test("is asked for again under the same token", async () => {
    const { made, look } = stepper(cloud, HOME, networkRef("token"));
    const vpcId = await made({ do: "createVpc", key: "vpc", cidr: cidr("10.21.0.0/25") });
    sandbox.clock.advance(60_000);
    wire.loseAnswers("CreateRouteTable", 1);
    const tableId = await made({ do: "createRouteTable", key: "table/public", vpcId });
    const tables = (await look()).routeTables.filter((table) => !table.main);
    assert.deepEqual(
      tables.map((table) => table.id),
      [tableId],
    );
  });

  test("of a delete is asked for again, and gone is gone", async () => {
    const { act, made, look } = stepper(cloud, HOME, networkRef("gone"));
    const vpcId = await made({ do: "createVpc", key: "vpc", cidr: cidr("10.22.0.0/25") });
    sandbox.clock.advance(60_000);
    wire.loseAnswers("DeleteVpc", 1);
    assert.equal(await act({ do: "deleteVpc", key: "vpc", vpcId }), null);
    assert.equal((await look()).vpcs.length, 0);
  });

  test("of a read is asked for again, a few times", async () => {
    wire.loseAnswers("DescribeAvailabilityZones", 2);
    assert.ok((await cloud.zones(HOME)).length >= 3);
    wire.loseAnswers("DescribeAvailabilityZones", 3);
    const sent = await sentDuring("DescribeAvailabilityZones", () =>
      assert.rejects(cloud.zones(HOME), isFailure("unavailable")),
    );
    assert.equal(sent, 3);
  });
});

describe("an answer that says no", () => {
  test("a throttled create is sent again: nothing was made", async () => {
    const { made, look } = stepper(cloud, HOME, networkRef("slow"));
    wire.answerInstead("CreateVpc", 2, "RequestLimitExceeded");
    const create = { do: "createVpc", key: "vpc", cidr: cidr("10.23.0.0/25") } as const;
    assert.equal(await sentDuring("CreateVpc", () => made(create)), 3);
    assert.equal((await look()).vpcs.length, 1);
  });

  test("an attempt that surely made nothing is told apart from one that nobody knows of", async () => {
    const { made } = stepper(cloud, HOME, networkRef("clear"));
    const create = { do: "allocateAddress", key: "eip/0" } as const;
    wire.answerInstead("AllocateAddress", 8, "RequestLimitExceeded");
    await assert.rejects(made(create), isFailure("conflict"));
    wire.answerInstead("AllocateAddress", 1, "InternalError");
    await assert.rejects(made(create), isFailure("unavailable"));
    const nobody = handsOn("http://127.0.0.1:1", hurriedClock(sandbox.clock));
    const unheard = nobody.apply(HOME, { network: networkRef("clear"), step: create, attempt: 1 });
    await assert.rejects(unheard, isFailure("conflict"));
    nobody.close();
  });

  test("a server error is not: nobody knows what was made", async () => {
    const { made } = stepper(cloud, HOME, networkRef("broken"));
    wire.answerInstead("CreateVpc", 1, "InternalError");
    const create = { do: "createVpc", key: "vpc", cidr: cidr("10.24.0.0/25") } as const;
    const sent = await sentDuring("CreateVpc", () => assert.rejects(made(create), isFailure("unavailable")));
    assert.equal(sent, 1);
  });

  test("a quota and a permission block, at once", async () => {
    const { made } = stepper(cloud, HOME, networkRef("full"));
    wire.answerInstead("AllocateAddress", 1, "AddressLimitExceeded");
    const create = { do: "allocateAddress", key: "eip/0" } as const;
    const sent = await sentDuring("AllocateAddress", () =>
      assert.rejects(made(create), isFailure("exhausted")),
    );
    assert.equal(sent, 1);
    wire.answerInstead("AllocateAddress", 1, "UnauthorizedOperation");
    await assert.rejects(made(create), isFailure("forbidden"));
  });

  test("deleting a VPC that AWS calls needed is tried again at once, twenty times", async () => {
    const { act, made } = stepper(cloud, HOME, networkRef("needed"));
    const vpcId = await made({ do: "createVpc", key: "vpc", cidr: cidr("10.25.0.0/25") });
    sandbox.clock.advance(60_000);
    wire.answerInstead("DeleteVpc", 19, "DependencyViolation");
    const step = { do: "deleteVpc", key: "vpc", vpcId } as const;
    assert.equal(await sentDuring("DeleteVpc", () => act(step)), 20);
    const second = await made({ do: "createVpc", key: "vpc", cidr: cidr("10.25.0.0/25") }, 2);
    sandbox.clock.advance(60_000);
    wire.answerInstead("DeleteVpc", 20, "DependencyViolation");
    await assert.rejects(act({ ...step, vpcId: second }), isFailure("conflict"));
  });

  test("an address that AWS still holds is unavailable, by any of its names", async () => {
    const { act, made } = stepper(cloud, HOME, networkRef("held"));
    const allocationId = await made({ do: "allocateAddress", key: "eip/0" });
    for (const code of ["AuthFailure", "InvalidIPAddress.InUse", "InvalidNetworkInterfaceID.NotFound"]) {
      wire.answerInstead("ReleaseAddress", 1, code);
      const release = act({ do: "releaseAddress", key: "eip/0", allocationId });
      await assert.rejects(release, isFailure("unavailable"), code);
    }
    await act({ do: "releaseAddress", key: "eip/0", allocationId });
  });
});

test("closing refuses whoever calls afterwards", async () => {
  const closed = handsOn(wire.url, hurriedClock(sandbox.clock));
  closed.close();
  await assert.rejects(closed.zones(HOME), isFailure("unavailable"));
});
