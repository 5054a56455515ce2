import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLOSURE, closureFrom, fileName } from "./closure.ts";

const jar = (path: string, more: object = {}) => ({ path, bytes: 1, sha256: "0".repeat(64), ...more });
const KAFKA = jar("org/apache/kafka/kafka_2.13/1.2.3/kafka_2.13-1.2.3.jar");
const list =
  (...jars: ReturnType<typeof jar>[]) =>
  () =>
    closureFrom({ version: "1.2.3", jars: [KAFKA, ...jars], checkpoint: "" });

describe("the list of Kafka's jars", () => {
  test("has what a broker needs: Kafka itself, its client, its log", () => {
    const names = CLOSURE.jars.map(fileName);
    for (const part of [
      "kafka-clients",
      "kafka-metadata",
      "kafka-raft",
      "kafka-storage",
      "kafka-group-coordinator",
    ])
      assert.ok(names.includes(`${part}-${CLOSURE.version}.jar`), part);
    assert.ok(names.some((name) => name.startsWith("slf4j-simple-")));
    assert.ok(CLOSURE.checkpoint.includes("metadata.version"));
  });

  test("is refused when a path leads out of the folder", () => {
    assert.throws(list(jar("../../etc/passwd.jar")), /no jar in a Maven repository/);
    assert.throws(list(jar("/org/a/1/a-1.jar")), /no jar/);
    assert.throws(list(jar("org/a/1/a-1.sh")), /no jar/);
  });

  test("is refused without a digest, a size, or Kafka, and when two files would have one name", () => {
    assert.throws(list(jar("org/a/1/a-1.jar", { sha256: "abc" })), /no SHA-256/);
    assert.throws(list(jar("org/a/1/a-1.jar", { bytes: 0 })), /no size/);
    assert.throws(list(jar("org/a/1/a-1.jar"), jar("com/a/1/a-1.jar")), /listed twice/);
    assert.throws(() => closureFrom({ version: "1.2.4", jars: [KAFKA], checkpoint: "" }), /1\.2\.4 itself/);
  });
});
