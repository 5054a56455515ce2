/** How a person reads a write connector: where clients begin, its functions, and settings for clients to copy. */

import type { Lister } from "./forecastViews.ts";
import { cellAt } from "./render.ts";

type Fields = Readonly<Record<string, unknown>>;

const SNIPPETS = [
  ["properties", "client.properties, for Java and Kafka's own commands"],
  ["node", "Node, with kafkajs"],
  ["python", "Python, with kafka-python"],
] as const;

export async function connectorParts(answer: Fields, list: Lister): Promise<string[]> {
  const cluster = answer.cluster as Fields | null;
  const functions = Array.isArray(answer.functions) ? (answer.functions as Fields[]) : [];
  const parts: string[] = [];
  if (cluster) {
    parts.push(
      await list([cluster], ["clusterType", "version", "instanceType", "brokerCount", "volumeGiB", "state"]),
    );
    if (typeof cluster.clusterArn === "string") parts.push(`Cluster: ${cellAt(cluster, "clusterArn")}\n`);
    parts.push(...topic(cluster));
    parts.push(...begins(cluster));
  }
  if (functions.length > 0)
    parts.push(await list(functions, ["functionArn", "state", "lastUpdateStatus", "isAttached"]));
  return [...parts, ...snippets(answer.clientSnippets as Fields | undefined)];
}

function topic(cluster: Fields): string[] {
  if (typeof cluster.topic !== "string") return [];
  const [partitions, copies] = [cellAt(cluster, "partitions"), cellAt(cluster, "replicationFactor")];
  const state = cluster.topicState === null ? "not there" : cellAt(cluster, "topicState");
  return [
    `Topic: ${cellAt(cluster, "topic")}, ${partitions} partitions, ${copies} copies of each, ${state}\n`,
  ];
}

/** One line for each way to connect that there is. */
function begins({ bootstrapBrokers }: Fields): string[] {
  const ways = Object.entries((bootstrapBrokers ?? {}) as Fields).filter(([, text]) => text !== null);
  return ways.length === 0
    ? []
    : [ways.map(([way]) => `Brokers (${way}): ${cellAt(bootstrapBrokers, way)}\n`).join("")];
}

function snippets(of: Fields | undefined): string[] {
  if (!of) return [];
  const notes = Array.isArray(of.notes) ? of.notes.map((note) => `# ${note}\n`) : [];
  return [...SNIPPETS.map(([key, title]) => `# ${title}\n${String(of[key])}\n`), notes.join("")];
}
