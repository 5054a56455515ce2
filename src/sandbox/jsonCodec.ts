/**
 * AWS's JSON 1.1 protocol, server side: driven by the schemas the SDK exports, as the query protocols are. The
 * action is named by a header. Parameters the operation does not have are ignored, as AWS does; what has another
 * type than the schema is refused.
 *
 *   X-Amz-Target: ServiceQuotasV20190624.GetServiceQuota      {"Quota": {...}}      {"__type": "...", "Message": "..."}
 *
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
import type { Protocol } from "./codec.ts";
import { AwsError } from "./errors.ts";
import { type JsonRefusals, parsed, readStructure, writeStructure } from "./jsonValues.ts";
import { NOTHING, type Operation, operationsOf } from "./schemas.ts";

/** `target` is what stands before the dot in the header: `ServiceQuotasV20190624`. */
export function awsJson(sdk: object, target: string): Protocol {
  const operations = operationsOf(sdk, { key: (name, traits) => traits.jsonName ?? name, flat: false });
  return {
    contentType: "application/x-amz-json-1.1",
    has: (action) => operations.has(action),
    ask({ headers, body }) {
      const [before, action = ""] = headers["x-amz-target"]?.[0]?.split(".", 2) ?? [];
      const known = before === target ? action : "";
      return { action: known, has: () => false, input: () => readInput(operations.get(known), body) };
    },
    unknown: (action) =>
      new AwsError("UnknownOperationException", action && `There is no operation ${action} here.`),
    write(action, _requestId, output) {
      const shape = operations.get(action)?.output;
      return { body: JSON.stringify(shape ? writeStructure(shape, output ?? {}) : {}) };
    },
    error: (_requestId, { code, message }) => ({ body: JSON.stringify({ __type: code, Message: message }) }),
  };
}

const REFUSALS: JsonRefusals = {
  missing(path) {
    const name = path.charAt(0).toLowerCase() + path.slice(1);
    return new AwsError(
      "ValidationException",
      `1 validation error detected: Value at '${name}' failed to satisfy constraint: Member must not be null`,
    );
  },
  unreadable: (message) => new AwsError("SerializationException", message),
};

function readInput(operation: Operation | undefined, body: Buffer): object {
  const shape = operation?.input ?? NOTHING;
  return readStructure(shape, body.length === 0 ? {} : parsed(body, REFUSALS), {
    path: "",
    refusals: REFUSALS,
  });
}
