/** boto3 against the sandbox, by the walks of boto3_walk.py: waiters, paginators, filters, tags, errors. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../sources.ts";
import { leftOut, run } from "./programs.ts";
import { HOW_TO_PYTHON, installedPython } from "./python.ts";
import { openSandbox } from "./sandbox.ts";

const python = installedPython();
const skip = python ? false : leftOut("boto3 against the sandbox", HOW_TO_PYTHON);

test("boto3", { skip }, async (t) => {
  const sandbox = await openSandbox();
  try {
    const script = join(ROOT, "tests/interop/boto3_walk.py");
    const { code, stdout, stderr } = await run(python?.python ?? "", [script, sandbox.url]);
    assert.equal(code, 0, stderr);
    const walks = stdout.trim().split("\n");
    assert.equal(walks.length, 8);
    for (const line of walks) {
      const { walk, wrong } = JSON.parse(line) as { walk: string; wrong: string | null };
      await t.test(walk, () => assert.equal(wrong, null, wrong ?? ""));
    }
    assert.deepEqual(sandbox.complaints, []);
  } finally {
    await sandbox.close();
  }
});
