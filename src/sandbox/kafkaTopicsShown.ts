/**
 * What MSK's API tells of a topic beyond its row: its name in ARNs, what its configuration comes to, and which brokers
 * hold its partitions. Pure.
 * https://docs.aws.amazon.com/msk/latest/developerguide/msk-topic-operations-information.html
 */
import type * as kafka from "@aws-sdk/client-kafka";
import type { ClusterRow, TopicPartitionRow, TopicRow } from "./serviceRows.ts";

/** `arn:…:cluster/clicks/1b4e…-2` and `events` to `arn:…:topic/clicks/1b4e…-2/events`. */
export function topicArn(clusterArn: string, name: string): string {
  return `${clusterArn.replace(":cluster/", ":topic/")}/${name}`;
}

/** As many replicas must have a record before it counts as written; MSK's own value, by the zones. */
export function inSyncReplicas({ subnetIds, brokerCount }: ClusterRow): number {
  return Math.min(subnetIds.length, brokerCount) > 2 ? 2 : 1;
}

/** What applies, whoever set it: a JSON object as base 64. */
export function configsText(cluster: ClusterRow, { configs }: TopicRow): string {
  const all = {
    "cleanup.policy": "delete",
    "compression.type": "producer",
    "max.message.bytes": "1048588",
    "min.insync.replicas": String(inSyncReplicas(cluster)),
    "retention.bytes": "-1",
    "retention.ms": "604800000",
    "unclean.leader.election.enable": "true",
    ...configs,
  };
  return Buffer.from(JSON.stringify(all)).toString("base64");
}

export function shownPartitions(cluster: ClusterRow, row: TopicRow): kafka.TopicPartitionInfo[] {
  return (row.placed ?? placement(cluster, row)).map(({ leader, replicas, inSync }, Partition) => ({
    Partition,
    Leader: leader,
    Replicas: [...replicas],
    Isr: [...inSync],
  }));
}

/** One broker after another leads, and those after it follow. */
function placement({ brokerCount }: ClusterRow, { partitions, replicationFactor }: TopicRow) {
  return Array.from({ length: partitions }, (_, at): TopicPartitionRow => {
    const replicas = Array.from({ length: replicationFactor }, (_, copy) => 1 + ((at + copy) % brokerCount));
    return { leader: replicas[0] ?? -1, replicas, inSync: replicas };
  });
}
