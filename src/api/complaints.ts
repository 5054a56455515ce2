/**
 * What is wrong with an input, for the person who wrote it: where, what, and what would be right. All of it at
 * once. Refuses fields that nobody knows; where an object is kept as given (a dataset's configuration), only
 * those that look like a slip for a known one.
 */
import { z } from "zod";
import { type FieldProblem, RequestFailure } from "./errors.ts";
import { nearest } from "./nearest.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface Checked {
  readonly fields: Fields;
  readonly problems: readonly FieldProblem[];
}

/** Checks one part of the request. With problems, `fields` is empty. */
export function checked(schema: z.ZodObject, value: unknown): Checked {
  const keepsOthers = schema.def.catchall instanceof z.ZodUnknown;
  const strict = keepsOthers ? schema : schema.strict();
  const result = strict.safeParse(value, { reportInput: true });
  const problems = [
    ...(result.success ? [] : result.error.issues.flatMap((issue) => problemsOf(issue, schema))),
    ...slips(schema, value, []),
    ...oddNumbers(schema, value),
  ];
  return { fields: result.success && problems.length === 0 ? result.data : {}, problems };
}

export function refuse(problems: readonly FieldProblem[]): RequestFailure {
  const texts = problems.map(({ message }) => message);
  const [only] = texts;
  const message =
    texts.length === 1 && only !== undefined
      ? only
      : `${texts.length} things are wrong:\n${texts.map((text) => `- ${text}`).join("\n")}`;
  return new RequestFailure("invalid", message, { problems });
}

function problemsOf(issue: z.core.$ZodIssue, schema: z.ZodObject): FieldProblem[] {
  const field = pathText(issue.path);
  // What could not be coerced to a number is told by `oddNumbers`, with the words that were given.
  if (Number.isNaN(issue.input)) return [];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) =>
      unknownField(pathText([...issue.path, key]), key, fieldsAt(schema, issue.path)),
    );
  return [{ field, message: complaint(issue, field, descriptionAt(schema, issue.path)) }];
}

/** The fields that are known where an unknown one stands. */
function fieldsAt(schema: z.ZodObject, path: readonly PropertyKey[]): string[] {
  const at = path.reduce<unknown>((inside, part) => {
    const object = bare(inside);
    return object instanceof z.ZodObject ? object.shape[String(part)] : undefined;
  }, schema);
  const object = bare(at);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function complaint(issue: z.core.$ZodIssue, field: string, description: string | undefined): string {
  const name = field === "" ? "The body" : field;
  const about = description === undefined ? "" : ` (${description})`;
  const options = issue.code === "invalid_value" ? oneOf(issue.values) : "";
  if (issue.input === undefined) return `${name} is missing${options ? `: ${options}` : about}`;
  const given = `${name} ${shown(issue.input)}`;
  switch (issue.code) {
    case "invalid_value":
      return `${given} is not allowed: ${options}${meant(issue.input, issue.values.map(String))}`;
    case "invalid_type":
      return field === ""
        ? `${name} must be a JSON object`
        : `${name} must be ${article(issue.expected)}${about}`;
    case "too_small":
      return `${given} is too small: at least ${issue.minimum}`;
    case "too_big":
      return `${given} is too large: at most ${issue.maximum}`;
    case "custom":
      return `${name}: ${issue.message}`;
    default:
      return `${given} is not right: it ${issue.message}`;
  }
}

/** Of the words for yes and no that are understood, two are enough to be told. */
function oneOf(values: readonly unknown[]): string {
  return values.includes("true") ? "true or false" : `one of ${values.map(String).join(", ")}`;
}

function meant(input: unknown, values: readonly string[]): string {
  const near = typeof input === "string" ? nearest(input, values) : null;
  return near === null || values.includes("true") ? "" : `; did you mean ${near}?`;
}

function article(expected: string): string {
  if (expected === "int") return "a whole number";
  if (expected === "record") return "an object";
  return /^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`;
}

function shown(input: unknown): string {
  const text = JSON.stringify(input) ?? String(input);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? String(part) : `${text}.${String(part)}`;
  }, "");
}

function unknownField(field: string, key: string, known: readonly string[]): FieldProblem {
  const near = nearest(key, known);
  const list = known.length === 0 ? "nothing is expected here" : `known are ${known.join(", ")}`;
  return {
    field,
    message: `${field} is not known: ${list}${near === null ? "" : `; did you mean ${near}?`}`,
  };
}

/** Fields of a kept-as-given object that are nearly a known one: `vpcSzie` would otherwise mean `small`. */
function slips(schema: z.ZodObject, value: unknown, path: readonly string[]): FieldProblem[] {
  if (!isFields(value)) return [];
  const known = Object.keys(schema.shape);
  const here = schema.def.catchall instanceof z.ZodUnknown ? Object.keys(value) : [];
  const found = here.flatMap((key) => {
    if (known.includes(key) || nearest(key, known) === null) return [];
    return [unknownField(pathText([...path, key]), key, known)];
  });
  const below = Object.entries(schema.shape).flatMap(([key, inner]) => {
    const object = bare(inner);
    return object instanceof z.ZodObject ? slips(object, value[key], [...path, key]) : [];
  });
  return [...found, ...below];
}

/** `null`, `true` and `""` would be coerced to 0 and 1: only numbers and digits count as numbers. */
function oddNumbers(schema: z.ZodObject, value: unknown): FieldProblem[] {
  if (!isFields(value)) return [];
  return Object.entries(schema.shape).flatMap(([field, inner]) => {
    const given = value[field];
    if (given === undefined || !(bare(inner) instanceof z.ZodNumber)) return [];
    if (typeof given === "number" || (typeof given === "string" && /^-?\d+(\.\d+)?$/.test(given))) return [];
    return [{ field, message: `${field} must be a whole number, not ${shown(given)}` }];
  });
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bare(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return bare(schema.unwrap());
  return schema;
}

function descriptionAt(schema: z.ZodObject, path: readonly PropertyKey[]): string | undefined {
  let at: unknown = schema;
  let description: string | undefined;
  for (const part of path) {
    const object = bare(at);
    if (!(object instanceof z.ZodObject)) return description;
    at = object.shape[String(part)];
    description = at instanceof z.ZodType ? at.description : undefined;
  }
  return description;
}
