/**
 * Which block a network gets. Pure thinking over the few ranges of one tenant: it finds free blocks, judges a
 * block the user chose, and names the free ones nearest to it. Promises that what it offers overlaps nothing
 * in the way, and that its cost follows the tenant's own ranges, however many others have. Refuses by value,
 * with the words a user reads; it throws nothing.
 */
import { type Cidr, cidrAt, compareCidrs, contains, maskLength, overlaps, span } from "../domain/cidr.ts";
import { SIZE_MASK, TENANT_RANGE_MASK, VPC_SIZES, type VpcSize } from "../domain/model.ts";

/** Something in the way. `label` says whose it is, such as `dataset Clicks`; it stands after the block. */
export interface Held {
  readonly cidr: Cidr;
  readonly label: string;
}

/** A tenant range with what is in it; quarantined blocks are in the way like used ones. */
export interface OwnRange {
  readonly cidr: Cidr;
  readonly used: readonly Held[];
}

export interface Room {
  readonly ranges: readonly OwnRange[];
  /** Never to be used: the operator's exclusions and the tenant's own networks. */
  readonly closed: readonly Held[];
}

export type Choice =
  | { readonly kind: "block"; readonly cidr: Cidr; readonly range: Cidr }
  /** `free`: the maximal free blocks, all of them too small. */
  | { readonly kind: "full"; readonly free: readonly Cidr[] };

export interface Refusal {
  readonly kind: "refused";
  readonly code: "invalid" | "conflict" | "exhausted";
  readonly why: string;
  /** Everything the block overlaps, lowest first; empty when it is wrong for another reason. */
  readonly collidesWith: readonly Held[];
}

export type Judgement =
  | { readonly kind: "fits"; readonly range: Cidr }
  /** Free, once the block `grow` has become a further range of the tenant. */
  | { readonly kind: "grow"; readonly grow: Cidr }
  | Refusal;

export interface WantedBlock extends Room {
  readonly wanted: Cidr;
  readonly size: VpcSize;
  readonly addressSpace: readonly Cidr[];
  /** Ranges around the wanted block that are not the tenant's; their labels must not name the owner. */
  readonly others: readonly Held[];
  /** How many ranges the tenant may own. */
  readonly rangeLimit: number;
}

/** The blocks that are closed to a tenant, labelled. */
export function closedBlocks(given: {
  readonly excludedCidrs: readonly Cidr[];
  readonly avoidCidrs: readonly Cidr[];
}): Held[] {
  return [
    ...given.excludedCidrs.map((cidr) => ({ cidr, label: "excluded by the operator" })),
    ...given.avoidCidrs.map((cidr) => ({ cidr, label: "a network of yours, in avoidCidrs" })),
  ];
}

/** What of `held` overlaps the block, lowest first. */
export function collisions(block: Cidr, held: readonly Held[]): Held[] {
  return held
    .filter(({ cidr }) => overlaps(block, cidr))
    .sort((a, b) => compareCidrs(a.cidr, b.cidr) || (a.label < b.label ? -1 : 1));
}

/** `10.2.0.0/23 (dataset Clicks) and 10.2.1.0/24 (…)`; at most three by name. */
export function heldText(held: readonly Held[]): string {
  const named = held.slice(0, 3).map(({ cidr, label }) => `${cidr} (${label})`);
  const more = held.length - named.length;
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join(" and ");
}

/**
 * The maximal aligned blocks of `range` that overlap nothing held, lowest first. Two free halves are always
 * given as their whole, so no two of them could be merged.
 */
export function freeBlocks(range: Cidr, held: readonly Cidr[]): Cidr[] {
  const near = held.filter((block) => overlaps(range, block));
  if (near.length === 0) return [range];
  if (near.some((block) => contains(block, range))) return [];
  const { first, end } = span(range);
  const half = maskLength(range) + 1;
  return [cidrAt(first, half), cidrAt((first + end) / 2, half)].flatMap((part) => freeBlocks(part, near));
}

/**
 * The block to take: the smallest free one that fits, lowest address first, so that large blocks stay whole;
 * cut down from its start when it is larger than needed.
 */
export function chooseBlock(given: Room & { readonly mask: number }): Choice {
  const free = freeInRanges(given);
  const [best] = free
    .filter(({ block }) => maskLength(block) <= given.mask)
    .sort((a, b) => maskLength(b.block) - maskLength(a.block) || compareCidrs(a.block, b.block));
  if (!best) return { kind: "full", free: free.map(({ block }) => block).sort(compareCidrs) };
  return { kind: "block", cidr: cidrAt(span(best.block).first, given.mask), range: best.range };
}

function freeInRanges({ ranges, closed }: Room): { range: Cidr; block: Cidr }[] {
  const shut = closed.map(({ cidr }) => cidr);
  return ranges.flatMap(({ cidr, used }) =>
    freeBlocks(cidr, [...used.map((held) => held.cidr), ...shut]).map((block) => ({ range: cidr, block })),
  );
}

/** Whether a block of the user's own choice can be had, and what has to be done for it. */
export function judgeWanted(given: WantedBlock): Judgement {
  const { wanted, ranges } = given;
  const wrong = wrongMask(given) ?? outside(given);
  if (wrong) return refusal("invalid", wrong);
  const inTheWay = [...given.closed, ...given.others, ...ranges.flatMap(({ used }) => used)];
  const hit = collisions(wanted, inTheWay);
  if (hit.length > 0) return refusal("conflict", `${wanted} overlaps ${heldText(hit)}`, hit);
  const home = ranges.find(({ cidr }) => contains(cidr, wanted));
  return home ? { kind: "fits", range: home.cidr } : judgeGrowth(given);
}

function judgeGrowth({ wanted, ranges, addressSpace, rangeLimit }: WantedBlock): Judgement {
  const grow = rangeAround(wanted);
  if (!addressSpace.some((pool) => contains(pool, grow)))
    return refusal(
      "invalid",
      `${wanted} needs the range ${grow}, which reaches out of the address space (${addressSpace.join(", ")})`,
    );
  if (ranges.length >= rangeLimit)
    return refusal(
      "exhausted",
      `${wanted} lies in none of the tenant's ranges, and it has ${ranges.length} of at most ${rangeLimit}`,
    );
  return { kind: "grow", grow };
}

/** The tenant range that a block lies in, or would. */
export function rangeAround(block: Cidr): Cidr {
  return cidrAt(span(block).first, TENANT_RANGE_MASK);
}

function refusal(code: Refusal["code"], why: string, collidesWith: readonly Held[] = []): Refusal {
  return { kind: "refused", code, why, collidesWith };
}

function wrongMask({ wanted, size }: WantedBlock): string | null {
  const length = maskLength(wanted);
  if (length === SIZE_MASK[size]) return null;
  const fitting = VPC_SIZES.find((other) => SIZE_MASK[other] === length);
  const instead = fitting ? ` (a /${length} is size ${fitting})` : "";
  return `${wanted} has the mask /${length}, and size ${size} takes a /${SIZE_MASK[size]}${instead}`;
}

/** A range the tenant owns stays usable when its pool was taken out of the address space. */
function outside({ wanted, addressSpace, ranges }: WantedBlock): string | null {
  const known = [...addressSpace, ...ranges.map(({ cidr }) => cidr)];
  if (known.some((space) => contains(space, wanted))) return null;
  return `${wanted} lies outside the address space (${addressSpace.join(", ")})`;
}

/** How many free blocks `nearestFree` names. */
export const NEAREST = 3;

/**
 * Up to three free blocks of that mask nearest to the wanted one, by the distance between first addresses,
 * the lower first when equal. `slots` are blocks that could become a range of the tenant.
 */
export function nearestFree(
  given: Room & { readonly wanted: Cidr; readonly mask: number; readonly slots: readonly Cidr[] },
): Cidr[] {
  const target = span(given.wanted).first;
  const ranges = [...given.ranges, ...given.slots.map((cidr) => ({ cidr, used: [] }))];
  const found = freeInRanges({ ranges, closed: given.closed })
    .filter(({ block }) => maskLength(block) <= given.mask)
    .flatMap(({ block }) => nearestParts(block, given.mask, target));
  const distance = (block: Cidr) => Math.abs(span(block).first - target);
  return [...new Set(found)]
    .sort((a, b) => distance(a) - distance(b) || compareCidrs(a, b))
    .slice(0, NEAREST);
}

/** The parts of `block` that can be among the nearest three: a window around the target, not all of them. */
function nearestParts(block: Cidr, mask: number, target: number): Cidr[] {
  const { first, end } = span(block);
  const size = 2 ** (32 - mask);
  const last = (end - first) / size - 1;
  const centre = Math.min(last, Math.max(0, Math.floor((target - first) / size)));
  const parts: Cidr[] = [];
  for (let at = Math.max(0, centre - NEAREST); at <= Math.min(last, centre + NEAREST); at++)
    parts.push(cidrAt(first + at * size, mask));
  return parts;
}
