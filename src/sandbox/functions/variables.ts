/**
 * The environment of a function's process: Lambda's own variables and the function's. Promises that nothing of the
 * sandbox's own is among them. The sandbox has no credentials of the function's role to give.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
import { randomBytes } from "node:crypto";
import path from "node:path";
import { TOOLS_PATH } from "../dataplane/holder.ts";
import type { FunctionRow } from "../serviceRows.ts";

export interface Surroundings {
  /** The code's. */
  readonly folder: string;
  readonly now: number;
}

/** Each environment has its own: `2026/01/31/[$LATEST]4a…` */
function logStreamName(now: number): string {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/[$LATEST]${randomBytes(16).toString("hex")}`;
}

export function variablesOf(row: FunctionRow, { folder, now }: Surroundings): Record<string, string> {
  return {
    LANG: "en_US.UTF-8",
    PATH: `${path.dirname(process.execPath)}:${TOOLS_PATH}`,
    TZ: ":UTC",
    ...row.environment,
    _HANDLER: row.handler,
    AWS_DEFAULT_REGION: row.region,
    AWS_REGION: row.region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${row.runtime}`,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(row.memoryMiB),
    AWS_LAMBDA_FUNCTION_NAME: row.name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${row.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName(now),
    LAMBDA_TASK_ROOT: folder,
  };
}
