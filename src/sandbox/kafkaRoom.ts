/**
 * How many clusters' brokers are Kafka at once: three Java processes each are about a gigabyte of this machine's
 * memory. Which they are is decided when a cluster is made, and for those left out again when the sandbox starts.
 */
import type { ClusterRow } from "./serviceRows.ts";
import type { Settings } from "./settings.ts";
import type { Tables } from "./world.ts";

interface Around {
  readonly tables: Pick<Tables, "clusters">;
  readonly settings: Pick<Settings, "kafkaClusters">;
}

/** True while the brokers of one more cluster may be Kafka. */
export function hasKafkaRoom({ tables, settings }: Around): boolean {
  return tables.clusters.all().filter(isKafka).length < settings.kafkaClusters;
}

function isKafka({ brokers, deletedAt, failsAt }: ClusterRow): boolean {
  return brokers !== undefined && deletedAt === undefined && failsAt === undefined;
}

/** Why one more is not. */
export function noKafkaRoom({ kafkaClusters }: Around["settings"]): string {
  return `no more than ${kafkaClusters} clusters run it at once (the setting kafkaClusters)`;
}
