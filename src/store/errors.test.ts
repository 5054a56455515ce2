/** The table of database errors: by code, and without one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Failure } from "../domain/failure.ts";
import { asksForRetry, connectionFailure, databaseFailure, losesConnection } from "./errors.ts";

const thrown = (code: string, constraint?: string) => Object.assign(new Error("words"), { code, constraint });

describe("database errors", () => {
  for (const [code, expected] of [
    ["23505", "conflict"],
    ["23P01", "conflict"],
    ["40001", "unavailable"],
    ["40P01", "unavailable"],
    ["55P03", "unavailable"],
    ["57014", "unavailable"],
    ["57P01", "unavailable"],
    ["57P03", "unavailable"],
    ["08006", "unavailable"],
    ["53100", "unavailable"],
    ["53300", "unavailable"],
    ["ECONNREFUSED", "unavailable"],
    ["ECONNRESET", "unavailable"],
    ["22021", "invalid"],
    ["23503", "internal"],
    ["42P01", "internal"],
    ["constructor", "internal"],
  ] as const)
    test(`${code} is ${expected}`, () => {
      assert.equal(databaseFailure(thrown(code)).code, expected);
      assert.equal(connectionFailure(thrown(code)).code, expected);
    });

  test("the words of the database stay in the log", () => {
    const failure = databaseFailure(thrown("23505", "dataset_living_name"));
    assert.equal(failure.message, "A dataset of that name exists already");
    assert.match(failure.detail ?? "", /words/);
  });

  test("a network driver's error without a code is a lost connection, unless it is a bug", () => {
    const lost = connectionFailure(new Error("Connection terminated unexpectedly"));
    assert.equal(lost.code, "unavailable");
    assert.ok(losesConnection(lost));
    assert.equal(connectionFailure(new TypeError("x is not a function")).code, "internal");
    assert.equal(databaseFailure(new Error("words")).code, "internal");
    const refused = new AggregateError([thrown("ECONNREFUSED")]);
    assert.equal(connectionFailure(refused).code, "unavailable");
  });

  test("a statement that took too long keeps its connection; a server that ended it does not", () => {
    assert.equal(losesConnection(connectionFailure(thrown("57014"))), false);
    assert.equal(losesConnection(connectionFailure(thrown("57P01"))), true);
    assert.equal(losesConnection(connectionFailure(thrown("23505"))), false);
  });

  test("only serialization failures and deadlocks are run again", () => {
    assert.ok(asksForRetry(databaseFailure(thrown("40001"))));
    assert.ok(asksForRetry(databaseFailure(thrown("40P01"))));
    assert.ok(!asksForRetry(databaseFailure(thrown("57014"))));
    assert.ok(!asksForRetry(new Failure("unavailable", "throttled")));
  });
});
