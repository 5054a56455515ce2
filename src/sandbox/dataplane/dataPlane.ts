/**
 * The data plane: packets obey the small cloud's state. Level-triggered: woken by a change of the state, by the
 * next moment at which time alone changes something, and by the loss of the namespaces, it reads the whole state
 * and makes the kernel match it. Promises that nothing of it outlives this process or `close`, and that, where
 * the kernel or the tools do not allow it, that is said once and the cloud goes on without packets.
 *
 *   commit ─▶ wake ─▶ rows + time ─▶ topology ─▶ programs ─▶ changes ─▶ namespaces ─▶ settled
 *               ▲                                                           │ failed, lost
 *               └─────────────────────── after a while ◀────────────────────┘
 */
import { Consoles } from "../consoles.ts";
import type { Clock, Tables } from "../world.ts";
import { apply } from "./applying.ts";
import { NOTHING } from "./changes.ts";
import { DataPlaneError, type Holder, type Run, startHolder } from "./holder.ts";
import { hostEntry, identityOf } from "./hosts.ts";
import { nextMoment } from "./moments.ts";
import type { Programs } from "./program.ts";
import { programsOf } from "./programs.ts";
import { topologyOf } from "./reading.ts";
import { selfTest } from "./selfTest.ts";
import { Surroundings } from "./surroundings.ts";
import type { Topology } from "./topology.ts";
import { OWN_PROCESSES } from "./userData.ts";

export type Status = { readonly status: "on" } | { readonly status: "off"; readonly why: string };

export interface DataPlane {
  /** Off = control plane only. */
  status(): Status;
  /** The state has changed. */
  wake(): void;
  /**
   * Resolves when packets obey every change made before the call; at once when it is off. Rejects with a
   * DataPlaneError when that fails again and again.
   */
  settled(): Promise<void>;
  /** What is applied. */
  topology(): Topology;
  /** What runs the command behind it in the namespace of a host, a router (by AWS's id) or `internet`. */
  entry(namespace: string): readonly string[];
  /**
   * The same with what a host has beside its network, once its resolver answers: see hosts.ts. `apart` = whatever
   * the command starts ends with it, at the latest.
   */
  inside(host: string, apart?: "apart"): Promise<readonly string[]>;
  /** Runs a shell script there, or in the holder's own namespace. Throws a DataPlaneError when it is off. */
  run(script: string, namespace?: string): Promise<Run>;
  /** Ends everything that runs in the namespaces, and them. */
  close(): Promise<void>;
}

export interface DataPlaneOptions {
  readonly clock: Clock;
  readonly tables: Tables;
  /** Told what a person should know, one line each. */
  readonly log: (line: string) => void;
  /** Where hosts write; nobody reads it when undefined. */
  readonly consoles?: Consoles;
  /** What is applied for a topology; a test may hand in another. */
  readonly programs?: ((topology: Topology) => Programs) | undefined;
}

const EMPTY: Topology = { routers: [], hosts: [], peerings: [] };

/** After a failure: at first so long, then twice as long each time, and at most so long. */
const RETRY_MS = { first: 100, most: 5_000 } as const;

/** So many passes may fail before those who wait for packets hear of it. */
const PATIENCE = 3;

/** Somebody who waits until packets obey. */
interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: DataPlaneError) => void;
  /** Passes that have failed meanwhile. */
  failed: number;
}

/** Resolves once it is known whether there can be packets; what the state holds already is applied after that. */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const plane = new Plane(options);
  await plane.begin();
  return plane;
}

class Plane implements DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #programs: (topology: Topology) => Programs;
  readonly #surroundings: Surroundings;
  readonly #stopping = new AbortController();
  #status: Status = { status: "off", why: "it has not been started" };
  #holder: Holder | undefined;
  #applied: Programs = NOTHING;
  #topology = EMPTY;
  #running: Promise<void> = Promise.resolve();
  /** Aborted to end the present wait. */
  #waiting = new AbortController();
  #isDue = true;
  #waiters: Waiter[] = [];

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#programs = options.programs ?? programsOf;
    this.#surroundings = new Surroundings({ consoles: new Consoles(), ...options });
  }

  async begin(): Promise<void> {
    try {
      this.#holder = await this.#newHolder();
      await selfTest(this.#holder);
    } catch (thrown) {
      const holder = this.#holder;
      // Its end is no loss to be mended.
      this.#holder = undefined;
      await holder?.close();
      if (!(thrown instanceof DataPlaneError)) throw thrown;
      this.#status = { status: "off", why: thrown.message };
      this.#options.log(
        `no packets here, control plane only: ${thrown.message}; \`letsdata sandbox doctor\` says what to do`,
      );
      return;
    }
    this.#status = { status: "on" };
    this.#running = this.#run();
  }

  status(): Status {
    return this.#status;
  }

  wake(): void {
    this.#isDue = true;
    this.#waiting.abort();
  }

  settled(): Promise<void> {
    if (this.#status.status === "off") return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject, failed: 0 });
      this.wake();
    });
  }

  topology(): Topology {
    return this.#topology;
  }

  entry(namespace: string): readonly string[] {
    return this.#theHolder().entry(namespace);
  }

  async inside(id: string, apart?: "apart"): Promise<readonly string[]> {
    const host = this.#topology.hosts.find((one) => one.id === id);
    if (host) await this.#surroundings.ready(host);
    const entry = apart ? [...this.entry(id), ...OWN_PROCESSES] : this.entry(id);
    return hostEntry(entry, identityOf(this.#topology, id));
  }

  run(script: string, namespace?: string): Promise<Run> {
    return this.#theHolder().run(script, namespace);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#waiting.abort();
    await this.#holder?.close();
    await this.#running;
    // One that was being made meanwhile.
    await this.#holder?.close();
    await this.#surroundings.close();
    this.#end("the sandbox is stopping");
  }

  #end(why: string): void {
    this.#status = { status: "off", why };
    for (const { resolve } of this.#waiters.splice(0)) resolve();
  }

  #theHolder(): Holder {
    if (this.#holder && this.#status.status === "on") return this.#holder;
    const why = this.#status.status === "off" ? this.#status.why : "its namespaces are being made anew";
    throw new DataPlaneError(`there are no packets at the moment: ${why}`);
  }

  async #newHolder(): Promise<Holder> {
    const holder = await startHolder(this.#options.clock);
    void holder.ended.then(() => this.#lost(holder));
    return holder;
  }

  /** Somebody ended the namespaces, or a program in them hung: everything is made anew from the state. */
  #lost(holder: Holder): void {
    if (this.#holder !== holder || this.#stopping.signal.aborted) return;
    this.#options.log(
      "data plane: its namespaces have ended, and every connection in them; they are made anew",
    );
    this.#holder = undefined;
    this.#applied = NOTHING;
    this.wake();
  }

  async #run(): Promise<void> {
    let pause: number = RETRY_MS.first;
    while (!this.#stopping.signal.aborted) {
      const failure = await this.#pass();
      pause = failure === undefined ? RETRY_MS.first : Math.min(pause * 2, RETRY_MS.most);
      if (failure !== undefined) this.#options.log(`data plane: ${failure}; it is tried again`);
      await this.#rest(failure === undefined ? undefined : pause);
    }
  }

  /** Until something is due; after a failure for the pause, whatever is due. */
  async #rest(pause: number | undefined): Promise<void> {
    const { clock, tables } = this.#options;
    if (pause !== undefined) {
      await clock.sleep(pause, this.#stopping.signal);
      this.#isDue = true;
    }
    if (this.#isDue || this.#stopping.signal.aborted) return;
    this.#waiting = new AbortController();
    const now = clock.now();
    const next = nextMoment(tables, now);
    const signal = this.#waiting.signal;
    if (next !== undefined) await clock.sleep(next - now, signal);
    else
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }

  /** One look at the whole state, and what follows from it. What went wrong, if anything did. */
  async #pass(): Promise<string | undefined> {
    this.#isDue = false;
    const waiters = this.#waiters.splice(0);
    const failure = await this.#obey().catch((thrown: unknown) =>
      thrown instanceof Error ? thrown.message : String(thrown),
    );
    if (failure === undefined) for (const { resolve } of waiters) resolve();
    else this.#waiters.unshift(...waiters.filter((waiter) => !lost(waiter, failure)));
    return this.#stopping.signal.aborted ? undefined : failure;
  }

  async #obey(): Promise<string | undefined> {
    const { clock, tables } = this.#options;
    this.#holder ??= await this.#newHolder();
    const holder = this.#holder;
    const topology = topologyOf({ tables, now: clock.now() });
    try {
      const { programs, failures } = await apply(holder, this.#applied, this.#programs(topology));
      if (this.#holder !== holder) return "the namespaces were lost";
      this.#applied = programs;
      this.#topology = topology;
      this.#surroundings.applied(standing(topology, programs), holder);
      const [failed] = failures;
      return failed && `${failed[0]}: ${failed[1]}`;
    } catch (thrown) {
      // What is applied is not known any more.
      await holder.close();
      throw thrown;
    }
  }
}

/** Counts a pass that failed; tells the waiter when it is one too many. */
function lost(waiter: Waiter, failure: string): boolean {
  waiter.failed += 1;
  if (waiter.failed < PATIENCE) return false;
  waiter.reject(new DataPlaneError(`packets do not obey the state: ${failure}`));
  return true;
}

/** Without the routers and hosts whose programs failed. */
function standing({ routers, hosts, peerings }: Topology, { namespaces }: Programs): Topology {
  const names = new Set(namespaces.map(({ name }) => name));
  const stands = ({ id }: { readonly id: string }) => names.has(id);
  return { routers: routers.filter(stands), hosts: hosts.filter(stands), peerings };
}
