/**
 * One call that failed, before anybody has said what that means for a step: AWS's code, and how sure it is
 * that nothing was done. Codes are kept in lower case, because AWS spells them in several ways.
 */
import { Failure } from "../../domain/failure.ts";

/**
 * `unsent`: never left us. `throttled`: left, and surely not done. `refused`: AWS said no. `unanswered`: done
 * or not, nobody knows.
 */
export type Trouble = "unsent" | "throttled" | "refused" | "unanswered";

/** Where a call was going. */
export interface CallPlace {
  /** AWS's name with its service, such as `ec2:CreateVpc`. */
  readonly action: string;
  readonly region: string;
  /** Where the calls go, for the operator to read. */
  readonly endpoint: string;
}

/** One call that failed, before anybody has said what that means. */
export class CallError extends Error {
  /** AWS's code in lower case; empty when AWS did not answer. */
  readonly code: string;
  readonly trouble: Trouble;
  readonly place: CallPlace;
  readonly detail: string;

  /** `sent` is false for what came before the call itself, such as finding credentials for it. */
  constructor(thrown: unknown, place: CallPlace, { sent = true } = {}) {
    super(textOf(thrown), { cause: thrown });
    this.name = "CallError";
    this.place = place;
    this.code = codeOf(thrown);
    const trouble = troubleOf(thrown, this.code);
    this.trouble = trouble === "unanswered" && !sent ? "unsent" : trouble;
    this.detail = `${place.action} in ${place.region}: ${detailOf(thrown)}`;
  }
}

/** A refusal that AWS wrote into the body of an answer that succeeded. */
export function refusedWithin(refusal: {
  readonly code: string;
  readonly message: string;
  readonly action: string;
  readonly region: string;
}): CallError {
  const { code, message, action, region } = refusal;
  return new CallError({ name: code, message, $fault: "client" }, { action, region, endpoint: "" });
}

/** True when AWS refused the call with one of these codes (in lower case). */
export function refusedWith(thrown: unknown, codes: ReadonlySet<string>): thrown is CallError {
  return thrown instanceof CallError && codes.has(thrown.code);
}

const THROTTLES = new Set([
  "requestlimitexceeded",
  "throttling",
  "throttlingexception",
  "throttledexception",
  "requestthrottled",
  "requestthrottledexception",
  "toomanyrequestsexception",
  "ec2throttledexception",
  "slowdown",
  "bandwidthlimitexceeded",
  "priorrequestnotcomplete",
]);

/** Codes of a server that could not finish; the change may have been made. */
const UNFINISHED = new Set([
  "internalerror",
  "internalfailure",
  "internalservererror",
  "serviceunavailable",
  "unavailable",
  "requesttimeout",
  "requesttimeoutexception",
]);

/** What the SDK and Node call a conversation that broke off. */
const BROKEN_OFF = new Set([
  "TimeoutError",
  "AbortError",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ERR_STREAM_PREMATURE_CLOSE",
  "EPROTO",
]);

/** What Node calls a connection that never came about. */
const NEVER_BEGUN = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** What a Failure made of this error carries for the log. */
export function notes(error: CallError): { readonly detail: string; readonly cause: unknown } {
  return { detail: error.detail, cause: error };
}

interface Thrown {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
  readonly $fault?: unknown;
}

function fields(thrown: unknown): Thrown {
  return typeof thrown === "object" && thrown !== null ? thrown : {};
}

/** Only what AWS answered has a code; a broken conversation has none. */
function codeOf(thrown: unknown): string {
  const { name, $fault } = fields(thrown);
  const answered =
    $fault !== undefined || name === "CredentialsProviderError" || name === "TokenProviderError";
  return answered && typeof name === "string" ? name.toLowerCase() : "";
}

function statusOf(thrown: unknown): number | undefined {
  const { $metadata, $response } = fields(thrown);
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}

/** How long the answer asks us to be silent, milliseconds: in seconds, or as a date. 0 when it does not say. */
export function retryAfterMs({ cause }: CallError, now: number): number {
  const text = fields(cause).$response?.headers?.["retry-after"] ?? "";
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

function troubleOf(thrown: unknown, code: string): Trouble {
  if (THROTTLES.has(code)) return "throttled";
  if (UNFINISHED.has(code) || (statusOf(thrown) ?? 0) >= 500) return "unanswered";
  if (thrown instanceof Failure) return "unsent";
  const { name, code: system } = fields(thrown);
  if (NEVER_BEGUN.has(String(system))) return "unsent";
  const broken = BROKEN_OFF.has(String(name)) || BROKEN_OFF.has(String(system));
  // An answer that cannot be read is no refusal either.
  return broken || (!code && statusOf(thrown) !== undefined) ? "unanswered" : "refused";
}

function textOf(thrown: unknown): string {
  const { message } = fields(thrown);
  return typeof message === "string" && message ? message : String(thrown);
}

export function detailOf(thrown: unknown): string {
  const { name, code, $metadata } = fields(thrown);
  const known = [name, code, statusOf(thrown), $metadata?.requestId].filter((part) => part !== undefined);
  const ours = statusOf(thrown) === undefined && thrown instanceof Error ? (thrown.stack ?? "") : "";
  return `${known.join(" ")}: ${textOf(thrown)}${ours && `\n${ours}`}`;
}
