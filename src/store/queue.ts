/**
 * The work queue: a row per network that is not yet gone. Promises that a network has one holder at a time,
 * that no wake is lost (one that comes during a pass makes the network due again at once), and that a holder
 * that died is replaced when its lease runs out. `token` grows with every claim and is the fence of
 * `pass.ts`. All moments come from the clock that was handed in.
 *
 *   gen          grows with every wake
 *   claimed_gen  gen at the last claim: gen > claimed_gen means "woken while it ran"
 *   due_at       when it wants a pass; null = only when woken
 */
import { sql } from "kysely";
import { WAKE_CHANNEL } from "./driver.ts";
import type { Lease } from "./store.ts";
import type { Session } from "./tables.ts";

/** Due now. The notification goes out with the commit. Does nothing for a network that is gone. */
export async function wake({ db, clock }: Session, networkId: string, fresh?: "fresh"): Promise<void> {
  const now = clock.now();
  const freshAfter = fresh ? now : 0;
  await sql`with woken as (
      insert into reconcile as r (network_id, cell_id, due_at, fresh_after)
      select id, cell_id, ${now}::bigint, ${freshAfter}::bigint
      from network where id = ${networkId} and gone_at is null
      on conflict (network_id) do update
        set gen = r.gen + 1, due_at = least(r.due_at, excluded.due_at),
          fresh_after = greatest(r.fresh_after, excluded.fresh_after)
      returning 1
    ) select pg_notify(${WAKE_CHANNEL}, '') from woken`.execute(db);
}

/** Longest overdue first. Others' claims are passed over, not waited for. */
export async function claim(
  { db, clock }: Session,
  limit: number,
  leaseMs: number,
): Promise<readonly Lease[]> {
  const now = clock.now();
  const claimed = await sql<Lease>`with due as materialized (
      select network_id from reconcile
      where due_at is not null and greatest(due_at, lease_until) <= ${now}::bigint
      order by greatest(due_at, lease_until) limit ${limit} for update skip locked
    )
    update reconcile r set token = r.token + 1, claimed_gen = r.gen, lease_until = ${now + leaseMs}::bigint
    from due where r.network_id = due.network_id
    returning r.network_id, r.token, r.lease_until as until, r.failures, r.fresh_after`.execute(db);
  return claimed.rows;
}

export async function renew({ db, clock }: Session, lease: Lease, leaseMs: number): Promise<boolean> {
  const now = clock.now();
  const renewed = await db
    .updateTable("reconcile")
    .set({ leaseUntil: now + leaseMs })
    .where("networkId", "=", lease.networkId)
    .where("token", "=", lease.token)
    .where("leaseUntil", ">", now)
    .returning("token")
    .executeTakeFirst();
  return renewed !== undefined;
}

/** How a pass ended. */
export interface PassEnd {
  readonly dueInMs: number | null;
  /** Null when it went well. */
  readonly failure: string | null;
}

/** Does nothing when the lease was lost: the network is due then anyway. */
export async function giveBack({ db, clock }: Session, lease: Lease, end: PassEnd): Promise<void> {
  const now = clock.now();
  const dueAt = end.dueInMs === null ? null : now + end.dueInMs;
  await sql`update reconcile set
      lease_until = null,
      failures = case when ${end.failure}::text is null then 0 else failures + 1 end,
      last_error = ${end.failure}::text,
      due_at = case when gen > claimed_gen then ${now}::bigint else ${dueAt}::bigint end
    where network_id = ${lease.networkId} and token = ${lease.token} and lease_until > ${now}::bigint`.execute(
    db,
  );
}

export async function nextDueMs({ db, clock }: Session): Promise<number | null> {
  const next = await sql<{ at: number }>`select greatest(due_at, lease_until) as at from reconcile
    where due_at is not null order by greatest(due_at, lease_until) limit 1`.execute(db);
  const at = next.rows[0]?.at;
  return at === undefined ? null : Math.max(0, at - clock.now());
}

/** True while the lease holds; the row stays locked until the transaction ends. */
export async function holds({ db, clock }: Session, lease: Lease): Promise<boolean> {
  const row = await db
    .selectFrom("reconcile")
    .select("token")
    .where("networkId", "=", lease.networkId)
    .where("token", "=", lease.token)
    .where("leaseUntil", ">", clock.now())
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined;
}
