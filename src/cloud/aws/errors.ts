/**
 * What went wrong between us and AWS. One table turns AWS's codes into the house's `Failure`; nothing is ever
 * decided by the text of a message. Codes are compared in lower case, because AWS spells them in several ways.
 * What AWS wrote about permissions goes to the log alone: it names accounts and roles.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */
import { Failure, type FailureCode } from "../../domain/failure.ts";
import { quotaLink, quotaOf } from "./quotas.ts";

/** `throttled`: surely not done. `unanswered`: done or not, nobody knows. `refused`: AWS said no. */
export type Trouble = "throttled" | "unanswered" | "refused";

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

  constructor(thrown: unknown, place: CallPlace) {
    super(textOf(thrown), { cause: thrown });
    this.name = "CallError";
    this.place = place;
    this.code = codeOf(thrown);
    this.trouble = troubleOf(thrown, this.code);
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
  "ECONNREFUSED",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ERR_STREAM_PREMATURE_CLOSE",
  "EPROTO",
]);

const CODES: readonly (readonly [FailureCode, readonly string[]])[] = [
  [
    "forbidden",
    [
      "unauthorizedoperation",
      "accessdenied",
      "accessdeniedexception",
      "authfailure",
      "optinrequired",
      "pendingverification",
      "blocked",
      "notauthorized",
      "incompletesignature",
      "invalidclienttokenid",
      "signaturedoesnotmatch",
      "unrecognizedclientexception",
      "unrecognizedclient",
      "missingauthenticationtoken",
      "requestexpired",
      "regiondisabledexception",
      "credentialsprovidererror",
      "tokenprovidererror",
      "invalidaddress.locked",
    ],
  ],
  [
    "conflict",
    [
      "dependencyviolation",
      "incorrectstate",
      "invalidstatetransition",
      "invalidstate",
      "resource.alreadyassociated",
      "routealreadyexists",
      "networkaclentryalreadyexists",
      "invalidsubnet.conflict",
      "invalidgroup.duplicate",
      "invalidpermission.duplicate",
      "invalidgroup.inuse",
      "invalidgroup.reserved",
      "cannotdelete",
      "invalidnetworkinterface.inuse",
      "invalidipaddress.inuse",
      "gateway.notattached",
      "operationnotpermitted",
      "idempotentparametermismatch",
      "invalidvpcpeeringconnectionstate.dnshostnamesdisabled",
      "invalidvpcstate",
      "vpcpeeringconnectionalreadyexists",
      "concurrenttagaccess",
    ],
  ],
  [
    "invalid",
    [
      "invalidparametervalue",
      "invalidparameter",
      "invalidparametercombination",
      "missingparameter",
      "validationerror",
      "invalidvpc.range",
      "invalidvpcrange",
      "invalidsubnet.range",
      "invalidservicename",
      "invalidavailabilityzone",
      "notavailableinzone",
      "unsupported",
      "unsupportedoperation",
      "taglimitexceeded",
      "tagpolicyviolation",
      "invalidtagkey.malformed",
    ],
  ],
  ["exhausted", ["insufficientfreeaddressesinsubnet"]],
  ["unavailable", ["expiredtoken", "expiredtokenexception", "insufficientaddresscapacity"]],
  ["notFound", ["natgatewaynotfound"]],
];

const FAILURE_OF_CODE: ReadonlyMap<string, FailureCode> = new Map(
  CODES.flatMap(([failure, codes]) => codes.map((code) => [code, failure] as const)),
);

/** The Failure that an error means where nothing more is known than the table. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  if (!(thrown instanceof CallError))
    return new Failure("internal", "Something went wrong on our side", {
      detail: detailOf(thrown),
      cause: thrown,
    });
  if (thrown.trouble === "throttled") return throttled(thrown);
  if (thrown.trouble === "unanswered") return unanswered(thrown);
  const quota = quotaOf(thrown.code);
  if (quota) return overQuota(thrown);
  return worded(thrown, kindOfCode(thrown.code));
}

/** What the table says of a code; codes that name a missing thing end in `.notfound`. */
function kindOfCode(code: string): FailureCode {
  return FAILURE_OF_CODE.get(code) ?? (code.endsWith(".notfound") ? "notFound" : "internal");
}

function throttled(error: CallError): Failure {
  return new Failure("unavailable", `AWS asks for fewer calls of ${error.place.action}`, {
    hint: "Nothing to do: it is tried again, more slowly.",
    ...notes(error),
  });
}

function unanswered(error: CallError): Failure {
  const { action, endpoint } = error.place;
  const message = error.code
    ? `AWS could not finish ${action}`
    : `The cloud does not answer at ${endpoint} (${action})`;
  return new Failure("unavailable", message, {
    hint: "It is tried again. If it stays, check the network between this server and the cloud.",
    ...notes(error),
  });
}

function overQuota(error: CallError): Failure {
  const quota = quotaOf(error.code);
  if (!quota) return worded(error, "exhausted");
  return new Failure(
    "exhausted",
    `The AWS quota "${quota.name}" (${quota.code}) is used up in ${error.place.region}`,
    { hint: `It is ${quota.counts}. Ask AWS for more: ${quotaLink(quota)}`, ...notes(error) },
  );
}

function worded(error: CallError, kind: FailureCode): Failure {
  const { action } = error.place;
  switch (kind) {
    case "forbidden":
      return new Failure(kind, `AWS does not let us call ${action}`, {
        hint: `The operator must allow ${action} to the platform's role in ${error.place.region} and check the credentials and the clock of this server: docs/iam-policy.md.`,
        ...notes(error),
      });
    case "notFound":
      return new Failure(kind, `What ${action} names is not there: ${error.message}`, notes(error));
    case "conflict":
      return new Failure(
        kind,
        `AWS cannot do ${action} in the present state: ${error.message}`,
        notes(error),
      );
    case "internal":
      return new Failure(kind, `AWS answered ${action} in a way we do not know`, {
        hint: "Report it with the request id; the log has AWS's answer.",
        ...notes(error),
      });
    default:
      return new Failure(kind, `AWS refused ${action}: ${error.message}`, notes(error));
  }
}

/** What a Failure made of this error carries for the log. */
export function notes(error: CallError): { readonly detail: string; readonly cause: unknown } {
  return { detail: error.detail, cause: error };
}

interface Thrown {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly statusCode?: number };
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

function troubleOf(thrown: unknown, code: string): Trouble {
  if (THROTTLES.has(code)) return "throttled";
  if (UNFINISHED.has(code) || (statusOf(thrown) ?? 0) >= 500) return "unanswered";
  const { name, code: system } = fields(thrown);
  return BROKEN_OFF.has(String(name)) || BROKEN_OFF.has(String(system)) ? "unanswered" : "refused";
}

function textOf(thrown: unknown): string {
  const { message } = fields(thrown);
  return typeof message === "string" && message ? message : String(thrown);
}

function detailOf(thrown: unknown): string {
  const { name, code, $metadata } = fields(thrown);
  const known = [name, code, statusOf(thrown), $metadata?.requestId].filter((part) => part !== undefined);
  const ours = statusOf(thrown) === undefined && thrown instanceof Error ? (thrown.stack ?? "") : "";
  return `${known.join(" ")}: ${textOf(thrown)}${ours && `\n${ours}`}`;
}
