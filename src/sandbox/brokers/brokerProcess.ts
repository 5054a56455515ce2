/**
 * One broker as a process in its host. Promises that it is told when the broker serves and when it has ended, with a
 * reason a person can use, taken from its last words; and that `stop` ends the process itself, not what entered the
 * namespaces for it. It dies with the namespaces.
 *
 *   starting ──"Kafka Server started"──▶ serving
 *       └───────────── ended ◀──────────────┘
 */
import { type ChildProcess, spawn } from "node:child_process";
import { TOOLS_PATH } from "../dataplane/holder.ts";
import type { Clock } from "../world.ts";
import type { Software } from "./software.ts";

export interface BrokerLaunch {
  readonly clock: Clock;
  /** What runs the command behind it in the broker's host. */
  readonly entry: readonly string[];
  readonly software: Software;
  /** Its own; `server.properties` and `tmp` are in it. */
  readonly folder: string;
  /** Runs a script where its process id means something. */
  readonly run: (script: string) => Promise<unknown>;
  /** Its state has changed. */
  readonly onChange: () => void;
}

export type BrokerState =
  | { readonly is: "starting" | "serving"; readonly since: number }
  | { readonly is: "ended"; readonly since: number; readonly why: string; readonly hasServed: boolean };

/** Of a size for a machine with two cores that runs three of them. */
const JVM = [
  "-Xms64m",
  "-Xmx192m",
  "-Xss512k",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-XX:+ExitOnOutOfMemoryError",
  "-XX:-UsePerfData",
  "-Djava.net.preferIPv4Stack=true",
];

/** Both loggers that a folder of Kafka may have, to standard output. */
const LOGGERS = [
  "-Dorg.slf4j.simpleLogger.logFile=System.out",
  "-Dorg.slf4j.simpleLogger.showThreadName=false",
  "-Dorg.slf4j.simpleLogger.showDateTime=true",
  "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
  "-Dlog4j2.level=INFO",
];

/** KafkaBroker.STARTED_MESSAGE: it is registered, has caught up, and its listeners are open. */
const STARTED = "Kafka Server started";

/** The first line says who it is there: what is spawned here only waits for it. */
const SHELL = 'echo "$$"; exec "$@" 2>&1';

const KEPT_LINES = 400;

export class BrokerProcess {
  readonly #launch: BrokerLaunch;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #unfinished = "";
  #state: BrokerState;
  #pid: number | undefined;
  readonly ended: Promise<void>;

  constructor(launch: BrokerLaunch) {
    const { clock, entry, software, folder } = launch;
    this.#launch = launch;
    this.#state = { is: "starting", since: clock.now() };
    const [command = "", ...rest] = entry;
    const java = [
      software.java,
      ...JVM,
      ...LOGGERS,
      `-Djava.io.tmpdir=${folder}/tmp`,
      "-cp",
      software.classpath,
      "kafka.Kafka",
      `${folder}/server.properties`,
    ];
    this.#child = spawn(command, [...rest, "sh", "-c", SHELL, "sh", ...java], {
      cwd: folder,
      env: { PATH: TOOLS_PATH, LANG: "C.UTF-8" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding("utf8").on("data", (chunk: string) => this.#take(chunk));
    this.ended = new Promise((resolve) => {
      this.#child.once("error", (error) => this.#end(error.message, resolve));
      this.#child.once("close", (code, signal) => this.#end(lastWords(this.#lines, code ?? signal), resolve));
    });
  }

  get state(): BrokerState {
    return this.#state;
  }

  /** As the broker's host has it; undefined until the process is there. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** What it said last. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Sends the signal, and waits for nothing. */
  async stop(signal: "TERM" | "KILL"): Promise<void> {
    if (this.#state.is === "ended") return;
    if (this.#pid === undefined) this.#child.kill("SIGKILL");
    else await this.#launch.run(`kill -${signal} ${this.#pid} 2>/dev/null || true`);
  }

  #take(chunk: string): void {
    const lines = (this.#unfinished + chunk).split("\n");
    this.#unfinished = lines.pop() ?? "";
    for (const line of lines) {
      if (this.#pid === undefined && /^\d+$/.test(line)) this.#pid = Number(line);
      else this.#lines.push(line);
      if (line.includes(STARTED) && this.#state.is === "starting") this.#become("serving");
    }
    this.#lines.splice(0, this.#lines.length - KEPT_LINES);
  }

  #become(is: "serving"): void {
    this.#state = { is, since: this.#launch.clock.now() };
    this.#launch.onChange();
  }

  #end(why: string, resolve: () => void): void {
    if (this.#state.is !== "ended") {
      const hasServed = this.#state.is === "serving";
      this.#state = { is: "ended", since: this.#launch.clock.now(), why, hasServed };
      this.#launch.onChange();
    }
    resolve();
  }
}

/** Causes that have a name, the surest first. */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  // A page of a mapped index that the disk has no room for.
  [/No space left on device|SIGBUS/, "its disk is full"],
  [/Address already in use/, "a port of it is taken by another process in its host"],
  [/UnsupportedClassVersionError/, "Java is too old for this Kafka"],
  [/OutOfMemoryError|insufficient memory/, "it ran out of memory"],
  [/Permission denied|AccessDeniedException/, "its folder may not be written to"],
  [/(java: )?not found|No such file or directory.*java/, "Java is missing"],
];

/** Why a broker that said this has ended. */
export function lastWords(lines: readonly string[], code: number | NodeJS.Signals | null): string {
  const cause = CAUSES.find(([pattern]) => lines.some((line) => pattern.test(line)))?.[1];
  const error = lines.findLast((line) => /\b(ERROR|FATAL)\b|Exception|^Error/.test(line))?.trim();
  const how = typeof code === "string" ? `it was ended by ${code}` : `it ended with code ${code}`;
  if (cause) return error ? `${cause} (${error.slice(0, 300)})` : cause;
  return error && code !== "SIGKILL" && code !== 137 ? `${how}: ${error.slice(0, 300)}` : how;
}
