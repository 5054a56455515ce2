import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { SeenFunction } from "../../domain/connector.ts";
import { Functions, OWNER, REGION } from "../../sandbox/testing/functions.ts";
import type { AwsCloud } from "./ec2.ts";
import { cellIn, handsOn, hurriedClock, networkRef, rejection, stepper } from "./testing.ts";

let functions: Functions;
let cloud: AwsCloud;
let arn = "";

before(async () => {
  functions = await Functions.start();
  cloud = handsOn(functions.sandbox.url, hurriedClock(functions.sandbox.clock), OWNER);
  arn = (await functions.make("clicks")).FunctionArn ?? "";
  functions.sandbox.clock.advance(5_000);
});
after(async () => {
  cloud?.close();
  await functions?.sandbox.close();
});

function hand() {
  const network = { ...networkRef("whole"), functionArns: [arn, arn.replace(/clicks$/, "nowhere")] };
  return stepper(cloud, cellIn(REGION, OWNER), network);
}

async function seen(): Promise<SeenFunction | undefined> {
  return (await hand().look()).functions[0];
}

const attach = () => {
  const { SubnetIds, SecurityGroupIds } = functions.network(0);
  const place = { subnetIds: SubnetIds, groupIds: SecurityGroupIds };
  return hand().act({ do: "attachFunction", key: "function/clicks", functionArn: arn, ...place });
};
const detach = (functionArn = arn) =>
  hand().act({ do: "detachFunction", key: "function/clicks", functionArn });

describe("a function from outside into the VPC and back", () => {
  test("is seen in no VPC; one that is not there is left out", async () => {
    const world = await hand().look();
    assert.equal(world.functions.length, 1);
    assert.deepEqual(await seen(), {
      id: arn,
      name: "clicks",
      state: "active",
      stateReason: null,
      updateState: "successful",
      updateReason: null,
      lacks: null,
      vpcId: null,
      subnetIds: [],
      groupIds: [],
    });
  });

  test("is attached to the subnets with the group; a second change meanwhile is a conflict", async () => {
    await attach();
    const changing = await seen();
    assert.deepEqual([changing?.updateState, changing?.vpcId], ["inprogress", functions.vpcId]);
    await rejection(attach(), "conflict");
    functions.sandbox.clock.advance(5_000);
    const there = await seen();
    assert.equal(there?.updateState, "successful");
    assert.deepEqual([...(there?.subnetIds ?? [])].sort(), [...functions.subnets].sort());
    assert.deepEqual(there?.groupIds, functions.groups.slice(0, 1));
  });

  test("leaves it by empty lists, and gives its interfaces back after a while", async () => {
    await detach();
    assert.deepEqual([(await seen())?.vpcId, (await seen())?.updateState], [null, "inprogress"]);
    functions.sandbox.clock.advance(600);
    assert.equal((await functions.interfaces()).length, 3);
    functions.sandbox.clock.advance(60_000);
    assert.deepEqual([(await seen())?.updateState, await functions.interfaces()], ["successful", []]);
  });

  test("one that is gone counts as detached", async () => {
    await detach(arn.replace(/clicks$/, "nowhere"));
  });
});

test("what a change that failed lacked is told in a word", async () => {
  await functions.sandbox.own("PATCH settings", { lambdaFailure: "InsufficientRolePermissions" });
  await attach();
  functions.sandbox.clock.advance(5_000);
  const failed = await seen();
  assert.deepEqual([failed?.updateState, failed?.lacks], ["failed", "role"]);
  assert.match(failed?.updateReason ?? "", /^InsufficientRolePermissions: /);
});
