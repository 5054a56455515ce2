import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { brokerThatAnswers, bytes, int32, text } from "./testing/oneAnswer.ts";
import { createTopic, KafkaRefusal, topicsSeen } from "./topicWire.ts";

const TOPIC = { name: "events", partitions: 2, replicationFactor: 3, configs: { a: "b" } };

/** The answer to a topic's creation. */
const created = (code: number, message = "") => {
  const said = message === "" ? bytes(0) : text(message);
  const rest = [int32(2), bytes(0, 3), bytes(1), bytes(0)];
  return Buffer.concat([int32(0), bytes(2), text("events"), bytes(0, code), said, ...rest, bytes(0)]);
};

describe("what Kafka is asked about topics", () => {
  test("which there are, in order of partition and without Kafka's own", async () => {
    const partition = (number: number, leader: number) =>
      Buffer.concat([
        ...[bytes(0, 0), int32(number), int32(leader), int32(7)],
        ...[bytes(3), int32(1), int32(2), bytes(2), int32(leader), bytes(1), bytes(0)],
      ]);
    const topic = (name: string, isOwn: number) =>
      Buffer.concat([
        ...[bytes(0, 0), text(name), Buffer.alloc(16), bytes(isOwn)],
        ...[bytes(3), partition(1, 2), partition(0, 1), int32(0), bytes(0)],
      ]);
    const broker = [int32(1), text("10.1.0.4"), int32(9095), text("rack"), bytes(0)];
    const { socket, asked } = await brokerThatAnswers(
      Buffer.concat([
        ...[int32(0), bytes(2), ...broker, text("cluster"), int32(1)],
        ...[bytes(3), topic("events", 0), topic("__consumer_offsets", 1), bytes(0)],
      ]),
    );
    const replicas = [1, 2];
    assert.deepEqual(
      [...(await topicsSeen(socket)).values()],
      [
        {
          name: "events",
          partitions: [
            { leader: 1, replicas, inSync: [1] },
            { leader: 2, replicas, inSync: [2] },
          ],
        },
      ],
    );
    // Length, key 3, version 12, correlation id, no client id, no tags; all topics, none made, no rights, no tags.
    assert.equal(asked[0]?.toString("hex"), "0000000f0003000c00000003ffff0000000000");
  });

  test("to make one; that it is there already is as good", async () => {
    for (const code of [0, 36]) {
      const { socket, asked } = await brokerThatAnswers(created(code));
      await createTopic(socket, TOPIC);
      const one = [text("events"), int32(2), bytes(0, 3), bytes(1), bytes(2), text("a"), text("b")];
      assert.ok(asked[0]?.includes(Buffer.concat(one)));
    }
  });

  test("and a refusal says whether it may succeed later", async () => {
    for (const [code, maySucceedLater] of [
      [38, true],
      [7, true],
      [40, false],
    ] as const) {
      const { socket } = await brokerThatAnswers(created(code, "not so"));
      await assert.rejects(createTopic(socket, TOPIC), (thrown) => {
        assert.ok(thrown instanceof KafkaRefusal);
        assert.deepEqual([thrown.message, thrown.maySucceedLater], ["not so", maySucceedLater]);
        return true;
      });
    }
  });
});
