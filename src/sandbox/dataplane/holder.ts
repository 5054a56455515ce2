/**
 * Namespaces of our own on this machine: a user, network, mount and PID namespace (as root: without the user
 * one) in which every router and host gets its network namespace. Promises that all of it dies with this
 * process, however it ends, and that what is run inside dies with the holder. Needs util-linux and iproute2;
 * rejects with a DataPlaneError that says why where the kernel or the tools refuse.
 *
 *   this process ──stdin──▶ setpriv (dies with us) ─▶ unshare ─▶ sh, PID 1 (dies with its stdin, reaps orphans)
 *        └── nsenter ─▶ sh -s, ip, nft, hosts' commands
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Clock } from "../world.ts";

/** The data plane cannot be had, or was lost; the message is one sentence for its user. */
export class DataPlaneError extends Error {}

/** Where tools are looked for: `nft` and `ip` stand in folders that a user's own PATH may lack. */
export const TOOLS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Holder {
  /** This machine's PID of the namespaces' first process. */
  readonly pid: number;
  /** Command and arguments that run what follows them inside: in the network namespace of that name, if given. */
  entry(namespace?: string): readonly string[];
  /** Runs a shell script inside. Rejects with a DataPlaneError, and ends the holder, when it hangs. */
  run(script: string, namespace?: string): Promise<Run>;
  /** Resolves once everything inside is gone, whoever ended it. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** `ip netns` keeps its names below /run: a file system of our own there lets it work without root. */
const FIRST_PROCESS =
  "mount -t tmpfs -o mode=755 tmpfs /run && mkdir -p /run/netns && { mount -t proc proc /proc 2>/dev/null || true; } && " +
  "ip link set lo up && echo ready && cat >/dev/null; exit $?";

const SHARED = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"];
const USER = ["--user", "--map-root-user"];

/** A script that takes longer than this hangs: the longest honest one takes some tenths of a second. */
const HANGS_AFTER_MS = 30_000;

export async function startHolder(clock: Clock): Promise<Holder> {
  if (process.getuid?.() !== 0) return begin(clock, USER);
  // Root of a container may lack the rights that a user namespace of its own gives it.
  return begin(clock, []).catch(() => begin(clock, USER));
}

async function begin(clock: Clock, user: readonly string[]): Promise<Holder> {
  const child = spawn(
    "setpriv",
    ["--pdeathsig", "KILL", "unshare", ...user, ...SHARED, "sh", "-c", FIRST_PROCESS],
    { stdio: ["pipe", "pipe", "pipe"], env: { PATH: TOOLS_PATH, LANG: "C" } },
  );
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  child.stdin.on("error", () => {});
  await ready(child);
  const pid = firstChildOf(child.pid ?? 0);
  const entry = (namespace?: string) => entryInto(pid, { isRootless: user.length > 0, namespace });
  const kill = () => child.kill("SIGKILL");
  return {
    pid,
    entry,
    ended,
    run: (script, namespace) => runScript(clock, { argv: entry(namespace), script, kill }),
    async close() {
      child.stdin.end();
      kill();
      await ended;
    },
  };
}

/** Resolves when the first process says that it is ready; rejects with what the tools said otherwise. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (chunk) => (said += chunk));
    child.stdout?.once("data", () => resolve());
    child.once("error", (error) => reject(new DataPlaneError(missing(error))));
    child.once("close", () => reject(new DataPlaneError(said.trim() || "the namespaces ended at once")));
  });
}

function missing(error: NodeJS.ErrnoException): string {
  return error.code === "ENOENT" ? `${error.path} is not installed` : error.message;
}

/** `unshare --fork` has one child: the first process of the new PID namespace. */
function firstChildOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return Number(children.trim().split(" ")[0]);
}

interface Into {
  readonly isRootless: boolean;
  readonly namespace: string | undefined;
}

/** Always into the PID namespace too: a process outside of it would outlive the holder. */
function entryInto(pid: number, { isRootless, namespace }: Into): readonly string[] {
  const user = isRootless ? ["-U", "--preserve-credentials"] : [];
  const net = namespace ? `/proc/${pid}/root/run/netns/${namespace}` : `/proc/${pid}/ns/net`;
  return ["nsenter", "-t", String(pid), ...user, "-p", "-m", `--net=${net}`, "--"];
}

interface Script {
  readonly argv: readonly string[];
  readonly script: string;
  readonly kill: () => void;
}

async function runScript(clock: Clock, { argv, script, kill }: Script): Promise<Run> {
  const [command = "", ...rest] = argv;
  const child = spawn(command, [...rest, "sh", "-s"], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: TOOLS_PATH, LANG: "C" },
  });
  const over = new AbortController();
  let isHung = false;
  void clock.sleep(HANGS_AFTER_MS, over.signal).then(() => {
    if (over.signal.aborted) return;
    isHung = true;
    kill();
  });
  const result = await collect(child, script);
  over.abort();
  if (isHung) throw new DataPlaneError(`a program hung for ${HANGS_AFTER_MS / 1000} s`);
  return result;
}

function collect(child: ChildProcess, input: string): Promise<Run> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (chunk) => (stdout += chunk));
    child.stderr?.on("data", (chunk) => (stderr += chunk));
    child.once("error", (error) => reject(new DataPlaneError(missing(error))));
    child.once("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}
