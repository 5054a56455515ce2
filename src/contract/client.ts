/**
 * Calls the API by the table of operations: one function, no list of its own. Promises that whatever goes
 * wrong comes out as a `Failure` whose message and hint are fit for the person at the keyboard: a problem of
 * the server keeps its code and request id, a server that is not there is `unavailable` and says where it was
 * looked for. Refuses fields that the operation does not know. It never tries a call again by itself.
 */
import { Failure, type FailureCode, type FailureNotes, isFailureCode } from "../domain/failure.ts";
import {
  type AnswerOf,
  allOperations,
  type InputOf,
  type Operation,
  type OperationId,
} from "./operations.ts";

export interface CallOptions {
  /** Makes a create safe to repeat; ignored by operations that take none. */
  readonly idempotencyKey?: string;
  /** Ends the call; the promise rejects with the signal's own reason. */
  readonly signal?: AbortSignal;
}

export interface ApiClient {
  /** The path, query and body fields in one object; rejects with a `Failure`. */
  call<Id extends OperationId>(id: Id, input: InputOf<Id>, options?: CallOptions): Promise<AnswerOf<Id>>;
  /** The same for callers that walk the table; fields set to undefined are left out. */
  callAny(id: OperationId, input: Fields, options?: CallOptions): Promise<Fields>;
}

export interface ApiClientOptions {
  /** Where the API is, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly apiKey: string;
  readonly fetch?: typeof fetch;
  /** How long one call may take, milliseconds; default 30 000. */
  readonly timeoutMs?: number;
}

type Fields = Record<string, unknown>;

/** A problem the server answered; `requestId` finds it in the server's log. */
export class ApiFailure extends Failure {
  readonly requestId: string | null;
  /** The HTTP status. */
  readonly status: number;

  constructor(
    problem: { code: FailureCode; message: string; status: number; requestId: string | null },
    notes: FailureNotes,
  ) {
    super(problem.code, problem.message, notes);
    this.name = "ApiFailure";
    this.status = problem.status;
    this.requestId = problem.requestId;
  }
}

export function apiClient(options: ApiClientOptions): ApiClient {
  const server: Server = {
    base: baseUrl(options.url),
    apiKey: headerSafe(options.apiKey),
    fetch: options.fetch ?? fetch,
    timeoutMs: options.timeoutMs ?? 30_000,
  };
  const callAny: ApiClient["callAny"] = (id, input, callOptions = {}) =>
    send(server, id, { input, ...callOptions });
  return {
    callAny,
    call: async <Id extends OperationId>(id: Id, input: InputOf<Id>, callOptions?: CallOptions) =>
      // The server keeps the promise of the table; checking it here again would only slow the command line.
      (await callAny(id, input as Fields, callOptions)) as AnswerOf<Id>,
  };
}

interface Server {
  readonly base: URL;
  readonly apiKey: string;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
}

async function send(server: Server, id: OperationId, call: CallOptions & { input: Fields }): Promise<Fields> {
  const operation = allOperations.get(id);
  if (!operation) throw new Failure("invalid", `There is no operation "${id}"`);
  const { path, body } = placed(operation, call.input);
  const url = new URL(`${server.base.pathname.replace(/\/+$/, "")}${path}`, server.base);
  const headers: Record<string, string> = {
    accept: "application/json, application/problem+json",
    authorization: `Bearer ${server.apiKey}`,
  };
  if (body !== null) headers["content-type"] = "application/json";
  if (call.idempotencyKey !== undefined && operation.idempotent)
    headers["idempotency-key"] = headerText(call.idempotencyKey);
  const request = { method: operation.method, headers, ...(body !== null && { body: JSON.stringify(body) }) };
  const { response, text } = await exchange(server, url, {
    request,
    ...(call.signal && { signal: call.signal }),
  });
  return answered(url, response, text);
}

/** Fields of the path, then of the query; what is left belongs to the body. */
function placed(operation: Operation, input: Fields): { path: string; body: Fields | null } {
  const query = new URLSearchParams();
  const rest: Fields = {};
  let path = operation.path;
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined) continue;
    if (name in operation.params.shape) path = path.replace(`{${name}}`, encodeURIComponent(String(value)));
    else if (name in operation.query.shape) query.set(name, String(value));
    else rest[name] = value;
  }
  const missing = /\{(\w+)\}/.exec(path)?.[1];
  if (missing) throw new Failure("invalid", `${missing} is missing`, { hint: `Give ${missing}.` });
  if (operation.body === null) refuseUnknown(operation, rest);
  const search = query.size > 0 ? `?${query}` : "";
  return { path: path + search, body: operation.body === null ? null : rest };
}

function refuseUnknown(operation: Operation, rest: Fields): void {
  const unknown = Object.keys(rest);
  if (unknown.length === 0) return;
  const known = [...Object.keys(operation.params.shape), ...Object.keys(operation.query.shape)];
  throw new Failure("invalid", `Unknown: ${unknown.join(", ")}`, {
    hint: `Known are: ${known.join(", ") || "none"}.`,
  });
}

async function exchange(
  server: Server,
  url: URL,
  call: { request: RequestInit; signal?: AbortSignal },
): Promise<{ response: Response; text: string }> {
  const deadline = AbortSignal.timeout(server.timeoutMs);
  const signal = call.signal ? AbortSignal.any([call.signal, deadline]) : deadline;
  try {
    const response = await server.fetch(url, { ...call.request, signal });
    return { response, text: await response.text() };
  } catch (thrown) {
    if (call.signal?.aborted) throw call.signal.reason;
    throw deadline.aborted ? tooLate(server) : unreachable(server, thrown);
  }
}

function tooLate({ base, timeoutMs }: Server): Failure {
  return new Failure("unavailable", `The API at ${base.origin} did not answer within ${timeoutMs / 1000} s`, {
    hint: "What was asked may have been done: look before you ask again. A create with an idempotency key can be repeated.",
  });
}

const NETWORK_TROUBLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no host of that name",
  EAI_AGAIN: "the host's name could not be looked up",
  ECONNRESET: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by itself",
};

function unreachable({ base }: Server, thrown: unknown): Failure {
  const code = networkCode(thrown);
  const why =
    NETWORK_TROUBLE[code ?? ""] ?? code ?? (thrown instanceof Error ? thrown.message : String(thrown));
  return new Failure("unavailable", `Cannot reach the API at ${base.origin}: ${why}`, {
    hint: "Start it with `letsdata serve`, or check the URL of the API.",
    cause: thrown,
  });
}

/** fetch wraps the reason as `cause`, and several tries (IPv4, IPv6) as an AggregateError. */
function networkCode(thrown: unknown): string | undefined {
  for (let error: unknown = thrown; error instanceof Error; error = error.cause) {
    if ("code" in error && typeof error.code === "string") return error.code;
    if (error instanceof AggregateError) return networkCode(error.errors[0]);
  }
  return undefined;
}

function answered(url: URL, response: Response, text: string): Fields {
  const body = parsed(text);
  if (response.ok && body) return body;
  const requestId = response.headers.get("x-request-id");
  if (body && typeof body.message === "string") throw problemOf(body, response, requestId);
  const code = response.status >= 500 ? "unavailable" : "invalid";
  throw new ApiFailure(
    {
      code,
      message: `${url.origin} answered ${response.status}, but not as the API does`,
      status: response.status,
      requestId,
    },
    {
      hint: "Check that the URL is that of the letsdata API and that nothing stands in between.",
      detail: text.slice(0, 500),
    },
  );
}

function problemOf(body: Fields, response: Response, requestId: string | null): ApiFailure {
  const code = typeof body.code === "string" && isFailureCode(body.code) ? body.code : "internal";
  const notes = typeof body.hint === "string" ? { hint: body.hint } : {};
  return new ApiFailure({ code, message: String(body.message), status: response.status, requestId }, notes);
}

function parsed(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Fields) : null;
  } catch {
    return null;
  }
}

function baseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new Failure("invalid", `"${text}" is not the URL of an API`, {
    hint: "Write it as http://host:port.",
  });
}

function headerSafe(apiKey: string): string {
  if (/^[\x21-\x7e]+$/.test(apiKey)) return apiKey;
  throw new Failure("unauthenticated", "The API key has characters that no key has", {
    hint: "Copy the key again, without spaces and line breaks.",
  });
}

function headerText(key: string): string {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new Failure("invalid", "An idempotency key has 1 to 255 printable ASCII characters, no spaces");
}
