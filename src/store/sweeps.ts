/**
 * Sweeps: asked for, claimed by one process at a time, reported. Promises that of any number of processes one
 * holds the lease, that a holder that was overtaken writes nothing, that a sweep whose holder died is taken up
 * again, and that the daily one is begun once however many processes look for it. Keeps the last reports.
 *
 *   waiting ─▶ running ─▶ done
 *                 └─────▶ failed
 */
import { sql } from "kysely";
import { Failure } from "../domain/failure.ts";
import type { Cell, Network } from "../domain/model.ts";
import type { DatasetTrace, Sweep } from "../domain/sweep.ts";
import { WAKE_CHANNEL } from "./driver.ts";
import { newId } from "./ids.ts";
import { networks } from "./networks.ts";
import type { SweepLease, SweepResult } from "./store.ts";
import { json, type Session } from "./tables.ts";

const COLUMNS = [
  "id",
  "fix",
  "askedBy",
  "askedAt",
  "startedAt",
  "endedAt",
  "state",
  "error",
  "report",
] as const;

const KEPT = 100;

/** One that waits already and does the same is the answer to both who ask. */
export async function askSweep(
  session: Session,
  wish: { readonly fix: boolean; readonly askedBy: string },
): Promise<Sweep> {
  const { db } = session;
  await lockLease(db);
  const waiting = await db
    .selectFrom("sweep")
    .select(COLUMNS)
    .where("state", "=", "waiting")
    .where("fix", "=", wish.fix)
    .executeTakeFirst();
  const sweep = waiting ?? (await insert(session, wish));
  await sql`select pg_notify(${WAKE_CHANNEL}, '')`.execute(db);
  return sweep;
}

async function insert(
  { db, clock }: Session,
  { fix, askedBy }: { readonly fix: boolean; readonly askedBy: string | null },
): Promise<Sweep> {
  const { seq, ...sweep } = await db
    .insertInto("sweep")
    .values({
      id: newId("swp"),
      fix,
      askedBy,
      askedAt: clock.now(),
      startedAt: null,
      endedAt: null,
      state: "waiting",
      error: null,
      report: null,
    })
    .returning(["seq", ...COLUMNS])
    .executeTakeFirstOrThrow();
  await db
    .deleteFrom("sweep")
    .where("seq", "<=", seq - KEPT)
    .where("state", "in", ["done", "failed"])
    .execute();
  return sweep;
}

export async function lastSweep({ db }: Session): Promise<Sweep | null> {
  const row = await db.selectFrom("sweep").select(COLUMNS).orderBy("seq", "desc").limit(1).executeTakeFirst();
  return row ?? null;
}

export async function sweepById({ db }: Session, id: string): Promise<Sweep | null> {
  const row = await db.selectFrom("sweep").select(COLUMNS).where("id", "=", id).executeTakeFirst();
  return row ?? null;
}

/** Milliseconds until there is something to claim: an open sweep that nobody holds, or the next daily one. */
export async function sweepDueInMs({ db, clock }: Session, everyMs: number): Promise<number> {
  const found = await sql<{ leaseUntil: number; open: boolean; last: number | null }>`select lease_until,
      exists (select from sweep where state in ('waiting', 'running')) as open,
      (select max(asked_at) from sweep) as last
    from sweep_lease`.execute(db);
  const row = found.rows[0];
  if (row === undefined) return everyMs;
  const now = clock.now();
  const at = row.open || row.last === null ? now : row.last + everyMs;
  return Math.max(0, Math.max(at, row.leaseUntil) - now);
}

/** The oldest open sweep, or a daily one when it is time; null when there is nothing to do or somebody does it. */
export async function claimSweep(
  session: Session,
  leaseMs: number,
  everyMs: number,
): Promise<SweepLease | null> {
  const { db, clock } = session;
  const now = clock.now();
  const taken = await db
    .updateTable("sweepLease")
    .set(({ eb }) => ({ token: eb("token", "+", 1), leaseUntil: now + leaseMs }))
    .where("leaseUntil", "<=", now)
    .returning(["token", "leaseUntil as until"])
    .executeTakeFirst();
  if (taken === undefined) return null;
  const open = (await oldestOpen(session)) ?? (await daily(session, everyMs));
  if (open === null) {
    await db.updateTable("sweepLease").set({ leaseUntil: 0 }).execute();
    return null;
  }
  const sweep = await db
    .updateTable("sweep")
    .set(({ fn, val }) => ({ state: "running", startedAt: fn.coalesce("startedAt", val(now)) }))
    .where("id", "=", open.id)
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
  return { ...taken, sweep };
}

async function oldestOpen({ db }: Session): Promise<Sweep | null> {
  const row = await db
    .selectFrom("sweep")
    .select(COLUMNS)
    .where("state", "in", ["waiting", "running"])
    .orderBy("seq")
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

async function daily(session: Session, everyMs: number): Promise<Sweep | null> {
  const last = await lastSweep(session);
  if (last !== null && last.askedAt + everyMs > session.clock.now()) return null;
  return insert(session, { fix: false, askedBy: null });
}

/** False when the lease was lost; the holder must stop. */
export async function renewSweep(
  { db, clock }: Session,
  { token }: SweepLease,
  leaseMs: number,
): Promise<boolean> {
  const now = clock.now();
  const renewed = await db
    .updateTable("sweepLease")
    .set({ leaseUntil: now + leaseMs })
    .where("token", "=", token)
    .where("leaseUntil", ">", now)
    .returning("token")
    .executeTakeFirst();
  return renewed !== undefined;
}

/** Writes what is known; an end gives the lease back. Rejects with `conflict` when the lease was lost. */
export async function saveSweep(session: Session, lease: SweepLease, result: SweepResult): Promise<void> {
  const { db, clock } = session;
  const { state, error, report } = result;
  const held = await lockLease(db);
  const now = clock.now();
  if (held.token !== lease.token || held.leaseUntil <= now)
    throw new Failure("conflict", "The lease on the sweep was lost");
  const ended = state !== "running";
  await db
    .updateTable("sweep")
    .set({ state, error, report: report === null ? null : json(report), endedAt: ended ? now : null })
    .where("id", "=", lease.sweep.id)
    .execute();
  if (ended) await db.updateTable("sweepLease").set({ leaseUntil: 0 }).execute();
}

function lockLease(db: Session["db"]): Promise<{ token: number; leaseUntil: number }> {
  return db.selectFrom("sweepLease").select(["token", "leaseUntil"]).forUpdate().executeTakeFirstOrThrow();
}

/** Every place a network was ever put. */
export function cells({ db }: Session): Promise<Cell[]> {
  return db
    .selectFrom("cell")
    .select(["id", "account", "roleArn", "region"])
    .orderBy("account")
    .orderBy("region")
    .orderBy("id")
    .execute();
}

/** All networks that are not gone, wanted or not. */
export async function livingNetworks(session: Session): Promise<readonly Network[]> {
  const rows = await session.db.selectFrom("network").select("id").where("goneAt", "is", null).execute();
  return networks(
    session,
    rows.map(({ id }) => id),
  );
}

/** What is known of these datasets; an id that was never given out is not in the answer. */
export async function datasetTraces(
  { db }: Session,
  ids: readonly string[],
): Promise<ReadonlyMap<string, DatasetTrace>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom("dataset")
    .select(["id", "name", "status"])
    .where("id", "in", ids)
    .execute();
  return new Map(rows.map(({ id, name, status }) => [id, { name, deleted: status === "DELETED" }]));
}
