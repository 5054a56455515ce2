/**
 * Who calls, and becoming somebody else. Promises that the keys AssumeRole hands out sign requests for the
 * role's account until they expire. There are no roles to look up and no permissions: any well-formed role
 * ARN may be assumed. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
import { createHash, randomBytes } from "node:crypto";
import type * as sts from "@aws-sdk/client-sts";
import { AwsError } from "./errors.ts";
import type { SessionRow } from "./rows.ts";
import type { Key } from "./sigv4.ts";
import type { Call, Handlers, Tables } from "./world.ts";

const ROLE_ARN = /^arn:aws[a-z-]*:iam::(\d{12}):role\/(?:[\w+=,.@/-]+\/)?([\w+=,.@-]{1,64})$/;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;
const HOUR_S = 3600;

/** A key of 12 digits is the account of that number, with secret `test`; others were handed out here. */
export function keyOf(tables: Tables, accessKeyId: string): Key | undefined {
  if (/^\d{12}$/.test(accessKeyId))
    return { account: accessKeyId, secret: "test", arn: `arn:aws:iam::${accessKeyId}:root` };
  return tables.sessions.get(accessKeyId);
}

function invalid(message: string): AwsError {
  return new AwsError("ValidationError", message);
}

/** Role ids and access key ids: four letters that say what it is, and 16 of base 32. */
function uniqueId(prefix: string, from: Buffer): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return prefix + [...from.subarray(0, 16)].map((byte) => letters[byte % 32]).join("");
}

/** A role's id depends on its ARN alone. */
function assumedRoleId(arn: string): string {
  const [, account, , name = "", session] = /::(\d+):(assumed-role)\/([^/]+)\/(.+)$/.exec(arn) ?? [];
  return `${uniqueId("AROA", createHash("sha256").update(`${account}/${name}`).digest())}:${session}`;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining */
function durationOf(call: Call, asked = HOUR_S): number {
  if (!Number.isInteger(asked) || asked < 900 || asked > 12 * HOUR_S)
    throw invalid(
      `1 validation error detected: Value '${asked}' at 'durationSeconds' must be between 900 and 43200`,
    );
  if (call.callerArn.includes(":assumed-role/") && asked > HOUR_S)
    throw invalid(
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
    );
  return asked;
}

function newSession(call: Call, input: sts.AssumeRoleRequest): SessionRow {
  const [, account, roleName] = ROLE_ARN.exec(input.RoleArn ?? "") ?? [];
  if (!account) throw invalid(`${input.RoleArn} is invalid`);
  const name = input.RoleSessionName ?? "";
  if (!SESSION_NAME.test(name))
    throw invalid(
      `1 validation error detected: Value '${name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*`,
    );
  return {
    id: uniqueId("ASIA", randomBytes(16)),
    account,
    region: "aws-global",
    at: call.now,
    tags: [],
    secret: randomBytes(30).toString("base64"),
    sessionToken: randomBytes(96).toString("base64"),
    arn: `arn:aws:sts::${account}:assumed-role/${roleName}/${name}`,
    expiresAt: call.now + durationOf(call, input.DurationSeconds) * 1000,
  };
}

export const stsHandlers = {
  GetCallerIdentity(call) {
    const assumed = call.callerArn.includes(":assumed-role/");
    return {
      UserId: assumed ? assumedRoleId(call.callerArn) : call.account,
      Account: call.account,
      Arn: call.callerArn,
    };
  },

  AssumeRole(call, input) {
    const session = newSession(call, input);
    for (const old of call.tables.sessions.all())
      if (old.expiresAt <= call.now) call.tables.sessions.delete(old.id);
    call.tables.sessions.put(session);
    return {
      Credentials: {
        AccessKeyId: session.id,
        SecretAccessKey: session.secret,
        SessionToken: session.sessionToken,
        Expiration: new Date(session.expiresAt),
      },
      AssumedRoleUser: { AssumedRoleId: assumedRoleId(session.arn), Arn: session.arn },
      SourceIdentity: input.SourceIdentity,
    };
  },
} satisfies Handlers<typeof sts>;
