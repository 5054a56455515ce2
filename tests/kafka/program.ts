/**
 * Run inside of a host by kafkaNetwork.ts: what a customer does with Kafka, by a client that is not ours. Its one
 * argument is JSON; it prints one line of JSON, what it did or why it could not.
 */
import {
  Admin,
  ConfigResourceTypes,
  Consumer,
  Producer,
  stringDeserializers,
  stringSerializers,
} from "@platformatic/kafka";

export interface ProgramInput {
  readonly brokers: readonly string[];
  readonly authority?: string;
  readonly user?: { readonly username: string; readonly password: string };
  readonly does: "createTopic" | "describeTopic" | "deleteTopic" | "produce" | "consume";
  readonly topic: string;
  /** Records to write, or to read before it ends: keys `first` to `first + count - 1`. */
  readonly first?: number;
  readonly count?: number;
  readonly group?: string;
  /** How often it tries again, a second apart. */
  readonly retries?: number;
}

export type ProgramOutput = { readonly keys: readonly string[] } | { readonly error: string };

const input: ProgramInput = JSON.parse(process.argv[2] ?? "{}");
const { topic, first = 0, count = 0, user, authority } = input;

const common = {
  clientId: "customer",
  bootstrapBrokers: [...input.brokers],
  retries: input.retries ?? 60,
  retryDelay: 1_000,
  timeout: 20_000,
  connectTimeout: 10_000,
  ...(authority ? { tls: { ca: authority }, tlsServerName: true } : {}),
  ...(user ? { sasl: { mechanism: "SCRAM-SHA-512" as const, ...user } } : {}),
};

async function createTopic(): Promise<string[]> {
  const admin = new Admin(common);
  await admin.createTopics({ topics: [topic], partitions: 3, replicas: 3 });
  await admin.close();
  return [];
}

async function deleteTopic(): Promise<string[]> {
  const admin = new Admin(common);
  await admin.deleteTopics({ topics: [topic] });
  await admin.close();
  return [];
}

/** `partitions 3`, `replicas 3`, `min.insync.replicas 2`, as the brokers say. */
async function describeTopic(): Promise<string[]> {
  const admin = new Admin(common);
  const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
  const partitions = topics.get(topic)?.partitions ?? [];
  const configurationKeys = ["min.insync.replicas", "retention.ms"];
  const asked = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys };
  const [{ configs = [] } = {}] = await admin.describeConfigs({ resources: [asked] });
  await admin.close();
  return [
    `partitions ${partitions.length}`,
    `replicas ${partitions[0]?.replicas.length ?? 0}`,
    ...configs.map(({ name, value }) => `${name} ${value}`),
  ];
}

async function produce(): Promise<string[]> {
  const producer = new Producer({ ...common, serializers: stringSerializers, acks: -1 });
  const keys = Array.from({ length: count }, (_, at) => `key-${first + at}`);
  await producer.send({ messages: keys.map((key) => ({ topic, key, value: `value of ${key}` })), acks: -1 });
  await producer.close();
  return keys;
}

/** Each once, whatever comes twice. */
async function consume(): Promise<string[]> {
  const groupId = input.group ?? "customers";
  const consumer = new Consumer({ ...common, groupId, deserializers: stringDeserializers });
  const stream = await consumer.consume({ topics: [topic], mode: "earliest" });
  const keys = new Set<string>();
  for await (const { key, value } of stream) {
    if (value === `value of ${key}`) keys.add(key);
    if (keys.size === count) break;
  }
  await consumer.close(true);
  return [...keys];
}

const work = { createTopic, describeTopic, deleteTopic, produce, consume }[input.does];
const output: ProgramOutput = await work().then(
  (keys) => ({ keys }),
  (thrown: unknown) => ({ error: reasons(thrown).join("; ") }),
);
process.stdout.write(`${JSON.stringify(output)}\n`, () => process.exit());

function reasons(thrown: unknown): string[] {
  const { message, errors = [], cause } = thrown as AggregateError;
  return [message, ...errors.flatMap(reasons), ...(cause ? reasons(cause) : [])];
}
