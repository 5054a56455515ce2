/**
 * Topics of a cluster whose brokers are Kafka: what MSK's API has written down is carried out there, and what is there
 * is written down. Level-triggered: what Kafka has is looked at first, and each difference is one request. Promises
 * that a topic counts as made, grown or gone when Kafka shows it so and not before, and that what Kafka cannot do now
 * (a broker is away) is asked for again; what it never will is forgotten, and said.
 */
import type net from "node:net";
import type { Cloud } from "../cloud.ts";
import { topicArn } from "../kafkaTopicsShown.ts";
import type { ClusterRow, TopicRow, TopicWorkRow } from "../serviceRows.ts";
import type { Tables } from "../world.ts";
import {
  alterTopicConfigs,
  createPartitions,
  createTopic,
  deleteTopic,
  KafkaRefusal,
  type SeenTopic,
  topicsSeen,
} from "./topicWire.ts";

export interface TopicsRoom {
  readonly cloud: Pick<Cloud, "tables" | "noteTopics">;
  readonly log: (line: string) => void;
  readonly now: () => number;
}

/** True while something is still to be done. */
export async function matchTopics(
  room: TopicsRoom,
  cluster: ClusterRow,
  socket: net.Socket,
): Promise<boolean> {
  const there = await topicsSeen(socket);
  const rows = rowsOf(room.cloud.tables, cluster);
  const known = rows.map((row) => matched(row, there.get(row.name)));
  const names = new Set(rows.map(({ name }) => name));
  const found = [...there].flatMap(([name, topic]) =>
    names.has(name) ? [] : [rowOf(cluster, topic, room.now())],
  );
  const changed = known.filter((row, at) => row && row !== rows[at]);
  note(room, {
    put: [...changed.filter((row) => row !== undefined), ...found],
    remove: rows.filter((_, at) => known[at] === undefined).map(({ id }) => id),
  });
  const open = known.filter((row) => row !== undefined).filter(isOpen);
  for (const row of open) await carryOut(room, row, socket);
  return open.length > 0;
}

type Open = TopicRow & { readonly work: TopicWorkRow };

export function isOpen(row: TopicRow): row is Open {
  return row.work !== undefined && row.work.endsAt === undefined;
}

/** Topics of a time when no broker was Kafka: none of them is there yet. */
export function unmade(tables: Pick<Tables, "topics">, cluster: ClusterRow): TopicRow[] {
  return rowsOf(tables, cluster).map((row) => ({ ...row, work: { is: "CREATING" } }));
}

function rowsOf({ topics }: Pick<Tables, "topics">, { id }: ClusterRow): TopicRow[] {
  return topics.all().filter(({ clusterArn }) => clusterArn === id);
}

function note({ cloud }: TopicsRoom, changes: Parameters<Cloud["noteTopics"]>[0]): void {
  if (changes.put.length + changes.remove.length > 0) cloud.noteTopics(changes);
}

/** The row as Kafka has it now; the same object when nothing is new, undefined when it is gone. */
function matched(row: TopicRow, there: SeenTopic | undefined): TopicRow | undefined {
  if (!there) return row.work?.is === "CREATING" ? row : undefined;
  const { work, ...rest } = row;
  const now = { ...rest, ...asSeen(there) };
  const next = work && !isDone(work, there) ? { ...now, work } : now;
  return JSON.stringify(next) === JSON.stringify({ ...rest, ...(work ? { work } : {}) }) ? row : next;
}

function asSeen({ partitions }: SeenTopic) {
  return {
    partitions: partitions.length,
    replicationFactor: partitions[0]?.replicas.length ?? 0,
    placed: partitions,
  };
}

function isDone({ is, partitions }: TopicWorkRow, there: SeenTopic): boolean {
  if (is === "UPDATING") return partitions !== undefined && there.partitions.length >= partitions;
  return is === "CREATING";
}

function rowOf({ id, account, region }: ClusterRow, there: SeenTopic, at: number): TopicRow {
  const { name } = there;
  const own = { id: topicArn(id, name), account, region, at, tags: [] };
  return { ...own, clusterArn: id, name, configs: {}, ...asSeen(there) };
}

async function carryOut(room: TopicsRoom, row: Open, socket: net.Socket): Promise<void> {
  try {
    await asked(row, socket);
    // Nothing shows when a configuration is so: it is when Kafka has said yes.
    if (row.work.configs) note(room, { put: [configured(row)], remove: [] });
  } catch (thrown) {
    if (!(thrown instanceof KafkaRefusal) || thrown.maySucceedLater) throw thrown;
    room.log(`the topic ${row.name} is not ${DONE[row.work.is]}: ${thrown.message}`);
    const { work, ...rest } = row;
    const isNew = work.is === "CREATING";
    note(room, { put: isNew ? [] : [rest], remove: isNew ? [row.id] : [] });
  }
}

const DONE = { CREATING: "made", UPDATING: "changed", DELETING: "deleted" } as const;

function configured({ work, ...rest }: Open): TopicRow {
  return { ...rest, configs: { ...rest.configs, ...work.configs } };
}

function asked(row: Open, socket: net.Socket): Promise<void> {
  const { name, work } = row;
  if (work.is === "CREATING") return createTopic(socket, row);
  if (work.is === "DELETING") return deleteTopic(socket, name);
  if (work.partitions !== undefined) return createPartitions(socket, { name, partitions: work.partitions });
  return alterTopicConfigs(socket, { name, configs: work.configs ?? {} });
}
