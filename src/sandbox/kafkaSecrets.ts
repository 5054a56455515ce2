/**
 * The names and passwords that a cluster with SASL/SCRAM accepts, as secrets of Secrets Manager. There is none
 * here, so an ARN is believed when it looks like one of AWS's rules. Secrets that cannot be are told one by one;
 * the others are taken all the same.
 * https://docs.aws.amazon.com/msk/latest/developerguide/msk-password-tutorial.html
 */
import type * as kafka from "@aws-sdk/client-kafka";
import { badRequest } from "./kafkaErrors.ts";
import { clusterState, theCluster } from "./kafkaStates.ts";
import { kafkaPage } from "./kafkaVersions.ts";
import type { ClusterRow } from "./serviceRows.ts";
import type { Call, Handlers } from "./world.ts";

/** https://docs.aws.amazon.com/msk/1.0/apireference/clusters-clusterarn-scram-secrets.html */
const BATCH = 10;

const SECRET = /^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):(\d{12}):secret:(.+)$/;

type Unprocessed = kafka.UnprocessedScramSecret;

function unprocessed(SecretArn: string, ErrorCode: string, ErrorMessage: string): Unprocessed {
  return { SecretArn, ErrorCode, ErrorMessage };
}

/** Why the cluster cannot take the secret; undefined when it can. */
function problem(call: Call, row: ClusterRow, arn: string): Unprocessed | undefined {
  const [, region, , name = ""] = SECRET.exec(arn) ?? [];
  if (region !== call.region)
    return unprocessed(arn, "InvalidSecretArn", "The secret ARN is not one of this Region.");
  if (!name.startsWith("AmazonMSK_"))
    return unprocessed(arn, "InvalidSecretName", "The name of the secret must begin with AmazonMSK_.");
  if (row.secretArns.includes(arn))
    return unprocessed(arn, "AlreadyAssociated", "The secret is already associated with the cluster.");
  return undefined;
}

function theScramCluster(call: Call, input: kafka.BatchAssociateScramSecretRequest): ClusterRow {
  const row = theCluster(call, input.ClusterArn);
  const state = clusterState(row, call.now);
  if (state !== "ACTIVE") throw badRequest(`You can't change the secrets of a cluster in ${state} state.`);
  if (!row.authentication.scram)
    throw badRequest("The cluster does not use SASL/SCRAM authentication.", "clusterArn");
  const count = input.SecretArnList?.length ?? 0;
  if (count < 1 || count > BATCH) throw badRequest(`Specify 1 to ${BATCH} secrets.`, "secretArnList");
  return row;
}

export const kafkaSecretHandlers = {
  BatchAssociateScramSecret(call, input) {
    const row = theScramCluster(call, input);
    const asked = [...new Set(input.SecretArnList)];
    const UnprocessedScramSecrets = asked.flatMap((arn) => problem(call, row, arn) ?? []);
    const refused = new Set(UnprocessedScramSecrets.map(({ SecretArn }) => SecretArn));
    const taken = asked.filter((arn) => !refused.has(arn));
    call.tables.clusters.put({ ...row, secretArns: [...row.secretArns, ...taken] });
    return { ClusterArn: row.id, UnprocessedScramSecrets };
  },

  BatchDisassociateScramSecret(call, input) {
    const row = theScramCluster(call, input);
    const asked = [...new Set(input.SecretArnList)];
    const UnprocessedScramSecrets = asked
      .filter((arn) => !row.secretArns.includes(arn))
      .map((arn) => unprocessed(arn, "NotAssociated", "The secret is not associated with the cluster."));
    const secretArns = row.secretArns.filter((arn) => !asked.includes(arn));
    call.tables.clusters.put({ ...row, secretArns });
    return { ClusterArn: row.id, UnprocessedScramSecrets };
  },

  ListScramSecrets(call, input) {
    const { secretArns } = theCluster(call, input.ClusterArn);
    const { items, NextToken } = kafkaPage(secretArns, (arn) => arn, input);
    return { SecretArnList: items, NextToken };
  },
} satisfies Handlers<typeof kafka>;
