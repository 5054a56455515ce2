/**
 * Who calls, and what they may see. Order of the answers: no valid key 401; a thing that this key cannot see
 * or that does not exist 404, both in the same words; a thing it sees but may not touch 403. Promises that
 * nothing about another tenant leaks, not even that it exists.
 */
import type { Access, Operation } from "../contract/operations.ts";
import { noDataset } from "../control/datasets.ts";
import type { Actor } from "../control/intent.ts";
import { keyHash } from "../control/people.ts";
import { Failure } from "../domain/failure.ts";
import type { Dataset, Tenant } from "../domain/model.ts";
import type { Store } from "../store/store.ts";
import { missing, RequestFailure } from "./errors.ts";

/** The tenant that operator keys act for when they name none. */
export const DEFAULT_TENANT = "default";

type Fields = Readonly<Record<string, unknown>>;

export interface Seen {
  readonly tenant: Tenant | null;
  readonly dataset: Dataset | null;
}

/** The owner of the key; an unknown key, a revoked one and none at all get one and the same answer. */
export async function actorOf(store: Store, request: Request): Promise<Actor> {
  const given = /^Bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const key = given === undefined ? null : await store.keyByHash(keyHash(given));
  if (!key || key.revokedAt !== null)
    throw new Failure("unauthenticated", "No valid API key was given", {
      hint:
        "Give one that is not revoked: --apiKey, LETSDATA_API_KEY or a profile; " +
        "over HTTP, the header `authorization: Bearer <key>`.",
    });
  return { keyId: key.id, keyName: key.name, role: key.role, tenantId: key.tenantId };
}

export function isOperator(actor: Actor): boolean {
  return actor.tenantId === null && actor.role === "admin";
}

/** The things that the path and the query name, as far as this key sees them. */
export async function seenBy(
  store: Store,
  actor: Actor,
  call: { operation: Operation; params: Fields; query: Fields },
): Promise<Seen> {
  const { operation, params, query } = call;
  const named = params.tenantName ?? query.tenantName;
  const name = typeof named === "string" ? named : null;
  if (!operation.tenantScoped && name === null) return { tenant: null, dataset: null };
  if (query.operator === true) refuseOperatorKeys(actor, name);
  const tenant = await tenantSeenBy(store, actor, name);
  if (typeof params.keyId === "string") await seeKey(store, { actor, tenant, query, keyId: params.keyId });
  const dataset =
    typeof params.datasetName === "string" ? await datasetOf(store, tenant, params.datasetName) : null;
  return { tenant, dataset };
}

/** The tenant of that name; without a name the key's own, or the operator's default. */
export async function tenantSeenBy(store: Store, actor: Actor, name: string | null): Promise<Tenant> {
  if (actor.tenantId === null) {
    const tenant = await store.tenantByName(name ?? DEFAULT_TENANT);
    if (tenant) return tenant;
    throw missing("tenant", name ?? DEFAULT_TENANT);
  }
  const own = await store.tenantById(actor.tenantId);
  if (own && (name === null || name === own.name)) return own;
  throw missing("tenant", name ?? DEFAULT_TENANT);
}

export async function datasetOf(store: Store, tenant: Tenant, name: string): Promise<Dataset> {
  const dataset = await store.tenant(tenant.id).dataset(name);
  if (!dataset) throw noDataset(name);
  return dataset;
}

/** The operator's keys are of no tenant: whoever asks for them must not name one. */
export function refuseOperatorKeys(actor: Actor, tenantName: string | null): void {
  if (!isOperator(actor)) throw forbidden("operator", actor);
  if (tenantName === null) return;
  const message = "operator and tenantName exclude each other: the operator's keys are of no tenant";
  throw new RequestFailure("invalid", message, { problems: [{ field: "operator", message }] });
}

async function seeKey(
  store: Store,
  { actor, tenant, query, keyId }: { actor: Actor; tenant: Tenant; query: Fields; keyId: string },
): Promise<void> {
  if (query.operator === true && isOperator(actor)) return;
  const key = await store.tenant(tenant.id).key(keyId);
  if (!key) throw noKey(keyId);
}

export function noKey(keyId: string): Failure {
  return new Failure("notFound", `There is no key ${keyId}`, { hint: "See: letsdata keys list" });
}

const RANK: Readonly<Record<Access, number>> = { viewer: 0, member: 1, admin: 2, operator: 3 };

export function rankOf(actor: Actor): Access {
  return isOperator(actor) ? "operator" : actor.role;
}

export function refuseSmallerRole(actor: Actor, access: Access): void {
  if (RANK[rankOf(actor)] < RANK[access]) throw forbidden(access, actor);
}

export function forbidden(access: Access, actor: Actor): Failure {
  const wanted = access === "operator" ? "a key of the operator's" : `a key with the role ${access}`;
  return new Failure(
    "forbidden",
    `This needs ${wanted}, and yours (${actor.keyName}) has the role ${actor.role}`,
    {
      hint:
        access === "operator"
          ? "Ask the operator of this installation."
          : "Ask an admin of your tenant for another key: letsdata keys create.",
    },
  );
}
