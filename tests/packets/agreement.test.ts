/**
 * Model against kernel: in random topologies, what packets do is what the model of reachability says, every time;
 * and each of the faults put into the generated programs is found by that. `SEED=17` looks at one topology alone.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { Programs } from "../../src/sandbox/dataplane/program.ts";
import { programsOf } from "../../src/sandbox/dataplane/programs.ts";
import type { Topology } from "../../src/sandbox/dataplane/topology.ts";
import { PROGRAM_FAULTS, type ProgramFault } from "./faults.ts";
import { type Ground, openGround, whyNoPackets } from "./ground.ts";

const { SEED } = process.env;
const TOPOLOGIES = process.env.FULL === "1" ? 200 : 40;
const FLOWS = 20;
/** Topologies at once: waiting for what does not come costs more time than work. */
const AT_ONCE = 3;

const skip = await whyNoPackets();
const seeds = SEED ? [Number(SEED)] : Array.from({ length: TOPOLOGIES }, (_, at) => at + 1);

async function withGround<T>(
  seed: number,
  programs: (topology: Topology) => Programs,
  work: (ground: Ground) => Promise<T>,
): Promise<T> {
  const ground = await openGround(seed, programs);
  try {
    return await work(ground);
  } finally {
    await ground.close();
  }
}

test(`${seeds.length} topologies, ${FLOWS} flows in each: packets do what the model says`, {
  skip,
}, async () => {
  const found: string[] = [];
  const queue = seeds.values();
  const worker = async () => {
    for (const seed of queue)
      await withGround(seed, programsOf, async (ground) => {
        found.push(...(await ground.compare(ground.flows(FLOWS))).map(({ text }) => text));
      });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  assert.deepEqual(found, []);
});

/** An answer that a fault keeps away is not waited for longer. */
const COMES_MS = 2_000;
const FLOWS_AGAINST_A_FAULT = 40;
/** A fault that no topology up to there shows is not found. */
const LAST_SEED = 60;

/**
 * Whether the topology's flows show the fault: they disagree with it and, the same ones, agree without it, however
 * long they take.
 */
async function isShown(ground: Ground, put: (isFaulty: boolean) => Promise<void>): Promise<boolean> {
  await put(true);
  const found = await ground.compare(ground.flows(FLOWS_AGAINST_A_FAULT), COMES_MS);
  await put(false);
  const [first] = found;
  return first !== undefined && (await ground.compare([first.flow])).length === 0;
}

/** Of those faults, the ones that the topology of that seed shows. */
async function shownBy(seed: number, faults: ReadonlySet<ProgramFault>): Promise<ProgramFault[]> {
  let fault: ProgramFault | undefined;
  const programs = (topology: Topology) => fault?.into(programsOf(topology)) ?? programsOf(topology);
  return withGround(seed, programs, async (ground) => {
    const healthy = programsOf(ground.plane.topology());
    const shown: ProgramFault[] = [];
    for (const one of faults) {
      if (isDeepStrictEqual(one.into(healthy), healthy)) continue;
      const put = (isFaulty: boolean) => {
        fault = isFaulty ? one : undefined;
        return ground.plane.settled();
      };
      if (await isShown(ground, put)) shown.push(one);
    }
    return shown;
  });
}

test(`${PROGRAM_FAULTS.length} faults put into the programs are found`, { skip }, async (t) => {
  const hidden = new Set(PROGRAM_FAULTS);
  const queue = Array.from({ length: LAST_SEED }, (_, at) => at + 1).values();
  const worker = async () => {
    for (const seed of queue) {
      if (hidden.size === 0) return;
      for (const one of await shownBy(seed, hidden))
        if (hidden.delete(one)) t.diagnostic(`${one.name}: found by seed ${seed}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  assert.deepEqual(
    [...hidden].map(({ name }) => name),
    [],
  );
});
