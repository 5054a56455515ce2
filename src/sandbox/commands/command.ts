/**
 * What a command of the group `sandbox` is, as data: what it is called, takes and does. Whoever composes the
 * program adapts it to its command line, and hands in the clock, the streams and where sandboxes are found.
 */
import type { Clock } from "../world.ts";

/** What a command is run with. */
export interface CommandContext {
  readonly clock: Clock;
  /** Where a command writes what it is asked for, line by line. */
  readonly print: (line: string) => void;
  /** Where it writes what went wrong. */
  readonly log: (line: string) => void;
  /** Whether people read what is printed. */
  readonly isTerminal: boolean;
  /** Rows under their heads, as one text for people. */
  readonly table: (head: readonly string[], rows: readonly (readonly string[])[]) => Promise<string>;
  /** Aborted when the program is to stop. */
  readonly signal: AbortSignal;
  /** For what is run inside of hosts. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The URL of the sandbox: the one given, or the one that is found from here. Throws when there is none. */
  readonly sandboxUrl: (given: string | undefined) => string;
  /** From now on the program's signals are passed to `take` instead of ending it; returns the way back. */
  readonly takeSignals: (take: (name: NodeJS.Signals) => void) => () => void;
}

export interface CommandOption {
  readonly name: string;
  readonly brief: string;
  readonly kind: "number" | "text";
  /** Of a text option that has only these values. */
  readonly values?: readonly string[];
  readonly default?: string | number;
  readonly repeated?: boolean;
  /** Stands for the value in usage lines. */
  readonly placeholder: string;
}

/** A word that is no option; handed over under its name. */
export interface CommandWord {
  readonly name: string;
  readonly brief: string;
  readonly placeholder: string;
  readonly optional?: boolean;
  readonly values?: readonly string[];
}

/** What stands behind `--`, handed over as a list under its name. */
export interface CommandRest {
  readonly name: string;
  readonly brief: string;
  readonly placeholder: string;
}

export interface CommandExample {
  readonly what: string;
  readonly command: string;
}

export interface SandboxCommand<Options> {
  readonly name: string;
  readonly brief: string;
  readonly description: string;
  readonly examples: readonly CommandExample[];
  readonly options: readonly CommandOption[];
  readonly words?: readonly CommandWord[];
  readonly rest?: CommandRest;
  /** `options`: options, words and rest by name. Resolves to the exit code; nothing means 0. Rejects with a CommandError that says what is wrong. */
  run(context: CommandContext, options: Options): Promise<number | undefined> | Promise<void>;
}

export const SANDBOX_URL: CommandOption = {
  name: "sandboxUrl",
  brief:
    "Where the sandbox is; without it, the one that `letsdata serve` runs for this folder (LETSDATA_DATA_DIR)",
  kind: "text",
  placeholder: "url",
};

export const OUTPUT: CommandOption = {
  name: "output",
  brief: "How to print (default: table on a terminal, json in a pipe)",
  kind: "text",
  values: ["table", "json"],
  placeholder: "format",
};

/** Whether JSON is to be printed. */
export function isJson({ isTerminal }: CommandContext, output: string | undefined): boolean {
  return output === undefined ? !isTerminal : output === "json";
}
