/**
 * The moves that give a network the function which probes from inside it, and take it away again. It stands beside the
 * data task's functions, in the same subnets with the same group, so that it shares their interfaces. Promises that it
 * is made as soon as somebody has probed once, is made again when somebody deleted it, follows the role and the code of
 * this version, and holds up nothing else in the network. A function of its name that is not ours is left alone.
 *
 *   wanted:   absent ─▶ pending ─▶ active (⇄ inactive) ─▶ changed where it differs     failed: deleted, and made again
 *   unwanted: out of the VPC ─▶ that is carried out ─▶ deleted ─▶ its interfaces go
 */
import type { ProbeSpec, SeenProbe } from "../domain/connector.ts";
import type { World } from "../domain/world.ts";
import { type ConnectorInput, sameSet } from "./cluster.ts";
import { functionHint, functionPlace, USUAL_FUNCTION } from "./functions.ts";
import { type Draft, made, type Sight } from "./sight.ts";

export const PROBE = "probe";

/** A function that could not be set up is made again after this, milliseconds: its role may be younger than it. */
const AGAIN_AFTER_MS = 30_000;

/** Never somebody else's that has our name. */
export function ownProbes({ probes }: World): readonly SeenProbe[] {
  return probes.filter(({ ours }) => ours);
}

export function buildProbe(input: ConnectorInput): void {
  const { network, sight, draft } = input;
  const { probeRoleArn: roleArn } = network;
  if (roleArn === null) return;
  const stranger = sight.world.probes.find(({ ours }) => !ours);
  const place = functionPlace(input);
  if (stranger) tellStranger(draft, stranger);
  else if (!place)
    draft.waiting({ resource: PROBE, message: "needs the private subnets first", actor: "letsdata" });
  else {
    const spec = { roleArn, subnetIds: place.subnetIds, groupIds: place.groupIds };
    const looked = sight.look(sight.world.probes, PROBE);
    const probe = made(draft, looked, { do: "createProbe", key: PROBE, spec, usual: USUAL_FUNCTION.attach });
    if (probe) tend({ sight, draft, spec }, probe);
  }
}

function tellStranger(draft: Draft, { id, name }: SeenProbe): void {
  draft.blocked({
    resource: PROBE,
    id,
    actor: "operator",
    message: `the name ${name} is taken by a function that does not bear this installation's tags: it is not touched`,
    hint: "Find out whose it is, and delete it if it is nobody's; then it goes on by itself.",
  });
}

interface Tending {
  readonly sight: Sight;
  readonly draft: Draft;
  readonly spec: ProbeSpec;
}

function tend({ sight, draft, spec }: Tending, probe: SeenProbe): void {
  const { id, state, updateState } = probe;
  const told = { resource: PROBE, id, usualSeconds: USUAL_FUNCTION.attach };
  if (state === "pending" || updateState === "inprogress")
    draft.waiting({
      ...told,
      message: state === "pending" ? "is being set up" : "AWS carries out a change of it",
    });
  else if (state === "failed") makeAgain({ sight, draft }, probe);
  else if (!isAsAsked(probe, spec)) {
    const step = { do: "configureProbe", key: PROBE, functionArn: id, spec } as const;
    if (updateState === "failed") {
      draft.tryMove(step);
      draft.blocked({
        ...told,
        actor: "operator",
        message: `AWS could not change it: ${reason(probe)}`,
        hint: functionHint(probe),
      });
    } else {
      draft.move(step);
      draft.waiting({ ...told, message: "is given its place and its role", actor: "letsdata" });
    }
  } else if (!probe.isCurrent) {
    draft.move({ do: "updateProbeCode", key: PROBE, functionArn: id });
    draft.waiting({ ...told, message: "gets the code of this version", actor: "letsdata" });
  } else draft.ready({ ...told, message: ready(probe) });
}

/** https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html */
function ready({ state }: SeenProbe): string {
  return state === "inactive"
    ? "is there; AWS took its interfaces back, and the next probe waits for new ones"
    : "is there";
}

/** A change that failed has to be asked for again, though the function says it stands as asked. */
function isAsAsked(probe: SeenProbe, { roleArn, subnetIds, groupIds }: ProbeSpec): boolean {
  const { updateState, isConfigured } = probe;
  const isPlaced = sameSet(probe.subnetIds, subnetIds) && sameSet(probe.groupIds, groupIds);
  return isConfigured && isPlaced && probe.roleArn === roleArn && updateState !== "failed";
}

function reason({ updateReason, stateReason }: SeenProbe): string {
  return updateReason ?? stateReason ?? "AWS gives no reason";
}

/** One that failed at its creation cannot be put right: it is deleted, and made again. */
function makeAgain({ sight, draft }: Pick<Tending, "sight" | "draft">, probe: SeenProbe): void {
  const { id } = probe;
  const last = sight.lastTryAt(PROBE);
  if (last === null || sight.now - last >= AGAIN_AFTER_MS)
    draft.move({ do: "deleteProbe", key: PROBE, functionArn: id });
  const message = `AWS could not set it up: ${reason(probe)}`;
  draft.blocked({ resource: PROBE, id, actor: "operator", message, hint: functionHint(probe) });
}

/** Deleted while it is being taken out, it would leave its interfaces behind: so one comes after the other. */
export function dropProbes({ sight, draft }: Pick<Tending, "sight" | "draft">): void {
  for (const probe of ownProbes(sight.world)) dropProbe(draft, probe);
}

function dropProbe(draft: Draft, probe: SeenProbe): void {
  const { id, vpcId, state, updateState } = probe;
  const told = { resource: PROBE, id, usualSeconds: USUAL_FUNCTION.detach };
  const detach = { do: "detachFunction", key: PROBE, functionArn: id } as const;
  if (state === "pending")
    draft.deleting({ ...told, actor: "aws", message: "is still being set up; then it goes" });
  else if (updateState === "inprogress")
    draft.deleting({ ...told, actor: "aws", message: "leaves the VPC once AWS has finished a change of it" });
  else if (vpcId === null || state === "failed" || state === "inactive") {
    // In neither of these two states it has interfaces.
    draft.move({ do: "deleteProbe", key: PROBE, functionArn: id });
    draft.deleting({ ...told, message: "is being deleted" });
  } else if (updateState === "failed") {
    draft.tryMove(detach);
    const hint = "It is tried again by itself; a function that is deleted counts as gone.";
    draft.blocked({ ...told, actor: "operator", message: `AWS could not change it: ${reason(probe)}`, hint });
  } else {
    draft.move(detach);
    draft.deleting({ ...told, message: "is being taken out of the VPC" });
  }
}
