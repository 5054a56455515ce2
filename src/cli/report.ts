/**
 * Tells the user what went wrong: message, hint, request id, and with --debug the stack and causes; or, when JSON
 * was asked for, the same as one JSON object. Promises that the exit code comes from the failure's code alone.
 */
import { asFailure, Failure, kindOf } from "../domain/failure.ts";
import { type CliContext, coloured, Interrupted } from "./context.ts";
import { bold, json } from "./render.ts";

/** As a shell counts a command that SIGINT ended: 128 + 2. */
const INTERRUPTED_EXIT = 130;

/** Writes to standard error; returns the exit code. */
export function report(thrown: unknown, context: CliContext): number {
  if (thrown instanceof Interrupted || (context.signal.aborted && !(thrown instanceof Failure))) {
    context.stderr.write(`${thrown instanceof Interrupted ? thrown.message : "Interrupted."}\n`);
    return INTERRUPTED_EXIT;
  }
  const failure = asFailure(thrown);
  const debug = has(context.argv, "debug");
  context.stderr.write(jsonAskedFor(context.argv) ? asJson(failure, debug) : asText(failure, context, debug));
  return kindOf(failure.code).exit;
}

function asText(failure: Failure, context: CliContext, debug: boolean): string {
  const label = (text: string) => (coloured(context.stderr, context.env) ? bold(text) : text);
  const requestId = requestIdOf(failure);
  const lines = [`${label("Error:")} ${failure.message}`];
  const hint =
    failure.code === "internal" && !debug ? "Run it again with --debug to see more." : failure.hint;
  if (hint) lines.push(`${label("Hint:")} ${hint}`);
  if (requestId) lines.push(`${label("Request id:")} ${requestId}`);
  if (debug) lines.push("", ...stacks(failure));
  return `${lines.join("\n")}\n`;
}

function asJson(failure: Failure, debug: boolean): string {
  const { http, title } = kindOf(failure.code);
  return json(
    {
      title,
      status: http,
      code: failure.code,
      message: failure.message,
      hint: failure.hint ?? null,
      requestId: requestIdOf(failure),
      ...(debug && { stack: stacks(failure) }),
    },
    false,
  );
}

/** Only what the server answered has one. */
function requestIdOf(failure: Failure): string | null {
  return "requestId" in failure && typeof failure.requestId === "string" ? failure.requestId : null;
}

function stacks(failure: Failure): string[] {
  const lines: string[] = [];
  if (failure.detail) lines.push(`Detail: ${failure.detail}`);
  for (let error: unknown = failure; error instanceof Error; error = error.cause)
    lines.push(`${error === failure ? "" : "Caused by: "}${error.stack ?? error.message}`);
  return lines;
}

function jsonAskedFor(argv: readonly string[]): boolean {
  const output = argv.indexOf("--output");
  return (
    argv.includes("--output=json") ||
    (output >= 0 && argv[output + 1] === "json") ||
    has(argv, "prettyPrint") ||
    has(argv, "pretty-print")
  );
}

function has(argv: readonly string[], flag: string): boolean {
  return argv.includes(`--${flag}`) || argv.includes(`--${flag}=true`);
}
