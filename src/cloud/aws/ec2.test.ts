import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { awsCloud } from "./ec2.ts";
import {
  ACCOUNT,
  cellIn,
  handsOn,
  hurriedClock,
  networkRef,
  rejection,
  stepper,
  wiredSandbox,
} from "./testing.ts";

const HOME = cellIn("us-east-1");

const { sandbox, wire, cloud } = await wiredSandbox();

describe("who and where", () => {
  test("the account is that of the credentials, asked once", async () => {
    const before = wire.sent.length;
    assert.equal(await cloud.account(HOME), ACCOUNT);
    assert.equal(await cloud.account(HOME), ACCOUNT);
    assert.equal(wire.sent.length - before, 1);
  });

  test("a cell's role is assumed", async () => {
    const cell = { ...HOME, account: "333333333333", roleArn: "arn:aws:iam::333333333333:role/letsdata" };
    assert.equal(await cloud.account(cell), "333333333333");
  });

  test("a role that cannot be assumed is the operator's matter, and named", async () => {
    const failure = await rejection(cloud.zones({ ...HOME, roleArn: "arn:aws:iam::nobody" }), "invalid");
    assert.match(failure.message, /sts:AssumeRole/);
  });

  test("zones are the available ones, lowest id first", async () => {
    const zones = await cloud.zones(HOME);
    const ids = zones.map((zone) => zone.id);
    assert.ok(ids.length >= 3);
    assert.deepEqual(ids, [...ids].sort());
    assert.ok(zones.every((zone) => zone.name.startsWith("us-east-1")));
  });

  test("keys that AWS does not know are forbidden", async () => {
    const strangers = awsCloud({
      clock: hurriedClock(sandbox.clock),
      endpoint: sandbox.url,
      installation: "inst-1",
      credentials: { accessKeyId: "AKIANOBODY", secretAccessKey: "x" },
    });
    await rejection(strangers.zones(HOME), "forbidden");
    await rejection(strangers.account(HOME), "forbidden");
    strangers.close();
  });

  test("a cloud that does not answer is unavailable, and named", async () => {
    const nobody = handsOn("http://127.0.0.1:1", hurriedClock(sandbox.clock));
    const failure = await rejection(nobody.zones(HOME), "unavailable");
    assert.match(failure.message, /http:\/\/127\.0\.0\.1:1/);
    nobody.close();
  });
});

describe("what AWS does not show yet", () => {
  test("a parent just made is waited for, not given up", async () => {
    const { act } = stepper(cloud, HOME, networkRef("early"));
    const vpcId = "vpc-00000000000000000";
    const table = await rejection(act({ do: "createRouteTable", key: "table/public", vpcId }), "conflict");
    assert.match(table.message, /does not show/);
    await rejection(act({ do: "setDnsHostnames", key: "vpc", vpcId }), "unavailable");
  });

  test("a peering that is gone is notFound", async () => {
    const { act } = stepper(cloud, HOME, networkRef("early"));
    const peeringId = "pcx-00000000000000000";
    await rejection(act({ do: "acceptPeering", key: "peering/x", peeringId }), "notFound");
  });
});
