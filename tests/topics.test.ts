/**
 * A dataset's topic from first to last, in AWS's own times: made when the cluster is there, grown, found, deleted by
 * others, refused by AWS. By the clock that leaps.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CreateTopicCommand,
  DeleteClusterCommand,
  DeleteTopicCommand,
  DescribeTopicCommand,
  ListClustersV2Command,
  ListTopicsCommand,
} from "@aws-sdk/client-kafka";
import { connectorStatusOf } from "../src/control/outlook.ts";
import type { KafkaRequest } from "../src/domain/kafka.ts";
import { ConnectorGround, NAME } from "./support/connectorGround.ts";
import { present } from "./support/networks.ts";
import { OPERATOR, openPlane } from "./support/plane.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const EVENTS: KafkaRequest = { topic: "events" };

class Ground extends ConnectorGround {
  static override async open(): Promise<Ground> {
    return new Ground(await openPlane({ settings: { mskTopicMs: 20 * SECOND, mskCreatingMs: 2 * MINUTE } }));
  }

  override create(asked: KafkaRequest | null = EVENTS): Promise<void> {
    return super.create(asked);
  }

  override async known() {
    return { ...(await super.known()), topic: await this.conditionOf("topic") };
  }

  told(pattern: RegExp): Promise<void> {
    return this.says("topic", pattern);
  }

  /** The only cluster's ARN. */
  async arn(): Promise<string> {
    const { ClusterInfoList = [] } = await this.kafka.send(new ListClustersV2Command({}));
    assert.equal(ClusterInfoList.length, 1);
    return present(ClusterInfoList[0]?.ClusterArn);
  }

  async topics(): Promise<readonly string[]> {
    const { Topics = [] } = await this.kafka.send(new ListTopicsCommand({ ClusterArn: await this.arn() }));
    return Topics.map((one) => `${one.TopicName} ${one.PartitionCount} x ${one.ReplicationFactor}`);
  }

  async makeByHand(PartitionCount: number, ReplicationFactor = 3): Promise<void> {
    const size = { PartitionCount, ReplicationFactor };
    await this.kafka.send(
      new CreateTopicCommand({ ClusterArn: await this.arn(), TopicName: "events", ...size }),
    );
  }

  async deleteByHand(): Promise<void> {
    await this.kafka.send(new DeleteTopicCommand({ ClusterArn: await this.arn(), TopicName: "events" }));
  }
}

const REFUSED = { kind: "error", code: "ForbiddenException", status: 403 };

describe("a dataset's topic", () => {
  let ground: Ground;
  before(async () => {
    ground = await Ground.open();
  });
  after(() => ground.close());

  const update = (partitions: number) =>
    ground.plane.intent.updateConnector(OPERATOR, ground.plane.tenantId, NAME, { partitions });

  test("is made when the cluster is ACTIVE, one partition a broker and three copies; ACTIVE waits for it", async () => {
    await ground.create();
    await ground.plane.drive(async () => {
      await ground.told(/^events is made once the cluster is ACTIVE$/);
      await ground.told(/^events: 3 partitions, 3 copies of each is CREATING$/);
      assert.equal((await ground.known()).dataset.status, "CREATING");
      await ground.reaches("ACTIVE");
    });
    const { topic } = await ground.known();
    assert.deepEqual([topic?.state, topic?.message], ["ready", "events: 3 partitions, 3 copies of each"]);
    assert.deepEqual(await ground.topics(), ["events 3 x 3"]);
  });

  test("gets more partitions and never fewer", async () => {
    await update(12);
    await ground.plane.drive(async () => {
      await ground.told(/^events: 3 partitions, .* is UPDATING$/);
      await ground.told(/^events: 12 partitions/);
    });
    assert.deepEqual(await ground.topics(), ["events 12 x 3"]);
    await assert.rejects(update(6), {
      code: "invalid",
      message: "partitions 6 is less than the 12 that events has or is to have",
    });
    await assert.rejects(update(1_001), { code: "invalid", message: /at most 1000$/ });
    assert.equal((await ground.known()).dataset.status, "ACTIVE");
  });

  test("deleted by hand it is reported and not made again, until somebody wants that", async () => {
    await ground.deleteByHand();
    await ground.plane.drive(async () => {
      await ground.told(/^events was deleted outside of letsdata, and its records with it/);
      await ground.plane.clock.sleep(30 * MINUTE);
    });
    const at = await ground.known();
    assert.deepEqual([at.dataset.status, at.topic?.actor], ["ERROR", "operator"]);
    assert.match(at.topic?.hint ?? "", /writeConnectors reinitialize --datasetName Clicks/);
    assert.deepEqual(await ground.topics(), []);
    const before = await ground.arn();
    await ground.plane.intent.reinitializeConnector(OPERATOR, ground.plane.tenantId, NAME);
    await ground.plane.drive(() => ground.reaches("ACTIVE"));
    // The cluster is the one it was.
    assert.deepEqual([await ground.topics(), await ground.arn()], [["events 12 x 3"], before]);
  });

  test("made again by hand it is taken as it is", async () => {
    await ground.deleteByHand();
    await ground.plane.drive(async () => {
      await ground.told(/was deleted outside/);
      await ground.makeByHand(20);
      await ground.reaches("ACTIVE");
    });
    assert.equal(
      (await ground.known()).topic?.message,
      "events: 20 partitions, 3 copies of each, more than the 12 asked for",
    );
    await assert.rejects(update(15), { message: /less than the 20 that events has/ });
  });

  test("is made in the new cluster when the old one was deleted by hand", async () => {
    await ground.kafka.send(new DeleteClusterCommand({ ClusterArn: await ground.arn() }));
    await ground.plane.drive(() => ground.reaches("ERROR"));
    await ground.plane.drive(() => ground.plane.clock.sleep(20 * MINUTE));
    await ground.plane.intent.reinitializeConnector(OPERATOR, ground.plane.tenantId, NAME);
    await ground.plane.drive(() => ground.reaches("ACTIVE"));
    assert.deepEqual(await ground.topics(), ["events 12 x 3"]);
  });

  test("holds no deletion up", async () => {
    await ground.remove();
    const { ClusterInfoList } = await ground.kafka.send(new ListClustersV2Command({}));
    assert.deepEqual(ClusterInfoList, []);
  });
});

describe("a topic that is not easily made", () => {
  let ground: Ground;
  before(async () => {
    ground = await Ground.open();
  });
  after(() => ground.close());

  test("is asked for again while Kafka cannot make it, and why is said", async () => {
    const error = { kind: "error", code: "KafkaRequestException", status: 400, count: 8 };
    await ground.fault("CreateTopic", error);
    await ground.create();
    await ground.plane.drive(async () => {
      await ground.told(/^Kafka cannot make events now/);
      const { topic, dataset } = await ground.known();
      assert.deepEqual([topic?.state, topic?.actor, dataset.status], ["waiting", "aws", "CREATING"]);
      await ground.reaches("ACTIVE");
    });
    assert.deepEqual(await ground.topics(), ["events 3 x 3"]);
    await ground.remove();
  });

  test("is one when the answer was lost", async () => {
    await ground.fault("CreateTopic", { kind: "dropAfter", count: 1 });
    await ground.create({ ...EVENTS, partitions: 6 });
    await ground.plane.drive(() => ground.reaches("ACTIVE"));
    assert.deepEqual(await ground.topics(), ["events 6 x 3"]);
    // The journal knows it: it is missed when it goes.
    await ground.deleteByHand();
    await ground.plane.drive(() => ground.told(/was deleted outside of letsdata/));
    await ground.remove();
  });

  test("is one when Kafka did not answer in time, made or not", async () => {
    const late = { kind: "error", code: "KafkaTimeoutException", status: 409, count: 1 };
    await ground.fault("CreateTopic", late);
    await ground.create();
    await ground.plane.drive(() => ground.reaches("ACTIVE"));
    assert.deepEqual(await ground.topics(), ["events 3 x 3"]);
    await ground.remove();
  });

  test("holds nothing up where AWS does not make topics; made by hand it is found, and grows", async () => {
    await ground.fault("CreateTopic", { ...REFUSED, count: 1 });
    await ground.create({ ...EVENTS, partitions: 5 });
    await ground.plane.drive(async () => {
      await ground.told(/^AWS does not let us make topics$/);
      await ground.reaches("ACTIVE");
      assert.match((await ground.known()).topic?.hint ?? "", /ReachTopics and TendTopics/);
      assert.deepEqual(await ground.topics(), []);
      await ground.makeByHand(4);
      await ground.told(/^events: 5 partitions/);
    });
    assert.deepEqual(await ground.topics(), ["events 5 x 3"]);
    await ground.remove();
  });

  test("is asked for again ten minutes after a refusal, and not all the time", async () => {
    const unsupported = { kind: "error", code: "BadRequestException", status: 400, count: 2 };
    await ground.fault("CreateTopic", unsupported);
    await ground.create();
    await ground.plane.drive(async () => {
      await ground.told(/^AWS does not make events/);
      const { topic, network } = await ground.known();
      assert.match(topic?.hint ?? "", /^The dataset works without it\. Make it by Kafka's own means/);
      assert.ok(network);
      await ground.reaches("ACTIVE");
      const began = ground.plane.clock.now();
      await ground.told(/^events: 3 partitions/);
      const tookMs = ground.plane.clock.now() - began;
      assert.ok(tookMs > 9 * MINUTE && tookMs < 40 * MINUTE, `${tookMs / MINUTE} min`);
    });
    await ground.remove();
  });

  test("holds nothing up where AWS does not even tell of topics", async () => {
    await ground.fault("DescribeTopic", { ...REFUSED, count: 1_000 });
    await ground.create();
    await ground.plane.drive(() => ground.reaches("ACTIVE"));
    const at = await ground.known();
    assert.equal(connectorStatusOf(at), "ACTIVE");
    assert.match(at.topic?.message ?? "", /^AWS does not tell of events: forbiddenexception/);
    assert.equal(at.topic?.state, "blocked");
    await ground.plane.admin("DELETE", "faults");
    await ground.plane.drive(() => ground.told(/^events: 3 partitions/));
    await ground.remove();
  });

  test("with another number of copies is reported, and not replaced", async () => {
    await ground.fault("CreateTopic", { ...REFUSED, count: 1 });
    await ground.create();
    await ground.plane.drive(async () => {
      await ground.told(/^AWS does not let us make topics$/);
      await ground.makeByHand(3, 2);
      await ground.told(/2 copies of each, and 3 copies were asked for; that cannot be changed/);
      await ground.reaches("ERROR");
    });
    assert.deepEqual(await ground.topics(), ["events 3 x 2"]);
    await ground.deleteByHand();
    await ground.plane.drive(() => ground.told(/was deleted outside/));
    await ground.plane.intent.reinitializeConnector(OPERATOR, ground.plane.tenantId, NAME);
    await ground.plane.drive(() => ground.reaches("ACTIVE"));
    assert.deepEqual(await ground.topics(), ["events 3 x 3"]);
    const shown = new DescribeTopicCommand({ ClusterArn: await ground.arn(), TopicName: "events" });
    assert.equal((await ground.kafka.send(shown)).Status, "ACTIVE");
  });
});
