/**
 * Who changed what, and when. Promises that a record is written in the transaction of the change itself, and
 * that nothing here alters or removes one. Newest first.
 */
import type { AuditRecord, Page, PageRequest } from "../domain/model.ts";
import { afterKey, pageOf, rowsWanted } from "./cursor.ts";
import { newId } from "./ids.ts";
import { json, type Session } from "./tables.ts";

const NEWEST_FIRST = { list: "audit", parts: ["number"] } as const;

/** Of one tenant, or of the whole installation when it is null. */
export async function audit(
  { db }: Session,
  tenantId: string | null,
  request: PageRequest,
): Promise<Page<AuditRecord>> {
  const after = afterKey(NEWEST_FIRST, request);
  let query = db
    .selectFrom("audit")
    .select(["seq", "id", "at", "tenantId", "keyId", "keyName", "action", "subject", "detail"])
    .orderBy("seq", "desc")
    .limit(rowsWanted(request));
  if (tenantId !== null) query = query.where("tenantId", "=", tenantId);
  if (after !== null) query = query.where("seq", "<", Number(after[0]));
  return pageOf(await query.execute(), {
    request,
    shape: NEWEST_FIRST,
    keyOf: (row) => [row.seq],
    item: ({ seq: _, ...record }) => record,
  });
}

export async function writeAudit(
  { db, clock }: Session,
  record: Omit<AuditRecord, "id" | "at">,
): Promise<void> {
  const { tenantId, keyId, keyName, action, subject } = record;
  await db
    .insertInto("audit")
    .values({
      id: newId("aud"),
      at: clock.now(),
      tenantId,
      keyId,
      keyName,
      action,
      subject,
      detail: json(record.detail),
    })
    .execute();
}
