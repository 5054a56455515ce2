/**
 * Secrets Manager, as far as MSK's users need it: a secret is made, read, changed, listed and deleted; its last
 * value is all that is kept. Refuses binary values, replicas and rotation by not knowing them. Deletion is at once:
 * there is no recovery window. https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html
 */
import { randomBytes, randomUUID } from "node:crypto";
import type * as sdk from "@aws-sdk/client-secrets-manager";
import { AwsError } from "./errors.ts";
import { page } from "./query.ts";
import type { SecretRow } from "./serviceRows.ts";
import type { Tag } from "./state.ts";
import type { Call, Handlers } from "./world.ts";

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterException", message);
}

/** By its ARN, by the ARN without the six characters at its end, or by name. */
function theSecret(call: Call, id: string | undefined): SecretRow {
  const found = call.tables.secrets
    .list(call)
    .find((row) => row.id === id || row.name === id || row.id.slice(0, -SUFFIX) === id);
  if (found) return found;
  throw new AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
}

/** A hyphen and six characters. */
const SUFFIX = 7;

const LONGEST = 65_536;

function checked(value: string | undefined): string {
  if (value === undefined)
    throw invalid("You must provide SecretString: binary values are not part of this sandbox.");
  if (Buffer.byteLength(value) > LONGEST) throw invalid(`SecretString is longer than ${LONGEST} bytes.`);
  return value;
}

function versioned({ id, name, versionId }: SecretRow) {
  return { ARN: id, Name: name, VersionId: versionId };
}

function described(row: SecretRow) {
  const { id: ARN, name: Name, description: Description, versionId } = row;
  return {
    ARN,
    Name,
    Description,
    CreatedDate: new Date(row.at),
    LastChangedDate: new Date(row.changedAt),
    Tags: row.tags.map((tag) => ({ ...tag })),
    versions: { [versionId]: ["AWSCURRENT"] },
  };
}

export const secretHandlers = {
  CreateSecret(call, input) {
    const { Name: name = "", Description: description = "", SecretString, ClientRequestToken } = input;
    if (!/^[\w/+=.@-]{1,512}$/.test(name))
      throw invalid(
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
      );
    if (call.tables.secrets.list(call).some((row) => row.name === name))
      throw new AwsError(
        "ResourceExistsException",
        `The operation failed because the secret ${name} already exists.`,
      );
    const { account, region, now } = call;
    const tags: Tag[] = (input.Tags ?? []).map(({ Key = "", Value = "" }) => ({ Key, Value }));
    const suffix = randomBytes(SUFFIX - 1)
      .toString("hex")
      .slice(0, SUFFIX - 1);
    const row = call.tables.secrets.put({
      id: `arn:aws:secretsmanager:${region}:${account}:secret:${name}-${suffix}`,
      account,
      region,
      at: now,
      tags,
      name,
      description,
      versionId: ClientRequestToken ?? randomUUID(),
      value: checked(SecretString),
      changedAt: now,
    });
    return versioned(row);
  },

  PutSecretValue(call, input) {
    const row = theSecret(call, input.SecretId);
    const versionId = input.ClientRequestToken ?? randomUUID();
    const value = checked(input.SecretString);
    const next = call.tables.secrets.put({ ...row, value, versionId, changedAt: call.now });
    return { ...versioned(next), VersionStages: ["AWSCURRENT"] };
  },

  GetSecretValue(call, input) {
    const row = theSecret(call, input.SecretId);
    const stage = { VersionStages: ["AWSCURRENT"], CreatedDate: new Date(row.changedAt) };
    return { ...versioned(row), SecretString: row.value, ...stage };
  },

  DescribeSecret(call, input) {
    const { versions: VersionIdsToStages, ...rest } = described(theSecret(call, input.SecretId));
    return { ...rest, VersionIdsToStages };
  },

  ListSecrets(call, { MaxResults, NextToken }) {
    const codes = { size: "InvalidParameterException", token: "InvalidNextTokenException" };
    const limits = { min: 1, max: 100, codes };
    const all = call.tables.secrets.list(call);
    const shown = page(all, ({ id }) => id, { MaxResults, NextToken, ...limits });
    const SecretList = shown.items.map((row) => {
      const { versions: SecretVersionsToStages, ...rest } = described(row);
      return { ...rest, SecretVersionsToStages };
    });
    return { SecretList, NextToken: shown.NextToken };
  },

  DeleteSecret(call, input) {
    const row = theSecret(call, input.SecretId);
    call.tables.secrets.delete(row.id);
    return { ARN: row.id, Name: row.name, DeletionDate: new Date(call.now) };
  },
} satisfies Handlers<typeof sdk>;
