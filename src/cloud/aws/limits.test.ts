import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/model.ts";
import { NotSent } from "../cloud.ts";
import { bucketSize } from "./bucketSizes.ts";
import { type Caller, type Limiter, limiter } from "./limits.ts";

interface Sleeper {
  readonly until: number;
  wake(): void;
}

/** Time that stands still until a test moves it. */
function standingClock() {
  let now = 1_000_000;
  let sleepers: Sleeper[] = [];
  let slept = 0;
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const clock: Clock = {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((wake) => {
        slept += 1;
        if (signal?.aborted) return wake();
        sleepers.push({ until: now + ms, wake });
        signal?.addEventListener("abort", () => wake());
      }),
  };
  return {
    clock,
    settle,
    /** How often anybody has gone to sleep. */
    slept: () => slept,
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

/** Several networks at one bucket, and the order in which their calls passed. */
function queued(limits: Limiter, action: string) {
  const line: { readonly network: string; readonly call: number }[] = [];
  return {
    ask(network: string, calls: number, rank: Caller["rank"] = "normal") {
      for (let call = 0; call < calls; call++)
        void limits.take({ ...PLACE, action }, { network, rank }).then(() => line.push({ network, call }));
    },
    of: (network: string) => line.filter((one) => one.network === network).length,
    line: () => line.map(({ network, call }) => `${network}${call}`),
  };
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
    await time.pass(1_001);
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

  test("a change in the number of processes takes effect while calls wait", async () => {
    const time = standingClock();
    let processes = 4;
    const limits = limiter({ clock: time.clock, livingProcesses: () => processes });
    const passed = flood(limits, "CreateNatGateway", 40);
    await time.pass(4_001);
    assert.equal(passed.length, 3);
    processes = 1;
    await time.pass(10_000);
    assert.ok(passed.length >= 12 && passed.length <= 13, `${passed.length} passed`);
    processes = 10;
    const before = passed.length;
    await time.pass(20_000);
    assert.ok(passed.length - before <= 3, `${passed.length - before} passed`);
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

  test("a throttled answer empties the bucket, halves the refill, and wears off evenly", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    const name = { ...PLACE, action: "CreateNatGateway" };
    await limits.take(name);
    limits.throttled(name);
    limits.throttled(name);
    assert.equal(limits.pressure().length, 0);
    const passed = flood(limits, name.action, 200);
    await time.pass(1_900);
    assert.equal(passed.length, 0);
    await time.pass(100);
    assert.equal(passed.length, 1);
    assert.equal(Math.round(100 * (limits.pressure()[0]?.perSecond ?? 0)), 53);
    // The half of a token a second is missed in the first, nothing in the thirtieth: 7.5 in all.
    await time.pass(28_000);
    assert.equal(passed.length, 22);
    await time.pass(10_000);
    assert.equal(passed.length, 32);
  });

  test("never slows down below a sixteenth, however often it is throttled", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    const name = { ...PLACE, action: "CreateVpc" };
    for (let minute = 0; minute < 30; minute++) {
      limits.throttled(name);
      await time.pass(1_000);
    }
    limits.throttled(name);
    const passed = flood(limits, name.action, 10);
    await time.pass(3_300);
    assert.ok(passed.length >= 1, `${passed.length} passed`);
  });

  test("is silent for as long as AWS asks, a minute at most", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    const name = { ...PLACE, action: "CreateVpc" };
    limits.throttled(name, 7_000);
    const passed = flood(limits, name.action, 3);
    await time.pass(7_000);
    assert.equal(passed.length, 0);
    await time.pass(1_000);
    assert.ok(passed.length > 0);
    limits.throttled(name, 86_400_000);
    await time.pass(62_000);
    assert.equal(passed.length, 3);
  });

  test("one noisy network delays another by one turn, not by all that it wants", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    const order = queued(limits, "CreateNatGateway");
    order.ask("noisy", 300);
    order.ask("quiet", 2);
    order.ask("third", 1);
    await time.pass(6_100);
    assert.equal(order.of("quiet"), 0);
    await time.pass(3_000);
    assert.deepEqual([order.of("quiet"), order.of("third")], [2, 1]);
    assert.equal(order.of("noisy"), 10 + 6);
    await time.pass(10_000);
    assert.equal(order.of("noisy"), 10 + 16);
  });

  test("networks of a common size are served whole, one after another, in order", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    const order = queued(limits, "CreateSubnet");
    order.ask("burst", 50);
    for (const network of ["a", "b", "c"]) order.ask(network, 6);
    await time.pass(3_700);
    assert.equal(order.line().slice(50).join(""), "a0a1a2a3a4a5b0b1b2b3b4b5c0c1c2c3c4c5");
  });

  test("what takes away goes first, and what was sent already before it; the rest is not starved", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    const order = queued(limits, "RejectVpcPeeringConnection");
    order.ask("burst", 50);
    order.ask("making", 40);
    order.ask("removing", 40, "urgent");
    order.ask("sent", 1, "again");
    await time.pass(4_100);
    assert.equal(order.line()[50], "sent0");
    assert.ok(order.of("removing") >= 13, `${order.of("removing")} of the urgent`);
    assert.ok(order.of("making") >= 4, `${order.of("making")} of the others`);
  });

  test("who gives up waiting is told how long it would be, is not sent, and finds its place again", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    const order = queued(limits, "CreateNatGateway");
    order.ask("burst", 10);
    order.ask("first", 6);
    const patience = new AbortController();
    const given = limits.take(
      { ...PLACE, action: "CreateNatGateway" },
      { network: "second", rank: "normal", signal: patience.signal },
    );
    order.ask("third", 3);
    await time.settle();
    patience.abort();
    await assert.rejects(given, (error) => {
      assert.ok(error instanceof NotSent);
      assert.match(error.message, /rate limit of CreateNatGateway: 6 calls ahead, about 7 s/);
      return true;
    });
    await time.pass(2_000);
    order.ask("second", 1);
    await time.pass(8_100);
    assert.equal(
      order.line().slice(10).join(" "),
      "first0 first1 first2 first3 first4 first5 second0 third0 third1 third2",
    );
  });

  test("a signal that was aborted before takes no token", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    const gone = { network: "x", rank: "normal", signal: AbortSignal.abort() } as const;
    for (let call = 0; call < 20; call++)
      await assert.rejects(limits.take({ ...PLACE, action: "CreateNatGateway" }, gone), NotSent);
    const passed = flood(limits, "CreateNatGateway", 12);
    await time.settle();
    assert.equal(passed.length, 10);
  });

  test("says which bucket is waited for, and for how long; in the log now and then", async () => {
    const time = standingClock();
    const lines: Readonly<Record<string, unknown>>[] = [];
    const limits = limiter({ clock: time.clock, log: (_, fields) => void lines.push(fields) });
    flood(limits, "DescribeVpcs", 5);
    flood(limits, "CreateNatGateway", 110);
    await time.pass(9_500);
    const [pressed, ...others] = limits.pressure();
    assert.equal(others.length, 0);
    assert.deepEqual(
      [pressed?.action, pressed?.waiting, pressed?.emptySince, pressed?.perSecond],
      ["CreateNatGateway", 91, 1_000_000, 1],
    );
    assert.equal(Math.round((pressed?.waitMs ?? 0) / 1000), 91);
    assert.equal(lines.length, 0);
    await time.pass(29_000);
    assert.equal(lines.length, 1);
    assert.deepEqual([lines[0]?.action, lines[0]?.region], ["CreateNatGateway", "us-east-1"]);
    await time.pass(30_000);
    assert.equal(lines.length, 2);
    await time.pass(60_000);
    assert.equal(limits.pressure().length, 0);
  });

  test("does not ask the clock more often than once a token, or a second", async () => {
    const time = standingClock();
    const limits = limiter({ clock: time.clock });
    const passed = flood(limits, "CreateVpcEndpoint", 64);
    await time.pass(201_000);
    assert.equal(passed.length, 64);
    assert.ok(time.slept() <= 201 + 2 * 60, `${time.slept()} sleeps`);
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
