/**
 * Invoking a function: for its answer, for the sake of it, or to see whether one could. Promises to look at
 * everything that can be wrong before the function is run, and to word what came of it as Lambda does. Refuses what
 * Lambda has and the sandbox has not: tenants, durable executions.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
import type * as lambda from "@aws-sdk/client-lambda";
import { Uint8ArrayBlobAdapter } from "@smithy/core/serde";
import type { Invocation } from "./functionRuns.ts";
import { parsed } from "./jsonValues.ts";
import {
  cannotRun,
  conflict,
  invalid,
  LAMBDA_ERRORS,
  LAMBDA_REFUSALS,
  malformed,
  payloadTooLarge,
} from "./lambdaErrors.ts";
import { theFunction } from "./lambdaNames.ts";
import { functionState } from "./lambdaStates.ts";
import type { FunctionRow } from "./serviceRows.ts";
import { type Call, type Handlers, Later } from "./world.ts";

/** In bytes. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const PAYLOAD_LIMIT = 6 * 1024 * 1024;
const EVENT_LIMIT = 1024 * 1024;
const CLIENT_CONTEXT_LIMIT = 3_583;

const TYPES = ["Event", "RequestResponse", "DryRun"] as const;
type InvocationType = (typeof TYPES)[number];

function oneOf<T extends string>(parameter: string, values: readonly T[], asked: string): T {
  const found = values.find((value) => value === asked);
  if (found !== undefined) return found;
  throw malformed(asked, parameter, `Member must satisfy enum value set: [${values.join(", ")}]`);
}

/** The event, as JSON; nothing is an empty one. */
function payloadOf({ Payload = "" }: lambda.InvokeCommandInput, type: InvocationType): string {
  const bytes = Buffer.from(Payload as Uint8Array);
  if (type === "Event" && bytes.length > EVENT_LIMIT)
    throw payloadTooLarge(
      `${bytes.length} byte payload is too large for the Event invocation type (limit ${EVENT_LIMIT} bytes)`,
    );
  if (bytes.length > PAYLOAD_LIMIT)
    throw payloadTooLarge(
      `Request must be smaller than ${PAYLOAD_LIMIT} bytes for the InvokeFunction operation`,
    );
  if (bytes.length === 0) return "{}";
  parsed(bytes, LAMBDA_REFUSALS);
  return bytes.toString();
}

/** As JSON; undefined when none was given. */
function clientContextOf({ ClientContext: text }: lambda.InvokeCommandInput): string | undefined {
  if (text === undefined) return undefined;
  if (text.length > CLIENT_CONTEXT_LIMIT)
    throw LAMBDA_REFUSALS.unreadable(`ClientContext is longer than ${CLIENT_CONTEXT_LIMIT} bytes`);
  const json = Buffer.from(text, "base64");
  parsed(json, {
    ...LAMBDA_REFUSALS,
    unreadable: () => LAMBDA_REFUSALS.unreadable("ClientContext is no JSON in base 64"),
  });
  return json.toString();
}

/** Why a function failed to be set up, as Lambda tells who invokes it. */
const FAILURES: Readonly<Record<string, readonly [code: string, message: string]>> = {
  EniLimitExceeded: [
    "ENILimitReachedException",
    "Lambda couldn't create an elastic network interface in the VPC, specified as part of Lambda function configuration, because the limit for network interfaces has been reached.",
  ],
  SubnetOutOfIPAddresses: [
    "SubnetIPAddressLimitReachedException",
    "Lambda couldn't set up VPC access for the Lambda function because one or more configured subnets has no available IP addresses.",
  ],
  InvalidSubnet: [
    "InvalidSubnetIDException",
    "The subnet ID provided in the Lambda function VPC configuration is not valid.",
  ],
  InvalidSecurityGroup: [
    "InvalidSecurityGroupIDException",
    "The security group ID provided in the Lambda function VPC configuration is not valid.",
  ],
  InsufficientRolePermissions: [
    "EC2AccessDeniedException",
    "Need additional permissions to configure VPC settings.",
  ],
  EC2RequestLimitExceeded: [
    "EC2ThrottledException",
    "Amazon EC2 throttled Lambda during Lambda function initialization using the execution role provided for the function.",
  ],
};

function checkRunnable(row: FunctionRow, now: number): void {
  const state = functionState(row, now);
  if (state === "Active") return;
  const [code, message] = FAILURES[row.failure?.code ?? ""] ?? [];
  if (state === "Failed" && code !== undefined && message !== undefined) throw cannotRun(code, message);
  throw conflict(
    `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
  );
}

/** The name it was invoked by, and the version when that was named too. */
function invokedArn(row: FunctionRow, { FunctionName = "", Qualifier }: lambda.InvokeCommandInput): string {
  const isQualified = Qualifier !== undefined || FunctionName.endsWith(":$LATEST");
  return isQualified ? `${row.id}:$LATEST` : row.id;
}

function checkUnsupported(input: lambda.InvokeCommandInput): void {
  for (const name of ["TenantId", "DurableExecutionName"] as const)
    if (input[name] !== undefined) throw invalid(`${name} is not part of this sandbox.`);
}

function answered(call: Call, row: FunctionRow, asked: Invocation & { readonly isTail: boolean }) {
  const { isTail, ...invocation } = asked;
  return new Later<Omit<lambda.InvokeCommandOutput, "$metadata">>(async () => {
    if (!call.functions) throw LAMBDA_ERRORS.failed();
    const { payload, isFailure, log } = await call.functions.invoke(row, invocation);
    return {
      StatusCode: 200,
      ExecutedVersion: "$LATEST",
      Payload: Uint8ArrayBlobAdapter.fromString(payload),
      ...(isFailure ? { FunctionError: "Unhandled" } : {}),
      ...(isTail ? { LogResult: log } : {}),
    };
  });
}

export const lambdaInvokeHandlers = {
  Invoke(call, input) {
    const type = oneOf("invocationType", TYPES, input.InvocationType ?? "RequestResponse");
    const isTail = oneOf("logType", ["None", "Tail"], input.LogType ?? "None") === "Tail";
    checkUnsupported(input);
    const row = theFunction(call, input.FunctionName, input.Qualifier);
    const clientContext = clientContextOf(input);
    const invocation = {
      requestId: call.requestId,
      functionArn: invokedArn(row, input),
      payload: payloadOf(input, type),
      ...(clientContext === undefined ? {} : { clientContext }),
    };
    checkRunnable(row, call.now);
    if (type === "DryRun") return { StatusCode: 204 };
    if (type === "RequestResponse") return answered(call, row, { ...invocation, isTail });
    if (!call.functions) throw LAMBDA_ERRORS.failed();
    call.functions.enqueue(row, invocation);
    return { StatusCode: 202, Payload: Uint8ArrayBlobAdapter.fromString("") };
  },
} satisfies Handlers<typeof lambda>;
