/**
 * The journal of creates. Promises that a row stands before the call is made, so that a thing whose answer
 * was lost is sought and not made twice. An open attempt without an id may be begun again (the same token is
 * sent again); one that has an id or is closed may not.
 */
import { sql } from "kysely";
import { Failure } from "../domain/failure.ts";
import type { Attempt } from "../domain/world.ts";
import type { Session } from "./tables.ts";

export interface AttemptName {
  readonly networkId: string;
  readonly key: string;
  readonly attempt: number;
}

/** One entry for each id asked for; oldest attempt first. */
export async function attempts(
  { db }: Session,
  networkIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Attempt[]>> {
  if (networkIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("attempt")
    .select(["networkId", "key", "attempt", "resourceId", "at", "closedAt"])
    .where("networkId", "in", networkIds)
    .orderBy("key")
    .orderBy("attempt")
    .execute();
  const byNetwork = Map.groupBy(rows, (row) => row.networkId);
  return new Map(
    networkIds.map((id) => [id, (byNetwork.get(id) ?? []).map(({ networkId: _, ...attempt }) => attempt)]),
  );
}

/** Rejects with `conflict` when that attempt has had its answer. */
export async function beginAttempt({ db, clock }: Session, name: AttemptName): Promise<void> {
  const now = clock.now();
  const begun = await sql`insert into attempt as a (network_id, cell_id, key, attempt, at)
    select id, cell_id, ${name.key}, ${name.attempt}::integer, ${now}::bigint from network where id = ${name.networkId}
    on conflict (network_id, key, attempt) do update set at = excluded.at
      where a.resource_id is null and a.closed_at is null
    returning 1 as begun`.execute(db);
  if (begun.rows.length > 0) return;
  throw new Failure("conflict", `Attempt ${name.attempt} of ${name.key} has had its answer already`);
}

/** Rejects with `conflict` when the attempt was never begun, or answered otherwise. */
export async function recordAttempt({ db }: Session, name: AttemptName, resourceId: string): Promise<void> {
  const recorded = await db
    .updateTable("attempt")
    .set({ resourceId })
    .where("networkId", "=", name.networkId)
    .where("key", "=", name.key)
    .where("attempt", "=", name.attempt)
    .where(({ eb, or }) => or([eb("resourceId", "is", null), eb("resourceId", "=", resourceId)]))
    .returning("key")
    .executeTakeFirst();
  if (recorded !== undefined) return;
  throw new Failure("conflict", `Attempt ${name.attempt} of ${name.key} is not open for ${resourceId}`);
}

/** All attempts at this key that are open are not wanted any more. */
export async function giveUp({ db, clock }: Session, networkId: string, key: string): Promise<void> {
  await db
    .updateTable("attempt")
    .set({ closedAt: clock.now() })
    .where("networkId", "=", networkId)
    .where("key", "=", key)
    .where("closedAt", "is", null)
    .execute();
}

/** One closed before keeps its moment; one that was never begun needs no closing. */
export async function closeAttempt({ db, clock }: Session, name: AttemptName): Promise<void> {
  await db
    .updateTable("attempt")
    .set(({ fn, val }) => ({ closedAt: fn.coalesce("closedAt", val(clock.now())) }))
    .where("networkId", "=", name.networkId)
    .where("key", "=", name.key)
    .where("attempt", "=", name.attempt)
    .execute();
}
