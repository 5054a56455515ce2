/**
 * Brings together what is to be looked at in one cell. One look shows any number of networks for the price of
 * one, so a cell has one look under way at most, and what becomes due meanwhile goes into the next one
 * together. Promises that nobody waits longer than for one look and one pause, and that cells do not wait for
 * each other. Refuses to know what a look is.
 *
 *   due   a  b c    d  e f g
 *   look  [a][b c]..[d e f g]      .. = the pause, longer after a look at many
 */
import type { Clock } from "../domain/model.ts";

export interface GatheringOptions<Item> {
  readonly clock: Clock;
  /** Looks at these, all of one cell; never rejects. */
  readonly look: (items: readonly Item[]) => Promise<void>;
  /** From the beginning of a look at so many to the beginning of the next, at least, milliseconds. */
  readonly pauseMs: (count: number) => number;
}

interface Place<Item> {
  waiting: Item[];
  /** The look that those who wait will be part of. */
  next: Promise<void> | null;
  underWay: Promise<void>;
  notBefore: number;
}

export class Gathering<Item> {
  readonly #options: GatheringOptions<Item>;
  readonly #places = new Map<string, Place<Item>>();

  constructor(options: GatheringOptions<Item>) {
    this.#options = options;
  }

  /** Resolves when the look that these are part of has ended; an aborted signal ends the pause. */
  join(cell: string, items: readonly Item[], signal?: AbortSignal): Promise<void> {
    const place = this.#places.get(cell) ?? {
      waiting: [],
      next: null,
      underWay: Promise.resolve(),
      notBefore: 0,
    };
    this.#places.set(cell, place);
    place.waiting.push(...items);
    place.next ??= this.#next(place, signal);
    return place.next;
  }

  async #next(place: Place<Item>, signal: AbortSignal | undefined): Promise<void> {
    const { clock, look, pauseMs } = this.#options;
    await place.underWay;
    const pause = place.notBefore - clock.now();
    if (pause > 0) await clock.sleep(pause, signal);
    const items = place.waiting;
    place.waiting = [];
    place.next = null;
    place.notBefore = clock.now() + pauseMs(items.length);
    place.underWay = look(items);
    await place.underWay;
  }
}

/**
 * So that reading alone never meets AWS's 20 reads a second of one action: a look at one network makes one read
 * of a kind, a look at many up to fifteen of DescribeVpcAttribute and one a hundred route tables.
 */
export function restfulPause(count: number): number {
  return Math.min(Math.max(50 * count, 100), 1_000);
}
