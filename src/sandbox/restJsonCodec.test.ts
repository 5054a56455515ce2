/** REST-JSON where the SDK's own clients never go: odd paths, odd bodies, errors of every kind. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as kafka from "@aws-sdk/client-kafka";
import * as lambda from "@aws-sdk/client-lambda";
import type { Asked } from "./codec.ts";
import { AwsError } from "./errors.ts";
import { KAFKA_REFUSALS } from "./kafkaErrors.ts";
import { LAMBDA_REFUSALS } from "./lambdaErrors.ts";
import { restJson } from "./restJsonCodec.ts";

const KAFKA = restJson(kafka, KAFKA_REFUSALS);
const LAMBDA = restJson(lambda, LAMBDA_REFUSALS);
const ARN = "arn:aws:kafka:us-east-1:111111111111:cluster/clicks/1-2";
const ENCODED = encodeURIComponent(ARN);

interface Sent {
  readonly body?: string;
  readonly headers?: Record<string, string[]>;
}

/** `ask(KAFKA, "GET /v1/clusters")` */
function ask(protocol: typeof KAFKA, line: string, { body = "", headers = {} }: Sent = {}): Asked {
  const [method = "", url = ""] = line.split(" ");
  return protocol.ask({ method, url, headers, body: Buffer.from(body) });
}

describe("routes", () => {
  const routes: readonly [typeof KAFKA, line: string, action: string][] = [
    [KAFKA, "GET /v1/clusters", "ListClusters"],
    [KAFKA, "GET /v1/clusters/", "ListClusters"],
    [KAFKA, "POST /v1/clusters", "CreateCluster"],
    [KAFKA, "GET /api/v2/clusters", "ListClustersV2"],
    [KAFKA, `GET /v1/clusters/${ENCODED}`, "DescribeCluster"],
    [KAFKA, `GET /v1/clusters/${ENCODED}/nodes?maxResults=2`, "ListNodes"],
    [KAFKA, `DELETE /v1/clusters/${ENCODED}`, "DeleteCluster"],
    [KAFKA, `GET /v1/clusters/${ENCODED}/nowhere`, ""],
    [KAFKA, `PATCH /v1/clusters/${ENCODED}`, ""],
    [KAFKA, "GET /", ""],
    [KAFKA, "GET /v1/clustersX", ""],
    [LAMBDA, "GET /2018-10-31/layers", "ListLayers"],
    [LAMBDA, "GET /2018-10-31/layers?find=LayerVersion&Arn=x", "GetLayerVersionByArn"],
    [
      LAMBDA,
      "GET /2019-09-30/functions/f/provisioned-concurrency?Qualifier=1",
      "GetProvisionedConcurrencyConfig",
    ],
    [
      LAMBDA,
      "GET /2019-09-30/functions/f/provisioned-concurrency?List=ALL",
      "ListProvisionedConcurrencyConfigs",
    ],
  ];
  for (const [protocol, line, action] of routes)
    test(`${line} is ${action || "nothing"}`, () => assert.equal(ask(protocol, line).action, action));

  test("what is nothing is said to be, and what is not here too", () => {
    assert.deepEqual([KAFKA.unknown("").code, KAFKA.unknown("").status], ["UnknownOperationException", 404]);
    assert.match(KAFKA.unknown("RebootBroker").message, /RebootBroker/);
  });
});

describe("reading", () => {
  test("labels, queries and headers become what the schema says", () => {
    assert.deepEqual(ask(KAFKA, `GET /v1/clusters/${ENCODED}/nodes?maxResults=2&other=x`).input(), {
      ClusterArn: ARN,
      MaxResults: 2,
    });
    const untag = `DELETE /v1/tags/${ENCODED}?tagKeys=a%20b&tagKeys=c%26d`;
    assert.deepEqual(ask(KAFKA, untag).input(), { ResourceArn: ARN, TagKeys: ["a b", "c&d"] });
    const invoke = ask(LAMBDA, "POST /2015-03-31/functions/f/invocations", {
      headers: { "x-amz-invocation-type": ["Event"] },
      body: "{}",
    });
    assert.deepEqual(invoke.input(), {
      FunctionName: "f",
      InvocationType: "Event",
      Payload: new Uint8Array(Buffer.from("{}")),
    });
  });

  const refused: readonly [what: string, asked: Asked, code: string, message: RegExp][] = [
    ["no JSON", ask(KAFKA, "POST /v1/clusters", { body: "{" }), "BadRequestException", /not JSON/],
    ["no structure", ask(KAFKA, "POST /v1/clusters", { body: "[]" }), "BadRequestException", /no structure/],
    [
      "a missing member",
      ask(KAFKA, "POST /v1/clusters", { body: "{}" }),
      "BadRequestException",
      /must not be null/,
    ],
    [
      "another type",
      ask(KAFKA, `POST /v1/tags/${ENCODED}`, { body: '{"tags":{"a":1}}' }),
      "BadRequestException",
      /tags is no string/,
    ],
    [
      "a query that is no number",
      ask(KAFKA, "GET /v1/clusters?maxResults=many"),
      "BadRequestException",
      /maxResults is no number/,
    ],
    [
      "a label that is not URL-encoded",
      ask(KAFKA, "GET /v1/clusters/%zz"),
      "BadRequestException",
      /URL-encoded/,
    ],
    [
      "no JSON for Lambda",
      ask(LAMBDA, "POST /2015-03-31/functions", { body: "no" }),
      "InvalidRequestContentException",
      /Could not parse request body into json/,
    ],
    [
      "a missing member for Lambda",
      ask(LAMBDA, "POST /2015-03-31/functions", { body: "{}" }),
      "ValidationException",
      /Value null at 'functionName'/,
    ],
  ];
  for (const [what, asked, code, message] of refused)
    test(`refused: ${what}`, () => assert.throws(() => asked.input(), { name: "AwsError", code, message }));
});

describe("errors", () => {
  const said = (protocol: typeof KAFKA, error: AwsError) => {
    const { status, headers, body } = protocol.error("r", error);
    return { status, type: headers?.["x-amzn-errortype"], body: JSON.parse(String(body)) };
  };

  test("have the status and the members of their shape", () => {
    const members = { InvalidParameter: "clusterName" };
    assert.deepEqual(said(KAFKA, new AwsError("ConflictException", "taken", { members })), {
      status: 409,
      type: "ConflictException",
      body: { invalidParameter: "clusterName", message: "taken" },
    });
    const type = { members: { Type: "User", Nonsense: "x" } };
    assert.deepEqual(said(LAMBDA, new AwsError("ResourceNotFoundException", "gone", type)).body, {
      Type: "User",
      Message: "gone",
    });
  });

  test("without a shape say their sentence, and any status that is asked for stays", () => {
    assert.deepEqual(said(KAFKA, new AwsError("InvalidSignatureException", "no", 403)), {
      status: 403,
      type: "InvalidSignatureException",
      body: { message: "no" },
    });
    assert.equal(said(KAFKA, new AwsError("NotFoundException", "x", 503)).status, 503);
  });
});
