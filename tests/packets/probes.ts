/**
 * Real flows between the hosts of a data plane, by a process that lives in each host (prober.ts) and by `ping`.
 * Promises what packets did, and no guess: a flow that is expected to be answered is waited for long, whatever the
 * machine is busy with; one that is expected to be lost, for a moment only.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import type { DataPlane } from "../../src/sandbox/dataplane/dataPlane.ts";
import { TOOLS_PATH } from "../../src/sandbox/dataplane/holder.ts";
import type { Heard, Question, Reply, Way } from "./prober.ts";

/** What packets did: `seen` only where the far end said it. */
export interface Observed extends Omit<Reply, "id"> {
  /** Whether it came to anybody: of UDP, which can arrive unanswered, where it was asked for. */
  readonly heard?: boolean;
}

export interface Probe extends Omit<Way, "waitMs"> {
  /** A namespace that a prober lives in. */
  readonly from: string;
  readonly protocol: "tcp" | "udp" | "icmp";
}

/** How long to wait for the answer, and, of UDP, for word that it has arrived: not asked for unless given. */
export interface Patience {
  readonly answerMs: number;
  readonly arrivalMs?: number;
}

/** A TCP connection between two hosts. */
export interface Connection {
  /** `answered` when what is said comes back within that time. */
  say(text: string, waitMs: number): Promise<Observed>;
}

export interface Probes {
  probe(probe: Probe, patience: Patience): Promise<Observed>;
  /** Rejects when it is not answered. */
  hold(probe: Omit<Probe, "protocol">, waitMs: number): Promise<Connection>;
  /** Bytes of chance over TCP: the digests of what was sent and of what has come. */
  send(
    probe: Omit<Probe, "protocol">,
    what: { readonly bytes: number; readonly waitMs: number },
  ): Promise<Observed>;
  /** Who has sent UDP datagrams there since this was asked last: addresses, in order. */
  heard(namespace: string): Promise<readonly string[]>;
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
    return [name, await Resident.start(plane, name, { argv, arrivals })] as const;
  });
  const residents = new Map(await Promise.all(started));
  const theOne = (name: string): Resident => {
    const one = residents.get(name);
    if (!one) throw new Error(`there is no prober in ${name}`);
    return one;
  };
  return {
    async probe({ from, protocol, ...way }, { answerMs: waitMs, arrivalMs }) {
      if (protocol === "icmp") return ping(plane, { from, to: way.to, waitMs });
      const { id, ...observed } = await theOne(from).ask({ act: "reach", protocol, ...way, waitMs });
      if (protocol === "tcp" || arrivalMs === undefined) return observed;
      return { ...observed, heard: await arrivals.has(id, arrivalMs) };
    },
    async hold({ from, ...way }, waitMs) {
      const one = theOne(from);
      const { id: held, outcome } = await one.ask({ act: "hold", ...way, waitMs });
      if (outcome !== "answered") throw new Error(`${from} to ${way.to}: ${outcome}`);
      return { say: (text, within) => one.ask({ act: "say", held, text, waitMs: within }) };
    },
    send: ({ from, ...way }, what) => theOne(from).ask({ act: "send", ...way, ...what }),
    async heard(namespace) {
      await theOne(namespace).ask({ act: "listen" });
      return theOne(namespace).takeSenders();
    },
    async close() {
      await Promise.all([...residents.values()].map((one) => one.end()));
    },
  };
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

const PROBER = path.join(import.meta.dirname, "prober.ts");

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

let questions = 0;

/** A prober in a namespace. */
class Resident {
  readonly #namespace: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #ended: Promise<void>;
  readonly #arrivals: Arrivals;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #senders = new Set<string>();

  private constructor(
    namespace: string,
    child: ChildProcessByStdio<Writable, Readable, null>,
    arrivals: Arrivals,
  ) {
    this.#namespace = namespace;
    this.#child = child;
    this.#arrivals = arrivals;
    this.#ended = new Promise((resolve) => child.once("close", () => resolve()));
    child.stdin.on("error", () => {});
  }

  /** Resolves when it is ready. */
  static async start(
    plane: DataPlane,
    namespace: string,
    { argv, arrivals }: { readonly argv: readonly string[]; readonly arrivals: Arrivals },
  ): Promise<Resident> {
    const [command = "", ...rest] = plane.entry(namespace);
    const node = [process.execPath, "--disable-warning=ExperimentalWarning", PROBER, ...argv];
    const env = { PATH: TOOLS_PATH };
    const child = spawn(command, [...rest, ...node], { stdio: ["pipe", "pipe", "inherit"], env });
    const one = new Resident(namespace, child, arrivals);
    await one.#begin();
    return one;
  }

  async #begin(): Promise<void> {
    const lines = createInterface({ input: this.#child.stdout });
    await new Promise<void>((resolve, reject) => {
      lines.once("line", () => resolve());
      this.#child.once("error", reject);
      this.#child.once("close", (code) =>
        reject(new Error(`the prober in ${this.#namespace} ended with ${code}`)),
      );
    });
    lines.on("line", (line) => this.#heed(JSON.parse(line)));
    void this.#ended.then(() => {
      const outcome = `the prober in ${this.#namespace} has ended`;
      for (const [id, resolve] of this.#waiting) resolve({ id, outcome });
    });
  }

  #heed(said: Reply | Heard): void {
    if ("heard" in said) {
      this.#senders.add(said.from);
      this.#arrivals.add(said.heard);
      return;
    }
    this.#waiting.get(said.id)?.(said);
    this.#waiting.delete(said.id);
  }

  ask(question: WithoutId<Question>): Promise<Reply> {
    return new Promise((resolve) => {
      const id = ++questions;
      this.#waiting.set(id, resolve);
      this.#child.stdin.write(`${JSON.stringify({ ...question, id })}\n`);
    });
  }

  takeSenders(): readonly string[] {
    const all = [...this.#senders].sort();
    this.#senders.clear();
    return all;
  }

  end(): Promise<void> {
    this.#child.stdin.end();
    return this.#ended;
  }
}

interface Ping {
  readonly from: string;
  readonly to: string;
  readonly waitMs: number;
}

/** Any user may ping in a host; Node cannot. */
async function ping(plane: DataPlane, { from, to, waitMs }: Ping): Promise<Observed> {
  const isAnswered = await succeeds([...plane.entry(from), ...pingCommand(to, waitMs)]);
  return { outcome: isAnswered ? "answered" : "silent" };
}

export function pingCommand(to: string, waitMs: number): readonly string[] {
  return ["ping", "-n", "-q", "-c", "1", "-W", String(waitMs / 1000), to];
}

/** Whether the command ends with 0. */
export function succeeds([command = "", ...args]: readonly string[]): Promise<boolean> {
  const child = spawn(command, args, { stdio: "ignore", env: { PATH: TOOLS_PATH } });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code === 0));
  });
}
