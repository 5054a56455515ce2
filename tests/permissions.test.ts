/**
 * Who may do what: every operation, asked without a key, with a revoked one, by a viewer and by a member of
 * another tenant. What is foreign answers word for word as what does not exist. An operation without a row
 * here fails.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Reply, type TestHouse, testHouse } from "../src/api/testing.ts";
import { allOperations, type OperationId } from "../src/contract/operations.ts";
import { emptyWorld } from "../src/domain/world.ts";

interface Row {
  /** The path of a thing of tenant `acme`, or of one that is nowhere. */
  readonly path: (names: Names) => string;
  readonly body?: unknown;
  /** What a viewer of `acme` gets. */
  readonly viewer: 200 | 403;
  /** What a member of another tenant gets who asks for it in their own tenant. */
  readonly stranger: 200 | 201 | 403 | 404;
  /** And who names the tenant `acme`, where an operation takes that. */
  readonly naming: 403 | 404 | "cannot name one";
}

interface Names {
  readonly tenant: string;
  readonly dataset: string;
  readonly key: string;
  readonly block: string;
  readonly probe: string;
}

const PCX = "pcx-0123456789abcdef0";
const peering = ({ dataset }: Names) => `/v1/datasets/${dataset}/vpcPeeringConnections`;
const connector = ({ dataset }: Names) => `/v1/datasets/${dataset}/writeConnector`;
const dataset = {
  datasetName: "Other",
  region: "us-east-1",
  customerAccountForAccess: "123456789012",
  writeConnector: { connectorDestination: "S3" },
};

const ROWS: Readonly<Record<OperationId, Row>> = {
  "tenants.create": {
    path: () => "/v1/tenants",
    body: { tenantName: "new" },
    viewer: 403,
    stranger: 403,
    naming: "cannot name one",
  },
  "tenants.list": { path: () => "/v1/tenants", viewer: 200, stranger: 200, naming: "cannot name one" },
  "tenants.view": {
    path: ({ tenant }) => `/v1/tenants/${tenant}`,
    viewer: 200,
    stranger: 404,
    naming: "cannot name one",
  },
  "tenants.update": {
    path: ({ tenant }) => `/v1/tenants/${tenant}`,
    body: { avoidCidrs: [] },
    viewer: 403,
    stranger: 404,
    naming: "cannot name one",
  },
  "tenants.delete": {
    path: ({ tenant }) => `/v1/tenants/${tenant}`,
    viewer: 403,
    stranger: 404,
    naming: "cannot name one",
  },
  "keys.create": { path: () => "/v1/keys", body: { name: "x" }, viewer: 403, stranger: 403, naming: 404 },
  "keys.list": { path: () => "/v1/keys", viewer: 403, stranger: 403, naming: 404 },
  "keys.revoke": { path: ({ key }) => `/v1/keys/${key}`, viewer: 403, stranger: 404, naming: 404 },
  "datasets.create": { path: () => "/v1/datasets", body: dataset, viewer: 403, stranger: 201, naming: 404 },
  "datasets.list": { path: () => "/v1/datasets", viewer: 200, stranger: 200, naming: 404 },
  "datasets.view": {
    path: (names) => `/v1/datasets/${names.dataset}`,
    viewer: 200,
    stranger: 404,
    naming: 404,
  },
  "datasets.delete": {
    path: (names) => `/v1/datasets/${names.dataset}`,
    viewer: 403,
    stranger: 404,
    naming: 404,
  },
  "writeConnectors.view": { path: connector, viewer: 200, stranger: 404, naming: 404 },
  "writeConnectors.update": {
    path: connector,
    body: { volumeGiB: 200 },
    viewer: 403,
    stranger: 404,
    naming: 404,
  },
  "writeConnectors.reinitialize": {
    path: (names) => `${connector(names)}/reinitialize`,
    viewer: 403,
    stranger: 404,
    naming: 404,
  },
  "writeConnectors.delete": { path: connector, viewer: 403, stranger: 404, naming: 404 },
  "vpcs.list": {
    path: (names) => `/v1/vpcs?datasetName=${names.dataset}`,
    viewer: 200,
    stranger: 404,
    naming: 404,
  },
  "vpcs.probe": {
    path: (names) => `/v1/datasets/${names.dataset}/probes`,
    body: { target: "10.0.0.1:80" },
    viewer: 403,
    stranger: 404,
    naming: 404,
  },
  "vpcs.viewProbe": {
    path: (names) => `/v1/datasets/${names.dataset}/probes/${names.probe}`,
    viewer: 200,
    stranger: 404,
    naming: 404,
  },
  "vpcPeeringConnections.list": { path: peering, viewer: 200, stranger: 404, naming: 404 },
  "vpcPeeringConnections.accept": {
    path: (names) => `${peering(names)}/${PCX}/accept`,
    viewer: 403,
    stranger: 404,
    naming: 404,
  },
  "vpcPeeringConnections.delete": {
    path: (names) => `${peering(names)}/${PCX}`,
    viewer: 403,
    stranger: 404,
    naming: 404,
  },
  "ranges.list": { path: () => "/v1/ranges", viewer: 200, stranger: 200, naming: 404 },
  "ranges.view": {
    path: ({ block }) => `/v1/ranges/view?cidrBlock=${block}`,
    viewer: 200,
    stranger: 404,
    naming: 404,
  },
  "ranges.release": {
    path: () => "/v1/ranges/release",
    body: { cidrBlock: "10.2.0.0/25" },
    viewer: 403,
    stranger: 403,
    naming: 404,
  },
  "settings.view": { path: () => "/v1/settings", viewer: 403, stranger: 403, naming: "cannot name one" },
  "settings.update": {
    path: () => "/v1/settings",
    body: { quarantineSeconds: 60 },
    viewer: 403,
    stranger: 403,
    naming: "cannot name one",
  },
  "sweep.run": {
    path: () => "/v1/sweep",
    body: { fix: true },
    viewer: 403,
    stranger: 403,
    naming: "cannot name one",
  },
  "sweep.view": { path: () => "/v1/sweep", viewer: 403, stranger: 403, naming: "cannot name one" },
  "audit.list": { path: () => "/v1/audit", viewer: 403, stranger: 403, naming: 404 },
};

let house: TestHouse;
let acme: Awaited<ReturnType<TestHouse["tenant"]>>;
let other: Awaited<ReturnType<TestHouse["tenant"]>>;
let revoked = "";
let real: Names;
const nowhere: Names = {
  tenant: "none",
  dataset: "Nothing",
  key: "key_nothing",
  block: "10.200.0.0/25",
  probe: "prb_nothing",
};

before(async () => {
  house = await testHouse();
  acme = await house.tenant("acme");
  other = await house.tenant("other");
  const body = {
    ...dataset,
    datasetName: "Secrets",
    writeConnector: { connectorDestination: "Kafka", kafka: { clusterType: "none" } },
  };
  const made = await house.ask("POST /v1/datasets", { key: acme.member, body });
  assert.equal(made.status, 201, made.text);
  await house.look(acme.id, "Secrets", { world: emptyWorld(house.clock.now()) });
  const key = await house.ask("POST /v1/keys", { key: acme.admin, body: { name: "old", role: "admin" } });
  revoked = key.body.apiKey;
  await house.ask(`DELETE /v1/keys/${key.body.keyId}`, { key: acme.admin });
  const [block, probe] = [made.body.cidrBlock, await probeOf(acme.id, "Secrets")];
  real = { tenant: "acme", dataset: "Secrets", key: key.body.keyId, block, probe };
});
after(() => house.close());

async function probeOf(tenantId: string, name: string): Promise<string> {
  const dataset = await house.store.tenant(tenantId).dataset(name);
  const network = dataset && (await house.store.tenant(tenantId).network(dataset.id));
  const wish = { host: "10.0.0.1", port: 80, protocol: "tcp", tls: false, ca: null, stageMs: 5_000 } as const;
  const asked = { networkId: network?.id ?? "", roleArn: "arn:role", wish, askedBy: "member" };
  return (await house.store.change((tx) => tx.askProbe(asked))).id;
}

function ask(id: OperationId, key: string | undefined, path: string): Promise<Reply> {
  const { body } = ROWS[id];
  const method = allOperations.get(id)?.method;
  return house.ask(`${method} ${path}`, {
    ...(key !== undefined && { key }),
    ...(body !== undefined && { body }),
  });
}

function named(path: string, tenant: string): string {
  return `${path}${path.includes("?") ? "&" : "?"}tenantName=${tenant}`;
}

/** Without what differs between any two answers: the request's id and the name that was asked for. */
function masked({ status, body }: Reply, names: Names): unknown {
  const { requestId: _, ...rest } = body;
  const text = Object.values(names).reduce((left, name) => left.replaceAll(name, "…"), JSON.stringify(rest));
  return { status, body: JSON.parse(text) };
}

function assertNothingOf(reply: Reply): void {
  for (const secret of [acme.id, ...Object.values(real)])
    assert.equal(reply.text.includes(secret), false, secret);
}

test("every operation has a row, and every row an operation", () => {
  assert.deepEqual(Object.keys(ROWS).sort(), [...allOperations.keys()].sort());
});

for (const id of allOperations.keys())
  describe(id, () => {
    const { path, viewer, stranger, naming } = ROWS[id];

    test("without a key, and with a revoked one: 401, the same for what is and what is not", async () => {
      const replies = [
        [await ask(id, undefined, path(real)), real],
        [await ask(id, undefined, path(nowhere)), nowhere],
        [await ask(id, revoked, path(real)), real],
        [await ask(id, revoked, path(nowhere)), nowhere],
      ] as const;
      const [first] = replies.map(([reply, names]) => masked(reply, names));
      for (const [reply, names] of replies) {
        assert.equal(reply.status, 401);
        assert.deepEqual(masked(reply, names), first);
      }
    });

    test(`by a viewer: ${viewer}`, async () => {
      const reply = await ask(id, acme.viewer, path(real));
      assert.equal(reply.status, viewer, reply.text);
    });

    test(`by another tenant's member: ${stranger}`, async () => {
      const reply = await ask(id, other.member, path(real));
      assert.equal(reply.status, stranger, reply.text);
      if (stranger !== 404) return assertNothingOf(reply);
      assert.deepEqual(masked(reply, real), masked(await ask(id, other.member, path(nowhere)), nowhere));
    });

    test(`by another tenant's member who names the tenant: ${naming}`, async () => {
      const takesName = "tenantName" in (allOperations.get(id)?.query.shape ?? {});
      assert.equal(takesName, naming !== "cannot name one");
      if (!takesName) return;
      const reply = await ask(id, other.member, named(path(real), "acme"));
      assert.equal(reply.status, naming, reply.text);
      const unknown = await ask(id, other.member, named(path(nowhere), "none"));
      assert.deepEqual(masked(reply, real), masked(unknown, nowhere));
    });
  });

test("nothing was changed by those who may not", async () => {
  const view = await house.ask("GET /v1/datasets/Secrets", { key: acme.viewer });
  assert.equal(view.body.status, "CREATING");
  const tenants = await house.ask("GET /v1/tenants", { key: house.operatorKey });
  const names = tenants.body.items.map((tenant: { tenantName: string }) => tenant.tenantName);
  assert.deepEqual(names.sort(), ["acme", "default", "other"]);
});
