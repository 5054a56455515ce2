/**
 * The data task's functions on AWS Lambda: whether they stand in the VPC, and the two steps that put them there and
 * take them out. All of them get the same subnets and the same group, so that they share one interface a subnet.
 * Promises that nothing but the VPC of a function is ever changed; code, role and name are the operator's.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
 */
import {
  type FunctionConfiguration,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import type { FunctionLack, SeenFunction } from "../../domain/connector.ts";
import { refusedWith } from "./callError.ts";
import { change, type Hands } from "./hand.ts";

export const FUNCTION_GONE = "resourcenotfoundexception";
const GONE_CODES = new Set([FUNCTION_GONE]);

/** Null for a function that is not there. */
export async function readFunction(client: LambdaClient, arn: string): Promise<SeenFunction | null> {
  try {
    return seenFunction(arn, await client.send(new GetFunctionConfigurationCommand({ FunctionName: arn })));
  } catch (error) {
    if (refusedWith(error, GONE_CODES)) return null;
    throw error;
  }
}

export function seenFunction(id: string, one: FunctionConfiguration): SeenFunction {
  return {
    id,
    name: one.FunctionName ?? "",
    state: (one.State ?? "").toLowerCase(),
    stateReason: worded(one.StateReasonCode, one.StateReason),
    updateState: (one.LastUpdateStatus ?? "").toLowerCase(),
    updateReason: worded(one.LastUpdateStatusReasonCode, one.LastUpdateStatusReason),
    lacks: LACKS[one.LastUpdateStatusReasonCode ?? one.StateReasonCode ?? ""] ?? null,
    vpcId: one.VpcConfig?.VpcId || null,
    subnetIds: one.VpcConfig?.SubnetIds ?? [],
    groupIds: one.VpcConfig?.SecurityGroupIds ?? [],
  };
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html */
const LACKS: Readonly<Record<string, FunctionLack>> = {
  InsufficientRolePermissions: "role",
  EniLimitExceeded: "quota",
  SubnetOutOfIPAddresses: "addresses",
  EC2RequestLimitExceeded: "calls",
};

function worded(code: string | undefined, text: string | undefined): string | null {
  return [code, text].filter(Boolean).join(": ") || null;
}

export const lambdaChanges: Hands<"attachFunction"> = {
  attachFunction: ({ lambda }, { functionArn, subnetIds, groupIds }) =>
    change(
      lambda.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName: functionArn,
          VpcConfig: { SubnetIds: [...subnetIds], SecurityGroupIds: [...groupIds] },
        }),
      ),
    ),
};

export const lambdaDeletes: Hands<"detachFunction"> = {
  /** Empty lists take it out of its VPC; without the member nothing would change. */
  detachFunction: ({ lambda }, { functionArn }) =>
    change(
      lambda.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName: functionArn,
          VpcConfig: { SubnetIds: [], SecurityGroupIds: [] },
        }),
      ),
      [FUNCTION_GONE],
    ),
};
