/**
 * Where a network, and the write connector in it, stand, in one word each, from the last pass's conditions. They are
 * told apart because a peering needs the network alone, which is there half an hour before its cluster. Pure.
 */
import type { Condition, Network } from "../domain/model.ts";

export const PART_STATUSES = ["CREATING", "ACTIVE", "DELETING", "DELETED", "ERROR"] as const;
export type PartStatus = (typeof PART_STATUSES)[number];

/** True for what tells of the cluster or a function, and not of the network they stand in. */
export function isOfConnector({ resource }: Pick<Condition, "resource">): boolean {
  return resource === "cluster" || resource === "topic" || resource.startsWith("function/");
}

/** The S3 endpoint's bucket is the slowest of all, peerings are the customer's, a probe is no part of the work. */
export function holdsNothingBack(condition: Condition): boolean {
  return condition.state === "ready" || condition.resource === "endpoint/s3" || isBeside(condition);
}

function isBeside(condition: Condition): boolean {
  const { resource } = condition;
  return resource === "probe" || resource.startsWith("peering/") || isUnmadeTopic(condition);
}

/** Where AWS does not make topics, everything else works, and somebody can make it by Kafka's own means. */
function isUnmadeTopic({ resource, state, id }: Condition): boolean {
  return resource === "topic" && state === "blocked" && id === null;
}

/** What no pass puts right once a dataset was ACTIVE: its cluster or its topic is gone, or not what it should be. */
export function isLost({ resource, state, actor, id }: Condition): boolean {
  if (state !== "blocked" || actor !== "operator") return false;
  return resource === "cluster" || (resource === "topic" && id !== null);
}

/** True for what an operator has to put right before anything is ACTIVE. */
export function holdsCreationUp(condition: Condition): boolean {
  const { state, resource, actor } = condition;
  return state === "blocked" && actor === "operator" && resource !== "range" && !isBeside(condition);
}

/** Of the network alone. Once it was ACTIVE it stays so: what is repaired in it is told by its conditions. */
export function networkStatus(network: Network, conditions: readonly Condition[]): PartStatus {
  const ended = endOf(network);
  if (ended) return ended;
  const own = conditions.filter((condition) => !isOfConnector(condition));
  if (network.readyAt !== null) return "ACTIVE";
  if (own.some(holdsCreationUp)) return "ERROR";
  const isThere = own.some(({ resource }) => resource === "vpc") && own.every(rangeAside);
  return isThere ? "ACTIVE" : "CREATING";
}

function rangeAside(condition: Condition): boolean {
  return condition.resource === "range" || holdsNothingBack(condition);
}

/** Of all of it: network, cluster and functions. */
export function connectorStatus(network: Network): PartStatus {
  const { datasetStatus } = network;
  const ended = endOf(network);
  if (ended) return ended;
  return datasetStatus === "ACTIVE" || datasetStatus === "ERROR" ? datasetStatus : "CREATING";
}

function endOf({ goneAt, want }: Network): PartStatus | null {
  if (goneAt !== null) return "DELETED";
  return want === "absent" ? "DELETING" : null;
}
