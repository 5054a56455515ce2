/**
 * How MSK words what it refuses: a sentence, and the parameter by its name on the wire where one is to blame.
 * https://docs.aws.amazon.com/msk/1.0/apireference/CommonErrors.html
 */
import { AwsError, type ServiceErrors } from "./errors.ts";
import type { JsonRefusals } from "./jsonValues.ts";
import type { TagRefusals } from "./tags.ts";

/** `parameter` as on the wire: `instanceType`. */
export function badRequest(message: string, parameter?: string): AwsError {
  const members: Record<string, string> = parameter ? { InvalidParameter: parameter } : {};
  return new AwsError("BadRequestException", message, { members });
}

export function conflict(message: string, parameter: string): AwsError {
  return new AwsError("ConflictException", message, {
    status: 409,
    members: { InvalidParameter: parameter },
  });
}

export function notFound(what: string, arn: string | undefined): AwsError {
  return new AwsError("NotFoundException", `The ${what} ${arn} does not exist.`, 404);
}

export const KAFKA_REFUSALS: JsonRefusals = {
  missing: (path) => badRequest(`The parameter ${path} must not be null.`, path),
  unreadable: (message) => badRequest(`The request cannot be read: ${message}.`),
};

export const KAFKA_TAG_REFUSALS: TagRefusals = {
  invalid: (message) => badRequest(message, "tags"),
  tooMany: (message) => badRequest(message, "tags"),
};

export const KAFKA_ERRORS: ServiceErrors = {
  throttled: () => new AwsError("TooManyRequestsException", "Too Many Requests", 429),
  failed: () => new AwsError("InternalServerErrorException", "There was an unexpected internal error.", 500),
  missing: (input) => {
    const arn = Object.values(input).find((one) => String(one).startsWith("arn:aws:kafka:"));
    return arn === undefined ? undefined : notFound("resource", String(arn));
  },
};
