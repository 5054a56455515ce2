import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { CreateClusterV2Command, KafkaClient } from "@aws-sdk/client-kafka";
import { type Cidr, cidr } from "../../domain/cidr.ts";
import type { ClusterSpec, SeenCluster } from "../../domain/connector.ts";
import { clusterName } from "./msk.ts";
import { ACCOUNT, cellIn, networkRef, rejection, stepper, wiredSandbox } from "./testing.ts";

const HOME = cellIn("us-east-1");
const CREATE = "POST /api/v2/clusters";
const LIST = "GET /api/v2/clusters";

const { sandbox, wire, cloud } = await wiredSandbox();
const kafka = sandbox.of(KafkaClient, ACCOUNT, "us-east-1");

/** A network with three private subnets and the two groups, and the spec of a cluster in it. */
async function grounds(name: string, block: string) {
  const network = { ...networkRef(name), hasCluster: true };
  const { act, made, look } = stepper(cloud, HOME, network);
  const vpcId = await made({ do: "createVpc", key: "vpc", cidr: cidr(`${block}.0/25`) });
  sandbox.clock.advance(5_000);
  const zones = (await cloud.zones(HOME)).filter(({ id }) => id !== "use1-az3").slice(0, 3);
  const subnetIds: string[] = [];
  for (const [index, zone] of zones.entries()) {
    const place = { vpcId, cidr: `${block}.${index * 16}/28` as Cidr, zoneId: zone.id };
    subnetIds.push(await made({ do: "createSubnet", key: `subnet/private/${index}`, ...place }));
  }
  const group = (key: string) =>
    made({ do: "createGroup", key: `group/${key}`, vpcId, name: key, description: key });
  const groupIds = [await group("cluster"), await group("peers")];
  sandbox.clock.advance(5_000);
  const spec: ClusterSpec = {
    clusterType: "provisioned",
    version: "3.9.x.kraft",
    instanceType: "kafka.m7g.large",
    brokerCount: 3,
    volumeGiB: 100,
    authentication: "iam",
    subnetIds,
    groupIds,
  };
  const cluster = async (): Promise<SeenCluster | undefined> => (await look([vpcId])).clusters[0];
  return { network, act, made, look, cluster, spec, vpcId };
}

const MOST_MS = 3_600_000;

describe("a cluster from first to last", () => {
  let of: Awaited<ReturnType<typeof grounds>>;
  let id = "";

  before(async () => {
    of = await grounds("whole", "10.4.0");
  });

  test("is made with our name, tags, groups and encryption, and seen while it is CREATING", async () => {
    id = await of.made({ do: "createCluster", key: "cluster", spec: of.spec }, 2);
    sandbox.clock.advance(1_000);
    const seen = await of.cluster();
    assert.deepEqual(seen && { ...seen, createdAt: null, revision: "" }, {
      id,
      key: "cluster",
      attempt: 2,
      name: "ld-inst-1-ds-whole",
      ours: true,
      state: "creating",
      stateReason: null,
      clusterType: "provisioned",
      version: "3.9.x.kraft",
      upgrades: [],
      instanceType: "kafka.m7g.large",
      brokerCount: 3,
      volumeGiB: 100,
      authentication: ["iam"],
      subnetIds: of.spec.subnetIds,
      groupIds: of.spec.groupIds,
      brokers: [],
      bootstrap: { plaintext: null, tls: null, scram: null, iam: null },
      revision: "",
      createdAt: null,
    });
    assert.ok(seen?.createdAt);
  });

  test("ACTIVE, it tells its brokers, their interfaces, and what it could be upgraded to; asked once", async () => {
    sandbox.clock.advance(MOST_MS);
    const world = await of.look([of.vpcId]);
    const [seen] = world.clusters;
    assert.equal(seen?.state, "active");
    assert.match(seen.bootstrap.iam ?? "", /^b-1\..+:9098,b-2\..+:9098,b-3\..+:9098$/);
    assert.equal(seen.bootstrap.scram, null);
    assert.deepEqual(
      seen.brokers.map(({ subnetId }) => subnetId),
      of.spec.subnetIds,
    );
    const interfaces = world.interfaces.map((one) => one.id).sort();
    assert.deepEqual(seen.brokers.map(({ interfaceId }) => interfaceId).sort(), interfaces);
    assert.ok(seen.upgrades.includes("4.0.x.kraft"));
    const sent = wire.sent.length;
    await of.cluster();
    const again = wire.sent.slice(sent).filter((action) => action.includes("/clusters"));
    assert.deepEqual(again, [LIST]);
  });

  test("its storage grows; a second growth, too early for AWS, is a conflict", async () => {
    const seen = await of.cluster();
    const grow = { do: "growStorage", key: "cluster", clusterArn: id, volumeGiB: 200 } as const;
    await of.act({ ...grow, revision: seen?.revision ?? "" });
    await rejection(of.act({ ...grow, revision: seen?.revision ?? "" }), "conflict");
    assert.equal((await of.cluster())?.state, "updating");
    sandbox.clock.advance(MOST_MS);
    assert.equal((await of.cluster())?.volumeGiB, 200);
  });

  test("is deleted; twice is no harm", async () => {
    const away = { do: "deleteCluster", key: "cluster", clusterArn: id } as const;
    await of.act(away);
    assert.equal((await of.cluster())?.state, "deleting");
    sandbox.clock.advance(MOST_MS);
    assert.equal(await of.cluster(), undefined);
    await of.act(away);
  });
});

describe("whose cluster it is", () => {
  test("one without our tags that has our name is shown as somebody else's, and our create is a conflict", async () => {
    const of = await grounds("taken", "10.4.1");
    const { subnetIds, groupIds } = of.spec;
    await kafka.send(
      new CreateClusterV2Command({
        ClusterName: clusterName("inst-1", of.network),
        Provisioned: {
          KafkaVersion: "3.9.x.kraft",
          NumberOfBrokerNodes: 3,
          BrokerNodeGroupInfo: {
            InstanceType: "kafka.m7g.large",
            ClientSubnets: [...subnetIds],
            SecurityGroups: [...groupIds],
          },
        },
      }),
    );
    sandbox.clock.advance(10_000);
    assert.equal((await of.cluster())?.ours, false);
    await rejection(of.act({ do: "createCluster", key: "cluster", spec: of.spec }), "conflict");
  });

  test("a create whose answer was lost is not sent again; the look finds it by name and tag", async () => {
    const of = await grounds("lost", "10.4.2");
    wire.loseAnswers(CREATE, 1);
    const sent = wire.sent.length;
    await rejection(of.act({ do: "createCluster", key: "cluster", spec: of.spec }, 4), "unavailable");
    assert.equal(wire.sent.slice(sent).filter((action) => action === CREATE).length, 1);
    sandbox.clock.advance(10_000);
    const seen = await of.cluster();
    assert.deepEqual([seen?.ours, seen?.attempt], [true, 4]);
  });

  test("networks without a cluster cost no call", async () => {
    const sent = wire.sent.length;
    await stepper(cloud, HOME, networkRef("none")).look();
    assert.ok(!wire.sent.slice(sent).some((action) => action.includes("/clusters")));
  });
});

describe("how clients come in", () => {
  const ways = [
    ["scram", { scram: /:9096/, iam: null, tls: null, plaintext: null }],
    ["none", { scram: null, iam: null, tls: /:9094/, plaintext: /:9092/ }],
  ] as const;
  for (const [index, [authentication, expected]] of ways.entries())
    test(authentication, async () => {
      const of = await grounds(authentication, `10.4.${4 + index}`);
      await of.made({ do: "createCluster", key: "cluster", spec: { ...of.spec, authentication } });
      sandbox.clock.advance(MOST_MS);
      const seen = await of.cluster();
      assert.deepEqual(seen?.authentication, [authentication]);
      for (const [way, pattern] of Object.entries(expected))
        if (pattern === null) assert.equal(Reflect.get(seen?.bootstrap ?? {}, way), null, way);
        else assert.match(String(Reflect.get(seen?.bootstrap ?? {}, way)), pattern);
    });
});

test("what AWS refuses is invalid, with AWS's own words", async () => {
  const of = await grounds("bad", "10.4.8");
  const failure = await rejection(
    of.act({ do: "createCluster", key: "cluster", spec: { ...of.spec, instanceType: "kafka.x9.huge" } }),
    "invalid",
  );
  assert.match(failure.message, /kafka:CreateClusterV2: Unsupported InstanceType/);
});
