import assert from "node:assert/strict";
import { test } from "node:test";
import { CallError, retryAfterMs } from "./callError.ts";

const PLACE = { action: "ec2:CreateVpc", region: "us-east-1", endpoint: "http://localhost" };
const NOW = Date.UTC(2026, 0, 1);

function answeredWith(headers: Record<string, string>): CallError {
  const refusal = { name: "TooManyRequestsException", message: "slow down", $fault: "client" };
  return new CallError({ ...refusal, $response: { statusCode: 429, headers } }, PLACE);
}

test("an answer may say how long to be silent: in seconds, or until a date", () => {
  assert.equal(retryAfterMs(answeredWith({ "retry-after": "7" }), NOW), 7_000);
  const date = new Date(NOW + 90_000).toUTCString();
  assert.equal(retryAfterMs(answeredWith({ "retry-after": date }), NOW), 90_000);
});

test("what says nothing, nothing to read, or a moment gone by, asks for nothing", () => {
  for (const text of ["", "soon", "-3", new Date(NOW - 90_000).toUTCString()])
    assert.equal(retryAfterMs(answeredWith({ "retry-after": text }), NOW), 0, text);
  assert.equal(retryAfterMs(answeredWith({}), NOW), 0);
  assert.equal(retryAfterMs(new CallError(new Error("cut off"), PLACE), NOW), 0);
});
