/**
 * The moves that put the data task's functions into the private subnets, and what is said of each. All get the same
 * subnets and the one group `cluster`, so that they share an interface a subnet. Promises that a function which
 * stands in another VPC is left there and reported: nobody's function is taken away from where it works.
 */
import type { FunctionLack, SeenFunction } from "../domain/connector.ts";
import { functionArn } from "../domain/kafka.ts";
import { type ConnectorInput, sameSet } from "./cluster.ts";

/** Seconds; a function's interfaces are made in a minute or two, and given back in up to twenty. */
export const USUAL_FUNCTION = { attach: 90, detach: 240 } as const;

export function functionKey(arn: string): string {
  return `function/${functionArn(arn)?.name ?? arn}`;
}

/** `ready`: what they are to reach is there. */
export function buildFunctions(input: ConnectorInput, ready: boolean): void {
  const place = functionPlace(input);
  for (const arn of input.network.functionArns) buildFunction(input, arn, { place, ready });
}

interface Place {
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
}

/** Where functions stand; null while a part of it is not there. */
export function functionPlace({ layout, sight }: Omit<ConnectorInput, "network">): Place | null {
  const vpc = sight.look(sight.world.vpcs, "vpc");
  const group = sight.look(sight.world.groups, "group/cluster");
  const subnetIds = layout.privateSubnets.flatMap(({ key }) => {
    const looked = sight.look(sight.world.subnets, key);
    return looked.is === "seen" ? [looked.thing.id] : [];
  });
  const isThere =
    vpc.is === "seen" && group.is === "seen" && subnetIds.length === layout.privateSubnets.length;
  return isThere ? { vpcId: vpc.thing.id, subnetIds, groupIds: [group.thing.id] } : null;
}

interface Ground {
  readonly place: Place | null;
  readonly ready: boolean;
}

function buildFunction({ sight, draft }: ConnectorInput, arn: string, { place, ready }: Ground): void {
  const resource = { resource: functionKey(arn), id: arn };
  const seen = sight.world.functions.find(({ id }) => id === arn);
  if (!place || !ready) {
    const message = place ? "is attached once the cluster is ACTIVE" : "needs the private subnets first";
    draft.waiting({ ...resource, message, actor: "letsdata" });
  } else if (seen && isSettled(seen, place)) draft.ready({ ...resource, message: attached(seen) });
  // Nothing is concluded about what others may have changed, and nothing is done to it, by an old look.
  else if (sight.world.lookedAt.functions < sight.world.at)
    draft.waiting({ ...resource, message: "is looked at before it is attached" });
  else if (!seen)
    draft.blocked({
      ...resource,
      actor: "operator",
      message: "there is no such function",
      hint: "Create it, with a role that has AWSLambdaVPCAccessExecutionRole; it is attached by itself then.",
    });
  else if (seen.vpcId !== null && seen.vpcId !== place.vpcId)
    draft.blocked({
      ...resource,
      actor: "operator",
      message: `stands in ${seen.vpcId}, which is not this dataset's VPC; it is not taken away from there`,
      hint: `Take it out of it: aws lambda update-function-configuration --function-name ${arn} --vpc-config SubnetIds=[],SecurityGroupIds=[]`,
    });
  else attach({ draft }, seen, place);
}

function attach({ draft }: Pick<ConnectorInput, "draft">, seen: SeenFunction, place: Place): void {
  const { id } = seen;
  const resource = { resource: functionKey(id), id };
  const { subnetIds, groupIds } = place;
  const step = { do: "attachFunction", key: functionKey(id), functionArn: id, subnetIds, groupIds } as const;
  const usualSeconds = USUAL_FUNCTION.attach;
  if (seen.updateState === "inprogress" || seen.state === "pending")
    draft.waiting({ ...resource, message: "AWS carries out a change of it", usualSeconds });
  else if (seen.updateState === "failed" || seen.state === "failed") {
    draft.tryMove(step);
    const why = seen.updateReason ?? seen.stateReason ?? "AWS gives no reason";
    draft.blocked({
      ...resource,
      actor: "operator",
      message: `AWS could not attach it: ${why}`,
      hint: functionHint(seen),
    });
  } else {
    draft.move(step);
    draft.waiting({ ...resource, message: "is being attached", actor: "letsdata", usualSeconds });
  }
}

/** It stands where it should, and AWS is at no work on it. */
function isSettled(seen: SeenFunction, place: Place): boolean {
  const { vpcId, subnetIds, groupIds, state, updateState } = seen;
  const isIn =
    vpcId === place.vpcId && sameSet(subnetIds, place.subnetIds) && sameSet(groupIds, place.groupIds);
  const atWork = updateState === "inprogress" || state === "pending";
  return isIn && !atWork && updateState !== "failed" && state !== "failed";
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html */
function attached({ state, subnetIds }: SeenFunction): string {
  const place = `is attached to ${subnetIds.length} private subnets`;
  return state === "inactive"
    ? `${place}; AWS took its interfaces back, so the next call of it fails once`
    : place;
}

/** What to do about a change that AWS could not make. */
export function functionHint({ lacks }: Pick<SeenFunction, "lacks">): string {
  return `${lacks ? REMEDIES[lacks] : "See the reason"}. It is tried again by itself.`;
}

const REMEDIES: Readonly<Record<FunctionLack, string>> = {
  role: "Attach AWSLambdaVPCAccessExecutionRole to its role",
  quota: "Raise AWS Lambda's quota of network interfaces per VPC",
  addresses: "Free addresses in the private subnets, or take a larger vpcSize for a new dataset",
  calls: "AWS asks for fewer calls; nothing has to be done",
};
