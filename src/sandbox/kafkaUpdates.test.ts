/** Updates of MSK's clusters over the wire: storage, version, monitoring, security, secrets, and their record. */
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import {
  BadRequestException,
  BatchAssociateScramSecretCommand,
  BatchDisassociateScramSecretCommand,
  type BrokerEBSVolumeInfo,
  DeleteClusterCommand,
  DescribeClusterOperationCommand,
  DescribeClusterOperationV2Command,
  GetBootstrapBrokersCommand,
  GetCompatibleKafkaVersionsCommand,
  InternalServerErrorException,
  KafkaClient,
  KafkaServiceException,
  ListClusterOperationsCommand,
  ListKafkaVersionsCommand,
  ListNodesCommand,
  ListScramSecretsCommand,
  NotFoundException,
  paginateListClusterOperationsV2,
  paginateListKafkaVersions,
  TooManyRequestsException,
  UpdateBrokerStorageCommand,
  UpdateClusterKafkaVersionCommand,
  UpdateMonitoringCommand,
  UpdateSecurityCommand,
} from "@aws-sdk/client-kafka";
import { Clusters, type ClusterWish, OWNER, REGION, UPDATING } from "./testing/clusters.ts";

describe("updates of clusters", () => {
  let clusters: Clusters;
  let client: KafkaClient;
  beforeEach(async () => {
    await clusters?.sandbox.close();
    clusters = await Clusters.start();
    client = clusters.client;
  });
  after(() => clusters.sandbox.close());

  /** An active cluster of three brokers. */
  const make = (wish: ClusterWish = {}) =>
    clusters.makeActive("clicks", { KafkaVersion: "3.8.x.kraft", ...wish });
  const shown = (arn: string) => clusters.shown(arn);

  /** What names the cluster and its last change, as every update wants it. */
  async function at(ClusterArn: string) {
    const { CurrentVersion = "" } = await shown(ClusterArn);
    return { ClusterArn, CurrentVersion };
  }

  async function grow(arn: string, ...TargetBrokerEBSVolumeInfo: BrokerEBSVolumeInfo[]) {
    return client.send(new UpdateBrokerStorageCommand({ ...(await at(arn)), TargetBrokerEBSVolumeInfo }));
  }

  test("storage grows: UPDATING, then larger and of another version", async () => {
    const arn = await make();
    const before = await at(arn);
    const { ClusterOperationArn } = await grow(arn, { KafkaBrokerNodeId: "ALL", VolumeSizeGB: 200 });
    const during = await shown(arn);
    assert.deepEqual(
      [during.State, during.ActiveOperationArn, during.CurrentVersion],
      ["UPDATING", ClusterOperationArn, before.CurrentVersion],
    );
    const size = (cluster: typeof during) =>
      cluster.Provisioned?.BrokerNodeGroupInfo?.StorageInfo?.EbsStorageInfo?.VolumeSize;
    assert.equal(size(during), 100);
    await client.send(new GetBootstrapBrokersCommand({ ClusterArn: arn }));
    await assert.rejects(client.send(new DeleteClusterCommand({ ClusterArn: arn })), BadRequestException);
    const second = grow(arn, { KafkaBrokerNodeId: "1", VolumeSizeGB: 300 });
    await assert.rejects(second, { message: "You can't update a cluster in UPDATING state." });
    clusters.sandbox.clock.advance(UPDATING);
    const then = await shown(arn);
    assert.deepEqual([then.State, then.ActiveOperationArn, size(then)], ["ACTIVE", undefined, 200]);
    assert.notEqual(then.CurrentVersion, before.CurrentVersion);
    const TargetBrokerEBSVolumeInfo = [{ KafkaBrokerNodeId: "ALL", VolumeSizeGB: 300 }];
    const stale = new UpdateBrokerStorageCommand({ ...before, TargetBrokerEBSVolumeInfo });
    await assert.rejects(client.send(stale), { InvalidParameter: "currentVersion" });
  });

  test("storage neither shrinks nor stays, nor grows again too soon", async () => {
    await clusters.sandbox.own("PATCH settings", { mskStorageCooldownMs: 10_000 });
    const arn = await make();
    const refused = (...asked: BrokerEBSVolumeInfo[]) =>
      assert.rejects(grow(arn, ...asked), BadRequestException);
    await refused({ KafkaBrokerNodeId: "ALL", VolumeSizeGB: 99 });
    await refused({ KafkaBrokerNodeId: "ALL", VolumeSizeGB: 100 });
    await refused({ KafkaBrokerNodeId: "ALL", VolumeSizeGB: 16_385 });
    await refused({ KafkaBrokerNodeId: "4", VolumeSizeGB: 200 });
    await refused({ KafkaBrokerNodeId: "1" });
    await refused();
    await grow(arn, { KafkaBrokerNodeId: "2", VolumeSizeGB: 150 });
    clusters.sandbox.clock.advance(9_999);
    await assert.rejects(grow(arn, { KafkaBrokerNodeId: "ALL", VolumeSizeGB: 200 }), /scaled again/);
    clusters.sandbox.clock.advance(1);
    await grow(arn, { KafkaBrokerNodeId: "ALL", VolumeSizeGB: 200 });
  });

  test("Express brokers' storage is not to be updated", async () => {
    const arn = await make({
      instanceType: "express.m7g.large",
      volumeGiB: null,
      KafkaVersion: "3.9.x.kraft",
    });
    await assert.rejects(grow(arn, { KafkaBrokerNodeId: "ALL", VolumeSizeGB: 200 }), BadRequestException);
  });

  test("a version goes up, to those that are compatible", async () => {
    const ClusterArn = await make();
    const { CompatibleKafkaVersions: own = [] } = await client.send(
      new GetCompatibleKafkaVersionsCommand({ ClusterArn }),
    );
    assert.deepEqual(own, [
      { SourceVersion: "3.8.x.kraft", TargetVersions: ["3.9.x.kraft", "4.0.x.kraft", "4.1.x.kraft"] },
    ]);
    const upgrade = async (TargetKafkaVersion: string) =>
      client.send(new UpdateClusterKafkaVersionCommand({ ...(await at(ClusterArn)), TargetKafkaVersion }));
    for (const wrong of ["3.8.x.kraft", "3.7.x.kraft", "3.9.x", "4.2.x.kraft", "5"])
      await assert.rejects(upgrade(wrong), BadRequestException, wrong);
    await upgrade("3.9.x.kraft");
    clusters.sandbox.clock.advance(UPDATING);
    const { Provisioned } = await shown(ClusterArn);
    assert.equal(Provisioned?.CurrentBrokerSoftwareInfo?.KafkaVersion, "3.9.x.kraft");
    const { NodeInfoList = [] } = await client.send(new ListNodesCommand({ ClusterArn }));
    assert.equal(NodeInfoList[0]?.BrokerNodeInfo?.CurrentBrokerSoftwareInfo?.KafkaVersion, "3.9.x.kraft");
  });

  test("ZooKeeper's way to KRaft leads over its last version; small brokers stay below Kafka 4", async () => {
    const { CompatibleKafkaVersions: all = [] } = await client.send(
      new GetCompatibleKafkaVersionsCommand({}),
    );
    const targets = (source: string) => all.find((one) => one.SourceVersion === source)?.TargetVersions;
    assert.deepEqual(targets("3.8.x"), ["3.9.x"]);
    assert.deepEqual(targets("3.9.x"), ["3.9.x.kraft", "4.0.x.kraft", "4.1.x.kraft"]);
    const ClusterArn = await make({ instanceType: "kafka.t3.small" });
    const { CompatibleKafkaVersions: own = [] } = await client.send(
      new GetCompatibleKafkaVersionsCommand({ ClusterArn }),
    );
    assert.deepEqual(own[0]?.TargetVersions, ["3.9.x.kraft"]);
  });

  test("versions are listed in pages, those out of support too", async () => {
    const found = new Map<string, string>();
    for await (const page of paginateListKafkaVersions({ client, pageSize: 6 }, {})) {
      assert.ok((page.KafkaVersions?.length ?? 0) <= 6);
      for (const { Version = "", Status = "" } of page.KafkaVersions ?? []) found.set(Version, Status);
    }
    assert.equal(found.get("2.8.1"), "DEPRECATED");
    assert.equal(found.get("3.9.x.kraft"), "ACTIVE");
    const { KafkaVersions = [] } = await client.send(new ListKafkaVersionsCommand({}));
    assert.equal(KafkaVersions.length, found.size);
  });

  test("monitoring and security change what is asked for, and nothing else", async () => {
    const arn = await make();
    const prometheus = { Prometheus: { JmxExporter: { EnabledInBroker: true } } };
    const LoggingInfo = { BrokerLogs: { CloudWatchLogs: { Enabled: true, LogGroup: "clicks" } } };
    const level = async (more: object) =>
      client.send(new UpdateMonitoringCommand({ ...(await at(arn)), ...more }));
    await level({ EnhancedMonitoring: "PER_BROKER", LoggingInfo });
    clusters.sandbox.clock.advance(UPDATING);
    await level({ OpenMonitoring: prometheus });
    clusters.sandbox.clock.advance(UPDATING);
    await assert.rejects(level({}), BadRequestException);
    await assert.rejects(level({ EnhancedMonitoring: "PER_BROKER" }), BadRequestException);
    const secure = async (more: object) =>
      client.send(new UpdateSecurityCommand({ ...(await at(arn)), ...more }));
    const ClientAuthentication = { Sasl: { Scram: { Enabled: true } }, Unauthenticated: { Enabled: false } };
    const { ClusterOperationArn } = await secure({ ClientAuthentication });
    clusters.sandbox.clock.advance(UPDATING);
    const PLAINTEXT = { EncryptionInTransit: { ClientBroker: "PLAINTEXT" } };
    await assert.rejects(secure({ EncryptionInfo: PLAINTEXT }), BadRequestException);
    const inCluster = { EncryptionInTransit: { InCluster: false } };
    await assert.rejects(secure({ EncryptionInfo: inCluster }), BadRequestException);
    const { Provisioned } = await shown(arn);
    assert.equal(Provisioned?.EnhancedMonitoring, "PER_BROKER");
    assert.equal(Provisioned?.OpenMonitoring?.Prometheus?.JmxExporter?.EnabledInBroker, true);
    assert.deepEqual(Provisioned?.LoggingInfo, LoggingInfo);
    assert.deepEqual(Provisioned?.ClientAuthentication?.Unauthenticated, { Enabled: false });
    const { $metadata: _, ...strings } = await client.send(
      new GetBootstrapBrokersCommand({ ClusterArn: arn }),
    );
    assert.deepEqual(Object.keys(strings), ["BootstrapBrokerStringSaslScram"]);
    const { ClusterOperationInfo } = await client.send(
      new DescribeClusterOperationCommand({ ClusterOperationArn }),
    );
    assert.deepEqual(ClusterOperationInfo?.SourceClusterInfo?.ClientAuthentication?.Unauthenticated, {
      Enabled: true,
    });
  });

  test("operations are kept, newest first, and go with their cluster", async () => {
    const ClusterArn = await make();
    const arns: string[] = [];
    for (const VolumeSizeGB of [200, 300, 400]) {
      const { ClusterOperationArn = "" } = await grow(ClusterArn, { KafkaBrokerNodeId: "ALL", VolumeSizeGB });
      arns.unshift(ClusterOperationArn);
      if (VolumeSizeGB < 400) clusters.sandbox.clock.advance(UPDATING);
    }
    const states: (string | undefined)[] = [];
    const found: (string | undefined)[] = [];
    const pages = paginateListClusterOperationsV2({ client, pageSize: 2 }, { ClusterArn });
    for await (const { ClusterOperationInfoList = [] } of pages) {
      states.push(...ClusterOperationInfoList.map((one) => one.OperationState));
      found.push(...ClusterOperationInfoList.map((one) => one.OperationArn));
    }
    assert.deepEqual(found, arns);
    assert.deepEqual(states, ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_COMPLETE"]);
    clusters.sandbox.clock.advance(UPDATING);
    const { ClusterOperationInfoList = [] } = await client.send(
      new ListClusterOperationsCommand({ ClusterArn }),
    );
    assert.deepEqual(
      ClusterOperationInfoList.map((one) => one.OperationArn),
      arns,
    );
    const newest = ClusterOperationInfoList[0];
    assert.equal(newest?.OperationType, "INCREASE_BROKER_STORAGE");
    assert.equal(newest?.EndTime?.getTime(), (newest?.CreationTime?.getTime() ?? 0) + UPDATING);
    assert.equal(newest?.SourceClusterInfo?.BrokerEBSVolumeInfo?.[2]?.VolumeSizeGB, 300);
    const { ClusterOperationInfo } = await client.send(
      new DescribeClusterOperationV2Command({ ClusterOperationArn: arns[0] }),
    );
    assert.equal(ClusterOperationInfo?.Provisioned?.TargetClusterInfo?.BrokerEBSVolumeInfo?.length, 3);
    await client.send(new DeleteClusterCommand({ ClusterArn }));
    clusters.sandbox.clock.advance(1_000);
    const again = new DescribeClusterOperationCommand({ ClusterOperationArn: arns[0] });
    await assert.rejects(client.send(again), NotFoundException);
    await assert.rejects(client.send(new ListClusterOperationsCommand({ ClusterArn })), NotFoundException);
  });

  test("secrets are taken one by one", async () => {
    const ClusterArn = await make({ ClientAuthentication: { Sasl: { Scram: { Enabled: true } } } });
    const secret = (name: string, region = REGION) =>
      `arn:aws:secretsmanager:${region}:${OWNER}:secret:${name}-AbCdEf`;
    const [one, two] = [secret("AmazonMSK_one"), secret("AmazonMSK_two")];
    const wrong = [secret("one"), secret("AmazonMSK_far", "eu-west-1"), "one"];
    const associate = (SecretArnList: string[]) =>
      client.send(new BatchAssociateScramSecretCommand({ ClusterArn, SecretArnList }));
    const first = await associate([one, two, ...wrong]);
    assert.deepEqual(
      first.UnprocessedScramSecrets?.map(({ SecretArn, ErrorCode }) => [SecretArn, ErrorCode]),
      [
        [wrong[0], "InvalidSecretName"],
        [wrong[1], "InvalidSecretArn"],
        [wrong[2], "InvalidSecretArn"],
      ],
    );
    const again = await associate([one]);
    assert.equal(again.UnprocessedScramSecrets?.[0]?.ErrorCode, "AlreadyAssociated");
    const list = async (MaxResults?: number) =>
      client.send(new ListScramSecretsCommand({ ClusterArn, ...(MaxResults ? { MaxResults } : {}) }));
    assert.deepEqual((await list()).SecretArnList, [one, two]);
    const page = await list(1);
    assert.deepEqual([page.SecretArnList, typeof page.NextToken], [[one], "string"]);
    const gone = await client.send(
      new BatchDisassociateScramSecretCommand({ ClusterArn, SecretArnList: [one, secret("AmazonMSK_x")] }),
    );
    assert.equal(gone.UnprocessedScramSecrets?.length, 1);
    assert.deepEqual((await list()).SecretArnList, [two]);
    await assert.rejects(associate([]), BadRequestException);
    await assert.rejects(associate(Array.from({ length: 11 }, (_, at) => secret(`AmazonMSK_${at}`))), {
      InvalidParameter: "secretArnList",
    });
  });

  test("secrets want a cluster with SCRAM", async () => {
    const input = { ClusterArn: await make(), SecretArnList: ["x"] };
    await assert.rejects(client.send(new BatchAssociateScramSecretCommand(input)), BadRequestException);
  });

  test("throttled and failing as MSK does", async () => {
    const fault = (kind: string) =>
      clusters.sandbox.own("POST faults", { operation: "DescribeClusterV2", kind, count: 1 });
    const arn = await make();
    await fault("throttle");
    await assert.rejects(shown(arn), (error) => {
      assert.ok(error instanceof TooManyRequestsException);
      assert.equal(error.$metadata.httpStatusCode, 429);
      return true;
    });
    await fault("error");
    await assert.rejects(shown(arn), (error) => {
      assert.ok(error instanceof InternalServerErrorException);
      assert.equal(error.$metadata.httpStatusCode, 500);
      return true;
    });
    await fault("notFound");
    await assert.rejects(shown(arn), NotFoundException);
    await clusters.sandbox.own("PATCH settings", { throttling: true });
    const list = () => client.send(new ListKafkaVersionsCommand({}));
    const outcomes = await Promise.allSettled(Array.from({ length: 25 }, list));
    const refused = outcomes.filter((one) => one.status === "rejected");
    assert.equal(refused.length, 5);
    assert.ok(refused.every((one) => one.reason instanceof TooManyRequestsException));
  });

  test("a wrong secret is refused as REST services do", async () => {
    const stranger = new KafkaClient({
      endpoint: clusters.sandbox.url,
      region: REGION,
      credentials: { accessKeyId: OWNER, secretAccessKey: "wrong" },
      maxAttempts: 1,
    });
    await assert.rejects(stranger.send(new ListKafkaVersionsCommand({})), (error) => {
      assert.ok(error instanceof KafkaServiceException);
      assert.deepEqual([error.name, error.$metadata.httpStatusCode], ["InvalidSignatureException", 403]);
      return true;
    });
    stranger.destroy();
  });
});
