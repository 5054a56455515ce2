/**
 * Settings for Kafka clients, ready to copy: with the real brokers in them, and what only the customer knows in
 * angle brackets. Pure text, as the clients' own documents have it: https://kafka.apache.org/documentation/#security,
 * https://kafka.js.org/docs/configuration and https://kafka-python.readthedocs.io/.
 */
import type { AnswerOf } from "../contract/operations.ts";
import type { BootstrapBrokers } from "../domain/connector.ts";
import type { KafkaCluster, Region } from "../domain/model.ts";

type Snippets = NonNullable<AnswerOf<"writeConnectors.view">["clientSnippets"]>;

export interface SnippetInput {
  readonly cluster: KafkaCluster;
  readonly bootstrap: BootstrapBrokers;
  readonly region: Region;
}

export function clientSnippets({ cluster, bootstrap, region }: SnippetInput): Snippets {
  const { authentication, topic } = cluster;
  const way = WAYS[authentication];
  const brokers = way.brokers(bootstrap) ?? "<brokers: the cluster does not have them yet>";
  return {
    properties: [`bootstrap.servers=${brokers}`, ...way.properties].join("\n"),
    node: node(brokers, way.node(region), topic ?? "<topic>"),
    python: python(brokers, way.python(region), topic ?? "<topic>"),
    notes: [...way.notes, "The brokers' names lead to private addresses: reach them from a peered VPC."],
  };
}

interface Way {
  brokers(of: BootstrapBrokers): string | null;
  readonly properties: readonly string[];
  /** Fields of the client's options. */
  node(region: Region): readonly string[];
  python(region: Region): readonly string[];
  readonly notes: readonly string[];
}

const JAAS_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule";

/** https://docs.aws.amazon.com/msk/latest/developerguide/iam-access-control.html and msk-password.html beside it. */
const WAYS: Readonly<Record<KafkaCluster["authentication"], Way>> = {
  iam: {
    brokers: ({ iam }) => iam,
    properties: [
      "security.protocol=SASL_SSL",
      "sasl.mechanism=AWS_MSK_IAM",
      "sasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required;",
      "sasl.client.callback.handler.class=software.amazon.msk.auth.iam.IAMClientCallbackHandler",
    ],
    node: (region) => [
      "ssl: true,",
      'sasl: { mechanism: "oauthbearer", oauthBearerProvider: async () => {',
      `  const { token } = await generateAuthToken({ region: "${region}" });`,
      "  return { value: token };",
      "} },",
    ],
    python: () => [
      'security_protocol="SASL_SSL",',
      'sasl_mechanism="OAUTHBEARER",',
      "sasl_oauth_token_provider=<a provider around aws_msk_iam_sasl_signer>,",
    ],
    notes: [
      "Java: software.amazon.msk:aws-msk-iam-auth; Node: generateAuthToken of aws-msk-iam-sasl-signer-js; Python: aws-msk-iam-sasl-signer-python.",
      "From another account: assume a role of the platform's account that may kafka-cluster:Connect, ReadData and DescribeTopic.",
    ],
  },
  scram: {
    brokers: ({ scram }) => scram,
    properties: [
      "security.protocol=SASL_SSL",
      "sasl.mechanism=SCRAM-SHA-512",
      `sasl.jaas.config=${JAAS_SCRAM} required username="<user>" password="<password>";`,
    ],
    node: () => [
      "ssl: true,",
      'sasl: { mechanism: "scram-sha-512", username: "<user>", password: "<password>" },',
    ],
    python: () => [
      'security_protocol="SASL_SSL",',
      'sasl_mechanism="SCRAM-SHA-512",',
      'sasl_plain_username="<user>",',
      'sasl_plain_password="<password>",',
    ],
    notes: [
      "The operator associates users with the cluster, as secrets named AmazonMSK_…: aws kafka batch-associate-scram-secret",
    ],
  },
  none: {
    brokers: ({ tls, plaintext }) => tls ?? plaintext,
    properties: ["security.protocol=SSL"],
    node: () => ["ssl: true,"],
    python: () => ['security_protocol="SSL",'],
    notes: ["Whoever reaches the brokers may read and write: the peering is the only lock."],
  },
};

function node(brokers: string, options: readonly string[], topic: string): string {
  const list = brokers.split(",").map((one) => `"${one}"`);
  return [
    'const { Kafka } = require("kafkajs");',
    "const kafka = new Kafka({",
    `  brokers: [${list.join(", ")}],`,
    ...options.map((line) => `  ${line}`),
    "});",
    'const consumer = kafka.consumer({ groupId: "<group>" });',
    "await consumer.connect();",
    `await consumer.subscribe({ topic: "${topic}", fromBeginning: true });`,
    "await consumer.run({ eachMessage: async ({ message }) => console.log(message.value.toString()) });",
  ].join("\n");
}

function python(brokers: string, options: readonly string[], topic: string): string {
  return [
    "from kafka import KafkaConsumer",
    `consumer = KafkaConsumer("${topic}",`,
    `    bootstrap_servers="${brokers}",`,
    ...options.map((line) => `    ${line}`),
    '    group_id="<group>", auto_offset_reset="earliest")',
    "for record in consumer:",
    "    print(record.value)",
  ].join("\n");
}
