/**
 * A function as Lambda shows it: lists leave out its states.
 * https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
 */
import type * as lambda from "@aws-sdk/client-lambda";
import { functionState } from "./lambdaStates.ts";
import type { FailureRow, FunctionRow } from "./serviceRows.ts";
import type { Call } from "./world.ts";

export function listed(row: FunctionRow): lambda.FunctionConfiguration {
  const { vpc, environment } = row;
  return {
    FunctionName: row.name,
    FunctionArn: row.id,
    Runtime: row.runtime as lambda.Runtime,
    Role: row.role,
    Handler: row.handler,
    CodeSize: row.codeSize,
    CodeSha256: row.codeSha256,
    Description: row.description,
    Timeout: row.timeoutS,
    MemorySize: row.memoryMiB,
    EphemeralStorage: { Size: row.storageMiB },
    LastModified: new Date(row.modifiedAt).toISOString().replace("Z", "+0000"),
    Version: "$LATEST",
    RevisionId: row.revisionId,
    PackageType: "Zip",
    Architectures: [row.architecture],
    TracingConfig: { Mode: "PassThrough" },
    SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
    LoggingConfig: { LogFormat: "Text", LogGroup: `/aws/lambda/${row.name}` },
    ...(environment ? { Environment: { Variables: { ...environment } } } : {}),
    ...(vpc ? { VpcConfig: shownNetwork(vpc) } : {}),
  };
}

function shownNetwork(vpc: NonNullable<FunctionRow["vpc"]>): lambda.VpcConfigResponse {
  return {
    VpcId: vpc.vpcId,
    SubnetIds: [...vpc.subnetIds],
    SecurityGroupIds: [...vpc.groupIds],
    Ipv6AllowedForDualStack: false,
  };
}

/** All of it. */
export function configuration(call: Call, row: FunctionRow): lambda.FunctionConfiguration {
  return { ...listed(row), ...states(row, call.now), ...updates(row) };
}

const CREATING: FailureRow = { code: "Creating", message: "The function is being created." };

function states(row: FunctionRow, now: number): lambda.FunctionConfiguration {
  const State = functionState(row, now);
  const why = State === "Pending" ? CREATING : State === "Failed" ? row.failure : undefined;
  return {
    State,
    ...(why ? { StateReason: why.message, StateReasonCode: why.code as lambda.StateReasonCode } : {}),
  };
}

function updates(row: FunctionRow): lambda.FunctionConfiguration {
  const { update, updateFailure } = row;
  const why = update ? CREATING : updateFailure;
  const LastUpdateStatus = update ? "InProgress" : updateFailure ? "Failed" : "Successful";
  return {
    LastUpdateStatus,
    ...(why
      ? {
          LastUpdateStatusReason: why.message,
          LastUpdateStatusReasonCode: why.code as lambda.LastUpdateStatusReasonCode,
        }
      : {}),
  };
}
