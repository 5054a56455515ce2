/**
 * Free /21 slots of the address space. Promises that what it offers is locked for the transaction, that the
 * cost does not grow with the ranges in use (a partial index holds the free ones alone), and that nobody
 * waits for another's transaction while any other slot is free.
 */
import { sql } from "kysely";
import { type Cidr, maskLength, span } from "../domain/cidr.ts";
import { TENANT_RANGE_MASK } from "../domain/model.ts";
import type { SlotRequest } from "./store.ts";
import type { Session } from "./tables.ts";

interface Slot {
  readonly cidr: Cidr;
  readonly lo: number;
}

interface Scan {
  readonly closed: string;
  readonly limit: number;
  readonly wait: boolean;
}

/** Fewer than asked for only when there are no more; waits for others' locks only when nothing else is free. */
export async function freeSlots({ db }: Session, request: SlotRequest): Promise<readonly Cidr[]> {
  const scan = { closed: closedSpans(request.closed), limit: request.limit };
  const from = request.near === undefined ? null : span(request.near).first;
  const free = await around(db, from, { ...scan, wait: false });
  const found = free.length > 0 ? free : await around(db, from, { ...scan, wait: true });
  return found.slice(0, request.limit).map((slot) => slot.cidr);
}

async function around(db: Session["db"], from: number | null, scan: Scan): Promise<readonly Slot[]> {
  if (from === null) return upwards(db, 0, scan);
  const slots = [...(await upwards(db, from, scan)), ...(await downwards(db, from, scan))];
  return slots.sort((a, b) => Math.abs(a.lo - from) - Math.abs(b.lo - from) || a.lo - b.lo);
}

async function upwards(db: Session["db"], from: number, scan: Scan): Promise<readonly Slot[]> {
  const locking = scan.wait ? sql`for update` : sql`for update skip locked`;
  const found = await sql<Slot>`select cidr, lo from slot
    where not taken and lo >= ${from}::bigint and not ${scan.closed}::int8multirange @> lo
    order by lo limit ${scan.limit} ${locking}`.execute(db);
  return found.rows;
}

async function downwards(db: Session["db"], from: number, scan: Scan): Promise<readonly Slot[]> {
  const locking = scan.wait ? sql`for update` : sql`for update skip locked`;
  const found = await sql<Slot>`select cidr, lo from slot
    where not taken and lo < ${from}::bigint and not ${scan.closed}::int8multirange @> lo
    order by lo desc limit ${scan.limit} ${locking}`.execute(db);
  return found.rows;
}

/**
 * The closed blocks that can hold a whole slot, as one multirange. A block of at least a slot's size holds a
 * slot wholly or not at all, so that the slot's first address decides.
 */
function closedSpans(closed: readonly Cidr[]): string {
  const large = closed.filter((block) => maskLength(block) <= TENANT_RANGE_MASK).map(span);
  return `{${large.map(({ first, end }) => `[${first},${end})`).join(",")}}`;
}
