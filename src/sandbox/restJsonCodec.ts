/**
 * AWS's REST-JSON protocol, server side, for MSK and Lambda: method and path name the operation, and its input
 * comes out of the path's labels, the query, headers and the body, as the schemas the SDK exports say. It knows no
 * operation and no shape of its own. Refuses event streams, which no operation here answers with.
 *
 *   GET /v1/clusters/arn%3Aaws%3Akafka.../nodes?maxResults=3      {"nodeInfoList": [...]}
 *                                       x-amzn-errortype: NotFoundException   {"message": "..."}
 *
 * https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
 */
import type { Protocol, RawRequest, Written } from "./codec.ts";
import { AwsError } from "./errors.ts";
import {
  type JsonRefusals,
  parsed,
  readStructure,
  readValue,
  writeStructure,
  writeValue,
} from "./jsonValues.ts";
import {
  type ErrorShape,
  errorsOf,
  type Naming,
  NOTHING,
  type Operation,
  operationsOf,
  type Shape,
} from "./schemas.ts";

const NAMING: Naming = { key: (name, traits) => traits.jsonName ?? name, flat: false };

/** `refusals` are how the service words what it cannot read. */
export function restJson(sdk: object, refusals: JsonRefusals): Protocol {
  const operations = operationsOf(sdk, NAMING);
  const errors = errorsOf(sdk, NAMING);
  const routes = routesOf(operations);
  return {
    contentType: "application/json",
    has: (action) => operations.has(action),
    ask(request) {
      const found = matched(routes, request);
      if (!found) return { action: "", has: () => false, input: () => ({}) };
      const { route, labels } = found;
      const asked = { labels, request, refusals };
      return { action: route.action, has: () => false, input: () => readInput(route.operation, asked) };
    },
    unknown: (action) =>
      new AwsError(
        "UnknownOperationException",
        action ? `There is no operation ${action} here.` : "There is no operation of that method and path.",
        404,
      ),
    write: (action, _requestId, output) => write(operations.get(action), output ?? {}),
    error: (_requestId, error) => writeError(errors.get(error.code), error),
  };
}

// ---- routes -----------------------------------------------------------------------------------------------

interface Route {
  readonly action: string;
  readonly operation: Operation;
  readonly method: string;
  readonly path: RegExp;
  /** What the query must have: `List=ALL`. */
  readonly query: readonly (readonly [string, string])[];
}

/** Those that ask for more of a request come first: `?List=ALL` and words before labels. */
function routesOf(operations: ReadonlyMap<string, Operation>): Route[] {
  const routes = [...operations].flatMap(([action, operation]) => {
    if (!operation.http) return [];
    const [method, uri] = operation.http;
    const [template = "", fixed = ""] = uri.split("?", 2);
    const route = {
      action,
      operation,
      method,
      path: pathOf(template),
      query: [...new URLSearchParams(fixed)],
    };
    const rank = 100 * route.query.length - (template.match(/\{/g)?.length ?? 0);
    return [{ route, rank }];
  });
  return routes.sort((a, b) => b.rank - a.rank).map(({ route }) => route);
}

/** `/v1/clusters/{ClusterArn}/nodes`; a greedy label `{name+}` takes slashes too. A slash at the end is the same. */
function pathOf(template: string): RegExp {
  const parts = template.replace(/\/$/, "").split(/(\{\w+\+?\})/);
  const source = parts.map((part) => {
    const [, name, greedy] = /^\{(\w+)(\+?)\}$/.exec(part) ?? [];
    if (name) return `(?<${name}>${greedy ? ".+" : "[^/]+"})`;
    return part.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${source.join("")}/?$`);
}

type Labels = Readonly<Record<string, string>>;

function matched(
  routes: readonly Route[],
  request: RawRequest,
): { route: Route; labels: Labels } | undefined {
  const { path, query } = split(request.url);
  for (const route of routes) {
    if (route.method !== request.method || !route.query.every(([key, value]) => query.get(key) === value))
      continue;
    const match = route.path.exec(path);
    if (match) return { route, labels: match.groups ?? {} };
  }
  return undefined;
}

function split(url: string): { path: string; query: URLSearchParams } {
  const at = url.indexOf("?");
  if (at < 0) return { path: url, query: new URLSearchParams() };
  return { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}

// ---- reading ----------------------------------------------------------------------------------------------

interface Reading {
  readonly labels: Labels;
  readonly request: RawRequest;
  readonly refusals: JsonRefusals;
}

function readInput(operation: Operation, reading: Reading): object {
  const shape = operation.input ?? NOTHING;
  const { refusals, request } = reading;
  const query = split(request.url).query;
  const hasPayload = shape.members.some(({ bound }) => bound?.place === "payload");
  const body = hasPayload || request.body.length === 0 ? {} : parsed(request.body, refusals);
  const input = readStructure(shape, body, { path: "", refusals });
  for (const { name, required, bound, shape: member } of shape.members) {
    if (!bound) continue;
    const value =
      bound.place === "payload"
        ? readPayload(member, name, reading)
        : readTexts(member, bound.name, { texts: textsAt(bound, query, reading), refusals });
    if (value !== undefined) input[name] = value;
    else if (required) throw refusals.missing(bound.name);
  }
  return input;
}

function textsAt(
  bound: { readonly place: string; readonly name: string },
  query: URLSearchParams,
  { labels, request, refusals }: Reading,
): readonly string[] {
  if (bound.place === "query") return query.getAll(bound.name);
  if (bound.place === "header") return request.headers[bound.name.toLowerCase()] ?? [];
  const label = labels[bound.name];
  return label === undefined ? [] : [unescaped(label, bound.name, refusals)];
}

function unescaped(label: string, name: string, { unreadable }: JsonRefusals): string {
  try {
    return decodeURIComponent(label);
  } catch {
    throw unreadable(`${name} is not URL-encoded`);
  }
}

interface Texts {
  readonly texts: readonly string[];
  readonly refusals: JsonRefusals;
}

function readTexts(shape: Shape, name: string, { texts, refusals }: Texts): unknown {
  const [first] = texts;
  if (first === undefined) return undefined;
  if (shape.kind !== "list" || !shape.item) return fromText(shape, first, { path: name, refusals });
  const { item } = shape;
  return texts.map((text) => fromText(item.shape, text, { path: name, refusals }));
}

/** Outside of the body there are only texts. */
function fromText(shape: Shape, text: string, spot: Parameters<typeof readValue>[2]): unknown {
  const isNumber = shape.kind === "number" && text.trim() !== "" && Number.isFinite(Number(text));
  if (isNumber) return Number(text);
  const isBoolean = shape.kind === "boolean" && /^(true|false)$/.test(text);
  return isBoolean ? text === "true" : readValue(shape, text, spot);
}

function readPayload(shape: Shape, path: string, { request, refusals }: Reading): unknown {
  const { body } = request;
  if (shape.kind === "blob") return body.length === 0 ? undefined : new Uint8Array(body);
  if (shape.kind === "string") return body.length === 0 ? undefined : body.toString();
  return body.length === 0 ? undefined : readValue(shape, parsed(body, refusals), { path, refusals });
}

// ---- writing ----------------------------------------------------------------------------------------------

function write(operation: Operation | undefined, output: object): Written {
  const values = output as Readonly<Record<string, unknown>>;
  const shape = operation?.output ?? NOTHING;
  const headers: Record<string, string> = {};
  let status = operation?.http?.[2] ?? 200;
  let payload: string | Uint8Array | undefined;
  for (const { name, bound, shape: member } of shape.members) {
    const value = values[name];
    if (value === undefined || value === null || !bound) continue;
    if (bound.place === "header") headers[bound.name.toLowerCase()] = String(value);
    if (bound.place === "status") status = Number(value);
    if (bound.place === "payload") payload = writePayload(member, value);
  }
  const hasPayload = shape.members.some(({ bound }) => bound?.place === "payload");
  const body = hasPayload ? (payload ?? "") : JSON.stringify(writeStructure(shape, output));
  return { status, headers, body: status === 204 ? "" : body };
}

function writePayload(shape: Shape, value: unknown): string | Uint8Array {
  if (value instanceof Uint8Array || typeof value === "string") return value;
  return JSON.stringify(writeValue(shape, value));
}

/**
 * The sentence stands in the member the error's shape has for it; errors that have no shape say `message`. The
 * shape knows the status too, where nobody chose another than 400.
 */
function writeError(known: ErrorShape | undefined, error: AwsError): Written {
  const { code, message } = error;
  const headers = { "x-amzn-errortype": code };
  const word = known?.shape.members.find(({ name }) => /^message$/i.test(name))?.name;
  const said = word ? { ...error.members, [word]: message } : error.members;
  const body = known ? writeStructure(known.shape, said) : {};
  const status = error.status === 400 && known ? known.status : error.status;
  return { status, headers, body: JSON.stringify(word ? body : { ...body, message }) };
}
