/** The life of MSK's clusters over the wire: made, shown, listed, tagged, failed, deleted. */
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import {
  BadRequestException,
  ConflictException,
  CreateClusterCommand,
  DeleteClusterCommand,
  DescribeClusterCommand,
  DescribeClusterV2Command,
  GetBootstrapBrokersCommand,
  KafkaClient,
  ListClustersCommand,
  ListTagsForResourceCommand,
  NotFoundException,
  paginateListClustersV2,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-kafka";
import { Clusters, CREATING, DELETING, OWNER, REGION } from "./testing/clusters.ts";

const STRANGER = "222222222222";

describe("clusters", () => {
  let clusters: Clusters;
  beforeEach(async () => {
    await clusters?.sandbox.close();
    clusters = await Clusters.start();
  });
  after(() => clusters.sandbox.close());

  test("a cluster is CREATING, ACTIVE, DELETING and gone, by the clock", async () => {
    const { clock } = clusters.sandbox;
    const arn = await clusters.make("clicks");
    assert.match(arn, /^arn:aws:kafka:us-east-1:1{12}:cluster\/clicks\/[0-9a-f-]{36}-\d{1,2}$/);
    assert.equal(await clusters.stateOf(arn), "CREATING");
    await assert.rejects(clusters.remove(arn), {
      name: "BadRequestException",
      message: "You can't delete cluster in CREATING state.",
    });
    clock.advance(CREATING - 1);
    assert.equal(await clusters.stateOf(arn), "CREATING");
    clock.advance(1);
    assert.equal(await clusters.stateOf(arn), "ACTIVE");
    const stale = new DeleteClusterCommand({ ClusterArn: arn, CurrentVersion: "K1" });
    await assert.rejects(clusters.client.send(stale), BadRequestException);
    assert.equal((await clusters.remove(arn)).State, "DELETING");
    await assert.rejects(clusters.remove(arn), BadRequestException);
    clock.advance(DELETING - 1);
    assert.equal(await clusters.stateOf(arn), "DELETING");
    clock.advance(1);
    await assert.rejects(clusters.shown(arn), (error) => {
      assert.ok(error instanceof NotFoundException);
      assert.equal(error.$metadata.httpStatusCode, 404);
      return true;
    });
  });

  test("is shown as it was made, with MSK's defaults", async () => {
    const arn = await clusters.make("Clicks", { tags: { team: "blue" }, volumeGiB: null });
    const { CreationTime, CurrentVersion, ...cluster } = await clusters.shown(arn);
    assert.equal(CreationTime?.getTime(), clusters.sandbox.clock.now());
    assert.match(CurrentVersion ?? "", /^K[0-9A-Z]{13}$/);
    const { EncryptionInfo, ...provisioned } = cluster.Provisioned ?? {};
    const key = EncryptionInfo?.EncryptionAtRest?.DataVolumeKMSKeyId ?? "";
    assert.match(key, /^arn:aws:kms:us-east-1:1{12}:key\//);
    assert.deepEqual(EncryptionInfo?.EncryptionInTransit, { ClientBroker: "TLS", InCluster: true });
    const Prometheus = { JmxExporter: { EnabledInBroker: false }, NodeExporter: { EnabledInBroker: false } };
    assert.deepEqual(
      { ...cluster, Provisioned: provisioned },
      {
        ClusterArn: arn,
        ClusterName: "Clicks",
        ClusterType: "PROVISIONED",
        State: "CREATING",
        Tags: { team: "blue" },
        Provisioned: {
          BrokerNodeGroupInfo: {
            BrokerAZDistribution: "DEFAULT",
            ClientSubnets: clusters.subnets,
            InstanceType: "kafka.m7g.large",
            SecurityGroups: [clusters.groupId],
            ZoneIds: ["use1-az1", "use1-az2", "use1-az4"],
            ConnectivityInfo: { PublicAccess: { Type: "DISABLED" }, NetworkType: "IPV4" },
            StorageInfo: { EbsStorageInfo: { VolumeSize: 1_000 } },
          },
          CurrentBrokerSoftwareInfo: { KafkaVersion: "3.9.x.kraft" },
          ClientAuthentication: {
            Sasl: { Scram: { Enabled: false }, Iam: { Enabled: false } },
            Tls: { CertificateAuthorityArnList: [], Enabled: false },
            Unauthenticated: { Enabled: true },
          },
          EnhancedMonitoring: "DEFAULT",
          OpenMonitoring: { Prometheus },
          NumberOfBrokerNodes: 3,
          StorageMode: "LOCAL",
          CustomerActionStatus: "NONE",
        },
      },
    );
  });

  test("the first version of the API makes and shows the same", async () => {
    const { client } = clusters;
    const input = { ClusterName: "flat", ...clusters.provisioned({ NumberOfBrokerNodes: 6 }) };
    const { ClusterArn = "", State } = await client.send(new CreateClusterCommand(input));
    assert.equal(State, "CREATING");
    const { ClusterInfo } = await client.send(new DescribeClusterCommand({ ClusterArn }));
    const { Provisioned, ClusterType: _, ...common } = await clusters.shown(ClusterArn);
    assert.deepEqual(ClusterInfo, { ...common, ...Provisioned });
    const { ClusterInfoList } = await client.send(new ListClustersCommand({ ClusterNameFilter: "fl" }));
    assert.deepEqual(ClusterInfoList, [ClusterInfo]);
  });

  test("Express brokers bring storage and rebalancing of their own", async () => {
    const wish = { instanceType: "express.m7g.large", volumeGiB: null };
    const { Provisioned } = await clusters.shown(await clusters.make("fast", wish));
    assert.equal(Provisioned?.BrokerNodeGroupInfo?.StorageInfo, undefined);
    assert.equal(Provisioned?.StorageMode, undefined);
    assert.deepEqual(Provisioned?.Rebalancing, { Status: "ACTIVE" });
  });

  test("lists are the account's and region's own, by prefix, in pages", async () => {
    for (const name of ["clicks-2", "other", "clicks-1", "clicks-3"]) await clusters.make(name);
    const names = async (client: KafkaClient, ClusterNameFilter?: string) => {
      const input = ClusterNameFilter === undefined ? {} : { ClusterNameFilter };
      const found: string[][] = [];
      for await (const { ClusterInfoList = [] } of paginateListClustersV2({ client, pageSize: 2 }, input))
        found.push(ClusterInfoList.map((one) => one.ClusterName ?? ""));
      return found;
    };
    const { client, sandbox } = clusters;
    assert.deepEqual(await names(client, "clicks-"), [["clicks-1", "clicks-2"], ["clicks-3"]]);
    assert.deepEqual((await names(client)).flat(), ["clicks-1", "clicks-2", "clicks-3", "other"]);
    assert.deepEqual(await names(sandbox.of(KafkaClient, STRANGER, REGION)), [[]]);
    assert.deepEqual(await names(sandbox.of(KafkaClient, OWNER, "eu-west-1")), [[]]);
    const wrong = (input: object) => client.send(new ListClustersCommand(input));
    await assert.rejects(wrong({ MaxResults: 101 }), BadRequestException);
    await assert.rejects(wrong({ NextToken: "?" }), BadRequestException);
  });

  test("a name is taken until its cluster is gone", async () => {
    const arn = await clusters.make("clicks");
    await assert.rejects(clusters.make("clicks"), (error) => {
      assert.ok(error instanceof ConflictException);
      assert.equal(error.$metadata.httpStatusCode, 409);
      assert.equal(error.InvalidParameter, "clusterName");
      return true;
    });
    const stranger = clusters.sandbox.of(KafkaClient, STRANGER, REGION);
    const look = new DescribeClusterV2Command({ ClusterArn: arn });
    await assert.rejects(stranger.send(look), NotFoundException);
    clusters.sandbox.clock.advance(CREATING);
    await clusters.remove(arn);
    await assert.rejects(clusters.make("clicks"), ConflictException);
    clusters.sandbox.clock.advance(DELETING);
    assert.notEqual(await clusters.make("clicks"), arn);
  });

  test("a cluster without room for its brokers fails, and can only be deleted", async () => {
    const arn = await clusters.makeActive("big", { NumberOfBrokerNodes: 36 });
    const { State, StateInfo } = await clusters.shown(arn);
    assert.deepEqual([State, StateInfo?.Code], ["FAILED", "InsufficientFreeAddresses"]);
    assert.deepEqual(await clusters.interfaces(), []);
    await assert.rejects(clusters.client.send(new GetBootstrapBrokersCommand({ ClusterArn: arn })), {
      message: "You can't get bootstrap broker nodes for a cluster in FAILED state.",
    });
    await assert.rejects(clusters.make("big"), ConflictException);
    await clusters.remove(arn);
    clusters.sandbox.clock.advance(DELETING);
    await clusters.make("big");
  });

  test("a cluster fails when the setting asks for it", async () => {
    const { sandbox } = clusters;
    await sandbox.own("PATCH settings", { mskFailure: "InternalError" });
    const arn = await clusters.make("clicks");
    await sandbox.own("PATCH settings", { mskFailure: "" });
    assert.equal(await clusters.stateOf(arn), "CREATING");
    sandbox.clock.advance(CREATING);
    assert.deepEqual((await clusters.shown(arn)).StateInfo, {
      Code: "InternalError",
      Message: "The cluster could not be created.",
    });
    assert.equal(await clusters.stateOf(await clusters.makeActive("other")), "ACTIVE");
  });

  test("tags come, change and go", async () => {
    const { client } = clusters;
    const ResourceArn = await clusters.make("clicks", { tags: { a: "1", b: "2" } });
    await client.send(new TagResourceCommand({ ResourceArn, Tags: { b: "3", "c d": "ä&" } }));
    await client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ["a", "nothing"] }));
    const { Tags } = await client.send(new ListTagsForResourceCommand({ ResourceArn }));
    assert.deepEqual(Tags, { b: "3", "c d": "ä&" });
    assert.deepEqual((await clusters.shown(ResourceArn)).Tags, Tags);
    const many = Object.fromEntries(Array.from({ length: 49 }, (_, at) => [`k${at}`, ""]));
    const tagAll = new TagResourceCommand({ ResourceArn, Tags: many });
    await assert.rejects(client.send(tagAll), BadRequestException);
    const nobody = { ResourceArn: `${ResourceArn}0` };
    await assert.rejects(client.send(new ListTagsForResourceCommand(nobody)), NotFoundException);
  });

  test("a cluster that was just made may not be seen yet", async () => {
    await clusters.sandbox.own("PATCH settings", { unseenMsMin: 100, unseenMsMax: 100 });
    const arn = await clusters.make("clicks");
    await assert.rejects(clusters.shown(arn), NotFoundException);
    await assert.rejects(clusters.make("clicks"), ConflictException);
    clusters.sandbox.clock.advance(100);
    assert.equal(await clusters.stateOf(arn), "CREATING");
  });
});
