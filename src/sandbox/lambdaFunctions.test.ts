/** The life of Lambda's functions over the wire: made, shown, listed, tagged, changed, failed, deleted. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, beforeEach, describe, test } from "node:test";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvalidParameterValueException,
  LambdaClient,
  ListTagsCommand,
  PreconditionFailedException,
  paginateListFunctions,
  ResourceConflictException,
  ResourceNotFoundException,
  ServiceException,
  TagResourceCommand,
  TooManyRequestsException,
  UntagResourceCommand,
  UpdateFunctionCodeCommand,
} from "@aws-sdk/client-lambda";
import { zipSync } from "fflate";
import {
  ECHO_ZIP,
  Functions,
  INTERFACE_PENDING,
  OWNER,
  PENDING,
  REGION,
  ROLE,
  zipped,
} from "./testing/functions.ts";

const arnOf = (name: string, region = REGION) => `arn:aws:lambda:${region}:${OWNER}:function:${name}`;

describe("functions", () => {
  let functions: Functions;
  beforeEach(async () => {
    await functions?.sandbox.close();
    functions = await Functions.start();
  });
  after(() => functions.sandbox.close());

  const statesOf = async (name: string) => {
    const { State, LastUpdateStatus } = await functions.shown(name);
    return [State, LastUpdateStatus];
  };

  test("is shown as it was made, with Lambda's defaults; 201, Pending, then Active", async () => {
    const Environment = { Variables: { TARGET: "ä b" } };
    const made = await functions.make("probe", { Environment, Tags: { team: "blue" } });
    const { $metadata, RevisionId, CodeSha256, ...shown } = made as typeof made & { $metadata: object };
    assert.equal(($metadata as { httpStatusCode?: number }).httpStatusCode, 201);
    assert.match(RevisionId ?? "", /^[0-9a-f-]{36}$/);
    assert.equal(CodeSha256, createHash("sha256").update(ECHO_ZIP).digest("base64"));
    assert.deepEqual(shown, {
      FunctionName: "probe",
      FunctionArn: arnOf("probe"),
      Runtime: "nodejs22.x",
      Role: ROLE,
      Handler: "index.handler",
      CodeSize: ECHO_ZIP.length,
      Description: "",
      Timeout: 3,
      MemorySize: 128,
      EphemeralStorage: { Size: 512 },
      LastModified: "2026-01-01T00:00:00.000+0000",
      Version: "$LATEST",
      PackageType: "Zip",
      Architectures: ["x86_64"],
      TracingConfig: { Mode: "PassThrough" },
      SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
      LoggingConfig: { LogFormat: "Text", LogGroup: "/aws/lambda/probe" },
      Environment,
      State: "Pending",
      StateReason: "The function is being created.",
      StateReasonCode: "Creating",
      LastUpdateStatus: "Successful",
    });
    functions.sandbox.clock.advance(PENDING - 1);
    assert.deepEqual(await statesOf("probe"), ["Pending", "Successful"]);
    functions.sandbox.clock.advance(1);
    assert.deepEqual(await statesOf("probe"), ["Active", "Successful"]);
    const got = await functions.client.send(new GetFunctionCommand({ FunctionName: "probe" }));
    assert.deepEqual(got.Tags, { team: "blue" });
    assert.equal(got.Configuration?.StateReasonCode, undefined);
  });

  test("answers to its name, its ARN and the ARN's end, in its own region and account", async () => {
    await functions.make("probe");
    const get = (FunctionName: string, by = functions.client) =>
      by.send(new GetFunctionConfigurationCommand({ FunctionName }));
    for (const name of [arnOf("probe"), `${OWNER}:function:probe`, "function:probe", "probe:$LATEST"])
      assert.equal((await get(name)).FunctionName, "probe", name);
    await assert.rejects(get("probe:1"), ResourceNotFoundException);
    await assert.rejects(get("other"), (error) => {
      assert.ok(error instanceof ResourceNotFoundException);
      assert.equal(error.$metadata.httpStatusCode, 404);
      assert.equal(error.message, `Function not found: ${arnOf("other")}`);
      return true;
    });
    await assert.rejects(get(arnOf("probe", "us-east-1")), /not reachable in this region/);
    const stranger = functions.sandbox.of(LambdaClient, "222222222222", REGION);
    await assert.rejects(get("probe", stranger), ResourceNotFoundException);
    await assert.rejects(get(arnOf("probe"), stranger), ResourceNotFoundException);
    await assert.rejects(get("no such name"), { name: "ValidationException" });
  });

  test("lists are the account's and region's own, in pages, without states", async () => {
    for (const name of ["c", "a", "b"]) await functions.make(name);
    const pages: string[][] = [];
    for await (const { Functions: some = [] } of paginateListFunctions(
      { client: functions.client, pageSize: 2 },
      {},
    )) {
      pages.push(some.map((one) => one.FunctionName ?? ""));
      assert.ok(some.every((one) => one.State === undefined && one.LastUpdateStatus === undefined));
    }
    assert.deepEqual(pages, [["a", "b"], ["c"]]);
    const other = functions.sandbox.of(LambdaClient, OWNER, "us-east-1");
    for await (const page of paginateListFunctions({ client: other }, {}))
      assert.deepEqual(page.Functions, []);
  });

  test("a name is taken until its function is deleted, which is at once", async () => {
    await functions.make("probe");
    await assert.rejects(functions.make("probe"), (error) => {
      assert.ok(error instanceof ResourceConflictException);
      assert.equal(error.$metadata.httpStatusCode, 409);
      assert.equal(error.message, "Function already exist: probe");
      return true;
    });
    const removed = await functions.client.send(new DeleteFunctionCommand({ FunctionName: "probe" }));
    assert.equal(removed.$metadata.httpStatusCode, 204);
    await assert.rejects(functions.shown("probe"), ResourceNotFoundException);
    await assert.rejects(functions.remove("probe"), ResourceNotFoundException);
    await functions.make("probe");
  });

  test("one change at a time, and none before the function is there", async () => {
    await functions.make("probe");
    const Pending = /The function is currently in the following state: Pending/;
    await assert.rejects(functions.change("probe", { Timeout: 9 }), Pending);
    functions.sandbox.clock.advance(PENDING);
    const changed = await functions.change("probe", { Timeout: 9, Description: "nine" });
    assert.deepEqual(
      [changed.Timeout, changed.State, changed.LastUpdateStatus, changed.LastUpdateStatusReasonCode],
      [9, "Active", "InProgress", "Creating"],
    );
    await assert.rejects(functions.change("probe", { Timeout: 10 }), (error) => {
      assert.ok(error instanceof ResourceConflictException);
      assert.match(error.message, /An update is in progress for resource: arn:aws:lambda/);
      return true;
    });
    const code = new UpdateFunctionCodeCommand({ FunctionName: "probe", ZipFile: ECHO_ZIP });
    await assert.rejects(functions.client.send(code), ResourceConflictException);
    functions.sandbox.clock.advance(PENDING);
    assert.deepEqual(await statesOf("probe"), ["Active", "Successful"]);
    const { Timeout, Description, MemorySize, Handler } = await functions.shown("probe");
    assert.deepEqual([Timeout, Description, MemorySize, Handler], [9, "nine", 128, "index.handler"]);
  });

  test("code changes, with its hash and size", async () => {
    await functions.makeActive("probe");
    const before = await functions.shown("probe");
    const send = (more: object) =>
      functions.client.send(new UpdateFunctionCodeCommand({ FunctionName: "probe", ...more }));
    const ZipFile = zipped({ "index.js": "exports.handler = async () => 'other';", "lib/more.js": "" });
    const dry = await send({ ZipFile, DryRun: true });
    assert.equal(dry.CodeSha256, before.CodeSha256);
    const after = await send({ ZipFile, Architectures: ["arm64"] });
    assert.equal(after.CodeSize, ZipFile.length);
    assert.notEqual(after.CodeSha256, before.CodeSha256);
    assert.notEqual(after.RevisionId, before.RevisionId);
    assert.deepEqual(after.Architectures, ["arm64"]);
    functions.sandbox.clock.advance(PENDING);
    await assert.rejects(send({ ZipFile: Buffer.from("not a zip") }), InvalidParameterValueException);
    await assert.rejects(send({ S3Bucket: "b", S3Key: "k" }), /ZipFile/);
    await assert.rejects(send({ ZipFile, RevisionId: before.RevisionId }), (error) => {
      assert.ok(error instanceof PreconditionFailedException);
      assert.equal(error.$metadata.httpStatusCode, 412);
      return true;
    });
  });

  test("code may be larger than other requests", async () => {
    const ZipFile = zipSync({ "index.js": new Uint8Array(3 * 1024 * 1024) }, { level: 0 });
    const { CodeSize } = await functions.make("large", { Code: { ZipFile } });
    assert.equal(CodeSize, ZipFile.length);
  });

  test("tags come, change and go", async () => {
    const { client } = functions;
    const { FunctionArn: Resource = "" } = await functions.make("probe", { Tags: { a: "1", b: "2" } });
    const tagged = await client.send(new TagResourceCommand({ Resource, Tags: { b: "3", "c d": "ä&" } }));
    assert.equal(tagged.$metadata.httpStatusCode, 204);
    await client.send(new UntagResourceCommand({ Resource, TagKeys: ["a", "x y"] }));
    const { Tags } = await client.send(new ListTagsCommand({ Resource }));
    assert.deepEqual(Tags, { b: "3", "c d": "ä&" });
    const aws = new TagResourceCommand({ Resource, Tags: { "aws:x": "" } });
    await assert.rejects(client.send(aws), InvalidParameterValueException);
    await assert.rejects(client.send(new ListTagsCommand({ Resource: "probe" })), {
      name: "ValidationException",
    });
    const nobody = new ListTagsCommand({ Resource: arnOf("other") });
    await assert.rejects(client.send(nobody), ResourceNotFoundException);
  });

  const refused: readonly [what: string, code: string, more: object][] = [
    ["a role that is none", "ValidationException", { Role: "functions" }],
    ["a role of another account", "AccessDeniedException", { Role: "arn:aws:iam::222222222222:role/x" }],
    ["an old runtime", "InvalidParameterValueException", { Runtime: "nodejs16.x" }],
    ["a runtime that is none", "InvalidParameterValueException", { Runtime: "nodejs" }],
    ["a runtime that is not here", "InvalidParameterValueException", { Runtime: "python3.13" }],
    ["no runtime", "InvalidParameterValueException", { Runtime: undefined }],
    ["no handler", "InvalidParameterValueException", { Handler: undefined }],
    ["a handler with spaces", "ValidationException", { Handler: "index handler" }],
    ["no code", "InvalidParameterValueException", { Code: {} }],
    ["code in S3", "InvalidParameterValueException", { Code: { S3Bucket: "b", S3Key: "k" } }],
    ["code that is no zip", "InvalidParameterValueException", { Code: { ZipFile: Buffer.from("PK") } }],
    ["an archive without a file", "InvalidParameterValueException", { Code: { ZipFile: zipSync({}) } }],
    [
      "an archive that leads out",
      "InvalidParameterValueException",
      { Code: { ZipFile: zipped({ "../index.js": "" }) } },
    ],
    [
      "a variable of Lambda's own",
      "InvalidParameterValueException",
      { Environment: { Variables: { AWS_REGION: "x" } } },
    ],
    ["a timeout of 901", "ValidationException", { Timeout: 901 }],
    ["memory of 64", "ValidationException", { MemorySize: 64 }],
    ["a disk of 100", "ValidationException", { EphemeralStorage: { Size: 100 } }],
    ["a long description", "ValidationException", { Description: "x".repeat(257) }],
    ["a variable's name", "ValidationException", { Environment: { Variables: { "1": "x" } } }],
    [
      "too large an environment",
      "InvalidParameterValueException",
      { Environment: { Variables: { AB: "x".repeat(4_096) } } },
    ],
    ["an image", "InvalidParameterValueException", { PackageType: "Image" }],
    ["layers", "InvalidParameterValueException", { Layers: ["arn:aws:lambda:x"] }],
    ["a version", "InvalidParameterValueException", { Publish: true }],
    ["tracing", "InvalidParameterValueException", { TracingConfig: { Mode: "Active" } }],
    ["an architecture", "InvalidParameterValueException", { Architectures: ["riscv"] }],
    ["a long name", "ValidationException", { FunctionName: "x".repeat(65) }],
    ["a tag of AWS's", "InvalidParameterValueException", { Tags: { "aws:x": "y" } }],
  ];
  for (const [what, code, more] of refused)
    test(`refused: ${what}`, async () => {
      await assert.rejects(functions.make("probe", more), { name: code });
      await assert.rejects(functions.shown("probe"), ResourceNotFoundException);
    });

  test("what clients say without meaning anything is no refusal", async () => {
    await functions.make("probe", { Layers: [], Publish: false, TracingConfig: { Mode: "PassThrough" } });
  });

  test("what is not said is missed by name", async () => {
    const input = { FunctionName: "probe", Role: ROLE } as never;
    await assert.rejects(functions.client.send(new CreateFunctionCommand(input)), {
      name: "ValidationException",
      message: /Value null at 'code' failed to satisfy constraint: Member must not be null/,
    });
  });

  test("a creation and an update fail when the setting asks for it", async () => {
    const fail = (lambdaFailure: string) => functions.sandbox.own("PATCH settings", { lambdaFailure });
    await functions.makeActive("old");
    await fail("EniLimitExceeded");
    await functions.make("probe");
    await functions.change("old", { Timeout: 4 });
    await fail("");
    functions.sandbox.clock.advance(PENDING);
    const probe = await functions.shown("probe");
    assert.deepEqual([probe.State, probe.StateReasonCode], ["Failed", "EniLimitExceeded"]);
    await assert.rejects(functions.change("probe", { Timeout: 4 }), ResourceConflictException);
    const old = await functions.shown("old");
    assert.deepEqual(
      [old.State, old.LastUpdateStatus, old.LastUpdateStatusReasonCode],
      ["Active", "Failed", "EniLimitExceeded"],
    );
    await functions.change("old", { Timeout: 5 });
    functions.sandbox.clock.advance(PENDING);
    assert.deepEqual(await statesOf("old"), ["Active", "Successful"]);
    await functions.remove("probe");
  });

  test("throttled and failing as Lambda does: one bucket for all but the reads of a function", async () => {
    await functions.makeActive("probe");
    const fault = (kind: string) =>
      functions.sandbox.own("POST faults", { operation: "GetFunctionConfiguration", kind, count: 1 });
    await fault("error");
    await assert.rejects(functions.shown("probe"), ServiceException);
    await fault("notFound");
    await assert.rejects(functions.shown("probe"), ResourceNotFoundException);
    await functions.sandbox.own("PATCH settings", { throttling: true });
    const through = async (count: number, call: () => Promise<unknown>) => {
      const outcomes = await Promise.allSettled(Array.from({ length: count }, call));
      const refused = outcomes.flatMap((one) => (one.status === "rejected" ? one.reason : []));
      assert.ok(refused.every((error) => error instanceof TooManyRequestsException));
      return count - refused.length;
    };
    assert.equal(await through(20, () => functions.shown("probe")), 15);
    assert.equal(await through(3, () => functions.change("probe", {})), 0);
    const get = () => functions.client.send(new GetFunctionCommand({ FunctionName: "probe" }));
    assert.equal(await through(20, get), 20);
    functions.sandbox.clock.advance(INTERFACE_PENDING);
    assert.equal(await through(10, () => functions.shown("probe")), 7);
  });

  test("a function that was just made may not be seen yet", async () => {
    await functions.sandbox.own("PATCH settings", { unseenMsMin: 50, unseenMsMax: 50 });
    await functions.make("probe");
    await assert.rejects(functions.shown("probe"), ResourceNotFoundException);
    await assert.rejects(functions.make("probe"), ResourceConflictException);
    functions.sandbox.clock.advance(50);
    assert.equal((await functions.shown("probe")).State, "Pending");
  });
});
