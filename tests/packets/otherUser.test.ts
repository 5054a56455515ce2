/**
 * The packet tests once more, as a user without any rights: namespaces of one's own must be enough. Only root can
 * become another user; whoever else runs the tests has shown this by packets.test.ts itself. The user may not be
 * able to enter the folder that this stands in, so the child sees it in another place, in a mount namespace of its
 * own.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { TOOLS_PATH } from "../../src/sandbox/dataplane/holder.ts";

const ROOT = path.join(import.meta.dirname, "../..");
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

const place = mkdtempSync(path.join(tmpdir(), "letsdata-packets-"));
chmodSync(place, 0o755);
after(() => rmdirSync(place));

/** Becomes somebody without rights in a place where the folder can be read. */
const AS_NOBODY =
  'mount --bind "$1" "$2" && cd "$2" && shift 2 && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"';

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function nodeAsNobody(args: readonly string[]): Promise<Ended> {
  const inside = path.relative(ROOT, process.execPath);
  const node = inside.startsWith("..") ? process.execPath : path.join(place, inside);
  const argv = [
    "--mount",
    "--propagation",
    "private",
    "sh",
    "-c",
    AS_NOBODY,
    "sh",
    ROOT,
    place,
    node,
    ...args,
  ];
  const child = spawn("unshare", argv, {
    env: { PATH: TOOLS_PATH, HOME: place, KILLS },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: -1, output: error.message }));
    child.once("close", (code) => resolve({ code, output }));
  });
}

async function whyNot(): Promise<string | false> {
  if (process.getuid?.() !== 0) return "only root can become another user; packets.test.ts runs as this one";
  const { code, output } = await nodeAsNobody(["-e", 'require.resolve("@aws-sdk/client-ec2")']);
  return code === 0 ? false : `another user cannot run this: ${output.trim().split("\n").at(-1)}`;
}

const count = (output: string, what: string) =>
  Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(output)?.[1]);

describe("packets of a user without rights", { skip: await whyNot() }, () => {
  test("are those of root", async (t) => {
    const { code, output } = await nodeAsNobody([
      "--disable-warning=ExperimentalWarning",
      "--test",
      "--test-reporter=tap",
      ...FILES,
    ]);
    assert.equal(code, 0, output);
    const skipped = /# SKIP (.*)$/m.exec(output);
    if (skipped) return t.skip(skipped[1]);
    const passed = count(output, "pass");
    t.diagnostic(`${passed} checks as uid 65534`);
    assert.ok(passed >= LEAST, output);
  });
});
