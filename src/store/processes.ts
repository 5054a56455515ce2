/**
 * Who is alive: a row per process, renewed while it runs. A process that has not been seen for a while does
 * not count, whatever became of it.
 */
import type { Session } from "./tables.ts";

/** A process counts for this long after its last sign of life, milliseconds. */
const ALIVE_MS = 30_000;

/** Writes down that this process lives; answers how many do, itself included. */
export async function heartbeat({ db, clock }: Session, id: string): Promise<number> {
  const now = clock.now();
  await db
    .insertInto("process")
    .values({ id, seenAt: now })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ seenAt: now }))
    .execute();
  await db
    .deleteFrom("process")
    .where("seenAt", "<=", now - ALIVE_MS)
    .execute();
  const { count } = await db
    .selectFrom("process")
    .select((expression) => expression.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return count;
}

/** The process ends: its share is free at once. */
export async function farewell({ db }: Session, id: string): Promise<void> {
  await db.deleteFrom("process").where("id", "=", id).execute();
}
