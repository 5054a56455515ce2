/**
 * Blocks given out: /21s to tenants, and inside them one to each dataset. That none overlaps another, and
 * that each lies in a range of its own tenant, is kept by the database itself. A block given back rests
 * first. Refuses nothing quietly: a block somebody holds is a `conflict`.
 */
import { sql } from "kysely";
import { type Cidr, cidr, parseCidr } from "../domain/cidr.ts";
import { Failure } from "../domain/failure.ts";
import type { DatasetRange, Page, PageRequest, TenantRange } from "../domain/model.ts";
import { afterKey, pageOf, rowsWanted } from "./cursor.ts";
import type { Session } from "./tables.ts";
import { requireTenant } from "./tenants.ts";

const TENANT_RANGE = ["cidr", "tenantId", "createdAt"] as const;
const BY_ADDRESS = { list: "ranges", parts: ["string"] } as const;

export async function tenantRanges({ db }: Session, tenantId: string): Promise<readonly TenantRange[]> {
  return db
    .selectFrom("tenantRange")
    .select(TENANT_RANGE)
    .where("tenantId", "=", tenantId)
    .orderBy("cidr")
    .execute();
}

/** Lowest address first. */
export async function allTenantRanges({ db }: Session, request: PageRequest): Promise<Page<TenantRange>> {
  const after = afterKey(BY_ADDRESS, request);
  let query = db.selectFrom("tenantRange").select(TENANT_RANGE).orderBy("cidr").limit(rowsWanted(request));
  if (after !== null) query = query.where("cidr", ">", cursorBlock(String(after[0])));
  return pageOf(await query.execute(), {
    request,
    shape: BY_ADDRESS,
    keyOf: (row) => [row.cidr],
    item: (row) => row,
  });
}

/** Whoever's range the block lies in or around; the lowest when there are several. */
export async function holderOf({ db }: Session, block: Cidr): Promise<TenantRange | null> {
  const row = await db
    .selectFrom("tenantRange")
    .select(TENANT_RANGE)
    .where(sql<boolean>`cidr && ${block}::cidr`)
    .orderBy("cidr")
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

export async function insertTenantRange(
  session: Session,
  tenantId: string,
  block: Cidr,
): Promise<TenantRange> {
  await requireTenant(session, tenantId);
  const slot = await session.db
    .selectFrom("slot")
    .select("taken")
    .where("cidr", "=", block)
    .forUpdate()
    .executeTakeFirst();
  if (slot === undefined)
    throw new Failure("conflict", `${block} is not a range of the address space`, {
      hint: "The operator can add a pool that holds it.",
    });
  if (slot.taken) throw new Failure("conflict", `${block} is already given out`);
  return session.db
    .insertInto("tenantRange")
    .values({ cidr: block, tenantId, createdAt: session.clock.now() })
    .returning(TENANT_RANGE)
    .executeTakeFirstOrThrow();
}

/** Used and resting ones, lowest address first. */
export async function datasetRanges({ db }: Session, tenantId: string): Promise<readonly DatasetRange[]> {
  return datasetRangeRows(db)
    .where("datasetRange.tenantId", "=", tenantId)
    .orderBy("datasetRange.cidr")
    .execute();
}

export async function insertDatasetRange(
  session: Session,
  range: { tenantId: string; datasetId: string; tenantRange: Cidr; cidr: Cidr },
): Promise<DatasetRange> {
  const { tenantId, datasetId, tenantRange } = range;
  await session.db
    .insertInto("datasetRange")
    .values({ cidr: range.cidr, tenantId, tenantRange, datasetId, state: "used", freeAt: null })
    .execute();
  return datasetRangeRows(session.db).where("datasetRange.cidr", "=", range.cidr).executeTakeFirstOrThrow();
}

/** Nothing of the dataset's network is left: its block rests, or is free at once when no rest is set. */
export async function releaseRange({ db, clock }: Session, datasetId: string): Promise<void> {
  const { quarantineSeconds } = await db
    .selectFrom("setting")
    .select("quarantineSeconds")
    .executeTakeFirstOrThrow();
  if (quarantineSeconds === 0) {
    await db.deleteFrom("datasetRange").where("datasetId", "=", datasetId).execute();
    return;
  }
  await db
    .updateTable("datasetRange")
    .set({ state: "quarantined", freeAt: clock.now() + quarantineSeconds * 1000 })
    .where("datasetId", "=", datasetId)
    .where("state", "=", "used")
    .execute();
}

/** Nobody else may have got it meanwhile: it only rested. The one released last, when there are several. */
export async function restoreRange({ db }: Session, datasetId: string): Promise<DatasetRange | null> {
  const resting = await db
    .selectFrom("datasetRange")
    .select("cidr")
    .where("datasetId", "=", datasetId)
    .where("state", "=", "quarantined")
    .orderBy("freeAt", "desc")
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
  if (resting === undefined) return null;
  await db
    .updateTable("datasetRange")
    .set({ state: "used", freeAt: null })
    .where("cidr", "=", resting.cidr)
    .execute();
  return datasetRangeRows(db).where("datasetRange.cidr", "=", resting.cidr).executeTakeFirstOrThrow();
}

/** What rested there, or null when nothing does. */
export async function endQuarantine(
  { db }: Session,
  tenantId: string,
  block: Cidr,
): Promise<DatasetRange | null> {
  const resting = await datasetRangeRows(db)
    .where("datasetRange.cidr", "=", block)
    .where("datasetRange.tenantId", "=", tenantId)
    .where("datasetRange.state", "=", "quarantined")
    .forUpdate("datasetRange")
    .executeTakeFirst();
  if (resting === undefined) return null;
  await db.deleteFrom("datasetRange").where("cidr", "=", block).execute();
  return resting;
}

export async function endDueQuarantines({ db, clock }: Session): Promise<number> {
  const freed = await db
    .deleteFrom("datasetRange")
    .where("state", "=", "quarantined")
    .where("freeAt", "<=", clock.now())
    .returning("cidr")
    .execute();
  return freed.length;
}

function datasetRangeRows(db: Session["db"]) {
  return db
    .selectFrom("datasetRange")
    .innerJoin("dataset", "dataset.id", "datasetRange.datasetId")
    .select([
      "datasetRange.cidr",
      "datasetRange.tenantRange",
      "datasetRange.tenantId",
      "datasetRange.datasetId",
      "dataset.name as datasetName",
      "datasetRange.state",
      "datasetRange.freeAt",
    ]);
}

function cursorBlock(text: string): Cidr {
  if ("cidr" in parseCidr(text)) return cidr(text);
  throw new Failure("invalid", "The cursor is not one of this list");
}
