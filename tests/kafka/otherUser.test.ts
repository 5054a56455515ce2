/**
 * Brokers that are Kafka, and plain ones, for a user without any rights: namespaces of one's own must be enough for
 * them too. With FULL=1, where Java is.
 */
import assert from "node:assert/strict";
import path from "node:path";
import { describe, test } from "node:test";
import { place, testAsNobody, whyNobody } from "../packets/nobody.ts";
import { whyNot } from "./fullKafka.ts";
import { KAFKA_HOME } from "./kafkaNetwork.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const FILES = ["tests/kafka/listeners.test.ts", "tests/kafka/topics.test.ts"];
/** All tests of both. */
const LEAST = 12;

const skip = (await whyNot()) || (await whyNobody());

describe("brokers of a user without rights", { skip, timeout: 900_000 }, () => {
  test("are those of root", async (t) => {
    const inside = path.relative(ROOT, KAFKA_HOME);
    const home = inside.startsWith("..") ? KAFKA_HOME : path.join(place, inside);
    const { code, output, passed, skipped } = await testAsNobody(FILES, { FULL: "1", KAFKA_HOME: home });
    assert.equal(code, 0, output);
    assert.equal(skipped, undefined, output);
    t.diagnostic(`${passed} checks as uid 65534`);
    assert.ok(passed >= LEAST, output);
  });
});
