/**
 * What Lambda says about an invocation beside the function's own words: the lines around it in the log, and the
 * errors of a function that did not answer.
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
 */
import { constants } from "node:os";
import type { FunctionRow } from "../serviceRows.ts";
import type { FunctionError } from "./messages.ts";

export const startLine = (requestId: string) => `START RequestId: ${requestId} Version: $LATEST\n`;

export interface Spent {
  readonly ms: number;
  /** Of the first invocation in an environment. */
  readonly initMs?: number | undefined;
  readonly memoryMiB: number;
  /** Why the environment was given up. */
  readonly failed?: "timeout" | "error" | undefined;
}

/** The last two lines. */
export function endLines(requestId: string, { memoryMiB }: FunctionRow, spent: Spent): string {
  const fields = [
    `Duration: ${spent.ms.toFixed(2)} ms`,
    `Billed Duration: ${Math.ceil(spent.ms)} ms`,
    `Memory Size: ${memoryMiB} MB`,
    `Max Memory Used: ${spent.memoryMiB} MB`,
    ...(spent.initMs === undefined ? [] : [`Init Duration: ${spent.initMs.toFixed(2)} ms`]),
    ...(spent.failed === undefined ? [] : [`Status: ${spent.failed}`]),
  ];
  return `END RequestId: ${requestId}\nREPORT RequestId: ${requestId}\t${fields.join("\t")}\t\n`;
}

export function timedOut(requestId: string, { timeoutS }: FunctionRow): FunctionError {
  const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${timeoutS.toFixed(2)} seconds`;
  return { errorType: "Sandbox.Timedout", errorMessage };
}

/** How the process of an environment came to its end: an exit code, or a signal. */
export type ExitCode = number | NodeJS.Signals | null;

export function exited(requestId: string, code: ExitCode): FunctionError {
  const why = `Error: Runtime exited ${howExited(code)}`;
  return { errorType: "Runtime.ExitError", errorMessage: `RequestId: ${requestId} ${why}` };
}

/** As the runtime's own supervisor, a program in Go, calls them. */
const SIGNALS: Readonly<Record<string, string>> = {
  SIGABRT: "aborted",
  SIGHUP: "hangup",
  SIGINT: "interrupt",
  SIGKILL: "killed",
  SIGSEGV: "segmentation fault",
  SIGTERM: "terminated",
};

function howExited(code: ExitCode): string {
  const name = typeof code === "number" && code > 128 ? signalOf(code - 128) : code;
  if (name === 0) return "without providing a reason";
  if (typeof name === "number") return `with error: exit status ${name}`;
  return `with error: signal: ${SIGNALS[name ?? "SIGKILL"] ?? name}`;
}

/** A shell's exit code says the signal; the runtime's own codes are 128 and 129. */
function signalOf(number: number): string | number {
  const found = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return found !== undefined && Object.hasOwn(SIGNALS, found) && found !== "SIGHUP" ? found : number + 128;
}

/** What a synchronous answer may have, in bytes: 6 MB and what Lambda puts around it. */
const RESPONSE_LIMIT = 6_291_556;

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export function tooLarge(response: string): FunctionError | undefined {
  const size = Buffer.byteLength(response);
  if (size <= RESPONSE_LIMIT) return undefined;
  return {
    errorType: "Function.ResponseSizeTooLarge",
    errorMessage: `Response payload size exceeded maximum allowed payload size (${RESPONSE_LIMIT} bytes).`,
  };
}
