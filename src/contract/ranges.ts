/**
 * The address plan: who uses which block, and the end of a freed block's rest.
 */
import { z } from "zod";
import { define, forTenant, none } from "./define.ts";
import * as shape from "./schemas.ts";

export const rangesOperations = {
  "ranges.list": define({
    method: "GET",
    path: "/v1/ranges",
    summary: "Show the address plan",
    description:
      "The tenant's ranges as a tree, with the use of each block. Another tenant's names never show.",
    access: "viewer",
    tenantScoped: true,
    status: 200,
    params: none,
    query: z.object({ ...forTenant, ...shape.paging }),
    body: null,
    answer: shape.page(shape.rangeUse),
    idempotent: false,
    command: {
      path: ["ranges", "list"],
      columns: ["cidrBlock", "kind", "state", "datasetName", "usedAddresses", "addresses", "freeDatetime"],
      examples: [{ what: "The plan of the tenant", command: "letsdata ranges list" }],
    },
  }),
  "ranges.view": define({
    method: "GET",
    path: "/v1/ranges/view",
    summary: "Show one block of the address plan",
    description: "The block and everything below it.",
    access: "viewer",
    tenantScoped: true,
    status: 200,
    params: none,
    query: z.object({
      ...forTenant,
      cidrBlock: shape.cidrBlock.describe("The block to look at"),
      ...shape.paging,
    }),
    body: null,
    answer: shape.page(shape.rangeUse),
    idempotent: false,
    command: {
      path: ["ranges", "view"],
      columns: ["cidrBlock", "kind", "state", "datasetName", "usedAddresses", "addresses", "freeDatetime"],
      examples: [{ what: "One tenant range", command: "letsdata ranges view --cidrBlock 10.2.0.0/21" }],
    },
  }),
  "ranges.release": define({
    method: "POST",
    path: "/v1/ranges/release",
    summary: "End the rest of a freed range",
    description:
      "A freed range rests in quarantine before it is given out again; the operator can end that now.",
    access: "operator",
    tenantScoped: true,
    status: 200,
    params: none,
    query: z.object({ ...forTenant }),
    body: z.object({ cidrBlock: shape.cidrBlock.describe("The resting block") }),
    answer: shape.rangeUse,
    idempotent: false,
    command: {
      path: ["ranges", "release"],
      columns: ["cidrBlock", "state"],
      examples: [
        { what: "Give a block back at once", command: "letsdata ranges release --cidrBlock 10.2.0.0/25" },
      ],
    },
  }),
} as const;
