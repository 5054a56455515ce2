/** Who did what. A tenant's admin sees the tenant's records, the operator those of the whole installation. */
import type { AuditRecord } from "../domain/model.ts";
import type { Reads } from "../store/store.ts";
import { tenantSeenBy } from "./auth.ts";
import type { Handlers } from "./call.ts";
import { iso } from "./moments.ts";
import { pageRequest } from "./paging.ts";

export const auditHandlers: Handlers<"audit.list"> = {
  async "audit.list"({ store }, { actor, query }) {
    const request = pageRequest(query);
    const whole = actor.tenantId === null && query.tenantName === undefined;
    const tenant = whole ? null : await tenantSeenBy(store, actor, query.tenantName ?? null);
    const page = await (tenant === null ? store.audit(request) : store.tenant(tenant.id).audit(request));
    const names = await tenantNames(store, page.items);
    const items = page.items.map(({ at, tenantId, ...rest }) => ({
      ...rest,
      at: iso(at),
      tenantName: tenantId === null ? null : (names.get(tenantId) ?? null),
    }));
    return { items, nextCursor: page.nextCursor };
  },
};

/** Tenants that were deleted have no name any more. */
async function tenantNames(reads: Reads, records: readonly AuditRecord[]): Promise<Map<string, string>> {
  const ids = [...new Set(records.flatMap(({ tenantId }) => tenantId ?? []))];
  const tenants = await Promise.all(ids.map((id) => reads.tenantById(id)));
  return new Map(tenants.flatMap((tenant) => (tenant ? [[tenant.id, tenant.name] as const] : [])));
}
