/**
 * Wrong requests for datasets, one by one: each is refused with its status and code, in words that say what
 * was wrong, where, and what would be right; and nothing is written. No network is made: only wishes count here.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cli } from "../src/cli/testing.ts";
import { type House, openHouse } from "./support/house.ts";
import { type Asked, ask, assertRefused, kafka, type Refusal } from "./support/requests.ts";

let house: House;
let acmeKey = "";

/** acme has one dataset in 10.2.0.0/21 and declared a network of its own; secret owns 10.2.8.0/21. */
before(async () => {
  house = await openHouse({ reconcile: false });
  const operator = async (what: string, body: object) => {
    const reply = await ask(house, what, { body });
    assert.ok(reply.status < 300, reply.text);
    return reply.body;
  };
  await operator("POST /v1/tenants", { tenantName: "acme", avoidCidrs: ["10.30.0.0/16"] });
  await operator("POST /v1/tenants", { tenantName: "secret" });
  acmeKey = (await operator("POST /v1/keys?tenantName=acme", { name: "ci", role: "admin" })).apiKey;
  await operator("POST /v1/datasets?tenantName=acme", kafka("Clicks"));
  await operator("POST /v1/datasets?tenantName=secret", kafka("Hidden"));
});
after(() => house.close());

/** All that a refused request could have left behind. */
async function everything(): Promise<string> {
  const page = { limit: 1000, cursor: null };
  const tenants = (await house.store.tenants(page)).items;
  const scopes = tenants.map(({ id }) => house.store.tenant(id));
  const kept = await Promise.all(
    scopes.flatMap((scope) => [scope.datasets(page), scope.ranges(), scope.datasetRanges()]),
  );
  return JSON.stringify([tenants, kept, await house.store.audit(page)]);
}

async function refused(what: string, asked: Asked, refusal: Refusal): Promise<void> {
  const were = await everything();
  const reply = await ask(house, what, { key: acmeKey, ...asked });
  assertRefused(reply, refusal);
  assert.doesNotMatch(reply.text, /secret|Hidden/);
  assert.equal(await everything(), were);
}

interface Case {
  readonly name: string;
  readonly body: unknown;
  /** The path of the wrong field, where it is one field's form that is wrong. */
  readonly field?: string;
  readonly status?: number;
  readonly code?: string;
  readonly says: Refusal["says"];
  readonly hints?: Refusal["hints"];
}

const block = (vpcCidrBlock: unknown, vpcSize = "small") => kafka("Bad", { vpcCidrBlock, vpcSize });

const FORMS: readonly Case[] = [
  {
    name: "an unknown size",
    body: kafka("Bad", { vpcSize: "huge" }),
    field: "writeConnector.vpcSize",
    says: ['writeConnector.vpcSize "huge"', "one of small, medium, large"],
  },
  {
    name: "a size in capitals",
    body: kafka("Bad", { vpcSize: "Medium" }),
    field: "writeConnector.vpcSize",
    says: ['"Medium"', "did you mean medium?"],
  },
  {
    name: "an unknown region",
    body: kafka("Bad", {}, { region: "us-east-9" }),
    field: "region",
    says: ['region "us-east-9"', "one of us-east-1, us-east-2", /did you mean us-east-[12]\?/],
  },
  {
    name: "an unknown destination",
    body: kafka("Bad", { connectorDestination: "Kafak" }),
    field: "writeConnector.connectorDestination",
    says: ['"Kafak"', "one of Kafka, S3", "did you mean Kafka?"],
  },
  {
    name: "no destination",
    body: kafka("Bad", { connectorDestination: undefined }),
    field: "writeConnector.connectorDestination",
    says: ["writeConnector.connectorDestination is missing", "one of Kafka"],
  },
  {
    name: "a block with host bits",
    body: block("10.4.8.1/25"),
    field: "writeConnector.vpcCidrBlock",
    says: ["writeConnector.vpcCidrBlock", "10.4.8.1/25", "10.4.8.0/25"],
  },
  {
    name: "a block that is none",
    body: block("10.4.8/25"),
    field: "writeConnector.vpcCidrBlock",
    says: ["writeConnector.vpcCidrBlock", "10.4.8/25"],
  },
  {
    name: "an account of 11 digits",
    body: kafka("Bad", {}, { customerAccountForAccess: "11112222333" }),
    field: "customerAccountForAccess",
    says: ['customerAccountForAccess "11112222333"', "12 digits"],
  },
  {
    name: "an account with hyphens",
    body: kafka("Bad", {}, { customerAccountForAccess: "1111-2222-3333" }),
    field: "customerAccountForAccess",
    says: ["1111-2222-3333", "12 digits"],
  },
  {
    name: "an account that is a number",
    body: kafka("Bad", {}, { customerAccountForAccess: 111122223333 }),
    field: "customerAccountForAccess",
    says: ["customerAccountForAccess must be a string", "12 digits"],
  },
  {
    name: "a name with an underscore",
    body: kafka("my_clicks"),
    field: "datasetName",
    says: ['datasetName "my_clicks"', "letters and digits, nothing else"],
  },
  {
    name: "a misspelt field, which would silently mean small",
    body: kafka("Bad", { vpcSzie: "large" }),
    field: "writeConnector.vpcSzie",
    says: ["writeConnector.vpcSzie is not known", "did you mean vpcSize?"],
  },
];

const BLOCKS: readonly Case[] = [
  {
    name: "a block outside of the address space",
    body: block("192.168.0.0/25"),
    says: ["192.168.0.0/25 lies outside the address space (10.0.0.0/8)"],
    hints: ["Free and nearest: "],
  },
  {
    name: "a block of the wrong size",
    body: block("10.2.4.0/24"),
    says: ["10.2.4.0/24 has the mask /24, and size small takes a /25"],
    hints: [/^Free and nearest: 10\.2\.4\.0\/25/],
  },
  {
    name: "a block inside another tenant's range, which is not named",
    body: block("10.2.9.0/25"),
    status: 409,
    code: "conflict",
    says: ["10.2.9.0/25 overlaps 10.2.8.0/21 (another tenant's range)"],
    hints: ["Free and nearest: 10.2.7.128/25"],
  },
  {
    name: "an excluded block",
    body: block("10.100.4.0/22", "large"),
    status: 409,
    code: "conflict",
    says: ["10.100.4.0/22 overlaps 10.100.0.0/16", /exclude/],
    hints: ["Free and nearest: "],
  },
  {
    name: "a block of the tenant's own networks",
    body: block("10.30.2.0/23", "medium"),
    status: 409,
    code: "conflict",
    says: ["10.30.2.0/23 overlaps 10.30.0.0/16", /own|avoidCidrs/],
    hints: ["Free and nearest: "],
  },
  {
    name: "a block in use",
    body: block("10.2.0.0/25"),
    status: 409,
    code: "conflict",
    says: ["10.2.0.0/25 overlaps 10.2.0.0/25 (dataset Clicks)"],
    hints: ["Free and nearest: 10.2.0.128/25"],
  },
];

describe("a dataset with", () => {
  for (const { name, body, field, says } of FORMS)
    test(name, async () => {
      await refused("POST /v1/datasets", { body }, { status: 400, code: "invalid", says });
      const { body: problem } = await ask(house, "POST /v1/datasets", { key: acmeKey, body });
      assert.deepEqual(
        problem.problems.map((one: { field: string }) => one.field),
        [field],
      );
    });

  for (const { name, body, status = 400, code = "invalid", says, hints = [] } of BLOCKS)
    test(name, () => refused("POST /v1/datasets", { body }, { status, code, says, hints }));

  test("several slips at once: all of them are named", async () => {
    const body = kafka("a_b", { vpcSize: "tiny" }, { region: "mars", customerAccountForAccess: "1" });
    await refused(
      "POST /v1/datasets",
      { body },
      { status: 400, code: "invalid", says: ["4 things are wrong", "a_b", "tiny", "mars", "12 digits"] },
    );
  });

  test("a name that is taken", () =>
    refused(
      "POST /v1/datasets",
      { body: kafka("Clicks", { vpcSize: "large" }) },
      {
        status: 409,
        code: "conflict",
        says: ["Dataset Clicks exists already (CREATING)"],
        hints: ["letsdata datasets view --datasetName Clicks"],
      },
    ));

  test("an Idempotency-Key of another request", async () => {
    const headers = { "idempotency-key": "once" };
    const asked = { key: acmeKey, headers, body: kafka("Once") };
    const first = await ask(house, "POST /v1/datasets", asked);
    assert.equal(first.status, 201);
    const were = await everything();
    const again = await ask(house, "POST /v1/datasets", asked);
    assert.deepEqual([again.status, again.body], [201, first.body]);
    assert.equal(await everything(), were);
    await refused(
      "POST /v1/datasets",
      { headers, body: kafka("Twice") },
      {
        status: 409,
        code: "conflict",
        says: ['Idempotency-Key "once" was used for another request'],
        hints: ["Use a new key"],
      },
    );
  });
});

describe("at the terminal", () => {
  const CASES = [
    { what: "a wrong form", exit: 2, body: kafka("a_b"), says: 'datasetName "a_b"' },
    { what: "a taken name", exit: 5, body: kafka("Clicks"), says: "Dataset Clicks exists already" },
    { what: "a taken block", exit: 5, body: block("10.2.9.0/25"), says: "another tenant's range" },
  ];
  for (const { what, exit, body, says } of CASES)
    test(`${what}: exit ${exit}, the reason on standard error, nothing on standard output`, async () => {
      const were = await everything();
      const ran = await terminal(["datasets", "create", "--configFile", "-"], JSON.stringify(body));
      assert.deepEqual([ran.exit, ran.stdout], [exit, ""]);
      assert.ok(ran.stderr.includes(says), ran.stderr);
      assert.equal(await everything(), were);
    });

  test("what is not there: exit 4; no key: exit 3; a space that is used up: exit 6", async () => {
    const gone = await terminal(["datasets", "delete", "--datasetName", "Nothing"]);
    assert.equal(gone.exit, 4);
    assert.match(gone.stderr, /There is no dataset Nothing/);
    const stranger = await terminal(["datasets", "list", "--apiKey", "ld_nobody"]);
    assert.equal(stranger.exit, 3);
    const body = { tenantName: "tiny", tenantRangeLimit: 1 };
    assert.equal((await ask(house, "POST /v1/tenants", { body })).status, 201);
    const create = (name: string) =>
      terminal(
        ["datasets", "create", "--configFile", "-", "--tenantName", "tiny", "--apiKey", house.operatorKey],
        JSON.stringify(kafka(name, { vpcSize: "large" })),
      );
    assert.deepEqual([(await create("One")).exit, (await create("Two")).exit], [0, 0]);
    const full = await create("Three");
    assert.equal(full.exit, 6);
    assert.match(full.stderr, /Size large needs a free \/22 .* 1 of at most 1 ranges, and nothing is free/);
    assert.match(full.stderr, /Hint: Ask the operator to raise the tenant's range limit/);
  });
});

/** The command line with acme's key. */
function terminal(argv: readonly string[], stdin = "") {
  return cli(argv, {
    env: { LETSDATA_URL: house.url, LETSDATA_API_KEY: acmeKey, NO_COLOR: "1" },
    stdin,
  });
}

const MALFORMED = '{\n  "datasetName": "Bad",\n  "region": us-east-1\n}';

describe("JSON that is none", () => {
  test("over HTTP: line and column", () =>
    refused(
      "POST /v1/datasets",
      { body: MALFORMED },
      { status: 400, code: "invalid", says: ["The body is not JSON", "line 3, column 13"] },
    ));

  test("in a file: its name, line, column and the line itself", async () => {
    const cwd = mkdtempSync(join(tmpdir(), "letsdata-bad-"));
    try {
      writeFileSync(join(cwd, "dataset.json"), MALFORMED);
      const were = await everything();
      const env = { LETSDATA_URL: house.url, LETSDATA_API_KEY: acmeKey, NO_COLOR: "1" };
      const ran = await cli(["datasets", "create", "--configFile", "dataset.json"], { cwd, env });
      assert.deepEqual([ran.exit, ran.stdout], [2, ""]);
      assert.match(ran.stderr, /dataset\.json:3:13: /);
      assert.match(ran.stderr, /3 \| {3}"region": us-east-1\n +\^/);
      assert.equal(await everything(), were);
    } finally {
      rmSync(cwd, { recursive: true, force: true });
    }
  });
});

describe("a key revoked while its request runs", () => {
  test("what runs comes to its end, the next request is 401, and nothing goes on in its name", async () => {
    const made = await ask(house, "POST /v1/keys?tenantName=acme", {
      body: { name: "short", role: "member" },
    });
    const { keyId, apiKey: key } = made.body;
    // No reconciler runs here: the list waits its whole 10 s for a look at the cloud.
    const running = ask(house, "GET /v1/datasets/Clicks/vpcPeeringConnections", { key });
    const accepting = ask(
      house,
      "POST /v1/datasets/Clicks/vpcPeeringConnections/pcx-0123456789abcdef0/accept",
      {
        key,
      },
    );
    await house.until("both run", async () => {
      const audit = await ask(house, "GET /v1/datasets/Clicks", { key });
      return audit.status === 200;
    });
    assert.equal((await ask(house, `DELETE /v1/keys/${keyId}?tenantName=acme`)).status, 200);
    const next = await ask(house, "GET /v1/datasets", { key });
    assertRefused(next, {
      status: 401,
      code: "unauthenticated",
      says: ["No valid API key"],
      hints: ["not revoked"],
    });
    const listed = await running;
    assert.equal(listed.status, 200);
    assert.match(listed.body.notes[0], /could not be looked at just now/);
    assertRefused(await accepting, {
      status: 503,
      code: "unavailable",
      says: ["Clicks"],
      hints: ["Try again"],
    });
    const again = await ask(house, "DELETE /v1/datasets/Clicks", { key });
    assert.equal(again.status, 401);
    assert.equal((await ask(house, "GET /v1/datasets/Clicks", { key: acmeKey })).body.status, "CREATING");
  });
});
