import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lastWords } from "./brokerProcess.ts";

describe("why a broker has ended, by its last words", () => {
  const CASES: readonly (readonly [string, readonly string[], number | NodeJS.Signals, RegExp])[] = [
    [
      "the disk is full",
      [
        "[main] ERROR kafka.server.BrokerServer - Fatal error",
        "java.io.IOException: No space left on device",
      ],
      1,
      /^its disk is full \(java\.io\.IOException: No space left/,
    ],
    [
      "a port is taken",
      [
        "org.apache.kafka.common.KafkaException: Socket server failed to bind to 10.1.0.4:9092: Address already in use.",
      ],
      1,
      /^a port of it is taken by another process in its host \(.*10\.1\.0\.4:9092/,
    ],
    ["Java is missing", ["sh: 1: exec: java: not found"], 127, /^Java is missing/],
    [
      "Java is too old",
      ["java.lang.UnsupportedClassVersionError: kafka/Kafka has been compiled"],
      1,
      /^Java is too old/,
    ],
    [
      "memory",
      ["Terminating due to java.lang.OutOfMemoryError: Java heap space"],
      3,
      /^it ran out of memory/,
    ],
    [
      "something else",
      ["INFO starting", "ERROR Exiting Kafka due to fatal exception"],
      1,
      /code 1: ERROR Exiting Kafka/,
    ],
    ["a kill", ["ERROR of an hour ago"], "SIGKILL", /^it was ended by SIGKILL$/],
    ["nothing at all", [], 1, /^it ended with code 1$/],
  ];
  for (const [name, lines, code, expected] of CASES)
    test(name, () => assert.match(lastWords(lines, code), expected));
});
