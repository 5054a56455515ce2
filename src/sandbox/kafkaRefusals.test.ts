/** What MSK refuses before it makes anything, each with the parameter that is to blame. */
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import {
  BadRequestException,
  CreateClusterV2Command,
  ListClustersCommand,
  RebootBrokerCommand,
} from "@aws-sdk/client-kafka";
import { Clusters, type ClusterWish } from "./testing/clusters.ts";
import { makeGroup, makeSubnet, makeVpc, makeZonedSubnets } from "./testNetwork.ts";

describe("refusals of clusters", () => {
  let clusters: Clusters;
  beforeEach(async () => {
    await clusters?.sandbox.close();
    clusters = await Clusters.start();
  });
  after(() => clusters.sandbox.close());

  const refused: [
    what: string,
    parameter: string | undefined,
    more: () => ClusterWish | Promise<ClusterWish>,
  ][] = [
    ["an old version", "kafkaVersion", () => ({ KafkaVersion: "2.8.1" })],
    ["a version that is none", "kafkaVersion", () => ({ KafkaVersion: "3.9" })],
    ["an instance type that is none", "instanceType", () => ({ instanceType: "m5.large" })],
    [
      "small brokers for Kafka 4",
      "instanceType",
      () => ({ instanceType: "kafka.t3.small", KafkaVersion: "4.0.x.kraft" }),
    ],
    [
      "Express brokers for a version they do not run",
      "instanceType",
      () => ({ instanceType: "express.m7g.large", KafkaVersion: "3.7.x.kraft", volumeGiB: null }),
    ],
    ["a count that the zones do not divide", "numberOfBrokerNodes", () => ({ NumberOfBrokerNodes: 4 })],
    ["no brokers", "numberOfBrokerNodes", () => ({ NumberOfBrokerNodes: 0 })],
    [
      "one subnet",
      "clientSubnets",
      () => ({ subnets: clusters.subnets.slice(0, 1), NumberOfBrokerNodes: 1 }),
    ],
    [
      "Express brokers in two zones",
      "clientSubnets",
      () => ({
        instanceType: "express.m7g.large",
        subnets: clusters.subnets.slice(0, 2),
        NumberOfBrokerNodes: 2,
        volumeGiB: null,
      }),
    ],
    [
      "two subnets of one zone",
      "clientSubnets",
      async () => ({
        subnets: [clusters.subnets[0] ?? "", await makeSubnet(clusters.ec2, clusters.vpcId)],
        NumberOfBrokerNodes: 2,
      }),
    ],
    [
      "a subnet in use1-az3",
      "clientSubnets",
      async () => {
        const other = await makeVpc(clusters.ec2, "10.1.0.0/16");
        return { subnets: await makeZonedSubnets(clusters.ec2, other, "abc"), groups: null };
      },
    ],
    [
      "subnets of two VPCs",
      "clientSubnets",
      async () => {
        const [first = ""] = await makeZonedSubnets(
          clusters.ec2,
          await makeVpc(clusters.ec2, "10.1.0.0/16"),
          "a",
        );
        return { subnets: [first, ...clusters.subnets.slice(1)] };
      },
    ],
    [
      "a subnet that is not there",
      "clientSubnets",
      () => ({ subnets: ["subnet-1", "subnet-2", "subnet-3"] }),
    ],
    ["a group that is not there", "securityGroups", () => ({ groups: ["sg-1"] })],
    [
      "a group of another VPC",
      "securityGroups",
      async () => ({
        groups: [await makeGroup(clusters.ec2, await makeVpc(clusters.ec2, "10.2.0.0/16"), "far")],
      }),
    ],
    ["a volume beyond MSK's", "volumeSize", () => ({ volumeGiB: 16_385 })],
    ["storage for Express brokers", "storageInfo", () => ({ instanceType: "express.m7g.large" })],
    [
      "proofs without encryption",
      "encryptionInTransit",
      () => ({
        ClientAuthentication: { Sasl: { Scram: { Enabled: true } } },
        EncryptionInfo: { EncryptionInTransit: { ClientBroker: "PLAINTEXT" } },
      }),
    ],
    [
      "no way in at all",
      "clientAuthentication",
      () => ({ ClientAuthentication: { Unauthenticated: { Enabled: false } } }),
    ],
    [
      "a configuration that is not there",
      "configurationInfo",
      () => ({
        ConfigurationInfo: { Arn: "arn:aws:kafka:us-east-1:111111111111:configuration/x/y", Revision: 1 },
      }),
    ],
    [
      "a level of monitoring that is none",
      "enhancedMonitoring",
      () => ({ EnhancedMonitoring: "ALL" as never }),
    ],
    ["a tag of AWS's", "tags", () => ({ tags: { "aws:x": "y" } })],
  ];
  for (const [what, parameter, more] of refused)
    test(`refused: ${what}`, async () => {
      await assert.rejects(clusters.make("clicks", await more()), (error) => {
        assert.ok(error instanceof BadRequestException, String(error));
        assert.equal(error.$metadata.httpStatusCode, 400);
        assert.equal(error.InvalidParameter, parameter, error.message);
        return true;
      });
      assert.deepEqual((await clusters.client.send(new ListClustersCommand({}))).ClusterInfoList, []);
      assert.deepEqual(await clusters.interfaces(), []);
    });

  test("refused: bad names, serverless, nothing, an action that is not here", async () => {
    for (const name of ["with_underscore", "-x", "a".repeat(65)])
      await assert.rejects(clusters.make(name), {
        name: "BadRequestException",
        InvalidParameter: "clusterName",
      });
    const Serverless = { VpcConfigs: [{ SubnetIds: [...clusters.subnets] }] };
    const create = (input: object) =>
      clusters.client.send(new CreateClusterV2Command({ ClusterName: "x", ...input }));
    await assert.rejects(create({ Serverless }), BadRequestException);
    await assert.rejects(create({}), BadRequestException);
    await assert.rejects(create({ Provisioned: { KafkaVersion: "3.9.x.kraft" } }), {
      name: "BadRequestException",
      InvalidParameter: "provisioned.brokerNodeGroupInfo",
    });
    const reboot = new RebootBrokerCommand({ ClusterArn: await clusters.make("x"), BrokerIds: ["1"] });
    await assert.rejects(clusters.client.send(reboot), { name: "UnknownOperationException" });
  });

  test("quotas: brokers of the account, and of a cluster", async () => {
    await clusters.sandbox.own("PATCH settings", { mskBrokersQuota: 9, mskBrokersPerClusterQuota: 6 });
    await assert.rejects(clusters.make("wide", { NumberOfBrokerNodes: 9 }), /6 brokers at most/);
    await clusters.make("one", { NumberOfBrokerNodes: 6 });
    await assert.rejects(clusters.make("two", { NumberOfBrokerNodes: 6 }), {
      name: "BadRequestException",
      InvalidParameter: "numberOfBrokerNodes",
    });
    await clusters.make("three");
  });
});
