import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Failure } from "../domain/failure.ts";
import { apiServer } from "./server.ts";
import { assertProblem, type Reply, type TestHouse, testHouse } from "./testing.ts";
import { kafka, PCX, request, shown } from "./worlds.testing.ts";

let house: TestHouse;
let acme: Awaited<ReturnType<TestHouse["tenant"]>>;

before(async () => {
  house = await testHouse();
  acme = await house.tenant("acme");
});
after(() => house.close());

function create(datasetName: string, more: Record<string, unknown> = {}): Promise<Reply> {
  return house.ask("POST /v1/datasets", { key: acme.member, body: kafka(datasetName, more) });
}

describe("400", () => {
  const refused = async (request: string, body: unknown, pattern: RegExp) => {
    const reply = await house.ask(request, { key: acme.admin, body });
    assertProblem(reply, 400, "invalid");
    assert.match(reply.body.message, pattern);
    return reply;
  };

  test("says all that is wrong, and where", async () => {
    const reply = await refused(
      "POST /v1/datasets",
      { writeConnector: { vpcSize: "smal" } },
      /^5 things are wrong/,
    );
    assert.deepEqual(
      reply.body.problems.map((one: { field: string }) => one.field),
      [
        "datasetName",
        "region",
        "customerAccountForAccess",
        "writeConnector.connectorDestination",
        "writeConnector.vpcSize",
      ],
    );
    assert.match(reply.body.message, /did you mean small\?/);
  });

  const refusals: readonly [string, string, unknown, RegExp][] = [
    [
      "malformed JSON has its line and column",
      "POST /v1/datasets",
      '{\n  "datasetName": "A",\n  "region" "x"\n}',
      /at line 3, column 12$/,
    ],
    ["an empty body", "POST /v1/datasets", "  ", /empty/],
    ["a body that is no object", "POST /v1/datasets", [], /must be a JSON object/],
    ["endless nesting", "POST /v1/datasets", "[".repeat(50_000), /nested deeper/],
    [
      "closed endless nesting",
      "POST /v1/datasets",
      `${"[".repeat(50_000)}${"]".repeat(50_000)}`,
      /nested deeper/,
    ],
    ["a NUL character", "POST /v1/datasets", { datasetName: "a\0" }, /NUL/],
    ["half a character", "POST /v1/datasets", '{"x":"\\ud800"}', /half a Unicode character/],
    ["an unknown body field", "POST /v1/keys", { name: "a", rolle: "x" }, /did you mean role\?/],
    ["an unknown query parameter", "GET /v1/datasets?limt=1", undefined, /did you mean limit\?/],
    ["a parameter given twice", "GET /v1/datasets?limit=1&limit=2", undefined, /more than once/],
    ["a limit beyond the limit", "GET /v1/datasets?limit=1001", undefined, /at most 1000/],
    ["a cursor of nowhere", "GET /v1/datasets?cursor=abc", undefined, /cursor/],
    ["a cursor of nowhere, in memory", "GET /v1/ranges?cursor=abc", undefined, /cursor/],
    ["a change of nothing", "PATCH /v1/tenants/acme", {}, /Nothing to change/],
    [
      "a block of the wrong size",
      "POST /v1/datasets",
      kafka("Wrong400", { vpcCidrBlock: "10.2.4.0/24" }),
      /size small takes a \/25/,
    ],
  ];
  for (const [name, request, body, pattern] of refusals)
    test(name, async () => {
      await refused(request, body, pattern);
    });

  test("an Idempotency-Key that cannot be kept", async () => {
    const headers = { "idempotency-key": "x".repeat(256) };
    const reply = await house.ask("POST /v1/datasets", { key: acme.member, headers, body: kafka("Key400") });
    assertProblem(reply, 400, "invalid");
  });

  test("an operator's key of another role, or of a tenant", async () => {
    const key = house.operatorKey;
    const viewer = { name: "x", role: "viewer", operator: true };
    assertProblem(await house.ask("POST /v1/keys", { key, body: viewer }), 400, "invalid");
    assertProblem(await house.ask("GET /v1/keys?operator=true&tenantName=acme", { key }), 400, "invalid");
  });
});

describe("401", () => {
  test("none, unknown and revoked keys get the same answer", async () => {
    const bodies = await Promise.all(
      [undefined, "ld_unknown", "two words"].map(async (key) => {
        const reply = await house.ask("GET /v1/datasets", key === undefined ? {} : { key });
        assertProblem(reply, 401, "unauthenticated");
        assert.equal(reply.headers.get("www-authenticate"), "Bearer");
        const { requestId: _, ...body } = reply.body;
        return body;
      }),
    );
    assert.deepEqual(bodies[1], bodies[0]);
    assert.deepEqual(bodies[2], bodies[0]);
  });

  test("another scheme is no key", async () => {
    const headers = { authorization: `Basic ${house.operatorKey}` };
    assertProblem(await house.ask("GET /v1/datasets", { headers }), 401, "unauthenticated");
  });
});

describe("403", () => {
  test("a role that is too small is told which is needed", async () => {
    const reply = await house.ask("POST /v1/datasets", { key: acme.viewer, body: kafka("No403") });
    assertProblem(reply, 403, "forbidden");
    assert.match(
      reply.body.message,
      /needs a key with the role member, and yours \(acme-viewer\) has the role viewer/,
    );
  });

  test("what is the operator's is not the admin's", async () => {
    const key = acme.admin;
    const body = { tenantRangeLimit: 100 };
    assertProblem(await house.ask("PATCH /v1/tenants/acme", { key, body }), 403, "forbidden");
    assertProblem(await house.ask("GET /v1/settings", { key }), 403, "forbidden");
    assertProblem(await house.ask("GET /v1/keys?operator=true", { key }), 403, "forbidden");
    assertProblem(await house.ask("DELETE /v1/tenants/acme", { key }), 403, "forbidden");
    const operator = { name: "mine", operator: true };
    assertProblem(await house.ask("POST /v1/keys", { key, body: operator }), 403, "forbidden");
  });

  test("a request of another account is not accepted", async () => {
    const { body } = await create("Foreign403");
    const world = shown(house.clock.now(), body.cidrBlock, [
      request(house.clock.now(), { requesterAccount: "210987654321" }),
    ]);
    await house.look(acme.id, "Foreign403", { world });
    const path = `/v1/datasets/Foreign403/vpcPeeringConnections/${PCX}/accept`;
    assertProblem(await house.ask(`POST ${path}`, { key: acme.member }), 403, "forbidden");
  });
});

describe("404", () => {
  test("what is another tenant's is what does not exist", async () => {
    const other = await house.tenant("other404");
    await create("Mine404");
    const foreign = await house.ask("GET /v1/datasets/Mine404", { key: other.member });
    const unknown = await house.ask("GET /v1/datasets/None404", { key: other.member });
    assertProblem(foreign, 404, "notFound");
    assert.equal(
      foreign.text.replaceAll("Mine404", "X").length,
      unknown.text.replaceAll("None404", "X").length,
    );
    assert.equal(foreign.body.message.replace("Mine404", "None404"), unknown.body.message);
  });

  test("a path that is not there, with the one that was probably meant", async () => {
    const reply = await house.ask("GET /v1/dataset", { key: acme.viewer });
    assertProblem(reply, 404, "notFound");
    assert.match(reply.body.hint, /Did you mean \/v1\/datasets\?/);
  });

  test("a block that the tenant has nothing in", async () => {
    const reply = await house.ask("GET /v1/ranges/view?cidrBlock=192.168.0.0/24", { key: acme.viewer });
    assertProblem(reply, 404, "notFound");
  });

  test("a tenant that the operator names wrongly", async () => {
    const reply = await house.ask("GET /v1/datasets?tenantName=nobody", { key: house.operatorKey });
    assertProblem(reply, 404, "notFound");
    assert.equal(reply.body.message, 'There is no tenant "nobody"');
  });
});

describe("405", () => {
  test("names the methods that are possible", async () => {
    const reply = await house.ask("PUT /v1/datasets/Clicks", { key: acme.viewer, body: {} });
    assertProblem(reply, 405, "invalid");
    assert.equal(reply.headers.get("allow"), "GET, DELETE");
  });
});

describe("409", () => {
  test("a name that is taken", async () => {
    await create("Twice409", { connectorDestination: "S3" });
    assertProblem(await create("Twice409", { connectorDestination: "S3" }), 409, "conflict");
  });

  test("an Idempotency-Key that was used for another request", async () => {
    const headers = { "idempotency-key": "once-409" };
    await house.ask("POST /v1/datasets", { key: acme.member, headers, body: kafka("FirstKey409") });
    const reply = await house.ask("POST /v1/datasets", {
      key: acme.member,
      headers,
      body: kafka("OtherKey409"),
    });
    assertProblem(reply, 409, "conflict");
  });

  test("a key is shown once", async () => {
    const ask = { key: acme.admin, headers: { "idempotency-key": "key-409" }, body: { name: "shown-once" } };
    assert.equal((await house.ask("POST /v1/keys", ask)).status, 201);
    const again = await house.ask("POST /v1/keys", ask);
    assertProblem(again, 409, "conflict");
    assert.match(again.body.hint, /keys revoke/);
  });
});

describe("413, 414, 415", () => {
  test("a body larger than 1 MB", async () => {
    const reply = await house.ask("POST /v1/datasets", {
      key: acme.member,
      body: "x".repeat(1024 * 1024 + 1),
    });
    assertProblem(reply, 413, "invalid");
  });

  test("a URL that is too long", async () => {
    const reply = await house.ask(`GET /v1/datasets?cursor=${"x".repeat(9000)}`, { key: acme.viewer });
    assertProblem(reply, 414, "invalid");
  });

  test("a body that is not JSON", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const reply = await house.ask("POST /v1/datasets", { key: acme.member, headers, body: "datasetName=A" });
    assertProblem(reply, 415, "invalid");
  });
});

describe("503", () => {
  test("readiness says what is missing", async () => {
    const { store, intent, clock } = house;
    const ready = () => Promise.reject(new Failure("unavailable", "The sandbox is starting"));
    const api = apiServer({ store, intent, clock, ready, log: () => undefined, platform: {} });
    const reply = await api.fetch(new Request("http://api.test/readyz"));
    assert.equal(reply.status, 503);
    assert.match(await reply.text(), /The sandbox is starting/);
  });
});

describe("507", () => {
  test("no range is left, with what is", async () => {
    const body = { tenantName: "small507", tenantRangeLimit: 1 };
    await house.ask("POST /v1/tenants", { key: house.operatorKey, body });
    const ask = (name: string) =>
      house.ask("POST /v1/datasets?tenantName=small507", {
        key: house.operatorKey,
        body: kafka(name, { vpcSize: "large" }),
      });
    assert.deepEqual([(await ask("A")).status, (await ask("B")).status], [201, 201]);
    assertProblem(await ask("C"), 507, "exhausted");
  });
});

describe("every answer", () => {
  test("bears a request id: the caller's when it is sane, else one of ours", async () => {
    const sane = await house.ask("GET /healthz", { headers: { "x-request-id": "build-17.a" } });
    assert.equal(sane.headers.get("x-request-id"), "build-17.a");
    const odd = await house.ask("GET /healthz", { headers: { "x-request-id": "a b\tc" } });
    assert.match(odd.headers.get("x-request-id") ?? "", /^req_[0-9a-f-]{36}$/);
  });

  test("leaves one line in the log, without key or body", async () => {
    const from = house.lines.length;
    await house.ask("POST /v1/datasets", { key: acme.viewer, body: kafka("Log") });
    const lines = house.lines.slice(from);
    assert.equal(lines.length, 1);
    const { requestId, keyId, ...line } = lines[0] ?? {};
    assert.match(String(keyId), /^key_/);
    assert.match(String(requestId), /^req_/);
    assert.deepEqual(
      {
        event: line.event,
        method: line.method,
        path: line.path,
        status: line.status,
        ms: line.ms,
        code: line.code,
      },
      { event: "request", method: "POST", path: "/v1/datasets", status: 403, ms: 0, code: "forbidden" },
    );
    assert.equal(JSON.stringify(lines).includes(acme.viewer), false);
  });
});
