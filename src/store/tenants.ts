/**
 * Tenants. Promises that a deleted one is seen nowhere, that its name is free again, and that nothing new can
 * be written for it. Rows stay, because the audit and the history of datasets name them.
 */
import type { Cidr } from "../domain/cidr.ts";
import { Failure } from "../domain/failure.ts";
import type { Page, PageRequest, Tenant } from "../domain/model.ts";
import { afterKey, pageOf, rowsWanted } from "./cursor.ts";
import { newId } from "./ids.ts";
import { json, type Session } from "./tables.ts";

const COLUMNS = ["id", "name", "avoidCidrs", "rangeLimit", "createdAt"] as const;
const BY_NAME = { list: "tenants", parts: ["string"] } as const;

export interface TenantWish {
  readonly name: string;
  readonly rangeLimit: number;
  readonly avoidCidrs: readonly Cidr[];
}

export async function tenants({ db }: Session, request: PageRequest): Promise<Page<Tenant>> {
  const after = afterKey(BY_NAME, request);
  let query = living(db).orderBy("name").limit(rowsWanted(request));
  if (after !== null) query = query.where("name", ">", String(after[0]));
  return pageOf(await query.execute(), {
    request,
    shape: BY_NAME,
    keyOf: (row) => [row.name],
    item: (row) => row,
  });
}

export async function tenantByName({ db }: Session, name: string): Promise<Tenant | null> {
  return (await living(db).where("name", "=", name).executeTakeFirst()) ?? null;
}

export async function tenantById({ db }: Session, id: string): Promise<Tenant | null> {
  return (await living(db).where("id", "=", id).executeTakeFirst()) ?? null;
}

/** Foreign keys may still refer to the row meanwhile; only those who lock it too must wait. */
export async function lockTenant({ db }: Session, id: string): Promise<Tenant | null> {
  return (await living(db).where("id", "=", id).forNoKeyUpdate().executeTakeFirst()) ?? null;
}

/** Holds off a deletion of the tenant until the transaction ends. Rejects with `notFound` without one. */
export async function requireTenant({ db }: Session, id: string): Promise<void> {
  const row = await living(db).where("id", "=", id).forKeyShare().executeTakeFirst();
  if (row === undefined) throw noTenant();
}

export async function insertTenant({ db, clock }: Session, wish: TenantWish): Promise<Tenant> {
  const { name, rangeLimit } = wish;
  return db
    .insertInto("tenant")
    .values({
      id: newId("ten"),
      name,
      rangeLimit,
      avoidCidrs: json(wish.avoidCidrs),
      createdAt: clock.now(),
      deletedAt: null,
    })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
}

export async function updateTenant(
  session: Session,
  id: string,
  change: Partial<Omit<TenantWish, "name">>,
): Promise<Tenant> {
  const columns = {
    ...(change.rangeLimit !== undefined && { rangeLimit: change.rangeLimit }),
    ...(change.avoidCidrs && { avoidCidrs: json(change.avoidCidrs) }),
  };
  if (Object.keys(columns).length > 0)
    await session.db
      .updateTable("tenant")
      .set(columns)
      .where("id", "=", id)
      .where("deletedAt", "is", null)
      .execute();
  const tenant = await tenantById(session, id);
  if (tenant === null) throw noTenant();
  return tenant;
}

export async function deleteTenant({ db, clock }: Session, id: string): Promise<void> {
  const found = await living(db).where("id", "=", id).forUpdate().executeTakeFirst();
  if (found === undefined) throw noTenant();
  await refuseDatasets(db, found);
  await refuseRanges(db, found);
  const now = clock.now();
  await db
    .updateTable("apiKey")
    .set({ revokedAt: now })
    .where("tenantId", "=", id)
    .where("revokedAt", "is", null)
    .execute();
  await db.deleteFrom("tenantRange").where("tenantId", "=", id).execute();
  await db.updateTable("tenant").set({ deletedAt: now }).where("id", "=", id).execute();
}

async function refuseDatasets(db: Session["db"], tenant: Tenant): Promise<void> {
  const rows = await db
    .selectFrom("dataset")
    .select("name")
    .where("tenantId", "=", tenant.id)
    .where("status", "<>", "DELETED")
    .orderBy("name")
    .limit(6)
    .execute();
  if (rows.length === 0) return;
  const names = rows.slice(0, 5).map((row) => row.name);
  throw new Failure(
    "conflict",
    `Tenant ${tenant.name} still has datasets: ${names.join(", ")}${rows.length > 5 ? ", …" : ""}`,
    {
      hint: "Delete its datasets first, and wait until they are DELETED.",
    },
  );
}

async function refuseRanges(db: Session["db"], tenant: Tenant): Promise<void> {
  const row = await db
    .selectFrom("datasetRange")
    .select(["cidr", "freeAt"])
    .where("tenantId", "=", tenant.id)
    .orderBy("cidr")
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return;
  const until = row.freeAt === null ? "" : ` until ${new Date(row.freeAt).toISOString()}`;
  throw new Failure("conflict", `Block ${row.cidr} of tenant ${tenant.name} still rests${until}`, {
    hint: "Wait until then, or end its quarantine.",
  });
}

function living(db: Session["db"]) {
  return db.selectFrom("tenant").select(COLUMNS).where("deletedAt", "is", null);
}

function noTenant(): Failure {
  return new Failure("notFound", "There is no such tenant");
}
