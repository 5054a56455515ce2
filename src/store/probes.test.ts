import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { ProbeResult, ProbeWish } from "../domain/probe.ts";
import type { Store } from "./store.ts";
import { addNetwork, addTenant, claimOne, failsWith } from "./testing/testdata.ts";
import { type ManualClock, stores } from "./testing.ts";

const LEASE = 90_000;
const ROLE = "arn:aws:iam::444455556666:role/probes";
const wish: ProbeWish = { host: "db", port: 5432, protocol: "tcp", tls: false, ca: null, stageMs: 5_000 };
const result: ProbeResult = {
  verdict: "refused",
  summary: "db:5432 refuses",
  nextStep: null,
  stages: [{ stage: "resolve", outcome: "ok", ms: 1.5, detail: "10.0.0.1" }],
  addresses: ["10.0.0.1"],
  tls: null,
  kafka: null,
};
const done = { state: "done", note: null, hint: null, result } as const;

for (const kind of stores(process.env))
  describe(`probes on ${kind.kind}`, { skip: kind.skip }, () => {
    let store: Store;
    let clock: ManualClock;
    let tenantId = "";
    let ids = { network: "", dataset: "" };
    before(() => kind.start());
    beforeEach(async () => {
      ({ store, clock } = await kind.fresh());
      tenantId = (await addTenant(store, "acme")).id;
      const { network, dataset } = await addNetwork(store, tenantId);
      ids = { network: network.id, dataset: dataset.id };
    });
    after(() => kind.stop());

    const ask = (roleArn = ROLE) =>
      store.change((tx) => tx.askProbe({ networkId: ids.network, roleArn, wish, askedBy: "member" }));
    const read = (id: string) => store.tenant(tenantId).probe(ids.dataset, id);
    const claim = () => store.probes.claim(LEASE);

    /** The claim that must succeed. */
    async function claimed() {
      const lease = await claim();
      assert.ok(lease, "there is something to claim");
      return lease;
    }

    test("one that is asked for waits, and its network wants the function from then on", async () => {
      assert.deepEqual([await store.probes.dueInMs(), await claim()], [null, null]);
      assert.equal((await store.networks([ids.network]))[0]?.probeRoleArn, null);
      const asked = await ask();
      assert.deepEqual([asked.state, asked.askedBy, asked.wish], ["waiting", "member", wish]);
      assert.deepEqual(await read(asked.id), asked);
      assert.equal((await store.networks([ids.network]))[0]?.probeRoleArn, ROLE);
      await ask("arn:aws:iam::444455556666:role/new");
      assert.match((await store.networks([ids.network]))[0]?.probeRoleArn ?? "", /new$/);
      assert.equal(await store.probes.dueInMs(), 0);
      assert.equal(await store.change((tx) => tx.openProbes(ids.network)), 2);
      await store.probes.end(await claimed(), done);
      assert.equal(await store.change((tx) => tx.openProbes(ids.network)), 1);
    });

    test("asking wakes whoever listens", async () => {
      const woken = Promise.withResolvers<void>();
      const stop = store.onWake(() => woken.resolve());
      await ask();
      await woken.promise;
      stop();
    });

    test("is another tenant's and another dataset's secret", async () => {
      const { id } = await ask();
      const other = await addTenant(store, "other");
      assert.equal(await store.tenant(other.id).probe(ids.dataset, id), null);
      assert.equal(await store.tenant(tenantId).probe("ds_other", id), null);
    });

    test("of many who claim at once each gets another one", async () => {
      const asked = [await ask(), await ask()];
      const leases = await Promise.all(Array.from({ length: 6 }, claim));
      const got = leases.flatMap((lease) => lease?.probe.id ?? []);
      assert.deepEqual(got.sort(), asked.map(({ id }) => id).sort());
      assert.equal(await store.probes.dueInMs(), LEASE);
    });

    test("is tried, and told", async () => {
      const { id } = await ask();
      const lease = await claimed();
      assert.equal((await read(id))?.state, "waiting");
      clock.advance(5);
      await store.probes.begin(lease, LEASE);
      const running = await read(id);
      assert.deepEqual([running?.state, running?.startedAt], ["running", clock.now()]);
      await store.probes.end(lease, done);
      const ended = await read(id);
      assert.deepEqual([ended?.state, ended?.endedAt, ended?.result], ["done", clock.now(), result]);
      assert.equal(await store.probes.dueInMs(), null);
    });

    test("one that cannot be tried yet says what it waits for, and comes again later", async () => {
      const { id } = await ask();
      await store.probes.putBack(await claimed(), { note: "the function is being made", againInMs: 1_000 });
      assert.deepEqual(
        [(await read(id))?.state, (await read(id))?.note],
        ["waiting", "the function is being made"],
      );
      assert.deepEqual([await claim(), await store.probes.dueInMs()], [null, 1_000]);
      clock.advance(1_000);
      const again = await claimed();
      await store.probes.end(again, { state: "failed", note: "no role", hint: "make one", result: null });
      const failed = await read(id);
      assert.deepEqual([failed?.state, failed?.note, failed?.hint], ["failed", "no role", "make one"]);
    });

    test("a holder that died is replaced, and writes nothing any more", async () => {
      const { id } = await ask();
      const dead = await claimed();
      clock.advance(LEASE);
      const heir = await claimed();
      assert.equal(heir.probe.id, dead.probe.id);
      const late = [
        () => store.probes.begin(dead, LEASE),
        () => store.probes.putBack(dead, { note: "", againInMs: 1 }),
        () => store.probes.end(dead, done),
      ];
      for (const write of late) await assert.rejects(write(), failsWith("conflict", /lease/));
      await store.probes.end(heir, done);
      await assert.rejects(store.probes.end(heir, done), failsWith("conflict", /lease/));
      assert.equal((await read(id))?.state, "done");
    });

    test("can be read when its network is gone", async () => {
      const { id } = await ask();
      await store.probes.end(await claimed(), done);
      await store.change((tx) => tx.askDelete(ids.dataset));
      await store.pass(await claimOne(store)).markGone();
      assert.equal((await read(id))?.result?.verdict, "refused");
    });

    test("only the last hundred of a network are kept", async () => {
      const first = await ask();
      await store.probes.end(await claimed(), done);
      for (let times = 0; times < 100; times++) {
        await ask();
        if (times < 99) await store.probes.end(await claimed(), done);
      }
      assert.equal(await read(first.id), null);
      assert.notEqual(await claim(), null);
    });
  });
