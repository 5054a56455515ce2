/**
 * What a request says about a function, checked as Lambda checks it before anything is made. Refuses what Lambda
 * refuses, and what Lambda has and the sandbox has not: runtimes other than Node.js, images, layers, versions.
 * https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
 */
import type * as lambda from "@aws-sdk/client-lambda";
import { AwsError } from "./errors.ts";
import { ArchiveError, filesIn, UNPACKED_LIMIT } from "./functions/archive.ts";
import { invalid, malformed } from "./lambdaErrors.ts";
import { groupsAsked, type NetworkRefusals, subnetsAsked } from "./serviceNetworks.ts";
import type { FunctionRow, FunctionVpcRow } from "./serviceRows.ts";
import type { Call } from "./world.ts";

/** What of a function's row a request decides, the network and the code apart. */
export type RequestedFunction = Pick<
  FunctionRow,
  "runtime" | "role" | "handler" | "description" | "timeoutS" | "memoryMiB" | "storageMiB" | "environment"
>;

type Input = lambda.CreateFunctionRequest | lambda.UpdateFunctionConfigurationRequest;

const DEFAULTS = { description: "", timeoutS: 3, memoryMiB: 128, storageMiB: 512 };

/** What the request leaves open is as it is now, or Lambda's default. */
export function requested(call: Call, input: Input, now?: RequestedFunction): RequestedFunction {
  checkUnsupported(input);
  const runtime = input.Runtime ?? now?.runtime;
  const handler = input.Handler ?? now?.handler;
  if (!runtime || !handler)
    throw invalid(
      "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
    );
  const environment = input.Environment ? environmentOf(input.Environment) : now?.environment;
  const { description, timeoutS, memoryMiB, storageMiB } = now ?? DEFAULTS;
  return {
    runtime: input.Runtime ? checkedRuntime(runtime) : runtime,
    role: checkedRole(call, input.Role ?? now?.role),
    handler: checkedHandler(handler),
    description: checkedText(input.Description ?? description),
    timeoutS: within([1, 900], "timeout", input.Timeout ?? timeoutS),
    memoryMiB: within([128, 10_240], "memorySize", input.MemorySize ?? memoryMiB),
    storageMiB: within([512, 10_240], "ephemeralStorage.size", input.EphemeralStorage?.Size ?? storageMiB),
    ...(environment ? { environment } : {}),
  };
}

const UNSUPPORTED = [
  "CapacityProviderConfig",
  "CodeSigningConfigArn",
  "DeadLetterConfig",
  "DurableConfig",
  "FileSystemConfigs",
  "ImageConfig",
  "KMSKeyArn",
  "Layers",
  "LoggingConfig",
  "Publish",
  "PublishTo",
  "SnapStart",
  "TenancyConfig",
] as const;

function checkUnsupported(input: object): void {
  const values = input as Readonly<Record<string, unknown>>;
  const asked = UNSUPPORTED.find((name) => !isNothing(values[name]));
  if (asked) throw invalid(`${asked} is not part of this sandbox.`);
  if (values.PackageType === "Image") throw invalid("Container images are not part of this sandbox.");
  if ((values.TracingConfig as lambda.TracingConfig | undefined)?.Mode === "Active")
    throw invalid("Tracing is not part of this sandbox.");
}

/** What some clients say without meaning anything: empty lists and objects, and what is off. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === false || value === "") return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

const RUNTIMES = ["nodejs20.x", "nodejs22.x", "nodejs24.x"];

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html */
function checkedRuntime(runtime: string): string {
  if (RUNTIMES.includes(runtime)) return runtime;
  if (/^nodejs/.test(runtime))
    throw invalid(
      `The runtime parameter of ${runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.`,
    );
  throw invalid(
    `Value ${runtime} at 'runtime' failed to satisfy constraint: this sandbox has ${RUNTIMES.join(", ")}.`,
  );
}

const ROLE = /^arn:aws[a-zA-Z-]*:iam::(\d{12}):role\/?[a-zA-Z_0-9+=,.@\-_/]+$/;

/** There are no roles here to look up: one that looks like one of the caller's is believed. */
function checkedRole({ account }: Call, role: string | undefined): string {
  const [, owner] = ROLE.exec(role ?? "") ?? [];
  if (role === undefined || owner === undefined)
    throw malformed(
      role,
      "role",
      "Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
    );
  if (owner !== account)
    throw new AwsError("AccessDeniedException", "Cross-account pass role is not allowed.", 403);
  return role;
}

function checkedHandler(handler: string): string {
  if (/^[^\s]{1,128}$/.test(handler)) return handler;
  throw malformed(handler, "handler", "Member must satisfy regular expression pattern: [^\\s]+");
}

function checkedText(description: string): string {
  if (description.length <= 256) return description;
  throw malformed(description, "description", "Member must have length less than or equal to 256");
}

function within([min, max]: readonly [number, number], parameter: string, value: number): number {
  if (!(value >= min))
    throw malformed(value, parameter, `Member must have value greater than or equal to ${min}`);
  if (!(value <= max))
    throw malformed(value, parameter, `Member must have value less than or equal to ${max}`);
  return value;
}

const ENVIRONMENT_LIMIT = 4 * 1024;

/** Names that are Lambda's own to set. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
const RESERVED =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_(FUNCTION_(NAME|MEMORY_SIZE|VERSION)|INITIALIZATION_TYPE|LOG_(GROUP|STREAM)_NAME|RUNTIME_API)|AWS_ACCESS_KEY(_ID)?|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_(TASK_ROOT|RUNTIME_DIR))$/;

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
function environmentOf({ Variables = {} }: lambda.Environment): Readonly<Record<string, string>> {
  const wrong = Object.keys(Variables).find((name) => !/^[a-zA-Z][a-zA-Z0-9_]+$/.test(name));
  if (wrong !== undefined)
    throw malformed(
      wrong,
      "environment.variables",
      "Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+",
    );
  const reserved = Object.keys(Variables).filter((name) => RESERVED.test(name));
  if (reserved.length > 0)
    throw invalid(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(", ")}`,
    );
  if (JSON.stringify(Variables).length > ENVIRONMENT_LIMIT)
    throw invalid(
      "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.",
    );
  return { ...Variables };
}

const REFUSALS: NetworkRefusals = {
  subnet: (message) =>
    invalid(
      `Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: ${message}`,
    ),
  group: (message) =>
    invalid(
      `Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error Message: ${message}`,
    ),
};

const MAX_SUBNETS = 16;

/** Empty lists = no network. https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html */
export function networkOf(call: Call, config: lambda.VpcConfig): FunctionVpcRow | undefined {
  const { SubnetIds: ids = [], SecurityGroupIds: groups = [] } = config;
  if (config.Ipv6AllowedForDualStack) throw invalid("IPv6 is not part of this sandbox.");
  if (ids.length === 0 && groups.length === 0) return undefined;
  if (ids.length === 0 || groups.length === 0)
    throw invalid("SubnetIds and SecurityGroupIds must be both empty or both not empty.");
  if (ids.length > MAX_SUBNETS)
    throw malformed(
      `[${ids}]`,
      "vpcConfig.subnetIds",
      `Member must have length less than or equal to ${MAX_SUBNETS}`,
    );
  const subnets = subnetsAsked(call, ids, REFUSALS);
  const vpcId = subnets[0]?.vpcId ?? "";
  return { vpcId, subnetIds: [...ids], groupIds: groupsAsked(call, { vpcId, ids: groups }, REFUSALS) };
}

/** The archive a request brings. https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html */
export function zipOf(code: lambda.FunctionCode): Buffer {
  const { ZipFile, S3Bucket, ImageUri } = code;
  if (S3Bucket !== undefined || ImageUri !== undefined)
    throw invalid("S3 and container images are not part of this sandbox: the code must come as ZipFile.");
  if (!ZipFile) throw invalid("Please provide a source for function code.");
  const zip = Buffer.from(ZipFile);
  checkArchive(zip);
  return zip;
}

/** By unpacking it: what is found later would be found by an invocation. */
function checkArchive(zip: Buffer): void {
  try {
    if (filesIn(zip).length === 0) throw invalid("Uploaded file must be a non-empty zip");
  } catch (thrown) {
    if (!(thrown instanceof ArchiveError)) throw thrown;
    if (thrown.isTooLarge) throw invalid(`Unzipped size must be smaller than ${UNPACKED_LIMIT} bytes`);
    throw invalid("Could not unzip uploaded file. Please check your file, then try to upload again.");
  }
}
