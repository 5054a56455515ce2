/** Tenants: what they look like from outside, and what can be asked of them. */
import type { AnswerOf } from "../contract/operations.ts";
import type { Tenant } from "../domain/model.ts";
import type { Reads } from "../store/store.ts";
import { forbidden, isOperator, tenantSeenBy } from "./auth.ts";
import type { Handlers } from "./call.ts";
import { RequestFailure } from "./errors.ts";
import { iso } from "./moments.ts";
import { pageRequest } from "./paging.ts";

export const tenantHandlers: Handlers<
  "tenants.create" | "tenants.list" | "tenants.view" | "tenants.update" | "tenants.delete"
> = {
  async "tenants.create"({ store, intent }, { actor, body, once }) {
    const { tenantName, avoidCidrs, tenantRangeLimit } = body;
    const wish = { name: tenantName, avoidCidrs, ...limitOf(tenantRangeLimit) };
    return tenantView(store, await intent.createTenant(actor, wish, once));
  },

  async "tenants.list"({ store }, { actor, query }) {
    if (actor.tenantId !== null)
      return { items: [await tenantView(store, await tenantSeenBy(store, actor, null))], nextCursor: null };
    const page = await store.tenants(pageRequest(query));
    const items = await Promise.all(page.items.map((tenant) => tenantView(store, tenant)));
    return { items, nextCursor: page.nextCursor };
  },

  "tenants.view": ({ store }, { tenant }) => tenantView(store, tenant),

  async "tenants.update"({ store, intent }, { actor, tenant, body }) {
    const { avoidCidrs, tenantRangeLimit } = body;
    if (tenantRangeLimit !== undefined && !isOperator(actor)) throw forbidden("operator", actor);
    if (avoidCidrs === undefined && tenantRangeLimit === undefined)
      throw new RequestFailure("invalid", "Nothing to change: give avoidCidrs or tenantRangeLimit");
    const change = { ...(avoidCidrs !== undefined && { avoidCidrs }), ...limitOf(tenantRangeLimit) };
    return tenantView(store, await intent.updateTenant(actor, tenant.id, change));
  },

  async "tenants.delete"({ store, intent }, { actor, tenant }) {
    const before = await tenantView(store, tenant);
    await intent.deleteTenant(actor, tenant.id);
    return { ...before, tenantRanges: [] };
  },
};

function limitOf(rangeLimit: number | undefined): { rangeLimit?: number } {
  return rangeLimit === undefined ? {} : { rangeLimit };
}

async function tenantView(reads: Reads, tenant: Tenant): Promise<AnswerOf<"tenants.view">> {
  const ranges = await reads.tenant(tenant.id).ranges();
  return {
    tenantName: tenant.name,
    tenantId: tenant.id,
    avoidCidrs: [...tenant.avoidCidrs],
    tenantRanges: ranges.map(({ cidr }) => cidr),
    tenantRangeLimit: tenant.rangeLimit,
    createdDatetime: iso(tenant.createdAt),
  };
}
