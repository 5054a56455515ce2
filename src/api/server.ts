/**
 * The API over HTTP: routes from the table of operations, health, the OpenAPI document. Promises that every
 * answer bears a request id, that every error is problem+json, and one log line per request. Refuses what is
 * too long or too slow before it costs anything. It holds no state of its own but whether it is closing.
 */
import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { openapi } from "../contract/openapi.ts";
import { allOperations, type OperationId } from "../contract/operations.ts";
import { asFailure, Failure } from "../domain/failure.ts";
import { answer } from "./answer.ts";
import type { House } from "./call.ts";
import { logged, problemResponse, RequestFailure } from "./errors.ts";
import { type Listener, listener } from "./listener.ts";
import { nearest } from "./nearest.ts";

export interface ApiServerOptions extends House {
  readonly log: (line: Record<string, unknown>) => void;
  /** Resolves when the other parts of the process are ready; rejects with what is missing. */
  readonly ready: () => Promise<void>;
}

export interface ApiServer extends Listener {
  /** Answers one request without a network. */
  fetch(request: Request): Promise<Response>;
}

/** What is known of a request by its end. */
interface Trace {
  readonly requestId: string;
  keyId: string | null;
  failure: Failure | null;
}

type Env = { Bindings: { trace: Trace } };

/** Characters; the longest path and query of ours stay far below. */
const URL_LIMIT = 8_192;
const READY_WITHIN_MS = 5_000;

export function apiServer(options: ApiServerOptions): ApiServer {
  const routes = router(options);
  const serve = (request: Request) => traced(options, request, (trace) => routes.fetch(request, { trace }));
  return { fetch: serve, ...listener({ fetch: serve, clock: options.clock, log: options.log }) };
}

async function traced(
  { clock, log }: ApiServerOptions,
  request: Request,
  handle: (trace: Trace) => Response | Promise<Response>,
): Promise<Response> {
  const started = clock.now();
  const trace: Trace = { requestId: requestId(request), keyId: null, failure: null };
  const response = await handle(trace);
  response.headers.set("x-request-id", trace.requestId);
  response.headers.set("cache-control", "no-store");
  response.headers.set("x-content-type-options", "nosniff");
  log({
    event: "request",
    method: request.method,
    path: new URL(request.url).pathname,
    status: response.status,
    ms: clock.now() - started,
    requestId: trace.requestId,
    keyId: trace.keyId,
    ...(trace.failure && logged(trace.failure)),
  });
  return response;
}

/** The caller's own id when it is fit to be written into a log. */
function requestId(request: Request): string {
  const given = request.headers.get("x-request-id") ?? "";
  return /^[\w.:-]{1,128}$/.test(given) ? given : `req_${randomUUID()}`;
}

function router(options: ApiServerOptions): Hono<Env> {
  const app = new Hono<Env>();
  app.use(async (context, next) => {
    if (context.req.url.length > URL_LIMIT) throw tooLong();
    await next();
  });
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/readyz", async (context) => {
    await whenReady(options);
    return context.json({ status: "ready" });
  });
  app.get("/openapi.json", (context) => context.json(openapi()));
  for (const [id, { method, path }] of allOperations)
    app.on(method, path.replaceAll(/\{(\w+)\}/g, ":$1"), (context) => operate(options, id, context));
  app.notFound((context) => problem(context, noRoute(context.req.method, context.req.path)));
  app.onError((thrown, context) => problem(context, asFailure(thrown)));
  return app;
}

function operate(options: ApiServerOptions, id: OperationId, context: Context<Env>): Promise<Response> {
  const { trace } = context.env;
  return answer(options, {
    id,
    request: context.req.raw,
    pathParams: context.req.param(),
    onActor: ({ keyId }) => {
      trace.keyId = keyId;
    },
  });
}

function problem({ env: { trace } }: Context<Env>, failure: Failure): Response {
  trace.failure = failure;
  return problemResponse(failure, trace.requestId);
}

function tooLong(): RequestFailure {
  return new RequestFailure("invalid", `The URL is longer than ${URL_LIMIT} characters`, { status: 414 });
}

const PLAIN_PATHS = ["/healthz", "/readyz", "/openapi.json"];

/** A path that exists for other methods is 405, every other path 404. */
function noRoute(method: string, path: string): Failure {
  const known = [
    ...PLAIN_PATHS.map((plain) => ({ method: "GET", path: plain })),
    ...[...allOperations.values()].map((operation) => ({ method: operation.method, path: operation.path })),
  ];
  const allowed = [
    ...new Set(known.filter((route) => matches(route.path, path)).map((route) => route.method)),
  ];
  if (allowed.length > 0)
    return new RequestFailure("invalid", `${method} is not possible on ${path}: only ${allowed.join(", ")}`, {
      status: 405,
      headers: { allow: allowed.join(", ") },
    });
  const near = nearest(path, [...new Set(known.map((route) => route.path))]);
  return new Failure("notFound", `There is nothing at ${path}`, {
    hint: `${near === null ? "" : `Did you mean ${near}? `}All paths are in /openapi.json.`,
  });
}

function matches(pattern: string, path: string): boolean {
  const parts = path.split("/");
  const wanted = pattern.split("/");
  if (parts.length !== wanted.length) return false;
  return wanted.every((part, index) => (part.startsWith("{") ? parts[index] !== "" : part === parts[index]));
}

async function whenReady({ ready, store, clock }: ApiServerOptions): Promise<void> {
  const over = new AbortController();
  const late = clock.sleep(READY_WITHIN_MS, over.signal).then(() => {
    throw new Failure("unavailable", `Not ready within ${READY_WITHIN_MS / 1000} s`);
  });
  // The race is settled by then: the late rejection is nobody's.
  late.catch(() => undefined);
  try {
    await Promise.race([Promise.all([ready(), store.ping()]), late]);
  } catch (thrown) {
    throw thrown instanceof Failure ? thrown : new Failure("unavailable", "Not ready", { cause: thrown });
  } finally {
    over.abort();
  }
}
