/**
 * Datasets that come all at once: the rate limits are kept and used up, the looks are shared, and the wait is
 * said. `npm run bench:fleet` does the same with a hundred.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { rateOf } from "../src/sandbox/rates.ts";
import { bound, createFleet, type Fleet, throttled } from "./support/fleet.ts";
import { awsSettings } from "./support/plane.ts";

const DATASETS = 15;

describe(`${DATASETS} datasets at once, under AWS's rate limits and times`, () => {
  let alone: Fleet;
  let fleet: Fleet;
  before(async () => {
    alone = await createFleet({ datasets: 1 });
    fleet = await createFleet({ datasets: DATASETS, peekAtMs: 30_000 });
  });

  test("AWS's own limit is the only one: the last is ACTIVE soon after the bound", () => {
    const least = bound(alone, DATASETS, awsSettings());
    const last = fleet.readyMs.at(-1) ?? 0;
    assert.equal(least.action, "CreateNatGateway");
    assert.ok(last <= 1.2 * least.ms, `${last} ms, where ${least.ms} ms are the least`);
  });

  test("nearly no call is throttled", () => {
    assert.ok(throttled(fleet) < fleet.sent.length / 100, `${throttled(fleet)} of ${fleet.sent.length}`);
  });

  test("no change is made twice or in vain", () => {
    const changes = ({ sent }: Fleet) => sent.filter(({ mutating }) => mutating).length;
    assert.ok(changes(fleet) <= DATASETS * changes(alone));
  });

  test("networks are looked at together: far fewer reads than one by one", () => {
    const reads = ({ sent }: Fleet) => sent.filter(({ mutating }) => !mutating).length;
    assert.ok(
      reads(fleet) < (DATASETS * reads(alone)) / 2,
      `${reads(fleet)} against ${reads(alone)} for one`,
    );
  });

  test("no read comes near to its limit", () => {
    const looks = Map.groupBy(
      fleet.sent.filter(({ mutating }) => !mutating),
      ({ operation, at }) => `${operation} ${Math.floor(at / 5_000)}`,
    );
    for (const [name, { length }] of looks) {
      const rate = rateOf({ service: "ec2", action: name.split(" ")[0] ?? "", has: () => true });
      assert.ok(length <= 5 * (rate?.refillPerSecond ?? 0), `${name}: ${length} in five seconds`);
    }
  });

  test("the conditions say which limit is waited for, and how long", () => {
    const waiting = fleet.peeked.filter(({ message }) =>
      /^waits for AWS's rate limit of CreateNatGateway: \d+ calls? ahead, about \d+ s$/.test(message),
    );
    assert.ok(waiting.length >= 3, `${waiting.length} conditions say so`);
    for (const { resource, state, actor } of waiting) {
      assert.match(resource, /^nat\//);
      assert.deepEqual([state, actor], ["waiting", "aws"]);
    }
  });

  test("the log says what is waited for, not too often", () => {
    const waits = fleet.log.filter(({ event }) => event === "calls wait for aws's rate limit");
    assert.ok(waits.some(({ action }) => action === "CreateNatGateway"));
    for (const lines of Map.groupBy(waits, ({ action }) => action).values())
      for (const [index, line] of lines.entries())
        assert.ok(index === 0 || Number(line.at) - Number(lines[index - 1]?.at) >= 30_000);
  });
});

test("a stop ends all waits at once, and nothing is sent afterwards", async () => {
  const fleet = await createFleet({ datasets: DATASETS, stopAtMs: 6_000 });
  assert.ok(fleet.endedMs <= 6_100, `ended after ${fleet.endedMs} ms`);
  assert.ok(fleet.sent.some(({ operation }) => operation === "CreateSubnet"));
  const begun = fleet.sent[0]?.at ?? 0;
  assert.deepEqual(
    fleet.sent.filter(({ at, mutating }) => mutating && at - begun > 6_000),
    [],
  );
  assert.equal(fleet.log.filter(({ level }) => level === "error").length, 0);
});
