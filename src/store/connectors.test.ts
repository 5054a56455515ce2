/** Write connectors in the memory: what was there before there were any, and what becomes of one that goes and comes back. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { sql } from "kysely";
import { kafkaCluster } from "../domain/kafka.ts";
import { emptyWorld } from "../domain/world.ts";
import { storeOver } from "./database.ts";
import { migrate, migrations } from "./migrate.ts";
import { seedSettings } from "./settings.ts";
import { memoryDriver } from "./testing/memory.ts";
import { addNetwork, addTenant, claimOne, datasetWish } from "./testing/testdata.ts";
import { manualClock, stores } from "./testing.ts";

test("a network of before has no cluster, and what was seen of it gets the new kinds, not looked at yet", async () => {
  const clock = manualClock();
  const driver = await memoryDriver();
  const session = { db: driver.db, clock };
  await migrate(session, migrations().slice(0, 4), async () => {});
  const { clusters: _, topics: __, functions: ___, probes: ____, ...world } = emptyWorld(7);
  const { clusters: _c, topics: _t, functions: _f, probes: _p, ...lookedAt } = world.lookedAt;
  const old = JSON.stringify({ ...world, lookedAt });
  await sql`insert into tenant values ('ten_1', 'default', 8, '[]', 1, null)`.execute(session.db);
  await sql`insert into dataset values ('ds_1', 'ten_1', 'Clicks', 'us-east-1', '111122223333',
    '{"connectorDestination": "Kafka"}', '{}', 'DELETING', 1, 5, null)`.execute(session.db);
  await sql`insert into cell values ('cell_1', '999999999999', null, 'us-east-1')`.execute(session.db);
  await sql`insert into network values ('net_1', 'ten_1', 'ds_1', 'cell_1', 'small', '10.2.0.0/25', 'absent',
    null, null, 1, null)`.execute(session.db);
  await sql`insert into network_status values ('net_1', '[]', ${old}::jsonb, 7)`.execute(session.db);
  await migrate(session, migrations(), seedSettings);
  const scope = storeOver(driver, clock).tenant("ten_1");
  const network = await scope.network("ds_1");
  assert.deepEqual([network?.cluster, network?.functionArns, network?.absentAskedAt], [null, [], 5]);
  const seen = (await scope.status("ds_1"))?.world;
  assert.deepEqual(seen, {
    ...emptyWorld(7),
    lookedAt: { ...emptyWorld(7).lookedAt, clusters: 0, topics: 0, functions: 0, probes: 0 },
  });
  await driver.close();
});

for (const database of stores(process.env))
  describe(`write connectors on ${database.kind}`, { skip: database.skip }, () => {
    before(database.start);
    after(database.stop);

    test("one that is deleted leaves its dataset INACTIVE, and its block resting for it alone", async () => {
      const { store, clock } = await database.fresh();
      const tenant = await addTenant(store);
      const { dataset, network } = await addNetwork(store, tenant.id);
      const asked = await store.change((tx) => tx.askConnectorDelete(dataset.id));
      assert.equal(asked.status, "INACTIVE");
      const lease = await claimOne(store);
      // A pass that began before does not bring it back.
      await store.pass(lease).setDatasetStatus("CREATING");
      await store.pass(lease).markReady();
      await store.pass(lease).markGone();
      const scope = store.tenant(tenant.id);
      const gone = await scope.network(dataset.id);
      assert.deepEqual([gone?.want, gone?.goneAt, gone?.absentAskedAt], ["absent", clock.now(), clock.now()]);
      assert.equal((await scope.dataset(dataset.name))?.status, "INACTIVE");
      const [range] = await scope.datasetRanges();
      assert.equal(range?.state, "quarantined");

      const restored = await store.change((tx) => tx.restoreRange(dataset.id));
      assert.deepEqual([restored?.cidr, restored?.state, restored?.freeAt], [network.cidr, "used", null]);
      assert.equal(await store.change((tx) => tx.restoreRange(dataset.id)), null);
      const { id } = await store.change((tx) => tx.insertNetwork({ ...network, tenantId: tenant.id }));
      assert.notEqual(id, network.id);
      assert.equal((await store.change((tx) => tx.askConnector(dataset.id))).status, "CREATING");
      assert.equal((await scope.network(dataset.id))?.id, id);
      await assert.rejects(store.change((tx) => tx.insertNetwork({ ...network, tenantId: tenant.id })));
    });

    test("a dataset deleted after its connector is DELETED at once", async () => {
      const { store } = await database.fresh();
      const tenant = await addTenant(store);
      const { dataset } = await addNetwork(store, tenant.id);
      await store.change((tx) => tx.askConnectorDelete(dataset.id));
      await store.pass(await claimOne(store)).markGone();
      assert.equal((await store.change((tx) => tx.askDelete(dataset.id))).status, "DELETED");
    });

    test("what is given up is closed in the journal, and its wish may change", async () => {
      const { store } = await database.fresh();
      const tenant = await addTenant(store);
      const { dataset, network } = await addNetwork(store, tenant.id);
      const writes = store.pass(await claimOne(store));
      for (const key of ["cluster", "vpc"]) {
        await writes.beginAttempt(key, 1);
        await writes.recordAttempt(key, 1, key);
      }
      await store.change((tx) => tx.giveUp(network.id, "cluster"));
      const rows = (await store.attempts([network.id])).get(network.id) ?? [];
      assert.deepEqual(
        rows.map(({ key, closedAt }) => [key, closedAt !== null]),
        [
          ["cluster", true],
          ["vpc", false],
        ],
      );
      const kafka = kafkaCluster({}, "small");
      const connector = { ...datasetWish(tenant.id, "x").writeConnector, kafka };
      await store.change((tx) => tx.updateConnector(dataset.id, connector));
      assert.deepEqual((await store.networks([network.id]))[0]?.cluster, kafka);
    });
  });
