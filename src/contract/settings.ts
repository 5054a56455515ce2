/**
 * What the operator sets for the whole installation.
 */
import { z } from "zod";
import { define, none } from "./define.ts";
import * as shape from "./schemas.ts";

export const settingsOperations = {
  "settings.view": define({
    method: "GET",
    path: "/v1/settings",
    summary: "Show the settings of the installation",
    description: "Address space, excluded blocks, zones, quarantine and limits.",
    access: "operator",
    tenantScoped: false,
    status: 200,
    params: none,
    query: none,
    body: null,
    answer: shape.settings,
    idempotent: false,
    command: {
      path: ["settings", "view"],
      columns: [
        "addressSpace",
        "excludedCidrs",
        "excludedZoneIds",
        "quarantineSeconds",
        "defaultTenantRangeLimit",
      ],
      examples: [{ what: "All settings", command: "letsdata settings view" }],
    },
  }),
  "settings.update": define({
    method: "PATCH",
    path: "/v1/settings",
    summary: "Change the settings of the installation",
    description: "What is given replaces what was set; ranges in use stay where they are.",
    access: "operator",
    tenantScoped: false,
    status: 200,
    params: none,
    query: none,
    body: z.object({
      addressSpace: z.array(shape.cidrBlock).min(1).optional().describe("Pools that tenant ranges come from"),
      excludedCidrs: z.array(shape.cidrBlock).optional().describe("Blocks that nobody gets"),
      excludedZoneIds: z
        .array(z.string().regex(/^[a-z0-9]+-az\d+$/, "must be an availability zone id such as use1-az3"))
        .optional()
        .describe("Availability zone ids that are not used"),
      quarantineSeconds: z.coerce
        .number()
        .int()
        .min(0)
        .max(2_592_000)
        .optional()
        .describe("How long a freed range rests"),
      defaultTenantRangeLimit: z.coerce
        .number()
        .int()
        .min(1)
        .max(512)
        .optional()
        .describe("How many /21 ranges a new tenant may own"),
    }),
    answer: shape.settings,
    idempotent: false,
    command: {
      path: ["settings", "update"],
      columns: [
        "addressSpace",
        "excludedCidrs",
        "excludedZoneIds",
        "quarantineSeconds",
        "defaultTenantRangeLimit",
      ],
      examples: [
        {
          what: "Let freed ranges rest for a day",
          command: "letsdata settings update --quarantineSeconds 86400",
        },
      ],
    },
  }),
} as const;
