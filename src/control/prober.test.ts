import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fastClock } from "../../tests/support/clocks.ts";
import type { Cloud, ProbeCall } from "../cloud/cloud.ts";
import { Failure } from "../domain/failure.ts";
import type { Condition } from "../domain/model.ts";
import type { Probe, ProbeFindings, ProbeWish } from "../domain/probe.ts";
import { emptyWorld } from "../domain/world.ts";
import type { Store } from "../store/store.ts";
import { addNetwork, addTenant, claimOne } from "../store/testing/testdata.ts";
import { memoryStore } from "../store/testing.ts";
import { createProber } from "./prober.ts";

const clock = fastClock();
const ROLE = "arn:aws:iam::444455556666:role/probes";
const wish: ProbeWish = { host: "db", port: 5432, protocol: "tcp", tls: false, ca: null, stageMs: 5_000 };
const refused: ProbeFindings = {
  stages: [
    { stage: "resolve", outcome: "ok", ms: 1, code: null, detail: "10.2.0.9" },
    { stage: "connect", outcome: "failed", ms: 1, code: "ECONNREFUSED", detail: "refused" },
  ],
  addresses: ["10.2.0.9"],
  tls: null,
  kafka: null,
};

/** The border to the cloud, as far as the prober goes over it; anything else fails the test. */
function border(answers: (call: ProbeCall, count: number) => Promise<ProbeFindings>) {
  const calls: ProbeCall[] = [];
  const cloud = {
    probe: async (_: unknown, call: ProbeCall) => answers(call, calls.push(call)),
    observe: async (_: unknown, [network]: readonly { id: string }[]) =>
      new Map([[network?.id ?? "", emptyWorld(clock.now())]]),
  };
  return { calls, cloud: cloud as unknown as Cloud };
}

let store: Store;
let place: { network: string; tenant: string; dataset: string };
const stops: (() => Promise<void>)[] = [];

beforeEach(async () => {
  store = await memoryStore(clock);
  const tenant = (await addTenant(store, "acme")).id;
  const { network, dataset } = await addNetwork(store, tenant);
  place = { tenant, network: network.id, dataset: dataset.id };
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await store.close();
});

const ask = () =>
  store.change((tx) => tx.askProbe({ networkId: place.network, roleArn: ROLE, wish, askedBy: "member" }));

/** What a pass says of the function, seen at that moment. */
async function say(change: Partial<Condition>, observedAt = clock.now()): Promise<void> {
  const told: Condition = {
    ...{ resource: "probe", id: "arn", state: "ready", message: "is there", actor: "letsdata", hint: null },
    ...{ since: 0, usualSeconds: null },
    ...change,
  };
  await store.change((tx) => tx.wake(place.network));
  const lease = await claimOne(store);
  await store.pass(lease).saveStatus({ conditions: [told], world: emptyWorld(observedAt), observedAt });
  await store.work.finish(lease, null);
}

function run(cloud: Cloud, patienceMs = 600_000): void {
  const stopping = new AbortController();
  const running = createProber({ store, cloud, clock, log: () => {}, patienceMs }).run(stopping.signal);
  stops.push(async () => {
    stopping.abort();
    await running;
  });
}

/** The probe, once it is so. */
async function until(id: string, is: (probe: Probe) => boolean): Promise<Probe> {
  for (;;) {
    const probe = await store.tenant(place.tenant).probe(place.dataset, id);
    assert.ok(probe);
    if (is(probe)) return probe;
    await clock.sleep(100);
  }
}

const ended = (id: string) => until(id, ({ endedAt }) => endedAt !== null);

describe("a probe that was asked for", () => {
  test("is tried as soon as the function is there, and judged", async () => {
    const { cloud, calls } = border(async () => refused);
    run(cloud);
    const { id } = await ask();
    const waiting = await until(id, ({ note }) => note !== null);
    assert.deepEqual(
      [waiting.state, waiting.note, calls.length],
      ["waiting", "the function is made first", 0],
    );
    await say({ state: "waiting", message: "is being set up", actor: "aws" });
    await until(id, ({ note }) => note === "the function: is being set up");
    await say({});
    const done = await ended(id);
    assert.deepEqual([done.state, done.result?.verdict, done.note], ["done", "refused", null]);
    assert.ok(done.startedAt !== null && done.startedAt >= done.askedAt);
    assert.deepEqual([calls.length, calls[0]?.wish, calls[0]?.network.id], [1, wish, place.network]);
  });

  test("is taken up by another process when its own has died", async () => {
    await say({});
    const { id } = await ask();
    const dead = await store.probes.claim(1_000);
    assert.equal(dead?.probe.id, id);
    run(border(async () => refused).cloud);
    assert.equal((await ended(id)).state, "done");
  });

  test("is handed on by a process that ends in the middle of it", async () => {
    await say({});
    const { id } = await ask();
    const stopping = new AbortController();
    const { cloud } = border(async () => {
      stopping.abort();
      throw new Failure("unavailable", "the connections were ended");
    });
    await createProber({ store, cloud, clock, log: () => {} }).run(stopping.signal);
    assert.deepEqual([(await until(id, () => true)).state, await store.probes.dueInMs()], ["waiting", 0]);
    run(border(async () => refused).cloud);
    assert.equal((await ended(id)).state, "done");
  });

  test("of many none waits for another", async () => {
    await say({});
    const gate = Promise.withResolvers<void>();
    const { cloud } = border(async (_, count) => {
      if (count === 1) await gate.promise;
      return refused;
    });
    run(cloud);
    const [first, second] = [await ask(), await ask()];
    const states = async () => Promise.all([first, second].map(({ id }) => until(id, () => true)));
    for (let seen = await states(); !seen.some(({ state }) => state === "done"); seen = await states())
      await clock.sleep(100);
    gate.resolve();
    assert.deepEqual([(await ended(first.id)).state, (await ended(second.id)).state], ["done", "done"]);
  });
});

describe("what cannot be tried", () => {
  test("a function that cannot be made: its reason, and what to do", async () => {
    run(border(async () => refused).cloud);
    const { id } = await ask();
    await say({ state: "blocked", message: "the role cannot be assumed", actor: "operator", hint: "trust" });
    const failed = await ended(id);
    assert.deepEqual([failed.state, failed.hint, failed.result], ["failed", "trust", null]);
    assert.match(failed.note ?? "", /cannot be used: the role cannot be assumed/);
  });

  test("what blocked it before somebody asked may be put right by now", async () => {
    await say(
      { state: "blocked", message: "the role cannot be assumed", actor: "operator" },
      clock.now() - 60_000,
    );
    const { cloud } = border(async () => refused);
    const { id } = await ask();
    run(cloud);
    await until(id, ({ note }) => note !== null);
    await say({});
    assert.equal((await ended(id)).state, "done");
  });

  for (const code of ["unavailable", "conflict", "notFound"] as const)
    test(`a call that fails with ${code} is made again`, async () => {
      await say({});
      const { cloud, calls } = border(async (_, count) => {
        if (count < 3) throw new Failure(code, "not now");
        return refused;
      });
      run(cloud);
      const { id } = await ask();
      assert.equal((await ended(id)).result?.verdict, "refused");
      assert.equal(calls.length, 3);
    });

  test("a call that fails for good ends it, with the reason", async () => {
    await say({});
    run(
      border(async () => Promise.reject(new Failure("forbidden", "not allowed", { hint: "allow it" }))).cloud,
    );
    const failed = await ended((await ask()).id);
    assert.deepEqual([failed.state, failed.note, failed.hint], ["failed", "not allowed", "allow it"]);
  });

  test("it ends after its time, with the last that was said", async () => {
    await say({ state: "waiting", message: "is being set up", actor: "aws" });
    run(border(async () => refused).cloud, 6_000);
    const failed = await ended((await ask()).id);
    assert.match(failed.note ?? "", /not there within 6 s.*is being set up/);
    assert.ok((failed.endedAt ?? 0) - failed.askedAt >= 6_000);
  });

  test("the network is deleted meanwhile", async () => {
    const { id } = await ask();
    await store.change((tx) => tx.askDelete(place.dataset));
    run(border(async () => refused).cloud);
    const failed = await ended(id);
    assert.deepEqual([failed.state, failed.note], ["failed", "The VPC is being deleted, or is gone"]);
  });
});
