/**
 * Datasets and the states they pass through. Promises that a deleted one never comes back, that one being
 * deleted only becomes deleted, and that a name is free again once its dataset is DELETED.
 *
 *   CREATING ──► ACTIVE ──► DELETING ──► DELETED
 *     │  └──► ERROR ◄─┘ └────►──┘ ▲
 *     └──◄── INACTIVE ◄── any ────┘       INACTIVE: without its write connector
 */
import { Failure } from "../domain/failure.ts";
import type { Dataset, DatasetStatus, Page, PageRequest } from "../domain/model.ts";
import { afterKey, pageOf, rowsWanted } from "./cursor.ts";
import { newId } from "./ids.ts";
import { lockNetworkOf, wantAbsent } from "./networks.ts";
import { releaseRange } from "./ranges.ts";
import type { NewDataset } from "./store.ts";
import { json, type Session } from "./tables.ts";
import { requireTenant } from "./tenants.ts";

const COLUMNS = [
  "id",
  "tenantId",
  "name",
  "region",
  "customerAccount as customerAccountForAccess",
  "writeConnector",
  "functionArns",
  "configuration",
  "status",
  "createdAt",
  "deleteAskedAt",
  "deletedAt",
] as const;
const BY_NAME = { list: "datasets", parts: ["string"] } as const;

export async function datasets(
  { db }: Session,
  tenantId: string,
  request: PageRequest,
): Promise<Page<Dataset>> {
  const after = afterKey(BY_NAME, request);
  let query = db
    .selectFrom("dataset")
    .select(COLUMNS)
    .where("tenantId", "=", tenantId)
    .where("status", "<>", "DELETED")
    .orderBy("name")
    .limit(rowsWanted(request));
  if (after !== null) query = query.where("name", ">", String(after[0]));
  return pageOf(await query.execute(), {
    request,
    shape: BY_NAME,
    keyOf: (row) => [row.name],
    item: (row) => row,
  });
}

/** The living one, else the one deleted last. */
export async function datasetByName(
  { db }: Session,
  tenantId: string,
  name: string,
): Promise<Dataset | null> {
  const row = await db
    .selectFrom("dataset")
    .select(COLUMNS)
    .where("tenantId", "=", tenantId)
    .where("name", "=", name)
    .orderBy("deletedAt", (order) => order.desc().nullsFirst())
    .orderBy("createdAt", "desc")
    .orderBy("id")
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

export async function insertDataset(session: Session, wish: NewDataset): Promise<Dataset> {
  await requireTenant(session, wish.tenantId);
  const now = session.clock.now();
  return session.db
    .insertInto("dataset")
    .values({
      id: newId("ds"),
      tenantId: wish.tenantId,
      name: wish.name,
      region: wish.region,
      customerAccount: wish.customerAccountForAccess,
      writeConnector: json(wish.writeConnector),
      functionArns: json(wish.functionArns),
      configuration: json(wish.configuration),
      status: wish.status,
      createdAt: now,
      deleteAskedAt: null,
      deletedAt: wish.status === "DELETED" ? now : null,
    })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
}

/** Does nothing where the states above have no such arrow. */
export async function setDatasetStatus(
  session: Session,
  datasetId: string,
  status: DatasetStatus,
): Promise<void> {
  await lockNetworkOf(session, datasetId);
  const closed: readonly DatasetStatus[] =
    status === "DELETED" ? ["DELETED"] : ["DELETED", "DELETING", "INACTIVE"];
  await session.db
    .updateTable("dataset")
    .set({ status, ...(status === "DELETED" && { deletedAt: session.clock.now() }) })
    .where("id", "=", datasetId)
    .where("status", "not in", closed)
    .execute();
}

/** Asked twice it answers the same. Rejects with `notFound` without such a dataset. */
export async function askDelete(session: Session, datasetId: string): Promise<Dataset> {
  const { db } = session;
  const networkId = await lockNetworkOf(session, datasetId);
  const now = session.clock.now();
  if (networkId !== null) await wantAbsent(session, networkId);
  await db
    .updateTable("dataset")
    .set(({ fn, val }) => ({
      status: networkId === null ? "DELETED" : "DELETING",
      deleteAskedAt: fn.coalesce("deleteAskedAt", val(now)),
      deletedAt: networkId === null ? now : null,
    }))
    .where("id", "=", datasetId)
    .where("status", "<>", "DELETED")
    .execute();
  if (networkId === null) await releaseRange(session, datasetId);
  const row = await datasetById(session, datasetId);
  if (row === null) throw new Failure("notFound", "There is no such dataset");
  return row;
}

export async function datasetById({ db }: Session, id: string): Promise<Dataset | null> {
  const row = await db.selectFrom("dataset").select(COLUMNS).where("id", "=", id).executeTakeFirst();
  return row ?? null;
}

/** The end of a dataset whose network is gone; one that only lost its write connector stays. */
export async function markDeleted({ db, clock }: Session, datasetId: string): Promise<void> {
  const now = clock.now();
  await db
    .updateTable("dataset")
    .set(({ fn, val }) => ({
      status: "DELETED",
      deleteAskedAt: fn.coalesce("deleteAskedAt", val(now)),
      deletedAt: now,
    }))
    .where("id", "=", datasetId)
    .where("status", "not in", ["DELETED", "INACTIVE"])
    .execute();
}
