import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { type Cidr, cidr, overlaps } from "../domain/cidr.ts";
import { Failure } from "../domain/failure.ts";
import type { DatasetRange, Tenant, VpcSize } from "../domain/model.ts";
import { emptyWorld, type SeenPeering } from "../domain/world.ts";
import type { Store, Tx } from "../store/store.ts";
import { stores } from "../store/testing.ts";
import { takeRange, tenantRangeTree } from "./addresses.ts";

let store: Store;
let now = 0;
let made = 0;

for (const kind of stores(process.env))
  describe(`on ${kind.kind}`, { skip: kind.skip }, () => {
    before(() => kind.start());
    after(() => kind.stop());
    beforeEach(async () => {
      const fresh = await kind.fresh();
      store = fresh.store;
      now = fresh.clock.now();
      made = 0;
      await space(["10.2.0.0/16"]);
    });
    describe("a range is chosen", choosing);
    describe("a block is wanted", wanting);
    describe("nothing is left", refusing);
    test("the tree shows the tenant's pool, ranges, blocks and numbers", showing);
  });

const at = (ms: number) => new Date(now + ms).toISOString();

const space = (pools: string[], excluded: string[] = []) =>
  store.change((tx) =>
    tx.updateSettings({ addressSpace: pools.map(cidr), excludedCidrs: excluded.map(cidr) }),
  );

const tenantOf = (name: string, rangeLimit = 8, avoid: string[] = []): Promise<Tenant> =>
  store.change((tx) => tx.insertTenant({ name, rangeLimit, avoidCidrs: avoid.map(cidr) }));

const insertDataset = (tx: Tx, tenantId: string, name: string) =>
  tx.insertDataset({
    tenantId,
    name,
    region: "us-east-1",
    customerAccountForAccess: "222222222222",
    writeConnector: {
      connectorDestination: "Kafka",
      resourceLocation: "letsdata",
      vpcSize: "small",
      vpcCidrBlock: null,
      kafka: null,
    },
    functionArns: [],
    configuration: {},
    status: "CREATING",
  });

/** As a create does it: lock, dataset, range, in one transaction. */
const take = (
  tenant: Tenant,
  size: VpcSize,
  wanted: string | null = null,
  later = 0,
): Promise<DatasetRange> =>
  store.change(async (tx) => {
    const locked = await tx.lockTenant(tenant.id);
    assert.ok(locked);
    const dataset = await insertDataset(tx, tenant.id, `Set${++made}`);
    return takeRange(tx, {
      tenant: locked,
      datasetId: dataset.id,
      size,
      wanted: wanted === null ? null : cidr(wanted),
      settings: await tx.settings(),
      now: now + later,
    });
  });

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (thrown) {
    assert.ok(thrown instanceof Failure, String(thrown));
    return thrown;
  }
  return assert.fail("nothing was refused");
}

const rangesOf = async (tenant: Tenant) =>
  (await store.tenant(tenant.id).ranges()).map((range) => range.cidr);

/** Deletes the network of a dataset as the reconciler does, so that its range rests. */
async function release(tenant: Tenant, range: DatasetRange): Promise<void> {
  const networkId = await store.change(async (tx) => {
    const cell = await tx.cellFor({ account: "111111111111", roleArn: null, region: "us-east-1" });
    const { tenantId, datasetId, cidr: block } = { ...range, tenantId: tenant.id };
    const network = await tx.insertNetwork({ tenantId, datasetId, cell, size: "small", cidr: block });
    await tx.askDelete(datasetId);
    await tx.wake(network.id);
    return network.id;
  });
  const [lease] = await store.work.claim(1, 60_000);
  assert.equal(lease?.networkId, networkId);
  assert.ok(lease);
  await store.pass(lease).markGone();
}

function choosing() {
  test("the first dataset takes the tenant's first /21, the lowest that is free", async () => {
    const range = await take(await tenantOf("acme"), "small");
    assert.deepEqual(
      [range.cidr, range.tenantRange, range.state, range.datasetName],
      ["10.2.0.0/25", "10.2.0.0/21", "used", "Set1"],
    );
  });

  test("small ones fill up one corner, so that large ones still fit", async () => {
    const acme = await tenantOf("acme");
    const taken: Cidr[] = [];
    for (const size of ["small", "large", "small", "medium"] as const)
      taken.push((await take(acme, size)).cidr);
    assert.deepEqual(taken, ["10.2.0.0/25", "10.2.4.0/22", "10.2.0.128/25", "10.2.2.0/23"]);
    assert.deepEqual(await rangesOf(acme), ["10.2.0.0/21"]);
  });

  test("a full range leads to a further one, beside the other tenants'", async () => {
    const [acme, other] = [await tenantOf("acme"), await tenantOf("other")];
    await take(acme, "large");
    await take(other, "large");
    await take(acme, "large");
    assert.equal((await take(acme, "large")).cidr, "10.2.16.0/22");
    assert.deepEqual(await rangesOf(acme), ["10.2.0.0/21", "10.2.16.0/21"]);
  });

  test("the tenant's own networks and the operator's exclusions are kept free", async () => {
    await space(["10.2.0.0/19"], ["10.2.0.0/21"]);
    const acme = await tenantOf("acme", 8, ["10.2.8.0/22", "10.2.12.0/23", "10.2.14.0/24"]);
    assert.equal((await take(acme, "small")).cidr, "10.2.15.0/25");
    // Only a /24 was left there: a large one passes that slot over.
    assert.equal((await take(acme, "large")).cidr, "10.2.16.0/22");
  });

  test("slots that are closed in part are passed over, however many", async () => {
    const spoiled = Array.from({ length: 6 }, (_, slot) => [
      `10.2.${slot * 8}.0/24`,
      `10.2.${slot * 8 + 4}.0/24`,
    ]);
    const acme = await tenantOf("acme", 8, spoiled.flat());
    assert.equal((await take(acme, "large")).cidr, "10.2.48.0/22");
  });

  test("a further range keeps away from what the tenant peers with, while there is another", async () => {
    await space(["10.2.0.0/20", "10.2.16.0/21"]);
    const acme = await tenantOf("acme");
    const first = await take(acme, "large");
    await take(acme, "large");
    await peer(acme, first, "10.2.8.0/22");
    assert.equal((await take(acme, "large")).cidr, "10.2.16.0/22");
    await take(acme, "large");
    assert.equal((await take(acme, "large")).cidr, "10.2.8.0/22");
  });

  test("datasets created side by side never share an address", async () => {
    const [acme, other] = [await tenantOf("acme"), await tenantOf("other")];
    const sizes: VpcSize[] = ["small", "large", "medium", "small", "large", "medium"];
    const taken = await Promise.all(sizes.flatMap((size) => [take(acme, size), take(other, size)]));
    for (const [index, one] of taken.entries())
      assert.ok(taken.every((two, place) => place === index || !overlaps(one.cidr, two.cidr)));
  });
}

/** Leaves an active peering with that block in what was last seen of the dataset's network. */
async function peer(tenant: Tenant, range: DatasetRange, block: string): Promise<void> {
  await store.change(async (tx) => {
    const cell = await tx.cellFor({ account: "111111111111", roleArn: null, region: "us-east-1" });
    const { datasetId, cidr: own } = range;
    const network = await tx.insertNetwork({
      tenantId: tenant.id,
      datasetId,
      cell,
      size: "large",
      cidr: own,
    });
    await tx.wake(network.id);
  });
  const [lease] = await store.work.claim(1, 60_000);
  assert.ok(lease);
  const peering: SeenPeering = {
    id: "pcx-1",
    vpcId: "vpc-1",
    state: "active",
    stateMessage: "",
    requesterAccount: "222222222222",
    requesterVpcId: "vpc-2",
    requesterRegion: "us-east-1",
    requesterCidrs: [cidr(block)],
    dnsFromRemote: true,
    expiresAt: null,
  };
  const world = { ...emptyWorld(now), peerings: [peering] };
  await store.pass(lease).saveStatus({ conditions: [], world, observedAt: now });
}

function wanting() {
  test("in the tenant's range, and elsewhere with the /21 around it", async () => {
    const acme = await tenantOf("acme");
    assert.equal((await take(acme, "small", "10.2.9.128/25")).tenantRange, "10.2.8.0/21");
    assert.equal((await take(acme, "small", "10.2.10.0/25")).tenantRange, "10.2.8.0/21");
    assert.deepEqual(await rangesOf(acme), ["10.2.8.0/21"]);
  });

  test("a collision names the dataset, and the nearest free blocks", async () => {
    const acme = await tenantOf("acme");
    await take(acme, "small");
    const failure = await failureOf(take(acme, "small", "10.2.0.0/25"));
    assert.equal(failure.code, "conflict");
    assert.equal(failure.message, "10.2.0.0/25 overlaps 10.2.0.0/25 (dataset Set1)");
    assert.equal(
      failure.hint,
      "Free and nearest: 10.2.0.128/25, 10.2.1.0/25, 10.2.1.128/25. " +
        "Or leave vpcCidrBlock out, and a free block is chosen.",
    );
  });

  test("another tenant's range is refused without its name", async () => {
    const [acme, secret] = [await tenantOf("acme"), await tenantOf("secret")];
    await take(secret, "small");
    const failure = await failureOf(take(acme, "small", "10.2.4.0/25"));
    assert.equal(failure.code, "conflict");
    assert.equal(failure.message, "10.2.4.0/25 overlaps 10.2.0.0/21 (another tenant's range)");
    assert.match(failure.hint ?? "", /^Free and nearest: 10\.2\.8\.0\/25, /);
    assert.doesNotMatch(`${failure.message} ${failure.hint} ${failure.detail}`, /secret|Set1/);
    assert.deepEqual(await rangesOf(acme), []);
  });

  test("wrong masks and blocks outside the address space are invalid", async () => {
    const acme = await tenantOf("acme");
    const wrong = await failureOf(take(acme, "small", "10.2.0.0/24"));
    assert.deepEqual(
      [wrong.code, wrong.message],
      ["invalid", "10.2.0.0/24 has the mask /24, and size small takes a /25"],
    );
    const outside = await failureOf(take(acme, "small", "10.3.0.0/25"));
    assert.deepEqual(
      [outside.code, outside.message],
      ["invalid", "10.3.0.0/25 lies outside the address space (10.2.0.0/16)"],
    );
  });

  test("beyond the limit of ranges it is exhausted, and says where there is room", async () => {
    const acme = await tenantOf("acme", 1);
    await take(acme, "small");
    const failure = await failureOf(take(acme, "small", "10.2.8.0/25"));
    assert.equal(failure.code, "exhausted");
    assert.match(failure.message, /has 1 of at most 1$/);
    assert.match(failure.hint ?? "", /10\.2\.7\.128\/25, 10\.2\.7\.0\/25, 10\.2\.6\.128\/25/);
  });
}

function refusing() {
  test("says what is needed, what is there, and each way out", async () => {
    const acme = await tenantOf("acme", 1);
    await take(acme, "large");
    await take(acme, "medium");
    await take(acme, "small");
    const failure = await failureOf(take(acme, "large"));
    assert.equal(failure.code, "exhausted");
    assert.equal(
      failure.message,
      "Size large needs a free /22 (1024 addresses): tenant acme has 1 of at most 1 ranges, and free in them: " +
        "1 × /24 (10.2.7.0/24), 1 × /25 (10.2.6.128/25)",
    );
    assert.equal(
      failure.hint,
      "A smaller size fits: small. Ask the operator to raise the tenant's range limit.",
    );
    assert.equal((await store.tenant(acme.id).datasets({ limit: 10, cursor: null })).items.length, 3);
  });

  test("an address space that is used up is the operator's to extend", async () => {
    await space(["10.2.0.0/21"]);
    const acme = await tenantOf("acme");
    await take(acme, "large");
    await take(acme, "large");
    const failure = await failureOf(take(acme, "small"));
    assert.match(failure.message, /has 1 of at most 8 ranges, and nothing is free in them$/);
    assert.match(failure.hint ?? "", /^The address space has no further range .* add a pool\.$/);
  });

  test("a resting range is not given out, and its end is named; at its end it is", async () => {
    await store.change((tx) => tx.updateSettings({ quarantineSeconds: 3600 }));
    const acme = await tenantOf("acme", 1);
    const first = await take(acme, "large");
    await take(acme, "large");
    await release(acme, first);
    const failure = await failureOf(take(acme, "large"));
    assert.ok(failure.hint?.includes(`A /22 comes back at ${at(3_600_000)}`), failure.hint);
    const wanted = await failureOf(take(acme, "large", first.cidr));
    assert.equal(
      wanted.message,
      `${first.cidr} overlaps ${first.cidr} (resting until ${at(3_600_000)}, was dataset Set1)`,
    );
    assert.equal((await take(acme, "large", null, 3_600_000)).cidr, first.cidr);
  });
}

async function showing() {
  const acme = await tenantOf("acme");
  await take(await tenantOf("other"), "small");
  await take(acme, "large");
  const [pool] = await tenantRangeTree(store, acme);
  assert.equal(pool?.cidr, "10.2.0.0/16");
  assert.deepEqual(
    pool?.children.map((range) => [
      range.cidr,
      range.usage.percentUsed,
      range.children.map((one) => one.label),
    ]),
    [["10.2.8.0/21", 50, ["dataset Set2", ""]]],
  );
}
