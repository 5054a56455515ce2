/**
 * Lambda's functions: made, shown, changed, deleted; lambdaInvoke.ts has them run. Promises AWS's states and waits, one
 * change at a time, and interfaces in the subnets for as long as AWS would leave them there.
 * https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
 *
 *   State             Pending ──▶ Active            LastUpdateStatus   InProgress ──▶ Successful
 *                        └──────▶ Failed                                    └───────▶ Failed
 */
import { createHash, randomUUID } from "node:crypto";
import type * as lambda from "@aws-sdk/client-lambda";
import { AwsError } from "./errors.ts";
import { conflict, invalid, LAMBDA_TAG_REFUSALS } from "./lambdaErrors.ts";
import { configuration, listed } from "./lambdaFunctionsShown.ts";
import { attach, release } from "./lambdaInterfaces.ts";
import { functionArn, newName, theFunction } from "./lambdaNames.ts";
import { networkOf, requested, zipOf } from "./lambdaRequests.ts";
import { functionState } from "./lambdaStates.ts";
import { page } from "./query.ts";
import type { FailureRow, FunctionRow, FunctionVpcRow } from "./serviceRows.ts";
import { mapFromTags, tagsFromMap } from "./tagMaps.ts";
import { seen } from "./visibility.ts";
import type { Call, Handlers } from "./world.ts";

/** What becomes of a function's network: when, and what its packets leave by then. */
interface Outcome {
  readonly at: number;
  readonly interfaceIds: readonly string[];
  readonly failure?: FailureRow;
}

function outcome(call: Call, name: string, vpc: FunctionVpcRow | undefined): Outcome {
  const { lambdaFailure: code, lambdaPendingMs, lambdaInterfacePendingMs } = call.settings;
  const quick = call.now + lambdaPendingMs;
  if (code)
    return { at: quick, interfaceIds: [], failure: { code, message: "The function could not be set up." } };
  if (!vpc) return { at: quick, interfaceIds: [] };
  const attached = attach(call, name, vpc);
  const slow = call.now + lambdaInterfacePendingMs;
  if ("code" in attached) return { at: slow, interfaceIds: [], failure: attached };
  return { at: attached.isNew ? slow : quick, interfaceIds: attached.interfaceIds };
}

/** Keeps the archive, in the place of an older one. */
function store(
  call: Call,
  zip: Buffer,
  old?: string,
): Pick<FunctionRow, "codeId" | "codeSha256" | "codeSize"> {
  const { account, region, now } = call;
  const codeId = call.newId("code");
  if (old) call.tables.functionCodes.delete(old);
  call.tables.functionCodes.put({
    id: codeId,
    account,
    region,
    at: now,
    tags: [],
    zip: zip.toString("base64"),
  });
  return { codeId, codeSha256: createHash("sha256").update(zip).digest("base64"), codeSize: zip.length };
}

function created(call: Call, input: lambda.CreateFunctionRequest): FunctionRow {
  const name = newName(call, input.FunctionName);
  const asked = requested(call, input);
  const zip = zipOf(input.Code ?? {});
  const tags = tagsFromMap(input.Tags, LAMBDA_TAG_REFUSALS);
  const architecture = architectureOf(input.Architectures) ?? "x86_64";
  const id = functionArn(call, name);
  if (call.tables.functions.get(id)) throw conflict(`Function already exist: ${name}`);
  const vpc = input.VpcConfig ? networkOf(call, input.VpcConfig) : undefined;
  const { at, interfaceIds, failure } = outcome(call, name, vpc);
  return call.tables.functions.put({
    ...asked,
    ...store(call, zip),
    id,
    account: call.account,
    region: call.region,
    at: call.now,
    tags,
    name,
    architecture,
    revisionId: randomUUID(),
    modifiedAt: call.now,
    interfaceIds,
    ...(vpc ? { vpc } : {}),
    ...(failure ? { failsAt: at, failure } : { activeAt: at }),
  });
}

function architectureOf(asked: readonly string[] | undefined): FunctionRow["architecture"] | undefined {
  const [first] = asked ?? [];
  if (first === undefined || first === "x86_64" || first === "arm64") return first;
  throw invalid(`Value [${asked}] at 'architectures' failed to satisfy constraint: x86_64 or arm64.`);
}

/** The function, when it is at rest and the caller has seen its last change. */
function theIdleFunction(
  call: Call,
  { FunctionName, RevisionId }: { FunctionName: string | undefined; RevisionId?: string | undefined },
): FunctionRow {
  const row = theFunction(call, FunctionName);
  const state = functionState(row, call.now);
  const cannot = "The operation cannot be performed at this time.";
  if (state !== "Active")
    throw conflict(`${cannot} The function is currently in the following state: ${state}`);
  if (row.update) throw conflict(`${cannot} An update is in progress for resource: ${row.id}`);
  if (RevisionId && RevisionId !== row.revisionId)
    throw new AwsError(
      "PreconditionFailedException",
      "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
      { status: 412, members: { Type: "User" } },
    );
  return row;
}

type Change = Pick<Partial<FunctionRow>, keyof ReturnType<typeof requested> | "codeId" | "architecture">;

/** The function with what is changed, InProgress until the outcome. */
function changing(call: Call, row: FunctionRow, change: Change & { update: FunctionRow["update"] }) {
  const { updateFailure: _, ...rest } = row;
  const { update, ...changed } = change;
  return call.tables.functions.put({
    ...rest,
    ...changed,
    ...(update ? { update } : {}),
    revisionId: randomUUID(),
    modifiedAt: call.now,
  });
}

/** A change that leaves the network as it is. */
function rested(call: Call, row: FunctionRow): FunctionRow["update"] {
  const { lambdaFailure: code, lambdaPendingMs } = call.settings;
  const failure = { code, message: "The function could not be updated." };
  const endsAt = call.now + lambdaPendingMs;
  return { endsAt, interfaceIds: row.interfaceIds, ...(code ? { failure } : {}) };
}

function reconfigured(call: Call, input: lambda.UpdateFunctionConfigurationRequest): FunctionRow {
  const row = theIdleFunction(call, input);
  const change = requested(call, input, row);
  if (!input.VpcConfig) return changing(call, row, { ...change, update: rested(call, row) });
  const vpc = networkOf(call, input.VpcConfig);
  const { at: endsAt, ...then } = outcome(call, row.name, vpc);
  const { vpc: _, ...rest } = row;
  return changing(call, { ...rest, ...(vpc ? { vpc } : {}) }, { ...change, update: { endsAt, ...then } });
}

/** Gone at once; its interfaces, when no other function uses them, later. */
function forget(call: Call, row: FunctionRow): void {
  call.tables.functions.delete(row.id);
  call.tables.functionCodes.delete(row.codeId);
  const ids = [...row.interfaceIds, ...(row.update?.interfaceIds ?? [])];
  release(call, ids, { at: call.now, isDetached: false });
}

/** More are not given in one answer, whatever is asked for. */
const PAGE = 50;

export const lambdaFunctionHandlers = {
  CreateFunction(call, input) {
    return configuration(call, created(call, input));
  },

  GetFunction(call, input) {
    const row = theFunction(call, input.FunctionName, input.Qualifier);
    const Tags = row.tags.length > 0 ? { Tags: mapFromTags(row.tags) } : {};
    return { Configuration: configuration(call, row), Code: { RepositoryType: "S3" }, ...Tags };
  },

  GetFunctionConfiguration(call, input) {
    return configuration(call, theFunction(call, input.FunctionName, input.Qualifier));
  },

  ListFunctions(call, input) {
    const rows = seen(call, call.tables.functions.list(call));
    const { Marker: NextToken, MaxItems } = input;
    const MaxResults = Math.min(MaxItems ?? PAGE, PAGE);
    const codes = { size: "ValidationException", token: "InvalidParameterValueException" };
    const { items, NextToken: NextMarker } = page(rows, ({ name }) => name, {
      MaxResults,
      NextToken,
      min: 1,
      codes,
    });
    return { Functions: items.map((row) => listed(row)), NextMarker };
  },

  UpdateFunctionConfiguration(call, input) {
    return configuration(call, reconfigured(call, input));
  },

  UpdateFunctionCode(call, input) {
    const row = theIdleFunction(call, input);
    if (input.Publish) throw invalid("Publish is not part of this sandbox.");
    const zip = zipOf(input);
    const architecture = architectureOf(input.Architectures) ?? row.architecture;
    if (input.DryRun) return configuration(call, row);
    const change = { ...store(call, zip, row.codeId), architecture, update: rested(call, row) };
    return configuration(call, changing(call, row, change));
  },

  DeleteFunction(call, input) {
    if (input.Qualifier === "$LATEST")
      throw invalid("$LATEST version cannot be deleted without deleting the function.");
    forget(call, theFunction(call, input.FunctionName, input.Qualifier));
    return { StatusCode: 204 };
  },
} satisfies Handlers<typeof lambda>;
