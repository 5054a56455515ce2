/**
 * The command list as a stricli application: routes, flags, help. Promises that every usage mistake is collected as
 * a `Failure` instead of being printed by the library, and that stricli stays behind this file.
 */
import {
  type Application,
  type ApplicationText,
  ArgumentScannerError,
  buildApplication,
  buildCommand,
  buildRouteMap,
  type Command,
  type CommandContext,
  formatMessageForArgumentScannerError,
  help,
  type RouteMap,
  text_en,
  version,
} from "@stricli/core";
import { Failure } from "../domain/failure.ts";
import type { CommandData, CommandOption, GroupText, OptionValues } from "./commands.ts";
import { camel } from "./spelling.ts";

export interface ParserPlan {
  readonly commands: readonly CommandData[];
  readonly groups: ReadonlyMap<string, GroupText>;
  /** Runs the command that was parsed. */
  readonly run: (command: CommandData, values: OptionValues) => Promise<void>;
  /** Receives usage mistakes and whatever a command throws. */
  readonly caught: (thrown: unknown) => void;
  readonly version: () => Promise<string>;
}

export function parserOf(plan: ParserPlan): Application<CommandContext> {
  return buildApplication(
    routes([], plan),
    {
      name: "letsdata",
      scanner: {
        caseStyle: "allow-kebab-for-camel",
        allowArgumentEscapeSequence: false,
        // Beyond a few strokes a guess is noise.
        distanceOptions: {
          threshold: 4,
          weights: { insertion: 1, deletion: 2, substitution: 2, transposition: 0 },
        },
      },
      localization: { text: textsOf(plan.caught) },
    },
    {
      help: help({
        brief: "Print this help",
        defaultForRouteMap: true,
        formatting: { caseStyle: "original", useAliasInUsageLine: false, onlyRequiredInUsageLine: true },
      }),
      version: version({
        brief: "Print the version",
        info: { getCurrentVersion: plan.version },
      }),
    },
  );
}

type Target = RouteMap<CommandContext> | Command<CommandContext>;

/** A map without a prototype, because a user may type `constructor`. */
function named<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const map: Record<string, T> = Object.create(null);
  for (const [name, value] of entries) map[name] = value;
  return map;
}

function routes(prefix: readonly string[], plan: ParserPlan): RouteMap<CommandContext> {
  const below = plan.commands.filter((command) =>
    prefix.every((word, index) => command.path[index] === word),
  );
  const names = [...new Set(below.map((command) => command.path[prefix.length] ?? ""))];
  const entries = names.map((name): [string, Target] => {
    const path = [...prefix, name];
    const command = below.find((one) => one.path.join(" ") === path.join(" "));
    return [name, command ? commandOf(command, plan) : routes(path, plan)];
  });
  const { brief, description } = plan.groups.get(prefix.join(" ")) ?? {
    brief: names.join(", "),
    description: "",
  };
  return buildRouteMap({
    routes: named(entries),
    docs: { brief, fullDescription: withExamples(description, groupExamples(prefix, below)) },
  });
}

/** The first example of each command shows what the group is for. */
function groupExamples(prefix: readonly string[], below: readonly CommandData[]): CommandData["examples"] {
  return prefix.length === 0 ? [] : below.flatMap((command) => command.examples.slice(0, 1));
}

function withExamples(description: string, examples: CommandData["examples"]): string {
  if (examples.length === 0) return wrapped(description);
  const lines = examples.map(({ what, command }) => `${what ? `  # ${what}\n` : ""}  ${command}`);
  return `${wrapped(description)}\n\nEXAMPLES\n${lines.join("\n\n")}`;
}

const HELP_WIDTH = 100;

/** Breaks long lines at spaces; those that are short enough, and indented ones, which are to be copied, stay. */
function wrapped(description: string): string {
  return description.split("\n").map(wrappedLine).join("\n");
}

function wrappedLine(line: string): string {
  if (line.length <= HELP_WIDTH || line.startsWith("  ")) return line;
  const cut = line.lastIndexOf(" ", HELP_WIDTH);
  return cut <= 0 ? line : `${line.slice(0, cut)}\n${wrappedLine(line.slice(cut + 1))}`;
}

/** `HOST --configFile FILE [options] -- COMMAND...`: what must be given, and that there is more. */
export function usageOf(command: CommandData): string {
  const words = command.words.map(({ placeholder, values, optional }) => {
    const word = values?.join("|") ?? placeholder;
    return optional ? `[${word}]` : word;
  });
  const required = command.options.filter((option) => option.required);
  const flags = required.map(
    ({ name, placeholder, values }) => `--${name} ${placeholder ?? values?.join("|")}`,
  );
  const rest = command.rest ? ["--", command.rest.placeholder] : [];
  return [...words, ...flags, "[options]", ...rest].join(" ");
}

function positionalsOf({ words }: CommandData): object {
  const parameters = words.map(({ brief, placeholder, optional = false }) => ({
    brief,
    placeholder,
    optional,
    parse: text,
  }));
  return parameters.length > 0 ? { positional: { kind: "tuple", parameters } } : {};
}

/** The words by their names. Throws `invalid` for one that is not among the choices. */
function wordsOf({ words }: CommandData, given: readonly (string | undefined)[]): OptionValues {
  return named(
    words.flatMap(({ name, placeholder, values }, index): [string, string][] => {
      const word = given[index];
      if (word === undefined) return [];
      if (values && !values.includes(word))
        throw new Failure("invalid", `${placeholder} is "${word}", but takes ${values.join(", ")}`);
      return [[name, word]];
    }),
  );
}

function commandOf(command: CommandData, plan: ParserPlan): Command<CommandContext> {
  const flags = named(
    [...command.options, ...command.globals].map((option) => [option.name, flagOf(option)]),
  );
  const func = async (values: OptionValues, ...words: (string | undefined)[]) =>
    plan.run(command, { ...tidied(values, command), ...wordsOf(command, words) });
  return buildCommand<OptionValues>({
    // The flags are made from data, which the library's types, made for literals, cannot follow.
    parameters: { flags, ...positionalsOf(command) } as never,
    docs: {
      brief: command.brief,
      fullDescription: withExamples(command.description, command.examples),
      customUsage: [usageOf(command)],
    },
    func: func as never,
  });
}

function flagOf(option: CommandOption): object {
  const optional = option.required !== true;
  const brief = option.default === undefined ? option.brief : `${option.brief} (default: ${option.default})`;
  const common = { brief, optional, ...(option.placeholder && { placeholder: option.placeholder }) };
  if (option.kind === "boolean") return { ...common, optional: true, kind: "boolean", withNegated: false };
  if (option.values) return { ...common, kind: "enum", values: option.values };
  const parsed = { ...common, kind: "parsed", parse: option.kind === "number" ? number : text };
  return option.kind === "list" ? { ...parsed, variadic: "," } : parsed;
}

const text = (input: string) => input;

function number(input: string): number {
  const value = Number(input);
  if (input.trim() === "" || !Number.isFinite(value)) throw new SyntaxError("a number is expected");
  return value;
}

/** Without what was not given; an empty list word empties the list. Local commands get their defaults. */
function tidied(values: OptionValues, command: CommandData): OptionValues {
  const tidy: Record<string, OptionValues[string]> = {};
  for (const { name, default: fallback } of command.options)
    if (command.act.kind === "local" && fallback !== undefined) tidy[name] = fallback;
  for (const [name, value] of Object.entries(values))
    if (Array.isArray(value)) tidy[name] = value.map((item) => item.trim()).filter((item) => item !== "");
    else if (value !== undefined) tidy[name] = value;
  return tidy;
}

function textsOf(caught: (thrown: unknown) => void): ApplicationText {
  const silent = (thrown: unknown) => {
    caught(thrown);
    return "";
  };
  return {
    ...text_en,
    noCommandRegisteredForInput({ input, corrections }) {
      const meant = corrections.map((name) => `\`${camel(name.replaceAll("`", ""))}\``).join(" or ");
      return silent(
        new Failure(
          "invalid",
          `There is no command \`${camel(input)}\`${meant ? `; did you mean ${meant}?` : ""}`,
        ),
      );
    },
    exceptionWhileParsingArguments: (thrown) =>
      silent(thrown instanceof ArgumentScannerError ? new Failure("invalid", misused(thrown)) : thrown),
    exceptionWhileLoadingCommandFunction: silent,
    exceptionWhileLoadingCommandContext: silent,
    exceptionWhileRunningCommand: silent,
    exceptionWhileRunningIntegrationFlag: ({ exception }) => silent(exception),
    exceptionWhileRunningIntegrationHook: ({ exception }) => silent(exception),
  };
}

/** The library's mistakes in our words, with the flag as the documents spell it. */
function misused(error: ArgumentScannerError): string {
  const flag = (name: string) => `--${camel(name)}`;
  return formatMessageForArgumentScannerError(error, {
    FlagNotFoundError: ({ input, corrections }) => {
      const meant = corrections.map(flag).join(" or ");
      return `There is no flag --${input}${meant ? `; did you mean ${meant}?` : ""}`;
    },
    AliasNotFoundError: ({ input }) => `There is no flag -${input}`,
    UnsatisfiedFlagError: ({ externalFlagName, nextFlagName }) =>
      nextFlagName ? `${flag(externalFlagName)} needs a value` : `${flag(externalFlagName)} is missing`,
    EnumValidationError: ({ externalFlagName, input, values }) =>
      `${flag(externalFlagName)} is "${input}", but takes ${values.join(", ")}`,
    ArgumentParseError: ({ externalFlagNameOrPlaceholder, input, exception }) =>
      `${flag(externalFlagNameOrPlaceholder)} is "${input}": ${exception instanceof Error ? exception.message : exception}`,
    UnsatisfiedPositionalError: ({ placeholder }) => `${placeholder} is missing`,
    UnexpectedFlagError: ({ externalFlagName, input }) =>
      `${flag(externalFlagName)} is given twice: the second is "${input}"`,
    UnexpectedPositionalError: ({ input }) => `"${input}" belongs to no flag`,
    InvalidNegatedFlagSyntaxError: ({ externalFlagName }) => `${flag(externalFlagName)} takes no value`,
  });
}
