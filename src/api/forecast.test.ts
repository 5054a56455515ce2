/** What lies ahead, over HTTP: dry runs, costs, the plan of a deletion, and the report of a sweep. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { allOperations } from "../contract/operations.ts";
import { emptyWorld } from "../domain/world.ts";
import { settled, think, network as wishOf } from "../network/settled.testing.ts";
import { assertProblem, assertPromised, type Reply, type TestHouse, testHouse } from "./testing.ts";

let house: TestHouse;
let acme: Awaited<ReturnType<TestHouse["tenant"]>>;
before(async () => {
  house = await testHouse();
  acme = await house.tenant("acme");
});
after(() => house.close());

function configuration(datasetName: string, change: Record<string, unknown> = {}) {
  return {
    datasetName,
    region: "us-east-1",
    customerAccountForAccess: "111122223333",
    writeConnector: { connectorDestination: "Kafka" },
    ...change,
  };
}

const create = (body: unknown, key = acme.member) => house.ask("POST /v1/datasets", { key, body });
const rehearse = (body: unknown, key = acme.member) =>
  house.ask("POST /v1/datasets?dryRun=true", { key, body });
const list = async () => (await house.ask("GET /v1/datasets", { key: acme.viewer })).body.items;
const ranges = async () => (await house.ask("GET /v1/ranges", { key: acme.viewer })).body.items;
const audit = async () => (await house.ask("GET /v1/audit", { key: acme.admin })).body.items;

function assertPlan(reply: Reply): void {
  assert.equal(reply.status, 200, reply.text);
  const shape = allOperations.get("datasets.create")?.dryRun;
  const parsed = shape?.strict().safeParse(reply.body);
  assert.ok(parsed?.success, parsed?.error?.message);
  assert.deepEqual(parsed.data, reply.body);
}

describe("a dry run of a create", () => {
  test("answers ranges, resources, quotas and dollars with status 200, and writes nothing", async () => {
    const [before, plan] = [await ranges(), await audit()];
    const reply = await rehearse(configuration("Clicks"));
    assertPlan(reply);
    const { cidrBlock, tenantRange, resources, quotas, cost } = reply.body;
    assert.deepEqual([cidrBlock, tenantRange], ["10.2.0.0/25", { cidrBlock: "10.2.0.0/21", isNew: true }]);
    assert.equal(reply.body.ownerId, "999999999999");
    assert.equal(reply.body.subnets.length, 6);
    const counts = resources.map((one: { resource: string; count: number }) => [one.resource, one.count]);
    assert.deepEqual(Object.fromEntries(counts), {
      vpc: 1,
      subnet: 6,
      internetGateway: 1,
      elasticIp: 3,
      natGateway: 3,
      routeTable: 4,
      gatewayEndpoint: 1,
      securityGroup: 2,
    });
    const needs = quotas.map((one: { code: string; needed: number }) => `${one.code} ${one.needed}`);
    assert.deepEqual(needs, ["L-F678F1CE 1", "L-A4707A72 1", "L-0263D0A3 3", "L-FE5A380F 1", "L-1B52E74A 1"]);
    assert.deepEqual([cost.monthlyUsd, cost.atLeast, cost.region], [109.5, false, "us-east-1"]);
    assert.deepEqual([await list(), await ranges(), await audit()], [[], before, plan]);
    assert.deepEqual(await house.store.sweeps.cells(), []);
    assert.deepEqual(await house.store.work.claim(10, 1_000), []);
  });

  test("names the range the create then gets, and refuses what it would refuse", async () => {
    const { body: plan } = await rehearse(configuration("Views"));
    const made = await create(configuration("Views"));
    assertPromised("datasets.create", made);
    assert.equal(made.body.cidrBlock, plan.cidrBlock);
    assertProblem(await rehearse(configuration("Views")), 409, "conflict");
    const next = await rehearse(configuration("More"));
    assert.equal(next.body.tenantRange.isNew, false);
    assert.notEqual(next.body.cidrBlock, plan.cidrBlock);
    const wrong = configuration("More", {
      writeConnector: { connectorDestination: "Kafka", vpcCidrBlock: "10.0.0.0/25" },
    });
    assertProblem(await rehearse(wrong), 409, "conflict");
    assertProblem(await rehearse({ ...wrong, region: "mars-1" }), 400, "invalid");
    assertProblem(await rehearse(configuration("More"), acme.viewer), 403, "forbidden");
  });

  test("does not spend an idempotency key", async () => {
    const headers = { "idempotency-key": "once" };
    const body = configuration("Orders");
    const dry = await house.ask("POST /v1/datasets?dryRun=true", { key: acme.member, body, headers });
    assertPlan(dry);
    const made = await house.ask("POST /v1/datasets", { key: acme.member, body, headers });
    assertPromised("datasets.create", made);
  });

  test("where a price is unknown says at least, or nothing; without a VPC there is nothing to pay", async () => {
    const ireland = await rehearse(configuration("Far", { region: "eu-west-1" }));
    assert.deepEqual([ireland.body.cost.monthlyUsd, ireland.body.cost.atLeast], [105.12, true]);
    const oregon = await rehearse(configuration("Far", { region: "us-west-2" }));
    assert.deepEqual([oregon.body.cost.monthlyUsd, oregon.body.cost.atLeast], [null, true]);
    const archive = await rehearse(configuration("Far", { writeConnector: { connectorDestination: "S3" } }));
    assertPlan(archive);
    const { cidrBlock, tenantRange, resources, quotas, cost } = archive.body;
    assert.deepEqual([cidrBlock, tenantRange, resources, quotas], [null, null, [], []]);
    assert.equal(cost.monthlyUsd, 0);
  });
});

describe("a dataset's view", () => {
  const view = (name: string) => house.ask(`GET /v1/datasets/${name}`, { key: acme.viewer });

  test("has no cost before anything was seen, and then that of what is there", async () => {
    await create(configuration("Costly"));
    const first = await view("Costly");
    assertPromised("datasets.view", first);
    assert.deepEqual([first.body.cost, first.body.deletePlan], [null, null]);
    await house.look(acme.id, "Costly", { world: settled(wishOf()) });
    const seen = await view("Costly");
    assertPromised("datasets.view", seen);
    assert.deepEqual([seen.body.cost.monthlyUsd, seen.body.cost.atLeast], [109.5, false]);
    await house.look(acme.id, "Costly", { world: emptyWorld(house.clock.now()) });
    assert.equal((await view("Costly")).body.cost.monthlyUsd, 0);
  });

  test("shows the plan of its deletion, from the moment that was asked for", async () => {
    const world = settled(wishOf());
    await create(configuration("Doomed"));
    await house.look(acme.id, "Doomed", { world, conditions: think(world).conditions });
    house.clock.advance(1_000);
    const asked = await house.ask("DELETE /v1/datasets/Doomed", { key: acme.member });
    assertPromised("datasets.delete", asked);
    const [first] = asked.body.deletePlan;
    assert.deepEqual([first.order, first.resource, first.state], [2, "endpoint/s3", "deleting"]);
    house.clock.advance(1_000);
    const now = house.clock.now();
    const { conditions } = think(world, { network: wishOf({ want: "absent" }), now });
    await house.look(acme.id, "Doomed", { world, conditions });
    const seen = await view("Doomed");
    assertPromised("datasets.view", seen);
    const vpc = seen.body.deletePlan.at(-1);
    assert.deepEqual([vpc.resource, vpc.order, vpc.state, vpc.whoseMove], ["vpc", 7, "waiting", "letsdata"]);
    assert.equal(vpc.since, new Date(now).toISOString());
    assert.ok(vpc.blockedBy.includes("nat/0"));
    assert.match(seen.body.statusReason, /^endpoint\/s3: is being deleted/);
    house.clock.advance(11 * 60_000);
    const late = (await view("Doomed")).body.deletePlan.find(
      (step: { resource: string }) => step.resource === "nat/0",
    );
    assert.match(late.message, /^longer than usual: /);
  });
});

describe("the sweep", () => {
  const lastSweep = () => house.ask("GET /v1/sweep", { key: house.operatorKey });

  test("has no report before the first", async () => {
    assertProblem(await lastSweep(), 404, "notFound");
  });

  test("that nobody carries out is answered as it is after 20 s, and is audited", async () => {
    const running = house.ask("POST /v1/sweep", { key: house.operatorKey, body: { fix: true } });
    const over = running.then(() => true);
    // The clock stands still but for this: the request waits by it.
    while (!(await Promise.race([over, new Promise((go) => setImmediate(go, false))])))
      house.clock.advance(1_000);
    const reply = await running;
    assertPromised("sweep.run", reply);
    assert.deepEqual([reply.body.state, reply.body.fix, reply.body.findings], ["waiting", true, []]);
    const { body } = await lastSweep();
    assert.deepEqual([body.sweepId, body.askedBy], [reply.body.sweepId, "operator"]);
    const records = (await house.store.audit({ limit: 100, cursor: null })).items;
    const record = records.find(({ action }) => action === "sweep.run");
    assert.deepEqual([record?.tenantId, record?.detail], [null, { fix: true }]);
  });

  test("shows what was found, with what each costs", async () => {
    const lease = await house.store.sweeps.claim(60_000, 1);
    assert.ok(lease);
    const cell = { id: "cell_1", account: "999999999999", roleArn: null, region: "us-east-1" } as const;
    const orphan = {
      finding: "orphan",
      kind: "natGateway",
      key: "nat/0",
      id: "nat-1",
      cell,
      datasetId: "ds_x",
      datasetName: null,
      tenantId: "ten_x",
      reason: "no dataset has the id ds_x",
      monthlyUsd: 32.85,
      removable: true,
      networkId: null,
      outcome: "left",
      message: "is being deleted",
    } as const;
    const swept = { account: cell.account, region: cell.region, things: 1, error: null };
    const far = { account: cell.account, region: "eu-west-1", things: 0, error: "AWS denies it" };
    const report = { cells: [swept, far], findings: [orphan], monthlyUsd: 32.85, atLeast: false };
    await house.store.sweeps.save(lease, { state: "done", error: null, report });
    const reply = await lastSweep();
    assertPromised("sweep.view", reply);
    const { state, orphans, missing, monthlyUsd, statusReason, findings } = reply.body;
    assert.deepEqual([state, orphans, missing, monthlyUsd], ["done", 1, 0, 32.85]);
    assert.equal(statusReason, "could not look at eu-west-1 (AWS denies it)");
    assert.deepEqual([findings[0].resource, findings[0].region], ["natGateway", "us-east-1"]);
  });
});
