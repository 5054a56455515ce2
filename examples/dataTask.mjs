// A data task as a Lambda function (handler: dataTask.handler): writes COUNT orders to a Kafka topic, from the order FIRST
// on. An order's key is its customer, so that each customer's orders stay in their order; the producer is idempotent,
// so that what is sent again after a broker's death is there once. ca.pem beside it, if there is one, is trusted.
import { existsSync, readFileSync } from "node:fs";
import { Producer, stringSerializers } from "@platformatic/kafka";

const CUSTOMERS = 500;
const BATCH = 1000;
const AUTHORITY = new URL("ca.pem", import.meta.url);

export async function handler({ brokers, topic, first, count }) {
  const producer = new Producer({
    clientId: "data-task",
    bootstrapBrokers: brokers,
    tls: existsSync(AUTHORITY) ? { ca: readFileSync(AUTHORITY) } : {},
    tlsServerName: true,
    sasl: {
      mechanism: "SCRAM-SHA-512",
      username: process.env.KAFKA_USER,
      password: process.env.KAFKA_PASSWORD,
    },
    serializers: stringSerializers,
    idempotent: true,
    acks: -1,
    connectTimeout: 5000,
    retries: 60,
    retryDelay: 500,
  });
  try {
    for (let at = first; at < first + count; at += BATCH)
      await producer.send({ messages: orders(topic, at, Math.min(BATCH, first + count - at)) });
    return { written: count, partitions: await partitionsOf(producer, topic) };
  } finally {
    await producer.close();
  }
}

function orders(topic, first, count) {
  return Array.from({ length: count }, (_, at) => {
    const order = first + at;
    return { topic, key: `customer-${order % CUSTOMERS}`, value: `order ${order}` };
  });
}

/** As Kafka says it: by number, who leads each and who holds a copy. */
async function partitionsOf(producer, topic) {
  const { topics } = await producer.metadata({ topics: [topic] });
  return topics.get(topic).partitions.map(({ leader, replicas }) => ({ leader, replicas }));
}
