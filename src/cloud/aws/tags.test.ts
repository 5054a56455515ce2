import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StepCall } from "../cloud.ts";
import { clientToken, tags, tagValue } from "./tags.ts";

function call(change: { attempt?: number; key?: string; network?: string; name?: string } = {}): StepCall {
  return {
    network: {
      id: change.network ?? "net-1",
      tenantId: "ten-1",
      datasetId: "ds-1",
      datasetName: change.name ?? "Clicks",
      vpcIds: [],
    },
    step: { do: "allocateAddress", key: change.key ?? "address/0" },
    attempt: change.attempt ?? 1,
  };
}

describe("tags", () => {
  test("say whose it is, what it is and which try made it", () => {
    const made = tags("inst-1", call({ attempt: 3 }));
    assert.deepEqual(Object.fromEntries(made.map((tag) => [tag.Key, tag.Value])), {
      "letsdata:installation": "inst-1",
      "letsdata:tenant": "ten-1",
      "letsdata:dataset": "ds-1",
      "letsdata:key": "address/0",
      "letsdata:attempt": "3",
      Name: "letsdata-Clicks-address/0",
    });
  });

  test("keep within AWS's 256 characters", () => {
    const name = tagValue(tags("i", call({ name: "x".repeat(400) })), "Name");
    assert.equal(name?.length, 256);
  });
});

describe("clientToken", () => {
  test("is the same for the same try, and another for every other", () => {
    const same = clientToken("i", call());
    assert.equal(clientToken("i", call()), same);
    const others = [
      clientToken("j", call()),
      clientToken("i", call({ attempt: 2 })),
      clientToken("i", call({ key: "address/1" })),
      clientToken("i", call({ network: "net-2" })),
    ];
    assert.equal(new Set([same, ...others]).size, 5);
  });

  test("fits into AWS's 64 ASCII characters", () => {
    assert.match(clientToken("i", call()), /^[\x21-\x7e]{1,64}$/);
  });
});
