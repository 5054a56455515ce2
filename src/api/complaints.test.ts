import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { operations } from "../contract/operations.ts";
import { checked, refuse } from "./complaints.ts";
import { nearest } from "./nearest.ts";

const good = {
  datasetName: "Clicks",
  region: "us-east-1",
  customerAccountForAccess: "123456789012",
  writeConnector: { connectorDestination: "Kafka" },
};

function complaints(schema: z.ZodObject, value: unknown): Record<string, string> {
  return Object.fromEntries(checked(schema, value).problems.map(({ field, message }) => [field, message]));
}

const dataset = operations["datasets.create"].body;

describe("a dataset's configuration", () => {
  test("gets its defaults and keeps what it brings along", () => {
    const { fields, problems } = checked(dataset, { ...good, computeEngine: { kind: "Lambda" } });
    assert.deepEqual(problems, []);
    assert.deepEqual(fields.writeConnector, {
      connectorDestination: "Kafka",
      resourceLocation: "letsdata",
      vpcSize: "small",
    });
    assert.deepEqual(fields.computeEngine, { kind: "Lambda" });
  });

  test("is told all its problems at once, each by its path", () => {
    const found = complaints(dataset, {
      datasetName: "my data",
      region: "us-est-1",
      writeConnector: { connectorDestination: "Kafka", vpcSize: "huge", vpcCidrBlock: "10.4.8.1/25" },
    });
    assert.deepEqual(found, {
      datasetName: 'datasetName "my data" is not right: it must be 1 to 63 letters and digits, nothing else',
      region:
        'region "us-est-1" is not allowed: one of us-east-1, us-east-2, us-west-2, eu-west-1, ap-south-1, ' +
        "ap-northeast-1; did you mean us-east-1?",
      customerAccountForAccess:
        "customerAccountForAccess is missing (The AWS account that may peer: 12 digits)",
      "writeConnector.vpcSize": 'writeConnector.vpcSize "huge" is not allowed: one of small, medium, large',
      "writeConnector.vpcCidrBlock":
        'writeConnector.vpcCidrBlock: "10.4.8.1/25" has host bits set: the block is 10.4.8.0/25',
    });
  });

  test("a slip in a name is refused, not kept as something else", () => {
    const found = complaints(dataset, {
      ...good,
      writeConnector: { connectorDestination: "Kafka", vpcSzie: "large", topics: 3 },
    });
    assert.deepEqual(Object.keys(found), ["writeConnector.vpcSzie"]);
    assert.match(found["writeConnector.vpcSzie"] ?? "", /did you mean vpcSize\?$/);
  });

  test("must be an object", () => {
    assert.deepEqual(complaints(dataset, []), { "": "The body must be a JSON object" });
  });
});

describe("numbers", () => {
  const settings = operations["settings.update"].body;
  for (const odd of [null, true, "", " ", [], "0x10", "1e3"])
    test(`${JSON.stringify(odd)} is none`, () => {
      assert.match(
        complaints(settings, { quarantineSeconds: odd }).quarantineSeconds ?? "",
        /must be a whole number/,
      );
    });
  test("digits are", () => {
    assert.deepEqual(checked(settings, { quarantineSeconds: "60" }).fields, { quarantineSeconds: 60 });
  });
  test("limits are named", () => {
    const list = operations["datasets.list"].query;
    assert.deepEqual(complaints(list, { limit: "1001" }), { limit: "limit 1001 is too large: at most 1000" });
    assert.deepEqual(complaints(list, { limit: "ten" }), {
      limit: 'limit must be a whole number, not "ten"',
    });
    assert.match(complaints(list, { limit: "1.5" }).limit ?? "", /whole number/);
  });
});

test("yes and no are explained in two words", () => {
  const list = operations["vpcs.list"].query;
  assert.deepEqual(complaints(list, { peeringGuide: "maybe" }), {
    peeringGuide: 'peeringGuide "maybe" is not allowed: true or false',
  });
});

test("unknown fields are refused with those that are known", () => {
  const schema = operations["datasets.list"].query;
  assert.equal(
    complaints(schema, { curser: "x" }).curser,
    "curser is not known: known are tenantName, limit, cursor; did you mean cursor?",
  );
  assert.equal(complaints(z.object({}), { x: "1" }).x, "x is not known: nothing is expected here");
});

test("one problem stands alone, several stand in a list", () => {
  const one = { field: "a", message: "a is wrong" };
  assert.equal(refuse([one]).message, "a is wrong");
  assert.equal(
    refuse([one, { field: "b", message: "b is too" }]).message,
    "2 things are wrong:\n- a is wrong\n- b is too",
  );
});

test("the nearest word: swapped, left out, added and wrong letters count one each", () => {
  const words = ["small", "medium", "large"];
  assert.equal(nearest("samll", words), "small");
  assert.equal(nearest("LARGE", words), "large");
  assert.equal(nearest("medum", words), "medium");
  assert.equal(nearest("tiny", words), null);
  assert.equal(nearest("x".repeat(5000), words), null);
});
