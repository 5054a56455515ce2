/**
 * Changes of a cluster whose brokers are Kafka: other listeners restart one broker after another while clients go on,
 * larger volumes restart none; and no more clusters than the machine is to bear run Kafka. With FULL=1.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
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

const inTransit = (ClientBroker: kafka.ClientBroker) => ({
  EncryptionInfo: { EncryptionInTransit: { ClientBroker } },
});
const COUNT = 500;

interface Shown {
  readonly name: string;
  readonly state: string;
  readonly pid?: number;
}

describe("a cluster that is changed while it is used", { skip, timeout: 900_000 }, () => {
  let network: KafkaNetwork;
  let ClusterArn = "";
  let brokers: readonly string[] = [];
  const does = (what: ProgramInput["does"], more: object = {}) =>
    network.client(network.customer, { brokers, topic: "clicks", does: what, ...more });
  const shown = async () => (await network.own("GET brokers")).value.brokers as readonly Shown[];
  const pids = async () => (await shown()).map(({ pid }) => pid);
  const at = async () => {
    const { CurrentVersion } = await network.cluster(ClusterArn);
    return { ClusterArn, CurrentVersion };
  };

  test("further clusters than may be are plain listeners, and say why", async () => {
    network = await opened({ settings: { kafkaClusters: 1, mskUpdatingMs: 500 } });
    ClusterArn = await network.makeCluster("clicks", inTransit("PLAINTEXT"));
    const second = await network.makeCluster("views");
    assert.equal((await network.become(ClusterArn, "ACTIVE")).StateInfo, undefined);
    const { StateInfo } = await network.become(second, "ACTIVE");
    assert.deepEqual(
      [StateInfo?.Code, StateInfo?.Message],
      [
        "SANDBOX_WITHOUT_KAFKA",
        "The brokers are plain TCP listeners, not Kafka: no more than 1 clusters run it at once (the setting kafkaClusters).",
      ],
    );
    const serving = ["serving", "serving", "serving"];
    await network.brokersBecome(...serving, "listening", "listening", "listening");
    assert.equal(network.log.filter((line) => line.includes("the brokers of views are plain")).length, 1);
    await network.msk.send(new kafka.DeleteClusterCommand({ ClusterArn: second }));
    await network.brokersBecome(...serving);
  });

  test("other listeners restart one broker after another, and clients go on", async () => {
    brokers = ((await network.bootstrap(ClusterArn)).BootstrapBrokerString ?? "").split(",");
    await does("createTopic");
    await does("produce", { count: COUNT });
    const before = await pids();
    const reading = does("consume", { count: 2 * COUNT });
    await network.msk.send(
      new kafka.UpdateSecurityCommand({ ...(await at()), ...inTransit("TLS_PLAINTEXT") }),
    );
    const most = { away: 0 };
    const turned = network.until("brokers with other listeners", async () => {
      const now = await shown();
      most.away = Math.max(most.away, now.filter(({ state }) => state !== "serving").length);
      return now.every(({ pid, state }) => state === "serving" && !before.includes(pid));
    });
    await Promise.all([turned, does("produce", { first: COUNT, count: COUNT })]);
    assert.equal(new Set(await reading).size, 2 * COUNT);
    assert.equal(most.away, 1);
    await network.become(ClusterArn, "ACTIVE");
  });

  test("and who comes by the new listener reads all that was written before", async () => {
    const { BootstrapBrokerStringTls = "" } = await network.bootstrap(ClusterArn);
    assert.match(BootstrapBrokerStringTls, /:9094/);
    const authority = String((await network.own("GET ca")).value.certificate);
    const tls = { brokers: BootstrapBrokerStringTls.split(","), authority };
    assert.equal((await does("consume", { ...tls, count: 2 * COUNT, group: "tls" })).length, 2 * COUNT);
  });

  test("larger volumes restart none", async () => {
    const before = await pids();
    const TargetBrokerEBSVolumeInfo = [{ KafkaBrokerNodeId: "ALL", VolumeSizeGB: 2_000 }];
    await network.msk.send(
      new kafka.UpdateBrokerStorageCommand({ ...(await at()), TargetBrokerEBSVolumeInfo }),
    );
    const { Provisioned } = await network.become(ClusterArn, "ACTIVE");
    assert.equal(Provisioned?.BrokerNodeGroupInfo?.StorageInfo?.EbsStorageInfo?.VolumeSize, 2_000);
    await does("produce", { first: 2 * COUNT, count: 10 });
    assert.deepEqual(await pids(), before);
  });
});

test("a cluster left out is Kafka after a restart with more room, with its topics", {
  skip,
  timeout: 600_000,
}, async (t) => {
  const dataDir = mkdtempSync(path.join(tmpdir(), "letsdata-room-"));
  t.after(() => rmSync(dataDir, { recursive: true }));
  const first = await opened({ dataDir, settings: { kafkaClusters: 0, mskTopicMs: 0 } });
  const ClusterArn = await first.makeCluster("clicks", inTransit("PLAINTEXT"));
  await first.become(ClusterArn, "ACTIVE");
  const TopicName = "clicks";
  await first.msk.send(
    new kafka.CreateTopicCommand({ ClusterArn, TopicName, PartitionCount: 4, ReplicationFactor: 3 }),
  );
  const { customer } = first;
  await first.close();
  const later = await opened({ dataDir, settings: { mskHealingMs: 1_000 } });
  await later.until("Kafka", async () => {
    const { brokers } = (await later.own("GET brokers")).value as { brokers: readonly Shown[] };
    return brokers.length === 3 && brokers.every(({ state }) => state === "serving");
  });
  await later.become(ClusterArn, "ACTIVE");
  const shown = new kafka.DescribeTopicCommand({ ClusterArn, TopicName });
  await later.until("the topic", async () => (await later.msk.send(shown)).Status === "ACTIVE");
  const brokers = ((await later.bootstrap(ClusterArn)).BootstrapBrokerString ?? "").split(",");
  const facts = await later.client(customer, { brokers, topic: TopicName, does: "describeTopic" });
  assert.ok(facts.includes("partitions 4"), facts.join());
  await later.close();
});
