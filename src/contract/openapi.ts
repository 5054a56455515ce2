/**
 * The OpenAPI 3.1 document, made from the table of operations and nothing else. Promises that what the server
 * checks is what the document says. `scripts/openapi.ts` writes it to openapi.json, the server answers it.
 */
import { z } from "zod";
import { type FailureCode, kindOf } from "../domain/failure.ts";
import { allOperations, type Operation, type OperationId } from "./operations.ts";
import { problem } from "./schemas.ts";

type Json = { [name: string]: unknown };

let made: Json | undefined;

/** The whole document; made once. */
export function openapi(): Json {
  made ??= document();
  return made;
}

function document(): Json {
  const schemas: Json = {};
  const paths: { [path: string]: Json } = {};
  for (const [id, operation] of allOperations)
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method.toLowerCase()]: described(id, operation, schemas),
    };
  for (const [path, { summary, schema }] of Object.entries(PLAIN_PATHS))
    paths[path] = { get: plain(path, summary, schema) };
  schemaOf(problem, "output", schemas);
  return {
    openapi: "3.1.1",
    info: {
      title: "letsdata",
      version: "1.0.0",
      description:
        "Gives every dataset's write connector a network of its own on AWS, and lets the customer peer with it.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "Where this document was found" }],
    security: [{ apiKey: [] }],
    tags: tags(),
    paths,
    components: {
      schemas: sorted(schemas),
      responses: responses(),
      headers: { RequestId: REQUEST_ID },
      parameters: { IdempotencyKey: IDEMPOTENCY_KEY },
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "A key from `letsdata keys create`" },
      },
    },
  };
}

const OK = z.object({ status: z.string() });

const PLAIN_PATHS: Readonly<Record<string, { summary: string; schema: z.ZodObject | null }>> = {
  "/healthz": { summary: "Whether the process is alive", schema: OK },
  "/readyz": { summary: "Whether requests can be served", schema: OK },
  "/openapi.json": { summary: "This document", schema: null },
};

function plain(path: string, summary: string, schema: z.ZodObject | null): Json {
  const content = {
    "application/json": { schema: schema ? schemaOf(schema, "output", {}) : { type: "object" } },
  };
  return {
    operationId: path.slice(1).replace(".json", ""),
    summary,
    tags: ["installation"],
    security: [],
    responses: {
      200: { description: "Yes", content },
      ...(path === "/readyz" && { 503: { $ref: "#/components/responses/unavailable" } }),
    },
  };
}

function tags(): Json[] {
  const nouns = [...new Set([...allOperations.keys()].map(nounOf))];
  return [...nouns, "installation"].map((name) => ({ name }));
}

function nounOf(id: OperationId): string {
  return id.slice(0, id.indexOf("."));
}

function described(id: OperationId, operation: Operation, schemas: Json): Json {
  const { summary, description, access, command } = operation;
  return {
    operationId: id,
    summary,
    description: `${description}\n\nNeeds ${access === "operator" ? "a key of the operator's" : `the role ${access}`}.`,
    tags: [nounOf(id)],
    parameters: parameters(operation, schemas),
    ...(operation.body && { requestBody: requestBody(operation.body, schemas) }),
    responses: {
      [operation.status]: {
        description: DONE[operation.status],
        headers: { "x-request-id": { $ref: "#/components/headers/RequestId" } },
        content: { "application/json": { schema: schemaOf(operation.answer, "output", schemas) } },
      },
      ...(operation.dryRun && { 200: dryRun(operation.dryRun, schemas) }),
      ...Object.fromEntries(
        refusals(operation).map((code) => [kindOf(code).http, { $ref: `#/components/responses/${code}` }]),
      ),
    },
    "x-codeSamples": command.examples.map(({ what, command: source }) => ({
      lang: "Shell",
      label: what,
      source,
    })),
  };
}

function dryRun(answer: z.ZodObject, schemas: Json): Json {
  return {
    description: "With dryRun=true: what would be done. Nothing was written",
    headers: { "x-request-id": { $ref: "#/components/headers/RequestId" } },
    content: { "application/json": { schema: schemaOf(answer, "output", schemas) } },
  };
}

const DONE = {
  200: "Done",
  201: "Created",
  202: "Asked for; it is carried out from here on",
} as const;

/** What an operation may say no with; the rest cannot come from it. */
function refusals({ method, params, query, body, tenantScoped, path }: Operation): FailureCode[] {
  const names = { ...params.shape, ...query.shape };
  const writes = method !== "GET";
  return [
    ...(Object.keys(names).length > 0 || body ? (["invalid"] as const) : []),
    "unauthenticated",
    "forbidden",
    ...(Object.keys(params.shape).length > 0 || tenantScoped ? (["notFound"] as const) : []),
    ...(writes ? (["conflict"] as const) : []),
    ...(path === "/v1/datasets" && writes ? (["exhausted"] as const) : []),
    "unavailable",
    "internal",
  ];
}

const CODES: readonly FailureCode[] = [
  "invalid",
  "unauthenticated",
  "forbidden",
  "notFound",
  "conflict",
  "exhausted",
  "unavailable",
  "internal",
];

function responses(): Json {
  return Object.fromEntries(CODES.map((code) => [code, refusal(code)]));
}

function refusal(code: FailureCode): Json {
  const { http, title } = kindOf(code);
  const example = {
    type: `urn:letsdata:problem:${code}`,
    title,
    status: http,
    code,
    message: EXAMPLE_MESSAGES[code],
    hint: null,
    requestId: "req_6a0f0c52-9a3c-4a57-8d40-0c1f7b0b6f51",
  };
  return {
    description: title,
    headers: { "x-request-id": { $ref: "#/components/headers/RequestId" } },
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" }, example } },
  };
}

const EXAMPLE_MESSAGES: Readonly<Record<FailureCode, string>> = {
  invalid: 'writeConnector.vpcSize "smal" is not allowed: one of small, medium, large; did you mean small?',
  unauthenticated: "No valid API key was given",
  forbidden: "This needs a key with the role member, and yours (dashboards) has the role viewer",
  notFound: "There is no dataset Clicks",
  conflict: "Dataset Clicks is already being deleted",
  exhausted: "Size large needs a free /22 (1024 addresses): tenant acme has 8 of at most 8 ranges",
  unavailable: "The database does not answer",
  internal: "Something went wrong on our side",
};

const REQUEST_ID = {
  description: "Finds this request in the log; the caller's own x-request-id when one was sent",
  schema: { type: "string" },
} as const;

const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "Makes the call safe to repeat: the same key with the same request is done once",
  schema: { type: "string", minLength: 1, maxLength: 255 },
} as const;

function parameters(operation: Operation, schemas: Json): Json[] {
  return [
    ...Object.entries(operation.params.shape).map(([name, schema]) =>
      parameter("path", name, { schema, schemas }),
    ),
    ...Object.entries(operation.query.shape).map(([name, schema]) =>
      parameter("query", name, { schema, schemas }),
    ),
    ...(operation.idempotent ? [{ $ref: "#/components/parameters/IdempotencyKey" }] : []),
  ];
}

function parameter(
  place: "path" | "query",
  name: string,
  { schema, schemas }: { schema: unknown; schemas: Json },
): Json {
  if (!(schema instanceof z.ZodType)) throw new TypeError(`${name} is not a schema`);
  const { description = schema.description, ...json } = schemaOf(schema, "input", schemas);
  return {
    name,
    in: place,
    required: place === "path" || !schema.safeParse(undefined).success,
    description,
    schema: json,
  };
}

function requestBody(body: z.ZodObject, schemas: Json): Json {
  return { required: true, content: { "application/json": { schema: schemaOf(body, "input", schemas) } } };
}

/** The JSON Schema of it; schemas with an id go into `schemas` and are referred to. */
function schemaOf(schema: z.ZodType, io: "input" | "output", schemas: Json): Json {
  const { $schema: _, $defs, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Json;
  for (const [id, definition] of Object.entries(($defs ?? {}) as Json))
    add(schemas, id, referring(definition) as Json);
  return referring(json) as Json;
}

function add(schemas: Json, id: string, definition: Json): void {
  const { id: _, ...rest } = definition;
  if (schemas[id] !== undefined && JSON.stringify(schemas[id]) !== JSON.stringify(rest))
    throw new TypeError(`Two schemas bear the id ${id}`);
  schemas[id] = rest;
}

/** Schemas refer to each other inside one JSON Schema by `$defs`, inside an OpenAPI document by components. */
function referring(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(referring);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) =>
      name === "$ref" && typeof inner === "string"
        ? [name, inner.replace("#/$defs/", "#/components/schemas/")]
        : [name, referring(inner)],
    ),
  );
}

function sorted(schemas: Json): Json {
  return Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
}
