/**
 * Datasets: creating one is what gives a write connector its network.
 */
import { z } from "zod";
import { define, forTenant, inDataset, none } from "./define.ts";
import { datasetPlan } from "./plans.ts";
import * as shape from "./schemas.ts";

export const datasetsOperations = {
  "datasets.create": define({
    method: "POST",
    path: "/v1/datasets",
    summary: "Create a dataset",
    description:
      "Takes a range for the dataset and, when its write connector is Kafka, creates and secures a VPC there. " +
      "The answer comes at once; `--wait` stays until VPC, cluster and functions are there. `--dryRun` writes nothing and says what " +
      "it would get, use up and cost.",
    access: "member",
    tenantScoped: true,
    status: 201,
    params: none,
    query: z.object({
      ...forTenant,
      dryRun: z
        .stringbool()
        .default(false)
        .describe("Write nothing; say which range, resources and quotas it would take, and its cost"),
    }),
    body: shape.datasetConfiguration,
    answer: shape.datasetDetail,
    dryRun: datasetPlan,
    idempotent: true,
    command: {
      path: ["datasets", "create"],
      columns: ["datasetName", "status", "region", "vpcSize", "cidrBlock", "vpcId"],
      bodyFile: "configFile",
      examples: [
        {
          what: "Create and wait until its VPC is there",
          command: "letsdata datasets create --configFile examples/dataset.json --wait",
        },
        {
          what: "What it would take and cost, without creating it",
          command: "letsdata datasets create --configFile examples/dataset.json --dryRun",
        },
      ],
      wait: {
        operation: "datasets.view",
        field: "status",
        done: ["ACTIVE"],
        failed: ["ERROR", "INACTIVE", "DELETING", "DELETED"],
        defaultTimeoutSeconds: 7200,
      },
    },
  }),
  "datasets.list": define({
    method: "GET",
    path: "/v1/datasets",
    summary: "List datasets",
    description: "By name; deleted ones are left out.",
    access: "viewer",
    tenantScoped: true,
    status: 200,
    params: none,
    query: z.object({ ...forTenant, ...shape.paging }),
    body: null,
    answer: shape.page(shape.dataset),
    idempotent: false,
    command: {
      path: ["datasets", "list"],
      columns: ["datasetName", "status", "region", "connectorDestination", "vpcSize", "cidrBlock", "vpcId"],
      examples: [{ what: "All datasets", command: "letsdata datasets list" }],
    },
  }),
  "datasets.view": define({
    method: "GET",
    path: "/v1/datasets/{datasetName}",
    summary: "Show a dataset",
    description:
      "Its status and a condition for each resource: ready, waiting on what, or blocked by what and whose move it is. " +
      "Also what it costs a month, and, while it is deleted, what goes in which order and what is in the way.",
    access: "viewer",
    tenantScoped: true,
    status: 200,
    params: inDataset,
    query: z.object({ ...forTenant }),
    body: null,
    answer: shape.datasetDetail,
    idempotent: false,
    command: {
      path: ["datasets", "view"],
      columns: ["datasetName", "status", "region", "vpcSize", "cidrBlock", "vpcId"],
      examples: [{ what: "Status and conditions", command: "letsdata datasets view --datasetName Clicks" }],
    },
  }),
  "datasets.delete": define({
    method: "DELETE",
    path: "/v1/datasets/{datasetName}",
    summary: "Delete a dataset",
    description:
      "Deletes its VPC and everything in it. Peering requests that wait are rejected, peerings deleted. The range " +
      "rests in quarantine before anybody gets it again. One that is being deleted already is refused; with `--wait` " +
      "the command waits for its end all the same.",
    access: "member",
    tenantScoped: true,
    status: 202,
    params: inDataset,
    query: z.object({ ...forTenant }),
    body: null,
    answer: shape.datasetDetail,
    idempotent: false,
    command: {
      path: ["datasets", "delete"],
      columns: ["datasetName", "status", "statusReason"],
      examples: [
        {
          what: "Delete and wait until nothing is left",
          command: "letsdata datasets delete --datasetName Clicks --wait",
        },
      ],
      wait: {
        operation: "datasets.view",
        field: "status",
        done: ["DELETED"],
        failed: [],
        underWay: ["DELETING"],
        goneIsDone: true,
        defaultTimeoutSeconds: 3600,
      },
    },
  }),
} as const;
