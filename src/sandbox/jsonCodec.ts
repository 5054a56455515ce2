/**
 * AWS's JSON 1.1 protocol, server side: driven by the schemas the SDK exports, as the query protocols are. The
 * action is named by a header. Parameters the operation does not have are ignored, as AWS does; what has another
 * type than the schema is refused.
 *
 *   X-Amz-Target: ServiceQuotasV20190624.GetServiceQuota      {"Quota": {...}}      {"__type": "...", "Message": "..."}
 *
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
import type { Protocol } from "./codec.ts";
import { AwsError } from "./errors.ts";
import { type Operation, operationsOf, type Shape } from "./schemas.ts";

/** `target` is what stands before the dot in the header: `ServiceQuotasV20190624`. */
export function awsJson(sdk: object, target: string): Protocol {
  const operations = operationsOf(sdk, { key: (name, traits) => traits.jsonName ?? name, flat: false });
  return {
    contentType: "application/x-amz-json-1.1",
    has: (action) => operations.has(action),
    ask({ headers, body }) {
      const [before, action = ""] = headers["x-amz-target"]?.[0]?.split(".", 2) ?? [];
      const known = before === target ? action : "";
      return { action: known, has: () => false, input: () => readInput(operations.get(known), body) };
    },
    unknown: (action) =>
      new AwsError("UnknownOperationException", action && `There is no operation ${action} here.`),
    write(action, _requestId, output) {
      const shape = operations.get(action)?.output;
      return JSON.stringify(shape ? write(shape, output ?? {}) : {});
    },
    error: (_requestId, { code, message }) => JSON.stringify({ __type: code, Message: message }),
  };
}

// ---- reading ----------------------------------------------------------------------------------------------

function readInput(operation: Operation | undefined, body: Buffer): object {
  const shape: Shape = operation?.input ?? { kind: "structure", members: [], item: undefined };
  return readStructure(shape, body.length === 0 ? {} : parsed(body), "");
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw unreadable("The body is not JSON");
  }
}

function unreadable(message: string): AwsError {
  return new AwsError("SerializationException", message);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function read(shape: Shape, value: unknown, path: string): unknown {
  switch (shape.kind) {
    case "structure":
      return readStructure(shape, value, path);
    case "list":
      return readList(shape, value, path);
    case "map":
      return readMap(shape, value, path);
    default:
      return readSimple(shape, value, path);
  }
}

function readStructure(shape: Shape, value: unknown, path: string): Record<string, unknown> {
  if (!isObject(value)) throw unreadable(`${path || "The body"} is no structure`);
  const result: Record<string, unknown> = {};
  for (const { name, key, required, shape: member } of shape.members) {
    const given = Object.hasOwn(value, key) ? value[key] : undefined;
    if (given !== undefined && given !== null) result[name] = read(member, given, path + key);
    else if (required) throw missing(path + key);
  }
  return result;
}

function missing(path: string): AwsError {
  const name = path.charAt(0).toLowerCase() + path.slice(1);
  return new AwsError(
    "ValidationException",
    `1 validation error detected: Value at '${name}' failed to satisfy constraint: Member must not be null`,
  );
}

function readList({ item }: Shape, value: unknown, path: string): unknown[] {
  if (!Array.isArray(value) || !item) throw unreadable(`${path} is no list`);
  return value.map((one) => read(item.shape, one, `${path}.`));
}

function readMap({ item }: Shape, value: unknown, path: string): Record<string, unknown> {
  if (!isObject(value) || !item) throw unreadable(`${path} is no map`);
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, read(item.shape, one, `${path}.`)]),
  );
}

/** Numbers that JSON has no word for are texts: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
const WORDS: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity: 1 / 0, "-Infinity": -1 / 0 };

function readSimple({ kind }: Shape, value: unknown, path: string): unknown {
  if (kind === "string" && typeof value === "string") return value;
  if (kind === "boolean" && typeof value === "boolean") return value;
  if (kind === "number" && typeof value === "number") return value;
  if (kind === "number" && typeof value === "string" && Object.hasOwn(WORDS, value)) return WORDS[value];
  if (kind === "timestamp" && typeof value === "number") return new Date(value * 1000);
  if (kind === "blob" && typeof value === "string") return new Uint8Array(Buffer.from(value, "base64"));
  throw unreadable(`${path} is no ${kind}`);
}

// ---- writing ----------------------------------------------------------------------------------------------

/** Members the schema does not have are dropped, undefined ones left out. */
function write(shape: Shape, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  const { kind, item } = shape;
  if (kind === "structure") {
    const values = value as Readonly<Record<string, unknown>>;
    return Object.fromEntries(shape.members.map((one) => [one.key, write(one.shape, values[one.name])]));
  }
  if (kind === "list" && item) return (value as readonly unknown[]).map((one) => write(item.shape, one));
  if (kind === "map" && item) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, one]) => [key, write(item.shape, one)]));
  }
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
