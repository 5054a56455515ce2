/**
 * What a command is, as data: its words, texts, examples and options. Local commands, which have no API operation,
 * are handed in by the rooms they belong to in this shape. Promises nothing about how a command runs.
 */
import type { Operation, OperationId } from "../contract/operations.ts";

export interface CommandExample {
  readonly what: string;
  readonly command: string;
}

export interface CommandOption {
  /** camelCase; the kebab-case spelling is accepted too. */
  readonly name: string;
  /** `list`: a comma list, and repeatable. */
  readonly kind: "string" | "number" | "boolean" | "list";
  readonly brief: string;
  readonly default?: string | number | boolean | readonly string[];
  readonly required?: boolean;
  readonly placeholder?: string;
  /** The only values it takes. */
  readonly values?: readonly string[];
}

/** A word that is no flag, such as the host in `sandbox exec HOST`. It is handed over under its name. */
export interface CommandWord {
  readonly name: string;
  readonly brief: string;
  readonly placeholder: string;
  /** Only the last ones may be left out. */
  readonly optional?: boolean;
  /** The only values it takes. */
  readonly values?: readonly string[];
}

/** What stands behind `--`, untouched: another program's own words. Handed over as a list under its name. */
export interface CommandRest {
  readonly name: string;
  readonly brief: string;
  readonly placeholder: string;
}

export type OptionValues = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

/** What a local command gets besides its options. */
export interface LocalRoom {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly signal: AbortSignal;
}

/** A command without an API operation, such as `serve`. */
export interface LocalCommand<Room = LocalRoom> {
  readonly path: readonly string[];
  readonly brief: string;
  readonly description: string;
  readonly examples: readonly CommandExample[];
  readonly options: readonly CommandOption[];
  readonly words?: readonly CommandWord[];
  readonly rest?: CommandRest;
  /** Resolves to the exit code; nothing means 0. */
  run(options: OptionValues, room: Room): Promise<number | undefined> | Promise<void>;
}

/** Commands under a common first word. */
export interface LocalGroup<Room = LocalRoom> {
  readonly path: readonly string[];
  readonly brief: string;
  readonly description: string;
  readonly commands: readonly LocalCommand<Room>[];
}

export interface GroupText {
  readonly brief: string;
  readonly description: string;
}

export interface CommandData {
  readonly path: readonly string[];
  readonly brief: string;
  readonly description: string;
  readonly examples: readonly CommandExample[];
  /** Options of the command alone. */
  readonly options: readonly CommandOption[];
  readonly words: readonly CommandWord[];
  readonly rest: CommandRest | undefined;
  /** Options that every command of its sort has. */
  readonly globals: readonly CommandOption[];
  readonly act:
    | { readonly kind: "api"; readonly id: OperationId; readonly operation: Operation }
    | { readonly kind: "local"; readonly command: LocalCommand<never> };
}
