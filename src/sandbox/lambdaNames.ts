/**
 * A function by the names AWS takes for it: its own, its ARN, or the ARN's end. Versions and aliases are not part
 * of this sandbox, so there is only `$LATEST`.
 * https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
 */
import { malformed, notFound } from "./lambdaErrors.ts";
import type { FunctionRow } from "./serviceRows.ts";
import type { Place } from "./state.ts";
import { isSeen } from "./visibility.ts";
import type { Call } from "./world.ts";

const PATTERN =
  "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";

const NAME =
  /^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:(?<region>[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(?<account>\d{12}):)?(?:function:)?(?<name>[a-zA-Z0-9-_]+)(?::(?<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?$/;

/** The longest name a function may have, and the longest text that names one. */
const MAX_NAME = 64;
const MAX_TEXT = 140;

export function functionArn({ account, region }: Place, name: string): string {
  return `arn:aws:lambda:${region}:${account}:function:${name}`;
}

/** What the text names: an ARN, and what of the function is meant. */
function parsed(call: Call, text: string): { arn: string; qualifier: string | undefined } {
  const {
    region = call.region,
    account = call.account,
    name = "",
    qualifier,
  } = NAME.exec(text)?.groups ?? {};
  if (name === "" || text.length > MAX_TEXT)
    throw malformed(text, "functionName", `Member must satisfy regular expression pattern: ${PATTERN}`);
  if (region !== call.region)
    throw notFound(`Functions from '${region}' are not reachable in this region ('${call.region}')`);
  return { arn: functionArn({ region, account }, name), qualifier };
}

/** The name of a function to be made. */
export function newName(call: Call, text: string | undefined): string {
  const { arn } = parsed(call, text ?? "");
  const name = arn.slice(arn.lastIndexOf(":") + 1);
  if (name.length > MAX_NAME)
    throw malformed(text, "functionName", `Member must have length less than or equal to ${MAX_NAME}`);
  return name;
}

/** The caller's function, or Lambda's ResourceNotFoundException. */
export function theFunction(call: Call, text: string | undefined, asked?: string): FunctionRow {
  const { arn, qualifier = asked } = parsed(call, text ?? "");
  const row = call.tables.functions.own(call, arn);
  const known = row && isSeen(call, row) && (qualifier ?? "$LATEST") === "$LATEST";
  if (!known) throw notFound(`Function not found: ${qualifier ? `${arn}:${qualifier}` : arn}`);
  return row;
}
