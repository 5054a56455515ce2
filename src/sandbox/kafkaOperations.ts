/**
 * The record of a cluster's updates, newest first, in both versions of the API. It goes with the cluster.
 * https://docs.aws.amazon.com/msk/1.0/apireference/operations-clusteroperationarn.html
 */
import type * as kafka from "@aws-sdk/client-kafka";
import { notFound } from "./kafkaErrors.ts";
import { theCluster } from "./kafkaStates.ts";
import { kafkaPage } from "./kafkaVersions.ts";
import type { ClusterOperationRow } from "./serviceRows.ts";
import type { Call, Handlers } from "./world.ts";

function theOperation(call: Call, arn: string | undefined): ClusterOperationRow {
  const row = call.tables.clusterOperations.own(call, arn ?? "");
  if (!row) throw notFound("cluster operation", arn);
  return row;
}

function summary(call: Call, row: ClusterOperationRow) {
  const isDone = row.endsAt <= call.now;
  return {
    ClusterArn: row.clusterArn,
    OperationArn: row.id,
    OperationState: isDone ? "UPDATE_COMPLETE" : "UPDATE_IN_PROGRESS",
    OperationType: row.type,
    ...(isDone ? { EndTime: new Date(row.endsAt) } : {}),
  };
}

function describedV1(call: Call, row: ClusterOperationRow): kafka.ClusterOperationInfo {
  return {
    ...summary(call, row),
    ClientRequestId: row.requestId,
    CreationTime: new Date(row.at),
    SourceClusterInfo: row.before,
    TargetClusterInfo: row.after,
  };
}

function summaryV2(call: Call, row: ClusterOperationRow): kafka.ClusterOperationV2Summary {
  return { ...summary(call, row), ClusterType: "PROVISIONED", StartTime: new Date(row.at) };
}

function listed(call: Call, input: kafka.ListClusterOperationsRequest) {
  const { id: arn } = theCluster(call, input.ClusterArn);
  const rows = call.tables.clusterOperations.list(call).filter(({ clusterArn }) => clusterArn === arn);
  // Pages are in order of key: the later an update, the smaller its key.
  return kafkaPage(
    rows,
    ({ at, id }) => `${String(Number.MAX_SAFE_INTEGER - at).padStart(16, "0")}/${id}`,
    input,
  );
}

export const kafkaOperationHandlers = {
  DescribeClusterOperation(call, input) {
    return { ClusterOperationInfo: describedV1(call, theOperation(call, input.ClusterOperationArn)) };
  },

  DescribeClusterOperationV2(call, input) {
    const row = theOperation(call, input.ClusterOperationArn);
    const Provisioned = { SourceClusterInfo: row.before, TargetClusterInfo: row.after };
    return { ClusterOperationInfo: { ...summaryV2(call, row), Provisioned } };
  },

  ListClusterOperations(call, input) {
    const { items, NextToken } = listed(call, input);
    return { ClusterOperationInfoList: items.map((row) => describedV1(call, row)), NextToken };
  },

  ListClusterOperationsV2(call, input) {
    const { items, NextToken } = listed(call, input);
    return { ClusterOperationInfoList: items.map((row) => summaryV2(call, row)), NextToken };
  },
} satisfies Handlers<typeof kafka>;
