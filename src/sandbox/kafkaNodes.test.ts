/** What MSK's clusters put into their owner's VPC, and how clients find their brokers. */
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import {
  DeleteNetworkInterfaceCommand,
  DeleteSecurityGroupCommand,
  DeleteSubnetCommand,
  DescribeSubnetsCommand,
} from "@aws-sdk/client-ec2";
import {
  GetBootstrapBrokersCommand,
  ListNodesCommand,
  type NodeInfo,
  NotFoundException,
  paginateListNodes,
} from "@aws-sdk/client-kafka";
import { Clusters, CREATING, DELETING } from "./testing/clusters.ts";

const DependencyViolation = { name: "DependencyViolation" };

describe("nodes of clusters", () => {
  let clusters: Clusters;
  beforeEach(async () => {
    await clusters?.sandbox.close();
    clusters = await Clusters.start();
  });
  after(() => clusters.sandbox.close());

  test("each broker has an interface in the subnet of its zone, MSK's and not its owner's", async () => {
    const { ec2, groupId, subnets } = clusters;
    const arn = await clusters.make("clicks", { NumberOfBrokerNodes: 6 });
    const own = await clusters.interfaces();
    assert.equal(own.length, 6);
    for (const one of own) {
      assert.equal(one.Description, `DO NOT DELETE - Amazon MSK network interface for cluster ${arn}.`);
      assert.deepEqual([one.Status, one.InterfaceType, one.RequesterManaged], ["in-use", "interface", true]);
      assert.equal(one.Groups?.map((group) => group.GroupId).join(), groupId);
      const { NetworkInterfaceId } = one;
      const drop = new DeleteNetworkInterfaceCommand({ NetworkInterfaceId });
      await assert.rejects(ec2.send(drop), { name: "OperationNotPermitted" });
    }
    const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [...subnets] }));
    const free = Subnets.map((one) => one.AvailableIpAddressCount);
    assert.deepEqual(free, [9, 9, 9]);
  });

  test("nodes are listed with their interfaces, in pages, once there are any", async () => {
    const { client, subnets } = clusters;
    const ClusterArn = await clusters.make("clicks", { NumberOfBrokerNodes: 6 });
    const { NodeInfoList } = await client.send(new ListNodesCommand({ ClusterArn }));
    assert.deepEqual(NodeInfoList, []);
    clusters.sandbox.clock.advance(CREATING);
    const nodes: NodeInfo[] = [];
    for await (const page of paginateListNodes({ client, pageSize: 4 }, { ClusterArn }))
      nodes.push(...(page.NodeInfoList ?? []));
    const brokers = nodes.flatMap((node) => node.BrokerNodeInfo ?? []);
    const ids = brokers.map((one) => one.BrokerId);
    assert.deepEqual(ids, [1, 2, 3, 4, 5, 6]);
    const at = brokers.map((one) => one.ClientSubnet);
    assert.deepEqual(at, [...subnets, ...subnets]);
    const own = await clusters.interfaces();
    for (const one of brokers) {
      const face = own.find((other) => other.NetworkInterfaceId === one.AttachedENIId);
      assert.deepEqual([face?.SubnetId, face?.PrivateIpAddress], [one.ClientSubnet, one.ClientVpcIpAddress]);
      assert.match(one.Endpoints?.[0] ?? "", new RegExp(`^b-${one.BrokerId}\\.clicks\\.`));
    }
    assert.equal(nodes.flatMap((node) => node.ControllerNodeInfo ?? []).length, 3);
  });

  test("interfaces hold groups and subnets until a while after their cluster is gone", async () => {
    const { ec2, groupId, subnets, sandbox } = clusters;
    await sandbox.own("PATCH settings", { mskInterfacesLagMs: 400 });
    const arn = await clusters.makeActive("clicks");
    await clusters.remove(arn);
    const dropGroup = () => ec2.send(new DeleteSecurityGroupCommand({ GroupId: groupId }));
    const dropSubnet = () => ec2.send(new DeleteSubnetCommand({ SubnetId: subnets[0] }));
    await assert.rejects(dropGroup(), DependencyViolation);
    sandbox.clock.advance(DELETING);
    await assert.rejects(clusters.shown(arn), NotFoundException);
    assert.equal((await clusters.interfaces()).length, 3);
    await assert.rejects(dropGroup(), DependencyViolation);
    await assert.rejects(dropSubnet(), DependencyViolation);
    sandbox.clock.advance(400);
    assert.deepEqual(await clusters.interfaces(), []);
    await dropGroup();
    await dropSubnet();
  });

  test("a cluster on ZooKeeper has its nodes in the subnets too", async () => {
    const ClusterArn = await clusters.makeActive("old", { KafkaVersion: "3.7.x", groups: null });
    const own = await clusters.interfaces();
    assert.equal(own.length, 6);
    assert.equal(own[0]?.Groups?.[0]?.GroupName, "default");
    const { NodeInfoList = [] } = await clusters.client.send(new ListNodesCommand({ ClusterArn }));
    const keepers = NodeInfoList.flatMap((node) => node.ZookeeperNodeInfo?.ZookeeperId ?? []);
    assert.deepEqual(keepers, [1, 2, 3]);
    assert.equal(
      NodeInfoList.some((node) => node.ControllerNodeInfo),
      false,
    );
    const { ZookeeperConnectString = "" } = (await clusters.shown(ClusterArn)).Provisioned ?? {};
    assert.match(
      ZookeeperConnectString,
      /^z-1\.old\.[0-9a-f]{6}\.c\d+\.kafka\.us-east-1\.amazonaws\.com:2181,z-2/,
    );
  });

  test("each way in has its addresses, once there are brokers", async () => {
    const ClusterArn = await clusters.make("AWSKafkaTutorialCluster", {
      NumberOfBrokerNodes: 6,
      EncryptionInfo: { EncryptionInTransit: { ClientBroker: "TLS_PLAINTEXT" } },
      ClientAuthentication: {
        Sasl: { Iam: { Enabled: true }, Scram: { Enabled: true } },
        Unauthenticated: { Enabled: true },
      },
    });
    const get = () => clusters.client.send(new GetBootstrapBrokersCommand({ ClusterArn }));
    await assert.rejects(get(), {
      name: "BadRequestException",
      message: "You can't get bootstrap broker nodes for a cluster in CREATING state.",
    });
    clusters.sandbox.clock.advance(CREATING);
    const { $metadata: _, ...strings } = await get();
    const ports = Object.entries(strings).map(([name, text = ""]) => {
      const pairs = text.split(",");
      assert.equal(pairs.length, 3, "three brokers are enough to begin with");
      // AWS cuts the name where it and the number after `c` have 24 characters.
      const host =
        "awskafkatutorialclust(e\\.[0-9a-f]{6}\\.c\\d|\\.[0-9a-f]{6}\\.c\\d\\d)\\.kafka\\.us-east-1";
      for (const [at, pair] of pairs.entries())
        assert.match(pair, new RegExp(`^b-${at + 1}\\.${host}\\.amazonaws\\.com:\\d+$`));
      return [name, text.slice(-4)];
    });
    assert.deepEqual(Object.fromEntries(ports), {
      BootstrapBrokerString: "9092",
      BootstrapBrokerStringTls: "9094",
      BootstrapBrokerStringSaslScram: "9096",
      BootstrapBrokerStringSaslIam: "9098",
    });
  });

  test("a way that is closed has none, and a cluster that is not there has none at all", async () => {
    const get = (ClusterArn: string) => clusters.client.send(new GetBootstrapBrokersCommand({ ClusterArn }));
    const ClientAuthentication = { Sasl: { Iam: { Enabled: true } } };
    const { $metadata: _, ...only } = await get(await clusters.makeActive("iam", { ClientAuthentication }));
    assert.deepEqual(Object.keys(only), ["BootstrapBrokerStringSaslIam"]);
    await assert.rejects(get("arn:aws:kafka:us-east-1:111111111111:cluster/x/y-1"), NotFoundException);
  });
});
