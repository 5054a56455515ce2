/**
 * Tries the probes that were asked for, beside the reconciler: as soon as the network's function is there it is called,
 * and what it found is judged with a fresh look at the routes. Promises that a probe ends in any case: with a verdict,
 * with the reason why the function cannot be made or called, or after its time; and that one network's probe holds up
 * no other's. A claim on a probe ends by itself, so that another process takes up what a dead one had begun.
 *
 *   asked ─▶ claim ─▶ is the function there? ─▶ call it ─▶ look at the routes ─▶ judge ─▶ done
 *              ▲            │ not yet, or not ready
 *              └─ a while ──┘
 */
import type { Cloud } from "../cloud/cloud.ts";
import { asFailure, type Failure } from "../domain/failure.ts";
import type { Clock, Network } from "../domain/model.ts";
import type { ProbeResult } from "../domain/probe.ts";
import { emptyWorld, type Kind } from "../domain/world.ts";
import { PROBE } from "../network/probe.ts";
import { probeVerdict } from "../network/probeVerdict.ts";
import type { NetworkStatus, ProbeLease, Store } from "../store/store.ts";
import { takeTurns } from "./errands.ts";
import { refOf } from "./held.ts";

export interface ProberDeps {
  readonly store: Store;
  readonly cloud: Cloud;
  readonly clock: Clock;
  readonly log: (line: Record<string, unknown>) => void;
  /** A probe that could not be tried within this fails, milliseconds; default 15 min. */
  readonly patienceMs?: number;
}

export interface Prober {
  /** Runs until the signal is aborted and what it had begun has ended. */
  run(signal: AbortSignal): Promise<void>;
}

/** Longer than a call of the function, and the look after it. */
const LEASE_MS = 90_000;
const AGAIN_MS = 1_000;
const LOOK_EVERY_MS = 30_000;
/** A function in a VPC is there after a minute or two. */
const PATIENCE_MS = 900_000;
const AT_ONCE = 8;

type Deps = Required<ProberDeps>;

export function createProber(given: ProberDeps): Prober {
  const deps = { patienceMs: PATIENCE_MS, ...given };
  return { run: (signal) => run(deps, signal) };
}

async function run(deps: Deps, signal: AbortSignal): Promise<void> {
  const { store } = deps;
  const underWay = new Set<Promise<void>>();
  await takeTurns({ ...deps, failed: "probing failed" }, signal, async (nudge) => {
    const lease = underWay.size < AT_ONCE ? await store.probes.claim(LEASE_MS) : null;
    if (!lease) return restMs(store, underWay.size);
    const one = tryOne(deps, lease, signal);
    underWay.add(one);
    void one.finally(() => {
      underWay.delete(one);
      nudge();
    });
    return null;
  });
  await Promise.all(underWay);
}

/** With no hand free, an end of one is waited for. */
async function restMs(store: Store, underWay: number): Promise<number> {
  const due = underWay < AT_ONCE ? await store.probes.dueInMs() : null;
  return Math.min(Math.max(due ?? LOOK_EVERY_MS, 1), LOOK_EVERY_MS);
}

/** Never rejects. */
async function tryOne(deps: Deps, lease: ProbeLease, signal: AbortSignal): Promise<void> {
  const { log } = deps;
  const { id } = lease.probe;
  try {
    await next(deps, lease, signal);
  } catch (thrown) {
    const failure = asFailure(thrown);
    const { code, message, detail } = failure;
    log({ level: "warn", event: "probe not tried", probe: id, code, message, detail });
    const put = signal.aborted ? handedOn(deps, lease) : afterFailure(deps, lease, failure);
    await put.catch((lost: unknown) => {
      log({ level: "warn", event: "probe left", probe: id, message: asFailure(lost).message });
    });
  }
}

/** This process ends; another one, or its next start, takes it up at once. Without this the claim ends by itself. */
function handedOn({ store }: Deps, lease: ProbeLease): Promise<void> {
  return store.probes.putBack(lease, { note: "is taken up again by another process", againInMs: 0 });
}

async function next(deps: Deps, lease: ProbeLease, signal: AbortSignal): Promise<void> {
  const { store, clock, log, patienceMs } = deps;
  const { probe } = lease;
  const [network] = await store.networks([probe.networkId]);
  if (network?.want !== "present")
    return ended(deps, lease, { message: "The VPC is being deleted, or is gone" });
  const status = await store.tenant(network.tenantId).status(network.datasetId);
  const standing = functionOf(status, probe.askedAt);
  if (standing.is === "blocked") return ended(deps, lease, standing);
  if (standing.is === "ready") {
    await store.probes.begin(lease, LEASE_MS);
    const result = await tried(deps, { network, lease, signal });
    await store.probes.end(lease, { state: "done", note: null, hint: null, result });
    const { verdict } = result;
    log({ event: "probe done", probe: probe.id, network: network.id, dataset: network.datasetName, verdict });
  } else if (clock.now() - probe.askedAt < patienceMs)
    await store.probes.putBack(lease, { note: standing.message, againInMs: AGAIN_MS });
  else await ended(deps, lease, tooLate(standing.message, { network, patienceMs }));
}

interface Told {
  readonly message: string;
  readonly hint?: string | null;
}

function ended({ store }: Deps, lease: ProbeLease, { message, hint }: Told): Promise<void> {
  return store.probes.end(lease, { state: "failed", note: message, hint: hint ?? null, result: null });
}

function tooLate(
  message: string,
  { network, patienceMs }: { readonly network: Network; readonly patienceMs: number },
): Told {
  return {
    message: `The function was not there within ${patienceMs / 1000} s; the last that was said of it: ${message}`,
    hint: `See how it is: letsdata datasets view --datasetName ${network.datasetName}`,
  };
}

type Standing = Told & { readonly is: "ready" | "waiting" | "blocked" };

/** What the last pass says of the function. What blocked it before somebody asked again may be put right by now. */
function functionOf(status: NetworkStatus | null, askedAt: number): Standing {
  const told = status?.conditions.find(({ resource }) => resource === PROBE);
  if (!status || !told) return { is: "waiting", message: "the function is made first" };
  const message = `the function: ${told.message}`;
  if (told.state === "ready") return { is: "ready", message };
  const isFresh = status.observedAt !== null && status.observedAt >= askedAt;
  return told.state === "blocked" && isFresh
    ? { is: "blocked", message: `The probe's function cannot be used: ${told.message}`, hint: told.hint }
    : { is: "waiting", message };
}

/** What an address's way depends on. */
const OF_ROUTES: readonly Kind[] = ["vpcs", "routeTables", "natGateways", "peerings"];

interface Trying {
  readonly network: Network;
  readonly lease: ProbeLease;
  readonly signal: AbortSignal;
}

async function tried(deps: Deps, { network, lease, signal }: Trying): Promise<ProbeResult> {
  const { store, cloud, clock } = deps;
  const { wish } = lease.probe;
  const attempts = await store.attempts([network.id]);
  const ref = refOf(network, attempts.get(network.id) ?? []);
  const findings = await cloud.probe(network.cell, { network: ref, wish, signal });
  const worlds = await cloud.observe(network.cell, [{ ...ref, kinds: OF_ROUTES }], signal);
  const world = worlds.get(network.id) ?? emptyWorld(clock.now());
  return probeVerdict({ network, wish, findings, world });
}

/** What may be otherwise in a moment is tried again: a function that wakes up, or that somebody deleted. */
async function afterFailure(deps: Deps, lease: ProbeLease, failure: Failure): Promise<void> {
  const { store, clock, patienceMs } = deps;
  const { code, message, hint } = failure;
  const { askedAt, networkId } = lease.probe;
  const passes = code === "unavailable" || code === "conflict" || code === "notFound";
  if (!passes || clock.now() - askedAt >= patienceMs)
    return ended(deps, lease, { message, ...(hint !== undefined && { hint }) });
  await store.probes.putBack(lease, { note: message, againInMs: 2 * AGAIN_MS });
  if (code === "notFound") await store.change((tx) => tx.wake(networkId, "fresh"));
}
