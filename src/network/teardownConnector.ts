/**
 * What runs in a network goes before the network: functions leave the VPC, and only when AWS has carried that out
 * the cluster is deleted; the interfaces that both leave are known, named and waited for. A function that is deleted
 * while it is being taken out would leave its interfaces behind, so nothing overtakes it.
 *
 *   function/* ▶ cluster ▶ interface/* ▶ …            probe ▶ interface/*
 */
import type { SeenCluster, SeenFunction } from "../domain/connector.ts";
import type { SeenInterface, World } from "../domain/world.ts";
import { CLUSTER, USUAL_CLUSTER } from "./cluster.ts";
import { functionKey, USUAL_FUNCTION } from "./functions.ts";
import { heldInterfaceOwner, holdersOfCluster, ownClusters } from "./holders.ts";
import { dropProbes } from "./probe.ts";
import type { Draft, Sight } from "./sight.ts";

interface TeardownInput {
  readonly sight: Sight;
  readonly draft: Draft;
}

export function dropConnector(input: TeardownInput): void {
  for (const one of input.sight.world.functions) dropFunction(input, one);
  dropProbes(input);
  for (const cluster of ownClusters(input.sight.world)) dropCluster(input, cluster);
}

function dropFunction({ sight, draft }: TeardownInput, seen: SeenFunction): void {
  const { id, vpcId, updateState, updateReason } = seen;
  const inOurs = sight.world.vpcs.some((vpc) => vpc.id === vpcId);
  const told = { resource: functionKey(id), id, usualSeconds: USUAL_FUNCTION.detach };
  const step = { do: "detachFunction", key: functionKey(id), functionArn: id } as const;
  if (updateState === "inprogress" && (inOurs || vpcId === null)) {
    const message = inOurs ? "leaves the VPC once AWS has finished a change of it" : "is leaving the VPC";
    draft.deleting({ ...told, message, actor: "aws" });
  } else if (!inOurs) return;
  else if (updateState === "failed") {
    draft.tryMove(step);
    const why = updateReason ?? "AWS gives no reason";
    const hint = "It is tried again by itself; a function that is deleted counts as gone.";
    draft.blocked({ ...told, actor: "operator", message: `AWS could not change it: ${why}`, hint });
  } else {
    draft.move(step);
    draft.deleting({ ...told, message: "is being taken out of the VPC" });
  }
}

/** Whether AWS deletes one that it is at work on, it does not say: then it may refuse, and is asked again. */
function dropCluster({ sight, draft }: TeardownInput, { id, state }: SeenCluster): void {
  const told = { resource: CLUSTER, id, usualSeconds: USUAL_CLUSTER.remove };
  const [holder] = holdersOfCluster(sight.world);
  if (holder) {
    draft.waiting({ ...told, actor: "letsdata", message: `waits for ${holder.resource} to leave the VPC` });
    return;
  }
  const step = { do: "deleteCluster", key: CLUSTER, clusterArn: id } as const;
  if (state === "deleting") draft.deleting({ ...told, actor: "aws", message: "is being deleted by AWS" });
  else if (state === "active" || state === "failed") {
    draft.move(step);
    draft.deleting({ ...told, message: "is being deleted" });
  } else {
    draft.tryMove(step);
    const message = `is ${state.toUpperCase()}; it is deleted as soon as AWS allows it`;
    draft.deleting({ ...told, actor: "aws", message });
  }
}

/** Seconds: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html */
const USUAL_INTERFACE = { cluster: 300, function: 1_200 } as const;

/** True when the interface belongs to what ran here, and was told of as such. */
export function tellOwnInterface(draft: Draft, world: World, one: SeenInterface): boolean {
  const owner = heldInterfaceOwner(world, one);
  if (!owner) return false;
  const { id, subnetId, state, description } = one;
  const whose = `"${description}" (${state}) in ${subnetId} is ${owner.of}'s`;
  const told = { resource: `interface/${id}`, id, usualSeconds: USUAL_INTERFACE[owner.kind] };
  if (owner.holder) draft.waiting({ ...told, actor: "letsdata", message: `${whose}, which goes first` });
  else
    draft.deleting({
      ...told,
      actor: "aws",
      message: `${whose}; AWS takes it away by itself some time after`,
    });
  return true;
}
