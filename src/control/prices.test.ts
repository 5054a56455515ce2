import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../domain/failure.ts";
import { pricesFrom } from "./prices.ts";

function refusal(text: string): Failure {
  try {
    pricesFrom(text, "mine.json");
  } catch (thrown) {
    assert.ok(thrown instanceof Failure && thrown.code === "invalid");
    return thrown;
  }
  throw new Error("it was not refused");
}

test("a table that is right is taken", () => {
  const { date } = pricesFrom('{"date":"2026-12-01","regions":{"us-west-2":{}}}', "mine.json");
  assert.equal(date, "2026-12-01");
});

test("what is wrong is named with file, field and what to do", () => {
  assert.match(refusal("{").message, /^Prices file mine\.json is not JSON: /);
  assert.match(refusal("[]").message, /^Prices file mine\.json: it must be an object$/);
  const wrong = '{"date":"2026-12-01","regions":{"us-west-2":{"natGateway":{"hourlyUsd":"1","source":"x"}}}}';
  const { message, hint } = refusal(wrong);
  assert.equal(
    message,
    "Prices file mine.json: regions.us-west-2.natGateway.hourlyUsd must be a number of dollars, 0 or more",
  );
  assert.match(hint ?? "", /examples\/prices\.json/);
});
