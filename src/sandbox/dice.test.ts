/** Chance that repeats. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Dice } from "./dice.ts";

const throwsOf = (dice: Dice) => Array.from({ length: 20 }, () => dice.next());

test("the same seed gives the same throws, another seed or stream others", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const first = throwsOf(new Dice(seed));
      assert.deepEqual(throwsOf(new Dice(seed)), first);
      assert.notDeepEqual(throwsOf(new Dice(seed + 1)), first);
      assert.notDeepEqual(throwsOf(new Dice(seed, 1)), first);
    }),
  );
});

test("throws stay within their bounds", () => {
  const bounds = fc.integer({ min: 0, max: 1_000 });
  fc.assert(
    fc.property(fc.integer(), bounds, bounds, (seed, min, max) => {
      const dice = new Dice(seed);
      const thrown = dice.between(min, max);
      assert.ok(Number.isInteger(thrown) && thrown >= min && thrown <= Math.max(min, max));
      assert.ok(["a", "b"].includes(dice.oneOf(["a", "b"]) ?? ""));
      assert.equal(dice.oneOf([]), undefined);
    }),
  );
});

test("every number of a range comes", () => {
  const dice = new Dice(1);
  const seen = new Set(Array.from({ length: 200 }, () => dice.between(1, 6)));
  assert.deepEqual([...seen].sort(), [1, 2, 3, 4, 5, 6]);
});
