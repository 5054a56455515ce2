import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { SeenCluster, SeenFunction, SeenTopic } from "../domain/connector.ts";
import { type Reply, type TestHouse, testHouse } from "./testing.ts";
import { condition, kafka, LAYOUT, shown } from "./worlds.testing.ts";

const ARN = "arn:aws:lambda:us-east-1:999999999999:function:clicks";
const BROKERS = "b-1.x:9096,b-2.x:9096,b-3.x:9096";

let house: TestHouse;
let acme: Awaited<ReturnType<TestHouse["tenant"]>>;

before(async () => {
  house = await testHouse();
  acme = await house.tenant("acme");
});
after(() => house.close());

const ask = (what: string, body?: unknown): Promise<Reply> =>
  house.ask(what, { key: acme.member, ...(body !== undefined && { body }) });

const create = (name: string, of: unknown, more: object = {}) =>
  ask("POST /v1/datasets", {
    ...kafka(name, { kafka: of, vpcSize: "small" }),
    ...more,
  });

function cluster(change: Partial<SeenCluster> = {}): SeenCluster {
  return {
    id: "arn:cluster",
    key: "cluster",
    attempt: 1,
    name: "ld-x",
    ours: true,
    state: "active",
    stateReason: null,
    clusterType: "provisioned",
    version: "3.9.x.kraft",
    upgrades: ["4.0.x.kraft"],
    instanceType: "kafka.m7g.large",
    brokerCount: 3,
    volumeGiB: 100,
    authentication: ["scram"],
    subnetIds: [],
    groupIds: [],
    brokers: [{ brokerId: 1, interfaceId: "eni-1", subnetId: "subnet-private", address: "10.2.0.4" }],
    bootstrap: { plaintext: null, tls: null, scram: BROKERS, iam: null },
    revision: "K1",
    createdAt: 0,
    ...change,
  };
}

const attached: SeenFunction = {
  id: ARN,
  name: "clicks",
  state: "active",
  stateReason: null,
  updateState: "successful",
  updateReason: null,
  lacks: null,
  vpcId: "vpc-ours",
  subnetIds: [],
  groupIds: [],
};

interface Looked {
  readonly ready?: boolean;
  readonly topics?: readonly SeenTopic[];
}

async function look(
  name: string,
  clusters: readonly SeenCluster[],
  { ready = true, topics = [] }: Looked = {},
): Promise<void> {
  const now = house.clock.now();
  const world = { ...shown(now, "10.2.0.0/25"), clusters, topics, functions: [attached] };
  const conditions = [
    condition(now, { resource: "vpc", state: "ready" }),
    condition(now, { resource: "cluster", state: ready ? "ready" : "waiting", message: "is CREATING" }),
  ];
  await house.look(acme.id, name, { world, layout: LAYOUT, ready, conditions });
}

describe("view", () => {
  before(async () => {
    const engine = { computeEngine: { computeEngineType: "Lambda", functionArns: [ARN] } };
    const made = await create("Clicks", { authentication: "scram", topic: "clicks" }, engine);
    assert.equal(made.status, 201, made.text);
  });

  test("the network is ACTIVE while the cluster is CREATING, and can be listed for peering", async () => {
    await look("Clicks", [cluster({ state: "creating", upgrades: [], brokers: [] })], { ready: false });
    const { status, body } = await ask("GET /v1/datasets/Clicks/writeConnector");
    assert.deepEqual([status, body.status, body.vpcStatus], [200, "CREATING", "ACTIVE"]);
    assert.deepEqual([body.cluster.state, body.statusReason], ["CREATING", "cluster: is CREATING"]);
    const [vpc] = (await ask("GET /v1/vpcs?datasetName=Clicks")).body.items;
    assert.equal(vpc.status, "ACTIVE");
  });

  test("cluster, brokers, upgrades and functions, and where clients begin", async () => {
    await look("Clicks", [cluster()]);
    const { body } = await ask("GET /v1/datasets/Clicks/writeConnector");
    assert.deepEqual([body.status, body.cluster.availableVersions], ["ACTIVE", ["4.0.x.kraft"]]);
    assert.deepEqual(body.cluster.bootstrapBrokers, {
      plaintext: null,
      tls: null,
      scram: BROKERS,
      iam: null,
    });
    assert.deepEqual(body.functions, [
      { functionArn: ARN, state: "active", lastUpdateStatus: "successful", isAttached: true },
    ]);
    assert.equal(body.clientSnippets, undefined);
    const [vpc] = (await ask("GET /v1/vpcs?datasetName=Clicks")).body.items;
    assert.equal(vpc.bootstrapBrokers.scram, BROKERS);
  });

  test("the topic as it is to be, and as it is once it is there", async () => {
    const topic = async () => {
      const { body } = await ask("GET /v1/datasets/Clicks/writeConnector");
      const { topic: name, topicState, partitions, replicationFactor } = body.cluster;
      return [name, topicState, partitions, replicationFactor];
    };
    assert.deepEqual(await topic(), ["clicks", null, 3, 3]);
    const one = { id: "arn:topic", key: "topic", attempt: 0, name: "clicks", clusterId: "arn:cluster" };
    const seen = { ...one, state: "active", refusal: null, partitions: 8, replicationFactor: 3 };
    await look("Clicks", [cluster()], { topics: [seen] });
    assert.deepEqual(await topic(), ["clicks", "ACTIVE", 8, 3]);
    await look("Clicks", [cluster()], { topics: [{ ...seen, state: "unknown", partitions: 0 }] });
    assert.deepEqual(await topic(), ["clicks", null, 3, 3]);
  });

  test("settings for clients have the brokers, the topic and the way to come in", async () => {
    const { body } = await ask("GET /v1/datasets/Clicks/writeConnector?clientSnippet=true");
    const { properties, node, python, notes } = body.clientSnippets;
    assert.match(properties, new RegExp(`^bootstrap.servers=${BROKERS}\nsecurity.protocol=SASL_SSL\n`));
    assert.match(properties, /sasl.mechanism=SCRAM-SHA-512/);
    assert.ok(node.includes('brokers: ["b-1.x:9096", "b-2.x:9096", "b-3.x:9096"]'), node);
    assert.ok(node.includes('topic: "clicks"') && python.includes('KafkaConsumer("clicks"'));
    assert.match(notes.join(" "), /AmazonMSK_/);
  });
});

describe("update, delete, reinitialize", () => {
  const connector = "/v1/datasets/Grow/writeConnector";
  before(async () => {
    await create("Grow", {});
    await look("Grow", [cluster()]);
  });

  test("partitions of the topic become more and never fewer; without a topic there is nothing to grow", async () => {
    await create("Topical", { topic: "events", partitions: 4 });
    const topical = "PATCH /v1/datasets/Topical/writeConnector";
    const { status, body } = await ask(topical, { partitions: 9 });
    assert.deepEqual([status, body.cluster.partitions], [202, 9]);
    const refusals = [
      [topical, { partitions: 8 }, 400, /^partitions 8 is less than the 9 that events has or is to have$/],
      [topical, { partitions: 1_001 }, 400, /at most 1000$/],
      [topical, {}, 400, /^Nothing to change: give volumeGiB or partitions$/],
      [`PATCH ${connector}`, { partitions: 3 }, 409, /^The write connector of Grow has no topic/],
    ] as const;
    for (const [request, change, code, message] of refusals) {
      const refused = await ask(request, change);
      assert.equal(refused.status, code);
      assert.match(refused.body.message, message);
    }
  });

  test("storage grows, and is refused to shrink", async () => {
    const { status, body } = await ask(`PATCH ${connector}`, { volumeGiB: 200 });
    assert.equal(status, 202);
    assert.equal(body.cluster.volumeGiB, 100);
    const refused = await ask(`PATCH ${connector}`, { volumeGiB: 150 });
    assert.deepEqual([refused.status, refused.body.code], [400, "invalid"]);
    assert.equal(refused.body.message, "volumeGiB 150 is less than the 200 GiB there are");
    assert.equal((await ask(`PATCH ${connector}`, { volumeGiB: 0 })).status, 400);
  });

  test("what stands cannot be built again; what goes cannot be deleted twice", async () => {
    const standing = await ask(`POST ${connector}/reinitialize`);
    assert.deepEqual([standing.status, standing.body.code], [409, "conflict"]);
    const { status, body } = await ask(`DELETE ${connector}`);
    assert.deepEqual([status, body.status], [202, "DELETING"]);
    assert.ok(body.deletePlan.some((step: { resource: string }) => step.resource === "cluster"));
    assert.equal((await ask("GET /v1/datasets/Grow")).body.status, "INACTIVE");
    const twice = await ask(`DELETE ${connector}`);
    assert.match(twice.body.message, /is already being deleted/);
    assert.match((await ask(`POST ${connector}/reinitialize`)).body.message, /is still being deleted/);
  });

  test("the dataset can go while its connector goes", async () => {
    const { status, body } = await ask("DELETE /v1/datasets/Grow");
    assert.deepEqual([status, body.status], [202, "DELETING"]);
    assert.match((await ask(`DELETE ${connector}`)).body.message, /^Dataset Grow is being deleted/);
  });

  test("a connector without anything of ours says so; without a cluster it cannot grow", async () => {
    await ask("POST /v1/datasets", kafka("ToS3", { connectorDestination: "S3", kafka: undefined }));
    const seen = await ask("GET /v1/datasets/ToS3/writeConnector");
    assert.deepEqual([seen.body.status, seen.body.cluster, seen.body.vpcStatus], ["ACTIVE", null, null]);
    const refused = await ask("DELETE /v1/datasets/ToS3/writeConnector");
    assert.deepEqual([refused.status, refused.body.code], [409, "conflict"]);
    await create("Bare", { clusterType: "none" });
    const grown = await ask("PATCH /v1/datasets/Bare/writeConnector", { volumeGiB: 200 });
    assert.match(grown.body.message, /has no cluster: its clusterType is none/);
    assert.equal((await ask("DELETE /v1/datasets/Nobody/writeConnector")).status, 404);
  });
});

describe("what a create refuses", () => {
  const refused = async (of: unknown, more: object = {}) => {
    const { status, body } = await create("Bad", of, more);
    assert.equal(status, 400, JSON.stringify(body));
    return { field: body.problems?.[0]?.field, message: body.message };
  };
  const engine = (functionArns: readonly string[], computeEngineType = "Lambda") => ({
    computeEngine: { computeEngineType, functionArns },
  });

  test("a cluster that AWS would refuse, or that leaves too few addresses, by its field", async () => {
    const brokers = await refused({ brokersPerZone: 4 });
    assert.equal(brokers.field, "writeConnector.kafka.brokersPerZone");
    assert.match(brokers.message, /would leave 3 of 11 addresses free.*at most 3, or take vpcSize medium/);
    assert.equal((await refused({ version: "3.9.x" })).field, "writeConnector.kafka.version");
    assert.equal((await refused({ instanceType: "m5.large" })).field, "writeConnector.kafka.instanceType");
  });

  test("a slip in the section, with the field that was meant", async () => {
    const { field, message } = await refused({ instancetype: "kafka.m7g.large" });
    assert.equal(field, "writeConnector.kafka.instancetype");
    assert.match(message, /did you mean instanceType\?/);
  });

  test("functions of another region, another account or another form, or without a VPC", async () => {
    const other = (from: string, to: string) => refused({}, engine([ARN.replace(from, to)]));
    assert.match(
      (await other("us-east-1", "eu-west-1")).message,
      /is in eu-west-1, and the dataset in us-east-1/,
    );
    assert.match((await other("clicks", "clicks:7")).message, /without a version or an alias/);
    assert.match((await other("999999999999", "111122223333")).message, /is not in account 999999999999/);
    assert.match((await refused({}, engine([ARN], "Spark"))).message, /needs computeEngineType Lambda/);
    assert.match((await refused({}, engine([ARN, ARN]))).message, /is named twice/);
  });
});
