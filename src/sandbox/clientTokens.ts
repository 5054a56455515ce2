/**
 * Client tokens: a create call repeated with the same token and the same parameters answers with what the
 * first call made, whatever became of it since; with other parameters it is refused. A token is remembered as
 * long as the row it made. https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
 */
import { createHash } from "node:crypto";
import { AwsError } from "./errors.ts";
import type { Row } from "./state.ts";

interface Tokened extends Row {
  readonly clientToken?: string;
  readonly request?: string;
}

interface TokenInput {
  readonly ClientToken?: string | undefined;
}

/** What a row made with a token keeps; nothing when the request has none. */
export function tokenOf(input: TokenInput): { clientToken?: string; request?: string } {
  return input.ClientToken ? { clientToken: input.ClientToken, request: fingerprint(input) } : {};
}

/**
 * The rows an earlier call with this token made, none when it is new. `rows` are the caller's, of the noun.
 * IdempotentParameterMismatch when the token was used with other parameters.
 */
export function madeBefore<R extends Tokened>(rows: readonly R[], input: TokenInput): R[] {
  const token = input.ClientToken;
  if (!token) return [];
  if (token.length > 64)
    throw new AwsError("InvalidParameterValue", "ClientToken must not be longer than 64 ASCII characters");
  const made = rows.filter((row) => row.clientToken === token);
  const request = fingerprint(input);
  if (made.some((row) => row.request !== request))
    throw new AwsError(
      "IdempotentParameterMismatch",
      `The client token ${token} has already been used with different request parameters`,
    );
  return made;
}

function fingerprint(input: TokenInput): string {
  const { ClientToken: _, ...rest } = input;
  return createHash("sha256").update(JSON.stringify(rest, inOrder)).digest("base64url");
}

/** Keys in one order and without DryRun, so that equal requests are equal texts. */
function inOrder(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value) || value instanceof Uint8Array)
    return value;
  const entries = Object.entries(value).filter(([key]) => key !== "DryRun");
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
