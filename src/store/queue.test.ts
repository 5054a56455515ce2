/** The work queue: who may work on which network, until when, and who is shut out. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { QuotaLine } from "./store.ts";
import { addNetwork, addTenant, claimOne, failsWith } from "./testing/testdata.ts";
import { stores } from "./testing.ts";

const LEASE_MS = 30_000;

for (const database of stores(process.env)) {
  describe(`queue on ${database.kind}`, { skip: database.skip }, () => {
    before(database.start);
    after(database.stop);

    const withNetwork = async () => {
      const fresh = await database.fresh();
      const tenant = await addTenant(fresh.store);
      const { network } = await addNetwork(fresh.store, tenant.id);
      const wake = () => fresh.store.change((tx) => tx.wake(network.id));
      return { ...fresh, tenant, network, wake, work: fresh.store.work };
    };

    test("a woken network is claimed once, and due again when it was asked for", async () => {
      const { store, work, network, clock, wake } = await withNetwork();
      assert.equal(await work.nextDueMs(), 0);
      const lease = await claimOne(store, LEASE_MS);
      assert.deepEqual(lease, {
        networkId: network.id,
        token: 1,
        until: clock.now() + LEASE_MS,
        failures: 0,
        freshAfter: 0,
      });
      assert.deepEqual(await work.claim(10, LEASE_MS), []);
      assert.equal(await work.nextDueMs(), LEASE_MS);
      await work.finish(lease, 2000);
      assert.equal(await work.nextDueMs(), 2000);
      clock.advance(1999);
      assert.deepEqual(await work.claim(10, LEASE_MS), []);
      clock.advance(1);
      const [second] = await work.claim(10, LEASE_MS);
      assert.equal(second?.token, 2);
      if (second) await work.finish(second, null);
      assert.equal(await work.nextDueMs(), null);
      await wake();
      assert.equal(await work.nextDueMs(), 0);
    });

    test("a fresh look is asked for, and stays asked for", async () => {
      const { store, network, clock, wake } = await withNetwork();
      await store.change((tx) => tx.wake(network.id, "fresh"));
      const asked = clock.now();
      clock.advance(5);
      await wake();
      assert.equal((await claimOne(store)).freshAfter, asked);
    });

    test("a process counts while it shows signs of life", async () => {
      const { work, clock } = await withNetwork();
      assert.equal(await work.heartbeat("one"), 1);
      assert.equal(await work.heartbeat("two"), 2);
      clock.advance(20_000);
      assert.equal(await work.heartbeat("two"), 2);
      clock.advance(10_000);
      assert.equal(await work.heartbeat("two"), 1);
      assert.equal(await work.heartbeat("one"), 2);
      await work.farewell("two");
      assert.equal(await work.heartbeat("one"), 1);
    });

    test("of three networks that need two of five, two get them, and what is counted is not counted twice", async () => {
      const { store, tenant } = await withNetwork();
      await addNetwork(store, tenant.id, "A");
      await addNetwork(store, tenant.id, "B");
      const leases = new Map((await store.work.claim(10, LEASE_MS)).map((lease) => [lease.networkId, lease]));
      const networks = await store.networks([...leases.keys()]);
      const reserving = [...leases.values()].map((lease) => {
        const { datasetId = "" } = networks.find(({ id }) => id === lease.networkId) ?? {};
        const { reserveQuotas } = store.pass(lease);
        return { datasetId, reserve: (lines: readonly QuotaLine[]) => reserveQuotas(datasetId, lines) };
      });
      const line = (used: number, usedBy: readonly [string, number][] = []) => [
        { quota: "elasticIps", needed: 2, limit: 5, used, usedBy: new Map(usedBy) },
      ];
      const shorts: number[] = [];
      for (const one of reserving) shorts.push((await one.reserve(line(0))).length);
      assert.deepEqual(shorts, [0, 0, 1]);
      const last = reserving.at(-1);
      const [short] = (await last?.reserve(line(0))) ?? [];
      assert.deepEqual([short?.reserved, short?.missing], [4, 1]);
      // The cloud counts the first one's two by now: reserved and used are not added up for it.
      const counted: [string, number][] = [[reserving[0]?.datasetId ?? "", 2]];
      const [still] = (await last?.reserve(line(2, counted))) ?? [];
      assert.deepEqual([still?.used, still?.reserved, still?.missing], [2, 2, 1]);
    });

    test("what a holder has already is not needed again, and an ended peering gives back what it had", async () => {
      const { store, clock } = await withNetwork();
      const lease = await claimOne(store);
      const { reserveQuotas, savePeering } = store.pass(lease);
      const line = (needed: number, usedBy: readonly [string, number][] = []) => [
        {
          quota: "rulesPerGroup",
          needed,
          limit: 3,
          used: usedBy.reduce((sum, [, count]) => sum + count, 0),
          usedBy: new Map(usedBy),
        },
      ];
      assert.deepEqual(await reserveQuotas("pcx-1", line(2)), []);
      assert.deepEqual(await reserveQuotas("pcx-1", line(3, [["pcx-1", 2]])), []);
      const [short] = await reserveQuotas("pcx-2", line(1, [["pcx-1", 2]]));
      assert.deepEqual([short?.reserved, short?.missing], [1, 1]);
      const ended = {
        want: "deleted",
        reason: null,
        askedAt: 0,
        establishedAt: null,
        endedBy: null,
      } as const;
      await savePeering({ ...ended, connectionId: "pcx-1", endedAt: clock.now() });
      assert.deepEqual(await reserveQuotas("pcx-2", line(1)), []);
    });

    test("woken while it runs, it is due at once, whether the pass went well or not", async () => {
      const { store, work, clock, wake } = await withNetwork();
      const lease = await claimOne(store);
      await wake();
      assert.deepEqual(await work.claim(10, LEASE_MS), []);
      await work.finish(lease, null);
      assert.equal(await work.nextDueMs(), 0);
      const again = await claimOne(store);
      await wake();
      await work.fail(again, 60_000, "refused");
      assert.equal(await work.nextDueMs(), 0);
      const third = await claimOne(store);
      assert.equal(third.failures, 1);
      await work.fail(third, 60_000, "refused");
      assert.equal(await work.nextDueMs(), 60_000);
      await wake();
      const fourth = await claimOne(store);
      assert.equal(fourth.failures, 2);
      await work.finish(fourth, 0);
      clock.advance(1);
      assert.equal((await claimOne(store)).failures, 0);
    });

    test("a lease runs out, is renewed, or is lost for good", async () => {
      const { store, work, clock } = await withNetwork();
      const first = await claimOne(store, LEASE_MS);
      clock.advance(LEASE_MS - 1);
      assert.equal(await work.renew(first, LEASE_MS), true);
      clock.advance(LEASE_MS);
      assert.equal(await work.renew(first, LEASE_MS), false);
      const second = await claimOne(store, LEASE_MS);
      assert.equal(second.token, first.token + 1);
      assert.equal(await work.renew(first, LEASE_MS), false);
      await work.finish(first, null);
      await work.fail(first, 0, "late");
      assert.equal(await work.nextDueMs(), LEASE_MS);
      assert.equal(await work.renew(second, LEASE_MS), true);
    });

    test("a holder that was overtaken, or whose lease ran out, writes nothing", async () => {
      const { store, clock, tenant, network } = await withNetwork();
      const first = await claimOne(store, LEASE_MS);
      await store.pass(first).beginAttempt("vpc", 1);
      clock.advance(LEASE_MS);
      const late = store.pass(first);
      const lost = failsWith("conflict", /lease/);
      await assert.rejects(late.recordAttempt("vpc", 1, "vpc-1"), lost);
      const second = await claimOne(store, LEASE_MS);
      const world = { conditions: [], world: null, observedAt: 1 };
      await assert.rejects(late.saveStatus(world), lost);
      await assert.rejects(late.markReady(), lost);
      await assert.rejects(late.markGone(), lost);
      await assert.rejects(late.setDatasetStatus("ERROR"), lost);
      await assert.rejects(late.beginAttempt("vpc", 2), lost);
      await assert.rejects(late.closeAttempt("vpc", 1), lost);
      assert.equal((await store.tenant(tenant.id).dataset("Clicks"))?.status, "CREATING");
      assert.equal((await store.attempts([network.id])).get(network.id)?.[0]?.resourceId, null);
      await store.pass(second).saveStatus(world);
      await store.pass(second).markGone();
      await assert.rejects(store.pass(second).saveStatus(world), lost);
    });

    test("many claim at once: each network has one holder", async () => {
      const { store, tenant } = await withNetwork();
      for (let index = 0; index < 15; index++) await addNetwork(store, tenant.id, `d${index}`);
      const claims = await Promise.all(Array.from({ length: 12 }, () => store.work.claim(3, LEASE_MS)));
      const leases = [...claims.flat(), ...(await store.work.claim(100, LEASE_MS))];
      assert.ok(claims.every((claimed) => claimed.length <= 3));
      assert.equal(leases.length, 16);
      assert.equal(new Set(leases.map((lease) => lease.networkId)).size, 16);
    });

    test("the longest overdue comes first", async () => {
      const { store, clock, tenant, network } = await withNetwork();
      clock.advance(10);
      await addNetwork(store, tenant.id, "later");
      assert.equal((await store.work.claim(1, LEASE_MS))[0]?.networkId, network.id);
    });

    test("a wake reaches the listeners when it is committed, and only then", async () => {
      const { store, wake, network } = await withNetwork();
      let next = Promise.withResolvers<void>();
      let heard = 0;
      const stop = store.onWake(() => {
        heard++;
        next.resolve();
      });
      // The first call may be the one that says "from now on I listen".
      await wake();
      await next.promise;
      next = Promise.withResolvers();
      await wake();
      await next.promise;
      const before = heard;
      const undone = store.change(async (tx) => {
        await tx.wake(network.id);
        throw new Error("stop");
      });
      await assert.rejects(undone);
      next = Promise.withResolvers();
      await wake();
      await next.promise;
      assert.ok(heard <= before + 2);
      stop();
    });

    test("requests and passes over the same network never wait for each other for ever", async () => {
      const { store, network, wake } = await withNetwork();
      const lease = await claimOne(store);
      const dataset = network.datasetId;
      const pass = store.pass(lease);
      const rounds = Array.from({ length: 10 }, (_, round) => [
        pass.setDatasetStatus("ERROR"),
        store.change(async (tx) => {
          await tx.setDatasetStatus(dataset, "ACTIVE");
          await tx.wake(network.id);
        }),
        pass.beginAttempt(`key/${round}`, 1),
        wake(),
        pass.saveStatus({ conditions: [], world: null, observedAt: round }),
      ]);
      await Promise.all(rounds.flat());
      assert.equal((await store.attempts([network.id])).get(network.id)?.length, 10);
    });
  });
}
