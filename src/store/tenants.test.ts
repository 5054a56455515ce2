/** Tenants, keys, settings, audit and answers, on every database that this machine can run. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cidr } from "../domain/cidr.ts";
import type { PageRequest } from "../domain/model.ts";
import { addNetwork, addTenant, claimOne, FIRST_PAGE, failsWith } from "./testing/testdata.ts";
import { stores } from "./testing.ts";

const hash = (digit: string) => digit.repeat(64);
const newKey = (tenantId: string | null, digit: string) =>
  ({ tenantId, name: `key ${digit}`, role: "member", hash: hash(digit), prefix: "ld_" }) as const;

for (const database of stores(process.env)) {
  describe(`tenants on ${database.kind}`, { skip: database.skip }, () => {
    before(database.start);
    after(database.stop);

    test("a new installation has its name and the defaults", async () => {
      const { store } = await database.fresh();
      const settings = await store.settings();
      assert.match(settings.installation, /^[a-z0-9]{12}$/);
      assert.deepEqual(settings.addressSpace, ["10.0.0.0/8"]);
      assert.deepEqual(settings.excludedCidrs, [
        "10.0.0.0/15",
        "10.10.0.0/16",
        "10.100.0.0/16",
        "10.255.0.0/16",
      ]);
      assert.deepEqual(settings.excludedZoneIds, ["use1-az3"]);
      assert.equal(settings.quarantineSeconds, 3600);
      assert.equal(settings.defaultRangeLimit, 8);
    });

    test("settings change one by one", async () => {
      const { store } = await database.fresh();
      const before = await store.settings();
      const changed = await store.change((tx) =>
        tx.updateSettings({ quarantineSeconds: 0, excludedCidrs: [], addressSpace: [cidr("172.16.0.0/12")] }),
      );
      assert.deepEqual(changed, {
        ...before,
        quarantineSeconds: 0,
        excludedCidrs: [],
        addressSpace: ["172.16.0.0/12"],
      });
      assert.deepEqual(await store.settings(), changed);
      assert.deepEqual(await store.change((tx) => tx.updateSettings({})), changed);
    });

    test("tenants are found by name and id, and change", async () => {
      const { store, clock } = await database.fresh();
      const made = await addTenant(store, "acme");
      assert.match(made.id, /^ten_[a-z2-7]{16}$/);
      assert.equal(made.createdAt, clock.now());
      assert.deepEqual(await store.tenantByName("acme"), made);
      assert.deepEqual(await store.tenantById(made.id), made);
      assert.equal(await store.tenantByName("other"), null);
      const avoidCidrs = [cidr("10.4.0.0/16")];
      const changed = await store.change((tx) => tx.updateTenant(made.id, { rangeLimit: 2, avoidCidrs }));
      assert.deepEqual(changed, { ...made, rangeLimit: 2, avoidCidrs });
      await assert.rejects(addTenant(store, "acme"), failsWith("conflict", /tenant of that name/));
      await assert.rejects(
        store.change((tx) => tx.updateTenant("ten_none", { rangeLimit: 1 })),
        failsWith("notFound"),
      );
    });

    test("a tenant with a dataset or a resting block is not deleted; without it, all of it goes", async () => {
      const { store, clock } = await database.fresh();
      const tenant = await addTenant(store, "acme");
      const { dataset, network } = await addNetwork(store, tenant.id);
      await store.change((tx) => tx.insertKey(newKey(tenant.id, "a")));
      const remove = () => store.change((tx) => tx.deleteTenant(tenant.id));
      await assert.rejects(remove(), failsWith("conflict", /Clicks/));
      await store.change((tx) => tx.askDelete(dataset.id));
      await store.pass(await claimOne(store)).markGone();
      await assert.rejects(remove(), failsWith("conflict", /rests until 2030-01-01T01:00:00/));
      await store.change((tx) => tx.endQuarantine(tenant.id, network.cidr));
      await remove();
      assert.equal(await store.tenantById(tenant.id), null);
      assert.deepEqual((await store.tenants(FIRST_PAGE)).items, []);
      assert.deepEqual((await store.allTenantRanges(FIRST_PAGE)).items, []);
      assert.equal((await store.keyByHash(hash("a")))?.revokedAt, clock.now());
      const again = await addTenant(store, "acme");
      assert.notEqual(again.id, tenant.id);
      await assert.rejects(remove(), failsWith("notFound"));
      await assert.rejects(
        store.change((tx) => tx.insertKey(newKey(tenant.id, "b"))),
        failsWith("notFound"),
      );
    });

    test("keys are kept per tenant, found by hash and revoked once", async () => {
      const { store, clock } = await database.fresh();
      const tenant = await addTenant(store);
      const other = await addTenant(store, "other");
      const key = await store.change((tx) => tx.insertKey(newKey(tenant.id, "a")));
      const operator = await store.change((tx) => tx.insertKey(newKey(null, "b")));
      assert.match(key.id, /^key_/);
      assert.deepEqual(await store.keyByHash(hash("a")), key);
      assert.deepEqual((await store.operatorKeys(FIRST_PAGE)).items, [operator]);
      assert.deepEqual((await store.tenant(tenant.id).keys(FIRST_PAGE)).items, [key]);
      assert.equal(await store.tenant(other.id).key(key.id), null);
      assert.equal(await store.change((tx) => tx.revokeKey(other.id, key.id)), null);
      assert.equal(await store.change((tx) => tx.revokeKey(null, key.id)), null);
      const revoked = await store.change((tx) => tx.revokeKey(tenant.id, key.id));
      assert.equal(revoked?.revokedAt, clock.now());
      clock.advance(1000);
      assert.deepEqual(await store.change((tx) => tx.revokeKey(tenant.id, key.id)), revoked);
      await assert.rejects(
        store.change((tx) => tx.insertKey(newKey(null, "a"))),
        failsWith("conflict"),
      );
    });

    test("pages follow each other without gap or repetition, and strange cursors are refused", async () => {
      const { store } = await database.fresh();
      const names = ["a", "B", "b", "Z", "é"];
      for (const name of names) await addTenant(store, name);
      const { id } = await addTenant(store, "keys");
      for (const digit of ["1", "2", "3"]) await store.change((tx) => tx.insertKey(newKey(id, digit)));
      const all = async <T>(
        list: (page: PageRequest) => Promise<{ items: readonly T[]; nextCursor: string | null }>,
      ) => {
        const items: T[] = [];
        for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
          const page = await list({ limit: 2, cursor });
          assert.ok(page.items.length <= 2);
          items.push(...page.items);
          cursor = page.nextCursor;
        }
        return items;
      };
      const tenants = await all((page) => store.tenants(page));
      assert.deepEqual(
        tenants.map((tenant) => tenant.name),
        ["B", "Z", "a", "b", "keys", "é"],
      );
      const keys = await all((page) => store.tenant(id).keys(page));
      assert.deepEqual(new Set(keys.map((key) => key.id)).size, 3);
      const { nextCursor } = await store.tenants({ limit: 1, cursor: null });
      for (const cursor of [
        "",
        "x",
        "bnVsbA",
        Buffer.from('["tenants",7]').toString("base64url"),
        nextCursor,
      ])
        await assert.rejects(store.operatorKeys({ limit: 2, cursor }), failsWith("invalid", /cursor/));
      await assert.rejects(store.tenants({ limit: 0, cursor: null }), failsWith("invalid"));
    });

    test("the audit is newest first, and a tenant sees its own alone", async () => {
      const { store, clock } = await database.fresh();
      const tenant = await addTenant(store);
      const record = (subject: string, tenantId: string | null) =>
        store.change((tx) =>
          tx.writeAudit({
            tenantId,
            keyId: "key_1",
            keyName: "me",
            action: "datasets.create",
            subject,
            detail: { size: "small" },
          }),
        );
      await record("dataset/A", tenant.id);
      await record("settings", null);
      clock.advance(5);
      await record("dataset/B", tenant.id);
      const first = await store.audit({ limit: 2, cursor: null });
      assert.deepEqual(
        first.items.map((item) => item.subject),
        ["dataset/B", "settings"],
      );
      assert.equal(first.items[0]?.at, clock.now());
      assert.deepEqual(first.items[0]?.detail, { size: "small" });
      const second = await store.audit({ limit: 2, cursor: first.nextCursor });
      assert.deepEqual(
        second.items.map((item) => item.subject),
        ["dataset/A"],
      );
      assert.equal(second.nextCursor, null);
      const own = await store.tenant(tenant.id).audit(FIRST_PAGE);
      assert.deepEqual(
        own.items.map((item) => item.subject),
        ["dataset/B", "dataset/A"],
      );
    });

    test("an answer is remembered for a day, per scope and operation", async () => {
      const { store, clock } = await database.fresh();
      const answer = { requestHash: "h", status: 201, body: { z: 1, a: [null, "x"] } };
      const remembered = (scope: string, operation: string) =>
        store.change((tx) => tx.answerFor(scope, operation, "k"));
      const remember = () => store.change((tx) => tx.rememberAnswer("t1", "datasets.create", "k", answer));
      assert.equal(await remembered("t1", "datasets.create"), null);
      await remember();
      const seen = await remembered("t1", "datasets.create");
      assert.deepEqual(seen, answer);
      assert.equal(JSON.stringify(seen?.body), JSON.stringify(answer.body));
      assert.equal(await remembered("t2", "datasets.create"), null);
      assert.equal(await remembered("t1", "datasets.delete"), null);
      await assert.rejects(remember(), failsWith("conflict"));
      clock.advance(24 * 60 * 60 * 1000);
      assert.equal(await remembered("t1", "datasets.create"), null);
      await remember();
    });

    test("of two requests with one key at the same time one is done", async () => {
      const { store } = await database.fresh();
      const request = (name: string) =>
        store.change(async (tx) => {
          const known = await tx.answerFor("operator", "tenants.create", "k");
          if (known !== null) return known.body;
          const made = await tx.insertTenant({ name, rangeLimit: 1, avoidCidrs: [] });
          await tx.rememberAnswer("operator", "tenants.create", "k", {
            requestHash: "h",
            status: 201,
            body: made.id,
          });
          return made.id;
        });
      const ids = await Promise.all(["a", "b", "c", "d"].map(request));
      assert.equal(new Set(ids).size, 1);
      assert.equal((await store.tenants(FIRST_PAGE)).items.length, 1);
    });

    test("a failing change leaves nothing behind", async () => {
      const { store } = await database.fresh();
      const broken = store.change(async (tx) => {
        await tx.insertTenant({ name: "half", rangeLimit: 1, avoidCidrs: [] });
        throw new Error("stop");
      });
      await assert.rejects(broken, failsWith("internal"));
      assert.equal(await store.tenantByName("half"), null);
      const text = store.change((tx) => tx.insertTenant({ name: "a\u0000b", rangeLimit: 1, avoidCidrs: [] }));
      await assert.rejects(text, failsWith("invalid"));
      await store.ping();
    });
  });
}
