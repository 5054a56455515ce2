/**
 * An execution environment: a process that has loaded a function's handler and is asked one thing at a time. Promises
 * one outcome for each invocation, with everything the function wrote before it, and that nothing of the process is
 * left after `end`. One that failed otherwise than by an error of its handler's has ended, and is of no more use.
 *
 *   idle ◀──▶ busy      idle, busy ──▶ ended
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { TOOLS_PATH } from "../dataplane/holder.ts";
import type { FunctionRow } from "../serviceRows.ts";
import type { Clock } from "../world.ts";
import { type FromProcess, type FunctionError, type Invoke, Lines, type ToProcess } from "./messages.ts";
import { type ExitCode, endLines, exited, type Spent, startLine, timedOut, tooLarge } from "./reports.ts";

export interface EnvironmentLaunch {
  readonly clock: Clock;
  /** What runs the command behind it where the function is to run. */
  readonly entry: readonly string[];
  /** The code's. */
  readonly folder: string;
  readonly row: FunctionRow;
  /** All that the function's process has for an environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** Told all that is to stand in the function's log. */
  readonly log: (text: string) => void;
}

export type Asked = Omit<Invoke, "is" | "remainingMs">;

/** JSON, or why there is none. */
export type Outcome = { readonly response: string } | { readonly error: FunctionError };

/** What the process says next, or what comes instead. */
type Came = FromProcess | { readonly is: "exited"; readonly code: ExitCode } | { readonly is: "late" };

/** What Lambda gives to a function's initialization; after that its own timeout runs. */
const INIT_MS = 10_000;

const RUNTIME = fileURLToPath(new URL("./environment.runtime.ts", import.meta.url));

/**
 * The shell stays: the first of its processes where it runs apart, and the reaper of what the function leaves. When
 * nobody holds the other end of the fifth pipe any more, because the sandbox was killed, all of them end.
 */
const SHELL = '{ cat <&4; kill -KILL 0; } >/dev/null 2>&1 3>&- & "$@" 2>&1 4<&-; exit $?';

export class Environment {
  readonly #launch: EnvironmentLaunch;
  readonly #child: ChildProcess;
  readonly #mark = `\0${randomUUID()}\0`;
  readonly #messages = new Lines();
  readonly #began: number;
  readonly ended: Promise<void>;
  #output = "";
  #marked = Promise.withResolvers<void>();
  #coming = Promise.withResolvers<Came>();
  #state: "idle" | "busy" | "ended" = "idle";
  #isStarted = false;
  /** Whether the function's own output ended with a line. */
  #isAtLine = true;
  #tell: (text: string) => void = () => {};
  /** Epoch milliseconds, of its last change of state. */
  since: number;

  constructor(launch: EnvironmentLaunch) {
    const { clock, row, variables, folder: root } = launch;
    this.#launch = launch;
    this.#began = clock.now();
    this.since = this.#began;
    this.#child = spawned(launch);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding("utf8").on("data", (chunk: string) => this.#hear(chunk));
    const channel = this.#channel;
    // Where it has ended, that is told another way.
    channel?.on("error", () => {});
    channel?.setEncoding("utf8").on("data", (chunk: string) => {
      for (const line of this.#messages.take(chunk)) this.#take(JSON.parse(line));
    });
    this.ended = new Promise((resolve) => {
      this.#child.once("error", () => this.#end(null, resolve));
      // What it left running goes with it.
      this.#child.once("exit", () => this.#kill());
      this.#child.once("close", (code, signal) => this.#end(code ?? signal, resolve));
    });
    const { handler, runtime } = row;
    this.#send({ is: "start", root, handler, runtime, environment: variables, mark: this.#mark });
  }

  get state(): "idle" | "busy" | "ended" {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#state === "ended" ? undefined : this.#child.pid;
  }

  /** `tell` is told what is to stand in the log of this invocation. */
  async invoke(asked: Asked, tell: (text: string) => void): Promise<Outcome> {
    this.#become("busy");
    this.#tell = tell;
    try {
      const first = this.#isStarted ? undefined : await this.#initialized();
      if (first && first.is !== "started") return await this.#failed(asked, first, {});
      this.#isStarted = true;
      this.#report(startLine(asked.requestId));
      return await this.#answered(asked, first && this.#launch.clock.now() - this.#began);
    } finally {
      this.#tell = () => {};
      if (this.#state === "busy") this.#become("idle");
    }
  }

  /** Ends it, and all that it started, without a word. Resolves when nothing of it runs. */
  async end(): Promise<void> {
    this.#kill();
    for (const stream of this.#child.stdio) stream?.destroy();
    await this.ended;
  }

  #initialized(): Promise<Came> {
    return this.#next(this.#began + INIT_MS + this.#timeoutMs);
  }

  async #answered(asked: Asked, initMs: number | undefined): Promise<Outcome> {
    const { clock, row } = this.#launch;
    const began = clock.now();
    // An initialization that took longer has taken the rest from the function's own time.
    const remainingMs = Math.min(this.#timeoutMs, this.#timeoutMs + INIT_MS - (initMs ?? 0));
    this.#coming = Promise.withResolvers();
    this.#marked = Promise.withResolvers();
    this.#send({ is: "invoke", ...asked, remainingMs });
    const came = await this.#next(began + remainingMs);
    const ms = clock.now() - began;
    if (came.is !== "done") return this.#failed(asked, came, { ms, initMs });
    this.#report(endLines(asked.requestId, row, { ms, initMs, memoryMiB: came.memoryMiB }));
    if (came.error) return { error: came.error };
    const response = came.response ?? "null";
    const error = tooLarge(response);
    return error ? { error } : { response };
  }

  /** The environment is given up, and gone before anybody hears of it. */
  async #failed(asked: Asked, came: Came, { ms = 0, initMs }: Partial<Spent>): Promise<Outcome> {
    const { clock, row } = this.#launch;
    const { requestId } = asked;
    await this.end();
    const isLate = came.is === "late";
    const code = came.is === "exited" ? came.code : null;
    const error =
      came.is === "failed" ? came.error : isLate ? timedOut(requestId, row) : exited(requestId, code);
    const at = new Date(clock.now()).toISOString();
    if (isLate)
      this.#report(`${at} ${requestId} Task timed out after ${row.timeoutS.toFixed(2)} seconds\n\n`);
    if (came.is === "exited") this.#report(`${error.errorMessage}\n${error.errorType}\n`);
    const failed = isLate ? "timeout" : "error";
    this.#report(endLines(requestId, row, { ms, initMs, memoryMiB: 0, failed }));
    return { error };
  }

  get #timeoutMs(): number {
    return this.#launch.row.timeoutS * 1_000;
  }

  get #channel(): Duplex | undefined {
    return (this.#child.stdio[CHANNEL] as Duplex | null) ?? undefined;
  }

  /** Epoch milliseconds: nobody waits longer. */
  async #next(until: number): Promise<Came> {
    const { clock } = this.#launch;
    const over = new AbortController();
    const late = clock
      .sleep(Math.max(0, until - clock.now()), over.signal)
      .then((): Came => ({ is: "late" }));
    if (this.#state === "ended") this.#coming.resolve({ is: "exited", code: null });
    try {
      return await Promise.race([this.#coming.promise, late]);
    } finally {
      over.abort();
    }
  }

  #send(message: ToProcess): void {
    this.#channel?.write(`${JSON.stringify(message)}\n`);
  }

  #take(message: FromProcess): void {
    const { promise } = this.#marked;
    if ("isMarked" in message && message.isMarked) void promise.then(() => this.#coming.resolve(message));
    else this.#coming.resolve(message);
  }

  /** The output, without the marks in it; the beginning of one is held back. */
  #hear(chunk: string): void {
    const parts = (this.#output + chunk).split(this.#mark);
    const last = parts.pop() ?? "";
    for (const part of parts) {
      this.#say(part);
      this.#marked.resolve();
    }
    const at = last.lastIndexOf(MARK_BEGINS);
    const isBegun = at >= 0 && this.#mark.startsWith(last.slice(at));
    this.#output = isBegun ? last.slice(at) : "";
    this.#say(isBegun ? last.slice(0, at) : last);
  }

  #say(text: string): void {
    if (text === "") return;
    this.#isAtLine = text.endsWith("\n");
    this.#launch.log(text);
    this.#tell(text);
  }

  /** Lambda's own words stand on lines of their own. */
  #report(text: string): void {
    this.#say(this.#isAtLine ? text : `\n${text}`);
  }

  #become(state: "idle" | "busy" | "ended"): void {
    this.#state = state;
    this.since = this.#launch.clock.now();
  }

  #end(code: ExitCode, resolve: () => void): void {
    this.#become("ended");
    this.#coming.resolve({ is: "exited", code });
    resolve();
  }

  /** The whole group: the function's process, what it started, and what leads into its host. */
  #kill(): void {
    // Once it has ended, the number may be somebody else's.
    if (this.#state === "ended" || this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // Nobody is left in it.
    }
  }
}

const CHANNEL = 3;
const MARK_BEGINS = "\0";

function spawned({ entry, row, variables }: EnvironmentLaunch): ChildProcess {
  const options = ["--disable-warning=ExperimentalWarning", `--max-old-space-size=${row.memoryMiB}`];
  const run = ["sh", "-c", SHELL, "sh", process.execPath, ...options, RUNTIME];
  const [command = "", ...rest] = [...entry, ...run];
  return spawn(command, rest, {
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    // Nothing that the tools on the way in would take for theirs: the rest goes over the channel.
    env: { PATH: TOOLS_PATH, LANG: "C.UTF-8", TZ: ":UTC", ...readByNode(variables) },
    // A group of its own, which is ended as one.
    detached: true,
  });
}

/** What Node.js reads when it starts. */
function readByNode(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => name.startsWith("NODE_")));
}
