/**
 * How AWS Lambda words what it refuses.
 * https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html
 */
import { AwsError, type ServiceErrors } from "./errors.ts";
import type { JsonRefusals } from "./jsonValues.ts";
import type { TagRefusals } from "./tags.ts";

/** Its errors say whose fault they are. */
const USER = { Type: "User" };

/** What is well-formed and cannot be all the same. */
export function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", message, { members: USER });
}

/** What the model of the API does not allow: `Value 'x' at 'role' failed to satisfy constraint: …`. */
export function malformed(value: unknown, parameter: string, constraint: string): AwsError {
  const shown = value === undefined ? "null" : `'${value}'`;
  return new AwsError(
    "ValidationException",
    `1 validation error detected: Value ${shown} at '${parameter}' failed to satisfy constraint: ${constraint}`,
  );
}

export function conflict(message: string): AwsError {
  return new AwsError("ResourceConflictException", message, { status: 409, members: USER });
}

export function notFound(message: string): AwsError {
  return new AwsError("ResourceNotFoundException", message, { status: 404, members: USER });
}

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html */
export function tooManyAtOnce(): AwsError {
  return new AwsError("TooManyRequestsException", "Rate Exceeded.", {
    status: 429,
    members: { ...USER, Reason: "ConcurrentInvocationLimitExceeded" },
  });
}

export function payloadTooLarge(message: string): AwsError {
  return new AwsError("RequestEntityTooLargeException", message, 413);
}

/** Lambda cannot run the function, and it is not the caller's fault. */
export function cannotRun(code: string, message: string): AwsError {
  return new AwsError(code, message, { status: 502, members: { Type: "Service" } });
}

export const LAMBDA_REFUSALS: JsonRefusals = {
  missing: (path) =>
    malformed(undefined, path.charAt(0).toLowerCase() + path.slice(1), "Member must not be null"),
  unreadable: (message) =>
    new AwsError("InvalidRequestContentException", `Could not parse request body into json: ${message}`, {
      members: USER,
    }),
};

export const LAMBDA_TAG_REFUSALS: TagRefusals = { invalid, tooMany: invalid };

export const LAMBDA_ERRORS: ServiceErrors = {
  throttled: () =>
    new AwsError("TooManyRequestsException", "Rate exceeded", {
      status: 429,
      members: { ...USER, Reason: "CallerRateLimitExceeded" },
    }),
  failed: () =>
    new AwsError("ServiceException", "An error occurred and the request cannot be processed.", {
      status: 500,
      members: { Type: "Service" },
    }),
  missing: (input) => {
    const { FunctionName, Resource } = input as { FunctionName?: string; Resource?: string };
    const name = FunctionName ?? Resource;
    return name === undefined ? undefined : notFound(`Function not found: ${name}`);
  },
};
