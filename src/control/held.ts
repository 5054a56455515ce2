/**
 * One network under its lease: keeps the lease while the pass runs, reads what the pass needs, and gives the
 * lease back with what the pass wants next. Promises that nothing is called once the lease is lost, and that a
 * pass that fails as a whole says why on the network.
 */

import type { NetworkRef } from "../cloud/cloud.ts";
import { asFailure, Failure } from "../domain/failure.ts";
import { ZONES_WITHOUT_BROKERS } from "../domain/kafka.ts";
import type { Cell, Condition, Network } from "../domain/model.ts";
import { type Attempt, emptyWorld, type Kind, type World } from "../domain/world.ts";
import { chooseZones, layout } from "../network/layout.ts";
import { dueKinds, joined } from "../network/looks.ts";
import type { Lease, PassWrites, Store } from "../store/store.ts";
import type { Alarms } from "./alarms.ts";
import { deletePlanOf } from "./outlook.ts";
import { type PassDeps, type PassOutcome, pass } from "./pass.ts";

export interface HeldDeps extends PassDeps {
  readonly store: Store;
  readonly alarms: Alarms;
}

export const LEASE_MS = 30_000;

/** What a pass has to look at, and what is known without looking. */
export interface Question {
  readonly ref: NetworkRef;
  readonly kinds: readonly Kind[];
  readonly known: World;
  readonly attempts: readonly Attempt[];
  readonly previous: readonly Condition[];
}

export class Held {
  readonly network: Network;
  readonly #deps: HeldDeps;
  readonly #lease: Lease;
  readonly #over = new AbortController();
  readonly #lost = new AbortController();
  /** Aborted when the lease is lost or the process stops. */
  readonly #signal: AbortSignal;
  #until: number;

  constructor(
    deps: HeldDeps,
    { lease, network, stopping }: { lease: Lease; network: Network; stopping: AbortSignal },
  ) {
    this.#deps = deps;
    this.#lease = lease;
    this.network = network;
    this.#signal = AbortSignal.any([stopping, this.#lost.signal]);
    this.#until = lease.until;
    void this.#keep();
  }

  #alive(): boolean {
    return !this.#signal.aborted && this.#deps.clock.now() < this.#until;
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
      if (clock.now() >= this.#until) this.#lost.abort();
    }
  }

  /**
   * What to look at. No row in the journal, no call: then nothing can be there, and there is nothing to look at.
   * A network on its way is looked at where something moves; one at rest is looked at whole, again and again.
   */
  async question(attempts: readonly Attempt[]): Promise<Question> {
    const { store, clock, resyncMs } = this.#deps;
    const { network } = this;
    const status = await store.tenant(network.tenantId).status(network.datasetId);
    const previous = status?.conditions ?? [];
    const now = clock.now();
    const ref = refOf(network, attempts);
    if (attempts.length === 0) return { ref, kinds: [], known: emptyWorld(now), attempts, previous };
    const atRest = network.readyAt !== null && network.want === "present";
    const kinds = dueKinds({
      world: status?.world ?? null,
      conditions: previous,
      now,
      freshAfter: this.#lease.freshAfter,
      oldMs: atRest ? resyncMs * 0.8 : ON_ITS_WAY_MS,
    });
    return { ref, kinds, known: status?.world ?? emptyWorld(now), attempts, previous };
  }

  /** What was said in the pass before, by the time it is now. */
  async #alarm({ known, previous }: Question): Promise<void> {
    const { store, alarms, clock } = this.#deps;
    const { network } = this;
    if (network.want !== "absent") return;
    const dataset = await store.tenant(network.tenantId).dataset(network.datasetName);
    if (dataset?.id !== network.datasetId) return;
    const status = { networkId: network.id, conditions: previous, world: known, observedAt: known.at };
    alarms.raise(network, deletePlanOf({ dataset, network, status }, clock.now()) ?? []);
  }

  /** A pass over what was seen, and the lease given back; when it is due again, null = only when woken. */
  async run(question: Question, seen: World | undefined): Promise<number | null> {
    try {
      return await this.#run(question, seen);
    } finally {
      this.#over.abort();
    }
  }

  /** The look has failed: no pass, and the lease given back. */
  async unseen(failure: Failure): Promise<number | null> {
    try {
      return await this.#fail(failure);
    } finally {
      this.#over.abort();
    }
  }

  async #run(question: Question, seen: World | undefined): Promise<number | null> {
    const { ref, kinds, known, attempts, previous } = question;
    const { store, log } = this.#deps;
    const writes = store.pass(this.#lease);
    try {
      await this.#alarm(question);
      const tenant = await store.tenantById(this.network.tenantId);
      const network = await this.#laidOut(writes);
      const world = seen ? joined(known, seen, kinds) : known;
      const hold = { lease: this.#lease, alive: () => this.#alive(), signal: this.#signal, writes };
      const outcome = await pass(this.#deps, { ...hold, network, tenant, ref, world, attempts, previous });
      if (outcome.dueInMs === null) this.#deps.alarms.forget(network.id);
      return await this.#finish(outcome);
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
      return this.#fail(failure);
    }
  }

  /** The layout is chosen once, when the zones are known, and stored. */
  async #laidOut(writes: PassWrites): Promise<Network> {
    const { network } = this;
    if (network.layout || network.want === "absent") return network;
    const zones = await this.#deps.cloud.zones(network.cell);
    const { excludedZoneIds } = await this.#deps.store.settings();
    const brokerless = network.cluster ? ZONES_WITHOUT_BROKERS : [];
    const chosen = chooseZones(zones, [...excludedZoneIds, ...brokerless]);
    if (chosen.kind === "short") throw tooFewZones(network.cell, chosen.missing);
    const cut = layout({ cidr: network.cidr, size: network.size, zoneIds: chosen.zoneIds });
    await writes.saveLayout(cut);
    return { ...network, layout: cut };
  }

  async #finish({ dueInMs, failed }: PassOutcome): Promise<number | null> {
    const { work } = this.#deps.store;
    if (!failed) {
      await work.finish(this.#lease, dueInMs);
      return dueInMs;
    }
    const failedDueInMs = dueInMs ?? 1_000;
    await work.fail(this.#lease, failedDueInMs, failed.message);
    return failedDueInMs;
  }

  /** The whole pass failed: say why on the network, and try again later and later. */
  async #fail(failure: Failure): Promise<number | null> {
    const { store, clock, log } = this.#deps;
    const dueInMs = Math.min(500 * 2 ** Math.min(this.#lease.failures, 10), 60_000);
    try {
      const status = await store.tenant(this.network.tenantId).status(this.network.datasetId);
      const previous = status?.conditions ?? [];
      const conditions = [
        told(failure, previous, clock.now()),
        ...previous.filter(({ resource }) => resource !== "cloud"),
      ];
      await store
        .pass(this.#lease)
        .saveStatus({ conditions, world: status?.world ?? null, observedAt: status?.observedAt ?? null });
      await store.work.fail(this.#lease, dueInMs, failure.message);
      return dueInMs;
    } catch (thrown) {
      // The lease runs out by itself, and the network is claimed again.
      log({
        level: "warn",
        event: "lease left to run out",
        network: this.network.id,
        message: asFailure(thrown).message,
      });
      return null;
    }
  }
}

/** How old a look may be at what does not move, while a network is on its way, milliseconds. */
const ON_ITS_WAY_MS = 300_000;

export function refOf(network: Network, attempts: readonly Attempt[]): NetworkRef {
  const { id, tenantId, datasetId, datasetName, functionArns, cluster, probeRoleArn } = network;
  const vpcIds = attempts.flatMap(({ key, resourceId, closedAt }) =>
    key === "vpc" && resourceId && closedAt === null ? [resourceId] : [],
  );
  const has = { hasCluster: cluster !== null, hasProbe: probeRoleArn !== null };
  const connector = { functionArns, topic: cluster?.topic ?? undefined, ...has };
  return { id, tenantId, datasetId, datasetName, vpcIds, ...connector };
}

/** Comes before what was seen earlier: as long as it lasts, nothing else can change. */
function told(failure: Failure, previous: readonly Condition[], now: number): Condition {
  const waits = failure.code === "unavailable" || failure.code === "conflict";
  const state = waits ? "waiting" : "blocked";
  const before = previous.find(({ resource }) => resource === "cloud");
  return {
    resource: "cloud",
    id: null,
    state,
    message: failure.message,
    actor: waits ? "aws" : "operator",
    hint: failure.hint ?? null,
    since: before?.state === state ? before.since : now,
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
