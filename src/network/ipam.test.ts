import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  addressCount,
  type Cidr,
  cidr,
  cidrAt,
  contains,
  maskLength,
  overlaps,
  span,
} from "../domain/cidr.ts";
import {
  chooseBlock,
  closedBlocks,
  collisions,
  freeBlocks,
  type Held,
  heldText,
  judgeWanted,
  nearestFree,
  type OwnRange,
  type WantedBlock,
} from "./ipam.ts";

const RANGE = cidr("10.2.0.0/21");
const held = (block: string, label = "dataset Clicks"): Held => ({ cidr: cidr(block), label });
const own = (block: string, ...used: string[]): OwnRange => ({
  cidr: cidr(block),
  used: used.map((text) => held(text)),
});

/** Blocks in and around 10.2.0.0/21, from larger than it down to one address. */
const block = (low = 18, high = 32) =>
  fc
    .record({ offset: fc.integer({ min: -4096, max: 6143 }), mask: fc.integer({ min: low, max: high }) })
    .map(({ offset, mask }) => cidrAt(span(RANGE).first + offset, mask));
const blocks = fc.array(block(21, 30), { maxLength: 12 });

/** For each address of the range: is it free? */
function freeAddresses(range: Cidr, taken: readonly Cidr[]): boolean[] {
  const { first } = span(range);
  const spans = taken.map(span);
  return Array.from({ length: addressCount(range) }, (_, at) =>
    spans.every((one) => first + at < one.first || first + at >= one.end),
  );
}

/** The oracle: asks every aligned block for every one of its addresses. Offsets from the range's start. */
function freeByHand(range: Cidr, taken: readonly Cidr[]): Cidr[] {
  const free = freeAddresses(range, taken);
  const isFree = (at: number, size: number) => free.slice(at, at + size).every(Boolean);
  const found: Cidr[] = [];
  for (let size = free.length; size >= 1; size /= 2)
    for (let at = 0; at < free.length; at += size) {
      const parentFree = size < free.length && isFree(at - (at % (2 * size)), 2 * size);
      if (!parentFree && isFree(at, size)) found.push(cidrAt(span(range).first + at, 32 - Math.log2(size)));
    }
  return found.sort((a, b) => span(a).first - span(b).first);
}

/** Every aligned block of `mask` in `range` of which each address is free. */
function placesByHand(range: Cidr, mask: number, taken: readonly Cidr[]): Cidr[] {
  const free = freeAddresses(range, taken);
  const size = 2 ** (32 - mask);
  const found: Cidr[] = [];
  for (let at = 0; at < free.length; at += size)
    if (free.slice(at, at + size).every(Boolean)) found.push(cidrAt(span(range).first + at, mask));
  return found;
}

describe("freeBlocks", () => {
  test("an empty range is one free block", () => assert.deepEqual(freeBlocks(RANGE, []), [RANGE]));

  test("halves that are both free stay whole", () =>
    assert.deepEqual(freeBlocks(RANGE, [cidr("10.2.0.0/25")]), [
      "10.2.0.128/25",
      "10.2.1.0/24",
      "10.2.2.0/23",
      "10.2.4.0/22",
    ]));

  test("a block around the range leaves nothing; one beside it takes nothing", () => {
    assert.deepEqual(freeBlocks(RANGE, [cidr("10.0.0.0/8")]), []);
    assert.deepEqual(freeBlocks(RANGE, [cidr("10.2.8.0/21")]), [RANGE]);
  });

  test("agrees with asking every aligned block", () => {
    fc.assert(
      fc.property(fc.array(block(), { maxLength: 6 }), (taken) => {
        assert.deepEqual(freeBlocks(RANGE, taken), freeByHand(RANGE, taken));
      }),
      { numRuns: 100 },
    );
  });
});

describe("chooseBlock", () => {
  const choose = (mask: number, ...ranges: OwnRange[]) => chooseBlock({ mask, ranges, closed: [] });

  test("the smallest hole that fits is taken before a lower, larger one", () =>
    assert.deepEqual(
      choose(25, own("10.2.0.0/21", "10.2.2.0/23", "10.2.4.0/25"), own("10.2.8.0/21", "10.2.8.0/22")),
      { kind: "block", cidr: "10.2.4.128/25", range: RANGE },
    ));

  test("of equal holes the lowest is taken", () =>
    assert.deepEqual(choose(22, own("10.2.8.0/21"), own("10.2.0.0/21")), {
      kind: "block",
      cidr: "10.2.0.0/22",
      range: RANGE,
    }));

  test("a full house names what is still free", () =>
    assert.deepEqual(choose(22, own("10.2.0.0/21", "10.2.0.0/25", "10.2.4.0/23")), {
      kind: "full",
      free: ["10.2.0.128/25", "10.2.1.0/24", "10.2.2.0/23", "10.2.6.0/23"],
    }));

  test("closed blocks are never given", () => {
    const closed = closedBlocks({ excludedCidrs: [cidr("10.2.0.0/22")], avoidCidrs: [cidr("10.2.4.0/23")] });
    assert.deepEqual(chooseBlock({ mask: 23, ranges: [own("10.2.0.0/21")], closed }), {
      kind: "block",
      cidr: "10.2.6.0/23",
      range: RANGE,
    });
  });

  test("finds a block whenever there is one, and the one with the smallest hole around it", () => {
    fc.assert(
      fc.property(blocks, blocks, fc.constantFrom(22, 23, 25), (used, closed, mask) => {
        const taken = [...used, ...closed];
        const choice = chooseBlock({
          mask,
          ranges: [{ cidr: RANGE, used: used.map((one) => ({ cidr: one, label: "used" })) }],
          closed: closed.map((one) => ({ cidr: one, label: "closed" })),
        });
        const places = placesByHand(RANGE, mask, taken);
        if (choice.kind === "full") {
          assert.deepEqual(places, []);
          return;
        }
        assert.equal(maskLength(choice.cidr), mask);
        assert.ok(places.includes(choice.cidr));
        const holes = freeByHand(RANGE, taken);
        const hole = (part: Cidr) => maskLength(holes.find((free) => contains(free, part)) ?? part);
        const smallest = Math.max(...places.map(hole));
        assert.equal(
          choice.cidr,
          places.find((part) => hole(part) === smallest),
        );
      }),
      { numRuns: 100 },
    );
  });

  test("while nothing is given back, a size is refused only when fewer addresses than it are left", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(22, 23, 25), { minLength: 8, maxLength: 24 }), (masks) => {
        const used: Held[] = [];
        for (const mask of masks) {
          const choice = chooseBlock({ mask, ranges: [{ cidr: RANGE, used }], closed: [] });
          const left = 2048 - used.reduce((sum, one) => sum + addressCount(one.cidr), 0);
          assert.equal(choice.kind, left < 2 ** (32 - mask) ? "full" : "block");
          if (choice.kind === "full") continue;
          assert.deepEqual(collisions(choice.cidr, used), []);
          used.push({ cidr: choice.cidr, label: "" });
        }
      }),
    );
  });
});

describe("judgeWanted", () => {
  const given = (wanted: string, change: Partial<WantedBlock> = {}): WantedBlock => ({
    wanted: cidr(wanted),
    size: "small",
    ranges: [own("10.2.0.0/21", "10.2.0.0/25")],
    closed: closedBlocks({ excludedCidrs: [cidr("10.10.0.0/16")], avoidCidrs: [cidr("10.2.4.0/24")] }),
    addressSpace: [cidr("10.0.0.0/8")],
    others: [],
    rangeLimit: 2,
    ...change,
  });
  const refusalOf = (question: WantedBlock) => {
    const judgement = judgeWanted(question);
    assert.ok(judgement.kind === "refused");
    return judgement;
  };

  test("a free block in a range of the tenant fits", () =>
    assert.deepEqual(judgeWanted(given("10.2.0.128/25")), { kind: "fits", range: RANGE }));

  test("a free block elsewhere needs the aligned /21 around it", () =>
    assert.deepEqual(judgeWanted(given("10.3.9.128/25")), { kind: "grow", grow: "10.3.8.0/21" }));

  test("the slot around it may be closed in part, if the block is not", () =>
    assert.deepEqual(
      judgeWanted(given("10.3.0.128/25", { closed: [held("10.3.0.0/25"), held("10.3.1.0/24")] })),
      { kind: "grow", grow: "10.3.0.0/21" },
    ));

  test("a wrong mask says which size it would be", () => {
    const { code, why } = refusalOf(given("10.2.2.0/23"));
    assert.equal(code, "invalid");
    assert.equal(why, "10.2.2.0/23 has the mask /23, and size small takes a /25 (a /23 is size medium)");
  });

  test("a block outside the address space is invalid", () => {
    const { code, why } = refusalOf(given("172.16.0.0/25"));
    assert.equal(code, "invalid");
    assert.equal(why, "172.16.0.0/25 lies outside the address space (10.0.0.0/8)");
  });

  test("a pool smaller than a range cannot give one", () => {
    const { code, why } = refusalOf(given("10.9.0.0/25", { addressSpace: [cidr("10.9.0.0/22")] }));
    assert.equal(code, "invalid");
    assert.match(why, /needs the range 10\.9\.0\.0\/21, which reaches out of the address space/);
  });

  test("a range the tenant owns stays usable outside the pools", () =>
    assert.deepEqual(judgeWanted(given("10.2.0.128/25", { addressSpace: [cidr("172.16.0.0/12")] })), {
      kind: "fits",
      range: RANGE,
    }));

  test("names the dataset it collides with", () => {
    const { code, why, collidesWith } = refusalOf(given("10.2.0.0/25"));
    assert.equal(code, "conflict");
    assert.equal(why, "10.2.0.0/25 overlaps 10.2.0.0/25 (dataset Clicks)");
    assert.deepEqual(collidesWith, [held("10.2.0.0/25")]);
  });

  test("names an exclusion and a network of the tenant's", () => {
    assert.equal(
      refusalOf(given("10.10.4.0/25")).why,
      "10.10.4.0/25 overlaps 10.10.0.0/16 (excluded by the operator)",
    );
    assert.equal(
      refusalOf(given("10.2.4.128/25")).why,
      "10.2.4.128/25 overlaps 10.2.4.0/24 (a network of yours, in avoidCidrs)",
    );
  });

  test("another tenant's range is refused", () => {
    const others = [held("10.3.0.0/21", "another tenant's range")];
    const { code, why } = refusalOf(given("10.3.0.0/25", { others }));
    assert.equal(code, "conflict");
    assert.equal(why, "10.3.0.0/25 overlaps 10.3.0.0/21 (another tenant's range)");
  });

  test("no further range beyond the limit", () => {
    const { code, why } = refusalOf(given("10.3.0.0/25", { rangeLimit: 1 }));
    assert.equal(code, "exhausted");
    assert.equal(why, "10.3.0.0/25 lies in none of the tenant's ranges, and it has 1 of at most 1");
  });

  test("what fits or grows never overlaps anything in the way", () => {
    fc.assert(
      fc.property(block(25, 25), blocks, blocks, (wanted, used, closed) => {
        const question = given(wanted, {
          ranges: [{ cidr: RANGE, used: used.filter((one) => contains(RANGE, one)).map((one) => held(one)) }],
          closed: closed.map((one) => held(one, "closed")),
        });
        const inTheWay = [...question.closed, ...question.ranges.flatMap((range) => range.used)];
        const judgement = judgeWanted(question);
        const hit = inTheWay.some((one) => overlaps(one.cidr, wanted));
        assert.equal(judgement.kind, hit ? "refused" : contains(RANGE, wanted) ? "fits" : "grow");
        if (judgement.kind === "grow") assert.ok(contains(judgement.grow, wanted));
      }),
    );
  });
});

describe("nearestFree", () => {
  test("offers neighbours in the range and in free slots, nearest first, the lower first when equal", () =>
    assert.deepEqual(
      nearestFree({
        wanted: cidr("10.2.8.0/23"),
        mask: 23,
        ranges: [own("10.2.0.0/21", "10.2.4.0/22")],
        closed: [],
        slots: [cidr("10.2.8.0/21")],
      }),
      ["10.2.8.0/23", "10.2.10.0/23", "10.2.12.0/23"],
    ));

  test("nothing that fits is an empty list", () =>
    assert.deepEqual(
      nearestFree({
        wanted: RANGE,
        mask: 22,
        ranges: [own("10.2.0.0/21", "10.2.0.0/22", "10.2.4.0/25")],
        closed: [],
        slots: [],
      }),
      [],
    ));

  test("agrees with sorting every free block by distance", () => {
    const slot = cidr("10.2.8.0/21");
    fc.assert(
      fc.property(block(25, 25), blocks, fc.constantFrom(22, 23, 25), (wanted, closed, mask) => {
        const target = span(wanted).first;
        const byHand = [RANGE, slot]
          .flatMap((range) => placesByHand(range, mask, closed))
          .map((part) => ({ part, far: Math.abs(span(part).first - target) }))
          .sort((a, b) => a.far - b.far || span(a.part).first - span(b.part).first)
          .slice(0, 3)
          .map(({ part }) => part);
        const found = nearestFree({
          wanted,
          mask,
          ranges: [{ cidr: RANGE, used: [] }],
          closed: closed.map((one) => held(one)),
          slots: [slot],
        });
        assert.deepEqual(found, byHand);
      }),
    );
  });
});

test("heldText names three and counts the rest", () => {
  const many = ["10.2.0.0/25", "10.2.0.128/25", "10.2.1.0/25", "10.2.2.0/25"].map((text) => held(text, "x"));
  assert.equal(heldText(many.slice(0, 1)), "10.2.0.0/25 (x)");
  assert.equal(heldText(many), "10.2.0.0/25 (x) and 10.2.0.128/25 (x) and 10.2.1.0/25 (x) and 1 more");
});
