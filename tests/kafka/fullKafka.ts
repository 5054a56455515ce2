/**
 * What tests of brokers that are Kafka begin with: Kafka brought into a folder of the project, the reason aloud where
 * they are left out, and networks that are closed at the end.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { findSoftware } from "../../src/sandbox/brokers/software.ts";
import { KAFKA_HOME, KafkaNetwork, type Wish } from "./kafkaNetwork.ts";

const BINARY = path.join(import.meta.dirname, "../../bin/letsdata");
const run = promisify(execFile);

/** Why Kafka is not run here, which is said; false when it can be. */
export async function whyNot(): Promise<string | false> {
  const reason = await whyNoKafka();
  if (reason) process.stderr.write(`Kafka is not tested: ${reason}\n`);
  return reason;
}

async function whyNoKafka(): Promise<string | false> {
  if (process.env.FULL !== "1") return "Kafka is run with FULL=1 (npm run test:full)";
  if (process.env.KAFKA_HOME === undefined)
    await run(BINARY, ["sandbox", "install", "kafka", "--dataDir", path.dirname(KAFKA_HOME)]);
  if (!existsSync(KAFKA_HOME)) return `there is no Kafka in ${KAFKA_HOME}`;
  const found = await findSoftware({ home: KAFKA_HOME });
  return "missing" in found ? found.missing : false;
}

/** Opens networks that run Kafka; `undo` gets what closes them. */
export function opener(undo: (() => unknown)[]) {
  return async (wish: Wish = {}): Promise<KafkaNetwork> => {
    const network = await KafkaNetwork.open({ kafka: { home: KAFKA_HOME }, ...wish });
    undo.push(() => network.close());
    if (network.off) throw new Error(network.off);
    return network;
  };
}
