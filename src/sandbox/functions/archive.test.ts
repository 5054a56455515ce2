/** Archives: what comes out of one, and what is refused before anything does. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { strToU8, zipSync } from "fflate";
import { ArchiveError, filesIn, UNPACKED_LIMIT } from "./archive.ts";

const NOTHING = strToU8("");

/** The archive with the number at that place of its directory's first entry: see APPNOTE.TXT, 4.3.12. */
function forged(zip: Uint8Array, offset: number, value: number): Uint8Array {
  const bytes = Buffer.from(zip);
  bytes.writeUInt32LE(value, bytes.indexOf(Buffer.from("PK\x01\x02", "latin1")) + offset);
  return bytes;
}

const UNPACKED_SIZE = 24;
const ATTRIBUTES = 38;

const textsIn = (zip: Uint8Array) =>
  filesIn(zip).map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]);

describe("an archive", () => {
  test("is its files, folders or not", () => {
    const zip = zipSync({ "a.js": strToU8("a"), lib: { "b.js": strToU8("ä"), deep: { "c.js": NOTHING } } });
    assert.deepEqual(textsIn(zip), [
      ["a.js", "a"],
      ["lib/b.js", "ä"],
      ["lib/deep/c.js", ""],
    ]);
  });

  test("may have files that are not compressed", () => {
    assert.deepEqual(textsIn(zipSync({ "a.js": strToU8("aaaa") }, { level: 0 })), [["a.js", "aaaa"]]);
  });

  test("has links as files", () => {
    const link = forged(zipSync({ "a.js": strToU8("/etc/passwd") }), ATTRIBUTES, (0o120777 << 16) >>> 0);
    assert.deepEqual(textsIn(link), [["a.js", "/etc/passwd"]]);
  });
});

describe("refused", () => {
  const names = [
    "../a",
    "lib/../../a",
    "/etc/passwd",
    "a//b",
    "./a",
    "..",
    "lib\\..\\a",
    "C:/a",
    "a\0b",
    "x".repeat(256),
  ];
  for (const name of names)
    test(`an entry called ${JSON.stringify(name.slice(0, 20))}`, () => {
      assert.throws(() => filesIn(zipSync({ [name]: NOTHING })), ArchiveError);
    });

  test("a file that is a folder too", () => {
    assert.throws(() => filesIn(zipSync({ lib: NOTHING, "lib/deep/a.js": NOTHING })), /lib is a file/);
  });

  test("what is no archive, or not all of one", () => {
    const zip = zipSync({ "a.js": strToU8("a".repeat(10_000)) });
    for (const bytes of [NOTHING, strToU8("PK"), zip.subarray(0, 100), strToU8("x".repeat(100_000))])
      assert.throws(() => filesIn(bytes), ArchiveError);
  });

  test("one that was damaged on the way", () => {
    const stored = Buffer.from(zipSync({ "a.js": strToU8("a".repeat(100)) }, { level: 0 }));
    stored.fill("b", 60, 61);
    assert.throws(() => filesIn(stored), /a\.js is damaged/);
  });

  test("more than 250 MB, before anything is unpacked", () => {
    const zip = forged(zipSync({ "a.js": strToU8("a".repeat(1_000)) }), UNPACKED_SIZE, UNPACKED_LIMIT + 1);
    assert.throws(
      () => filesIn(zip),
      (error) => error instanceof ArchiveError && error.isTooLarge,
    );
  });

  test("an entry that is larger than it says", () => {
    const zip = forged(zipSync({ "a.js": strToU8("a".repeat(1_000_000)) }), UNPACKED_SIZE, 10);
    assert.throws(() => filesIn(zip), ArchiveError);
  });
});
