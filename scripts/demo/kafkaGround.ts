/**
 * What the Kafka story stands on: Java, packets, and Apache Kafka, which is brought when it is missing and kept for the
 * next time. Promises to look before anything is begun, and to say what would mend it.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { findSoftware, javaIn, javaMissing } from "../../src/sandbox/brokers/software.ts";
import { ROOT } from "../../tests/sources.ts";
import { withoutPackets } from "../../tests/support/hosts.ts";

/** This machine cannot show the story; the message says why and what would mend it. */
export class Unfit extends Error {
  override readonly name = "Unfit";
}

/** Where the tests' Kafka is too. */
const KEPT_IN = join(ROOT, ".cache");

/** The folder of Apache Kafka: KAFKA_HOME, or where it has been brought to. Throws an Unfit. */
export async function kafkaHome(env = process.env): Promise<string> {
  const { KAFKA_HOME, JAVA_HOME } = env;
  const missing = (await javaMissing(javaIn(JAVA_HOME))) ?? withoutPackets();
  if (missing) throw new Unfit(missing);
  if (!KAFKA_HOME) await bring();
  const home = KAFKA_HOME || join(KEPT_IN, "kafka");
  const found = await findSoftware({ home, javaHome: JAVA_HOME });
  if ("missing" in found) throw new Unfit(found.missing);
  return home;
}

/** Its progress is seen on a terminal. */
async function bring(): Promise<void> {
  const args = ["sandbox", "install", "kafka", "--dataDir", KEPT_IN];
  console.log("Apache Kafka, 43 MB from Maven Central if it is not here yet:");
  const child = spawn(join(ROOT, "bin/letsdata"), args, { stdio: "inherit" });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.on("error", reject).on("close", resolve),
  );
  if (code !== 0) throw new Unfit("Apache Kafka could not be brought (KAFKA_HOME names one that is here)");
}
