/**
 * `npm run demo` from a terminal whose environment and home lead elsewhere: it walks to its end on its own
 * installation, says what it verified, touches no other, and leaves nothing.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "./sources.ts";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function demo(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) =>
    execFile(process.execPath, [join(ROOT, "scripts/demo.ts"), ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    ),
  );
}

test("the demo says what it can be asked for, and refuses what it does not know", async () => {
  const help = await demo(process.env, "--help");
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^npm run demo /m);
  for (const unknown of ["--kafak", "kafka", "--kafka=yes"]) {
    const refused = await demo(process.env, unknown);
    assert.equal(refused.code, 2);
    assert.ok(refused.stderr.startsWith("Error: ") && refused.stderr.includes(unknown.split("=")[0] ?? ""));
    assert.match(refused.stderr, /^npm run demo /m);
  }
});

test("the demo walks to its end, on an installation of its own, whatever the environment says", async () => {
  const home = mkdtempSync(join(tmpdir(), "letsdata-home-"));
  const asked: string[] = [];
  const other = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(500).end();
  });
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const temporary = join(home, "tmp");
  const profiles = join(home, ".config/letsdata");
  for (const folder of [temporary, profiles]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(profiles, "profiles.json"), JSON.stringify({ default: { url, apiKey: "ld_theirs" } }));
  try {
    const ended = await demo({
      ...process.env,
      HOME: home,
      TMPDIR: temporary,
      LETSDATA_URL: url,
      LETSDATA_API_KEY: "ld_theirs",
      DATABASE_URL: "postgres://letsdata@127.0.0.1:1/none",
      AWS_ENDPOINT_URL: url,
      AWS_PROFILE: "theirs",
    });
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    const isWithout = ended.stdout.includes("NO PACKETS ON THIS MACHINE");
    assert.match(ended.stdout, isWithout ? /Done: 12 facts verified/ : /Done: 22 facts verified/);
    assert.deepEqual(asked, []);
    // Node keeps its compile cache there, for every program.
    assert.deepEqual(
      readdirSync(temporary).filter((name) => name !== "node-compile-cache"),
      [],
    );
  } finally {
    other.closeAllConnections();
    other.close();
    rmSync(home, { recursive: true, force: true });
  }
});
