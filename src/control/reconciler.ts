/**
 * The loop that makes the world follow the wishes. It claims the networks that are due, looks at each cell
 * once for all of its networks, and passes over each of them. It takes no other input: first try, retry,
 * restart and repair are this one road. Promises one writer for a network at a time, over any number of
 * processes, and that a failing network or cell does not hold up another.
 *
 *   wake / due ─▶ claim ─▶ by cell: observe ─▶ by network: plan ─▶ steps ─▶ conditions ─▶ due again
 */
import type { Cloud, NetworkRef } from "../cloud/cloud.ts";
import { asFailure, Failure } from "../domain/failure.ts";
import type { Cell, Clock, Condition, Network, Tenant } from "../domain/model.ts";
import { type Attempt, emptyWorld, type World } from "../domain/world.ts";
import { chooseZones, layout } from "../network/layout.ts";
import type { Lease, PassWrites, Store } from "../store/store.ts";
import { type PassOutcome, pass } from "./pass.ts";

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

const LEASE_MS = 30_000;
const BATCH = 100;
const IDLE_MS = 2_000;

export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const loop = new Loop(deps);
  return { run: (signal) => loop.run(signal), round: () => loop.round() };
}

class Loop {
  readonly #deps: Required<ReconcilerDeps>;
  readonly #running = new Set<Promise<unknown>>();
  #stopped = false;
  #nudge: () => void = () => undefined;

  constructor(deps: ReconcilerDeps) {
    this.#deps = { windowMs: 300_000, resyncMs: 30_000, ...deps };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.#deps;
    const stopListening = store.onWake(() => this.#nudge());
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
        if (started === 0 && !this.#stopped) await this.#rest(nudged);
      } catch (thrown) {
        const { code, message, detail } = asFailure(thrown);
        log({ level: "error", event: "round failed", code, message, detail });
        await clock.sleep(IDLE_MS, signal);
      }
    }
    stopListening();
    await Promise.allSettled(this.#running);
  }

  async round(): Promise<number> {
    const count = await this.#start();
    await Promise.allSettled(this.#running);
    return count;
  }

  #stop(): void {
    this.#stopped = true;
    this.#nudge();
  }

  #nextNudge(): Promise<void> {
    return new Promise((resolve) => {
      this.#nudge = resolve;
    });
  }

  async #rest(nudged: Promise<void>): Promise<void> {
    const { store, clock } = this.#deps;
    const due = await store.work.nextDueMs();
    const over = new AbortController();
    await Promise.race([nudged, clock.sleep(Math.max(1, Math.min(due ?? IDLE_MS, IDLE_MS)), over.signal)]);
    over.abort();
  }

  /** Claims what is due and begins a pass over each; does not wait for their end. */
  async #start(): Promise<number> {
    const { store } = this.#deps;
    const leases = await store.work.claim(BATCH, LEASE_MS);
    if (leases.length === 0) return 0;
    const networks = await store.networks(leases.map(({ networkId }) => networkId));
    const byCell = new Map<string, Held[]>();
    for (const lease of leases) {
      const network = networks.find(({ id }) => id === lease.networkId);
      if (!network) await store.work.finish(lease, null);
      else byCell.set(network.cell.id, [...(byCell.get(network.cell.id) ?? []), this.#hold(lease, network)]);
    }
    for (const held of byCell.values()) this.#track(this.#cell(held));
    return leases.length;
  }

  #track(work: Promise<unknown>): void {
    this.#running.add(work);
    void work.finally(() => {
      this.#running.delete(work);
      this.#nudge();
    });
  }

  #hold(lease: Lease, network: Network): Held {
    return new Held(this.#deps, lease, network, () => this.#stopped);
  }

  /** Looks at the cell once, then passes over each of its networks. */
  async #cell(held: readonly Held[]): Promise<void> {
    const { store, cloud } = this.#deps;
    const [first] = held;
    if (!first) return;
    try {
      const attempts = await store.attempts(held.map(({ network }) => network.id));
      const refs = held.map(({ network }) => refOf(network, attempts.get(network.id) ?? []));
      const seen = await cloud.observe(first.network.cell, refs);
      await Promise.all(
        held.map((one, index) =>
          one.run({ ref: refs[index] ?? refOf(one.network, []), world: seen.get(one.network.id), attempts }),
        ),
      );
    } catch (thrown) {
      await Promise.all(held.map((one) => one.fail(asFailure(thrown))));
    } finally {
      for (const one of held) one.release();
    }
  }
}

function refOf({ id, tenantId, datasetId, datasetName }: Network, attempts: readonly Attempt[]): NetworkRef {
  const vpcIds = attempts.flatMap(({ key, resourceId, closedAt }) =>
    key === "vpc" && resourceId && closedAt === null ? [resourceId] : [],
  );
  return { id, tenantId, datasetId, datasetName, vpcIds };
}

interface Looked {
  readonly ref: NetworkRef;
  readonly world: World | undefined;
  readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
}

/** One network under its lease. */
class Held {
  readonly network: Network;
  readonly #deps: Required<ReconcilerDeps>;
  readonly #lease: Lease;
  readonly #stopped: () => boolean;
  readonly #over = new AbortController();
  #until: number;

  constructor(deps: Required<ReconcilerDeps>, lease: Lease, network: Network, stopped: () => boolean) {
    this.#deps = deps;
    this.#lease = lease;
    this.network = network;
    this.#stopped = stopped;
    this.#until = lease.until;
    void this.#keep();
  }

  release(): void {
    this.#over.abort();
  }

  #alive(): boolean {
    return !this.#stopped() && this.#deps.clock.now() < this.#until;
  }

  /** Renews the lease while the pass runs; without a confirmed renewal the pass stops by its own clock. */
  async #keep(): Promise<void> {
    const { clock, store } = this.#deps;
    const { signal } = this.#over;
    for (;;) {
      await clock.sleep(LEASE_MS / 3, signal);
      if (signal.aborted) return;
      const until = clock.now() + LEASE_MS;
      const kept = await store.work.renew(this.#lease, LEASE_MS).catch(() => null);
      if (kept === true) this.#until = until;
      if (kept === false) this.#until = 0;
    }
  }

  async run({ ref, world, attempts }: Looked): Promise<void> {
    const { store, log } = this.#deps;
    const writes = store.pass(this.#lease);
    try {
      const tenant = await store.tenantById(this.network.tenantId);
      const status = await store.tenant(this.network.tenantId).status(this.network.datasetId);
      const previous = status?.conditions ?? [];
      const network = await this.#laidOut(writes);
      const outcome = await this.#pass({
        network,
        tenant,
        ref,
        world: world ?? emptyWorld(this.#deps.clock.now()),
        attempts: attempts.get(network.id) ?? [],
        previous,
        writes,
      });
      await this.#finish(outcome);
    } catch (thrown) {
      const failure = asFailure(thrown);
      log({
        level: "error",
        event: "pass failed",
        network: this.network.id,
        code: failure.code,
        message: failure.message,
        detail: failure.detail,
      });
      await this.fail(failure);
    }
  }

  #pass(input: {
    network: Network;
    tenant: Tenant | null;
    ref: NetworkRef;
    world: World;
    attempts: readonly Attempt[];
    previous: readonly Condition[];
    writes: PassWrites;
  }): Promise<PassOutcome> {
    return pass(this.#deps, { ...input, lease: this.#lease, alive: () => this.#alive() });
  }

  /** The layout is chosen once, when the zones are known, and stored. */
  async #laidOut(writes: PassWrites): Promise<Network> {
    const { network } = this;
    if (network.layout || network.want === "absent") return network;
    const zones = await this.#deps.cloud.zones(network.cell);
    const { excludedZoneIds } = await this.#deps.store.settings();
    const chosen = chooseZones(zones, excludedZoneIds);
    if (chosen.kind === "short") throw tooFewZones(network.cell, chosen.missing);
    const cut = layout({ cidr: network.cidr, size: network.size, zoneIds: chosen.zoneIds });
    await writes.saveLayout(cut);
    return { ...network, layout: cut };
  }

  async #finish({ dueInMs, failed }: PassOutcome): Promise<void> {
    const { work } = this.#deps.store;
    if (failed) await work.fail(this.#lease, dueInMs ?? 1_000, failed.message);
    else await work.finish(this.#lease, dueInMs);
  }

  /** The whole pass failed: say why on the network, and try again later and later. */
  async fail(failure: Failure): Promise<void> {
    const { store, clock, log } = this.#deps;
    const dueInMs = Math.min(500 * 2 ** Math.min(this.#lease.failures, 10), 60_000);
    try {
      const status = await store.tenant(this.network.tenantId).status(this.network.datasetId);
      const conditions = [
        ...(status?.conditions ?? []).filter(({ resource }) => resource !== "cloud"),
        told(failure, clock.now()),
      ];
      await store
        .pass(this.#lease)
        .saveStatus({ conditions, world: status?.world ?? null, observedAt: status?.observedAt ?? null });
      await store.work.fail(this.#lease, dueInMs, failure.message);
    } catch (thrown) {
      // The lease runs out by itself, and the network is claimed again.
      log({
        level: "warn",
        event: "lease left to run out",
        network: this.network.id,
        message: asFailure(thrown).message,
      });
    }
  }
}

function told(failure: Failure, now: number): Condition {
  const waits = failure.code === "unavailable" || failure.code === "conflict";
  return {
    resource: "cloud",
    id: null,
    state: waits ? "waiting" : "blocked",
    message: failure.message,
    actor: waits ? "aws" : "operator",
    hint: failure.hint ?? null,
    since: now,
    usualSeconds: null,
  };
}

function tooFewZones(cell: Cell, missing: number): Failure {
  return new Failure(
    "exhausted",
    `${cell.region} has ${missing} availability zones too few for three subnets of each kind`,
    {
      hint: "Take a zone off the excluded ones: letsdata settings update --excludedZoneIds …",
    },
  );
}
