/**
 * `npm run demo`: the product page's own walk, on a throw-away data folder and the sandbox cloud, told step by
 * step; `npm run demo -- --kafka`: the same with real Kafka records. The customer's side is the real `aws` command line
 * where it is installed, a stand-in by the SDK otherwise. Exits 0 only when everything it says it verified was so, 2
 * when it does not understand what is asked, 3 when this machine lacks what the story needs. Leaves no process and
 * no file, and touches no installation that the environment or a profile of whoever runs it may lead to.
 */
import { parseArgs } from "node:util";
import { kafkaHome, Unfit } from "./demo/kafkaGround.ts";
import { kafkaStory } from "./demo/kafkaStory.ts";
import { networkStory } from "./demo/networkStory.ts";
import { play } from "./demo/stage.ts";

const USAGE = `npm run demo              a dataset's network: made, peered, tried by packets, taken away
npm run demo -- --kafka   the same with a Kafka cluster and records; needs Java 17 or later and packets,
                          and brings Apache Kafka (43 MB, once)
npm run demo -- --help    this text`;

interface Asked {
  readonly kafka: boolean;
  readonly help: boolean;
}

function asked(): Asked {
  const boolean = { type: "boolean", default: false } as const;
  return parseArgs({ options: { kafka: boolean, help: { ...boolean, short: "h" } } }).values;
}

async function main(): Promise<number> {
  let options: Asked;
  try {
    options = asked();
  } catch (thrown) {
    console.error(`Error: ${thrown instanceof Error ? thrown.message : thrown}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  try {
    await play(options.kafka ? kafkaStory(await kafkaHome()) : networkStory);
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof Unfit)) throw thrown;
    console.error(`\nNO KAFKA ON THIS MACHINE: ${thrown.message}`);
    return 3;
  }
}

process.exitCode = await main();
