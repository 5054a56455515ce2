/**
 * Who did what.
 */
import { z } from "zod";
import { define, none } from "./define.ts";
import * as shape from "./schemas.ts";

export const auditOperations = {
  "audit.list": define({
    method: "GET",
    path: "/v1/audit",
    summary: "List the audit records",
    description:
      "Who did what, when, with which key; the newest first. The operator sees the whole installation, or the tenant " +
      "that tenantName names.",
    access: "admin",
    tenantScoped: false,
    status: 200,
    params: none,
    query: z.object({
      tenantName: shape.tenantName
        .optional()
        .describe("Only this tenant's records (operator keys; default: all of the installation)"),
      ...shape.paging,
    }),
    body: null,
    answer: shape.page(shape.auditRecord),
    idempotent: false,
    command: {
      path: ["audit", "list"],
      columns: ["at", "keyName", "action", "subject"],
      examples: [{ what: "The last changes", command: "letsdata audit list --limit 20" }],
    },
  }),
} as const;
