/**
 * A write connector's life in AWS's own times: a cluster that takes half an hour while its network is used already,
 * functions beside it, what fails and what others do to it, and its end, with interfaces that AWS keeps for long.
 * By the clock that leaps.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  DescribeNetworkInterfacesCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
} from "@aws-sdk/client-ec2";
import { DeleteClusterCommand, KafkaClient, ListClustersV2Command } from "@aws-sdk/client-kafka";
import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { connectorStatusOf, deletePlanOf, networkStatusOf } from "../src/control/outlook.ts";
import { FREE_ADDRESSES, kafkaCluster } from "../src/domain/kafka.ts";
import type { Condition, KafkaCluster } from "../src/domain/model.ts";
import type { DeleteRow } from "../src/network/deletePlan.ts";
import { makeFunction } from "./support/functions.ts";
import { PLATFORM } from "./support/house.ts";
import { present } from "./support/networks.ts";
import { kafkaRequest, OPERATOR, openPlane, type Plane } from "./support/plane.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** The test looks at what is known this often. */
const LOOK_MS = 15 * SECOND;
const NAME = "Clicks";
const CLUSTER = present<KafkaCluster>(kafkaCluster({ authentication: "scram" }, "small"));
const LATE_MS = 40 * MINUTE;

/** Clients of the platform's own hand, beside the product. */
class Hand {
  readonly kafka: KafkaClient;
  readonly lambda: LambdaClient;
  readonly #endpoint: string;

  constructor({ sandboxUrl }: Plane) {
    this.#endpoint = sandboxUrl;
    const credentials = { accessKeyId: PLATFORM, secretAccessKey: "test" };
    const config = { endpoint: sandboxUrl, region: "us-east-1", credentials, maxAttempts: 1 };
    this.kafka = new KafkaClient(config);
    this.lambda = new LambdaClient(config);
  }

  makeFunction(name: string): Promise<string> {
    return makeFunction(this.#endpoint, name);
  }

  async clusters() {
    return (await this.kafka.send(new ListClustersV2Command({}))).ClusterInfoList ?? [];
  }

  vpcOf(FunctionName: string): Promise<string | undefined> {
    return this.lambda
      .send(new GetFunctionConfigurationCommand({ FunctionName }))
      .then(({ VpcConfig }) => VpcConfig?.VpcId || undefined);
  }

  close(): void {
    this.kafka.destroy();
    this.lambda.destroy();
  }
}

async function known({ store, tenantId }: Plane) {
  const scope = store.tenant(tenantId);
  const dataset = present(await scope.dataset(NAME));
  const [network, status] = [await scope.network(dataset.id), await scope.status(dataset.id)];
  return { dataset, network, status };
}

async function conditionOf(plane: Plane, resource: string): Promise<Condition | undefined> {
  return (await known(plane)).status?.conditions.find((one) => one.resource === resource);
}

async function until(plane: Plane, what: string, ask: () => Promise<boolean>): Promise<void> {
  const deadline = plane.clock.now() + 5 * 3_600_000;
  while (!(await ask())) {
    if (plane.clock.now() > deadline) {
      const { status, dataset } = await known(plane);
      const open = status?.conditions.filter(({ state }) => state !== "ready");
      throw new Error(`waited in vain: ${what}; ${dataset.status} ${JSON.stringify(open)}`);
    }
    await plane.clock.sleep(LOOK_MS);
  }
}

async function requestCount({ admin }: Plane): Promise<number> {
  return ((await admin("GET", "requests?since=0")) as { last: number }).last;
}

const reaches = (plane: Plane, status: string) =>
  until(plane, status, async () => (await known(plane)).dataset.status === status);

const told = (plane: Plane, resource: string, pattern: RegExp) =>
  until(plane, `${resource} ${pattern}`, async () =>
    pattern.test((await conditionOf(plane, resource))?.message ?? ""),
  );

describe("a cluster with two functions", () => {
  let plane: Plane;
  let hand: Hand;
  let functionArns: readonly string[];
  let cidrBlock: string | undefined;

  before(async () => {
    plane = await openPlane({
      settings: { lambdaInterfaceDetachMs: LATE_MS, lambdaInterfaceReleaseMs: 2 * LATE_MS },
    });
    hand = new Hand(plane);
    functionArns = [await hand.makeFunction("clicks-reader"), await hand.makeFunction("clicks-writer")];
  });
  after(async () => {
    hand.close();
    await plane.close();
  });

  test("the network is there long before the cluster; ACTIVE is both, and the functions", async () => {
    await plane.intent.createDataset(
      OPERATOR,
      plane.tenantId,
      kafkaRequest(NAME, { kafka: CLUSTER, functionArns }),
    );
    await plane.drive(async () => {
      const began = plane.clock.now();
      await until(plane, "the network", async () => networkStatusOf(await known(plane)) === "ACTIVE");
      assert.ok(plane.clock.now() - began < 10 * MINUTE);
      await told(plane, "cluster", /is CREATING/);
      const at = await known(plane);
      assert.deepEqual([at.dataset.status, connectorStatusOf(at)], ["CREATING", "CREATING"]);
      const condition = present(await conditionOf(plane, "cluster"));
      assert.match(condition.message, /3 brokers kafka\.m7g\.large, 100 GiB each, Kafka 3\.9\.x\.kraft/);
      assert.deepEqual([condition.actor, condition.usualSeconds], ["aws", 1_800]);
      assert.equal(await hand.vpcOf("clicks-reader"), undefined);
      const [asked, from] = [await requestCount(plane), plane.clock.now()];
      await plane.clock.sleep(20 * MINUTE);
      // One look at the cluster each half minute, and one at everything each five minutes.
      const aMinute = ((await requestCount(plane)) - asked) / ((plane.clock.now() - from) / MINUTE);
      assert.ok(aMinute < 6, `${aMinute} requests a minute while AWS makes the cluster`);
      await reaches(plane, "ACTIVE");
      assert.ok(plane.clock.now() - began > 25 * MINUTE);
      assert.match(
        (await conditionOf(plane, "cluster"))?.message ?? "",
        /could be upgraded to 4\.0\.x\.kraft/,
      );
    });
    const { network, status } = await known(plane);
    cidrBlock = network?.cidr;
    const [cluster] = status?.world?.clusters ?? [];
    assert.match(cluster?.bootstrap.scram ?? "", /:9096/);
    assert.equal(cluster?.groupIds.length, 2);
    const vpcId = status?.world?.vpcs[0]?.id;
    assert.deepEqual([await hand.vpcOf("clicks-reader"), await hand.vpcOf("clicks-writer")], [vpcId, vpcId]);
  });

  test("a small VPC's private subnets have four addresses free and more", async () => {
    const Filters = [{ Name: "tag:letsdata:key", Values: [0, 1, 2].map((zone) => `subnet/private/${zone}`) }];
    const { Subnets = [] } = await plane.ec2(PLATFORM).send(new DescribeSubnetsCommand({ Filters }));
    assert.equal(Subnets.length, 3);
    for (const { AvailableIpAddressCount = 0 } of Subnets) {
      // A broker, and the interface that both functions share.
      assert.equal(AvailableIpAddressCount, 9);
      assert.ok(AvailableIpAddressCount >= FREE_ADDRESSES);
    }
  });

  test("its storage grows and never shrinks", async () => {
    const { intent, tenantId } = plane;
    await assert.rejects(intent.updateConnector(OPERATOR, tenantId, NAME, { volumeGiB: 50 }), {
      code: "invalid",
      message: "volumeGiB 50 is less than the 100 GiB there are",
    });
    await intent.updateConnector(OPERATOR, tenantId, NAME, { volumeGiB: 300 });
    await plane.drive(async () => {
      await told(plane, "cluster", /from 100 to 300 GiB/);
      await told(plane, "cluster", /is ACTIVE: .*300 GiB each/);
    });
    assert.equal((await known(plane)).dataset.status, "ACTIVE");
  });

  test("deleted: functions first, then the cluster, and at each moment what it waits for and since when", async () => {
    const moments: { at: number; rows: readonly DeleteRow[] }[] = [];
    await plane.intent.deleteConnector(OPERATOR, plane.tenantId, NAME);
    await plane.drive(async () => {
      const began = plane.clock.now();
      for (;;) {
        const at = await known(plane);
        if (connectorStatusOf(at) === "DELETED") break;
        assert.equal(at.dataset.status, "INACTIVE");
        moments.push({ at: plane.clock.now(), rows: deletePlanOf(at, plane.clock.now()) ?? [] });
        assert.ok(plane.clock.now() - began < 3 * 3_600_000, JSON.stringify(moments.at(-1)));
        await plane.clock.sleep(LOOK_MS);
      }
      const tookMs = plane.clock.now() - began;
      assert.ok(tookMs > LATE_MS && tookMs < LATE_MS + 10 * MINUTE, `${tookMs / MINUTE} min`);
    });
    for (const { at, rows } of moments)
      for (const { resource, state, since, message } of rows)
        if (state !== "gone") assert.ok(since !== null && since <= at && message, resource);
    const first = (resource: RegExp, is: RegExp) =>
      moments.findIndex(({ rows }) =>
        rows.some((row) => resource.test(row.resource) && is.test(row.message)),
      );
    const waits = first(/^cluster$/, /^waits for function\/clicks-reader to leave the VPC$/);
    const going = first(/^cluster$/, /^is being deleted/);
    assert.ok(waits >= 0 && waits < going, `${waits} ${going}`);
    const late = moments.at(-4)?.rows.filter(({ resource }) => resource.startsWith("interface/")) ?? [];
    assert.equal(late.length, 3);
    for (const { message, actor, usualSeconds, since } of late) {
      assert.match(message, /"AWS Lambda VPC ENI-clicks-(reader|writer)-.*is function clicks-\w+'s/);
      assert.deepEqual([actor, usualSeconds], ["aws", 1_200]);
      assert.ok((moments.at(-4)?.at ?? 0) - (since ?? 0) > 20 * MINUTE);
    }
  });

  test("nothing of it is left, the functions stand as they stood before, and its range rests", async () => {
    const platform = plane.ec2(PLATFORM);
    const Filters = [{ Name: "is-default", Values: ["false"] }];
    const { Vpcs } = await platform.send(new DescribeVpcsCommand({ Filters }));
    const { NetworkInterfaces } = await platform.send(new DescribeNetworkInterfacesCommand({}));
    assert.deepEqual([Vpcs, NetworkInterfaces, await hand.clusters()], [[], [], []]);
    assert.deepEqual(
      [await hand.vpcOf("clicks-reader"), await hand.vpcOf("clicks-writer")],
      [undefined, undefined],
    );
    const ranges = await plane.store.tenant(plane.tenantId).datasetRanges();
    assert.deepEqual(
      ranges.map(({ cidr, state }) => [cidr, state]),
      [[cidrBlock, "quarantined"]],
    );
  });

  test("built again it is whole, in the range it had", async () => {
    const { intent, tenantId } = plane;
    await assert.rejects(intent.deleteConnector(OPERATOR, tenantId, NAME), { code: "conflict" });
    await intent.reinitializeConnector(OPERATOR, tenantId, NAME);
    await plane.drive(() => reaches(plane, "ACTIVE"));
    const { network, status } = await known(plane);
    assert.equal(network?.cidr, cidrBlock);
    assert.equal(status?.world?.clusters[0]?.volumeGiB, 300);
    assert.equal(await hand.vpcOf("clicks-reader"), status?.world?.vpcs[0]?.id);
  });

  test("what stands is not built again", async () => {
    await assert.rejects(plane.intent.reinitializeConnector(OPERATOR, plane.tenantId, NAME), {
      code: "conflict",
      message: "The write connector of Clicks stands: there is nothing to build again",
    });
  });

  test("deleted by hand it is reported and not made again, until somebody wants that", async () => {
    const [{ ClusterArn } = {}] = await hand.clusters();
    await hand.kafka.send(new DeleteClusterCommand({ ClusterArn }));
    await plane.drive(async () => {
      await told(plane, "cluster", /was deleted outside of letsdata/);
      await plane.clock.sleep(12 * MINUTE);
    });
    const at = await known(plane);
    assert.deepEqual([at.dataset.status, networkStatusOf(at)], ["ERROR", "ACTIVE"]);
    assert.match((await conditionOf(plane, "cluster"))?.hint ?? "", /writeConnectors reinitialize/);
    assert.deepEqual(await hand.clusters(), []);
    await plane.intent.reinitializeConnector(OPERATOR, plane.tenantId, NAME);
    await plane.drive(() => reaches(plane, "ACTIVE"));
    assert.equal((await hand.clusters()).length, 1);
  });

  test("deleted with its dataset", async () => {
    await plane.intent.deleteDataset(OPERATOR, plane.tenantId, NAME);
    await plane.drive(() => reaches(plane, "DELETED"));
    assert.deepEqual(await hand.clusters(), []);
  });
});

describe("what goes wrong", () => {
  let plane: Plane;
  let hand: Hand;

  before(async () => {
    plane = await openPlane();
    hand = new Hand(plane);
  });
  after(async () => {
    hand.close();
    await plane.close();
  });

  test("a cluster that FAILED is reported with AWS's own reason; built again, the failed one goes first", async () => {
    const { intent, tenantId } = plane;
    await plane.admin("PATCH", "settings", { mskFailure: "InsufficientCapacity" });
    await intent.createDataset(OPERATOR, tenantId, kafkaRequest(NAME, { kafka: CLUSTER }));
    await plane.drive(() => reaches(plane, "ERROR"));
    const condition = present(await conditionOf(plane, "cluster"));
    assert.match(condition.message, /^AWS could not make it: InsufficientCapacity/);
    assert.equal(condition.actor, "operator");
    await plane.admin("PATCH", "settings", { mskFailure: "" });
    await intent.reinitializeConnector(OPERATOR, tenantId, NAME);
    await plane.drive(() => reaches(plane, "ACTIVE"));
    const clusters = await hand.clusters();
    assert.deepEqual(
      clusters.map(({ State }) => State),
      ["ACTIVE"],
    );
  });

  test("deleted while it is CREATING, it goes as soon as AWS allows it", async () => {
    const { intent, tenantId } = plane;
    await intent.deleteDataset(OPERATOR, tenantId, NAME);
    await plane.drive(() => reaches(plane, "DELETED"));
    await intent.createDataset(OPERATOR, tenantId, kafkaRequest(NAME, { kafka: CLUSTER }));
    await plane.drive(async () => {
      await told(plane, "cluster", /is CREATING/);
      await intent.deleteDataset(OPERATOR, tenantId, NAME);
      await reaches(plane, "DELETED");
    });
    assert.deepEqual(await hand.clusters(), []);
  });

  test("functions that cannot be attached are told of, each with what to do; the others are attached", async () => {
    const { intent, tenantId } = plane;
    const there = await hand.makeFunction("there");
    const missing = there.replace(/there$/, "nowhere");
    await intent.createDataset(OPERATOR, tenantId, kafkaRequest(NAME, { functionArns: [there, missing] }));
    await plane.drive(() => told(plane, "function/nowhere", /there is no such function/));
    await plane.drive(() => told(plane, "function/there", /is attached to 3 private subnets/));
    assert.equal((await known(plane)).dataset.status, "ERROR");
    await hand.makeFunction("nowhere");
    await plane.drive(() => reaches(plane, "ACTIVE"));
    await intent.deleteDataset(OPERATOR, tenantId, NAME);
    await plane.drive(() => reaches(plane, "DELETED"));
  });
});
