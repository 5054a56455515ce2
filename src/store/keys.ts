/**
 * API keys, as hashes. Promises that a key is found by its hash alone and that a revoked one stays known, so
 * that its use can be told from an unknown key. Never sees a key itself.
 */
import type { ApiKey, Page, PageRequest } from "../domain/model.ts";
import { afterKey, pageOf, rowsWanted } from "./cursor.ts";
import { newId } from "./ids.ts";
import type { Session } from "./tables.ts";
import { requireTenant } from "./tenants.ts";

const COLUMNS = ["id", "tenantId", "name", "role", "prefix", "createdAt", "revokedAt"] as const;
const BY_AGE = { list: "keys", parts: ["number", "string"] } as const;

export interface NewKey {
  readonly tenantId: string | null;
  readonly name: string;
  readonly role: ApiKey["role"];
  readonly hash: string;
  readonly prefix: string;
}

/** Oldest first; `null` lists the operator's. */
export async function keys(
  session: Session,
  tenantId: string | null,
  request: PageRequest,
): Promise<Page<ApiKey>> {
  const after = afterKey(BY_AGE, request);
  let query = ofScope(session, tenantId).orderBy("createdAt").orderBy("id").limit(rowsWanted(request));
  if (after !== null) {
    const [at, id] = [Number(after[0]), String(after[1])];
    query = query.where(({ eb, or, and }) =>
      or([eb("createdAt", ">", at), and([eb("createdAt", "=", at), eb("id", ">", id)])]),
    );
  }
  return pageOf(await query.execute(), {
    request,
    shape: BY_AGE,
    keyOf: (row) => [row.createdAt, row.id],
    item: (row) => row,
  });
}

export async function key(session: Session, tenantId: string, id: string): Promise<ApiKey | null> {
  return (await ofScope(session, tenantId).where("id", "=", id).executeTakeFirst()) ?? null;
}

export async function keyByHash({ db }: Session, hash: string): Promise<ApiKey | null> {
  return (await db.selectFrom("apiKey").select(COLUMNS).where("hash", "=", hash).executeTakeFirst()) ?? null;
}

export async function insertKey(session: Session, wish: NewKey): Promise<ApiKey> {
  if (wish.tenantId !== null) await requireTenant(session, wish.tenantId);
  const { tenantId, name, role, hash, prefix } = wish;
  return session.db
    .insertInto("apiKey")
    .values({
      id: newId("key"),
      tenantId,
      name,
      role,
      hash,
      prefix,
      createdAt: session.clock.now(),
      revokedAt: null,
    })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
}

/** A key revoked before keeps its moment. */
export async function revokeKey(
  { db, clock }: Session,
  tenantId: string | null,
  id: string,
): Promise<ApiKey | null> {
  const row = await db
    .updateTable("apiKey")
    .set(({ fn, val }) => ({ revokedAt: fn.coalesce("revokedAt", val(clock.now())) }))
    .where("id", "=", id)
    .where("tenantId", tenantId === null ? "is" : "=", tenantId)
    .returning(COLUMNS)
    .executeTakeFirst();
  return row ?? null;
}

function ofScope({ db }: Session, tenantId: string | null) {
  return db
    .selectFrom("apiKey")
    .select(COLUMNS)
    .where("tenantId", tenantId === null ? "is" : "=", tenantId);
}
