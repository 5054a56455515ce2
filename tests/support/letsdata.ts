/**
 * `bin/letsdata` as its user runs it: a process with an exit code and two streams. Promises that a process
 * that was started is known by its own id and can be waited for; nothing is killed by name.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const BINARY = join(import.meta.dirname, "../../bin/letsdata");
const READY_WITHIN_MS = 60_000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** Both streams so far. */
  readonly output: () => Omit<Ended, "code">;
  readonly ended: Promise<Ended>;
}

/**
 * `cwd` is where it runs, and where its data folder is by default. It has a database of its own in there unless
 * it is given one, whatever the tests' own are.
 */
export function run(cwd: string, args: readonly string[], databaseUrl = ""): Running {
  const env = { ...process.env, NO_COLOR: "1", DATABASE_URL: databaseUrl };
  const child = spawn(BINARY, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, output: () => ({ stdout, stderr }), ended };
}

export interface Serving extends Running {
  readonly url: string;
  readonly operatorKey: string;
  readonly sandboxUrl: string;
}

/**
 * `letsdata serve` in that folder, without packets unless asked for, once it is ready; rejects with what it wrote
 * when it ends before.
 */
export async function serving(cwd: string, args: readonly string[] = [], databaseUrl = ""): Promise<Serving> {
  const packets = args.includes("--sandboxPackets") ? [] : ["--sandboxPackets", "off"];
  const running = run(cwd, ["serve", "--port", "0", ...packets, ...args], databaseUrl);
  const url = await readyUrl(running);
  const credentials = JSON.parse(readFileSync(join(cwd, ".letsdata/credentials.json"), "utf8"));
  return { ...running, url, operatorKey: credentials.apiKey, sandboxUrl: credentials.sandboxUrl };
}

/** The address in the line `ready …`; rejects with what it wrote when it ends before, or is not ready in time. */
export function readyUrl({ child, output, ended }: Running): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`letsdata ${why}:\n${output().stderr.slice(-2000)}`));
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      fail("was not ready in time");
    }, READY_WITHIN_MS);
    const heard = () => {
      const url = /^ready (\S+)[ \n]/m.exec(output().stdout)?.[1];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    };
    child.stdout?.on("data", heard);
    ended.then(
      ({ code }) => {
        clearTimeout(late);
        fail(`ended with ${code}`);
      },
      (error: unknown) => {
        clearTimeout(late);
        reject(error);
      },
    );
  });
}
