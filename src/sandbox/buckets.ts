/**
 * Token buckets by name, filled by the clock's time. Promises that a refused call takes nothing. Kept in memory
 * only: after a restart every bucket is full, and a bucket that is full again is as good as none.
 */
import type { Rate } from "./rates.ts";

interface Bucket {
  readonly tokens: number;
  /** Epoch milliseconds of the count. */
  readonly at: number;
}

export class Buckets {
  readonly #buckets = new Map<string, Bucket>();

  /** Takes a token; false, and none taken, when there is no whole one. `owner` is whose bucket it is. */
  take(owner: string, rate: Rate, now: number): boolean {
    const name = `${owner} ${rate.bucket}`;
    const { tokens, at } = this.#buckets.get(name) ?? { tokens: rate.capacity, at: now };
    const gained = (Math.max(0, now - at) / 1000) * rate.refillPerSecond;
    const filled = Math.min(rate.capacity, tokens + gained);
    const taken = filled >= 1;
    this.#buckets.set(name, { tokens: taken ? filled - 1 : filled, at: now });
    return taken;
  }

  clear(): void {
    this.#buckets.clear();
  }
}
