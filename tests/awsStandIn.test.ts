/**
 * The stand-in for `aws` prints what the real command prints, so a transcript is the same on every machine.
 * Where the real command is not installed there is nothing to compare with, and that is said.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createSandbox } from "../src/sandbox/server.ts";
import { settings } from "../src/sandbox/settings.ts";
import { fastClock } from "./support/clocks.ts";
import {
  CUSTOMER_ACCOUNT,
  commandLine,
  putStandIn,
  realAws,
  sameError,
  sameShape,
} from "./support/customer.ts";
import { masking } from "./support/masks.ts";

const ASKED: readonly (readonly string[])[] = [
  ["ec2", "create-vpc", "--cidr-block", "172.20.0.0/16"],
  ["ec2", "create-vpc", "--cidr-block", "172.20.0.0/16", "--query", "Vpc.CidrBlock", "--output", "text"],
  ["ec2", "describe-route-tables", "--filters", "Name=vpc-id,Values=vpc-0123456789abcdef0"],
  ["ec2", "delete-vpc-peering-connection", "--vpc-peering-connection-id", "pcx-0123456789abcdef0"],
  ["kafka", "list-clusters-v2"],
  [
    "kafka",
    "describe-cluster-v2",
    "--cluster-arn",
    `arn:aws:kafka:us-east-1:${CUSTOMER_ACCOUNT}:cluster/none/0-1`,
  ],
  ["lambda", "get-function-configuration", "--function-name", "none"],
  ["secretsmanager", "create-secret", "--name", "a b", "--secret-string", "none"],
];

interface Printed {
  readonly failed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

function printed(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Printed> {
  return new Promise((resolve) => {
    execFile(command, args, { env }, (error, stdout, stderr) => {
      const mask = masking({});
      resolve({ failed: error !== null, stdout: mask(sameShape(stdout)), stderr: mask(sameError(stderr)) });
    });
  });
}

test("the stand-in prints what the real command prints", async (t) => {
  if (realAws() === null) return t.skip("NO aws COMMAND TO COMPARE WITH (on Debian: apt-get install awscli)");
  const folder = mkdtempSync(join(tmpdir(), "letsdata-aws-"));
  const clock = fastClock();
  const sandbox = await createSandbox({
    clock,
    settings: settings("quick", { signatureSkewMs: Number.MAX_SAFE_INTEGER }),
  });
  try {
    const { url } = await sandbox.listen(0);
    const standIn = join(folder, "stand-in");
    putStandIn(standIn);
    const env = {
      ...commandLine(folder).env,
      AWS_ACCESS_KEY_ID: CUSTOMER_ACCOUNT,
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_DEFAULT_REGION: "us-east-1",
    };
    for (const asked of ASKED) {
      const args = ["--endpoint-url", url, ...asked];
      const [real, ours] = await Promise.all([printed("aws", args, env), printed(standIn, args, env)]);
      assert.deepEqual(ours, real, asked.join(" "));
    }
    const refused = await printed(standIn, ["--endpoint-url", url, "ec2", "create-nat-gateway"], env);
    assert.match(refused.stderr, /the stand-in does not know: aws ec2 create-nat-gateway/);
    const stray = await printed(
      standIn,
      ["--endpoint-url", url, "kafka", "list-clusters-v2", "clusters.json"],
      env,
    );
    assert.match(stray.stderr, /the stand-in does not know: aws kafka list-clusters-v2 clusters\.json/);
  } finally {
    await sandbox.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
