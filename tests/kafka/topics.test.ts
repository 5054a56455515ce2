/**
 * Topics by MSK's own API where brokers are Kafka: what is asked for there is so for Kafka's clients, what they do to
 * topics is told there, and a broker that dies in between holds things up and spoils nothing. With FULL=1.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import * as kafka from "@aws-sdk/client-kafka";
import { opener, whyNot } from "./fullKafka.ts";
import type { KafkaNetwork } from "./kafkaNetwork.ts";
import type { ProgramInput } from "./program.ts";

const skip = await whyNot();
const undo: (() => unknown)[] = [];
after(async () => {
  for (const one of undo.reverse()) await one();
});
const opened = opener(undo);
const PLAIN = { EncryptionInfo: { EncryptionInTransit: { ClientBroker: "PLAINTEXT" as const } } };

describe("topics of brokers that are Kafka", { skip, timeout: 900_000 }, () => {
  let network: KafkaNetwork;
  let ClusterArn = "";
  let brokers: readonly string[] = [];
  const does = (what: ProgramInput["does"], topic: string, more: object = {}) =>
    network.client(network.customer, { brokers, topic, does: what, ...more });
  const shown = (TopicName: string) =>
    network.msk.send(new kafka.DescribeTopicCommand({ ClusterArn, TopicName }));
  /** Its state and size, or why it is not shown. */
  const facts = (name: string): Promise<readonly unknown[]> =>
    shown(name).then(
      ({ Status, PartitionCount }) => [Status, PartitionCount],
      (thrown: Error) => [thrown.name],
    );
  const becomes = (name: string, ...wanted: readonly unknown[]) =>
    network.until(`${name} ${wanted.join()}`, async () => {
      const now = await facts(name);
      return wanted.every((one) => now.includes(one));
    });
  const make = (TopicName: string, more: object = {}) =>
    network.msk.send(
      new kafka.CreateTopicCommand({
        ...{ ClusterArn, TopicName, PartitionCount: 3, ReplicationFactor: 3 },
        ...more,
      }),
    );

  test("are made there as asked, with MSK's defaults", async () => {
    network = await opened({ settings: { mskHealingMs: 1_000, mskTopicsOldMs: 500 } });
    ClusterArn = await network.makeCluster("clicks", PLAIN);
    await network.become(ClusterArn, "ACTIVE");
    brokers = ((await network.bootstrap(ClusterArn)).BootstrapBrokerString ?? "").split(",");
    const Configs = Buffer.from(JSON.stringify({ "retention.ms": "60000" })).toString("base64");
    assert.equal((await make("events", { Configs })).Status, "CREATING");
    await becomes("events", "ACTIVE");
    assert.deepEqual((await does("describeTopic", "events")).toSorted(), [
      "min.insync.replicas 2",
      "partitions 3",
      "replicas 3",
      "retention.ms 60000",
    ]);
    const asked = new kafka.DescribeTopicPartitionsCommand({ ClusterArn, TopicName: "events" });
    const { Partitions = [] } = await network.msk.send(asked);
    for (const { Replicas = [] } of Partitions) assert.deepEqual(Replicas.toSorted(), [1, 2, 3]);
    assert.equal(Partitions.length, 3);
  });

  test("grow there, and get another configuration, and keep what they have", async () => {
    await does("produce", "events", { count: 100 });
    const update = (change: object) =>
      network.msk.send(new kafka.UpdateTopicCommand({ ClusterArn, TopicName: "events", ...change }));
    assert.equal((await update({ PartitionCount: 6 })).Status, "UPDATING");
    await becomes("events", "ACTIVE", 6);
    await update({ Configs: Buffer.from('{"retention.ms":"90000"}').toString("base64") });
    await becomes("events", "ACTIVE");
    const now = await does("describeTopic", "events");
    assert.ok(now.includes("partitions 6") && now.includes("retention.ms 90000"), now.join());
    assert.equal((await does("consume", "events", { count: 100 })).length, 100);
  });

  test("are made when the broker that died meanwhile is back", async () => {
    const [, victim = ""] = brokers.map((one) => one.split(":")[0] ?? "");
    const [killed] = await Promise.all([
      network.own(`POST brokers/${victim}/kill`),
      make("second").catch((thrown: Error) => assert.match(thrown.message, /HEALING/)),
    ]);
    assert.equal(killed.status, 204);
    await network.become(ClusterArn, "ACTIVE");
    // Whichever came first: it is there, or it was refused and is asked for again.
    await make("second").catch((thrown: Error) => assert.equal(thrown.name, "TopicExistsException"));
    await becomes("second", "ACTIVE", 3);
    assert.ok((await does("describeTopic", "second")).includes("replicas 3"));
  });

  test("that clients make and delete are told of", async () => {
    await does("createTopic", "theirs");
    await becomes("theirs", "ACTIVE", 3);
    await assert.rejects(make("theirs"), { name: "TopicExistsException" });
    await does("deleteTopic", "theirs");
    await becomes("theirs", "NotFoundException");
    const { Topics = [] } = await network.msk.send(new kafka.ListTopicsCommand({ ClusterArn }));
    assert.deepEqual(
      Topics.map(({ TopicName }) => TopicName),
      ["events", "second"],
    );
  });

  test("that Kafka will never make are forgotten, and why is said", async () => {
    const Configs = Buffer.from('{"cleanup.policy":"burn"}').toString("base64");
    await make("wrong", { Configs });
    await becomes("wrong", "NotFoundException");
    assert.ok(
      network.log.some((line) => /^the topic wrong is not made: .*burn/.test(line)),
      network.log.join("\n"),
    );
  });

  test("deleted, they are gone for clients", async () => {
    await network.msk.send(new kafka.DeleteTopicCommand({ ClusterArn, TopicName: "events" }));
    await becomes("events", "NotFoundException");
    await assert.rejects(does("describeTopic", "events", { retries: 0 }));
  });
});
