/**
 * A program for tests that are about ends of processes: opens a store in the folder it is given, then adds
 * tenants for ever and says each name once the store has answered.
 */
import { writeSync } from "node:fs";
import { openStore } from "../database.ts";
import { manualClock } from "../testing.ts";

const STANDARD_OUTPUT = 1;
const [, , dataDir = "", prefix = ""] = process.argv;

const store = await openStore({ clock: manualClock(), dataDir });
writeSync(STANDARD_OUTPUT, "open\n");
for (let index = 0; ; index++) {
  const name = `${prefix}-${index}`;
  await store.change((tx) => tx.insertTenant({ name, rangeLimit: 1, avoidCidrs: [] }));
  writeSync(STANDARD_OUTPUT, `${name}\n`);
}
