/**
 * Write connectors: what stands behind a dataset's Kafka destination. Each may be deleted and built again while its
 * dataset stays.
 */
import { z } from "zod";
import { writeConnector } from "./connectorShapes.ts";
import { define, forTenant, inDataset } from "./define.ts";
import { partitions, volumeGiB } from "./kafka.ts";

const PATH = "/v1/datasets/{datasetName}/writeConnector";
const columns = ["datasetName", "status", "connectorDestination", "cluster.state", "vpcId", "statusReason"];

export const writeConnectorsOperations = {
  "writeConnectors.view": define({
    method: "GET",
    path: PATH,
    summary: "Show a write connector",
    description:
      "Its network, Kafka cluster and functions, with AWS's own states, where clients begin, and a condition for each " +
      "resource. `--clientSnippet` adds settings for clients, ready to copy.",
    access: "viewer",
    tenantScoped: true,
    status: 200,
    params: inDataset,
    query: z.object({
      ...forTenant,
      clientSnippet: z
        .stringbool()
        .default(false)
        .describe("Add settings for Kafka clients in Java, Node and Python"),
    }),
    body: null,
    answer: writeConnector,
    idempotent: false,
    command: {
      path: ["writeConnectors", "view"],
      columns,
      examples: [
        {
          what: "Where it stands, and where clients begin",
          command: "letsdata writeConnectors view --datasetName Clicks",
        },
        {
          what: "Settings for a client",
          command: "letsdata writeConnectors view --datasetName Clicks --clientSnippet",
        },
      ],
    },
  }),
  "writeConnectors.update": define({
    method: "PATCH",
    path: PATH,
    summary: "Let a write connector's storage or topic grow",
    description:
      "The storage of each broker of a provisioned cluster, and the partitions of the topic. Both grow and never shrink; " +
      "say at least one.",
    access: "member",
    tenantScoped: true,
    status: 202,
    params: inDataset,
    query: z.object({ ...forTenant }),
    body: z.object({
      volumeGiB: volumeGiB.optional().describe("Storage of each broker, GiB"),
      partitions: partitions.optional().describe("Partitions of the topic"),
    }),
    answer: writeConnector,
    idempotent: false,
    command: {
      path: ["writeConnectors", "update"],
      columns,
      examples: [
        {
          what: "Twice the storage",
          command: "letsdata writeConnectors update --datasetName Clicks --volumeGiB 200",
        },
        {
          what: "More partitions",
          command: "letsdata writeConnectors update --datasetName Clicks --partitions 12",
        },
      ],
    },
  }),
  "writeConnectors.reinitialize": define({
    method: "POST",
    path: `${PATH}/reinitialize`,
    summary: "Build a write connector again",
    description:
      "After it was deleted: a new network and a new, empty cluster; in the range it had, if that still rests. After " +
      "its cluster failed, or its cluster or topic was deleted outside of letsdata: a new, empty one in what stands.",
    access: "member",
    tenantScoped: true,
    status: 202,
    params: inDataset,
    query: z.object({ ...forTenant }),
    body: null,
    answer: writeConnector,
    idempotent: false,
    command: {
      path: ["writeConnectors", "reinitialize"],
      columns,
      examples: [
        {
          what: "Build it again and wait until it is there",
          command: "letsdata writeConnectors reinitialize --datasetName Clicks --wait",
        },
      ],
      wait: {
        operation: "writeConnectors.view",
        field: "status",
        done: ["ACTIVE"],
        failed: ["ERROR", "DELETING", "DELETED"],
        defaultTimeoutSeconds: 7200,
      },
    },
  }),
  "writeConnectors.delete": define({
    method: "DELETE",
    path: PATH,
    summary: "Delete a write connector",
    description:
      "Deletes its cluster, with all records in it, and its VPC; the dataset stays, INACTIVE. Functions are taken out " +
      "of the VPC first. The range rests as after a dataset's deletion; built again meanwhile, the connector gets it back.",
    access: "member",
    tenantScoped: true,
    status: 202,
    params: inDataset,
    query: z.object({ ...forTenant }),
    body: null,
    answer: writeConnector,
    idempotent: false,
    command: {
      path: ["writeConnectors", "delete"],
      columns,
      examples: [
        {
          what: "Delete it and wait until nothing is left",
          command: "letsdata writeConnectors delete --datasetName Clicks --wait",
        },
      ],
      wait: {
        operation: "writeConnectors.view",
        field: "status",
        done: ["DELETED"],
        failed: [],
        underWay: ["DELETING"],
        goneIsDone: true,
        defaultTimeoutSeconds: 7200,
      },
    },
  }),
} as const;
