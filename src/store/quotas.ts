/**
 * Reservations of AWS quotas. Who is about to make something writes down what it will take, in one transaction
 * under the cell's row lock, so that two never count on the same last elastic IP. What the cloud already counts
 * of a holder is not counted again: both numbers are of the same look.
 */
import type { QuotaLine, QuotaShort } from "./store.ts";
import type { Session } from "./tables.ts";

export interface QuotaPlace {
  readonly cellId: string;
  readonly networkId: string;
  /** Whose it is: the dataset's id for the network itself, a peering connection's id for what it adds. */
  readonly holder: string;
}

/** What of these lines is short, after all other holders' reservations; nothing is reserved then. */
export async function reserve(
  { db }: Session,
  { cellId, networkId, holder }: QuotaPlace,
  lines: readonly QuotaLine[],
): Promise<readonly QuotaShort[]> {
  await db.selectFrom("cell").select("id").where("id", "=", cellId).forUpdate().execute();
  const rows = await db
    .selectFrom("quotaReservation")
    .select(["quota", "holder", "amount"])
    .where("cellId", "=", cellId)
    .where("holder", "!=", holder)
    .execute();
  const short = lines.flatMap((line) => {
    const reserved = rows
      .filter(({ quota }) => quota === line.quota)
      .reduce((sum, row) => sum + Math.max(0, row.amount - (line.usedBy.get(row.holder) ?? 0)), 0);
    const left = Math.max(0, line.limit - line.used - reserved);
    const missing = line.needed - (line.usedBy.get(holder) ?? 0) - left;
    return missing > 0 ? [{ ...line, reserved, missing }] : [];
  });
  if (short.length > 0) return short;
  await release({ db }, holder);
  const taken = lines.map(({ quota, needed }) => ({ cellId, networkId, holder, quota, amount: needed }));
  if (taken.length > 0) await db.insertInto("quotaReservation").values(taken).execute();
  return [];
}

export async function release({ db }: Pick<Session, "db">, holder: string): Promise<void> {
  await db.deleteFrom("quotaReservation").where("holder", "=", holder).execute();
}
