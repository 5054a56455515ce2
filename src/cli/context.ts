/**
 * What the command line gets from outside: arguments, environment, streams, clock and signal, all in one value.
 * Promises that nothing in this room reads `process` by itself, so a test is a call with strings in and out.
 */
import type { LocalCommand, LocalGroup } from "./commands.ts";

/** A place to write text to; process.stdout fits. */
export interface OutputStream {
  /** True on a terminal: tables, colours and the progress line are for people. */
  readonly isTTY?: boolean;
  /** Width of the terminal, characters. */
  readonly columns?: number;
  write(text: string): unknown;
}

/** Where `--configFile -` reads from; process.stdin fits. */
export interface InputStream extends AsyncIterable<Uint8Array | string> {
  readonly isTTY?: boolean;
}

export interface CliClock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after `ms` milliseconds; at once, without an error, when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface CliContext {
  /** The arguments after the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The user's home directory. */
  readonly home: string;
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly clock: CliClock;
  /** Commands without an API operation, from the rooms they belong to. */
  readonly groups: readonly (LocalGroup | LocalCommand)[];
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Thrown when Ctrl-C ends a command; the message says what goes on without us. */
export class Interrupted extends Error {
  constructor(notice: string) {
    super(notice);
    this.name = "Interrupted";
  }
}

/** Colours: only on a terminal, and not when NO_COLOR is set. https://no-color.org/ */
export function coloured(stream: OutputStream, env: CliContext["env"]): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}
