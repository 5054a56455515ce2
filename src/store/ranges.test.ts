/** Slots, tenant ranges and dataset ranges: what is offered, and what the database itself refuses. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { sql } from "kysely";
import { type Cidr, cidr, cidrAt, overlaps, span } from "../domain/cidr.ts";
import type { Tenant } from "../domain/model.ts";
import type { Store } from "./store.ts";
import type { Db } from "./tables.ts";
import { addNetwork, addTenant, claimOne, datasetWish, FIRST_PAGE, failsWith } from "./testing/testdata.ts";
import { stores } from "./testing.ts";

const give = (store: Store, tenantId: string, block: string) =>
  store.change((tx) => tx.insertTenantRange(tenantId, cidr(block)));

const addressSpace = (store: Store, ...pools: string[]) =>
  store.change((tx) => tx.updateSettings({ addressSpace: pools.map(cidr) }));

const offered = (store: Store, limit: number, closed: string[] = [], near?: string) =>
  store.change((tx) =>
    tx.freeSlots({ closed: closed.map(cidr), limit, ...(near !== undefined && { near: cidr(near) }) }),
  );

/** The dataset's range written past every check of the program. */
const rawRange = (db: Db, row: { cidr: string; tenantId: string; tenantRange: string; datasetId: string }) =>
  sql`insert into dataset_range (cidr, tenant_id, tenant_range, dataset_id, state)
    values (${row.cidr}, ${row.tenantId}, ${row.tenantRange}, ${row.datasetId}, 'used')`.execute(db);

for (const database of stores(process.env)) {
  describe(`ranges on ${database.kind}`, { skip: database.skip }, () => {
    before(database.start);
    after(database.stop);

    test("free slots come lowest first, without those inside closed blocks", async () => {
      const { store } = await database.fresh();
      const tenant = await addTenant(store);
      await addressSpace(store, "10.4.0.0/18", "172.16.0.0/20");
      await give(store, tenant.id, "10.4.0.0/21");
      assert.deepEqual(await offered(store, 2), ["10.4.8.0/21", "10.4.16.0/21"]);
      assert.deepEqual(await offered(store, 2, ["10.4.0.0/19"]), ["10.4.32.0/21", "10.4.40.0/21"]);
      assert.deepEqual(await offered(store, 1, ["10.4.8.0/22", "10.4.8.0/25"]), ["10.4.8.0/21"]);
      const last = ["10.4.0.0/18", "10.4.0.0/19", "172.16.0.0/21"];
      assert.deepEqual(await offered(store, 5, last), ["172.16.8.0/21"]);
      assert.deepEqual(await offered(store, 5, ["0.0.0.0/0"]), []);
    });

    test("free slots near a block come nearest first, on both sides", async () => {
      const { store } = await database.fresh();
      const tenant = await addTenant(store);
      await addressSpace(store, "10.4.0.0/18");
      await give(store, tenant.id, "10.4.24.0/21");
      assert.deepEqual(await offered(store, 3, [], "10.4.24.0/21"), [
        "10.4.16.0/21",
        "10.4.32.0/21",
        "10.4.8.0/21",
      ]);
      assert.deepEqual(await offered(store, 2, ["10.4.16.0/21"], "10.4.24.0/21"), [
        "10.4.32.0/21",
        "10.4.8.0/21",
      ]);
    });

    test("a pool is cut into slots when it comes and kept while it is used", async () => {
      const { store } = await database.fresh();
      const tenant = await addTenant(store, "acme");
      await give(store, tenant.id, "10.4.8.0/21");
      await assert.rejects(
        addressSpace(store, "172.16.0.0/12"),
        failsWith("conflict", /10\.4\.8\.0\/21 \(tenant acme\)/),
      );
      assert.deepEqual((await store.settings()).addressSpace, ["10.0.0.0/8"]);
      await addressSpace(store, "192.168.0.0/16", "10.4.0.0/16");
      assert.deepEqual((await store.settings()).addressSpace, ["10.4.0.0/16", "192.168.0.0/16"]);
      assert.deepEqual(await offered(store, 2), ["10.4.0.0/21", "10.4.16.0/21"]);
      await assert.rejects(give(store, tenant.id, "10.5.0.0/21"), failsWith("conflict", /address space/));
      await addressSpace(store, "10.0.0.0/8");
      assert.equal((await offered(store, 10_000)).length, 8191);
      for (const bad of [["10.0.0.0/7"], ["10.0.0.0/22"], ["10.0.0.0/8", "10.4.0.0/16"], []])
        await assert.rejects(addressSpace(store, ...bad), failsWith("invalid"));
    });

    test("a tenant range is given once; its holder is found from any block in or around it", async () => {
      const { store, db, clock } = await database.fresh();
      const [mine, theirs] = [await addTenant(store, "a"), await addTenant(store, "b")];
      const range = await give(store, mine.id, "10.4.8.0/21");
      assert.deepEqual(range, { cidr: "10.4.8.0/21", tenantId: mine.id, createdAt: clock.now() });
      await assert.rejects(give(store, theirs.id, "10.4.8.0/21"), failsWith("conflict", /given out/));
      const holder = (block: string) => store.change((tx) => tx.holderOf(cidr(block)));
      assert.deepEqual(await holder("10.4.9.0/25"), range);
      assert.deepEqual(await holder("10.4.0.0/16"), range);
      assert.equal(await holder("10.4.16.0/22"), null);
      assert.deepEqual(await store.tenant(mine.id).ranges(), [range]);
      assert.deepEqual(await store.tenant(theirs.id).ranges(), []);
      const insert = sql`insert into tenant_range values ('10.4.8.0/21', ${theirs.id}, 0)`.execute(db);
      await assert.rejects(insert, failsWith("conflict"));
      const wrongMask = sql`insert into tenant_range values ('10.4.16.0/22', ${theirs.id}, 0)`.execute(db);
      await assert.rejects(wrongMask, failsWith("internal"));
    });

    test("ranges page by address", async () => {
      const { store } = await database.fresh();
      const tenant = await addTenant(store);
      for (const block of ["10.20.0.0/21", "10.4.8.0/21", "10.4.16.0/21"])
        await give(store, tenant.id, block);
      const first = await store.allTenantRanges({ limit: 2, cursor: null });
      const second = await store.allTenantRanges({ limit: 2, cursor: first.nextCursor });
      const blocks = [...first.items, ...second.items].map((range) => range.cidr);
      assert.deepEqual(blocks, ["10.4.8.0/21", "10.4.16.0/21", "10.20.0.0/21"]);
      const forged = Buffer.from('["ranges","10.4.8.1/21"]').toString("base64url");
      await assert.rejects(store.allTenantRanges({ limit: 2, cursor: forged }), failsWith("invalid"));
    });

    test("the database refuses dataset ranges that overlap, stick out, have a wrong mask or another's range", async () => {
      const { store, db } = await database.fresh();
      const [mine, theirs] = [await addTenant(store, "a"), await addTenant(store, "b")];
      await give(store, mine.id, "10.4.8.0/21");
      await give(store, theirs.id, "10.4.16.0/21");
      const dataset = await store.change((tx) => tx.insertDataset(datasetWish(mine.id, "Clicks")));
      const row = { tenantId: mine.id, tenantRange: "10.4.8.0/21", datasetId: dataset.id };
      await rawRange(db, { ...row, cidr: "10.4.8.0/23" });
      for (const [block, code] of [
        ["10.4.8.0/22", "conflict"],
        ["10.4.9.0/25", "conflict"],
        ["10.4.8.0/23", "conflict"],
        ["10.4.10.0/24", "internal"],
        ["10.4.16.0/25", "internal"],
      ] as const)
        await assert.rejects(rawRange(db, { ...row, cidr: block }), failsWith(code), block);
      const inTheirs = rawRange(db, { ...row, cidr: "10.4.16.0/25", tenantRange: "10.4.16.0/21" });
      await assert.rejects(inTheirs, failsWith("internal"));
      await sql`update dataset_range set state = 'quarantined', free_at = 1`.execute(db);
      await assert.rejects(rawRange(db, { ...row, cidr: "10.4.9.0/25" }), failsWith("conflict"));
      const takenBack = sql`delete from tenant_range where tenant_id = ${mine.id}`.execute(db);
      await assert.rejects(takenBack, failsWith("internal"));
    });

    test("a block rests after its network, until its time or an early end", async () => {
      const { store, clock } = await database.fresh();
      const tenant = await addTenant(store);
      const gone = async (name: string) => {
        const { dataset, network } = await addNetwork(store, tenant.id, name);
        await store.change((tx) => tx.askDelete(dataset.id));
        await store.pass(await claimOne(store)).markGone();
        return network.cidr;
      };
      const blocks = async () => (await store.tenant(tenant.id).datasetRanges()).map((range) => range.cidr);
      const first = await gone("A");
      const [resting] = await store.tenant(tenant.id).datasetRanges();
      assert.equal(resting?.state, "quarantined");
      assert.equal(resting?.datasetName, "A");
      assert.equal(resting?.freeAt, clock.now() + 3_600_000);
      clock.advance(1);
      const second = await gone("B");
      clock.advance(3_599_998);
      assert.equal(await store.endDueQuarantines(), 0);
      clock.advance(1);
      assert.equal(await store.endDueQuarantines(), 1);
      assert.deepEqual(await blocks(), [second]);
      const other = await addTenant(store, "other");
      const end = (tenantId: string, block: Cidr) => store.change((tx) => tx.endQuarantine(tenantId, block));
      assert.equal(await end(other.id, second), null);
      assert.equal(await end(tenant.id, first), null);
      assert.equal((await end(tenant.id, second))?.datasetName, "B");
      assert.deepEqual(await blocks(), []);
      await store.change((tx) => tx.updateSettings({ quarantineSeconds: 0 }));
      await gone("C");
      assert.deepEqual(await blocks(), []);
    });

    test("finding a free slot reads the index of free ones, however full the space is", async () => {
      const { store, db } = await database.fresh();
      const tenant = await addTenant(store);
      await sql`insert into tenant_range select cidr, ${tenant.id}, 0 from slot
        where cidr <> '10.250.0.0/21'`.execute(db);
      assert.deepEqual(await offered(store, 3), ["10.250.0.0/21"]);
      const plan = await sql<{ "QUERY PLAN": string }>`explain select cidr, lo from slot
        where not taken and lo >= 0 and not '{}'::int8multirange @> lo order by lo limit 3 for update skip locked`.execute(
        db,
      );
      assert.match(JSON.stringify(plan.rows), /slot_free/);
    });

    test("64 allocations at once never overlap", async () => {
      const { store } = await database.fresh();
      const tenants = await Promise.all(
        Array.from({ length: 8 }, (_, index) => addTenant(store, `t${index}`)),
      );
      await Promise.all(
        Array.from({ length: 64 }, (_, index) => allocate(store, pick(tenants, index), `d${index}`)),
      );
      const blocks: Cidr[] = [];
      for (const tenant of tenants)
        blocks.push(...(await store.tenant(tenant.id).datasetRanges()).map((range) => range.cidr));
      assert.equal(blocks.length, 64);
      for (const [index, block] of blocks.entries())
        assert.ok(!blocks.slice(index + 1).some((other) => overlaps(block, other)), block);
      assert.equal((await store.allTenantRanges(FIRST_PAGE)).items.length, 16);
    });
  });
}

function pick(tenants: readonly Tenant[], index: number): Tenant {
  const tenant = tenants[index % tenants.length];
  if (tenant === undefined) throw new Error("no tenants");
  return tenant;
}

/** As the product does: the tenant's row first, then a free /23 in its ranges, else a further range. */
function allocate(store: Store, tenant: Tenant, name: string): Promise<void> {
  return store.change(async (tx) => {
    await tx.lockTenant(tenant.id);
    const scope = tx.tenant(tenant.id);
    const used = (await scope.datasetRanges()).map((range) => range.cidr);
    const candidates = (await scope.ranges()).flatMap((range) =>
      [0, 1, 2, 3].map((part) => ({
        tenantRange: range.cidr,
        cidr: cidrAt(span(range.cidr).first + part * 512, 23),
      })),
    );
    let place = candidates.find((candidate) => !used.some((block) => overlaps(block, candidate.cidr)));
    if (place === undefined) {
      const [slot] = await tx.freeSlots({ closed: [], limit: 2 });
      if (slot === undefined) throw new Error("no slot is free");
      await tx.insertTenantRange(tenant.id, slot);
      place = { tenantRange: slot, cidr: cidrAt(span(slot).first, 23) };
    }
    const dataset = await tx.insertDataset(datasetWish(tenant.id, name));
    await tx.insertDatasetRange({ tenantId: tenant.id, datasetId: dataset.id, ...place });
  });
}
