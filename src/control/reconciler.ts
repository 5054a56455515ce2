/**
 * The loop that makes the world follow the wishes. It claims the networks that are due, looks at each cell
 * once for all of its networks, and passes over each of them. It takes no other input: first try, retry,
 * restart and repair are this one road. Promises one writer for a network at a time, over any number of
 * processes, and that a failing network or cell does not hold up another.
 *
 *   wake / due ─▶ claim ─▶ by cell: observe ─▶ by network: plan ─▶ steps ─▶ conditions ─▶ due again
 */
import type { Cloud, LookAt } from "../cloud/cloud.ts";
import { asFailure } from "../domain/failure.ts";
import type { Clock } from "../domain/model.ts";
import type { World } from "../domain/world.ts";
import type { Store } from "../store/store.ts";
import { Alarms } from "./alarms.ts";
import { Gathering, restfulPause } from "./gathering.ts";
import { Held, type HeldDeps, LEASE_MS, type Question } from "./held.ts";

export interface ReconcilerDeps {
  readonly store: Store;
  readonly cloud: Cloud;
  readonly clock: Clock;
  readonly log: (line: Record<string, unknown>) => void;
  /** The consistency window, milliseconds; default 300,000. */
  readonly windowMs?: number;
  /** Milliseconds between two looks at a network at rest; default 30,000. */
  readonly resyncMs?: number;
}

export interface Reconciler {
  /** Runs until the signal is aborted and what it had begun has ended. */
  run(signal: AbortSignal): Promise<void>;
  /** One round over everything that is due now; how many networks it passed over. */
  round(): Promise<number>;
}

const BATCH = 100;
const IDLE_MS = 2_000;
/** What becomes due within so short a time is claimed together. */
const TOGETHER_MS = 50;

export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const loop = new Loop(deps);
  return { run: (signal) => loop.run(signal), round: () => loop.round() };
}

class Loop {
  readonly #deps: Required<ReconcilerDeps> & HeldDeps;
  readonly #running = new Set<Promise<unknown>>();
  readonly #gathering: Gathering<Held>;
  /** How many wakes had been heard when it was claimed. */
  readonly #claimedAt = new WeakMap<Held, number>();
  readonly #stopping = new AbortController();
  #paced = false;
  /** Wakes heard so far: one that came during a pass makes its network due at the end of it. */
  #wakes = 0;
  #restUntil = 0;
  #nudge: () => void = () => undefined;
  #recount: () => void = () => undefined;

  constructor(deps: ReconcilerDeps) {
    this.#deps = { windowMs: 300_000, resyncMs: 30_000, ...deps, alarms: new Alarms(deps.log) };
    this.#gathering = new Gathering({
      clock: deps.clock,
      look: (held) => this.#look(held),
      pauseMs: (count) => (this.#paced ? restfulPause(count) : 0),
    });
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.#deps;
    const stopListening = store.onWake(() => {
      this.#wakes += 1;
      this.#nudge();
    });
    this.#paced = true;
    if (signal.aborted) this.#stop();
    signal.addEventListener("abort", () => this.#stop(), { once: true });
    let sweepAt = 0;
    while (!this.#stopped) {
      const nudged = this.#nextNudge();
      try {
        if (clock.now() >= sweepAt) {
          sweepAt = clock.now() + IDLE_MS * 5;
          await store.endDueQuarantines();
        }
        const started = await this.#start();
        if (started < BATCH && !this.#stopped) await this.#rest(nudged);
      } catch (thrown) {
        const { code, message, detail } = asFailure(thrown);
        log({ level: "error", event: "round failed", code, message, detail });
        await clock.sleep(IDLE_MS, signal);
      }
    }
    stopListening();
    await this.#settled();
  }

  async round(): Promise<number> {
    const count = await this.#start();
    await this.#settled();
    return count;
  }

  /** A look begins passes, so there may be more under way at its end than before. */
  async #settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  #stop(): void {
    this.#stopping.abort();
    this.#nudge();
  }

  #nextNudge(): Promise<void> {
    return new Promise((resolve) => {
      this.#nudge = resolve;
    });
  }

  /** Until a wake, or until something is due: what the store knows of, or a pass that has ended meanwhile. */
  async #rest(nudged: Promise<void>): Promise<void> {
    const { store, clock } = this.#deps;
    this.#restUntil = clock.now() + IDLE_MS;
    this.#dueIn((await store.work.nextDueMs()) ?? IDLE_MS);
    let woken = false;
    const wake = nudged.then(() => {
      woken = true;
    });
    while (!woken && clock.now() < this.#restUntil) {
      const over = new AbortController();
      this.#recount = () => over.abort();
      await Promise.race([wake, clock.sleep(this.#restUntil - clock.now(), over.signal)]);
      over.abort();
    }
  }

  #dueIn(ms: number): void {
    const at = this.#deps.clock.now() + Math.max(ms, TOGETHER_MS);
    if (at >= this.#restUntil) return;
    this.#restUntil = at;
    this.#recount();
  }

  /** Claims what is due and begins a pass over each; does not wait for their end. */
  async #start(): Promise<number> {
    const { store } = this.#deps;
    const wakes = this.#wakes;
    const leases = await store.work.claim(BATCH, LEASE_MS);
    if (leases.length === 0) return 0;
    const networks = await store.networks(leases.map(({ networkId }) => networkId));
    const byCell = new Map<string, Held[]>();
    for (const lease of leases) {
      const network = networks.find(({ id }) => id === lease.networkId);
      if (!network) await store.work.finish(lease, null);
      else {
        const held = new Held(this.#deps, { lease, network, stopping: this.#stopping.signal });
        this.#claimedAt.set(held, wakes);
        byCell.set(network.cell.id, [...(byCell.get(network.cell.id) ?? []), held]);
      }
    }
    for (const [cellId, held] of byCell)
      this.#track(this.#gathering.join(cellId, held, this.#stopping.signal));
    return leases.length;
  }

  #track(work: Promise<unknown>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  /** After a pass, or what stood in its place: due again when it says, or at once when it was woken meanwhile. */
  async #ended(held: Held, work: Promise<number | null>): Promise<void> {
    const dueInMs = await work;
    if (dueInMs !== null) this.#dueIn(dueInMs);
    if (this.#wakes !== this.#claimedAt.get(held)) this.#nudge();
  }

  /** Looks at a cell once, and begins a pass over each of these networks of it. */
  async #look(held: readonly Held[]): Promise<void> {
    const { store, cloud } = this.#deps;
    const [first] = held;
    if (!first) return;
    try {
      const attempts = await store.attempts(held.map(({ network }) => network.id));
      const asked = await Promise.all(held.map((one) => one.question(attempts.get(one.network.id) ?? [])));
      const looks = asked.filter(({ kinds }) => kinds.length > 0);
      const { cell } = first.network;
      const seen =
        looks.length > 0 ? await cloud.observe(cell, looks.map(lookAt), this.#stopping.signal) : NONE;
      for (const [index, one] of held.entries()) {
        const question = asked[index];
        if (question) this.#track(this.#ended(one, one.run(question, seen.get(one.network.id))));
      }
    } catch (thrown) {
      for (const one of held) this.#track(this.#ended(one, one.unseen(asFailure(thrown))));
    }
  }
}

const NONE: ReadonlyMap<string, World> = new Map();

function lookAt({ ref, kinds }: Question): LookAt {
  return { ...ref, kinds };
}
