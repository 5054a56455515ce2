/** That the kernel's own tool takes every packet filter that is written for it, whatever the topology. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { type Holder, startHolder } from "../../src/sandbox/dataplane/holder.ts";
import { programsOf } from "../../src/sandbox/dataplane/programs.ts";
import { topologies } from "../../src/sandbox/dataplane/testing/randomTopologies.ts";
import { fastClock } from "../support/clocks.ts";

const TOPOLOGIES = 60;
/** The line that begins a filter, so that a complaint can be looked up. */
const FILTER = "letsdata filter";

const holder: Holder | string = await startHolder(fastClock(1)).catch((error: Error) => error.message);
after(() => (typeof holder === "string" ? undefined : holder.close()));
const skip = typeof holder === "string" ? `there are no packets here: ${holder}` : false;

test(`nft takes the filters of ${TOPOLOGIES} topologies`, { skip }, async (t) => {
  assert.ok(typeof holder !== "string");
  const seed = Date.now() % 1_000_000;
  t.diagnostic(`seed ${seed}`);
  const sample = fc.sample(topologies, { numRuns: TOPOLOGIES, seed });
  const filters = new Set(
    sample.flatMap((one) => programsOf(one).namespaces.map(({ filter }) => filter)).filter(Boolean),
  );
  const checks = [...filters].map((filter) => `nft -c -f - <<'END' || exit 1\n# ${FILTER}\n${filter}END`);
  const { code, stderr } = await holder.run(checks.join("\n"));
  assert.equal(code, 0, stderr);
  t.diagnostic(`${filters.size} filters`);
});
