/**
 * Where a demo's story plays: a throw-away folder with the control plane, the sandbox cloud and the commands of a
 * user. Promises that whatever becomes of the story, server and folder are gone when it is over, also when it is
 * interrupted.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../tests/sources.ts";
import { commandLine } from "../../tests/support/customer.ts";
import { type Credentials, type Telling, telling } from "./telling.ts";

export interface Stage {
  readonly tell: Telling;
  readonly credentials: Credentials;
  /** What commands are run in. */
  readonly folder: string;
  /** Which `aws` the story has, in words. */
  readonly aws: string;
}

/** Options of `letsdata serve`, and what is then told. */
export interface Story {
  readonly serve: readonly string[];
  walk(stage: Stage): Promise<void>;
}

/** Resolves when the story is told and nothing of it is left. */
export async function play(story: Story): Promise<void> {
  const started = Date.now();
  const folder = mkdtempSync(join(tmpdir(), "letsdata-demo-"));
  try {
    const place = commandLine(folder);
    const tell = telling(folder, place);
    tell.say(
      "0. The control plane and the sandbox cloud, on a throw-away data folder (a new one takes some seconds)",
    );
    const dataDir = join(folder, ".letsdata");
    const server = await serve(tell, { dataDir, folder, options: story.serve });
    try {
      cpSync(join(ROOT, "examples"), join(folder, "examples"), { recursive: true });
      const credentials: Credentials = JSON.parse(readFileSync(join(dataDir, "credentials.json"), "utf8"));
      await story.walk({ tell, credentials, folder, aws: place.aws });
      tell.say(`Done: ${tell.verified()} facts verified in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Serving {
  readonly dataDir: string;
  readonly folder: string;
  readonly options: readonly string[];
}

/** Starts the control plane and resolves when it says it is ready. */
function serve(tell: Telling, { dataDir, folder, options }: Serving): Promise<{ stop(): Promise<void> }> {
  const child = tell.started("letsdata", "serve", "--port", "0", "--dataDir", dataDir, ...options);
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  const interrupted = async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void interrupted());
  return new Promise((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      process.stdout.write(`  ${chunk}`);
      if (String(chunk).includes("ready ")) resolve({ stop });
    });
    child.on("close", (code) => reject(new Error(`letsdata serve ended with ${code}:\n${log.slice(-2000)}`)));
  });
}
