/**
 * A real `letsdata serve` as a process of its own, for tests that speak to it from outside. Promises that it
 * has answered `ready` when it is handed out, and that it is gone, by its own pid, when `stop` resolves.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface Served {
  /** Where the API answers. */
  readonly url: string;
  stop(): Promise<void>;
}

export interface ServeCommand {
  /** A line for the shell. */
  readonly command: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;

export async function startServe({ command, cwd, env }: ServeCommand): Promise<Served> {
  // A group of its own: npm stands between us and the server, and must not leave it behind.
  const child = spawn("bash", ["-c", command], {
    cwd,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  let log = "";
  const readyUrl = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`not ready in time: ${command}\n${log}`)),
      READY_WITHIN_MS,
    );
    const heard = (chunk: Buffer) => {
      log = (log + String(chunk)).slice(-8_000);
      const url = /^ready (\S+)$/m.exec(log)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout.on("data", heard);
    child.stderr.on("data", heard);
    child.on("close", (code) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code}: ${command}\n${log}`));
    });
  });
  const forget = endWithUs(child);
  const stop = async () => {
    await stopGroup(child, ended);
    forget();
  };
  try {
    return { url: await readyUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** When we are stopped half-way, the server is not left behind. Returns what takes that promise back. */
function endWithUs(child: ChildProcess): () => void {
  const end = () => signal(child, "SIGTERM");
  const leave = () => process.exit(143);
  process.once("exit", end).once("SIGTERM", leave).once("SIGINT", leave);
  return () => void process.off("exit", end).off("SIGTERM", leave).off("SIGINT", leave);
}

async function stopGroup(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  signal(child, "SIGTERM");
  const timer = setTimeout(() => signal(child, "SIGKILL"), STOP_WITHIN_MS);
  await ended;
  clearTimeout(timer);
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    // It ended a moment ago.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
