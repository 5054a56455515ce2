import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertProblem, assertPromised, type Reply, type TestHouse, testHouse } from "./testing.ts";
import { condition, kafka, LAYOUT, PCX, request, shown } from "./worlds.testing.ts";

let house: TestHouse;
let acme: Awaited<ReturnType<TestHouse["tenant"]>>;

before(async () => {
  house = await testHouse({ sandboxUrl: "http://127.0.0.1:4566" });
  acme = await house.tenant("acme");
});
after(() => house.close());

function create(datasetName: string, more: Record<string, unknown> = {}): Promise<Reply> {
  return house.ask("POST /v1/datasets", { key: acme.member, body: kafka(datasetName, more) });
}

describe("200", () => {
  test("what is seen of a VPC, in the order of its layout", async () => {
    const { body } = await create("Seen200");
    const world = shown(house.clock.now(), body.cidrBlock);
    const conditions = [
      condition(house.clock.now(), {}),
      condition(house.clock.now(), { resource: "nat/1", state: "blocked", message: "no address left" }),
    ];
    await house.look(acme.id, "Seen200", { world, conditions, layout: LAYOUT });
    const view = await house.ask("GET /v1/datasets/Seen200", { key: acme.viewer });
    assertPromised("datasets.view", view);
    assert.equal(view.body.statusReason, "nat/1: no address left");
    assert.equal(view.body.vpcId, "vpc-ours");
    assert.deepEqual(
      view.body.conditions.map((one: Record<string, unknown>) => [one.resource, one.whoseMove]),
      [
        ["nat/0", "aws"],
        ["nat/1", "aws"],
      ],
    );
    const vpcs = await house.ask("GET /v1/vpcs?datasetName=Seen200&peeringGuide=true", { key: acme.viewer });
    assertPromised("vpcs.list", vpcs);
    const [vpc] = vpcs.body.items;
    assert.deepEqual([vpc.vpcId, vpc.ownerId, vpc.status], ["vpc-ours", "999999999999", "CREATING"]);
    assert.deepEqual(
      vpc.subnets.map((one: Record<string, unknown>) => [one.type, one.subnetId, one.availabilityZone]),
      [
        ["private", "subnet-private", "us-east-1a"],
        ["public", "subnet-public", "us-east-1a"],
      ],
    );
    assert.equal(vpc.natGateways[0].publicIp, "203.0.113.7");
  });

  test("the peering guide has the real ids and the sandbox's address", async () => {
    const reply = await house.ask("GET /v1/vpcs?datasetName=Seen200&peeringGuide=true", { key: acme.viewer });
    const { peeringGuide: guide, cidrBlock } = reply.body.items[0];
    assert.equal(guide.credentials, "export AWS_ACCESS_KEY_ID=123456789012 AWS_SECRET_ACCESS_KEY=test");
    const end = "--region <your-region> --endpoint-url http://127.0.0.1:4566";
    assert.equal(
      guide.request,
      "aws ec2 create-vpc-peering-connection --vpc-id <your-vpc-id> --peer-vpc-id vpc-ours" +
        ` --peer-owner-id 999999999999 --peer-region us-east-1 ${end}`,
    );
    assert.equal(
      guide.accept,
      "letsdata vpcs vpcPeeringConnections accept --datasetName Seen200 --vpcPeeringConnectionId <pcx-id> --wait",
    );
    assert.equal(
      guide.route,
      `aws ec2 create-route --route-table-id <your-route-table-id> --destination-cidr-block ${cidrBlock}` +
        ` --vpc-peering-connection-id <pcx-id> ${end}`,
    );
    assert.match(guide.dns, /--requester-peering-connection-options AllowDnsResolutionFromRemoteVpc=true/);
    assert.equal(guide.undo.length, 3);
    const operator = await house.ask("GET /v1/vpcs?peeringGuide=true&tenantName=acme", {
      key: house.operatorKey,
    });
    assert.match(operator.body.items[0].peeringGuide.accept, / --tenantName acme --wait$/);
  });

  test("a dataset without a VPC is not an error: the list is empty and says why", async () => {
    await create("ToS3", { connectorDestination: "S3" });
    await create("TheirKafka", { resourceLocation: "Customer" });
    const s3 = await house.ask("GET /v1/vpcs?datasetName=ToS3", { key: acme.viewer });
    assertPromised("vpcs.list", s3);
    assert.deepEqual(s3.body.items, []);
    assert.match(s3.body.notes[0], /it writes to S3, and only Kafka needs one/);
    const theirs = await house.ask("GET /v1/datasets/TheirKafka/vpcPeeringConnections", { key: acme.viewer });
    assertPromised("vpcPeeringConnections.list", theirs);
    assert.match(theirs.body.notes[0], /the customer's own/);
  });

  test("a request to peer, with the next step and the time left", async () => {
    const { body } = await create("Peered200");
    await house.look(acme.id, "Peered200", {
      world: shown(house.clock.now(), body.cidrBlock, [request(house.clock.now())]),
    });
    const list = await house.ask("GET /v1/datasets/Peered200/vpcPeeringConnections", { key: acme.viewer });
    assertPromised("vpcPeeringConnections.list", list);
    const [peering] = list.body.items;
    assert.deepEqual(
      [peering.status, peering.awsStatus, peering.whoseMove, peering.expiresInSeconds],
      ["PENDING", "pending-acceptance", "customer", 3600],
    );
    assert.equal(list.body.notes, undefined);
  });

  test("pages of every list: nothing twice, nothing left out", async () => {
    for (const name of ["PageA", "PageB", "PageC"]) await create(name, { connectorDestination: "S3" });
    for (const list of ["/v1/datasets", "/v1/vpcs", "/v1/ranges", "/v1/keys", "/v1/audit", "/v1/tenants"]) {
      const whole = await house.ask(`GET ${list}?limit=1000`, { key: acme.admin });
      assert.equal(whole.status, 200, whole.text);
      assert.equal(whole.body.nextCursor, null);
      const items: unknown[] = [];
      let cursor = "";
      do {
        const page = await house.ask(`GET ${list}?limit=2${cursor}`, { key: acme.admin });
        assert.ok(page.body.items.length <= 2, list);
        items.push(...page.body.items);
        cursor = page.body.nextCursor === null ? "" : `&cursor=${encodeURIComponent(page.body.nextCursor)}`;
      } while (cursor !== "");
      assert.deepEqual(items, whole.body.items, list);
    }
  });

  test("the address plan as a tree, and a part of it", async () => {
    const tree = await house.ask("GET /v1/ranges", { key: acme.viewer });
    assertPromised("ranges.list", tree);
    assert.deepEqual(
      tree.body.items.slice(0, 2).map((row: Record<string, unknown>) => [row.kind, row.depth]),
      [
        ["pool", 0],
        ["tenantRange", 1],
      ],
    );
    const [, range] = tree.body.items;
    const below = tree.body.items.filter((row: Record<string, unknown>) => row.depth === 2);
    const sum = below.reduce((total: number, row: { addresses: number }) => total + row.addresses, 0);
    assert.equal(sum, range.addresses);
    const part = await house.ask(`GET /v1/ranges/view?cidrBlock=${range.cidrBlock}`, { key: acme.viewer });
    assertPromised("ranges.view", part);
    assert.equal(part.body.items.length, below.length + 1);
  });

  test("an address inside a block shows the block", async () => {
    const { body } = await create("Inside200");
    const within = body.cidrBlock.replace("/25", "/28");
    const view = await house.ask(`GET /v1/ranges/view?cidrBlock=${within}`, { key: acme.viewer });
    assert.deepEqual(
      view.body.items.map((row: Record<string, unknown>) => [row.cidrBlock, row.datasetName]),
      [[body.cidrBlock, "Inside200"]],
    );
  });

  test("a tenant's admin declares networks, the operator sets the limit", async () => {
    const admin = await house.ask("PATCH /v1/tenants/acme", {
      key: acme.admin,
      body: { avoidCidrs: ["10.20.0.0/16"] },
    });
    assertPromised("tenants.update", admin);
    assert.deepEqual(admin.body.avoidCidrs, ["10.20.0.0/16"]);
    const operator = await house.ask("PATCH /v1/tenants/acme", {
      key: house.operatorKey,
      body: { tenantRangeLimit: 9 },
    });
    assert.equal(operator.body.tenantRangeLimit, 9);
    assert.deepEqual(operator.body.avoidCidrs, ["10.20.0.0/16"]);
  });

  test("settings, read and changed", async () => {
    const before = await house.ask("GET /v1/settings", { key: house.operatorKey });
    assertPromised("settings.view", before);
    const after = await house.ask("PATCH /v1/settings", {
      key: house.operatorKey,
      body: { quarantineSeconds: 60 },
    });
    assertPromised("settings.update", after);
    assert.deepEqual(after.body, { ...before.body, quarantineSeconds: 60 });
  });

  test("the operator sees all of the audit, a tenant its own", async () => {
    const all = await house.ask("GET /v1/audit?limit=1000", { key: house.operatorKey });
    assertPromised("audit.list", all);
    const actions = new Set(all.body.items.map((record: { action: string }) => record.action));
    assert.ok(actions.has("settings.update") && actions.has("datasets.create"));
    const own = await house.ask("GET /v1/audit?limit=1000", { key: acme.admin });
    assert.ok(own.body.items.length > 0);
    assert.ok(own.body.items.every((record: { tenantName: string }) => record.tenantName === "acme"));
  });

  test("health, readiness and the document need no key", async () => {
    for (const path of ["/healthz", "/readyz", "/openapi.json"])
      assert.equal((await house.ask(`GET ${path}`)).status, 200, path);
  });

  test("a revoked key is still listed, and no longer works", async () => {
    const made = await house.ask("POST /v1/keys", {
      key: acme.admin,
      body: { name: "short-lived", role: "viewer" },
    });
    assertPromised("keys.create", made);
    const { apiKey, keyId } = made.body;
    assert.equal((await house.ask("GET /v1/datasets", { key: apiKey })).status, 200);
    const revoked = await house.ask(`DELETE /v1/keys/${keyId}`, { key: acme.admin });
    assertPromised("keys.revoke", revoked);
    assert.notEqual(revoked.body.revokedDatetime, null);
    assertProblem(await house.ask("GET /v1/datasets", { key: apiKey }), 401, "unauthenticated");
    const keys = await house.ask("GET /v1/keys", { key: acme.admin });
    assertPromised("keys.list", keys);
    assert.ok(keys.body.items.some((key: { keyId: string }) => key.keyId === keyId));
    assert.equal(keys.text.includes(apiKey), false);
  });

  test("operator keys are made, listed and revoked apart from those of tenants", async () => {
    const key = house.operatorKey;
    const made = await house.ask("POST /v1/keys", { key, body: { name: "second", operator: true } });
    assertPromised("keys.create", made);
    assert.deepEqual([made.body.role, made.body.tenantName], ["admin", null]);
    const keys = await house.ask("GET /v1/keys?operator=true", { key });
    assert.ok(keys.body.items.every((one: { tenantName: null }) => one.tenantName === null));
    const revoked = await house.ask(`DELETE /v1/keys/${made.body.keyId}?operator=true`, { key });
    assertPromised("keys.revoke", revoked);
  });
});

describe("201", () => {
  test("a dataset with its range", async () => {
    const made = await create("Made201", { vpcSize: "medium" });
    assertPromised("datasets.create", made);
    assert.deepEqual([made.body.status, made.body.vpcSize], ["CREATING", "medium"]);
    assert.match(made.body.cidrBlock, /\/23$/);
  });

  test("the same request with the same Idempotency-Key is done once", async () => {
    const headers = { "idempotency-key": "once-201" };
    const ask = { key: acme.member, headers, body: kafka("Once201") };
    const first = await house.ask("POST /v1/datasets", ask);
    const { writeConnector, ...rest } = kafka("Once201");
    const again = await house.ask("POST /v1/datasets", { ...ask, body: { writeConnector, ...rest } });
    assert.deepEqual([first.status, again.status], [201, 201], again.text);
    assert.equal(again.body.datasetId, first.body.datasetId);
  });

  test("a tenant", async () => {
    const body = { tenantName: "made201", avoidCidrs: ["10.30.0.0/16"], tenantRangeLimit: 2 };
    const made = await house.ask("POST /v1/tenants", { key: house.operatorKey, body });
    assertPromised("tenants.create", made);
    const deleted = await house.ask("DELETE /v1/tenants/made201", { key: house.operatorKey });
    assertPromised("tenants.delete", deleted);
  });
});

describe("202", () => {
  test("an acceptance is a wish, and shows as one", async () => {
    const { body } = await create("Accept202");
    await house.look(acme.id, "Accept202", {
      world: shown(house.clock.now(), body.cidrBlock, [request(house.clock.now())]),
    });
    const path = `/v1/datasets/Accept202/vpcPeeringConnections/${PCX}`;
    const accepted = await house.ask(`POST ${path}/accept`, { key: acme.member });
    assertPromised("vpcPeeringConnections.accept", accepted);
    assert.equal(accepted.body.status, "ACCEPTING");
    const deleted = await house.ask(`DELETE ${path}`, { key: acme.member });
    assertPromised("vpcPeeringConnections.delete", deleted);
    assert.equal(deleted.body.status, "DELETING");
  });

  test("a dataset is deleted later", async () => {
    await create("Gone202");
    const deleted = await house.ask("DELETE /v1/datasets/Gone202", { key: acme.member });
    assertPromised("datasets.delete", deleted);
    assert.equal(deleted.body.status, "DELETING");
  });
});
