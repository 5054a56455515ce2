/**
 * Carries sweeps out, beside the reconciler: one that was asked for, and one a day by itself, which only
 * reports. It looks at every cell, compares with the store, and, when a fix was asked for, takes away what is
 * ours and nobody's and wakes the networks that lack something. Promises one sweep at a time over any number
 * of processes (a lease), and that a cell that cannot be looked at holds up no other.
 *
 *   due ─▶ claim ─▶ living ─▶ inventory of each cell ─▶ living again ─▶ judge ─▶ (fix) ─▶ report
 */
import type { Cloud } from "../cloud/cloud.ts";
import { asFailure, Failure } from "../domain/failure.ts";
import type { Cell, Clock, Network } from "../domain/model.ts";
import type { Finding, SweepReport, SweptCell, TaggedThing } from "../domain/sweep.ts";
import { summed } from "../network/cost.ts";
import { PRICES, type PriceTable } from "../network/prices.ts";
import { datasetsWithTwins, judgeSweep, type LivingNetwork } from "../network/sweep.ts";
import type { Store, SweepLease } from "../store/store.ts";
import { takeTurns } from "./errands.ts";
import { removeOrphans } from "./sweepFix.ts";

export interface SweeperDeps {
  readonly store: Store;
  readonly cloud: Cloud;
  readonly clock: Clock;
  readonly log: (line: Record<string, unknown>) => void;
  readonly prices?: PriceTable;
  /** How long AWS may hide what it has made, milliseconds; default 300,000. */
  readonly windowMs?: number;
  /** Milliseconds between two sweeps of itself; default a day. */
  readonly everyMs?: number;
}

export interface Sweeper {
  /** Runs until the signal is aborted and what it had begun has ended. */
  run(signal: AbortSignal): Promise<void>;
}

const DAY_MS = 86_400_000;
const LEASE_MS = 60_000;
const LOOK_EVERY_MS = 30_000;

export function createSweeper(given: SweeperDeps): Sweeper {
  const deps = { prices: PRICES, windowMs: 300_000, everyMs: DAY_MS, ...given };
  return { run: (signal) => run(deps, signal) };
}

type Deps = Required<SweeperDeps>;

function run(deps: Deps, signal: AbortSignal): Promise<void> {
  const { store, everyMs } = deps;
  return takeTurns({ ...deps, failed: "sweep failed" }, signal, async () => {
    const due = await store.sweeps.dueInMs(everyMs);
    const lease = due === 0 ? await store.sweeps.claim(LEASE_MS, everyMs) : null;
    if (!lease) return Math.min(Math.max(due, 1), LOOK_EVERY_MS);
    await new Sweeping(deps, lease, signal).run();
    return null;
  });
}

/** One sweep under its lease. */
class Sweeping {
  readonly #deps: Deps;
  readonly #lease: SweepLease;
  /** Aborted when the process stops, the lease is lost, or the sweep has ended. */
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  #until: number;

  constructor(deps: Deps, lease: SweepLease, signal: AbortSignal) {
    this.#deps = deps;
    this.#lease = lease;
    this.#until = lease.until;
    this.#signal = AbortSignal.any([signal, this.#over.signal]);
  }

  async run(): Promise<void> {
    const { store, log } = this.#deps;
    const { sweep } = this.#lease;
    const keeping = this.#keep();
    try {
      const report = await this.#sweep();
      // A process that stops leaves the sweep open: another one, or its next start, takes it up again.
      if (this.#signal.aborted) return;
      await store.sweeps.save(this.#lease, { state: "done", error: null, report });
      log({ event: "sweep done", sweep: sweep.id, fix: sweep.fix, ...summary(report) });
    } catch (thrown) {
      if (this.#signal.aborted) return;
      const { code, message, detail } = asFailure(thrown);
      log({ level: "error", event: "sweep failed", sweep: sweep.id, code, message, detail });
      await store.sweeps.save(this.#lease, { state: "failed", error: message, report: sweep.report });
    } finally {
      this.#over.abort();
      await keeping;
    }
  }

  #alive(): boolean {
    return !this.#signal.aborted && this.#deps.clock.now() < this.#until;
  }

  /** Renews the lease while the sweep runs; without a confirmed renewal it ends by its own clock. */
  async #keep(): Promise<void> {
    const { clock, store } = this.#deps;
    for (;;) {
      await clock.sleep(LEASE_MS / 4, this.#signal);
      if (this.#signal.aborted) return;
      const until = clock.now() + LEASE_MS;
      const kept = await store.sweeps.renew(this.#lease, LEASE_MS).catch(() => null);
      if (kept === true) this.#until = until;
      if (kept === false || clock.now() >= this.#until) this.#over.abort();
    }
  }

  async #sweep(): Promise<SweepReport> {
    const { fix } = this.#lease.sweep;
    const { cells, findings } = await this.#look();
    if (!fix) return reportOf(cells, findings);
    const tell = async (current: readonly Finding[]) => {
      const report = reportOf(cells, current);
      await this.#deps.store.sweeps.save(this.#lease, { state: "running", error: null, report });
    };
    const woken = await this.#wake(findings.map(kept));
    const means = { ...this.#deps, alive: () => this.#alive(), signal: this.#signal };
    return reportOf(cells, await removeOrphans(means, woken, tell));
  }

  async #look(): Promise<{ cells: readonly SweptCell[]; findings: readonly Finding[] }> {
    const { store, clock, prices, windowMs } = this.#deps;
    const places = await store.sweeps.cells();
    const before = await store.sweeps.living();
    const looks = await Promise.all(places.map((cell) => this.#inventory(cell)));
    // A network that began or ended meanwhile owns what was seen: both readings count.
    const living = joined(before, await store.sweeps.living());
    const things = looks.flatMap((look) => look.things);
    const seen = looks.filter(({ error }) => error === null);
    if (places.length > 0 && seen.length === 0)
      throw new Failure("unavailable", `No cell could be looked at: ${looks[0]?.error ?? ""}`);
    const findings = judgeSweep({
      things,
      living: await this.#known(living, datasetsWithTwins(things)),
      traces: await store.sweeps.traces([...new Set(things.map(({ datasetId }) => datasetId))]),
      lookedAt: new Set(seen.map(({ cell }) => cell.id)),
      prices,
      now: clock.now(),
      windowMs,
    });
    const cells = looks.map(({ cell, things: found, error }) => ({
      account: cell.account,
      region: cell.region,
      things: found.length,
      error,
    }));
    return { cells, findings };
  }

  async #inventory(
    cell: Cell,
  ): Promise<{ cell: Cell; things: readonly TaggedThing[]; error: string | null }> {
    try {
      return { cell, things: await this.#deps.cloud.inventory(cell), error: null };
    } catch (thrown) {
      return { cell, things: [], error: asFailure(thrown).message };
    }
  }

  async #known(
    networks: readonly Network[],
    twinned: ReadonlySet<string>,
  ): Promise<readonly LivingNetwork[]> {
    const { store } = this.#deps;
    const attempts = await store.attempts(networks.map(({ id }) => id));
    const worldOf = async ({ tenantId, datasetId }: Network) =>
      twinned.has(datasetId) ? ((await store.tenant(tenantId).status(datasetId))?.world ?? null) : null;
    const known = async (network: Network) => ({
      network,
      attempts: attempts.get(network.id) ?? [],
      world: await worldOf(network),
    });
    return Promise.all(networks.map(known));
  }

  /** The reconciler puts right what a living network lacks or has twice: it only has to look. */
  async #wake(findings: readonly Finding[]): Promise<readonly Finding[]> {
    const ids = new Set(findings.flatMap(({ networkId }) => networkId ?? []));
    await this.#deps.store.change(async (tx) => {
      for (const id of ids) await tx.wake(id, "fresh");
    });
    return findings.map((finding) =>
      finding.networkId === null
        ? finding
        : { ...finding, outcome: "woken", message: "its dataset's network is being looked after" },
    );
  }
}

function kept(finding: Finding): Finding {
  if (finding.removable || finding.networkId !== null) return finding;
  return { ...finding, outcome: "kept", message: "is left alone: it is not ours beyond doubt" };
}

function joined(before: readonly Network[], after: readonly Network[]): readonly Network[] {
  const ids = new Set(after.map(({ id }) => id));
  // One that ended meanwhile lacks nothing.
  const ended = before.filter(({ id }) => !ids.has(id)).map((one) => ({ ...one, want: "absent" as const }));
  return [...after, ...ended];
}

function stillThere({ finding, outcome }: Finding): boolean {
  return finding !== "missing" && outcome !== "deleted";
}

function reportOf(cells: readonly SweptCell[], findings: readonly Finding[]): SweepReport {
  const sum = summed(findings.filter(stillThere).map(({ monthlyUsd }) => monthlyUsd));
  return { cells, findings, ...sum };
}

function summary({ cells, findings, monthlyUsd, atLeast }: SweepReport): Record<string, unknown> {
  return {
    orphans: findings.filter(stillThere).length,
    missing: findings.filter(({ finding }) => finding === "missing").length,
    monthlyUsd,
    atLeast,
    unseen: cells.filter(({ error }) => error !== null).map(({ region }) => region),
  };
}
