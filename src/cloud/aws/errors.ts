/**
 * What went wrong between us and AWS. One table turns AWS's codes into the house's `Failure`; nothing is ever
 * decided by the text of a message. Codes are compared in lower case, because AWS spells them in several ways.
 * What AWS wrote about permissions goes to the log alone: it names accounts and roles.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */
import { Failure, type FailureCode } from "../../domain/failure.ts";
import { CallError, detailOf, notes } from "./callError.ts";
import { quotaLink, quotaOf } from "./quotas.ts";

/** https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-dns.html */
const DNS_OFF = "invalidvpcpeeringconnectionstate.dnshostnamesdisabled";
const DNS_OFF_HINT = "The customer must switch on DNS hostnames and DNS support of the VPC that peers.";

/** Lambda says so, among other things, of a role that it may not take on, or that may not make interfaces. */
const BAD_FUNCTION_PARAMETER = "invalidparametervalueexception";
const FUNCTION_ROLE_HINT =
  "Its execution role must trust lambda.amazonaws.com, and needs ec2:CreateNetworkInterface, ec2:DescribeNetworkInterfaces, ec2:DescribeSubnets and " +
  "ec2:DeleteNetworkInterface: attach AWSLambdaVPCAccessExecutionRole to it.";

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
      "forbiddenexception",
      "unauthorizedexception",
      "ec2accessdeniedexception",
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
      DNS_OFF,
      "invalidvpcstate",
      "vpcpeeringconnectionalreadyexists",
      "concurrenttagaccess",
      "conflictexception",
      "resourceconflictexception",
      "preconditionfailedexception",
      "resourcenotreadyexception",
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
      "badrequestexception",
      "validationexception",
      BAD_FUNCTION_PARAMETER,
      "invalidsubnetidexception",
      "invalidsecuritygroupidexception",
    ],
  ],
  [
    "exhausted",
    [
      "insufficientfreeaddressesinsubnet",
      "subnetipaddresslimitreachedexception",
      "enilimitreachedexception",
      "codestorageexceededexception",
    ],
  ],
  ["unavailable", ["expiredtoken", "expiredtokenexception", "insufficientaddresscapacity"]],
  ["notFound", ["natgatewaynotfound", "notfoundexception", "resourcenotfoundexception"]],
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
  // The limiter's own word, when it was closed.
  if (thrown.cause instanceof Failure) return thrown.cause;
  if (thrown.trouble !== "refused") return unanswered(thrown);
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
  const { region } = error.place;
  return new Failure("exhausted", `The AWS quota "${quota.name}" (${quota.code}) is used up in ${region}`, {
    hint: `It is ${quota.counts}. Ask AWS for more: ${quotaLink(quota, region)}`,
    ...notes(error),
  });
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
      return new Failure(kind, `AWS cannot do ${action} in the present state: ${error.message}`, {
        ...(error.code === DNS_OFF && { hint: DNS_OFF_HINT }),
        ...notes(error),
      });
    case "internal":
      return new Failure(kind, `AWS answered ${action} in a way we do not know`, {
        hint: "Report it with the request id; the log has AWS's answer.",
        ...notes(error),
      });
    default:
      return new Failure(kind, `AWS refused ${action}: ${error.message}`, {
        ...(error.code === BAD_FUNCTION_PARAMETER && { hint: FUNCTION_ROLE_HINT }),
        ...notes(error),
      });
  }
}
