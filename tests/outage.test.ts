/**
 * The cloud away, the database away, the control plane replaced in the middle of its work: it is said, nothing
 * is lost, nothing is made twice, and the work goes on by itself.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type PostgresDatabases, postgresDatabases } from "../src/store/testing.ts";
import { fastClock } from "./support/clocks.ts";
import { type House, openHouse } from "./support/house.ts";
import { oneOfEach, oursByKey, reaches, sortedEntries } from "./support/networks.ts";
import { ask, assertRefused, kafka, type Reply } from "./support/requests.ts";
import { type StoppableSandbox, stoppableSandbox } from "./support/sandbox.ts";

const MINUTE = 60_000;
/** An answer that was lost holds a thing back for this long; the 300 s of AWS would be 30 s here. */
const WINDOW = 20_000;

const view = async (house: House, name: string) => (await ask(house, `GET /v1/datasets/${name}`)).body;

async function assertOneOfEach(house: House): Promise<void> {
  assert.deepEqual(sortedEntries(await oursByKey(house)), sortedEntries(oneOfEach()));
}

async function assertCloudEmpty(house: House): Promise<void> {
  assert.deepEqual([...(await oursByKey(house))], []);
}

/** Waits until the creation has come so far that the resource is there, or on its way. */
function comesTo(house: House, name: string, resource: string): Promise<unknown> {
  return house.until(`${name} has ${resource}`, async () => {
    const { conditions } = await view(house, name);
    return conditions.some(
      (one: { resource: string; id: string | null }) => one.resource === resource && one.id,
    );
  });
}

describe("the cloud is away", () => {
  const clock = fastClock();
  let sandbox: StoppableSandbox;
  let house: House;

  before(async () => {
    sandbox = await stoppableSandbox(clock);
    house = await openHouse({ clock, sandboxUrl: sandbox.url, windowMs: WINDOW });
  });
  after(async () => {
    await house.close();
    await sandbox.remove();
  });

  const cloudCondition = async (name: string) =>
    (await view(house, name)).conditions.find(({ resource }: { resource: string }) => resource === "cloud");

  const toldOf = (name: string) => house.until("it is said", () => cloudCondition(name));

  test("in the middle of a create: it is said, and the create goes on when it is back", async () => {
    await ask(house, "POST /v1/datasets", { body: kafka("Clicks") });
    await comesTo(house, "Clicks", "subnet/private/0");
    await sandbox.stop();
    const told = await toldOf("Clicks");
    assert.deepEqual([told.state, told.whoseMove], ["waiting", "aws"]);
    assert.ok(told.message.includes(`does not answer at ${sandbox.url}`), told.message);
    assert.match(told.hint, /tried again/);
    const { status, statusReason } = await view(house, "Clicks");
    assert.deepEqual([status, statusReason], ["CREATING", `cloud: ${told.message}`]);
    await clock.sleep(5_000);
    assert.equal((await cloudCondition("Clicks")).since, told.since);
    await sandbox.start();
    await reaches(house, "Clicks", "ACTIVE");
    assert.equal(await cloudCondition("Clicks"), undefined);
    await assertOneOfEach(house);
  });

  test("at rest: what was seen last is shown, requests that need a look say why not", async () => {
    await sandbox.stop();
    const listed = await ask(house, "GET /v1/datasets/Clicks/vpcPeeringConnections");
    assert.equal(listed.status, 200);
    assert.match(listed.body.notes[0], /could not be looked at just now: this is what was seen at 20/);
    await toldOf("Clicks");
    const id = "pcx-0123456789abcdef0";
    assertRefused(await ask(house, `POST /v1/datasets/Clicks/vpcPeeringConnections/${id}/accept`), {
      status: 503,
      code: "unavailable",
      says: ["dataset Clicks", `does not answer at ${sandbox.url}`],
      hints: ["Try again"],
    });
    const vpcs = await ask(house, "GET /v1/vpcs?datasetName=Clicks");
    assert.equal(vpcs.body.items[0].status, "ACTIVE");
    assert.equal(vpcs.body.items[0].subnets.length, 6);
    await sandbox.start();
    await house.until("all is ready again", async () =>
      (await view(house, "Clicks")).conditions.every(({ state }: { state: string }) => state === "ready"),
    );
    await assertOneOfEach(house);
  });

  test("in the middle of a delete: nothing is left when it is back", async () => {
    await ask(house, "DELETE /v1/datasets/Clicks");
    await house.until("the NAT gateways go", async () =>
      (await view(house, "Clicks")).conditions.some(({ state }: { state: string }) => state === "deleting"),
    );
    await sandbox.stop();
    await toldOf("Clicks");
    assert.equal((await view(house, "Clicks")).status, "DELETING");
    await sandbox.start();
    await reaches(house, "Clicks", "DELETED");
    await assertCloudEmpty(house);
  });
});

const databases: PostgresDatabases = postgresDatabases({ ...process.env, DATABASE_URL: undefined });

describe("the database is away", { skip: databases.skip }, () => {
  let house: House;

  before(async () => {
    await databases.start();
    house = await openHouse({ databaseUrl: await databases.create(), windowMs: WINDOW });
  });
  after(async () => {
    await house.close();
    await databases.stop();
  });

  function assertAway(reply: Reply): void {
    assertRefused(reply, { status: 503, code: "unavailable", says: [/database/], hints: [/./] });
    assert.doesNotMatch(reply.text, /ECONN|ENOENT|pg-|\.ts/);
  }

  test("for a minute, in the middle of a create: 503 with a hint, then all goes on", async () => {
    const headers = { "idempotency-key": "during" };
    const create = () => ask(house, "POST /v1/datasets", { body: kafka("During"), headers });
    const first = await ask(house, "POST /v1/datasets", { body: kafka("Clicks") });
    await comesTo(house, "Clicks", "subnet/private/0");
    await databases.server()?.stop();
    const gone = house.clock.now();
    while (house.clock.now() - gone < MINUTE) {
      for (const what of ["GET /v1/datasets", "GET /v1/datasets/Clicks", "DELETE /v1/datasets/Clicks"])
        assertAway(await ask(house, what));
      assertAway(await create());
      assert.equal((await ask(house, "GET /readyz", { key: null })).status, 503);
      assert.equal((await ask(house, "GET /healthz", { key: null })).status, 200);
      await house.clock.sleep(10_000);
    }
    await databases.server()?.start();
    await house.until("the API answers", async () => (await ask(house, "GET /readyz")).status === 200);
    await house.until("Clicks ACTIVE", async () => (await view(house, "Clicks")).status === "ACTIVE");
    assert.equal((await view(house, "Clicks")).datasetId, first.body.datasetId);
    await assertOneOfEach(house);
    const listed = await ask(house, "GET /v1/datasets");
    assert.deepEqual(
      listed.body.items.map(({ datasetName }: { datasetName: string }) => datasetName),
      ["Clicks"],
    );
    assert.equal((await create()).status, 201);
    for (const name of ["Clicks", "During"])
      assert.equal((await ask(house, `DELETE /v1/datasets/${name}`)).status, 202);
    for (const name of ["Clicks", "During"]) await reaches(house, name, "DELETED");
    await assertCloudEmpty(house);
  });

  test("no request of that minute is in the audit but those that were answered", async () => {
    const { body } = await ask(house, "GET /v1/audit?limit=1000");
    const actions = body.items
      .map(({ action, subject }: { action: string; subject: string }) => `${action} ${subject}`)
      .filter((line: string) => line.startsWith("datasets."));
    assert.deepEqual(actions.sort(), [
      "datasets.create dataset/Clicks",
      "datasets.create dataset/During",
      "datasets.delete dataset/Clicks",
      "datasets.delete dataset/During",
    ]);
  });
});

describe("a control plane is replaced", () => {
  const clock = fastClock();
  let sandbox: StoppableSandbox;
  let dataDir = "";
  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), "letsdata-outage-"));
    sandbox = await stoppableSandbox(clock);
  });
  after(async () => {
    await sandbox.remove();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const open = () => openHouse({ clock, dataDir, sandboxUrl: sandbox.url, windowMs: WINDOW });

  test("twice in the middle of a create, and once of the delete: one of each, then nothing", async () => {
    const first = await open();
    await ask(first, "POST /v1/datasets", { body: kafka("Clicks") });
    await comesTo(first, "Clicks", "vpc");
    await first.close();
    const second = await open();
    await comesTo(second, "Clicks", "nat/0");
    await second.close();
    const third = await open();
    await reaches(third, "Clicks", "ACTIVE");
    await assertOneOfEach(third);
    await ask(third, "DELETE /v1/datasets/Clicks");
    await third.close();
    const fourth = await open();
    await reaches(fourth, "Clicks", "DELETED");
    await assertCloudEmpty(fourth);
    await fourth.close();
  });
});

describe("two control planes on one database", { skip: databases.skip }, () => {
  const clock = fastClock();
  const shared: PostgresDatabases = postgresDatabases(process.env);
  let sandbox: StoppableSandbox;
  before(async () => {
    await shared.start();
    sandbox = await stoppableSandbox(clock);
  });
  after(async () => {
    await sandbox.remove();
    await shared.stop();
  });

  test("share the work; when one ends in the middle of it, the other does all of it", async () => {
    const options = { clock, databaseUrl: await shared.create(), sandboxUrl: sandbox.url, windowMs: WINDOW };
    const leaving = await openHouse(options);
    const staying = await openHouse(options);
    const names = ["One", "Two", "Three"];
    for (const [index, name] of names.entries()) {
      const reply = await ask(index % 2 ? leaving : staying, "POST /v1/datasets", { body: kafka(name) });
      assert.equal(reply.status, 201);
    }
    await comesTo(staying, "One", "subnet/public/2");
    await leaving.close();
    for (const name of names) await reaches(staying, name, "ACTIVE");
    const counts = await oursByKey(staying);
    assert.deepEqual(
      sortedEntries(counts),
      sortedEntries(oneOfEach()).map(([key]) => [key, names.length]),
    );
    await staying.close();
  });
});
