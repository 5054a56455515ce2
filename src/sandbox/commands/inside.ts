/**
 * Running a program inside of a host with what this process has: its terminal, or files and pipes, its working
 * directory, its environment, its signals and its exit code.
 *
 *   letsdata ─▶ nsenter (in the outer PID namespace, waits) ─▶ the program (inside)
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { isatty } from "node:tty";
import { TOOLS_PATH } from "../dataplane/holder.ts";
import { CommandError } from "../errors.ts";
import type { CommandContext } from "./command.ts";
import { checkNeighbour, checkPidNamespace, ownPidNamespace, sightOf } from "./neighbour.ts";
import { type EnteredHost, hostNamed } from "./sandboxClient.ts";

/** The host of that name in the sandbox at that URL, once it is sure that we may do what it says. */
export async function enteredHost(url: string, name: string): Promise<EnteredHost> {
  checkNeighbour(sightOf(url));
  const host = await hostNamed(url, name);
  checkPidNamespace(host.pidNamespace, ownPidNamespace());
  return host;
}

/** As a shell says it, and with a shell's exit code; the shell is gone once the program runs. */
const START = `cd -- "$1" 2>/dev/null; host=$2; shift 2
command -v -- "$1" >/dev/null || { echo "Error: There is no command $1 in $host" >&2; exit 127; }
exec "$@"`;

/** Resolves to the program's exit code: 128 and the signal's number when a signal ended it. */
export async function runInside(
  context: CommandContext,
  host: EnteredHost,
  command: readonly string[],
): Promise<number> {
  const [program = "", ...args] = host.argv;
  const child = spawn(program, [...args, "sh", "-c", START, "sh", context.cwd, host.id, ...command], {
    stdio: "inherit",
    env: insideEnv(context.env),
  });
  const giveBack = context.takeSignals((name) => passOn(child, name));
  try {
    return await exitCodeOf(child);
  } finally {
    giveBack();
  }
}

/** The tools' folders behind the user's own: hosts' namespaces are full of what `ip` and `ss` show. */
export function insideEnv(env: CommandContext["env"]): Record<string, string | undefined> {
  return { ...env, PATH: env.PATH ? `${env.PATH}:${TOOLS_PATH}` : TOOLS_PATH };
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) =>
      reject(new CommandError("unavailable", `the host cannot be entered: ${error.message}`)),
    );
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/** A terminal sends these to every process at it: the program has them already. */
const TERMINAL_SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];

/** To the program itself: without nsenter it would go on unheard. */
function passOn(child: ChildProcess, name: NodeJS.Signals): void {
  const isAtTerminal = [0, 1, 2].some((fd) => isatty(fd));
  if (isAtTerminal && TERMINAL_SIGNALS.includes(name)) return;
  for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid, name);
}

function childrenOf(pid: number): number[] {
  try {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return pids === "" ? [] : pids.split(" ").map(Number);
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
