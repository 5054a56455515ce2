/**
 * Tags of Lambda's functions after their creation.
 * https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html
 */
import type * as lambda from "@aws-sdk/client-lambda";
import { LAMBDA_TAG_REFUSALS, malformed } from "./lambdaErrors.ts";
import { theFunction } from "./lambdaNames.ts";
import type { FunctionRow } from "./serviceRows.ts";
import { mapFromTags, tagged, untagged } from "./tagMaps.ts";
import type { Call, Handlers } from "./world.ts";

/** Tags are a function's: by its whole ARN, and not a version's. */
function theTagged(call: Call, arn = ""): FunctionRow {
  if (!/^arn:aws[a-zA-Z-]*:lambda:[^:]+:\d{12}:function:[a-zA-Z0-9-_]+$/.test(arn))
    throw malformed(arn, "resource", "Member must be the ARN of a function");
  return theFunction(call, arn);
}

export const lambdaTagHandlers = {
  TagResource(call, input) {
    const row = theTagged(call, input.Resource);
    call.tables.functions.put(tagged(row, input.Tags, LAMBDA_TAG_REFUSALS));
    return undefined;
  },

  UntagResource(call, input) {
    const row = theTagged(call, input.Resource);
    call.tables.functions.put(untagged(row, input.TagKeys));
    return undefined;
  },

  ListTags(call, input) {
    return { Tags: mapFromTags(theTagged(call, input.Resource).tags) };
  },
} satisfies Handlers<typeof lambda>;
