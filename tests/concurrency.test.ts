/**
 * Many creates at the same moment: whatever comes in between, no two datasets share an address, what is closed
 * stays closed, and who gets nothing is told what is left. In one process on the embedded database, and over
 * two control planes on one PostgreSQL. No network is made: only wishes count here.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Cidr, contains, overlaps } from "../src/domain/cidr.ts";
import { type PostgresDatabases, postgresDatabases } from "../src/store/testing.ts";
import { fastClock } from "./support/clocks.ts";
import { type House, openHouse } from "./support/house.ts";
import { ask, assertRefused, kafka, type Reply } from "./support/requests.ts";

const SIZES = ["large", "small", "medium", "small"] as const;
const MASK = { small: 25, medium: 23, large: 22 } as const;
const EXCLUDED = "10.2.8.0/22" as Cidr;
const AVOIDED = "10.2.16.0/23" as Cidr;

let houses: readonly House[] = [];
/** Requests go to the houses in turn. */
const houseFor = (index: number): House => {
  const house = houses[index % houses.length];
  assert.ok(house);
  return house;
};

describe("in one process", () => {
  before(async () => {
    houses = [await openHouse({ reconcile: false })];
  });
  after(closeAll);
  creating();
});

const databases: PostgresDatabases = postgresDatabases(process.env);

describe("over two control planes on one PostgreSQL", { skip: databases.skip }, () => {
  before(async () => {
    await databases.start();
    const databaseUrl = await databases.create();
    const clock = fastClock();
    const first = await openHouse({ databaseUrl, clock, reconcile: false });
    const { sandboxUrl } = first;
    houses = [first, await openHouse({ databaseUrl, clock, sandboxUrl, reconcile: false })];
  });
  after(async () => {
    await closeAll();
    await databases.stop();
  });
  creating();
});

async function closeAll(): Promise<void> {
  for (const house of houses.toReversed()) await house.close();
}

const createTenant = (body: object) =>
  ask(houseFor(0), "POST /v1/tenants", { body }).then(({ status }) => assert.equal(status, 201));

/** All at once; the answers in the order of the requests. */
function createAll(tenantName: string, bodies: readonly object[], headers = {}): Promise<readonly Reply[]> {
  const what = `POST /v1/datasets?tenantName=${tenantName}`;
  return Promise.all(bodies.map((body, index) => ask(houseFor(index), what, { body, headers })));
}

async function items(what: string, tenantName: string) {
  const reply = await ask(houseFor(1), `GET ${what}?tenantName=${tenantName}&limit=1000`);
  assert.equal(reply.status, 200, reply.text);
  return reply.body.items;
}

interface Use {
  readonly cidrBlock: Cidr;
  readonly kind: string;
  readonly datasetName: string | null;
}

const ranges = async (tenantName: string): Promise<readonly Use[]> => items("/v1/ranges", tenantName);

function assertApart(blocks: readonly Cidr[]): void {
  for (const [index, one] of blocks.entries())
    for (const other of blocks.slice(index + 1)) assert.ok(!overlaps(one, other), `${one} and ${other}`);
}

/** The refused ones left nothing behind, and what was answered is what is kept. */
async function assertKept(tenantName: string, replies: readonly Reply[]): Promise<readonly Cidr[]> {
  const created = replies.filter(({ status }) => status === 201).map(({ body }) => body);
  const name = (a: { datasetName: string }, b: { datasetName: string }) =>
    a.datasetName < b.datasetName ? -1 : 1;
  const kept = await items("/v1/datasets", tenantName);
  const brief = ({ datasetName, cidrBlock }: { datasetName: string; cidrBlock: string }) =>
    `${datasetName} ${cidrBlock}`;
  assert.deepEqual(kept.map(brief), [...created].sort(name).map(brief));
  const uses = await ranges(tenantName);
  const used = uses.filter(({ kind }) => kind === "datasetRange").map(({ cidrBlock }) => cidrBlock);
  assert.deepEqual([...used].sort(), created.map(({ cidrBlock }) => cidrBlock).sort());
  return used;
}

function creating(): void {
  test("64 of mixed sizes in a space too small: apart, out of what is closed, the rest refused", usedUp);
  test("64 small ones and a limit of two ranges: as many as fit, to the last block", limited);
  test("two tenants at once: neither gets a part of the other's range", twoTenants);
  test("one block wanted sixteen times is given once", oneBlock);
  test("one name sixteen times makes one dataset", oneName);
  test("one Idempotency-Key sixteen times makes one dataset, and sixteen times its answer", oneKey);
}

async function usedUp(): Promise<void> {
  const space = { addressSpace: ["10.2.0.0/19"], excludedCidrs: [EXCLUDED], quarantineSeconds: 3600 };
  assert.equal((await ask(houseFor(0), "PATCH /v1/settings", { body: space })).status, 200);
  await createTenant({ tenantName: "acme", avoidCidrs: [AVOIDED], tenantRangeLimit: 8 });
  const sizes = Array.from({ length: 64 }, (_, index) => SIZES[index % SIZES.length] ?? "small");
  const bodies = sizes.map((vpcSize, index) => kafka(`Set${index}`, { vpcSize }));
  const replies = await createAll("acme", bodies);
  const blocks = await assertKept("acme", replies);
  assertApart([...blocks, EXCLUDED, AVOIDED]);
  assert.ok(blocks.length >= 10);
  for (const block of blocks) assert.ok(contains("10.2.0.0/19" as Cidr, block), block);
  const left = (await ranges("acme")).filter(({ kind }) => kind === "free");
  const largestLeft = Math.min(32, ...left.map(({ cidrBlock }) => Number(cidrBlock.split("/")[1])));
  for (const [index, reply] of replies.entries()) {
    const size = sizes[index] ?? "small";
    if (reply.status === 201) assert.ok(reply.body.cidrBlock.endsWith(`/${MASK[size]}`));
    else assertFullSpace(reply, { size, largestLeft });
  }
}

function assertFullSpace(
  reply: Reply,
  { size, largestLeft }: { size: keyof typeof MASK; largestLeft: number },
): void {
  assertRefused(reply, {
    status: 507,
    code: "exhausted",
    says: [
      `Size ${size} needs a free /${MASK[size]}`,
      "tenant acme has 4 of at most 8 ranges",
      / free in them/,
    ],
    hints: [/ask the operator to add a pool/],
  });
  // The space only shrinks here: who was refused would be refused now.
  assert.ok(largestLeft > MASK[size], `a /${largestLeft} is left, and ${size} was refused`);
}

async function limited(): Promise<void> {
  const addressSpace = ["10.2.0.0/19", "10.4.0.0/16"];
  assert.equal((await ask(houseFor(0), "PATCH /v1/settings", { body: { addressSpace } })).status, 200);
  await createTenant({ tenantName: "limited", tenantRangeLimit: 2 });
  const bodies = Array.from({ length: 64 }, (_, index) => kafka(`Set${index}`));
  const replies = await createAll("limited", bodies);
  const blocks = await assertKept("limited", replies);
  assert.equal(blocks.length, 32);
  assertApart(blocks);
  for (const reply of replies.filter(({ status }) => status !== 201))
    assertRefused(reply, {
      status: 507,
      code: "exhausted",
      says: ["tenant limited has 2 of at most 2 ranges, and nothing is free in them"],
      hints: ["Ask the operator to raise the tenant's range limit."],
    });
}

async function twoTenants(): Promise<void> {
  const names = ["left", "right"];
  for (const tenantName of names) await createTenant({ tenantName });
  const bodies = Array.from({ length: 16 }, (_, index) => kafka(`Set${index}`, { vpcSize: "large" }));
  const answers = await Promise.all(names.map((tenantName) => createAll(tenantName, bodies)));
  const blocks = await Promise.all(names.map((name, index) => assertKept(name, answers[index] ?? [])));
  assert.deepEqual(
    blocks.map(({ length }) => length),
    [16, 16],
  );
  assertApart(blocks.flat());
  const owned = await Promise.all(names.map(ranges));
  assertApart(owned.flat().flatMap(({ kind, cidrBlock }) => (kind === "tenantRange" ? [cidrBlock] : [])));
}

async function oneBlock(): Promise<void> {
  await createTenant({ tenantName: "wanting" });
  const vpcCidrBlock = "10.4.200.0/25";
  const bodies = Array.from({ length: 16 }, (_, index) => kafka(`Set${index}`, { vpcCidrBlock }));
  const replies = await createAll("wanting", bodies);
  assert.deepEqual(await assertKept("wanting", replies), [vpcCidrBlock]);
  const winner = replies.find(({ status }) => status === 201)?.body.datasetName;
  for (const reply of replies.filter(({ status }) => status !== 201))
    assertRefused(reply, {
      status: 409,
      code: "conflict",
      says: [`${vpcCidrBlock} overlaps ${vpcCidrBlock} (dataset ${winner})`],
      hints: [/^Free and nearest: .*10\.4\.200\.128\/25/],
    });
}

async function oneName(): Promise<void> {
  await createTenant({ tenantName: "named" });
  const replies = await createAll("named", Array(16).fill(kafka("Same")));
  assert.equal((await assertKept("named", replies)).length, 1);
  for (const reply of replies.filter(({ status }) => status !== 201))
    assertRefused(reply, { status: 409, code: "conflict", says: ["Dataset Same exists already (CREATING)"] });
}

async function oneKey(): Promise<void> {
  await createTenant({ tenantName: "once" });
  const headers = { "idempotency-key": "the-same" };
  const replies = await createAll("once", Array(16).fill(kafka("Same")), headers);
  const ids = new Set(replies.map(({ status, body }) => `${status} ${body.datasetId} ${body.cidrBlock}`));
  assert.equal(ids.size, 1, [...ids].join(", "));
  assert.equal((await items("/v1/datasets", "once")).length, 1);
}
