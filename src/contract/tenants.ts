/**
 * Tenants: customer organisations, their ranges and the networks they declared as their own.
 */
import { z } from "zod";
import { define, none } from "./define.ts";
import * as shape from "./schemas.ts";

export const tenantsOperations = {
  "tenants.create": define({
    method: "POST",
    path: "/v1/tenants",
    summary: "Create a tenant",
    description:
      "A tenant owns ranges, datasets and keys. Its first /21 range is taken with its first dataset.",
    access: "operator",
    tenantScoped: false,
    status: 201,
    params: none,
    query: none,
    body: z.object({
      tenantName: shape.tenantName,
      avoidCidrs: z
        .array(shape.cidrBlock)
        .default([])
        .describe("Networks the tenant uses itself: no dataset gets a range that overlaps them"),
      tenantRangeLimit: z.coerce
        .number()
        .int()
        .min(1)
        .max(512)
        .optional()
        .describe("How many /21 ranges it may own"),
    }),
    answer: shape.tenant,
    idempotent: true,
    command: {
      path: ["tenants", "create"],
      columns: ["tenantName", "tenantId", "tenantRangeLimit", "avoidCidrs"],
      examples: [
        {
          what: "A tenant whose office uses 10.20.0.0/16",
          command: "letsdata tenants create --tenantName acme --avoidCidrs 10.20.0.0/16",
        },
      ],
    },
  }),
  "tenants.list": define({
    method: "GET",
    path: "/v1/tenants",
    summary: "List tenants",
    description: "The operator sees all of them, a tenant's key its own.",
    access: "viewer",
    tenantScoped: false,
    status: 200,
    params: none,
    query: z.object({ ...shape.paging }),
    body: null,
    answer: shape.page(shape.tenant),
    idempotent: false,
    command: {
      path: ["tenants", "list"],
      columns: ["tenantName", "tenantRanges", "tenantRangeLimit", "avoidCidrs", "createdDatetime"],
      examples: [{ what: "All tenants", command: "letsdata tenants list" }],
    },
  }),
  "tenants.view": define({
    method: "GET",
    path: "/v1/tenants/{tenantName}",
    summary: "Show a tenant",
    description: "Its ranges, its limit and the networks it declared as its own.",
    access: "viewer",
    tenantScoped: false,
    status: 200,
    params: z.object({ tenantName: shape.tenantName }),
    query: none,
    body: null,
    answer: shape.tenant,
    idempotent: false,
    command: {
      path: ["tenants", "view"],
      columns: [
        "tenantName",
        "tenantId",
        "tenantRanges",
        "tenantRangeLimit",
        "avoidCidrs",
        "createdDatetime",
      ],
      examples: [{ what: "One tenant", command: "letsdata tenants view --tenantName default" }],
    },
  }),
  "tenants.update": define({
    method: "PATCH",
    path: "/v1/tenants/{tenantName}",
    summary: "Change a tenant",
    description:
      "Declares networks of its own (admin of the tenant) or changes its range limit (operator). A network declared " +
      "later moves nothing: it closes those blocks to new datasets and shows on existing ones.",
    access: "admin",
    tenantScoped: false,
    status: 200,
    params: z.object({ tenantName: shape.tenantName }),
    query: none,
    body: z.object({
      avoidCidrs: z.array(shape.cidrBlock).optional().describe("The whole list; it replaces the one before"),
      tenantRangeLimit: z.coerce
        .number()
        .int()
        .min(1)
        .max(512)
        .optional()
        .describe("How many /21 ranges it may own (operator)"),
    }),
    answer: shape.tenant,
    idempotent: false,
    command: {
      path: ["tenants", "update"],
      columns: ["tenantName", "tenantRanges", "tenantRangeLimit", "avoidCidrs"],
      examples: [
        {
          what: "Declare your own networks",
          command: "letsdata tenants update --tenantName default --avoidCidrs 10.20.0.0/16,10.30.0.0/16",
        },
      ],
    },
  }),
  "tenants.delete": define({
    method: "DELETE",
    path: "/v1/tenants/{tenantName}",
    summary: "Delete a tenant",
    description: "Revokes its keys and returns its ranges. Refused while it has datasets or resting ranges.",
    access: "operator",
    tenantScoped: false,
    status: 200,
    params: z.object({ tenantName: shape.tenantName }),
    query: none,
    body: null,
    answer: shape.tenant,
    idempotent: false,
    command: {
      path: ["tenants", "delete"],
      columns: ["tenantName", "tenantId"],
      examples: [
        {
          what: "Remove a tenant that has no datasets",
          command: "letsdata tenants delete --tenantName acme",
        },
      ],
    },
  }),
} as const;
