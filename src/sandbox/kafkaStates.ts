/**
 * The states of an MSK cluster, read from the moments in its row, and who is refused in which.
 * https://docs.aws.amazon.com/msk/latest/developerguide/msk-cluster-states.html
 *
 *   CREATING ──▶ ACTIVE ◀──▶ UPDATING, HEALING
 *      │            └──DeleteCluster──▶ DELETING ──▶ gone
 *      └──▶ FAILED ─────DeleteCluster──────▲
 */
import type { ClusterState } from "@aws-sdk/client-kafka";
import { badRequest, notFound } from "./kafkaErrors.ts";
import type { ClusterRow } from "./serviceRows.ts";
import { isSeen } from "./visibility.ts";
import type { Call } from "./world.ts";

export function clusterState(row: ClusterRow, now: number): ClusterState {
  if (row.deletedAt !== undefined) return "DELETING";
  if (row.failsAt !== undefined) return row.failsAt <= now ? "FAILED" : "CREATING";
  if (row.activeAt === undefined || row.activeAt > now) return "CREATING";
  if (row.brokers && row.brokers.servingAt === undefined) return "CREATING";
  if (row.update && row.update.endsAt > now) return "UPDATING";
  return row.brokers?.downSince === undefined ? "ACTIVE" : "HEALING";
}

/** What is so when its update has ended, whether or not anybody has asked since. */
export function clusterAt<Row extends ClusterRow>(row: Row, now: number): Row {
  return row.update && row.update.endsAt <= now ? { ...row, ...row.update.change } : row;
}

/** The caller's cluster, or MSK's NotFoundException. */
export function theCluster(call: Call, arn: string | undefined): ClusterRow {
  const row = call.tables.clusters.own(call, arn ?? "");
  if (!row || !isSeen(call, row)) throw notFound("cluster", arn);
  return row;
}

/** The cluster, when it is in its state of rest and the caller has seen its last change. */
export function theIdleCluster(
  call: Call,
  { ClusterArn, CurrentVersion }: { ClusterArn?: string | undefined; CurrentVersion?: string | undefined },
): ClusterRow {
  const row = theCluster(call, ClusterArn);
  const state = clusterState(row, call.now);
  if (state !== "ACTIVE") throw badRequest(`You can't update a cluster in ${state} state.`);
  checkCurrentVersion(row, CurrentVersion);
  return row;
}

/** https://docs.aws.amazon.com/msk/1.0/apireference/clusters-clusterarn.html */
export function checkCurrentVersion(row: ClusterRow, asked: string | undefined): void {
  if (asked !== row.currentVersion)
    throw badRequest(
      "The version of the cluster that you specified isn't the current version.",
      "currentVersion",
    );
}
