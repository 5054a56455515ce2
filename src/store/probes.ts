/**
 * Probes: asked for, claimed one by one, reported. Promises that of any number of processes one holds a probe, that a
 * holder that was overtaken writes nothing, and that a probe whose holder died is taken up again. A probe that cannot
 * be tried yet is put back, to be claimed again later. Keeps the last ones of each network.
 *
 *   waiting ⇄ running ─▶ done
 *      └─────────┴─────▶ failed
 */
import { sql } from "kysely";
import { Failure } from "../domain/failure.ts";
import type { Probe, ProbeWish } from "../domain/probe.ts";
import { WAKE_CHANNEL } from "./driver.ts";
import { newId } from "./ids.ts";
import type { ProbeEnd, ProbeLease, ProbeWait } from "./store.ts";
import { json, type Session } from "./tables.ts";

const COLUMNS = [
  "id",
  "networkId",
  "wish",
  "askedBy",
  "askedAt",
  "startedAt",
  "endedAt",
  "state",
  "note",
  "hint",
  "result",
] as const;

const KEPT = 100;
const OPEN = ["waiting", "running"] as const;

export interface ProbeAsked {
  readonly networkId: string;
  /** What the function is to run as. */
  readonly roleArn: string;
  readonly wish: ProbeWish;
  readonly askedBy: string;
}

/** The network's function runs as that role from now on. */
export async function askProbe(session: Session, asked: ProbeAsked): Promise<Probe> {
  const { db, clock } = session;
  const { networkId, roleArn, wish, askedBy } = asked;
  await db.updateTable("network").set({ probeRoleArn: roleArn }).where("id", "=", networkId).execute();
  const { seq: _, ...probe } = await db
    .insertInto("probe")
    .values({
      id: newId("prb"),
      networkId,
      wish: json(wish),
      askedBy,
      askedAt: clock.now(),
      startedAt: null,
      endedAt: null,
      state: "waiting",
      note: null,
      hint: null,
      result: null,
    })
    .returning(["seq", ...COLUMNS])
    .executeTakeFirstOrThrow();
  await forgetOld(session, networkId);
  await sql`select pg_notify(${WAKE_CHANNEL}, '')`.execute(db);
  return probe;
}

export async function openProbes({ db }: Session, networkId: string): Promise<number> {
  const row = await db
    .selectFrom("probe")
    .select(({ fn }) => fn.countAll<number | string>().as("count"))
    .where("networkId", "=", networkId)
    .where("state", "in", OPEN)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

async function forgetOld({ db }: Session, networkId: string): Promise<void> {
  const kept = db
    .selectFrom("probe")
    .select("seq")
    .where("networkId", "=", networkId)
    .orderBy("seq", "desc")
    .limit(KEPT);
  await db
    .deleteFrom("probe")
    .where("networkId", "=", networkId)
    .where("state", "not in", OPEN)
    .where("seq", "not in", kept)
    .execute();
}

/** Of that dataset's networks, the living one and those that are gone. */
export async function probeOf(
  { db }: Session,
  { tenantId, datasetId, id }: { readonly tenantId: string; readonly datasetId: string; readonly id: string },
): Promise<Probe | null> {
  const row = await db
    .selectFrom("probe")
    .innerJoin("network", "network.id", "probe.networkId")
    .select(COLUMNS.map((column) => `probe.${column}` as const))
    .where("probe.id", "=", id)
    .where("network.tenantId", "=", tenantId)
    .where("network.datasetId", "=", datasetId)
    .executeTakeFirst();
  return row ?? null;
}

/** The oldest that is open and that nobody holds; null when there is none. */
export async function claimProbe({ db, clock }: Session, leaseMs: number): Promise<ProbeLease | null> {
  const now = clock.now();
  const next = db
    .selectFrom("probe")
    .select("id")
    .where("state", "in", OPEN)
    .where("leaseUntil", "<=", now)
    .orderBy("leaseUntil")
    .orderBy("seq")
    .limit(1)
    .forUpdate()
    .skipLocked();
  const taken = await db
    .updateTable("probe")
    .set(({ eb }) => ({ token: eb("token", "+", 1), leaseUntil: now + leaseMs }))
    .where("id", "=", next)
    .returning(["token", ...COLUMNS])
    .executeTakeFirst();
  if (taken === undefined) return null;
  const { token, ...probe } = taken;
  return { probe, token };
}

/** Milliseconds until there is something to claim; null when nothing is open. */
export async function probeDueInMs({ db, clock }: Session): Promise<number | null> {
  const row = await db
    .selectFrom("probe")
    .select(({ fn }) => fn.min("leaseUntil").as("at"))
    .where("state", "in", OPEN)
    .executeTakeFirst();
  return row?.at == null ? null : Math.max(0, row.at - clock.now());
}

/** Puts it back, to be claimed again after a while. Rejects with `conflict` when the lease was lost. */
export function putBack(session: Session, lease: ProbeLease, { note, againInMs }: ProbeWait): Promise<void> {
  const leaseUntil = session.clock.now() + againInMs;
  return sure(held(session, lease).set({ state: "waiting", note, hint: null, leaseUntil }));
}

/** It is being tried now. */
export function beginProbe(session: Session, lease: ProbeLease, leaseMs: number): Promise<void> {
  const now = session.clock.now();
  const leaseUntil = now + leaseMs;
  return sure(held(session, lease).set({ state: "running", startedAt: now, note: null, leaseUntil }));
}

export function endProbe(session: Session, lease: ProbeLease, end: ProbeEnd): Promise<void> {
  const { state, note, hint } = end;
  const result = end.result === null ? null : json(end.result);
  return sure(held(session, lease).set({ state, note, hint, result, endedAt: session.clock.now() }));
}

function held({ db }: Session, { probe, token }: ProbeLease) {
  return db
    .updateTable("probe")
    .where("id", "=", probe.id)
    .where("token", "=", token)
    .where("state", "in", OPEN)
    .returning("id");
}

async function sure(update: { executeTakeFirst(): Promise<unknown> }): Promise<void> {
  if ((await update.executeTakeFirst()) === undefined)
    throw new Failure("conflict", "The lease on the probe was lost");
}
