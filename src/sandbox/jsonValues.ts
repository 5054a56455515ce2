/**
 * JSON to typed values and back, by the SDK's schemas: what AWS's JSON protocols share. Members the schema does
 * not have are ignored when read and dropped when written, undefined ones left out. Refuses what has another type
 * than the schema, in the words of the protocol that reads.
 *
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 * https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
 */
import type { AwsError } from "./errors.ts";
import type { Shape, TimestampFormat } from "./schemas.ts";

/** How a protocol words what it cannot read. */
export interface JsonRefusals {
  /** A required member is not there; `path` as on the wire. */
  missing(path: string): AwsError;
  unreadable(message: string): AwsError;
}

/** Where a value stands, and who refuses it. */
export interface Spot {
  readonly path: string;
  readonly refusals: JsonRefusals;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** The body as JSON. */
export function parsed(body: Buffer, { unreadable }: JsonRefusals): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw unreadable("The body is not JSON");
  }
}

export function readValue(shape: Shape, value: unknown, spot: Spot): unknown {
  switch (shape.kind) {
    case "structure":
      return readStructure(shape, value, spot);
    case "list":
      return readList(shape, value, spot);
    case "map":
      return readMap(shape, value, spot);
    default:
      return readSimple(shape, value, spot);
  }
}

/** The members that stand in the body; those bound to other places of a request are the protocol's. */
export function readStructure(
  shape: Shape,
  value: unknown,
  { path, refusals }: Spot,
): Record<string, unknown> {
  if (!isObject(value)) throw refusals.unreadable(`${path || "The body"} is no structure`);
  const result: Record<string, unknown> = {};
  for (const { name, key, required, bound, shape: member } of shape.members) {
    if (bound) continue;
    const given = Object.hasOwn(value, key) ? value[key] : undefined;
    const at = path === "" ? key : `${path}.${key}`;
    if (given !== undefined && given !== null)
      result[name] = readValue(member, given, { path: at, refusals });
    else if (required) throw refusals.missing(at);
  }
  return result;
}

function readList({ item }: Shape, value: unknown, spot: Spot): unknown[] {
  if (!Array.isArray(value) || !item) throw spot.refusals.unreadable(`${spot.path} is no list`);
  return value.map((one) => readValue(item.shape, one, spot));
}

function readMap({ item }: Shape, value: unknown, spot: Spot): Record<string, unknown> {
  if (!isObject(value) || !item) throw spot.refusals.unreadable(`${spot.path} is no map`);
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, readValue(item.shape, one, spot)]),
  );
}

/** Numbers that JSON has no word for are texts. */
const WORDS: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity: 1 / 0, "-Infinity": -1 / 0 };

function readSimple({ kind }: Shape, value: unknown, { path, refusals }: Spot): unknown {
  if (kind === "string" && typeof value === "string") return value;
  if (kind === "boolean" && typeof value === "boolean") return value;
  if (kind === "number" && typeof value === "number") return value;
  if (kind === "number" && typeof value === "string" && Object.hasOwn(WORDS, value)) return WORDS[value];
  if (kind === "timestamp") {
    const time = timestamp(value);
    if (time) return time;
  }
  if (kind === "blob" && typeof value === "string") return new Uint8Array(Buffer.from(value, "base64"));
  throw refusals.unreadable(`${path} is no ${kind}`);
}

/** Seconds since 1970, or a date in one of the forms that clients write. */
function timestamp(value: unknown): Date | undefined {
  if (typeof value === "number") return new Date(value * 1000);
  return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? new Date(value) : undefined;
}

export function writeValue(shape: Shape, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  const { kind, item } = shape;
  if (kind === "structure") return writeStructure(shape, value);
  if (kind === "list" && item) return (value as readonly unknown[]).map((one) => writeValue(item.shape, one));
  if (kind === "map" && item) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, one]) => [key, writeValue(item.shape, one)]));
  }
  if (value instanceof Date) return writeTime(value, shape.timestamps);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

/** The members that stand in the body. */
export function writeStructure(shape: Shape, value: object): object {
  const values = value as Readonly<Record<string, unknown>>;
  const inBody = shape.members.filter(({ bound }) => !bound);
  return Object.fromEntries(inBody.map((one) => [one.key, writeValue(one.shape, values[one.name])]));
}

function writeTime(time: Date, format: TimestampFormat | undefined): unknown {
  if (format === "dateTime") return time.toISOString();
  return format === "httpDate" ? time.toUTCString() : time.getTime() / 1000;
}
