/**
 * The story of one packet: from where the kernel saw it, and which of its counters moved, to what let it pass at
 * each stage and what dropped it, in AWS's words. A pure function. It never asks what a rule would do: where the
 * packet got to is what was seen, and a rule or a list entry is named only when its counter moved.
 */

import type { Evidence, Step } from "./traceEvidence.ts";
import { internetPass, type Pass, routerPass, startOf } from "./tracePasses.ts";
import type { Way } from "./traceProgram.ts";

export interface Story {
  readonly arrived: boolean;
  /** Whether an answer came back; UDP may have none. */
  readonly answered: boolean;
  readonly steps: readonly Step[];
  /** The answer's steps, when there was one. */
  readonly back: readonly Step[];
}

export function storyOf(evidence: Evidence): Story {
  const go = walk(evidence, "go");
  const back = go.arrived ? walk({ ...evidence, answerTo: go.source }, "back") : NOTHING;
  // One step alone: there was no answer, or it never left the host.
  const isSilent = back.steps.length < 2;
  return {
    arrived: go.arrived,
    answered: back.arrived,
    steps: go.steps,
    back: isSilent ? [] : back.steps,
  };
}

interface Walked {
  readonly steps: readonly Step[];
  readonly arrived: boolean;
  /** The source address that the destination saw. */
  readonly source: string;
}

const NOTHING: Walked = { steps: [], arrived: false, source: "" };

/** A packet that passes more routers than this goes in a circle. */
const MOST_PASSES = 12;

function walk(evidence: Evidence, way: Way): Walked {
  const walking = { ...evidence, way };
  const steps: Step[] = [];
  let pass: Pass = startOf(walking);
  let source = evidence.from.address;
  for (let passes = 0; passes < MOST_PASSES; passes++) {
    steps.push(...pass.steps);
    if (typeof pass.next === "string") return { steps, source, arrived: pass.next === "arrived" };
    source = pass.next.headers.source;
    const { router } = pass.next;
    pass = router ? routerPass(walking, { ...pass.next, router }) : internetPass(walking, pass.next);
  }
  return { steps, source, arrived: false };
}
