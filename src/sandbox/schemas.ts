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

interface Member {
  readonly name: string;
  /** Its key in the request. */
  readonly key: string;
  /** Its element in the answer. */
  readonly element: string;
  readonly required: boolean;
  readonly shape: Shape;
}

/** A schema of the SDK in the words of the codec. Members are worked out when first used: shapes recur. */
export interface Shape {
  readonly kind: Kind;
  readonly members: readonly Member[];
  /** Of a list; of a map, whose keys are strings. */
  readonly item: { readonly shape: Shape; readonly element: string; readonly flat: boolean } | undefined;
}

export interface Operation {
  /** undefined = the operation takes, or answers, nothing. */
  readonly input: Shape | undefined;
  readonly output: Shape | undefined;
}

export interface Traits {
  readonly ec2QueryName?: string;
  readonly xmlName?: string;
  readonly jsonName?: string;
  readonly xmlFlattened?: number;
}

export interface Naming {
  key(name: string, traits: Traits): string;
  /** Whether all lists are written without a level of their own (`Filter.1`, not `Filter.member.1`). */
  readonly flat: boolean;
}

/** `[9, namespace, name, traits, input, output]`, exported as `CreateVpc$`. */
type OperationSchema = readonly [9, string, string, unknown, SchemaRef, SchemaRef];
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
    all.map(([, , name, , input, output]) => [
      name,
      {
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
  };
  if (Array.isArray(raw) && kind === "structure") reading.shapes.set(raw, shape);
  return shape;
}

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
      shape: shapeOf(member, reading),
    };
  });
}

function itemOf(schema: NormalizedSchema, reading: Reading): Shape["item"] {
  const value = schema.getValueSchema();
  const element = (value.getMergedTraits() as Traits).xmlName ?? "member";
  const flattened = (schema.getMergedTraits() as Traits).xmlFlattened !== undefined;
  return { shape: shapeOf(value, reading), element, flat: reading.naming.flat || flattened };
}
