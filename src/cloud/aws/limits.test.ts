import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/model.ts";
import { bucketSize, type Limiter, limiter } from "./limits.ts";

interface Sleeper {
  readonly until: number;
  wake(): void;
}

/** Time that stands still until a test moves it. */
function standingClock() {
  let now = 1_000_000;
  let sleepers: Sleeper[] = [];
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const clock: Clock = {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((wake) => {
        if (signal?.aborted) return wake();
        sleepers.push({ until: now + ms, wake });
        signal?.addEventListener("abort", () => wake());
      }),
  };
  return {
    clock,
    settle,
    async pass(ms: number) {
      const end = now + ms;
      await settle();
      for (;;) {
        const next = sleepers.filter((one) => one.until <= end).sort((a, b) => a.until - b.until)[0];
        if (!next) break;
        now = next.until;
        sleepers = sleepers.filter((one) => one !== next);
        next.wake();
        await settle();
      }
      now = end;
    },
  };
}

const PLACE = { account: "111111111111", region: "us-east-1" };

/** Asks for `calls` at once; the answer counts those that have passed. */
function flood(limits: Limiter, action: string, calls: number) {
  const passed: number[] = [];
  for (let call = 0; call < calls; call++)
    limits.take({ ...PLACE, action }).then(
      () => passed.push(call),
      () => {},
    );
  return passed;
}

describe("bucketSize", () => {
  test("knows AWS's categories and its exceptions", () => {
    assert.deepEqual(bucketSize("DescribeVpcs"), { burst: 100, perSecond: 20 });
    assert.deepEqual(bucketSize("GetCallerIdentity"), { burst: 100, perSecond: 20 });
    assert.deepEqual(bucketSize("CreateVpc"), { burst: 50, perSecond: 5 });
    assert.deepEqual(bucketSize("AcceptVpcPeeringConnection"), { burst: 50, perSecond: 5 });
    assert.deepEqual(bucketSize("CreateNatGateway"), { burst: 10, perSecond: 1 });
    assert.deepEqual(bucketSize("DeleteVpcEndpoints"), { burst: 4, perSecond: 0.3 });
  });
});

describe("limiter", () => {
  test("lets the burst through, then the refill, in order", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    const passed = flood(limits, "CreateNatGateway", 14);
    await time.settle();
    assert.equal(passed.length, 10);
    await time.pass(1_000);
    assert.equal(passed.length, 11);
    await time.pass(3_000);
    assert.deepEqual(
      passed,
      Array.from({ length: 14 }, (_, call) => call),
    );
  });

  test("keeps accounts, regions and actions apart", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    flood(limits, "CreateVpcEndpoint", 9);
    await time.settle();
    const others = await Promise.all([
      limits.take({ ...PLACE, action: "ModifyVpcEndpoint" }),
      limits.take({ ...PLACE, account: "222222222222", action: "CreateVpcEndpoint" }),
      limits.take({ ...PLACE, region: "eu-west-1", action: "CreateVpcEndpoint" }),
    ]);
    assert.equal(others.length, 3);
  });

  test("gives each of N processes 1/N of burst and refill, and always one token", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock, livingProcesses: () => 8 });
    const nats = flood(limits, "CreateVpc", 8);
    const endpoints = flood(limits, "CreateVpcEndpoint", 2);
    await time.settle();
    assert.equal(nats.length, 6);
    assert.equal(endpoints.length, 1);
    await time.pass(1_600);
    assert.equal(nats.length, 7);
    await time.pass(26_000);
    assert.equal(endpoints.length, 2);
  });

  test("gains nothing beyond the burst while idle", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    await limits.take({ ...PLACE, action: "CreateNatGateway" });
    await time.pass(3_600_000);
    const passed = flood(limits, "CreateNatGateway", 20);
    await time.settle();
    assert.equal(passed.length, 10);
  });

  test("a throttled answer empties the bucket, halves the refill, and wears off", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    const name = { ...PLACE, action: "CreateNatGateway" };
    await limits.take(name);
    limits.throttled(name);
    limits.throttled(name);
    const passed = flood(limits, name.action, 200);
    await time.pass(1_500);
    assert.equal(passed.length, 0);
    await time.pass(1_000);
    assert.equal(passed.length, 1);
    await time.pass(60_000);
    const before = passed.length;
    assert.ok(before > 31 && before < 60, `${before} passed`);
    await time.pass(10_000);
    assert.equal(passed.length, before + 10);
  });

  test("refuses those who wait once it is closed", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    flood(limits, "CreateVpcEndpoint", 4);
    const waiting = limits.take({ ...PLACE, action: "CreateVpcEndpoint" });
    await time.settle();
    limits.close();
    await assert.rejects(waiting, (error) => error instanceof Failure && error.code === "unavailable");
    await assert.rejects(limits.take({ ...PLACE, action: "CreateVpc" }), Failure);
  });
});
