/**
 * `npm run demo`: the product page's own walk, on a throw-away data folder and the sandbox cloud, told step by
 * step. The customer's side is the real `aws` command line where it is installed, a stand-in by the SDK otherwise.
 * Exits 0 only when everything it says it verified was so, 2 when it does not understand what is asked. Leaves no
 * process and no file, and touches no installation that the environment or a profile of whoever runs it may lead to.
 */
import { parseArgs } from "node:util";
import { networkStory } from "./demo/networkStory.ts";
import { play } from "./demo/stage.ts";

const USAGE = `npm run demo              a dataset's network: made, peered, tried by packets, taken away
npm run demo -- --help    this text`;

interface Asked {
  readonly help: boolean;
}

function asked(): Asked {
  return parseArgs({ options: { help: { type: "boolean", default: false, short: "h" } } }).values;
}

async function main(): Promise<number> {
  let options: Asked;
  try {
    options = asked();
  } catch (thrown) {
    console.error(`Error: ${thrown instanceof Error ? thrown.message : thrown}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) console.log(USAGE);
  else await play(networkStory);
  return 0;
}

process.exitCode = await main();
