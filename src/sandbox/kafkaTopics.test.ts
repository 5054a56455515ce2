/** Topics of MSK's clusters over the wire, where no broker is Kafka: made, shown, listed, grown, deleted, refused. */
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import {
  BadRequestException,
  CreateTopicCommand,
  DeleteTopicCommand,
  DescribeTopicCommand,
  DescribeTopicPartitionsCommand,
  ListTopicsCommand,
  NotFoundException,
  paginateListTopics,
  TopicExistsException,
  UpdateClusterKafkaVersionCommand,
  UpdateTopicCommand,
} from "@aws-sdk/client-kafka";
import { Clusters, DELETING, UPDATING } from "./testing/clusters.ts";

/** As the profile `quick` has it. */
const TOPIC_MS = 500;

describe("topics", () => {
  let clusters: Clusters;
  let ClusterArn = "";
  beforeEach(async () => {
    await clusters?.sandbox.close();
    clusters = await Clusters.start();
    ClusterArn = await clusters.makeActive("clicks");
  });
  after(() => clusters.sandbox.close());

  const make = (TopicName: string, more: object = {}) =>
    clusters.client.send(
      new CreateTopicCommand({ ClusterArn, TopicName, PartitionCount: 3, ReplicationFactor: 3, ...more }),
    );
  const shown = (TopicName: string) =>
    clusters.client.send(new DescribeTopicCommand({ ClusterArn, TopicName }));
  const update = (change: object) =>
    clusters.client.send(new UpdateTopicCommand({ ClusterArn, TopicName: "events", ...change }));
  const configs = (text = "") => JSON.parse(Buffer.from(text, "base64").toString());
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");

  test("are CREATING and then ACTIVE, as asked and with MSK's defaults", async () => {
    const made = await make("events", { Configs: encoded({ "retention.ms": 1000 }) });
    assert.equal(made.TopicArn, `${ClusterArn.replace(":cluster/", ":topic/")}/events`);
    assert.deepEqual([made.TopicName, made.Status], ["events", "CREATING"]);
    assert.equal((await shown("events")).Status, "CREATING");
    clusters.sandbox.clock.advance(TOPIC_MS);
    const { Status, PartitionCount, ReplicationFactor, Configs } = await shown("events");
    assert.deepEqual([Status, PartitionCount, ReplicationFactor], ["ACTIVE", 3, 3]);
    const { "retention.ms": kept, "min.insync.replicas": inSync } = configs(Configs);
    assert.deepEqual([kept, inSync], ["1000", "2"]);
    await assert.rejects(make("events"), TopicExistsException);
  });

  test("have their partitions spread over the brokers", async () => {
    await make("events", { PartitionCount: 4, ReplicationFactor: 2 });
    const partitions = async (more: object = {}) =>
      clusters.client.send(new DescribeTopicPartitionsCommand({ ClusterArn, TopicName: "events", ...more }));
    const first = await partitions({ MaxResults: 3 });
    const rest = await partitions({ NextToken: first.NextToken });
    assert.deepEqual(
      [...(first.Partitions ?? []), ...(rest.Partitions ?? [])],
      [
        { Partition: 0, Leader: 1, Replicas: [1, 2], Isr: [1, 2] },
        { Partition: 1, Leader: 2, Replicas: [2, 3], Isr: [2, 3] },
        { Partition: 2, Leader: 3, Replicas: [3, 1], Isr: [3, 1] },
        { Partition: 3, Leader: 1, Replicas: [1, 2], Isr: [1, 2] },
      ],
    );
  });

  test("are listed in pages, by the beginning of their names, cluster by cluster", async () => {
    for (const name of ["events", "errors", "other"]) await make(name);
    const names: (string | undefined)[] = [];
    const { client } = clusters;
    for await (const { Topics = [] } of paginateListTopics(
      { client, pageSize: 1 },
      { ClusterArn, TopicNameFilter: "e" },
    ))
      names.push(...Topics.map(({ TopicName }) => TopicName));
    assert.deepEqual(names, ["errors", "events"]);
    const other = await clusters.makeActive("views");
    const { Topics } = await client.send(new ListTopicsCommand({ ClusterArn: other }));
    assert.deepEqual(Topics, []);
  });

  test("get more partitions and never fewer; or another configuration, and not both", async () => {
    await make("events");
    await assert.rejects(update({ PartitionCount: 6 }), { message: /CREATING state/ });
    clusters.sandbox.clock.advance(TOPIC_MS);
    assert.equal((await update({ PartitionCount: 6 })).Status, "UPDATING");
    assert.equal((await shown("events")).PartitionCount, 3);
    clusters.sandbox.clock.advance(TOPIC_MS);
    assert.equal((await shown("events")).PartitionCount, 6);
    for (const PartitionCount of [6, 2])
      await assert.rejects(update({ PartitionCount }), { InvalidParameter: "partitionCount" });
    await assert.rejects(update({ PartitionCount: 9, Configs: encoded({}) }), /either configs or/);
    await assert.rejects(update({}), /either configs or/);
    await update({ Configs: encoded({ "cleanup.policy": "compact" }) });
    clusters.sandbox.clock.advance(TOPIC_MS);
    const { Configs, PartitionCount } = await shown("events");
    assert.deepEqual([configs(Configs)["cleanup.policy"], PartitionCount], ["compact", 6]);
  });

  test("are DELETING and then gone; and gone with their cluster", async () => {
    await make("events");
    await make("other");
    clusters.sandbox.clock.advance(TOPIC_MS);
    await clusters.client.send(new DeleteTopicCommand({ ClusterArn, TopicName: "events" }));
    assert.equal((await shown("events")).Status, "DELETING");
    clusters.sandbox.clock.advance(TOPIC_MS);
    await assert.rejects(shown("events"), NotFoundException);
    await make("events");
    await clusters.remove(ClusterArn);
    clusters.sandbox.clock.advance(DELETING);
    ClusterArn = await clusters.makeActive("clicks");
    assert.deepEqual((await clusters.client.send(new ListTopicsCommand({ ClusterArn }))).Topics, []);
  });

  test("are not made as Kafka would not make them", async () => {
    for (const name of [".", "..", "a b", "ä", "x".repeat(250)])
      await assert.rejects(make(name), { name: "BadRequestException", InvalidParameter: "topicName" });
    await make("x".repeat(249));
    await assert.rejects(make("events", { PartitionCount: 0 }), { InvalidParameter: "partitionCount" });
    for (const ReplicationFactor of [0, 4])
      await assert.rejects(make("events", { ReplicationFactor }), {
        InvalidParameter: "replicationFactor",
      });
    await assert.rejects(make("events", { Configs: "no JSON" }), { InvalidParameter: "configs" });
    await assert.rejects(make("events", { Configs: encoded([1]) }), { InvalidParameter: "configs" });
  });

  test("of Express brokers have three replicas", async () => {
    const wish = { instanceType: "express.m7g.large", volumeGiB: null };
    ClusterArn = await clusters.makeActive("express", wish);
    await assert.rejects(make("events", { ReplicationFactor: 2 }), { InvalidParameter: "replicationFactor" });
    await make("events");
  });

  test("are out of reach while the cluster is not ACTIVE", async () => {
    const young = await clusters.make("young");
    await assert.rejects(make("events", { ClusterArn: young }), {
      name: "BadRequestException",
      message: "Topics can't be accessed while the cluster is in CREATING state.",
    });
    await make("events");
    const { CurrentVersion } = await clusters.shown(ClusterArn);
    const change = { ClusterArn, CurrentVersion, TargetKafkaVersion: "4.0.x.kraft" };
    await clusters.client.send(new UpdateClusterKafkaVersionCommand(change));
    await assert.rejects(shown("events"), BadRequestException);
    clusters.sandbox.clock.advance(UPDATING);
    assert.equal((await shown("events")).Status, "ACTIVE");
    await assert.rejects(
      make("events", { ClusterArn: ClusterArn.replace("clicks", "none") }),
      NotFoundException,
    );
  });
});
