/**
 * Wishes about tenants, keys and the installation's settings. A key is made here, shown to its caller, and
 * kept as a hash alone.
 */
import { createHash } from "node:crypto";
import type { Cidr } from "../domain/cidr.ts";
import { Failure } from "../domain/failure.ts";
import type { ApiKey, Role, Settings, Tenant } from "../domain/model.ts";
import type { Store } from "../store/store.ts";
import type { Actor, Once } from "./actor.ts";
import { onceOver } from "./once.ts";

export interface PeopleDeps {
  readonly store: Store;
  /** That many random bytes. */
  readonly randomBytes: (size: number) => Uint8Array;
}

export interface People {
  createTenant(
    actor: Actor,
    tenant: { name: string; avoidCidrs: readonly Cidr[]; rangeLimit?: number },
    once?: Once,
  ): Promise<Tenant>;
  updateTenant(
    actor: Actor,
    tenantId: string,
    change: { avoidCidrs?: readonly Cidr[]; rangeLimit?: number },
  ): Promise<Tenant>;
  deleteTenant(actor: Actor, tenantId: string): Promise<Tenant>;
  /** `tenantId` null makes an operator's key. The key itself is in the answer and nowhere else. */
  createKey(
    actor: Actor,
    key: { tenantId: string | null; name: string; role: Role },
    once?: Once,
  ): Promise<{ record: ApiKey; secret: string }>;
  revokeKey(actor: Actor, tenantId: string | null, keyId: string): Promise<ApiKey>;
  updateSettings(actor: Actor, change: Partial<Omit<Settings, "installation">>): Promise<Settings>;
}

/** The form a key is kept in: SHA-256 in hex. A key has 192 random bits, so no salt or stretching is needed. */
export function keyHash(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

export function people(deps: PeopleDeps): People {
  const { store } = deps;
  return {
    createTenant: (actor, tenant, once) =>
      onceOver(store, { scope: "operator", operation: "tenants.create", once }, async (tx) => {
        if (await tx.tenantByName(tenant.name))
          throw new Failure("conflict", `Tenant ${tenant.name} exists already`, {
            hint: `Choose another name, or look at it: letsdata tenants view --tenantName ${tenant.name}`,
          });
        const { defaultRangeLimit } = await tx.settings();
        const made = await tx.insertTenant({
          name: tenant.name,
          avoidCidrs: tenant.avoidCidrs,
          rangeLimit: tenant.rangeLimit ?? defaultRangeLimit,
        });
        await tx.writeAudit({
          ...by(actor),
          tenantId: made.id,
          action: "tenants.create",
          subject: `tenant/${made.name}`,
          detail: {},
        });
        return made;
      }),

    updateTenant: (actor, tenantId, change) =>
      store.change(async (tx) => {
        const made = await tx.updateTenant(tenantId, change);
        await tx.writeAudit({
          ...by(actor),
          tenantId,
          action: "tenants.update",
          subject: `tenant/${made.name}`,
          detail: { ...change },
        });
        return made;
      }),

    deleteTenant: (actor, tenantId) =>
      store.change(async (tx) => {
        const tenant = await tx.lockTenant(tenantId);
        if (!tenant) throw new Failure("notFound", "There is no such tenant");
        if (tenant.name === "default")
          throw new Failure("conflict", "The tenant `default` stays: operator keys act for it");
        await tx.deleteTenant(tenantId);
        await tx.writeAudit({
          ...by(actor),
          tenantId: null,
          action: "tenants.delete",
          subject: `tenant/${tenant.name}`,
          detail: {},
        });
        return tenant;
      }),

    createKey: (actor, key, once) => createKey(deps, actor, key, once),

    revokeKey: (actor, tenantId, keyId) =>
      store.change(async (tx) => {
        const record = await tx.revokeKey(tenantId, keyId);
        if (!record)
          throw new Failure("notFound", `There is no key ${keyId}`, { hint: "See: letsdata keys list" });
        await tx.writeAudit({
          ...by(actor),
          tenantId,
          action: "keys.revoke",
          subject: `key/${record.name}`,
          detail: { keyId },
        });
        return record;
      }),

    updateSettings: (actor, change) =>
      store.change(async (tx) => {
        const settings = await tx.updateSettings(change);
        await tx.writeAudit({
          ...by(actor),
          tenantId: null,
          action: "settings.update",
          subject: "settings",
          detail: { ...change },
        });
        return settings;
      }),
  };
}

async function createKey(
  { store, randomBytes }: PeopleDeps,
  actor: Actor,
  key: { tenantId: string | null; name: string; role: Role },
  once?: Once,
): Promise<{ record: ApiKey; secret: string }> {
  const secret = `ld_${Buffer.from(randomBytes(24)).toString("base64url")}`;
  const made = { ...key, hash: keyHash(secret), prefix: secret.slice(0, 8) };
  const over = { scope: key.tenantId ?? "operator", operation: "keys.create", once };
  const record = await onceOver(store, over, async (tx) => {
    const written = await tx.insertKey(made);
    const detail = { keyId: written.id, role: key.role };
    await tx.writeAudit({
      ...by(actor),
      tenantId: key.tenantId,
      action: "keys.create",
      subject: `key/${key.name}`,
      detail,
    });
    return written;
  });
  if (record.prefix !== made.prefix)
    throw new Failure(
      "conflict",
      `The key "${record.name}" (${record.id}) was made by this request before, and a key is shown once`,
      {
        hint: `If its answer was lost: letsdata keys revoke --keyId ${record.id}, then create another.`,
      },
    );
  return { record, secret };
}

export function by(actor: Actor): { keyId: string; keyName: string } {
  return { keyId: actor.keyId, keyName: actor.keyName };
}
