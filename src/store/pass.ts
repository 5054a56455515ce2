/**
 * What a pass over a network writes. Promises that each write is one transaction that first locks the
 * network, then sees that the lease still holds: a holder that was overtaken (it slept, its process stood
 * still) writes nothing. Refuses with `conflict` then.
 */
import { Failure } from "../domain/failure.ts";
import { markDeleted, setDatasetStatus } from "./datasets.ts";
import { beginAttempt, closeAttempt, recordAttempt } from "./journal.ts";
import { lockNetwork, saveLayout, savePeering, saveStatus } from "./networks.ts";
import { holds } from "./queue.ts";
import { reserve } from "./quotas.ts";
import { releaseRange } from "./ranges.ts";
import type { Lease, PassWrites } from "./store.ts";
import type { Session } from "./tables.ts";

export type Transact = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

export function pass(transact: Transact, lease: Lease): PassWrites {
  const { networkId } = lease;
  const fenced = <T>(write: (session: Session) => Promise<T>) =>
    transact(async (session) => {
      if ((await lockNetwork(session, networkId)) && (await holds(session, lease))) return write(session);
      throw new Failure("conflict", "The lease on the network was lost", {
        detail: `${networkId} ${lease.token}`,
      });
    });
  return {
    saveStatus: (status) => fenced((session) => saveStatus(session, { ...status, networkId })),
    saveLayout: (layout) => fenced((session) => saveLayout(session, networkId, layout)),
    savePeering: (wish) => fenced((session) => savePeering(session, networkId, wish)),
    markReady: () => fenced((session) => markReady(session, networkId)),
    setDatasetStatus: (status) =>
      fenced(async (session) => setDatasetStatus(session, await datasetOf(session, networkId), status)),
    markGone: () => fenced((session) => markGone(session, networkId)),
    reserveQuotas: (holder, lines) =>
      fenced(async (session) => {
        const cellId = await cellOf(session, networkId);
        return reserve(session, { cellId, networkId, holder }, lines);
      }),
    beginAttempt: (key, attempt) => fenced((session) => beginAttempt(session, { networkId, key, attempt })),
    recordAttempt: (key, attempt, resourceId) =>
      fenced((session) => recordAttempt(session, { networkId, key, attempt }, resourceId)),
    closeAttempt: (key, attempt) => fenced((session) => closeAttempt(session, { networkId, key, attempt })),
  };
}

/** Later calls change nothing: `readyAt` is the first time. */
async function markReady({ db, clock }: Session, networkId: string): Promise<void> {
  const ready = await db
    .updateTable("network")
    .set(({ fn, val }) => ({ readyAt: fn.coalesce("readyAt", val(clock.now())) }))
    .where("id", "=", networkId)
    .returning("datasetId")
    .executeTakeFirstOrThrow();
  await db
    .updateTable("dataset")
    .set({ status: "ACTIVE" })
    .where("id", "=", ready.datasetId)
    .where("status", "in", ["CREATING", "ERROR"])
    .execute();
}

async function markGone(session: Session, networkId: string): Promise<void> {
  const { db } = session;
  const datasetId = await datasetOf(session, networkId);
  await db
    .updateTable("network")
    .set({ want: "absent", goneAt: session.clock.now() })
    .where("id", "=", networkId)
    .execute();
  await markDeleted(session, datasetId);
  await releaseRange(session, datasetId);
  await db.deleteFrom("quotaReservation").where("networkId", "=", networkId).execute();
  await db.deleteFrom("attempt").where("networkId", "=", networkId).execute();
  await db.deleteFrom("reconcile").where("networkId", "=", networkId).execute();
}

async function datasetOf({ db }: Session, networkId: string): Promise<string> {
  const row = await db
    .selectFrom("network")
    .select("datasetId")
    .where("id", "=", networkId)
    .executeTakeFirstOrThrow();
  return row.datasetId;
}

async function cellOf({ db }: Session, networkId: string): Promise<string> {
  const { cellId } = await db
    .selectFrom("network")
    .select("cellId")
    .where("id", "=", networkId)
    .executeTakeFirstOrThrow();
  return cellId;
}
