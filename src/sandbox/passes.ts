/**
 * A loop that looks at everything again and again: when it is woken, when a time has come that the last look named,
 * and a while after a look that failed. Promises one look at a time, and none that a wake came during is the last.
 */
import type { Clock } from "./world.ts";

export interface PassesOptions {
  readonly clock: Clock;
  /** Resolves to when the next look is due though nothing wakes it: epoch milliseconds, or infinity. */
  readonly pass: () => Promise<number>;
  /** Told why a look failed. */
  readonly failed: (why: string) => void;
}

/** After something that should not have happened. */
const AGAIN_MS = 2_000;

export class Passes {
  readonly #options: PassesOptions;
  readonly #stopping = new AbortController();
  #waiting = new AbortController();
  #isDue = true;
  #running: Promise<void> = Promise.resolve();

  constructor(options: PassesOptions) {
    this.#options = options;
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  start(): void {
    this.#running = this.#run();
  }

  wake(): void {
    this.#isDue = true;
    this.#waiting.abort();
  }

  /** None is begun after this. */
  stop(): void {
    this.#stopping.abort();
    this.#waiting.abort();
  }

  /** Resolves when the last one has ended; after `stop`. */
  get ended(): Promise<void> {
    return this.#running;
  }

  async #run(): Promise<void> {
    const { clock, pass, failed } = this.#options;
    while (!this.isStopping) {
      this.#isDue = false;
      const next = await pass().catch((thrown: unknown) => {
        if (!this.isStopping) failed(thrown instanceof Error ? thrown.message : String(thrown));
        return clock.now() + AGAIN_MS;
      });
      await this.#rest(next);
    }
  }

  async #rest(until: number): Promise<void> {
    if (this.#isDue || this.isStopping) return;
    this.#waiting = new AbortController();
    const { signal } = this.#waiting;
    const { clock } = this.#options;
    if (Number.isFinite(until)) await clock.sleep(Math.max(0, until - clock.now()), signal);
    else await new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
  }
}
