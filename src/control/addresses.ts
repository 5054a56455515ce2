/**
 * Takes a range for a dataset, inside the caller's transaction, which holds the tenant's row. The thinking is
 * `network/ipam.ts`; here stands what it needs to know and what is written. Promises that a refusal has
 * written no range and says what is needed, what is free and what to do; and that another tenant's name never
 * shows. The database refuses an overlap by itself, so a mistake here cannot become one there.
 */
import { addressCount, type Cidr, cidrAt, compareCidrs, contains, maskLength } from "../domain/cidr.ts";
import { Failure } from "../domain/failure.ts";
import type { Settings, Tenant, VpcSize } from "../domain/model.ts";
import { type DatasetRange, SIZE_MASK, TENANT_RANGE_MASK, VPC_SIZES } from "../domain/model.ts";
import {
  chooseBlock,
  closedBlocks,
  type Held,
  judgeWanted,
  NEAREST,
  nearestFree,
  type OwnRange,
  type Refusal,
  rangeAround,
} from "../network/ipam.ts";
import { type RangeNode, rangeTree } from "../network/rangeTree.ts";
import type { Reads, TenantScope, Tx } from "../store/store.ts";

export interface RangeRequest {
  readonly tenant: Tenant;
  readonly datasetId: string;
  readonly size: VpcSize;
  /** A block of the user's own choice. */
  readonly wanted: Cidr | null;
  readonly settings: Settings;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** What the tenant has, as one transaction sees it. */
interface Book {
  readonly tenant: Tenant;
  readonly size: VpcSize;
  readonly mask: number;
  readonly ranges: readonly OwnRange[];
  readonly closed: readonly Held[];
  readonly blocks: readonly DatasetRange[];
}

interface Place {
  readonly cidr: Cidr;
  readonly range: Cidr;
}

/**
 * The dataset's range, taken: the wanted block, or the best free one, in a further tenant range where needed.
 * Fails with `invalid` (wrong mask, outside the address space), `conflict` (the block collides) or
 * `exhausted` (nothing that fits is left).
 */
export async function takeRange(tx: Tx, request: RangeRequest): Promise<DatasetRange> {
  const book = await readBook(tx, request);
  const { wanted, settings } = request;
  const place =
    wanted === null
      ? await choosePlace(tx, book)
      : await wantedPlace(tx, book, { wanted, addressSpace: settings.addressSpace });
  return tx.insertDatasetRange({
    tenantId: request.tenant.id,
    datasetId: request.datasetId,
    tenantRange: place.range,
    cidr: place.cidr,
  });
}

/** The tenant's ranges as a tree, for a reader who may see that tenant alone. */
export async function tenantRangeTree(reads: Reads, tenant: Tenant): Promise<RangeNode[]> {
  const scope = reads.tenant(tenant.id);
  const { addressSpace, excludedCidrs } = await reads.settings();
  return rangeTree({
    addressSpace,
    tenantRanges: await scope.ranges(),
    datasetRanges: await scope.datasetRanges(),
    closed: closedBlocks({ excludedCidrs, avoidCidrs: tenant.avoidCidrs }),
  });
}

async function readBook(tx: Tx, request: RangeRequest): Promise<Book> {
  const { tenant, size, settings, now } = request;
  const scope = tx.tenant(tenant.id);
  const tenantRanges = await scope.ranges();
  const blocks = await dropRested(tx, await scope.datasetRanges(), now);
  return {
    tenant,
    size,
    mask: SIZE_MASK[size],
    ranges: tenantRanges.map(({ cidr }) => ({ cidr, used: heldIn(cidr, blocks) })),
    closed: closedBlocks({ excludedCidrs: settings.excludedCidrs, avoidCidrs: tenant.avoidCidrs }),
    blocks,
  };
}

/** A block whose rest is over may be taken now, without waiting for the sweep that frees it. */
async function dropRested(tx: Tx, blocks: readonly DatasetRange[], now: number): Promise<DatasetRange[]> {
  const rested = (block: DatasetRange) =>
    block.state === "quarantined" && block.freeAt !== null && block.freeAt <= now;
  for (const block of blocks.filter(rested)) await tx.endQuarantine(block.tenantId, block.cidr);
  return blocks.filter((block) => !rested(block));
}

function heldIn(range: Cidr, blocks: readonly DatasetRange[]): Held[] {
  return blocks
    .filter(({ cidr }) => contains(range, cidr))
    .map((block) => ({ cidr: block.cidr, label: labelOf(block) }));
}

function labelOf({ state, freeAt, datasetName }: DatasetRange): string {
  if (state === "used") return `dataset ${datasetName}`;
  const until = freeAt === null ? "" : ` until ${iso(freeAt)}`;
  return `resting${until}, was dataset ${datasetName}`;
}

function iso(moment: number): string {
  return new Date(moment).toISOString();
}

async function choosePlace(tx: Tx, book: Book): Promise<Place> {
  const choice = chooseBlock(book);
  if (choice.kind === "block") return choice;
  const grown = book.ranges.length < book.tenant.rangeLimit ? await growPlace(tx, book) : null;
  if (!grown) throw exhausted(book, choice.free);
  await tx.insertTenantRange(book.tenant.id, grown.range);
  return grown;
}

/**
 * A block in a further tenant range. The range keeps away from the networks the tenant peers with today,
 * because its next dataset will probably peer with them too; if no other is left, one over them is taken.
 */
async function growPlace(tx: Tx, book: Book): Promise<Place | null> {
  const peered = await peeredBlocks(tx.tenant(book.tenant.id), book.blocks);
  if (peered.length === 0) return slotPlace(tx, book);
  return (await slotPlace(tx, { ...book, closed: [...book.closed, ...peered] })) ?? slotPlace(tx, book);
}

/** The lowest free slot in which a block fits. */
async function slotPlace(tx: Tx, { mask, closed }: Book): Promise<Place | null> {
  const slots = await tx.freeSlots({ closed: closed.map(({ cidr }) => cidr), limit: slotsToAsk(closed, 1) });
  for (const cidr of slots) {
    const choice = chooseBlock({ mask, closed, ranges: [{ cidr, used: [] }] });
    if (choice.kind === "block") return choice;
  }
  return null;
}

/** A closed block smaller than a slot spoils one slot at most; those it covers wholly are not offered. */
function slotsToAsk(closed: readonly Held[], whole: number): number {
  return whole + closed.filter(({ cidr }) => maskLength(cidr) > TENANT_RANGE_MASK).length;
}

/** The networks that active peerings lead to, widened to whole slots: a range beside one half is no better. */
async function peeredBlocks(scope: TenantScope, blocks: readonly DatasetRange[]): Promise<Held[]> {
  const found: Held[] = [];
  for (const { datasetId, state } of blocks) {
    if (state !== "used") continue;
    const status = await scope.status(datasetId);
    for (const peering of status?.world?.peerings ?? [])
      if (peering.state === "active")
        found.push(...peering.requesterCidrs.map((cidr) => ({ cidr: wholeSlots(cidr), label: peering.id })));
  }
  return found;
}

function wholeSlots(block: Cidr): Cidr {
  return maskLength(block) > TENANT_RANGE_MASK ? rangeAround(block) : block;
}

interface Wanted {
  readonly wanted: Cidr;
  readonly addressSpace: readonly Cidr[];
}

async function wantedPlace(tx: Tx, book: Book, { wanted, addressSpace }: Wanted): Promise<Place> {
  const { tenant, size, ranges, closed } = book;
  const others = await foreignRanges(tx, tenant, wanted);
  const { rangeLimit } = tenant;
  const judgement = judgeWanted({ wanted, size, ranges, closed, addressSpace, others, rangeLimit });
  if (judgement.kind === "fits") return { cidr: wanted, range: judgement.range };
  if (judgement.kind === "refused") throw await refused(tx, book, { wanted, judgement });
  await tx.insertTenantRange(tenant.id, judgement.grow);
  return { cidr: wanted, range: judgement.grow };
}

/** Says that the range around the block is somebody else's, not whose, nor more than the caller knows. */
async function foreignRanges(tx: Tx, tenant: Tenant, wanted: Cidr): Promise<Held[]> {
  const around = rangeAround(wanted);
  const holder = await tx.holderOf(around);
  if (holder === null || holder.tenantId === tenant.id) return [];
  return [{ cidr: around, label: "another tenant's range" }];
}

async function refused(
  tx: Tx,
  book: Book,
  { wanted, judgement }: { wanted: Cidr; judgement: Refusal },
): Promise<Failure> {
  const { ranges, closed, mask, tenant } = book;
  const shut = closed.map(({ cidr }) => cidr);
  const slots =
    ranges.length < tenant.rangeLimit
      ? await tx.freeSlots({ closed: shut, limit: slotsToAsk(closed, NEAREST), near: wanted })
      : [];
  const nearest = nearestFree({ wanted, mask, ranges, closed, slots });
  const hint =
    nearest.length === 0
      ? [`No /${mask} is free for this tenant.`, ...waysOut(book)].join(" ")
      : `Free and nearest: ${nearest.join(", ")}. Or leave vpcCidrBlock out, and a free block is chosen.`;
  return new Failure(judgement.code, judgement.why, { hint });
}

function exhausted(book: Book, free: readonly Cidr[]): Failure {
  const { tenant, size, mask, ranges } = book;
  const addresses = addressCount(cidrAt(0, mask));
  const left = free.length === 0 ? "nothing is free in them" : `free in them: ${bySize(free)}`;
  return new Failure(
    "exhausted",
    `Size ${size} needs a free /${mask} (${addresses} addresses): tenant ${tenant.name} has ` +
      `${ranges.length} of at most ${tenant.rangeLimit} ranges, and ${left}`,
    { hint: waysOut(book).join(" ") },
  );
}

/** `2 × /24 (10.2.4.0/24, 10.2.6.0/24), 1 × /25 (…)`, the largest first. */
function bySize(free: readonly Cidr[]): string {
  const masks = [...new Set(free.map(maskLength))].sort((a, b) => a - b);
  return masks
    .map((mask) => free.filter((block) => maskLength(block) === mask).sort(compareCidrs))
    .map((blocks) => `${blocks.length} × /${maskLength(blocks[0] ?? cidrAt(0, 0))} (${blocks.join(", ")})`)
    .join(", ");
}

function waysOut(book: Book): string[] {
  const { tenant, ranges, mask } = book;
  const smaller = VPC_SIZES.filter(
    (size) => SIZE_MASK[size] > mask && chooseBlock({ ...book, mask: SIZE_MASK[size] }).kind === "block",
  );
  const rest = restEnd(book);
  return [
    ...(smaller.length > 0 ? [`A smaller size fits: ${smaller.join(" or ")}.`] : []),
    ...(rest === null ? [] : [`A /${mask} comes back at ${iso(rest)}, when a freed range has rested.`]),
    ranges.length >= tenant.rangeLimit
      ? "Ask the operator to raise the tenant's range limit."
      : "The address space has no further range for this tenant: ask the operator to add a pool.",
  ];
}

/** When enough quarantined blocks will have come back for the size; null when waiting alone does not help. */
function restEnd({ blocks, ranges, closed, mask }: Book): number | null {
  const ends = blocks.flatMap(({ freeAt }) => freeAt ?? []).sort((a, b) => a - b);
  for (const end of ends) {
    const left = blocks.filter(({ freeAt }) => freeAt === null || freeAt > end);
    const later = ranges.map(({ cidr }) => ({ cidr, used: heldIn(cidr, left) }));
    if (chooseBlock({ mask, closed, ranges: later }).kind === "block") return end;
  }
  return null;
}
