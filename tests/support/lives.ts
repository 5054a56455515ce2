/**
 * Whole lives of a dataset, act after act, of a control plane that is stopped at points of its work. A life that
 * nobody stops lists the points; what the cloud shows after each of its acts is what every other life must come
 * to. Promises that each point was met, or fails; and that all failures are told, each with where it was stopped.
 */
import assert from "node:assert/strict";
import type { VpcSize } from "../../src/domain/model.ts";
import { type ActOptions, customerVpc, GivenUp, type Played } from "./acts.ts";
import { type Ground, openGround } from "./crash.ts";
import { HIDDEN_MS, portrait } from "./sights.ts";

/** Longer than anything is hidden here, as the default of 300 s is longer than AWS hides anything. */
export const WINDOW_MS = HIDDEN_MS + 30_000;

/** More than the lease and two rounds of the one who takes over. */
const STANDSTILL_MS = 150_000;

/** What the acts of one life share. */
export interface Stage {
  readonly ground: Ground;
  readonly size: VpcSize;
  readonly customerVpc: string;
  /** Of the peering that was accepted last. */
  connectionId: string;
}

export interface Act {
  readonly name: string;
  /** Acts of one part hang together and are left out where none of them is stopped; null = always played. */
  readonly part: string | null;
  /** Nothing is in the cloud after it. */
  readonly isEnd?: boolean;
  play(stage: Stage, options: ActOptions): Promise<Played>;
}

/** Where each act is stopped. An act that is not named is not. */
export type Points = Readonly<Record<string, readonly string[]>>;

export interface Way {
  /** How many points of one act may lie in one life, far from each other; 1 where nothing is said. */
  readonly inALife?: Readonly<Record<string, number>>;
  options(points: readonly string[]): ActOptions;
}

/** The process dies there, and another one is started. */
export function dying(inALife: Way["inALife"] = {}): Way {
  return { inALife, options: (stopAt) => ({ windowMs: WINDOW_MS, stopAt }) };
}

/** It stands still there, and wakes so many rounds after another one has taken over. */
export function standingStill(wakeAfter: number, inALife: Way["inALife"] = {}): Way {
  const windowMs = WINDOW_MS + STANDSTILL_MS;
  return { inALife, options: (pauseAt) => ({ windowMs, pauseAt, wakeAfter }) };
}

const MOST_FAILURES = 8;

interface Life {
  readonly played: ReadonlyMap<string, Played>;
  /** What the cloud showed after each act. */
  readonly portraits: ReadonlyMap<string, unknown>;
}

export class Lives {
  readonly #acts: readonly Act[];
  readonly #size: VpcSize;
  #stage: Stage;
  #clean: Life = { played: new Map(), portraits: new Map() };

  private constructor(acts: readonly Act[], stage: Stage) {
    this.#acts = acts;
    this.#size = stage.size;
    this.#stage = stage;
  }

  static async open(acts: readonly Act[], size: VpcSize): Promise<Lives> {
    return new Lives(acts, await setUp(size, 1));
  }

  get stage(): Stage {
    return this.#stage;
  }

  close(): Promise<void> {
    return this.#stage.ground.close();
  }

  /** A life that nobody stops, and the points it comes past. */
  async measure(): Promise<Points> {
    const everything = new Set(this.#acts.map(({ part }) => part));
    this.#clean = await this.#live({}, dying(), everything);
    return Object.fromEntries(
      [...this.#clean.played].map(([act, { passed }]) => [act, [...new Set(passed)]]),
    );
  }

  /** What the cloud showed after that act of a life that nobody stopped. */
  portraitAfter(act: string): unknown {
    return this.#clean.portraits.get(act);
  }

  /** Lives that together are stopped at every one of these points; fails when one was not met. */
  async meet(points: Points, way: Way): Promise<string> {
    const met = new Set<string>();
    const live = async (stops: Points): Promise<void> => {
      for (const [act, stopped] of await this.#same(stops, way))
        for (const point of stopped) met.add(`${act} ${point}`);
    };
    const together = spread(points, way);
    await this.each(together, live);
    // What was under way at one stop is carried out, and is not there to be stopped at any more.
    const missed = () => entries(points).filter(([act, point]) => !met.has(`${act} ${point}`));
    const alone = missed().map(([act, point]) => ({ [act]: [point] }));
    await this.each(alone, live);
    assert.deepEqual(missed(), []);
    return `${met.size} points in ${together.length + alone.length} lives`;
  }

  /** At each of these points the work is given up, and the dataset deleted: nothing may be left. */
  async giveUp(points: Points, way: Way): Promise<string> {
    await this.each(entries(points), async ([act, point]) => {
      const acts = this.#needed(new Set([act]), new Set());
      const upTo = acts.findIndex(({ name }) => name === act);
      const peaceful = { windowMs: way.options([]).windowMs };
      for (const before of acts.slice(0, upTo)) await before.play(this.#stage, peaceful);
      const work = acts[upTo]?.play(this.#stage, { ...way.options([point]), giveUp: true });
      const { sleeper } = await givenUp(work);
      await acts.at(-1)?.play(this.#stage, { ...way.options([]), sleeper });
    });
    return `${entries(points).length} points`;
  }

  /** Fails with all that went wrong, each with what it was tried with. */
  async each<T>(runs: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
    const failures: string[] = [];
    for (const one of runs) {
      try {
        await run(one);
      } catch (error) {
        failures.push(`${JSON.stringify(one)}: ${error instanceof Error ? error.message : String(error)}`);
        await this.close();
        this.#stage = await setUp(this.#size, failures.length + 1);
        if (failures.length === MOST_FAILURES) break;
      }
    }
    assert.deepEqual(failures, []);
  }

  /** A life that comes to the same world after each act; where it was stopped. */
  async #same(stops: Points, way: Way): Promise<[string, readonly string[]][]> {
    const { played, portraits } = await this.#live(stops, way, new Set());
    for (const [act, shown] of portraits) assert.deepEqual(shown, this.portraitAfter(act), act);
    return [...played].map(([act, { stopped }]) => [act, stopped]);
  }

  async #live(stops: Points, way: Way, parts: ReadonlySet<string | null>): Promise<Life> {
    const played = new Map<string, Played>();
    const portraits = new Map<string, unknown>();
    for (const act of this.#needed(new Set(Object.keys(stops)), parts)) {
      const { name, isEnd = false } = act;
      played.set(name, await act.play(this.#stage, way.options(stops[name] ?? [])));
      if (!isEnd) portraits.set(name, await portrait(this.#stage.ground));
    }
    return { played, portraits };
  }

  #needed(stopped: ReadonlySet<string>, parts: ReadonlySet<string | null>): readonly Act[] {
    const wanted = new Set(this.#acts.filter(({ name }) => stopped.has(name)).map(({ part }) => part));
    return this.#acts.filter(({ part }) => part === null || wanted.has(part) || parts.has(part));
  }
}

async function setUp(size: VpcSize, seed: number): Promise<Stage> {
  const ground = await openGround({ unseenMsMin: 0, unseenMsMax: HIDDEN_MS, seed });
  return { ground, size, customerVpc: await customerVpc(ground), connectionId: "" };
}

/** How the work was given up. */
export async function givenUp(work: Promise<unknown> | undefined): Promise<GivenUp> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof GivenUp) return thrown;
    throw thrown;
  }
  throw new Error("never came to where it was to be given up");
}

function entries(points: Points): (readonly [act: string, point: string])[] {
  return Object.entries(points).flatMap(([act, some]) => some.map((point) => [act, point] as const));
}

/** Each point once, over as few lives as there may be; those of one act in one life far from each other. */
function spread(points: Points, { inALife = {} }: Way): Points[] {
  const acts = Object.entries(points).map(([act, all]) => ({
    act,
    all,
    every: Math.ceil(all.length / (inALife[act] ?? 1)),
  }));
  return Array.from({ length: Math.max(0, ...acts.map(({ every }) => every)) }, (_, life) =>
    Object.fromEntries(
      acts
        .filter(({ every }) => life < every)
        .map(({ act, all, every }) => [act, all.filter((_, index) => index % every === life)]),
    ),
  );
}
