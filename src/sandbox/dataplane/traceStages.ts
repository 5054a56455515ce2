/**
 * The stages of a router's filter that a traced packet passed, with what let it pass, up to the one that dropped
 * it. Pure, for trace.ts.
 */
import type { Port, Router } from "./topology.ts";
import {
  countersOf,
  dropsOf,
  type InRouter,
  isSeen,
  portBehind,
  type Step,
  unexplained,
  type Walking,
} from "./traceEvidence.ts";
import { type Direction, decidingEntry, passingRule } from "./traceRules.ts";

export interface Through {
  readonly port: Port | undefined;
  readonly out: string;
}

/** Edge, lists and groups in the order of the filter, up to the first that dropped it. */
export function stagesOf(walking: Walking, position: InRouter, { port, out }: Through): Step[] {
  const { router, device } = position;
  const target = portBehind(router, out);
  const crosses = port?.subnetId !== target?.subnetId;
  const steps: Step[] = [];
  for (const { stage, made } of [
    { stage: "edge", made: edgeStep(walking, router) },
    { stage: "acl_out", made: crosses && port && aclStep(walking, position, { port, direction: "out" }) },
    {
      stage: "acl_in",
      made: crosses && target && aclStep(walking, position, { port: target, direction: "in" }),
    },
    { stage: "group_out", made: port && groupStep(walking, position, { port, direction: "out" }) },
    { stage: "group_in", made: target && groupStep(walking, position, { port: target, direction: "in" }) },
  ] as const) {
    const step = made || { ...unexplained(router.id), by: null };
    if (!isSeen(walking, router.id, { stage, from: device, to: out }))
      return [...steps, { ...step, verdict: "dropped" }];
    // Nobody asks what the edge had nothing against.
    if (made && stage !== "edge") steps.push(passedStep(made));
  }
  return steps;
}

/** What no rule let pass, and passed all the same, belongs to a connection that one let pass before. */
function passedStep(step: Step): Step {
  const isKnown = step.check.startsWith("group") && step.by === null;
  return { ...step, verdict: "passed", ...(isKnown ? { says: "the connection is known" } : {}) };
}

const EDGE_REASONS: Readonly<Record<string, string>> = {
  invalid: "it belongs to no known connection",
  dstcheck: "the interface takes what is for its own address only: source/destination check",
  transit: "a VPC passes nothing on from one gateway or peering to another",
  edge: "the gateway has no public address for it, or the peering of its connection is gone",
};

function edgeStep(walking: Walking, router: Router): Step {
  const reason = Object.keys(EDGE_REASONS).find((name) => dropsOf(walking, router).has(name));
  const says = EDGE_REASONS[reason ?? ""] ?? unexplained(router.id).says;
  return { place: router.id, check: "edge", verdict: "dropped", by: null, says };
}

interface AtPort {
  readonly port: Port;
  readonly direction: Direction;
}

const VERBS = { allow: "allows it", deny: "denies it" } as const;

function aclStep(
  walking: Walking,
  { router, headers }: InRouter,
  { port, direction }: AtPort,
): Step | undefined {
  const subnet = router.subnets.find(({ id }) => id === port.subnetId);
  const acl = router.acls.find(({ id }) => id === subnet?.aclId);
  if (!acl) return undefined;
  const counters = countersOf(walking, router);
  const entry = decidingEntry({ router, counters }, acl, { direction, headers });
  return {
    place: router.id,
    check: `acl ${direction}`,
    verdict: "passed",
    by: entry?.name ?? acl.id,
    says: `${entry ? VERBS[entry.action] : "decides"} for ${port.subnetId}`,
  };
}

function groupStep(
  walking: Walking,
  { router, headers }: InRouter,
  { port, direction }: AtPort,
): Step | undefined {
  if (port.isOpen) return undefined;
  const way = direction === "in" ? "into" : "out of";
  const takesNone = port.isOutboundOnly && direction === "in";
  const by =
    walking.way === "back" || takesNone
      ? null
      : passingRule({ router, counters: countersOf(walking, router) }, port, { direction, headers });
  const why = takesNone
    ? `nobody opens a connection to ${port.id}: functions alone use it`
    : `no rule of ${port.groupIds.join(", ")} allows it ${way} ${port.id}`;
  const says = by === null ? why : `for ${port.id}`;
  return { place: router.id, check: `group ${direction}`, verdict: "passed", by, says };
}
