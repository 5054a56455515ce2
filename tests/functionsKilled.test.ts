/**
 * A sandbox that is killed while its functions run leaves none of their processes, with packets and without, whether
 * a function waits or never yields.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { CreateFunctionCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { strToU8, zipSync } from "fflate";
import { withoutPackets } from "./support/hosts.ts";
import { readyUrl, run } from "./support/letsdata.ts";

const cwd = mkdtempSync(join(tmpdir(), "letsdata-killed-"));
after(() => rmSync(cwd, { recursive: true, force: true }));

const HANDLER = `exports.handler = async ({ spins }) => {
  const { pid } = require("node:child_process").spawn("sleep", ["1000"], { stdio: "ignore" });
  console.log("runs");
  if (spins) for (;;);
  await new Promise((done) => setTimeout(done, 1e6));
};`;

interface Shown {
  readonly functions: readonly { readonly environments: readonly { readonly pid: number }[] }[];
}

/** Every process of the group that the process leads, but for dead ones. */
async function killedWith(packets: "auto" | "off"): Promise<readonly number[]> {
  const served = run(cwd, [
    "sandbox",
    "serve",
    "--port",
    "0",
    "--packets",
    packets,
    "--set",
    "lambdaPendingMs=0",
  ]);
  const url = await readyUrl(served);
  const credentials = { accessKeyId: "111111111111", secretAccessKey: "test" };
  const client = new LambdaClient({ endpoint: url, region: "us-east-1", credentials, maxAttempts: 1 });
  await client.send(
    new CreateFunctionCommand({
      ...{ FunctionName: "f", Role: "arn:aws:iam::111111111111:role/f", Runtime: "nodejs22.x", Timeout: 900 },
      ...{ Handler: "index.handler", Code: { ZipFile: zipSync({ "index.js": strToU8(HANDLER) }) } },
    }),
  );
  const running = [true, false].map((spins) =>
    client.send(new InvokeCommand({ FunctionName: "f", Payload: JSON.stringify({ spins }) })).catch(() => {}),
  );
  const own = async <T>(path: string) => (await (await fetch(`${url}/_sandbox/${path}`)).json()) as T;
  let lines: readonly string[] = [];
  while (lines.filter((line) => line.endsWith("runs")).length < 2)
    ({ lines } = await own<{ lines: readonly string[] }>("functions/f/log"));
  const { functions } = await own<Shown>("functions");
  served.child.kill("SIGKILL");
  await Promise.all([served.ended, ...running]);
  client.destroy();
  return functions.flatMap(({ environments }) => environments.map(({ pid }) => pid));
}

describe("functions of a sandbox that is killed", () => {
  for (const packets of ["auto", "off"] as const) {
    const skip = packets === "auto" && withoutPackets();
    test(`end, packets ${packets}`, { skip, timeout: 60_000 }, async () => {
      const pids = await killedWith(packets);
      assert.equal(pids.length, 2);
      for (const pid of pids) while (isThere(pid)) await turn();
    });
  }
});

/** The group, whoever of it is left. */
function isThere(group: number): boolean {
  if (existsSync(`/proc/${group}`)) return true;
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
