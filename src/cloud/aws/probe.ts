/**
 * The probe's function on AWS Lambda: what is seen of it, the steps that make it, keep it as it should be and take it
 * away, and the call of it. CreateFunction has no client token, so the function is known by its name, which says whose
 * it is, and is ours only if it bears our tags too: one that has the name alone is shown as somebody else's.
 * https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
 */
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  type GetFunctionResponse,
  InvokeCommand,
  type LambdaClient,
  paginateListFunctions,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import type { ProbeSpec, SeenProbe } from "../../domain/connector.ts";
import { Failure } from "../../domain/failure.ts";
import type { ProbeFindings, ProbeWish } from "../../domain/probe.ts";
import type { NetworkRef } from "../cloud.ts";
import { refusedWith } from "./callError.ts";
import { answeredId, change, type Hands } from "./hand.ts";
import { FUNCTION_GONE, seenFunction } from "./lambda.ts";
import { clusterName, clusterPrefix } from "./msk.ts";
import { PROBE_HANDLER, probeCode } from "./probeCode.ts";
import { ATTEMPT_TAG, DATASET_TAG, INSTALLATION_TAG, KEY_TAG, tagMap, tags } from "./tags.ts";

const SUFFIX = "-probe";
const GONE = new Set([FUNCTION_GONE]);

/** The SDK waits 30 s for an answer, and the probe itself ends within 20. */
const SETTINGS = { Runtime: "nodejs24.x", Handler: PROBE_HANDLER, Timeout: 25, MemorySize: 256 } as const;

export function probeName(installation: string, network: Pick<NetworkRef, "datasetId">): string {
  return `${clusterName(installation, network)}${SUFFIX}`;
}

/** Null when nothing has our name for it. */
export async function readProbe(
  client: LambdaClient,
  network: Pick<NetworkRef, "datasetId">,
  installation: string,
): Promise<SeenProbe | null> {
  const found = await getFunction(client, probeName(installation, network));
  return found && seenProbe(found, network, installation);
}

async function getFunction(client: LambdaClient, name: string): Promise<GetFunctionResponse | null> {
  try {
    return await client.send(new GetFunctionCommand({ FunctionName: name }));
  } catch (error) {
    if (refusedWith(error, GONE)) return null;
    throw error;
  }
}

function seenProbe(
  { Configuration: one = {}, Tags = {} }: GetFunctionResponse,
  network: Pick<NetworkRef, "datasetId">,
  installation: string,
): SeenProbe {
  const { Runtime, Handler, Timeout, MemorySize } = one;
  const asSet = Object.entries({ Runtime, Handler, Timeout, MemorySize }).every(
    ([name, value]) => value === SETTINGS[name as keyof typeof SETTINGS],
  );
  return {
    ...seenFunction(one.FunctionArn ?? "", one),
    key: Tags[KEY_TAG] ?? "probe",
    attempt: Number(Tags[ATTEMPT_TAG]) || 0,
    ours: Tags[INSTALLATION_TAG] === installation && Tags[DATASET_TAG] === network.datasetId,
    roleArn: one.Role ?? "",
    isConfigured: asSet,
    isCurrent: one.CodeSha256 === probeCode().sha256,
  };
}

/** Functions of that installation's naming, whoever made them, with their tags: the list itself tells no tags. */
export async function listProbes(
  client: LambdaClient,
  installation: string,
): Promise<readonly GetFunctionResponse[]> {
  const prefix = clusterPrefix(installation);
  const names: string[] = [];
  for await (const { Functions = [] } of paginateListFunctions({ client, pageSize: 50 }, {}))
    names.push(
      ...Functions.flatMap(({ FunctionName = "" }) => (isNamedSo(FunctionName, prefix) ? FunctionName : [])),
    );
  const found = await Promise.all(names.map((name) => getFunction(client, name)));
  return found.flatMap((one) => one ?? []);
}

function isNamedSo(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && name.endsWith(SUFFIX);
}

function placed({ roleArn, subnetIds, groupIds }: ProbeSpec) {
  return { Role: roleArn, VpcConfig: { SubnetIds: [...subnetIds], SecurityGroupIds: [...groupIds] } };
}

export const probeCreates: Hands<"createProbe"> = {
  async createProbe({ lambda, installation, call }, { spec }) {
    const { network } = call;
    const answer = await lambda.send(
      new CreateFunctionCommand({
        FunctionName: probeName(installation, network),
        Description: "letsdata: opens connections from inside the VPC, to say what can be reached",
        Code: { ZipFile: probeCode().zip },
        Tags: tagMap(tags(installation, call)),
        ...SETTINGS,
        ...placed(spec),
      }),
    );
    return answeredId(answer.FunctionArn, "CreateFunction");
  },
};

export const probeChanges: Hands<"configureProbe" | "updateProbeCode"> = {
  configureProbe: ({ lambda }, { functionArn, spec }) =>
    change(
      lambda.send(
        new UpdateFunctionConfigurationCommand({ FunctionName: functionArn, ...SETTINGS, ...placed(spec) }),
      ),
    ),

  updateProbeCode: ({ lambda }, { functionArn }) =>
    change(
      lambda.send(new UpdateFunctionCodeCommand({ FunctionName: functionArn, ZipFile: probeCode().zip })),
    ),
};

export const probeDeletes: Hands<"deleteProbe"> = {
  deleteProbe: ({ lambda }, { functionArn }) =>
    change(lambda.send(new DeleteFunctionCommand({ FunctionName: functionArn })), [FUNCTION_GONE]),
};

/** Runs the function once. What it found is told; that it could not run is a Failure. */
export async function runProbe(client: LambdaClient, name: string, wish: ProbeWish): Promise<ProbeFindings> {
  const answer = await client.send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(wish) }));
  const payload = Buffer.from(answer.Payload ?? []).toString();
  if (answer.FunctionError !== undefined)
    throw new Failure("internal", `The probe's function ended by an error: ${errorOf(payload)}`, {
      hint: "Try again; if it stays, look at the function's log in CloudWatch.",
      detail: payload,
    });
  return findingsIn(payload);
}

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
function errorOf(payload: string): string {
  const parsed = parsedOr(payload, {});
  const { errorMessage, errorType } = parsed as { errorMessage?: unknown; errorType?: unknown };
  return String(errorMessage ?? errorType ?? "AWS does not say which");
}

function findingsIn(payload: string): ProbeFindings {
  const parsed = parsedOr(payload, null);
  if (typeof parsed === "object" && parsed !== null && "stages" in parsed && Array.isArray(parsed.stages))
    return parsed as ProbeFindings;
  // An older version's answer; the function is brought up to date by the next pass.
  throw new Failure("conflict", "The probe's function answered in a way that is not known", {
    detail: payload,
  });
}

function parsedOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}
