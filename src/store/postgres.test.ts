/** PostgreSQL going away and coming back, limits on waiting, and the errors of both. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { sql } from "kysely";
import type { Clock } from "../domain/model.ts";
import { openStore } from "./database.ts";
import { postgres } from "./postgres.ts";
import { addNetwork, addTenant, failsWith } from "./testing/testdata.ts";
import { manualClock, postgresDatabases } from "./testing.ts";

const databases = postgresDatabases(process.env);

/** Real moments, but no long waits between two attempts to listen again. */
const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => wait(Math.min(ms, 20), undefined, { ...(signal && { signal }) }).catch(() => {}),
};

describe("a store on postgres", { skip: databases.skip }, () => {
  before(databases.start);
  after(databases.stop);

  test("fails with unavailable while the server is away, and serves again by itself", async (t) => {
    const server = databases.server();
    if (server === undefined)
      return t.skip("outage NOT tested: the server of DATABASE_URL is not ours to stop");
    const store = await openStore({ clock, databaseUrl: await databases.create() });
    const tenant = await addTenant(store);
    const { network } = await addNetwork(store, tenant.id);
    let heard = Promise.withResolvers<void>();
    store.onWake(() => heard.resolve());
    await heard.promise;
    const halfDone = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const interrupted = store.change(async (tx) => {
      await tx.insertTenant({ name: "half", rangeLimit: 1, avoidCidrs: [] });
      halfDone.resolve();
      await gone.promise;
      await tx.insertTenant({ name: "other half", rangeLimit: 1, avoidCidrs: [] });
    });
    interrupted.catch(() => {});
    await halfDone.promise;
    await server.stop();
    gone.resolve();
    await assert.rejects(interrupted, failsWith("unavailable"));
    await assert.rejects(store.ping(), failsWith("unavailable"));
    await assert.rejects(store.tenants({ limit: 1, cursor: null }), failsWith("unavailable"));
    await assert.rejects(addTenant(store, "nobody"), failsWith("unavailable"));
    heard = Promise.withResolvers();
    await server.start();
    await store.ping();
    assert.equal(await store.tenantByName("half"), null);
    assert.deepEqual(await store.tenantById(tenant.id), tenant);
    // First that it listens again, then a wake proper.
    await heard.promise;
    heard = Promise.withResolvers();
    await store.change((tx) => tx.wake(network.id));
    await heard.promise;
    await store.close();
  });

  test("a wake by one process is heard by another", async () => {
    const databaseUrl = await databases.create();
    const [mine, theirs] = [await openStore({ clock, databaseUrl }), await openStore({ clock, databaseUrl })];
    const { network } = await addNetwork(mine, (await addTenant(mine)).id);
    let heard = Promise.withResolvers<void>();
    theirs.onWake(() => heard.resolve());
    await heard.promise;
    heard = Promise.withResolvers();
    await mine.change((tx) => tx.wake(network.id));
    await heard.promise;
    await mine.close();
    await theirs.close();
  });

  test("a transaction that the database gives up is run again, at most five times", async () => {
    const store = await openStore({ clock: manualClock(), databaseUrl: await databases.create() });
    const driver = await postgres({ databaseUrl: await databases.create(), clock, log: () => {} });
    const [a, b] = [await addTenant(store, "a"), await addTenant(store, "b")];
    const bothHold = Promise.withResolvers<void>();
    let holding = 0;
    const crosswise = (first: string, second: string) =>
      store.change(async (tx) => {
        await tx.lockTenant(first);
        if (++holding === 2) bothHold.resolve();
        await bothHold.promise;
        await tx.lockTenant(second);
      });
    await Promise.all([crosswise(a.id, b.id), crosswise(b.id, a.id)]);
    // The one that was given up may take its first row again before the other has woken: a deadlock once more.
    assert.ok(holding >= 3, `${holding} runs`);
    let runs = 0;
    const never = store.change(async () => {
      runs++;
      await sql`do $$ begin raise exception 'no' using errcode = '40001'; end $$`.execute(driver.db);
    });
    await assert.rejects(never, failsWith("unavailable"));
    assert.equal(runs, 5);
    await driver.close();
    await store.close();
  });

  test("a statement that takes too long is ended as unavailable", async () => {
    const driver = await postgres({ databaseUrl: await databases.create(), clock, log: () => {} });
    const limits = await sql<{ statement: string; idle: string }>`select
      current_setting('statement_timeout') as statement,
      current_setting('idle_in_transaction_session_timeout') as idle`.execute(driver.db);
    assert.deepEqual(limits.rows[0], { statement: "30s", idle: "30s" });
    const slow = driver.db.transaction().execute(async (db) => {
      await sql`set local statement_timeout = 20`.execute(db);
      await sql`select pg_sleep(30)`.execute(db);
    });
    await assert.rejects(slow, failsWith("unavailable"));
    await driver.close();
  });

  test("an address where nobody answers is unavailable", async () => {
    const nobody = openStore({ clock: manualClock(), databaseUrl: "postgres://letsdata@127.0.0.1:1/none" });
    await assert.rejects(nobody, failsWith("unavailable"));
  });

  test("values look the same as from the embedded database", async () => {
    const driver = await postgres({ databaseUrl: await databases.create(), clock, log: () => {} });
    const rows =
      await sql`select 5::int8 as a, count(*) as b, '10.0.0.0/8'::cidr as c, true as d, '{"x_y":1}'::jsonb as e,
      '2030-01-01'::date as f`.execute(driver.db);
    assert.deepEqual(rows.rows, [{ a: 5, b: 1, c: "10.0.0.0/8", d: true, e: { x_y: 1 }, f: "2030-01-01" }]);
    await assert.rejects(sql`select 9007199254740993::int8`.execute(driver.db), failsWith("internal"));
    await driver.close();
  });
});
