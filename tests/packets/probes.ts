/**
 * Real flows between the hosts of a data plane, by a process that lives in each host (prober.ts) and by `ping`.
 * Promises what packets did, and no guess: a flow that is expected to be answered is waited for long, whatever the
 * machine is busy with; one that is expected to be lost, for a moment only.
 */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import type { DataPlane } from "../../src/sandbox/dataplane/dataPlane.ts";
import { TOOLS_PATH } from "../../src/sandbox/dataplane/holder.ts";
import type { Question, Reply, Way } from "./prober.ts";

/** What packets did: `seen` only where the far end said it. */
export type Observed = Omit<Reply, "id">;

export interface Probe extends Omit<Way, "waitMs"> {
  /** A namespace that a prober lives in. */
  readonly from: string;
  readonly protocol: "tcp" | "udp" | "icmp";
}

const PROBER = path.join(import.meta.dirname, "prober.ts");

/** A TCP connection between two hosts. */
export interface Connection {
  /** `answered` when what is said comes back within that time. */
  say(text: string, waitMs: number): Promise<Observed>;
}

export interface Probes {
  probe(probe: Probe, waitMs: number): Promise<Observed>;
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

/** One prober in each of the namespaces, all of them serving those ports. */
export async function startProbes(
  plane: DataPlane,
  { namespaces, ports }: { readonly namespaces: readonly string[]; readonly ports: readonly number[] },
): Promise<Probes> {
  const started = namespaces.map(async (name) => [name, await resident(plane, name, ports)] as const);
  const residents = new Map(await Promise.all(started));
  const theOne = (name: string): Resident => {
    const one = residents.get(name);
    if (!one) throw new Error(`there is no prober in ${name}`);
    return one;
  };
  return {
    async probe({ from, protocol, ...way }, waitMs) {
      if (protocol === "icmp") return ping(plane, { from, to: way.to, waitMs });
      return theOne(from).ask({ act: "reach", protocol, ...way, waitMs });
    },
    async hold({ from, ...way }, waitMs) {
      const one = theOne(from);
      const { id: held, outcome } = await one.ask({ act: "hold", ...way, waitMs });
      if (outcome !== "answered") throw new Error(`${from} to ${way.to}: ${outcome}`);
      return { say: (text, within) => one.ask({ act: "say", held, text, waitMs: within }) };
    },
    send: ({ from, ...way }, what) => theOne(from).ask({ act: "send", ...way, ...what }),
    async heard(namespace) {
      const { seen = "" } = await theOne(namespace).ask({ act: "heard" });
      return seen.split(" ").filter(Boolean);
    },
    async close() {
      await Promise.all([...residents.values()].map((one) => one.end()));
    },
  };
}

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

/** A prober in a namespace. */
interface Resident {
  ask(question: WithoutId<Question>): Promise<Reply>;
  end(): Promise<void>;
}

let questions = 0;

async function resident(plane: DataPlane, namespace: string, ports: readonly number[]): Promise<Resident> {
  const [command = "", ...rest] = plane.entry(namespace);
  const program = [process.execPath, "--disable-warning=ExperimentalWarning", PROBER, ...ports.map(String)];
  const child = spawn(command, [...rest, ...program], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: TOOLS_PATH },
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const waiting = await replies(child, namespace);
  return {
    ask: (question) =>
      new Promise((resolve) => {
        const id = ++questions;
        waiting.set(id, resolve);
        child.stdin.write(`${JSON.stringify({ ...question, id })}\n`);
      }),
    end() {
      child.stdin.end();
      return ended;
    },
  };
}

type Waiting = Map<number, (reply: Reply) => void>;

/** Resolves when the prober is ready. When it ends, whoever still waits hears of it. */
async function replies(child: ChildProcess, namespace: string): Promise<Waiting> {
  const waiting: Waiting = new Map();
  if (!child.stdout) throw new Error("a prober speaks");
  const lines = createInterface({ input: child.stdout });
  child.stdin?.on("error", () => {});
  await new Promise<void>((resolve, reject) => {
    lines.once("line", () => resolve());
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`the prober in ${namespace} ended with ${code}`)));
  });
  lines.on("line", (line) => {
    const reply: Reply = JSON.parse(line);
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  child.once("close", () => {
    for (const [id, resolve] of waiting) resolve({ id, outcome: `the prober in ${namespace} has ended` });
  });
  return waiting;
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
