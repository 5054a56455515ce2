/**
 * The packet tests once more, as a user without any rights: namespaces of one's own must be enough. Whoever else than
 * root runs the tests has shown this by packets.test.ts itself.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { testAsNobody, whyNobody } from "./nobody.ts";

const FILES = [
  "tests/packets.test.ts",
  "tests/packets/controls.test.ts",
  "tests/packets/functions.test.ts",
  "tests/packets/kill.test.ts",
];
/** Root's own run kills more often. */
const KILLS = "2";

/** As many semantic checks, controls and tests of functions as there are at least. */
const LEAST = 85 + 21 + 8;

describe("packets of a user without rights", { skip: await whyNobody() }, () => {
  test("are those of root", async (t) => {
    const { code, output, passed, skipped } = await testAsNobody(FILES, { KILLS });
    assert.equal(code, 0, output);
    if (skipped) return t.skip(skipped);
    t.diagnostic(`${passed} checks as uid 65534`);
    assert.ok(passed >= LEAST, output);
  });
});
