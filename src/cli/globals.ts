/**
 * The options that every command has: how it prints, where the API is, who asks, and what all waits and lists
 * have in common. One table, because help, the parser and the documents must show the same.
 */
import type { Operation, Wait } from "../contract/operations.ts";
import type { CommandOption } from "./commands.ts";

export const DEBUG: CommandOption = {
  name: "debug",
  kind: "boolean",
  brief: "With an error, show its stack and what is known about its cause",
};

const COMMON: readonly CommandOption[] = [
  {
    name: "output",
    kind: "string",
    values: ["table", "json"],
    brief: "How to print (default: table on a terminal, json in a pipe)",
  },
  { name: "prettyPrint", kind: "boolean", brief: "Print indented JSON" },
  { name: "url", kind: "string", placeholder: "URL", brief: "Where the API is (or LETSDATA_URL)" },
  {
    name: "apiKey",
    kind: "string",
    placeholder: "KEY",
    brief: "The key to ask with (or LETSDATA_API_KEY)",
  },
  {
    name: "profile",
    kind: "string",
    placeholder: "NAME",
    brief: "The profile with URL and key (or LETSDATA_PROFILE); see `letsdata profiles`",
  },
  DEBUG,
];

/** Options that may also stand before the command's words. */
export const HOISTED: ReadonlyMap<string, CommandOption> = new Map(
  [
    ...COMMON,
    { name: "tenantName", kind: "string", brief: "The tenant to act for" } satisfies CommandOption,
  ].map((option) => [option.name, option]),
);

const ALL: CommandOption = {
  name: "all",
  kind: "boolean",
  brief: "Follow nextCursor to the end and print everything as one page",
};

const IDEMPOTENCY_KEY: CommandOption = {
  name: "idempotencyKey",
  kind: "string",
  placeholder: "KEY",
  brief: "Makes a repeat safe: with the same key it is done once (default: a new key)",
};

function waiting({ defaultTimeoutSeconds: seconds, always }: Wait): CommandOption[] {
  const wait: CommandOption = {
    name: "wait",
    kind: "boolean",
    brief: "Stay until it is done; exit code 5 when it fails",
  };
  return [
    ...(always ? [] : [wait]),
    {
      name: "timeout",
      kind: "string",
      placeholder: "TIME",
      brief: `How long to wait, such as 90s or 10m (default: ${inMinutes(seconds)}); exit code 7 when it is over`,
    },
  ];
}

function inMinutes(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

export function pages(operation: Operation): boolean {
  return "cursor" in operation.query.shape;
}

/** What the command line adds to the operation's own fields. */
export function addedOptions(operation: Operation): CommandOption[] {
  const { wait } = operation.command;
  return [
    ...(pages(operation) ? [ALL] : []),
    ...(wait ? waiting(wait) : []),
    ...(operation.idempotent ? [IDEMPOTENCY_KEY] : []),
  ];
}

export function globalsOf(operation: Operation): CommandOption[] {
  const tenant: CommandOption = {
    name: "tenantName",
    kind: "string",
    placeholder: "NAME",
    brief: "The tenant to act for, with an operator's key (default: `default`)",
  };
  return operation.tenantScoped && "tenantName" in operation.query.shape ? [tenant, ...COMMON] : [...COMMON];
}
