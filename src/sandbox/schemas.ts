/**
 * The schemas the SDK ships for its own serialiser, in the words of the codec. All knowledge of how the SDK
 * lays them out (tuples, traits, references) is in this file; the round trip of every operation in the tests
 * stands guard over upgrades of the SDK. Refuses, loudly, kinds of schema it does not know.
 */
import { NormalizedSchema } from "@smithy/core/schema";

export type Kind =
  | "structure"
  | "list"
  | "map"
  | "string"
  | "boolean"
  | "number"
  | "bigInteger"
  | "timestamp"
  | "blob";

/** How a timestamp is written where that is not the protocol's own way. */
export type TimestampFormat = "dateTime" | "httpDate" | "epochSeconds";

/** Where a member stands in an HTTP message, when not in its body. */
interface Binding {
  readonly place: "label" | "query" | "header" | "payload" | "status";
  /** Of the label, the query's parameter or the header; the member's own otherwise. */
  readonly name: string;
}

interface Member {
  readonly name: string;
  /** Its key in the request. */
  readonly key: string;
  /** Its element in the answer. */
  readonly element: string;
  readonly required: boolean;
  readonly bound: Binding | undefined;
  readonly shape: Shape;
}

/** A schema of the SDK in the words of the codec. Members are worked out when first used: shapes recur. */
export interface Shape {
  readonly kind: Kind;
  readonly members: readonly Member[];
  /** Of a list; of a map, whose keys are strings. */
  readonly item: { readonly shape: Shape; readonly element: string; readonly flat: boolean } | undefined;
  readonly timestamps: TimestampFormat | undefined;
}

/** The shape of an operation without input. */
export const NOTHING: Shape = { kind: "structure", members: [], item: undefined, timestamps: undefined };

export interface Operation {
  /** undefined = the operation takes, or answers, nothing. */
  readonly input: Shape | undefined;
  readonly output: Shape | undefined;
  /** Of REST protocols: `GET`, `/v1/clusters/{ClusterArn}`, 200. */
  readonly http: readonly [method: string, uri: string, status: number] | undefined;
}

export interface ErrorShape {
  readonly shape: Shape;
  readonly status: number;
}

export interface Traits {
  readonly ec2QueryName?: string;
  readonly xmlName?: string;
  readonly jsonName?: string;
  readonly xmlFlattened?: number;
  readonly httpLabel?: number;
  readonly httpQuery?: string;
  readonly httpHeader?: string;
  readonly httpPayload?: number;
  readonly httpResponseCode?: number;
  readonly streaming?: number;
  /** Parts of HTTP that none of the services here uses, so the codecs do not know them. */
  readonly httpQueryParams?: number;
  readonly httpPrefixHeaders?: string;
}

export interface Naming {
  key(name: string, traits: Traits): string;
  /** Whether all lists are written without a level of their own (`Filter.1`, not `Filter.member.1`). */
  readonly flat: boolean;
}

/** `[9, namespace, name, traits, input, output]`, exported as `CreateVpc$`. */
type OperationSchema = readonly [9, string, string, { http?: Operation["http"] } | 0, SchemaRef, SchemaRef];
type SchemaRef = Parameters<typeof NormalizedSchema.of>[0];

/** The operations a client module exports, by wire name. */
export function operationsOf(sdk: object, naming: Naming): Map<string, Operation> {
  const shapes = new Map<unknown, Shape>();
  const side = (ref: SchemaRef) => {
    const schema = NormalizedSchema.of(ref);
    return schema.isUnitSchema() ? undefined : shapeOf(schema, { naming, shapes });
  };
  const all = Object.values(sdk).filter(isOperation);
  return new Map(
    all.map(([, , name, traits, input, output]) => [
      name,
      {
        http: traits === 0 ? undefined : traits.http,
        get input() {
          return side(input);
        },
        get output() {
          return side(output);
        },
      },
    ]),
  );
}

/** `[-3, namespace, name, traits, names, schemas]`, exported as `NotFoundException$`. */
type ErrorSchema = readonly [-3, string, string, { httpError?: number }, ...unknown[]];

/** The errors a client module exports, by code. */
export function errorsOf(sdk: object, naming: Naming): Map<string, ErrorShape> {
  const shapes = new Map<unknown, Shape>();
  const all = Object.values(sdk).filter((one): one is ErrorSchema => Array.isArray(one) && one[0] === -3);
  return new Map(
    all.map((raw) => {
      const shape = shapeOf(NormalizedSchema.of(raw as unknown as SchemaRef), { naming, shapes });
      return [raw[2], { shape, status: raw[3].httpError ?? 400 }];
    }),
  );
}

function isOperation(exported: unknown): exported is OperationSchema {
  return Array.isArray(exported) && exported[0] === 9;
}

interface Reading {
  readonly naming: Naming;
  readonly shapes: Map<unknown, Shape>;
}

function shapeOf(schema: NormalizedSchema, reading: Reading): Shape {
  const raw = schema.getSchema();
  // Only tuples have an identity: simple schemas are shared numbers, and traits may differ from use to use.
  const known = Array.isArray(raw) ? reading.shapes.get(raw) : undefined;
  if (known) return known;
  let members: readonly Member[] | undefined;
  let item: Shape["item"];
  const kind = kindOf(schema);
  const shape: Shape = {
    kind,
    get members() {
      members ??= kind === "structure" ? membersOf(schema, reading) : [];
      return members;
    },
    get item() {
      if (kind === "list" || kind === "map") item ??= itemOf(schema, reading);
      return item;
    },
    timestamps: kind === "timestamp" ? FORMATS[Number(raw)] : undefined,
  };
  if (Array.isArray(raw) && kind === "structure") reading.shapes.set(raw, shape);
  return shape;
}

const FORMATS: Readonly<Record<number, TimestampFormat>> = {
  5: "dateTime",
  6: "httpDate",
  7: "epochSeconds",
};

function kindOf(schema: NormalizedSchema): Kind {
  if (schema.isStructSchema()) return "structure";
  if (schema.isListSchema()) return "list";
  if (schema.isMapSchema()) return "map";
  if (schema.isStringSchema()) return "string";
  if (schema.isBooleanSchema()) return "boolean";
  if (schema.isNumericSchema()) return "number";
  if (schema.isTimestampSchema()) return "timestamp";
  if (schema.isBlobSchema()) return "blob";
  if (schema.isBigIntegerSchema()) return "bigInteger";
  throw new Error(`the SDK's schema ${schema.getName(true)} is of a kind this codec does not know`);
}

/** `[3, namespace, name, traits, names, schemas, required?]`: the required members come first. */
function membersOf(schema: NormalizedSchema, reading: Reading): Member[] {
  const required = Number((schema.getSchema() as readonly unknown[])[6] ?? 0);
  return [...schema.structIterator()].map(([name, member], index) => {
    const traits = member.getMergedTraits() as Traits;
    return {
      name,
      key: reading.naming.key(name, traits),
      element: traits.xmlName ?? name,
      required: index < required,
      bound: bindingOf(name, member),
      shape: shapeOf(member, reading),
    };
  });
}

function bindingOf(name: string, member: NormalizedSchema): Binding | undefined {
  const traits = member.getMergedTraits() as Traits;
  const isEventStream = traits.streaming !== undefined && member.isStructSchema();
  if (traits.httpQueryParams || traits.httpPrefixHeaders || isEventStream)
    throw new Error(`the SDK's member ${name} stands where this codec does not look`);
  if (traits.httpLabel) return { place: "label", name };
  if (traits.httpQuery) return { place: "query", name: traits.httpQuery };
  if (traits.httpHeader) return { place: "header", name: traits.httpHeader };
  if (traits.httpPayload) return { place: "payload", name };
  return traits.httpResponseCode ? { place: "status", name } : undefined;
}

function itemOf(schema: NormalizedSchema, reading: Reading): Shape["item"] {
  const value = schema.getValueSchema();
  const element = (value.getMergedTraits() as Traits).xmlName ?? "member";
  const flattened = (schema.getMergedTraits() as Traits).xmlFlattened !== undefined;
  return { shape: shapeOf(value, reading), element, flat: reading.naming.flat || flattened };
}
