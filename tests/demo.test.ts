/**
 * `npm run demo` from a terminal whose environment and home lead elsewhere: it walks to its end on its own
 * installation, says what it verified, touches no other, and leaves nothing. Its Kafka story is told in
 * kafka/kafka.test.ts, beside what else runs Kafka.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { demo, strangersDemo } from "./support/demos.ts";

test("the demo says what it can be asked for, and refuses what it does not know", async () => {
  const help = await demo(process.env, "--help");
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^npm run demo -- --kafka /m);
  for (const unknown of ["--kafak", "kafka", "--kafka=yes"]) {
    const refused = await demo(process.env, unknown);
    assert.equal(refused.code, 2);
    assert.ok(refused.stderr.startsWith("Error: ") && refused.stderr.includes(unknown.split("=")[0] ?? ""));
    assert.match(refused.stderr, /^npm run demo -- --kafka /m);
  }
});

test("the Kafka story is not begun where its brokers cannot run, and what is missing is said", async () => {
  const withoutJava = await demo({ ...process.env, JAVA_HOME: "/nowhere/java" }, "--kafka");
  assert.equal(withoutJava.code, 3);
  assert.match(withoutJava.stderr, /NO KAFKA ON THIS MACHINE: Java is missing: .*openjdk-17-jre-headless/);
  // Without Java or packets, that is what it says.
  const withoutKafka = await demo({ ...process.env, KAFKA_HOME: "/nowhere/kafka" }, "--kafka");
  assert.equal(withoutKafka.code, 3);
  assert.match(withoutKafka.stderr, /NO KAFKA ON THIS MACHINE: .*(\/nowhere\/kafka|Java|no packets)/);
  assert.equal(withoutJava.stdout + withoutKafka.stdout, "");
});

test("the demo walks to its end, on an installation of its own, whatever the environment says", async () => {
  const told = await strangersDemo();
  assert.equal(told.code, 0, told.stdout + told.stderr);
  const isWithout = told.stdout.includes("NO PACKETS ON THIS MACHINE");
  assert.match(told.stdout, isWithout ? /Done: 12 facts verified/ : /Done: 22 facts verified/);
  assert.deepEqual([told.asked, told.left], [[], []]);
});
