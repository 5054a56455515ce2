import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Cidr, cidr, cidrAt, compareCidrs, overlaps, span } from "../domain/cidr.ts";
import type { DatasetRange } from "../domain/model.ts";
import { closedBlocks } from "./ipam.ts";
import { rangeTree } from "./rangeTree.ts";

const RANGE = cidr("10.2.0.0/21");
const tenantRange = (text: string) => ({ cidr: cidr(text), tenantId: "t1", createdAt: 0 });
const datasetRange = (block: string, change: Partial<DatasetRange> = {}): DatasetRange => ({
  cidr: cidr(block),
  tenantRange: RANGE,
  tenantId: "t1",
  datasetId: "d1",
  datasetName: "Clicks",
  state: "used",
  freeAt: null,
  ...change,
});

test("pool, tenant range, blocks and numbers", () => {
  const [pool, ...more] = rangeTree({
    addressSpace: [cidr("10.0.0.0/8"), cidr("172.16.0.0/12")],
    tenantRanges: [tenantRange("10.2.0.0/21")],
    datasetRanges: [
      datasetRange("10.2.0.0/25"),
      datasetRange("10.2.2.0/23", { state: "quarantined", freeAt: 5000, datasetName: "Old" }),
    ],
    closed: closedBlocks({ excludedCidrs: [], avoidCidrs: [cidr("10.2.0.0/24")] }),
  });
  assert.deepEqual(more, []);
  assert.equal(pool?.cidr, "10.0.0.0/8");
  const [range] = pool?.children ?? [];
  assert.deepEqual(range?.usage, {
    addresses: 2048,
    used: 128,
    quarantined: 512,
    excluded: 128,
    free: 1280,
    percentUsed: 6.3,
  });
  assert.deepEqual(pool?.usage, range?.usage);
  assert.deepEqual(
    range?.children.map(({ kind, state, cidr: block, label, freeAt }) => [kind, state, block, label, freeAt]),
    [
      ["datasetRange", "used", "10.2.0.0/25", "dataset Clicks", null],
      ["excluded", "excluded", "10.2.0.128/25", "10.2.0.0/24 (a network of yours, in avoidCidrs)", null],
      ["free", "free", "10.2.1.0/24", "", null],
      ["datasetRange", "quarantined", "10.2.2.0/23", "resting, was dataset Old", 5000],
      ["free", "free", "10.2.4.0/22", "", null],
    ],
  );
  assert.deepEqual(
    range?.children[0]?.collidesWith.map((held) => held.cidr),
    ["10.2.0.0/24"],
  );
});

test("a range whose pool was taken away is still shown", () => {
  const [pool] = rangeTree({
    addressSpace: [cidr("172.16.0.0/12")],
    tenantRanges: [tenantRange("10.2.0.0/21")],
    datasetRanges: [],
    closed: [],
  });
  assert.equal(pool?.cidr, RANGE);
  assert.equal(pool?.label, "no longer in the address space");
  assert.equal(pool?.children[0]?.usage.percentUsed, 0);
});

test("the blocks of a tenant range tile it exactly", () => {
  const block = fc
    .record({ at: fc.nat(2047), mask: fc.integer({ min: 21, max: 29 }) })
    .map(({ at, mask }) => cidrAt(span(RANGE).first + at, mask));
  fc.assert(
    fc.property(fc.array(block, { maxLength: 8 }), fc.array(block, { maxLength: 4 }), (some, closed) => {
      const taken: Cidr[] = [];
      for (const one of some) if (!taken.some((other) => overlaps(one, other))) taken.push(one);
      const [pool] = rangeTree({
        addressSpace: [cidr("10.0.0.0/8")],
        tenantRanges: [tenantRange("10.2.0.0/21")],
        datasetRanges: taken.map((one) => datasetRange(one)),
        closed: closedBlocks({ excludedCidrs: closed, avoidCidrs: [] }),
      });
      const range = pool?.children[0];
      let next = span(RANGE).first;
      for (const { first, end } of (range?.children ?? [])
        .map((node) => node.cidr)
        .sort(compareCidrs)
        .map(span)) {
        assert.equal(first, next);
        next = end;
      }
      assert.equal(next, span(RANGE).end);
      const usage = range?.usage;
      assert.ok(usage);
      assert.equal(usage.used + usage.quarantined + usage.excluded + usage.free, 2048);
    }),
  );
});
