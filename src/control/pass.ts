/**
 * One pass over one network: read the wish, think, take the steps that can run now, write down what was seen
 * and found. Promises that a create is journaled before its call, that no call is made once the lease is
 * lost, and that a failing step stops neither its neighbours nor other networks.
 */
import { type Cloud, type NetworkRef, NotSent, type StepCall } from "../cloud/cloud.ts";
import { overlaps } from "../domain/cidr.ts";
import { asFailure, type Failure, kindOf } from "../domain/failure.ts";
import type { Clock, Condition, Network, PeeringWish, Tenant } from "../domain/model.ts";
import { isCreate, type Step } from "../domain/steps.ts";
import type { Attempt, World } from "../domain/world.ts";
import type { Verdict } from "../network/connect.ts";
import { isWhole, nothingKnown, touched } from "../network/looks.ts";
import { type Plan, plan } from "../network/plan.ts";
import type { Move } from "../network/sight.ts";
import { holdsCreationUp, isLost } from "../network/status.ts";
import type { Lease, PassWrites } from "../store/store.ts";
import { adopt } from "./adoption.ts";
import { type GateInput, peeringHolds, shortages } from "./quotaGate.ts";

export interface PassDeps {
  readonly cloud: Cloud;
  readonly clock: Clock;
  /** How long AWS may hide what it has made, milliseconds. */
  readonly windowMs: number;
  /** A network that is as it should be is looked at again after this, milliseconds. */
  readonly resyncMs: number;
  readonly log: (line: Record<string, unknown>) => void;
}

export interface PassInput {
  readonly network: Network;
  readonly tenant: Tenant | null;
  readonly ref: NetworkRef;
  readonly world: World;
  readonly attempts: readonly Attempt[];
  readonly previous: readonly Condition[];
  readonly lease: Lease;
  readonly writes: PassWrites;
  /** False once the lease is lost or the process stops: no further call. */
  readonly alive: () => boolean;
  /** Aborted then: calls that wait for their turn are not made. */
  readonly signal: AbortSignal;
}

/** What the pass wants next: `failed` counts as a failed pass; `dueInMs` null = only when woken. */
export interface PassOutcome {
  readonly dueInMs: number | null;
  readonly failed: Failure | null;
}

export async function pass(deps: PassDeps, input: PassInput): Promise<PassOutcome> {
  const { network, world, attempts, previous, writes } = input;
  const now = deps.clock.now();
  await adopt(input);
  const gate = { cloud: deps.cloud, network, writes, previous, now, log: deps.log };
  const holds = await peeringHolds({ ...gate, world });
  const thought = await gated(
    gate,
    plan({ network, world, attempts, previous, now, windowMs: deps.windowMs, holds }),
    attempts,
  );
  const conditions = [...heldUp(thought, previous), ...rangeCondition(network, input.tenant, previous, now)];
  // Marked before the steps are taken: whatever becomes of us, nobody thinks with what they may have changed.
  await writes.saveStatus({ conditions, world: touched(world, thought.moves), observedAt: world.at });
  if (thought.gone && isWhole(world)) {
    await writes.markGone();
    deps.log({ event: "network gone", network: network.id, dataset: network.datasetName });
    return { dueInMs: null, failed: null };
  }
  await writeVerdicts(writes, thought.verdicts, now);
  await writeStatus(deps, input, thought);
  const { failures, waits, inert } = await takeMoves(deps, input, thought.moves);
  if (failures.size + inert.size > 0) {
    const told = withFailures(conditions, new Map([...waits, ...failures]), { previous, now });
    const taken = thought.moves.filter((move) => !inert.has(move));
    const left = failures.size > 0 ? nothingKnown(world) : touched(world, taken);
    await writes.saveStatus({ conditions: told, world: left, observedAt: world.at });
  }
  return outcome(deps, { input, thought, failures });
}

/** Before the first write quotas are looked at; where they are short, nothing is begun. */
async function gated(gate: GateInput, thought: Plan, attempts: readonly Attempt[]): Promise<Plan> {
  if (attempts.length > 0 || thought.moves.length === 0) return thought;
  const short = await shortages(gate);
  return short.length === 0 ? thought : { ...thought, moves: [], conditions: short };
}

/** A network the tenant declared later does not move the range: it is said, and peering from it cannot work. */
function rangeCondition(
  { cidr, want }: Network,
  tenant: Tenant | null,
  previous: readonly Condition[],
  now: number,
): Condition[] {
  const collision = tenant?.avoidCidrs.find((block) => overlaps(block, cidr));
  if (!collision || want === "absent") return [];
  const before = previous.find(({ resource }) => resource === "range");
  return [
    {
      resource: "range",
      id: cidr,
      state: "blocked",
      actor: "customer",
      message: `${cidr} overlaps ${collision}, which the tenant declared as its own: no VPC of that network can peer with it`,
      hint: "Create a new dataset, which will get another range, and delete this one; or take the network off avoidCidrs.",
      since: before?.since ?? now,
      usualSeconds: null,
    },
  ];
}

async function writeVerdicts(writes: PassWrites, verdicts: readonly Verdict[], now: number): Promise<void> {
  for (const verdict of verdicts) await writes.savePeering(judged(verdict, now));
}

function judged(verdict: Verdict, now: number): PeeringWish {
  const { wish } = verdict;
  if (verdict.is === "established") return { ...wish, establishedAt: now };
  if (verdict.is === "refused") return { ...wish, want: "deleted", reason: verdict.reason };
  // The reason of a wish to delete says why we refused it; one that was asked for has none.
  const reason = wish.want === "deleted" ? wish.reason : verdict.reason;
  return { ...wish, endedAt: now, endedBy: verdict.by, reason };
}

async function writeStatus(
  deps: PassDeps,
  { network, writes, previous }: PassInput,
  thought: Plan,
): Promise<void> {
  const { want, readyAt, datasetStatus } = network;
  if (
    want === "absent" ||
    (readyAt !== null && datasetStatus === "ACTIVE" && !thought.conditions.some(isLost))
  )
    return;
  if (thought.complete) {
    await writes.markReady();
    deps.log({ event: "network ready", network: network.id, dataset: network.datasetName });
    return;
  }
  const isBlocked = (conditions: readonly Condition[]) => conditions.some(holdsCreationUp);
  // Failures of the last pass's steps count too: they are in `previous`, not in the fresh thought.
  await writes.setDatasetStatus(isBlocked(thought.conditions) || isBlocked(previous) ? "ERROR" : "CREATING");
}

/** What held a create up in the pass before stands until it is made: only then is there something new to say. */
function heldUp({ conditions, moves }: Plan, previous: readonly Condition[]): readonly Condition[] {
  const again = new Set(moves.flatMap(({ step }) => (isCreate(step) ? [step.key] : [])));
  return conditions.map((condition) => {
    if (!again.has(condition.resource) || condition.id !== null) return condition;
    const before = previous.find(({ resource }) => resource === condition.resource);
    const stands = before?.id === null && before.state === condition.state && before.actor === "aws";
    return stands ? before : condition;
  });
}

interface Taken {
  readonly failures: ReadonlyMap<string, Failure>;
  /** Why steps were not sent: the cloud's rate limit did not let them. */
  readonly waits: ReadonlyMap<string, Failure>;
  /** What has changed nothing: steps that were not sent, and optional ones that the cloud does not allow yet. */
  readonly inert: ReadonlySet<Move>;
}

/**
 * Steps side by side. One that waits for the cloud's rate limit is given up after a while, and comes back with
 * the next pass, which finds its place in the line again: the world, and what is wanted of it, may have changed.
 */
async function takeMoves(deps: PassDeps, input: PassInput, moves: readonly Move[]): Promise<Taken> {
  const failures = new Map<string, Failure>();
  const waits = new Map<string, Failure>();
  const inert = new Set<Move>();
  const patience = new AbortController();
  const done = new AbortController();
  void deps.clock.sleep(PATIENCE_MS, done.signal).then(() => patience.abort());
  const signal = AbortSignal.any([input.signal, patience.signal]);
  await Promise.all(
    moves.map(async (move) => {
      if (!input.alive()) return;
      try {
        await take(deps, { ...input, signal }, move);
      } catch (thrown) {
        const failure = asFailure(thrown);
        if (failure instanceof NotSent) {
          waits.set(move.step.key, failure);
          inert.add(move);
          return;
        }
        if (move.optional && kindOf(failure.code).reconcile === "observe") {
          inert.add(move);
          return;
        }
        failures.set(move.step.key, failure);
        logFailedStep(deps, input.network, { step: move.step, failure });
      }
    }),
  );
  done.abort();
  return { failures, waits, inert };
}

const PATIENCE_MS = 10_000;

function logFailedStep(
  deps: PassDeps,
  network: Network,
  { step, failure }: { readonly step: Step; readonly failure: Failure },
): void {
  const { code, message, detail } = failure;
  const level = code === "internal" ? "error" : "warn";
  const where = { network: network.id, step: step.do, key: step.key };
  deps.log({ level, event: "step failed", ...where, code, message, detail });
}

async function take(deps: PassDeps, input: PassInput, { step, attempt }: Move): Promise<void> {
  const { ref, network, signal, writes } = input;
  const call: StepCall = { network: ref, step, attempt, signal };
  if (!isCreate(step)) {
    await deps.cloud.apply(network.cell, call);
    await closeDeleted(input, step);
    return;
  }
  // The journal knows when the call was made, not when it began to wait: what AWS may hide is counted from there.
  const turn = await deps.cloud.turn(network.cell, call);
  if (!input.alive()) return;
  await writes.beginAttempt(step.key, attempt);
  if (!input.alive()) return;
  try {
    const id = await deps.cloud.apply(network.cell, { ...call, turn });
    if (id) await writes.recordAttempt(step.key, attempt, id);
  } catch (thrown) {
    // Only `unavailable` leaves it open whether the cloud made the thing; every other answer is a clear no.
    if (asFailure(thrown).code !== "unavailable") await writes.closeAttempt(step.key, attempt);
    throw thrown;
  }
}

/** What we took away ourselves must not count as hidden. */
async function closeDeleted({ attempts, writes }: PassInput, step: Step): Promise<void> {
  if (!/^(delete|release)/.test(step.do)) return;
  const ids = Object.values(step);
  for (const { key, attempt, resourceId, closedAt } of attempts)
    if (closedAt === null && resourceId && ids.includes(resourceId)) await writes.closeAttempt(key, attempt);
}

function withFailures(
  conditions: readonly Condition[],
  failures: ReadonlyMap<string, Failure>,
  { previous, now }: { previous: readonly Condition[]; now: number },
): readonly Condition[] {
  const told = new Map(conditions.map((condition) => [condition.resource, condition]));
  for (const [resource, failure] of failures) {
    const { reconcile } = kindOf(failure.code);
    const blocked = reconcile === "blocked" || reconcile === "stop";
    const before = previous.find((condition) => condition.resource === resource);
    const state = blocked ? "blocked" : (told.get(resource)?.state ?? "waiting");
    told.set(resource, {
      resource,
      id: told.get(resource)?.id ?? null,
      state,
      message: failure.message,
      actor: blocked ? "operator" : "aws",
      hint: failure.hint ?? null,
      since: before?.state === state ? before.since : now,
      usualSeconds: null,
    });
  }
  return [...told.values()];
}

interface Ended {
  readonly input: PassInput;
  readonly thought: Plan;
  readonly failures: ReadonlyMap<string, Failure>;
}

/** Look again soon after progress, later the longer something takes, and every `resyncMs` at rest. */
function outcome(deps: PassDeps, { input, thought, failures }: Ended): PassOutcome {
  const now = deps.clock.now();
  const failed = worst([...failures.values()]);
  if (failed) {
    const base = kindOf(failed.code).reconcile === "observe" ? 300 : 1_000;
    return { dueInMs: Math.min(base * 2 ** Math.min(input.lease.failures, 10), 60_000), failed };
  }
  const moved = thought.moves.some(({ optional }) => !optional) || thought.verdicts.length > 0;
  if (moved || !isWhole(input.world)) return { dueInMs: AFTER_PROGRESS_MS, failed: null };
  const open = thought.conditions.filter(({ state }) => state !== "ready");
  if (open.length === 0) return { dueInMs: deps.resyncMs, failed: null };
  // What waits for something of ours goes on when that does.
  const others = open.filter(({ state, actor }) => state === "blocked" || actor !== "letsdata");
  const waits = (others.length > 0 ? others : open).map((one) => pauseFor(one, now, deps.resyncMs));
  return { dueInMs: Math.round(Math.min(...waits, deps.resyncMs)), failed: null };
}

/** Less often the longer it takes, and the less often the longer AWS usually takes: a cluster is made in half an hour. */
function pauseFor({ since, state, actor, usualSeconds }: Condition, now: number, resyncMs: number): number {
  const share = ((usualSeconds ?? 0) * 1_000) / LOOKS_IN_USUAL_TIME;
  const shortest = Math.min(Math.max(250, share), 5_000);
  // What people have to do is not done sooner for being looked at more often.
  const longest = state === "blocked" || actor === "customer" ? resyncMs : Math.max(10_000, share);
  return Math.min(Math.max((now - since) / 2, shortest), longest);
}

const LOOKS_IN_USUAL_TIME = 60;

const AFTER_PROGRESS_MS = 100;

/** The failure that asks for the longest patience. */
function worst(failures: readonly Failure[]): Failure | null {
  const order = ["observe", "retry", "blocked", "stop"];
  const rank = ({ code }: Failure) => order.indexOf(kindOf(code).reconcile);
  return [...failures].sort((a, b) => rank(b) - rank(a))[0] ?? null;
}
