/**
 * VPCs of datasets and the peering connections to them, as the product's page describes them.
 */
import { z } from "zod";
import { define, forTenant, inDataset, none, ofPeering } from "./define.ts";
import * as shape from "./schemas.ts";
import * as vpcs from "./vpcShapes.ts";

export const vpcsOperations = {
  "vpcs.list": define({
    method: "GET",
    path: "/v1/vpcs",
    summary: "List VPCs",
    description:
      "What is needed to connect: vpcId, ownerId and cidrBlock, with region, size, status and subnets. " +
      "`--peeringGuide` adds the exact commands for your side.",
    access: "viewer",
    tenantScoped: true,
    status: 200,
    params: none,
    query: z.object({
      ...forTenant,
      datasetName: shape.datasetName.optional().describe("Only the VPC of this dataset"),
      peeringGuide: z
        .stringbool()
        .default(false)
        .describe("Add the AWS CLI commands for the customer's side, and the undo"),
      ...shape.paging,
    }),
    body: null,
    answer: shape.page(vpcs.vpc),
    idempotent: false,
    command: {
      path: ["vpcs", "list"],
      columns: ["datasetName", "vpcId", "ownerId", "cidrBlock", "region", "vpcSize", "status"],
      examples: [
        {
          what: "Gather the VPC's details",
          command: "letsdata vpcs list --datasetName Clicks --prettyPrint",
        },
        {
          what: "With the commands for your side",
          command: "letsdata vpcs list --datasetName Clicks --peeringGuide --prettyPrint",
        },
      ],
    },
  }),
  "vpcPeeringConnections.list": define({
    method: "GET",
    path: "/v1/datasets/{datasetName}/vpcPeeringConnections",
    summary: "List VPC peering connections",
    description:
      "All requests and connections to the dataset's VPC, looked up now: a request made a second ago is there.",
    access: "viewer",
    tenantScoped: true,
    status: 200,
    params: inDataset,
    query: z.object({ ...forTenant, ...shape.paging }),
    body: null,
    answer: shape.page(vpcs.peering),
    idempotent: false,
    command: {
      path: ["vpcs", "vpcPeeringConnections", "list"],
      columns: [
        "vpcPeeringConnectionId",
        "status",
        "awsStatus",
        "requesterOwnerId",
        "requesterVpcId",
        "requesterRegion",
        "requesterCidrBlocks",
        "expirationTime",
        "whoseMove",
      ],
      examples: [
        {
          what: "Who asks to connect",
          command: "letsdata vpcs vpcPeeringConnections list --datasetName Clicks",
        },
      ],
    },
  }),
  "vpcPeeringConnections.accept": define({
    method: "POST",
    path: "/v1/datasets/{datasetName}/vpcPeeringConnections/{vpcPeeringConnectionId}/accept",
    summary: "Accept a VPC peering connection",
    description:
      "Accepts on behalf of #LetsData when the request comes from the dataset's customerAccountForAccess and none of its " +
      "ranges collides. Once active, routes and TCP rules for the customer's ranges are set.",
    access: "member",
    tenantScoped: true,
    status: 202,
    params: ofPeering,
    query: z.object({ ...forTenant }),
    body: null,
    answer: vpcs.peering,
    idempotent: false,
    command: {
      path: ["vpcs", "vpcPeeringConnections", "accept"],
      columns: ["vpcPeeringConnectionId", "status", "awsStatus", "statusReason"],
      examples: [
        {
          what: "Accept and wait until traffic can flow",
          command:
            "letsdata vpcs vpcPeeringConnections accept --datasetName Clicks --vpcPeeringConnectionId pcx-0123456789abcdef0 --wait",
        },
      ],
      wait: {
        operation: "vpcPeeringConnections.list",
        field: "status",
        match: "vpcPeeringConnectionId",
        done: ["ACTIVE"],
        failed: ["DELETING", "DELETED", "REJECTED", "REFUSED", "EXPIRED", "FAILED"],
        defaultTimeoutSeconds: 300,
      },
    },
  }),
  "vpcPeeringConnections.delete": define({
    method: "DELETE",
    path: "/v1/datasets/{datasetName}/vpcPeeringConnections/{vpcPeeringConnectionId}",
    summary: "Delete a VPC peering connection",
    description:
      "Removes our routes and rules, then the connection. A request that is still pending is rejected.",
    access: "member",
    tenantScoped: true,
    status: 202,
    params: ofPeering,
    query: z.object({ ...forTenant }),
    body: null,
    answer: vpcs.peering,
    idempotent: false,
    command: {
      path: ["vpcs", "vpcPeeringConnections", "delete"],
      columns: ["vpcPeeringConnectionId", "status", "awsStatus", "statusReason"],
      examples: [
        {
          what: "Cut the connection",
          command:
            "letsdata vpcs vpcPeeringConnections delete --datasetName Clicks --vpcPeeringConnectionId pcx-0123456789abcdef0 --wait",
        },
      ],
      wait: {
        operation: "vpcPeeringConnections.list",
        field: "status",
        match: "vpcPeeringConnectionId",
        done: ["DELETED", "REJECTED", "REFUSED", "EXPIRED", "FAILED"],
        failed: [],
        goneIsDone: true,
        defaultTimeoutSeconds: 300,
      },
    },
  }),
} as const;
