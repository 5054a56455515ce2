import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { unreadCondition } from "./quotaNeeds.ts";

describe("quotas that cannot be read", () => {
  const why = "AWS does not answer servicequotas:ListServiceQuotas";
  const first = unreadCondition({ why, before: undefined, now: 1_000 });

  test("are AWS's move at first, and nothing was created", () => {
    assert.deepEqual([first.state, first.actor, first.since], ["waiting", "aws", 1_000]);
    assert.equal(first.message, `AWS's quotas cannot be read, so nothing was created yet: ${why}`);
  });

  test("are the operator's after ten minutes, and it is told since when", () => {
    const soon = unreadCondition({ why, before: first, now: 600_999 });
    assert.deepEqual([soon.state, soon.since], ["waiting", 1_000]);
    const late = unreadCondition({ why, before: soon, now: 601_000 });
    assert.deepEqual([late.state, late.actor, late.since], ["blocked", "operator", 1_000]);
    assert.match(late.message, /cannot be read for 10 min now, so nothing was created yet/);
    assert.match(late.hint ?? "", /https:\/\/health\.aws\.amazon\.com/);
    const later = unreadCondition({ why, before: late, now: 3_601_000 });
    assert.match(later.message, /for 60 min now/);
  });
});
