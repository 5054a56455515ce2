/**
 * Eventual consistency: for a while AWS does not know what it has just made. Promises that what one request
 * made comes into sight together, with its tags; that until then it is in no list and its id is not found; and
 * that rules about what exists already (blocks, names, quotas, client tokens) know it at once.
 * https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
import type { Row, Table } from "./state.ts";
import type { Call } from "./world.ts";

/** False while the row is too new to be seen. */
export function isSeen(call: Pick<Call, "now">, row: Row): boolean {
  return row.unseenUntil === undefined || row.unseenUntil <= call.now;
}

export function seen<R extends Row>(call: Pick<Call, "now">, rows: readonly R[]): R[] {
  return rows.filter((row) => isSeen(call, row));
}

/** Hides what the request has made for `unseenMs()`, asked once, and only when something was made. */
export function hideNew(call: Pick<Call, "now" | "tables">, unseenMs: () => number): void {
  const { sessions: _s, places: _p, ...nouns } = call.tables;
  // Only what every row has is written, so the nouns' own types do not matter here.
  const tables = Object.values(nouns) as unknown as Table<Row>[];
  const made = tables.flatMap((table) => table.made().map((row) => ({ table, row })));
  if (made.length === 0) return;
  const unseenUntil = call.now + unseenMs();
  if (unseenUntil > call.now) for (const { table, row } of made) table.put({ ...row, unseenUntil });
}
