import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Failure } from "../../domain/failure.ts";
import { DrivenClock } from "../../sandbox/testing.ts";
import { quotaMemory } from "./quotaMemory.ts";
import type { Limits } from "./quotaUse.ts";
import { cellIn } from "./testing.ts";

const HOME = cellIn("us-east-1");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A Service Quotas of one quota; `answer` is its limit, or how it fails. */
function service(clock: DrivenClock) {
  const said: { answer: number | Failure; asked: number } = { answer: 5, asked: 0 };
  const memory = quotaMemory(clock, async (): Promise<Limits> => {
    said.asked += 1;
    await Promise.resolve();
    if (said.answer instanceof Failure) throw said.answer;
    return new Map([["L-0263D0A3", said.answer]]);
  });
  const limit = async (age: "hour" | "minute") => (await memory.limits(HOME, age)).get("L-0263D0A3");
  return { said, memory, limit };
}

describe("limits that were asked for", () => {
  test("are kept for an hour, or for a minute where a higher one is waited for", async () => {
    const clock = new DrivenClock();
    const { said, limit } = service(clock);
    assert.equal(await limit("hour"), 5);
    said.answer = 9;
    clock.advance(MINUTE - 1);
    assert.equal(await limit("minute"), 5);
    clock.advance(1);
    assert.equal(await limit("hour"), 5);
    assert.equal(await limit("minute"), 9);
    said.answer = 12;
    clock.advance(HOUR);
    assert.equal(await limit("hour"), 12);
    assert.equal(said.asked, 3);
  });

  test("are asked for once by all who ask at the same time, and for each cell", async () => {
    const { said, memory } = service(new DrivenClock());
    await Promise.all([memory.limits(HOME, "hour"), memory.limits(HOME, "minute")]);
    assert.equal(said.asked, 1);
    await memory.limits(cellIn("us-east-2"), "hour");
    assert.equal(said.asked, 2);
  });

  test("of the same day stand in while AWS does not answer, and for no other reason", async () => {
    const clock = new DrivenClock();
    const { said, limit } = service(clock);
    said.answer = new Failure("unavailable", "no answer");
    await assert.rejects(limit("hour"), { code: "unavailable" });
    said.answer = 5;
    assert.equal(await limit("hour"), 5);
    clock.advance(2 * HOUR);
    said.answer = new Failure("unavailable", "no answer");
    assert.equal(await limit("hour"), 5);
    said.answer = new Failure("forbidden", "not allowed");
    await assert.rejects(limit("hour"), { code: "forbidden" });
    clock.advance(24 * HOUR);
    said.answer = new Failure("unavailable", "no answer");
    await assert.rejects(limit("hour"), { code: "unavailable" });
  });
});
