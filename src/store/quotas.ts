/**
 * Reservations of AWS quotas. A network that is about to be made writes down what it will take, in one
 * transaction under the cell's row lock, so that two networks never count on the same last elastic IP. What the
 * cloud already counts of a network is not counted again: both numbers are of the same look.
 */
import type { QuotaLine, QuotaShort } from "./store.ts";
import type { Session } from "./tables.ts";

export interface QuotaPlace {
  readonly cellId: string;
  readonly networkId: string;
}

/** What of these lines is short, after all other networks' reservations; nothing is reserved then. */
export async function reserve(
  { db }: Session,
  { cellId, networkId }: QuotaPlace,
  lines: readonly QuotaLine[],
): Promise<readonly QuotaShort[]> {
  await db.selectFrom("cell").select("id").where("id", "=", cellId).forUpdate().execute();
  const rows = await db
    .selectFrom("quotaReservation as r")
    .innerJoin("network as n", "n.id", "r.networkId")
    .select(["r.quota", "r.networkId", "r.amount", "n.datasetId"])
    .where("r.cellId", "=", cellId)
    .execute();
  const short = lines.flatMap((line) => {
    const others = rows.filter((row) => row.quota === line.quota && row.networkId !== networkId);
    const reserved = others.reduce(
      (sum, { amount, datasetId }) => sum + Math.max(0, amount - (line.usedBy.get(datasetId) ?? 0)),
      0,
    );
    const left = Math.max(0, line.limit - line.used - reserved);
    return left < line.needed ? [{ ...line, reserved, missing: line.needed - left }] : [];
  });
  if (short.length > 0) return short;
  await db.deleteFrom("quotaReservation").where("networkId", "=", networkId).execute();
  const taken = lines.map(({ quota, needed }) => ({ cellId, networkId, quota, amount: needed }));
  if (taken.length > 0) await db.insertInto("quotaReservation").values(taken).execute();
  return [];
}
