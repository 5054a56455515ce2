/**
 * Requests about topics in Kafka's own protocol: what there are, and make, grow, configure or delete one. Promises
 * that a change has been taken when it resolves; a refusal says whether the same may succeed later.
 */
import type net from "node:net";
import { array, ask, bytes, int32, NO_TAGS, text } from "./kafkaCodec.ts";

const METADATA = { key: 3, version: 12 };
const CREATE_TOPICS = { key: 19, version: 5 };
const DELETE_TOPICS = { key: 20, version: 5 };
const CREATE_PARTITIONS = { key: 37, version: 2 };
const ALTER_CONFIGS = { key: 44, version: 1 };

/** What Kafka answers at most so late. */
const WITHIN_MS = 20_000;
const NONE = Buffer.from([0]);
const NO = Buffer.from([0]);

export class KafkaRefusal extends Error {
  override readonly name = "KafkaRefusal";
  /** Nothing is wrong with the request: a broker or the controller is away. */
  readonly maySucceedLater: boolean;

  constructor(code: number, message: string) {
    super(message || `Kafka's error ${code}`);
    this.maySucceedLater = LATER.has(code);
  }
}

/**
 * UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, REQUEST_TIMED_OUT, BROKER_NOT_AVAILABLE, NETWORK_EXCEPTION,
 * COORDINATOR_*, INVALID_REPLICATION_FACTOR (of what is alive), NOT_CONTROLLER, REASSIGNMENT_IN_PROGRESS.
 */
const LATER = new Set([3, 5, 7, 8, 13, 14, 15, 38, 41, 60]);
/** TOPIC_ALREADY_EXISTS: it is as asked, and what it is like is seen. */
const ALREADY = 36;

export interface SeenTopic {
  readonly name: string;
  /** In order of number. */
  readonly partitions: readonly {
    readonly leader: number;
    readonly replicas: readonly number[];
    readonly inSync: readonly number[];
  }[];
}

/** By name; without Kafka's own. */
export async function topicsSeen(socket: net.Socket): Promise<ReadonlyMap<string, SeenTopic>> {
  const answer = await ask(socket, METADATA, Buffer.concat([NONE, NO, NO, NO_TAGS]));
  answer.int32();
  answer.array(() => {
    answer.int32();
    answer.text();
    answer.int32();
    answer.text();
  });
  answer.text();
  answer.int32();
  const topics = answer.array(() => {
    answer.int16();
    const name = answer.text();
    answer.skip(16);
    const isOwn = answer.int8() === 1;
    const partitions = answer.array(() => {
      answer.int16();
      const number = answer.int32();
      const leader = answer.int32();
      answer.int32();
      const [replicas, inSync] = [answer.int32s(), answer.int32s()];
      answer.int32s();
      return { number, leader, replicas, inSync };
    });
    answer.int32();
    return { name, isOwn, partitions };
  });
  return new Map(
    topics.flatMap(({ name, isOwn, partitions }) =>
      isOwn ? [] : [[name, { name, partitions: inOrder(partitions) }] as const],
    ),
  );
}

function inOrder(partitions: readonly ({ readonly number: number } & SeenTopic["partitions"][number])[]) {
  return [...partitions].sort((a, b) => a.number - b.number).map(({ number: _, ...partition }) => partition);
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

export async function createTopic(socket: net.Socket, topic: NewTopic): Promise<void> {
  const { name, partitions, replicationFactor } = topic;
  const replicas = Buffer.alloc(2);
  replicas.writeInt16BE(replicationFactor);
  const configs = Object.entries(topic.configs).map(([key, value]) =>
    Buffer.concat([text(key), text(value), NO_TAGS]),
  );
  const one = Buffer.concat([text(name), int32(partitions), replicas, array([]), array(configs), NO_TAGS]);
  const body = Buffer.concat([array([one]), int32(WITHIN_MS), NO, NO_TAGS]);
  const answer = await ask(socket, CREATE_TOPICS, body);
  answer.int32();
  answer.array(() => {
    answer.text();
    refuse(answer.int16(), answer.text());
    answer.skip(6);
    answer.array(() => {
      answer.text();
      answer.text();
      answer.skip(3);
    });
  });
}

export async function deleteTopic(socket: net.Socket, name: string): Promise<void> {
  const body = Buffer.concat([array([text(name)]), int32(WITHIN_MS), NO_TAGS]);
  const answer = await ask(socket, DELETE_TOPICS, body);
  answer.int32();
  answer.array(() => {
    answer.text();
    refuse(answer.int16(), answer.text());
  });
}

export async function createPartitions(
  socket: net.Socket,
  { name, partitions }: Pick<NewTopic, "name" | "partitions">,
): Promise<void> {
  // Kafka chooses where they are.
  const one = Buffer.concat([text(name), int32(partitions), NONE, NO_TAGS]);
  const body = Buffer.concat([array([one]), int32(WITHIN_MS), NO, NO_TAGS]);
  const answer = await ask(socket, CREATE_PARTITIONS, body);
  answer.int32();
  answer.array(() => {
    answer.text();
    refuse(answer.int16(), answer.text());
  });
}

const OF_TOPIC = Buffer.from([2]);
const SET = Buffer.from([0]);

export async function alterTopicConfigs(
  socket: net.Socket,
  { name, configs }: Pick<NewTopic, "name" | "configs">,
): Promise<void> {
  const all = Object.entries(configs).map(([key, value]) =>
    Buffer.concat([text(key), SET, bytes(Buffer.from(value)), NO_TAGS]),
  );
  const one = Buffer.concat([OF_TOPIC, text(name), array(all), NO_TAGS]);
  const answer = await ask(socket, ALTER_CONFIGS, Buffer.concat([array([one]), NO, NO_TAGS]));
  answer.int32();
  answer.array(() => {
    refuse(answer.int16(), answer.text());
    answer.int8();
    answer.text();
  });
}

function refuse(code: number, message: string): void {
  if (code !== 0 && code !== ALREADY) throw new KafkaRefusal(code, message);
}
