/**
 * The world joined with the journal, asked by key. AWS may not show for a while what it has just made: a
 * journaled attempt that is not seen counts as *pending* until the consistency window has passed, and only
 * then as absent. Promises that the same world and journal give the same answers.
 */
import type { Condition } from "../domain/model.ts";
import type { CreateStep, Step } from "../domain/steps.ts";
import type { Attempt, Tagged, World } from "../domain/world.ts";

export type Looked<T> =
  | { readonly is: "seen"; readonly thing: T }
  /** `until`: then it counts as absent; epoch milliseconds. */
  | { readonly is: "pending"; readonly attempt: Attempt; readonly until: number }
  | { readonly is: "absent"; readonly nextAttempt: number };

/** A step to take now; `attempt` counts the tries of a create. */
export interface Move {
  readonly step: Step;
  readonly attempt: number;
  /** Its failure holds nothing up, and its success is no progress others wait for. */
  readonly optional: boolean;
}

export interface SightInput {
  readonly world: World;
  readonly attempts: readonly Attempt[];
  readonly now: number;
  /** How long AWS may hide what it has made, milliseconds. */
  readonly windowMs: number;
}

export class Sight {
  readonly world: World;
  readonly now: number;
  readonly #attempts: readonly Attempt[];
  readonly #windowMs: number;

  constructor(input: SightInput) {
    this.world = input.world;
    this.now = input.now;
    this.#attempts = input.attempts;
    this.#windowMs = input.windowMs;
  }

  /**
   * The thing with this key. `things` holds all that are seen, dead ones too, so that a dead one is not taken
   * for a hidden one; `alive` says which count.
   */
  look<T extends Tagged>(
    things: readonly T[],
    key: string,
    alive: (thing: T) => boolean = () => true,
  ): Looked<T> {
    const ours = things.filter((thing) => thing.key === key);
    const thing = this.inUse(ours.filter(alive));
    if (thing) return { is: "seen", thing };
    const seenIds = new Set(ours.map(({ id }) => id));
    const seenAttempts = new Set(ours.map(({ attempt }) => attempt));
    const tries = this.#attempts.filter((attempt) => attempt.key === key);
    const hidden = tries.find(
      (attempt) =>
        this.#unsettled(attempt) &&
        !seenAttempts.has(attempt.attempt) &&
        !(attempt.resourceId && seenIds.has(attempt.resourceId)),
    );
    if (hidden) return { is: "pending", attempt: hidden, until: hidden.at + this.#windowMs };
    const last = Math.max(0, ...tries.map(({ attempt }) => attempt), ...seenAttempts);
    return { is: "absent", nextAttempt: last + 1 };
  }

  /** Which of several things with the same key counts. */
  inUse<T extends Tagged>(things: readonly T[]): T | undefined {
    return inUse({ world: this.world, attempts: this.#attempts }, things);
  }

  /** Attempts that may still come to light, whatever their key. */
  hiddenAttempts(seenIds: ReadonlySet<string>): readonly Attempt[] {
    return this.#attempts.filter(
      (attempt) => this.#unsettled(attempt) && !(attempt.resourceId && seenIds.has(attempt.resourceId)),
    );
  }

  /** The id of what was made under this key and is there no longer, though we did not take it away; or null. */
  lost(key: string): string | null {
    const open = this.#answered(key);
    return open && !this.#unsettled(open) ? open.resourceId : null;
  }

  /** The id of what was made under this key and is wanted; null when nothing was. */
  made(key: string): string | null {
    return this.#answered(key)?.resourceId ?? null;
  }

  #answered(key: string): Attempt | undefined {
    return this.#attempts.find(
      (attempt) => attempt.key === key && attempt.closedAt === null && attempt.resourceId !== null,
    );
  }

  /** True for what we made and do not want any more. */
  isGivenUp(key: string, id: string): boolean {
    return this.#attempts.some(
      (attempt) => attempt.key === key && attempt.resourceId === id && attempt.closedAt !== null,
    );
  }

  /** When this key was tried last; null when it never was. */
  lastTryAt(key: string): number | null {
    const moments = this.#attempts.filter((attempt) => attempt.key === key).map(({ at }) => at);
    return moments.length > 0 ? Math.max(...moments) : null;
  }

  #unsettled(attempt: Attempt): boolean {
    return attempt.closedAt === null && this.now - attempt.at < this.#windowMs;
  }
}

/** By what is judged which of several things counts. */
export type Judged = Pick<SightInput, "world" | "attempts">;

/**
 * Which of several things with the same key counts. A call that reaches AWS later than we waited for it leaves
 * a second one behind: then the one that other things are bound to stays; of equal ones the first attempt, and of
 * one attempt the one the journal names. Promises the same answer in whatever order AWS lists them.
 */
export function inUse<T extends Tagged>({ world, attempts }: Judged, things: readonly T[]): T | undefined {
  if (things.length < 2) return things[0];
  const bound = boundIds(world);
  const journaled = new Set(attempts.map(({ resourceId }) => resourceId));
  const ties = ({ id }: T) => bound.filter((one) => one === id).length;
  const unnamed = ({ id }: T) => Number(!journaled.has(id));
  return [...things].sort(
    (a, b) => ties(b) - ties(a) || a.attempt - b.attempt || unnamed(a) - unnamed(b) || (a.id < b.id ? -1 : 1),
  )[0];
}

/** The ids that something lies in, leads to or is attached to, as often as it does. */
function boundIds(world: World): readonly (string | null)[] {
  return [
    ...world.subnets.map(({ vpcId }) => vpcId),
    ...world.internetGateways.flatMap(({ id, vpcId }) => (vpcId ? [id, vpcId] : [])),
    ...world.addresses.flatMap(({ id, associationId }) => (associationId ? [id] : [])),
    ...world.natGateways.flatMap(({ vpcId, subnetId, allocationIds }) => [vpcId, subnetId, ...allocationIds]),
    ...world.routeTables.flatMap(({ id, vpcId, routes, associations }) => [
      vpcId,
      ...routes.map(({ targetId }) => targetId),
      ...associations.flatMap(({ subnetId }) => [id, subnetId]),
    ]),
    ...world.endpoints.flatMap(({ vpcId, routeTableIds }) => [vpcId, ...routeTableIds]),
    ...world.groups.map(({ vpcId }) => vpcId),
    ...world.peerings.map(({ vpcId }) => vpcId),
    ...world.clusters.flatMap(({ subnetIds, groupIds }) => [...subnetIds, ...groupIds]),
  ];
}

type Told = Pick<Condition, "resource" | "message"> &
  Partial<Pick<Condition, "id" | "hint" | "usualSeconds" | "actor">>;

/** Gathers the moves and the conditions of one pass. `since` is filled in at the end, from the pass before. */
export class Draft {
  readonly moves: Move[] = [];
  readonly conditions: Condition[] = [];

  move(step: Step, attempt = 0): void {
    this.moves.push({ step, attempt, optional: false });
  }

  /** For what AWS may refuse as long as somebody else has not done their part. */
  tryMove(step: Step): void {
    this.moves.push({ step, attempt: 0, optional: true });
  }

  ready(told: Told): void {
    this.#tell("ready", { actor: "letsdata", ...told });
  }

  waiting(told: Told): void {
    this.#tell("waiting", { actor: "aws", ...told });
  }

  blocked(told: Told & Pick<Condition, "actor">): void {
    this.#tell("blocked", told);
  }

  deleting(told: Told): void {
    this.#tell("deleting", { actor: "letsdata", ...told });
  }

  #tell(state: Condition["state"], told: Told & Pick<Condition, "actor">): void {
    this.conditions.push({ id: null, hint: null, usualSeconds: null, since: 0, state, ...told });
  }
}

/** How long AWS usually takes to show what it has made. */
const USUAL_SECONDS = 2;

/** Makes it when it is absent, waits while it is hidden; the thing itself once it is seen. */
export function made<T>(
  draft: Draft,
  looked: Looked<T>,
  create: CreateStep & { readonly usual?: number },
): T | null {
  if (looked.is === "seen") return looked.thing;
  const { usual, ...step } = create;
  const usualSeconds = usual ?? USUAL_SECONDS;
  if (looked.is === "absent") {
    draft.move(step, looked.nextAttempt);
    draft.waiting({ resource: step.key, message: "is being created", actor: "letsdata", usualSeconds });
    return null;
  }
  draft.waiting({ resource: step.key, ...hiddenFor(looked, usualSeconds) });
  return null;
}

/** An answer that was heard comes into sight soon; without one nobody knows whether there is anything to come. */
function hiddenFor(
  { attempt, until }: Looked<never> & { readonly is: "pending" },
  usualSeconds: number,
): Omit<Told, "resource"> {
  const { resourceId: id } = attempt;
  if (id) return { id, message: "was created; AWS does not show it yet", usualSeconds };
  const moment = new Date(until).toISOString();
  return {
    message: `was asked for and the answer was lost; it is looked for by its tag until ${moment}, then asked for again`,
  };
}

/** A condition that says the same as in the pass before keeps its `since`. */
export function stamped(
  conditions: readonly Condition[],
  previous: readonly Condition[],
  now: number,
): readonly Condition[] {
  const before = new Map(previous.map((condition) => [condition.resource, condition]));
  return conditions.map((condition) => {
    const old = before.get(condition.resource);
    const same = old && old.state === condition.state && old.id === condition.id;
    return { ...condition, since: same ? old.since : now };
  });
}
