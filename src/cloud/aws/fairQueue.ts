/**
 * Who goes next of those that wait for one bucket. Promises that networks take turns, so that one with
 * hundreds of calls delays another by one turn at most; that calls of one network keep their order; that what
 * is urgent goes first and still starves nobody: every fourth call is of the last rank that waits. A turn is several calls long,
 * because networks that are finished one after another keep the buckets of the next wave busy, and networks
 * that all creep forward side by side do not.
 *
 *     again    ─ calls that were sent and throttled: their create is in the journal already
 *     urgent   ─ what takes something away (it may cost money as long as it stands); looks at few networks
 *     normal   ─ everything else
 */
export const RANKS = ["again", "urgent", "normal"] as const;
export type Rank = (typeof RANKS)[number];

/** What one network needs of one action when it is made: six subnets, six associations. */
export const TURN = 6;
const LAST_FIRST_EVERY = 4;
/** Who has left without having been served (to look at the world again) finds its place again for so long. */
const PLACE_KEPT_MS = 30_000;

interface Lane<Item> {
  /** Lower goes first. */
  place: number;
  /** Calls left of its turn. */
  left: number;
  /** When the last who waited left unserved. */
  leftAt: number;
  readonly waiting: Item[];
}

export class FairQueue<Item> {
  readonly #lanes: Readonly<Record<Rank, Map<string, Lane<Item>>>> = {
    again: new Map(),
    urgent: new Map(),
    normal: new Map(),
  };
  #places = 0;
  #served = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: Item, { network, rank, now }: { network: string; rank: Rank; now: number }): void {
    const lanes = this.#lanes[rank];
    const known = lanes.get(network);
    if (known && (known.waiting.length > 0 || now - known.leftAt <= PLACE_KEPT_MS)) known.waiting.push(item);
    else {
      for (const [name, lane] of lanes)
        if (lane.waiting.length === 0 && now - lane.leftAt > PLACE_KEPT_MS) lanes.delete(name);
      lanes.set(network, { place: ++this.#places, left: TURN, leftAt: now, waiting: [item] });
    }
    this.#size += 1;
  }

  /** Takes one out that does not want to wait any longer; the place of its network is kept for a while. */
  leave(item: Item, { network, rank, now }: { network: string; rank: Rank; now: number }): void {
    const lane = this.#lanes[rank].get(network);
    const at = lane?.waiting.indexOf(item) ?? -1;
    if (!lane || at < 0) return;
    lane.waiting.splice(at, 1);
    lane.leftAt = now;
    this.#size -= 1;
  }

  /** Takes out the one whose turn it is. */
  next(): Item | undefined {
    if (this.#size === 0) return undefined;
    this.#served += 1;
    const found = this.#first(this.#served % LAST_FIRST_EVERY === 0 ? RANKS.toReversed() : RANKS);
    if (!found) return undefined;
    const { lanes, network, lane } = found;
    const item = lane.waiting.shift();
    this.#size -= 1;
    lane.left -= 1;
    if (lane.waiting.length === 0) lanes.delete(network);
    else if (lane.left === 0) {
      lane.place = ++this.#places;
      lane.left = TURN;
    }
    return item;
  }

  /** About how many go before this one. */
  ahead(item: Item, { network, rank }: { network: string; rank: Rank }): number {
    const own = this.#lanes[rank].get(network);
    const at = own?.waiting.indexOf(item) ?? -1;
    if (!own || at < 0) return 0;
    const turns = Math.floor(at / TURN);
    let ahead = at;
    for (const better of RANKS.slice(0, RANKS.indexOf(rank)))
      for (const lane of this.#lanes[better].values()) ahead += lane.waiting.length;
    for (const lane of this.#lanes[rank].values())
      if (lane !== own)
        ahead += Math.min(lane.waiting.length, TURN * (turns + Number(lane.place < own.place)));
    return ahead;
  }

  /** Takes out all. */
  drain(): Item[] {
    const items = RANKS.flatMap((rank) => [...this.#lanes[rank].values()].flatMap(({ waiting }) => waiting));
    for (const rank of RANKS) this.#lanes[rank].clear();
    this.#size = 0;
    return items;
  }

  /** The lane with the lowest place of the first of these ranks in which somebody waits. */
  #first(ranks: readonly Rank[]) {
    for (const rank of ranks) {
      const lanes = this.#lanes[rank];
      let found: { lanes: Map<string, Lane<Item>>; network: string; lane: Lane<Item> } | null = null;
      for (const [network, lane] of lanes)
        if (lane.waiting.length > 0 && (!found || lane.place < found.lane.place))
          found = { lanes, network, lane };
      if (found) return found;
    }
    return null;
  }
}
