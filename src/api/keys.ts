/** API keys, a tenant's and the operator's. A key crosses once, in the answer of its creation. */
import type { AnswerOf } from "../contract/operations.ts";
import type { ApiKey, Tenant } from "../domain/model.ts";
import { refuseOperatorKeys } from "./auth.ts";
import type { Handlers } from "./call.ts";
import { RequestFailure } from "./errors.ts";
import { iso, isoOrNull } from "./moments.ts";
import { pageRequest } from "./paging.ts";

export const keyHandlers: Handlers<"keys.create" | "keys.list" | "keys.revoke"> = {
  async "keys.create"({ intent }, { actor, tenant, query, body, once }) {
    const { name, operator } = body;
    if (operator) refuseOperatorKeys(actor, query.tenantName ?? null);
    if (operator && body.role !== undefined && body.role !== "admin") throw onlyAdmin(body.role);
    const role = body.role ?? (operator ? "admin" : "member");
    const wish = { tenantId: operator ? null : tenant.id, name, role };
    const { record, secret } = await intent.createKey(actor, wish, once);
    return { ...keyView(record, tenant), apiKey: secret };
  },

  async "keys.list"({ store }, { tenant, query }) {
    const request = pageRequest(query);
    const page = await (query.operator ? store.operatorKeys(request) : store.tenant(tenant.id).keys(request));
    return { items: page.items.map((key) => keyView(key, tenant)), nextCursor: page.nextCursor };
  },

  async "keys.revoke"({ intent }, { actor, tenant, params, query }) {
    return keyView(await intent.revokeKey(actor, query.operator ? null : tenant.id, params.keyId), tenant);
  },
};

function onlyAdmin(role: string): RequestFailure {
  const message = `An operator's key has the role admin, not ${role}: leave role out`;
  return new RequestFailure("invalid", message, { problems: [{ field: "role", message }] });
}

function keyView(key: ApiKey, tenant: Tenant): AnswerOf<"keys.revoke"> {
  return {
    keyId: key.id,
    name: key.name,
    role: key.role,
    tenantName: key.tenantId === null ? null : tenant.name,
    prefix: key.prefix,
    createdDatetime: iso(key.createdAt),
    revokedDatetime: isoOrNull(key.revokedAt),
  };
}
