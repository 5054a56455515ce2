/** The data task's deployment package is whole: it loads where no other package is in reach. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { unzipSync } from "fflate";
import { deploymentPackage } from "../scripts/demo/deploymentPackage.ts";
import { ROOT } from "./sources.ts";

const run = promisify(execFile);
const module = join(ROOT, "examples/dataTask.mjs");

test("a deployment package has all that its module needs, and what was put beside it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "letsdata-package-"));
  try {
    const zip = deploymentPackage({ module, needs: ["@platformatic/kafka"], beside: { "ca.pem": "theirs" } });
    for (const [name, bytes] of Object.entries(unzipSync(zip))) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), bytes);
    }
    const script = `const { handler } = await import("./dataTask.mjs"); console.log(typeof handler);`;
    const args = ["--input-type=module", "--eval", script];
    const { stdout } = await run(process.execPath, args, { cwd: folder });
    assert.equal(stdout.trim(), "function");
    assert.equal(readFileSync(join(folder, "ca.pem"), "utf8"), "theirs");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a package that is not installed is named", () => {
  const parts = { module, needs: ["no-such-package"], beside: {} };
  assert.throws(() => deploymentPackage(parts), /no-such-package is not in package-lock\.json/);
});
