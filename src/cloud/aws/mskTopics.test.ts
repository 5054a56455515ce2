/** Topics through the hands, over the wire to a sandbox: what is seen, made and grown, and what each refusal means. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CreateTopicCommand, KafkaClient, UpdateMonitoringCommand } from "@aws-sdk/client-kafka";
import type { FailureCode } from "../../domain/failure.ts";
import { startSandbox, type TestSandbox } from "../../sandbox/testing.ts";
import { makeVpc, makeZonedSubnets } from "../../sandbox/testNetwork.ts";
import type { AwsCloud } from "./ec2.ts";
import { ACCOUNT, cellIn, handsOn, hurriedClock, networkRef, rejection, stepper } from "./testing.ts";

const HOME = cellIn("us-east-1");
const TOPIC = { name: "events", partitions: 3, replicationFactor: 3 };
const MOST_MS = 3_600_000;

let sandbox: TestSandbox;
let cloud: AwsCloud;
let kafka: KafkaClient;

before(async () => {
  sandbox = await startSandbox();
  cloud = handsOn(sandbox.url, hurriedClock(sandbox.clock));
  kafka = sandbox.of(KafkaClient, ACCOUNT, "us-east-1");
});

after(async () => {
  cloud?.close();
  await sandbox?.close();
});

/** A network with an ACTIVE cluster. */
async function grounds(name: string) {
  const of = stepper(cloud, HOME, { ...networkRef(name), hasCluster: true, topic: TOPIC.name });
  const ec2 = sandbox.client(ACCOUNT, "us-east-1");
  const subnetIds = await makeZonedSubnets(ec2, await makeVpc(ec2), "abd");
  const kind = { clusterType: "provisioned", version: "3.9.x.kraft", authentication: "iam" } as const;
  const size = { instanceType: "kafka.m7g.large", brokerCount: 3, volumeGiB: 100 };
  const spec = { ...kind, ...size, subnetIds, groupIds: [] };
  const clusterArn = await of.made({ do: "createCluster", key: "cluster", spec });
  sandbox.clock.advance(MOST_MS);
  const create = { do: "createTopic", key: "topic", clusterArn, topic: TOPIC } as const;
  const topics = async () => (await of.look()).topics;
  return { ...of, clusterArn, create, topics };
}

const refuse = (operation: string, code: string, status = 400) =>
  sandbox.own("POST faults", { operation, kind: "error", code, status, count: 1 });

describe("a topic", () => {
  let of: Awaited<ReturnType<typeof grounds>>;
  let id = "";
  before(async () => {
    of = await grounds("whole");
  });

  test("is not there at first, and is seen once it is made", async () => {
    assert.deepEqual(await of.topics(), []);
    id = await of.made(of.create);
    assert.equal(id, `${of.clusterArn.replace(":cluster/", ":topic/")}/events`);
    const [creating] = await of.topics();
    assert.deepEqual([creating?.id, creating?.state, creating?.clusterId], [id, "creating", of.clusterArn]);
    sandbox.clock.advance(MOST_MS);
    const [{ state, partitions, replicationFactor } = {}] = await of.topics();
    assert.deepEqual([state, partitions, replicationFactor], ["active", 3, 3]);
  });

  test("that is there already counts as made", async () => {
    assert.equal(await of.made(of.create, 2), id);
  });

  test("grows; what AWS does not take at the moment is tried again", async () => {
    const grow = { do: "growTopic", key: "topic", clusterArn: of.clusterArn, name: "events" } as const;
    await of.act({ ...grow, partitions: 6 });
    await rejection(of.act({ ...grow, partitions: 9 }), "conflict");
    sandbox.clock.advance(MOST_MS);
    assert.equal((await of.topics())[0]?.partitions, 6);
    await rejection(of.act({ ...grow, partitions: 6 }), "conflict");
  });

  test("is unknown, without a call, while the cluster is at work", async () => {
    const [cluster] = (await of.look()).clusters;
    await kafka.send(
      new UpdateMonitoringCommand({
        ...{ ClusterArn: of.clusterArn, CurrentVersion: cluster?.revision },
        EnhancedMonitoring: "DEFAULT",
      }),
    );
    const [{ state, refusal } = {}] = await of.topics();
    assert.deepEqual([state, refusal], ["unknown", null]);
    await rejection(of.act(of.create, 3), "invalid");
    sandbox.clock.advance(MOST_MS);
  });

  test("that AWS does not tell of is unknown with the reason, and the rest of the look stands", async () => {
    await refuse("DescribeTopic", "ForbiddenException", 403);
    const { topics, clusters } = await of.look();
    assert.deepEqual([topics[0]?.state, clusters[0]?.state], ["unknown", "active"]);
    assert.match(topics[0]?.refusal ?? "", /^forbiddenexception: /);
  });

  test("of another name, or of a network without one, is not looked at", async () => {
    await kafka.send(
      new CreateTopicCommand({
        ...{ ClusterArn: of.clusterArn, TopicName: "other" },
        ...{ PartitionCount: 1, ReplicationFactor: 1 },
      }),
    );
    assert.deepEqual(
      (await of.topics()).map(({ name }) => name),
      ["events"],
    );
    const without = stepper(cloud, HOME, { ...networkRef("whole"), hasCluster: true });
    assert.deepEqual((await without.look()).topics, []);
  });
});

describe("what a refusal means", () => {
  let of: Awaited<ReturnType<typeof grounds>>;
  before(async () => {
    of = await grounds("refused");
  });

  const meanings: readonly (readonly [string, number, FailureCode, RegExp])[] = [
    ["KafkaRequestException", 400, "conflict", /^Kafka cannot make events now/],
    ["NotControllerException", 409, "conflict", /^Kafka cannot make events now/],
    ["ClusterConnectivityException", 409, "conflict", /^Kafka cannot make events now/],
    ["NotFoundException", 404, "conflict", /^Kafka cannot make events now/],
    ["KafkaTimeoutException", 409, "unavailable", /^Kafka did not make events in time/],
    ["ForbiddenException", 403, "forbidden", /^AWS does not let us make topics$/],
    ["BadRequestException", 400, "invalid", /^AWS does not make events/],
    ["UnknownOperationException", 404, "invalid", /^AWS does not make events/],
  ];
  for (const [code, status, kind, message] of meanings)
    test(code, async () => {
      await refuse("CreateTopic", code, status);
      const failure = await rejection(of.act(of.create), kind);
      assert.match(failure.message, message);
      assert.ok(failure.hint);
      assert.deepEqual(await of.topics(), []);
    });

  test("a create whose answer was lost is sent again, and is one", async () => {
    await sandbox.own("POST faults", { operation: "CreateTopic", kind: "dropAfter", count: 1 });
    assert.match(await of.made(of.create), /:topic\/.*\/events$/);
    assert.equal((await of.topics()).length, 1);
  });
});
