/**
 * The real `aws` command line against a sandbox, for what people do by hand. Debian 12's knows no
 * AWS_ENDPOINT_URL, so the endpoint is always named. Where it is not installed, `awsCli` answers null and the
 * caller does the same by the SDK.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface AwsCli {
  /** `ec2("delete-route", "--route-table-id", …)`; rejects with what aws wrote when it fails. */
  ec2(...args: readonly string[]): Promise<void>;
}

export async function awsCli(sandboxUrl: string, account: string): Promise<AwsCli | null> {
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: account,
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_PAGER: "",
  };
  const installed = await run("aws", ["--version"], { env }).catch(() => null);
  if (!installed) return null;
  return {
    ec2: async (...args) => {
      await run("aws", ["ec2", ...args, "--endpoint-url", sandboxUrl], { env });
    },
  };
}
