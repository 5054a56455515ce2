// node kafkaReader.mjs CLIENT_FILE TOPIC GROUP: reads a Kafka topic from its beginning, as a member of that group, and
// prints each record as one line: partition, offset, key and value, with tabs between. It says `reading` on its standard
// error once it has its partitions. CLIENT_FILE is JSON: {"brokers": [...], "username", "password", "ca": file,
// "retries": how often it tries again, half a second apart}. Exits 1, and says why, when it cannot go on.
import { readFileSync } from "node:fs";
import { Consumer, stringDeserializers } from "@platformatic/kafka";

const [file = "", topic = "", groupId = ""] = process.argv.slice(2);
const { brokers, username, password, ca, retries = 60 } = JSON.parse(readFileSync(file, "utf8"));

const consumer = new Consumer({
  clientId: "customer",
  groupId,
  bootstrapBrokers: brokers,
  tls: ca ? { ca: readFileSync(ca) } : {},
  tlsServerName: true,
  sasl: { mechanism: "SCRAM-SHA-512", username, password },
  deserializers: stringDeserializers,
  connectTimeout: 3000,
  timeout: 10_000,
  retries,
  retryDelay: 500,
});

try {
  const stream = await consumer.consume({ topics: [topic], mode: "earliest", maxWaitTime: 500 });
  console.error("reading");
  for await (const { partition, offset, key, value } of stream)
    process.stdout.write(`${[partition, offset, key, value].join("\t")}\n`);
} catch (thrown) {
  console.error(`Error: ${reasons(thrown)}`);
  process.exit(1);
}

function reasons({ message, errors = [], cause }) {
  const causes = [...errors.slice(-1), ...(cause ? [cause] : [])];
  return [message, ...causes.map(reasons)].join("; ");
}
