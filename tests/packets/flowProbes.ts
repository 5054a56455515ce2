/**
 * Real flows between the hosts of a data plane, by a process that lives in each host (flowProber.ts) and by `ping`.
 * Promises what packets did, and no guess: a flow that is expected to be answered is waited for long, whatever the
 * machine is busy with; one that is expected to be lost, for a moment only.
 */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import type { DataPlane } from "../../src/sandbox/dataplane/dataPlane.ts";
import { TOOLS_PATH } from "../../src/sandbox/dataplane/holder.ts";
import type { Heard, Question, Reply } from "./flowProber.ts";
import type { Flow } from "./model.ts";

/** What packets did: `seen` only where the far end said it. */
export interface Observed {
  /** `answered`, `refused`, `silent`, or an error's code. */
  readonly outcome: string;
  readonly seen?: string;
  /** Whether it came to anybody: known of UDP alone, which can arrive unanswered. */
  readonly heard?: boolean;
}

/** How long to wait for the answer, and, of UDP, for word that it has arrived. */
export interface Patience {
  readonly answerMs: number;
  readonly arrivalMs: number;
}

const PROBER = path.join(import.meta.dirname, "flowProber.ts");

/** A prober in a namespace. */
interface Resident {
  readonly child: ChildProcess;
  readonly waiting: Map<number, (reply: Reply) => void>;
}

/** What has arrived anywhere, by the question's id. */
class Arrivals {
  readonly #heard = new Set<number>();
  readonly #waiting = new Map<number, () => void>();

  add(id: number): void {
    this.#heard.add(id);
    this.#waiting.get(id)?.();
  }

  /** At once when it has arrived already; false after that time. */
  async has(id: number, waitMs: number): Promise<boolean> {
    if (this.#heard.has(id)) return true;
    const over = new AbortController();
    const arrival = new Promise<void>((resolve) => this.#waiting.set(id, resolve));
    await Promise.race([arrival, setTimeout(waitMs, undefined, { signal: over.signal }).catch(() => {})]);
    over.abort();
    return this.#heard.has(id);
  }
}

export interface Probes {
  probe(flow: Flow, patience: Patience): Promise<Observed>;
  /** Ends all of them. */
  close(): Promise<void>;
}

export interface Population {
  /** Each with the further addresses it has. */
  readonly namespaces: ReadonlyMap<string, readonly string[]>;
  readonly ports: readonly number[];
}

/** One prober in each of the namespaces, all of them serving those ports. */
export async function startProbes(plane: DataPlane, { namespaces, ports }: Population): Promise<Probes> {
  const arrivals = new Arrivals();
  const started = [...namespaces].map(async ([name, aliases]) => {
    const argv = [ports.join(","), ...aliases];
    return [name, await resident(plane, name, { argv, arrivals })] as const;
  });
  const residents = new Map(await Promise.all(started));
  let questions = 0;
  return {
    async probe({ from, ...flow }, { answerMs: waitMs, arrivalMs }) {
      const { protocol } = flow;
      if (protocol === "icmp") return ping(plane, { from, to: flow.to, waitMs });
      const one = residents.get(from);
      if (!one) throw new Error(`there is no prober in ${from}`);
      const { id, ...observed } = await ask(one, { ...flow, protocol, id: ++questions, waitMs });
      if (protocol === "tcp") return observed;
      return { ...observed, heard: await arrivals.has(id, arrivalMs) };
    },
    async close() {
      await Promise.all([...residents.values()].map(end));
    },
  };
}

async function resident(
  plane: DataPlane,
  namespace: string,
  { argv, arrivals }: { readonly argv: readonly string[]; readonly arrivals: Arrivals },
): Promise<Resident> {
  const [command = "", ...rest] = plane.entry(namespace);
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", PROBER, ...argv];
  const env = { PATH: TOOLS_PATH };
  const child = spawn(command, [...rest, ...node], { stdio: ["pipe", "pipe", "inherit"], env });
  const lines = createInterface({ input: child.stdout });
  const waiting: Resident["waiting"] = new Map();
  await new Promise<void>((resolve, reject) => {
    lines.once("line", () => resolve());
    child.once("exit", (code) => reject(new Error(`the prober in ${namespace} ended with ${code}`)));
  });
  child.once("exit", () => {
    for (const [id, resolve] of waiting) resolve({ id, outcome: "its prober has ended" });
  });
  lines.on("line", (line) => {
    const said: Reply | Heard = JSON.parse(line);
    if ("heard" in said) return arrivals.add(said.heard);
    waiting.get(said.id)?.(said);
    waiting.delete(said.id);
  });
  return { child, waiting };
}

function ask({ child, waiting }: Resident, question: Question): Promise<Reply> {
  return new Promise((resolve) => {
    waiting.set(question.id, resolve);
    child.stdin?.write(`${JSON.stringify(question)}\n`);
  });
}

function end({ child }: Resident): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.stdin?.end();
  });
}

/** Any user may ping in a host; Node cannot. */
function ping(
  plane: DataPlane,
  { from, to, waitMs }: { readonly from: string; readonly to: string; readonly waitMs: number },
): Promise<Observed> {
  const [command = "", ...rest] = plane.entry(from);
  const argv = [...rest, "ping", "-n", "-q", "-c", "1", "-W", String(waitMs / 1000), to];
  const child = spawn(command, argv, { stdio: "ignore", env: { PATH: TOOLS_PATH } });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve({ outcome: code === 0 ? "answered" : "silent" }));
  });
}
