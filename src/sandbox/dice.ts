/**
 * Chance that repeats: the same seed gives the same throws in the same order, so that a test or a run that went
 * wrong can be made again. The generator is mulberry32; it is no secret and keeps none.
 */
export class Dice {
  #state: number;

  /** Any number; its whole part counts. `stream` sets throws for different purposes apart. */
  constructor(seed: number, stream = 0) {
    this.#state = (Math.trunc(seed) ^ Math.imul(stream, 0x9e3779b9)) >>> 0;
  }

  /** From 0 up to, but not, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number of `min` to `max`, both included; `min` when `max` is less. */
  between(min: number, max: number): number {
    return max <= min ? min : min + Math.floor(this.next() * (max - min + 1));
  }

  /** One of them; undefined when there are none. */
  oneOf<T>(all: readonly T[]): T | undefined {
    return all[Math.floor(this.next() * all.length)];
  }
}
