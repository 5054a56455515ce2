import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { cellAt, plain, table } from "./render.ts";

const HEAD = ["name", "status", "reason"];
const REASON = "the quota of elastic addresses in us-east-1 is used up";

describe("a table", () => {
  test("is as wide as its content without a limit", async () => {
    const drawn = await table({ head: HEAD, rows: [["Clicks", "ERROR", REASON]] });
    assert.equal(drawn, `name    status  reason\nClicks  ERROR   ${REASON}\n`);
  });

  test("wraps the widest column at spaces when the terminal is narrow", async () => {
    const drawn = await table({ head: HEAD, rows: [["Clicks", "ERROR", REASON]], columns: 50 });
    assert.ok(drawn.split("\n").every((line) => line.length <= 50));
    assert.equal(
      drawn
        .split("\n")
        .slice(1)
        .map((line) => line.slice(16).trim())
        .join(" ")
        .trim(),
      REASON,
    );
  });

  test("becomes blocks when even words do not fit", async () => {
    const drawn = await table({ head: HEAD, rows: [["Clicks", "ERROR", REASON]], columns: 12 });
    assert.equal(drawn, `name    Clicks\nstatus  ERROR\nreason  ${REASON}\n`);
  });

  test("colours states on request only", async () => {
    const rows = [["Clicks", "ACTIVE", "-"]];
    assert.ok(!(await table({ head: HEAD, rows })).includes("\u001b"));
    assert.ok((await table({ head: HEAD, rows, colour: true })).includes("\u001b[32mACTIVE\u001b[39m"));
  });

  test("never loses a word at any width", async () => {
    const word = fc.stringMatching(/^[a-z0-9/.-]{1,12}$/);
    const cell = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join(" "));
    const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 120 }), async (given, columns) => {
        const drawn = await table({ head: HEAD, rows: given, columns });
        const left = drawn.split(/\s+/);
        for (const one of given.flat().flatMap((text) => text.split(" "))) assert.ok(left.includes(one), one);
      }),
    );
  });
});

test("cells are taken by dotted path; nothing is a dash", () => {
  const item = { a: { b: [1, "x"] }, none: null, empty: [], flag: false };
  assert.deepEqual(
    ["a.b", "none", "empty", "missing.deeper", "flag", "a"].map((path) => cellAt(item, path)),
    ["1, x", "-", "-", "-", "false", '{"b":[1,"x"]}'],
  );
});

test("control characters do not reach the terminal", () => {
  assert.equal(plain("a\u001b[2Jb\u0007\nc"), "a [2Jb c");
});
