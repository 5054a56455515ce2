/**
 * A dataset's topic where brokers are Kafka: letsdata asks MSK for it, Kafka has it, and clients write to it; when
 * somebody deletes it with Kafka's own means, that is said. With FULL=1.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import * as kafka from "@aws-sdk/client-kafka";
import { kafkaCluster } from "../../src/domain/kafka.ts";
import type { KafkaCluster } from "../../src/domain/model.ts";
import { makeInstance } from "../../src/sandbox/testNetwork.ts";
import { fastClock } from "../support/clocks.ts";
import { type House, OPERATOR, openHouse, PLATFORM } from "../support/house.ts";
import { present } from "../support/networks.ts";
import { kafkaRequest } from "../support/plane.ts";
import { opener, whyNot } from "./fullKafka.ts";
import type { KafkaNetwork } from "./kafkaNetwork.ts";
import type { ProgramInput } from "./program.ts";

const skip = await whyNot();
const undo: (() => unknown)[] = [];
after(async () => {
  for (const one of undo.reverse()) await one();
});
const opened = opener(undo);
const NAME = "Clicks";
const WISH = { topic: "clicks", authentication: "none" } as const;

describe("a dataset's topic on brokers that are Kafka", { skip, timeout: 900_000 }, () => {
  let network: KafkaNetwork;
  let house: House;
  let tenantId = "";
  let client = "";
  let brokers: readonly string[] = [];
  let clusterArn = "";

  const known = async () => {
    const scope = house.store.tenant(tenantId);
    const dataset = present(await scope.dataset(NAME));
    const status = await scope.status(dataset.id);
    const told = status?.conditions.find(({ resource }) => resource === "topic");
    return { dataset, world: status?.world, told };
  };
  const told = (pattern: RegExp) =>
    house.until(`${pattern}`, async () => pattern.test((await known()).told?.message ?? ""));
  const does = (what: ProgramInput["does"], more: object = {}) =>
    network.client(client, { brokers, topic: "clicks", does: what, ...more });

  test("is made there with its partitions, copies and MSK's defaults before the dataset is ACTIVE", async () => {
    network = await opened({ settings: { mskTopicsOldMs: 500 } });
    house = await openHouse({
      sandboxUrl: network.url,
      clock: fastClock(1),
      resyncMs: 2_000,
      windowMs: 5_000,
    });
    undo.push(() => house.close());
    tenantId = (await house.intent.createTenant(OPERATOR, { name: "acme", avoidCidrs: [], rangeLimit: 8 }))
      .id;
    const cluster = present<KafkaCluster>(kafkaCluster(WISH, "small"));
    await house.intent.createDataset(OPERATOR, tenantId, kafkaRequest(NAME, { kafka: cluster }));
    await house.until("ACTIVE", async () => (await known()).dataset.status === "ACTIVE");
    const { world } = await known();
    clusterArn = world?.clusters[0]?.id ?? "";
    brokers = (world?.clusters[0]?.bootstrap.plaintext ?? "").split(",");
    const subnet = world?.subnets.find(({ key }) => key === "subnet/private/0");
    const group = world?.groups.find(({ key }) => key === "group/cluster");
    client = await makeInstance(house.ec2(PLATFORM), present(subnet).id, [present(group).id]);
    assert.deepEqual((await does("describeTopic")).slice(0, 2), ["partitions 3", "replicas 3"]);
    assert.ok((await does("describeTopic")).includes("min.insync.replicas 2"));
  });

  test("grows under the records that it has", async () => {
    await does("produce", { count: 100 });
    await house.intent.updateConnector(OPERATOR, tenantId, NAME, { partitions: 6 });
    await told(/^clicks: 6 partitions, 3 copies of each$/);
    assert.ok((await does("describeTopic")).includes("partitions 6"));
    assert.equal((await does("consume", { count: 100 })).length, 100);
  });

  test("deleted by Kafka's own means it is reported, and an empty one is made when somebody asks", async () => {
    await does("deleteTopic");
    await told(/^clicks was deleted outside of letsdata/);
    const listed = new kafka.ListTopicsCommand({ ClusterArn: clusterArn });
    const platform = new kafka.KafkaClient({
      ...{ endpoint: network.url, region: "us-east-1" },
      credentials: { accessKeyId: PLATFORM, secretAccessKey: "test" },
    });
    undo.push(() => platform.destroy());
    assert.deepEqual((await platform.send(listed)).Topics, []);
    await house.intent.reinitializeConnector(OPERATOR, tenantId, NAME);
    await told(/^clicks: 6 partitions/);
    assert.ok((await does("describeTopic")).includes("partitions 6"));
  });
});
