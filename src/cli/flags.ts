/**
 * From the contract's schemas to options, and from the options somebody gave back to the operation's input.
 * Promises that every field of a request has its flag, with the schema's own description, default and choices.
 * Checks no rule of the API: the server does, and says it better.
 */
import type { Operation } from "../contract/operations.ts";
import type { CommandOption, OptionValues } from "./commands.ts";
import { addedOptions, pages } from "./globals.ts";

type Schema = Operation["params"]["shape"][string];

/** The parts of a schema's definition that say what a flag looks like. */
interface Definition {
  readonly type: string;
  readonly innerType?: Schema;
  readonly in?: Schema;
  readonly out?: Schema;
  readonly entries?: Readonly<Record<string, string | number>>;
  readonly defaultValue?: unknown;
}

const definition = (schema: Schema): Definition => schema._zod.def as Definition;

/** Options of the command itself, those that must be given first. */
export function optionsOf(operation: Operation): CommandOption[] {
  const { bodyFile } = operation.command;
  const { fileFlags = {} } = operation.command;
  const own = fields(operation).map(([name, schema]) => {
    const flag = fileFlags[name];
    return flag === undefined ? optionOf(name, schema) : fileOption(flag, optionOf(name, schema));
  });
  const file: CommandOption[] = bodyFile
    ? [
        {
          name: bodyFile,
          kind: "string",
          placeholder: "FILE",
          required: true,
          brief: "The configuration: a JSON file, or - for standard input",
        },
      ]
    : [];
  const all = [...file, ...own, ...addedOptions(operation)];
  return [...all.filter((option) => option.required), ...all.filter((option) => !option.required)];
}

/** Path, body and query fields; the tenant is a global option, and a body file brings its own fields. */
function fields(operation: Operation): [string, Schema][] {
  const body = operation.command.bodyFile ? {} : (operation.body?.shape ?? {});
  const query = Object.entries(operation.query.shape).filter(
    ([name]) => !(operation.tenantScoped && name === "tenantName"),
  );
  return [...Object.entries(operation.params.shape), ...Object.entries(body), ...query];
}

function optionOf(name: string, schema: Schema): CommandOption {
  const { core, optional, fallback } = unwrapped(schema);
  const { entries } = definition(core);
  const values = entries ? Object.values(entries).map(String) : undefined;
  const kind = kindOf(core);
  return {
    name,
    kind,
    brief: described(schema) ?? name,
    ...(values && { values }),
    ...(!values && kind !== "boolean" && { placeholder: placeholder(name, kind) }),
    ...(!optional && { required: true }),
    ...(worthShowing(fallback) && { default: fallback }),
  };
}

/** The field's text is read from the file. */
function fileOption(flag: string, { brief, required }: CommandOption): CommandOption {
  return { name: flag, kind: "string", placeholder: "FILE", brief, ...(required && { required }) };
}

/** Without the wrappers that only say whether a value must be there. */
function unwrapped(schema: Schema): { core: Schema; optional: boolean; fallback: unknown } {
  let core = schema;
  let optional = false;
  let fallback: unknown;
  for (let step = definition(core); step.innerType; step = definition(core)) {
    if (step.type === "default" || step.type === "optional") optional = true;
    if (step.type === "default") fallback = step.defaultValue;
    core = step.innerType;
  }
  return { core, optional, fallback };
}

function kindOf(core: Schema): CommandOption["kind"] {
  const { type, in: input, out } = definition(core);
  if (type === "pipe" && out && definition(out).type === "boolean") return "boolean";
  if (type === "pipe" && input) {
    const before = definition(input).type === "transform" && out ? out : input;
    return kindOf(before);
  }
  if (type === "array") return "list";
  return type === "number" || type === "boolean" ? type : "string";
}

/** A wrapper made after `describe` does not carry the text: the nearest one inside counts. */
function described(schema: Schema): string | undefined {
  const text = (schema as { description?: string }).description;
  const { innerType } = definition(schema);
  return text ?? (innerType ? described(innerType) : undefined);
}

function worthShowing(fallback: unknown): fallback is string | number | boolean {
  return typeof fallback === "string" || typeof fallback === "number" || fallback === true;
}

function placeholder(name: string, kind: CommandOption["kind"]): string {
  if (kind === "number") return "N";
  if (/cidr|addressSpace/i.test(name)) return kind === "list" ? "CIDR,..." : "CIDR";
  if (kind === "list") return "VALUE,...";
  if (/ids?$/i.test(name)) return "ID";
  return /name$/i.test(name) ? "NAME" : "VALUE";
}

/** What the API gets: the given fields by name, the body file's fields under them. */
export function inputOf(
  operation: Operation,
  values: OptionValues,
  body: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const names = [...fields(operation).map(([name]) => name)];
  if (operation.tenantScoped) names.push("tenantName");
  const given = names.filter((name) => values[name] !== undefined).map((name) => [name, values[name]]);
  const input: Record<string, unknown> = { ...body, ...Object.fromEntries(given) };
  // Fewer round trips: who wants everything gets the largest pages, unless they said how large.
  if (pages(operation) && values.all === true && values.limit === undefined) input.limit = 1000;
  return input;
}
