/**
 * One request for one operation, from the key to the answer. The order is part of the promise: the key (401),
 * the form of path and query (400), the things they name (404), the role (403), the body (400), then the
 * handler. Nothing is done before all of it was found right.
 */
import { createHash } from "node:crypto";
import { allOperations, type Operation, type OperationId } from "../contract/operations.ts";
import type { Actor, Once } from "../control/intent.ts";
import { auditHandlers } from "./audit.ts";
import { actorOf, refuseSmallerRole, type Seen, seenBy } from "./auth.ts";
import { jsonBody } from "./body.ts";
import type { Handlers, House } from "./call.ts";
import { checked, refuse } from "./complaints.ts";
import { datasetHandlers } from "./datasets.ts";
import { RequestFailure } from "./errors.ts";
import { keyHandlers } from "./keys.ts";
import { peeringHandlers } from "./peerings.ts";
import { probeHandlers } from "./probes.ts";
import { rangeHandlers } from "./ranges.ts";
import { settingsHandlers } from "./settings.ts";
import { sweepHandlers } from "./sweeps.ts";
import { tenantHandlers } from "./tenants.ts";
import { vpcHandlers } from "./vpcs.ts";
import { writeConnectorHandlers } from "./writeConnectors.ts";

type Fields = Readonly<Record<string, unknown>>;

const handlers: Handlers<OperationId> = {
  ...tenantHandlers,
  ...keyHandlers,
  ...datasetHandlers,
  ...vpcHandlers,
  ...writeConnectorHandlers,
  ...peeringHandlers,
  ...rangeHandlers,
  ...settingsHandlers,
  ...probeHandlers,
  ...sweepHandlers,
  ...auditHandlers,
};

export interface Asked {
  readonly id: OperationId;
  readonly request: Request;
  readonly pathParams: Fields;
  /** Called as soon as the key is known, for the log. */
  readonly onActor: (actor: Actor) => void;
}

/** Rejects with a Failure. */
export async function answer(house: House, asked: Asked): Promise<Response> {
  const { id, request } = asked;
  const operation = allOperations.get(id);
  if (!operation) throw new RequestFailure("internal", `There is no operation ${id}`);
  const actor = await actorOf(house.store, request);
  asked.onActor(actor);
  const { params, query } = named(operation, asked);
  const seen = await seenBy(house.store, actor, { operation, params, query });
  refuseSmallerRole(actor, operation.access);
  const body = operation.body === null ? null : await bodyOf(operation, request);
  const input = { params, query, body };
  const once = onceOf(request, { id, operation, seen, input });
  const result = await run(house, id, { actor, ...seen, ...input, once });
  const isDryRun = operation.dryRun !== undefined && query.dryRun === true;
  return Response.json(result, { status: isDryRun ? 200 : operation.status });
}

/** The table's types say which input belongs to which handler; behind a name that comes at run time they cannot. */
function run(house: House, id: OperationId, call: Fields): Promise<Fields> {
  const handler = handlers[id] as unknown as (house: House, call: Fields) => Promise<Fields>;
  return handler(house, call);
}

function named(operation: Operation, { request, pathParams }: Asked): { params: Fields; query: Fields } {
  const params = checked(operation.params, pathParams);
  const query = checked(operation.query, queryFields(request));
  const problems = [...params.problems, ...query.problems];
  if (problems.length > 0) throw refuse(problems);
  return { params: params.fields, query: query.fields };
}

function queryFields(request: Request): Fields {
  const given = [...new URL(request.url).searchParams];
  const names = given.map(([name]) => name);
  const twice = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
  if (twice.length > 0)
    throw refuse(twice.map((name) => ({ field: name, message: `${name} is given more than once` })));
  return Object.fromEntries(given);
}

async function bodyOf({ body }: Operation, request: Request): Promise<Fields | null> {
  if (body === null) return null;
  const { fields, problems } = checked(body, await jsonBody(request));
  if (problems.length > 0) throw refuse(problems);
  return fields;
}

interface Hashed {
  readonly id: OperationId;
  readonly operation: Operation;
  readonly seen: Seen;
  readonly input: Fields;
}

function onceOf(request: Request, { id, operation, seen, input }: Hashed): Once | undefined {
  const key = request.headers.get("idempotency-key");
  if (key === null || !operation.idempotent) return undefined;
  if (!/^[\x20-\x7e]{1,255}$/.test(key))
    throw new RequestFailure("invalid", "Idempotency-Key must be 1 to 255 printable ASCII characters");
  const asked = canonical({ id, tenant: seen.tenant?.id ?? null, input });
  return { key, requestHash: createHash("sha256").update(asked).digest("hex") };
}

/** JSON with sorted keys: the order in which a caller writes fields does not make another request. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
