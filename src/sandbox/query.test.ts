/** Filters and pages on plain rows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { glob, matching, page } from "./query.ts";

const id = (text: string) => text;

test("a pattern with its wildcards escaped matches exactly its own text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (text, other) => {
      const pattern = glob(text.replace(/[*?\\]/g, "\\$&"));
      assert.equal(pattern.test(text), true);
      assert.equal(pattern.test(other), text === other);
    }),
  );
});

test("wildcards: any run, one character", () => {
  assert.equal(glob("a*c").test("abbc"), true);
  assert.equal(glob("a*c").test("ac\nc"), true);
  assert.equal(glob("a?c").test("abc"), true);
  assert.equal(glob("a?c").test("ac"), false);
  assert.equal(glob("a?c").test("a😀c"), true);
  assert.equal(glob("a.c").test("abc"), false);
});

test("walking the pages gives every row once, in order, while others come and go", () => {
  const ids = fc.uniqueArray(fc.constantFrom(..."abcdefghijklmnop"), { minLength: 1, maxLength: 16 });
  fc.assert(
    fc.property(ids, fc.integer({ min: 1, max: 5 }), fc.nat(15), (all, size, gone) => {
      const seen: string[] = [];
      let left = all;
      let NextToken: string | undefined;
      do {
        const answer = page(left, id, { MaxResults: size, NextToken, min: 1 });
        seen.push(...answer.items);
        NextToken = answer.NextToken;
        // One that was seen, perhaps the very last, goes between two pages.
        left = left.filter((one) => one !== seen[gone]);
      } while (NextToken);
      assert.deepEqual(seen, [...all].sort());
    }),
  );
});

test("filters without values and too many values are refused", () => {
  const by = { filters: { id }, tags: () => [] };
  assert.throws(() => matching(["a"], [{ Name: "id", Values: [] }], by), { code: "InvalidParameterValue" });
  const Values = Array.from({ length: 201 }, String);
  assert.throws(() => matching(["a"], [{ Name: "id", Values }], by), { code: "FilterLimitExceeded" });
  assert.throws(() => matching(["a"], [{ Name: "toString", Values: ["x"] }], by), {
    code: "InvalidParameterValue",
  });
});
