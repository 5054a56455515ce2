/**
 * `npm run demo` as somebody runs it whose environment and home lead elsewhere: what it says, and what it leaves
 * behind.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../sources.ts";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function demo(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) =>
    execFile(process.execPath, [join(ROOT, "scripts/demo.ts"), ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    ),
  );
}

export interface Told extends Ended {
  /** Requests that an installation got which was none of the demo's business. */
  readonly asked: readonly string[];
  /** Files in the folder for temporary ones, and processes that have it among their words. */
  readonly left: readonly string[];
}

/** The demo, when it has ended. */
export async function strangersDemo(...args: readonly string[]): Promise<Told> {
  const home = mkdtempSync(join(tmpdir(), "letsdata-home-"));
  const asked: string[] = [];
  const other = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(500).end();
  });
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  try {
    const { temporary, env } = strangersPlace(home, url);
    const ended = await demo(env, ...args);
    // Node keeps its compile cache there, for every program.
    const files = readdirSync(temporary).filter((name) => name !== "node-compile-cache");
    return { ...ended, asked, left: [...files, ...processesOf(temporary)] };
  } finally {
    other.closeAllConnections();
    other.close();
    rmSync(home, { recursive: true, force: true });
  }
}

function strangersPlace(home: string, url: string): { temporary: string; env: NodeJS.ProcessEnv } {
  const temporary = join(home, "tmp");
  const profiles = join(home, ".config/letsdata");
  for (const folder of [temporary, profiles]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(profiles, "profiles.json"), JSON.stringify({ default: { url, apiKey: "ld_theirs" } }));
  const env = {
    ...process.env,
    HOME: home,
    TMPDIR: temporary,
    LETSDATA_URL: url,
    LETSDATA_API_KEY: "ld_theirs",
    DATABASE_URL: "postgres://letsdata@127.0.0.1:1/none",
    AWS_ENDPOINT_URL: url,
    AWS_PROFILE: "theirs",
  };
  return { temporary, env };
}

function processesOf(folder: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const words = wordsOf(pid);
      return words.includes(folder) ? [`process ${pid}: ${words}`] : [];
    });
}

function wordsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    // It has ended meanwhile.
    return "";
  }
}
