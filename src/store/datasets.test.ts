/** Datasets, their networks, and what a pass writes about them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cidr } from "../domain/cidr.ts";
import type { Condition, Layout, PeeringWish } from "../domain/model.ts";
import { emptyWorld } from "../domain/world.ts";
import { addNetwork, addTenant, claimOne, datasetWish, FIRST_PAGE, failsWith } from "./testing/testdata.ts";
import { stores } from "./testing.ts";

const LAYOUT: Layout = {
  version: 1,
  zoneIds: ["use1-az1", "use1-az2", "use1-az4"],
  privateSubnets: [{ key: "subnet/private/0", index: 0, cidr: cidr("10.2.0.0/28") }],
  publicSubnets: [{ key: "subnet/public/0", index: 0, cidr: cidr("10.2.0.48/28") }],
};

const CONDITION: Condition = {
  resource: "nat/1",
  id: "nat-1",
  state: "waiting",
  message: "is pending",
  actor: "aws",
  hint: null,
  since: 5,
  usualSeconds: 120,
};

const peering = (connectionId: string, askedAt: number): PeeringWish => ({
  connectionId,
  want: "active",
  reason: null,
  askedAt,
  establishedAt: null,
  endedAt: null,
  endedBy: null,
});

for (const database of stores(process.env)) {
  describe(`datasets on ${database.kind}`, { skip: database.skip }, () => {
    before(database.start);
    after(database.stop);

    test("a dataset comes back as it was given, and only to its tenant", async () => {
      const { store, clock } = await database.fresh();
      const [mine, theirs] = [await addTenant(store, "a"), await addTenant(store, "b")];
      const wish = datasetWish(mine.id, "Clicks");
      const made = await store.change((tx) => tx.insertDataset(wish));
      assert.match(made.id, /^ds_[a-z2-7]{16}$/);
      const expected = { ...wish, id: made.id, createdAt: clock.now(), deleteAskedAt: null, deletedAt: null };
      assert.deepEqual(made, expected);
      const read = await store.tenant(mine.id).dataset("Clicks");
      assert.deepEqual(read, expected);
      assert.equal(JSON.stringify(read?.configuration), JSON.stringify(wish.configuration));
      assert.equal(await store.tenant(theirs.id).dataset("Clicks"), null);
      assert.deepEqual((await store.tenant(theirs.id).datasets(FIRST_PAGE)).items, []);
    });

    test("a name is unique among living datasets of a tenant, and free again afterwards", async () => {
      const { store, clock } = await database.fresh();
      const [mine, theirs] = [await addTenant(store, "a"), await addTenant(store, "b")];
      const add = (tenantId: string) =>
        store.change((tx) => tx.insertDataset(datasetWish(tenantId, "Clicks")));
      const first = await add(mine.id);
      await add(theirs.id);
      await assert.rejects(add(mine.id), failsWith("conflict", /dataset of that name/));
      const deleted = await store.change((tx) => tx.askDelete(first.id));
      assert.equal(deleted.status, "DELETED");
      assert.equal(deleted.deletedAt, clock.now());
      assert.deepEqual(await store.tenant(mine.id).dataset("Clicks"), deleted);
      assert.deepEqual((await store.tenant(mine.id).datasets(FIRST_PAGE)).items, []);
      clock.advance(10);
      const second = await add(mine.id);
      assert.deepEqual(await store.tenant(mine.id).dataset("Clicks"), second);
      await store.change((tx) => tx.askDelete(second.id));
      assert.equal((await store.tenant(mine.id).dataset("Clicks"))?.id, second.id);
    });

    test("datasets page by name", async () => {
      const { store } = await database.fresh();
      const { id } = await addTenant(store);
      for (const name of ["b", "C", "a"]) await store.change((tx) => tx.insertDataset(datasetWish(id, name)));
      const first = await store.tenant(id).datasets({ limit: 2, cursor: null });
      const second = await store.tenant(id).datasets({ limit: 2, cursor: first.nextCursor });
      assert.deepEqual(
        [...first.items, ...second.items].map((dataset) => dataset.name),
        ["C", "a", "b"],
      );
    });

    test("a network carries its dataset, its cell and its peerings", async () => {
      const { store, clock } = await database.fresh();
      const tenant = await addTenant(store);
      const { dataset, network } = await addNetwork(store, tenant.id);
      assert.match(network.id, /^net_/);
      assert.deepEqual(network, {
        id: network.id,
        tenantId: tenant.id,
        datasetId: dataset.id,
        datasetName: "Clicks",
        customerAccount: "111122223333",
        cell: { id: network.cell.id, account: "444455556666", roleArn: null, region: "us-east-1" },
        size: "small",
        cidr: "10.2.0.0/25",
        want: "present",
        absentAskedAt: null,
        datasetStatus: "CREATING",
        cluster: null,
        functionArns: [],
        probeRoleArn: null,
        layout: null,
        peerings: [],
        readyAt: null,
        createdAt: clock.now(),
        goneAt: null,
      });
      await store.change((tx) => tx.savePeering(network.id, peering("pcx-2", 2)));
      await store.change((tx) => tx.savePeering(network.id, peering("pcx-1", 1)));
      const changed = { ...peering("pcx-2", 2), want: "deleted", reason: "asked" } as const;
      await store.change((tx) => tx.savePeering(network.id, changed));
      const [read] = await store.networks([network.id]);
      assert.deepEqual(read?.peerings, [peering("pcx-1", 1), changed]);
      assert.deepEqual(await store.tenant(tenant.id).network(dataset.id), read);
      const other = await addTenant(store, "other");
      assert.equal(await store.tenant(other.id).network(dataset.id), null);
      const second = await addNetwork(store, other.id);
      assert.equal(second.network.cell.id, network.cell.id);
      const both = await store.networks([second.network.id, network.id, "net_none"]);
      assert.equal(both.length, 2);
      assert.deepEqual(await store.networks([]), []);
      const roles = await store.change(async (tx) => {
        const place = {
          account: "444455556666",
          roleArn: "arn:aws:iam::1:role/r",
          region: "us-east-1",
        } as const;
        return [await tx.cellFor(place), await tx.cellFor(place)];
      });
      assert.deepEqual(roles[0], roles[1]);
      assert.notEqual(roles[0]?.id, network.cell.id);
    });

    test("a pass saves status, layout, peerings and the first readiness", async () => {
      const { store, clock } = await database.fresh();
      const tenant = await addTenant(store);
      const { dataset, network } = await addNetwork(store, tenant.id);
      const scope = store.tenant(tenant.id);
      assert.equal(await scope.status(dataset.id), null);
      const pass = store.pass(await claimOne(store));
      await pass.saveStatus({ conditions: [], world: null, observedAt: null });
      const status = { conditions: [CONDITION], world: emptyWorld(7), observedAt: 7 };
      await pass.saveStatus(status);
      assert.deepEqual(await scope.status(dataset.id), { ...status, networkId: network.id });
      await pass.saveLayout(LAYOUT);
      await pass.saveLayout(LAYOUT);
      const other = { ...LAYOUT, zoneIds: ["use1-az6"] };
      await assert.rejects(pass.saveLayout(other), failsWith("conflict", /layout/));
      await pass.savePeering(peering("pcx-1", 1));
      const readyAt = clock.now();
      await pass.markReady();
      clock.advance(1);
      await pass.markReady();
      const read = await scope.network(dataset.id);
      assert.deepEqual(read?.layout, LAYOUT);
      assert.equal(read?.readyAt, readyAt);
      assert.equal(read?.peerings.length, 1);
      assert.equal((await scope.dataset("Clicks"))?.status, "ACTIVE");
    });

    test("a dataset's status follows its arrows only", async () => {
      const { store } = await database.fresh();
      const tenant = await addTenant(store);
      const { dataset } = await addNetwork(store, tenant.id);
      const pass = store.pass(await claimOne(store));
      const status = async () => (await store.tenant(tenant.id).dataset("Clicks"))?.status;
      await pass.setDatasetStatus("ERROR");
      assert.equal(await status(), "ERROR");
      await pass.markReady();
      assert.equal(await status(), "ACTIVE");
      const asked = await store.change((tx) => tx.askDelete(dataset.id));
      assert.equal(asked.status, "DELETING");
      assert.deepEqual(await store.change((tx) => tx.askDelete(dataset.id)), asked);
      await pass.setDatasetStatus("ACTIVE");
      await pass.markReady();
      assert.equal(await status(), "DELETING");
      await pass.markGone();
      await store.change((tx) => tx.setDatasetStatus(dataset.id, "ACTIVE"));
      assert.equal(await status(), "DELETED");
      await assert.rejects(
        store.change((tx) => tx.askDelete("ds_none")),
        failsWith("notFound"),
      );
    });

    test("a network that is gone leaves its name and conditions to view, and nothing to do", async () => {
      const { store } = await database.fresh();
      const tenant = await addTenant(store);
      const { dataset, network } = await addNetwork(store, tenant.id);
      const scope = store.tenant(tenant.id);
      await store.change((tx) => tx.askDelete(dataset.id));
      assert.equal((await scope.network(dataset.id))?.want, "absent");
      const pass = store.pass(await claimOne(store));
      await pass.beginAttempt("vpc", 1);
      await pass.saveStatus({ conditions: [CONDITION], world: null, observedAt: 1 });
      await pass.markGone();
      assert.equal((await scope.dataset("Clicks"))?.status, "DELETED");
      assert.equal((await scope.network(dataset.id))?.cidr, network.cidr);
      assert.deepEqual((await scope.status(dataset.id))?.conditions, [CONDITION]);
      assert.deepEqual(await store.networks([network.id]), []);
      assert.deepEqual((await store.attempts([network.id])).get(network.id), []);
      await store.change((tx) => tx.wake(network.id));
      assert.equal(await store.work.nextDueMs(), null);
      await assert.rejects(
        store.change((tx) => tx.savePeering(network.id, peering("pcx-1", 1))),
        failsWith("notFound"),
      );
      await addNetwork(store, tenant.id);
    });

    test("the journal has a row before the call, and its answer after it", async () => {
      const { store, clock } = await database.fresh();
      const tenant = await addTenant(store);
      const { network } = await addNetwork(store, tenant.id);
      const pass = store.pass(await claimOne(store));
      const journal = async () => (await store.attempts([network.id])).get(network.id);
      const at = clock.now();
      await pass.beginAttempt("vpc", 1);
      const open = { key: "vpc", attempt: 1, resourceId: null, at, closedAt: null };
      assert.deepEqual(await journal(), [open]);
      clock.advance(10);
      await pass.beginAttempt("vpc", 1);
      assert.deepEqual(await journal(), [{ ...open, at: at + 10 }]);
      await pass.recordAttempt("vpc", 1, "vpc-1");
      await pass.recordAttempt("vpc", 1, "vpc-1");
      await assert.rejects(pass.recordAttempt("vpc", 1, "vpc-2"), failsWith("conflict"));
      await assert.rejects(pass.recordAttempt("vpc", 2, "vpc-2"), failsWith("conflict"));
      await assert.rejects(pass.beginAttempt("vpc", 1), failsWith("conflict", /had its answer/));
      await pass.closeAttempt("vpc", 1);
      const closed = { ...open, at: at + 10, resourceId: "vpc-1", closedAt: at + 10 };
      clock.advance(10);
      await pass.closeAttempt("vpc", 1);
      await pass.closeAttempt("never/begun", 1);
      await pass.beginAttempt("vpc", 2);
      assert.deepEqual(await journal(), [closed, { ...open, attempt: 2, at: at + 20 }]);
      assert.deepEqual((await store.attempts(["net_none"])).get("net_none"), []);
    });
  });
}
