import assert from "node:assert/strict";
import { test } from "node:test";
import { hasKafkaRoom } from "./kafkaRoom.ts";
import type { ClusterRow } from "./serviceRows.ts";
import { Table } from "./state.ts";

const PLACE = { account: "111111111111", region: "us-east-1", at: 0, tags: [] };

test("clusters that go, have failed or are plain listeners leave room for one more that runs Kafka", () => {
  const clusters = new Table<ClusterRow>("clusters");
  const around = { tables: { clusters }, settings: { kafkaClusters: 2 } };
  const put = (id: string, more: Partial<ClusterRow>) => {
    // Of the rest of a row nothing is read.
    clusters.put({ ...PLACE, id, ...more } as ClusterRow);
    return hasKafkaRoom(around);
  };
  assert.equal(put("plain", {}), true);
  assert.equal(put("first", { brokers: {} }), true);
  assert.equal(put("second", { brokers: {} }), false);
  assert.equal(put("first", { brokers: {}, deletedAt: 1 }), true);
  assert.equal(put("third", { brokers: {} }), false);
  assert.equal(put("third", { brokers: {}, failsAt: 1 }), true);
  assert.equal(hasKafkaRoom({ ...around, settings: { kafkaClusters: 0 } }), false);
});
