import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { SweepReport } from "../domain/sweep.ts";
import type { Store } from "./store.ts";
import { addNetwork, addTenant, claimOne, FIRST_PAGE, failsWith } from "./testing/testdata.ts";
import { type ManualClock, stores } from "./testing.ts";

const DAY = 86_400_000;
const LEASE = 60_000;
const report: SweepReport = { cells: [], findings: [], monthlyUsd: 0, atLeast: false };
const done = { state: "done", error: null, report } as const;

for (const kind of stores(process.env))
  describe(`sweeps on ${kind.kind}`, { skip: kind.skip }, () => {
    let store: Store;
    let clock: ManualClock;
    before(() => kind.start());
    beforeEach(async () => {
      ({ store, clock } = await kind.fresh());
    });
    after(() => kind.stop());

    const ask = (fix = false) => store.change((tx) => tx.askSweep({ fix, askedBy: "operator" }));
    const claim = () => store.sweeps.claim(LEASE, DAY);

    /** The claim that must succeed. */
    async function claimed() {
      const lease = await claim();
      assert.ok(lease, "there is something to claim");
      return lease;
    }

    test("the daily one is due at first, then a day after the last", async () => {
      assert.equal(await store.sweeps.last(), null);
      assert.equal(await store.sweeps.dueInMs(DAY), 0);
      const first = await claimed();
      assert.deepEqual([first.sweep.askedBy, first.sweep.fix, first.sweep.state], [null, false, "running"]);
      await store.sweeps.save(first, done);
      assert.equal(await store.sweeps.dueInMs(DAY), DAY);
      assert.equal(await claim(), null);
      clock.advance(DAY);
      assert.equal(await store.sweeps.dueInMs(DAY), 0);
      assert.notEqual((await claimed()).sweep.id, first.sweep.id);
    });

    test("one that is asked for is due at once, and is answered to everybody who asks for the same", async () => {
      await store.sweeps.save(await claimed(), done);
      const asked = await ask();
      assert.deepEqual([asked.state, asked.askedBy, asked.askedAt], ["waiting", "operator", clock.now()]);
      assert.equal((await ask()).id, asked.id);
      const fixing = await ask(true);
      assert.notEqual(fixing.id, asked.id);
      assert.equal(await store.sweeps.dueInMs(DAY), 0);
      const lease = await claimed();
      assert.equal(lease.sweep.id, asked.id);
      await store.sweeps.save(lease, done);
      assert.equal((await claimed()).sweep.id, fixing.id);
    });

    test("asking wakes whoever listens", async () => {
      const woken = Promise.withResolvers<void>();
      const stop = store.onWake(() => woken.resolve());
      await ask();
      await woken.promise;
      stop();
    });

    test("of many who claim at once one gets it", async () => {
      await ask();
      const leases = await Promise.all(Array.from({ length: 8 }, claim));
      assert.equal(leases.filter((lease) => lease !== null).length, 1);
      assert.equal(await store.sweeps.dueInMs(DAY), LEASE);
    });

    test("a holder that died is replaced, and writes nothing any more", async () => {
      await ask();
      const dead = await claimed();
      clock.advance(LEASE);
      assert.equal(await store.sweeps.renew(dead, LEASE), false);
      const heir = await claimed();
      assert.equal(heir.sweep.id, dead.sweep.id);
      assert.equal(heir.sweep.startedAt, dead.sweep.startedAt);
      await assert.rejects(store.sweeps.save(dead, done), failsWith("conflict", /lease/));
      await store.sweeps.save(heir, done);
      assert.equal((await store.sweeps.byId(dead.sweep.id))?.state, "done");
    });

    test("a lease that is renewed holds; what is known so far can be read", async () => {
      await ask();
      const lease = await claimed();
      for (let times = 0; times < 3; times++) {
        clock.advance(LEASE - 1);
        assert.equal(await store.sweeps.renew(lease, LEASE), true);
      }
      await store.sweeps.save(lease, { state: "running", error: null, report });
      const seen = await store.sweeps.last();
      assert.deepEqual([seen?.state, seen?.endedAt, seen?.report], ["running", null, report]);
      await store.sweeps.save(lease, { state: "failed", error: "no", report: null });
      const ended = await store.sweeps.last();
      assert.deepEqual([ended?.state, ended?.error, ended?.endedAt], ["failed", "no", clock.now()]);
    });

    test("only the last hundred are kept", async () => {
      const first = await claimed();
      await store.sweeps.save(first, done);
      for (let times = 0; times < 100; times++) {
        await ask();
        await store.sweeps.save(await claimed(), done);
      }
      assert.equal(await store.sweeps.byId(first.sweep.id), null);
      assert.equal((await store.sweeps.last())?.state, "done");
    });

    test("cells, living networks and what became of datasets, whoever's they are", async () => {
      const [acme, other] = [await addTenant(store, "acme"), await addTenant(store, "other")];
      const one = await addNetwork(store, acme.id);
      await store.work.finish(await claimOne(store), null);
      const two = await addNetwork(store, other.id, "Gone");
      assert.deepEqual(
        (await store.sweeps.cells()).map(({ account, region }) => `${account} ${region}`),
        ["444455556666 us-east-1"],
      );
      await store.change((tx) => tx.askDelete(two.dataset.id));
      assert.equal((await store.sweeps.living()).length, 2);
      await store.pass(await claimOne(store)).markGone();
      assert.deepEqual(
        (await store.sweeps.living()).map(({ id }) => id),
        [one.network.id],
      );
      const traces = await store.sweeps.traces([one.dataset.id, two.dataset.id, "ds_unknown", ""]);
      assert.deepEqual(Object.fromEntries(traces), {
        [one.dataset.id]: { name: "Clicks", deleted: false },
        [two.dataset.id]: { name: "Gone", deleted: true },
      });
    });

    describe("a rehearsal", () => {
      test("answers what would be, and leaves nothing behind", async () => {
        const before = await store.tenants(FIRST_PAGE);
        const tenant = await store.rehearse(async (tx) => {
          const made = await tx.insertTenant({ name: "acme", rangeLimit: 8, avoidCidrs: [] });
          assert.ok(await tx.tenantByName("acme"));
          return made;
        });
        assert.equal(tenant.name, "acme");
        assert.equal(await store.tenantByName("acme"), null);
        assert.deepEqual(await store.tenants(FIRST_PAGE), before);
      });

      test("wakes nobody, and refuses as the real thing does", async () => {
        const tenant = await addTenant(store);
        const { network } = await addNetwork(store, tenant.id);
        await store.work.finish(await claimOne(store), null);
        await store.rehearse((tx) => tx.wake(network.id));
        assert.deepEqual(await store.work.claim(10, LEASE), []);
        const taken = store.rehearse((tx) =>
          tx.insertTenant({ name: tenant.name, rangeLimit: 8, avoidCidrs: [] }),
        );
        await assert.rejects(taken, failsWith("conflict"));
        assert.ok(await addTenant(store, "next"));
      });
    });
  });
