/**
 * Time that goes on only when nothing else can: while a request, a query or any other counted work is under way
 * it stands still, and then it leaps to the moment somebody sleeps until. Minutes of AWS's time pass as fast as
 * the machine computes, and how fast that is changes no figure.
 */
import diagnostics from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/domain/model.ts";

interface Sleeper {
  readonly until: number;
  wake(): void;
}

export class LeapingClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper = { until: this.#now + Math.ceil(ms), wake };
      this.#sleepers.add(sleeper);
      if (ms <= 0 || signal?.aborted) wake();
      else signal?.addEventListener("abort", wake);
    });
  }

  /** Wakes those who sleep the shortest. Fails when nobody sleeps: nothing would ever happen again. */
  leap(): void {
    const next = Math.min(...[...this.#sleepers].map(({ until }) => until));
    if (!Number.isFinite(next)) throw new Error("nobody sleeps, and nothing is under way");
    this.#now = Math.max(this.#now, next);
    for (const sleeper of [...this.#sleepers]) if (sleeper.until <= this.#now) sleeper.wake();
  }
}

/** What is under way: requests of this process's HTTP clients, and calls of whatever is put under `watch`. */
export class UnderWay {
  #count = 0;
  readonly #begun = (message: unknown): void => {
    this.#count += 1;
    const { request } = message as { request: ClientRequest };
    request.once("close", () => {
      this.#count -= 1;
    });
  };

  constructor() {
    diagnostics.subscribe("http.client.request.start", this.#begun);
  }

  /** The same thing, whose calls are counted until their promise has settled. */
  watch<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return isObject(member) ? this.watch(member) : member;
        return (...args: unknown[]) => {
          const answer: unknown = Reflect.apply(member, target, args);
          if (answer instanceof Promise) return this.#counted(answer);
          return isObject(answer) ? this.watch(answer) : answer;
        };
      },
    });
  }

  /** Resolves when nothing is under way, and what follows from the last thing that was has had its turn. */
  async ended(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      await setImmediate();
      quiet = this.#count === 0 ? quiet + 1 : 0;
    }
  }

  close(): void {
    diagnostics.unsubscribe("http.client.request.start", this.#begun);
  }

  async #counted<T>(work: Promise<T>): Promise<T> {
    this.#count += 1;
    try {
      return await work;
    } finally {
      this.#count -= 1;
    }
  }
}

/** Turns of the event loop between the end of one piece of work and the beginning of what follows from it. */
const QUIET_TURNS = 5;

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Lets the time go on until the work is done. */
export async function driven<T>(clock: LeapingClock, underWay: UnderWay, work: Promise<T>): Promise<T> {
  let over = false;
  const end = () => {
    over = true;
  };
  work.then(end, end);
  for (;;) {
    await underWay.ended();
    if (over) return work;
    clock.leap();
  }
}
