/**
 * A cluster as MSK shows it: flat in the first version of the API, its provisioned half apart in the second.
 * https://docs.aws.amazon.com/msk/1.0/apireference/v2-clusters-clusterarn.html
 */
import type * as kafka from "@aws-sdk/client-kafka";
import { addresses } from "./kafkaNodes.ts";
import { noKafkaRoom } from "./kafkaRoom.ts";
import { clusterState } from "./kafkaStates.ts";
import { isKraft } from "./kafkaVersions.ts";
import type { AuthenticationRow, ClusterRow, ClusterSettingsRow } from "./serviceRows.ts";
import { mapFromTags } from "./tagMaps.ts";
import type { Call } from "./world.ts";

export function describedV1(call: Call, row: ClusterRow): kafka.ClusterInfo {
  return { ...identity(call, row), ...provisioned(call, row) };
}

export function describedV2(call: Call, row: ClusterRow): kafka.Cluster {
  return { ...identity(call, row), ClusterType: "PROVISIONED", Provisioned: provisioned(call, row) };
}

function identity(call: Call, row: ClusterRow) {
  const State = clusterState(row, call.now);
  const { update } = row;
  const info = stateInfo(call, row);
  return {
    ClusterArn: row.id,
    ClusterName: row.name,
    CreationTime: new Date(row.at),
    CurrentVersion: row.currentVersion,
    State,
    Tags: mapFromTags(row.tags),
    ...(State === "UPDATING" ? { ActiveOperationArn: update?.operationArn } : {}),
    ...(info ? { StateInfo: info } : {}),
  };
}

/** Why it failed; and, where AWS would have nothing to say, what its brokers are if they are not Kafka. */
function stateInfo(call: Call, row: ClusterRow): kafka.StateInfo | undefined {
  const { failure } = row;
  if (clusterState(row, call.now) === "FAILED")
    return failure && { Code: failure.code, Message: failure.message };
  const why = whyListeners(call, row);
  if (why === undefined) return undefined;
  const Message = `The brokers are plain TCP listeners, not Kafka: ${why}.`;
  return { Code: "SANDBOX_WITHOUT_KAFKA", Message };
}

function whyListeners({ brokers, settings }: Call, row: ClusterRow): string | undefined {
  if (brokers.are === "listeners") return brokers.why;
  return brokers.are === "kafka" && !row.brokers ? noKafkaRoom(settings) : undefined;
}

function provisioned(call: Call, row: ClusterRow): kafka.Provisioned {
  return {
    BrokerNodeGroupInfo: brokers(call, row),
    CurrentBrokerSoftwareInfo: { KafkaVersion: row.kafkaVersion },
    ClientAuthentication: shownAuthentication(row.authentication),
    EncryptionInfo: {
      EncryptionAtRest: { DataVolumeKMSKeyId: row.keyArn },
      EncryptionInTransit: { ClientBroker: row.clientBroker, InCluster: row.inCluster },
    },
    EnhancedMonitoring: row.monitoring,
    OpenMonitoring: shownPrometheus(row.prometheus),
    NumberOfBrokerNodes: row.brokerCount,
    CustomerActionStatus: "NONE",
    ...(row.logging ? { LoggingInfo: row.logging } : {}),
    ...(row.storageMode ? { StorageMode: row.storageMode } : {}),
    ...(row.rebalancing ? { Rebalancing: { Status: row.rebalancing } } : {}),
    ...zookeeper(row),
  };
}

function brokers(call: Call, row: ClusterRow): kafka.BrokerNodeGroupInfo {
  const volumes = row.volumesGiB;
  const throughput = row.throughputMiB;
  const ebs = {
    VolumeSize: Math.max(...volumes),
    ...(throughput ? { ProvisionedThroughput: { Enabled: true, VolumeThroughput: throughput } } : {}),
  };
  return {
    BrokerAZDistribution: "DEFAULT",
    ClientSubnets: [...row.subnetIds],
    InstanceType: row.instanceType,
    SecurityGroups: [...row.groupIds],
    ZoneIds: row.subnetIds.flatMap((id) => call.tables.subnets.get(id)?.zoneId ?? []),
    ConnectivityInfo: { PublicAccess: { Type: "DISABLED" }, NetworkType: "IPV4" },
    ...(volumes.length > 0 ? { StorageInfo: { EbsStorageInfo: ebs } } : {}),
  };
}

export function shownAuthentication(row: AuthenticationRow): kafka.ClientAuthentication {
  const { tlsAuthorities } = row;
  return {
    Sasl: { Scram: { Enabled: row.scram }, Iam: { Enabled: row.iam } },
    Tls: { CertificateAuthorityArnList: [...tlsAuthorities], Enabled: tlsAuthorities.length > 0 },
    Unauthenticated: { Enabled: row.unauthenticated },
  };
}

export function shownPrometheus({ jmx, node }: ClusterSettingsRow["prometheus"]): kafka.OpenMonitoring {
  return {
    Prometheus: { JmxExporter: { EnabledInBroker: jmx }, NodeExporter: { EnabledInBroker: node } },
  };
}

function zookeeper(row: ClusterRow) {
  if (isKraft(row.kafkaVersion) || row.nodes.length === 0) return {};
  return {
    ZookeeperConnectString: addresses(row, "zookeeper", 2181),
    ZookeeperConnectStringTls: addresses(row, "zookeeper", 2182),
  };
}
