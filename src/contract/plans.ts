/**
 * The shapes of looking ahead: what a dataset will be and cost before it is made, what it costs now, and what
 * still has to go while it is deleted. Money is US dollars at list prices for hours; traffic is not in it.
 */
import { z } from "zod";

const moment = z.string().meta({ format: "date-time", examples: ["2026-11-23T10:00:00.000Z"] });

const money = z.number().nullable();

export const cost = z
  .object({
    monthlyUsd: money.describe("Dollars for 730 hours, without traffic; null: no price is known"),
    atLeast: z.boolean().describe("Some price is unknown, so it is more than that"),
    parts: z.array(
      z.object({
        resource: z.string(),
        count: z.number().int(),
        hourlyUsd: money.describe("For one of them; null: unknown"),
        monthlyUsd: money.describe("For all of them; null: unknown"),
      }),
    ),
    pricesDate: z.string().describe("Day of the price table, YYYY-MM-DD"),
    region: z.string(),
  })
  .meta({ id: "Cost" });

export const deleteStep = z
  .object({
    order: z.number().int().describe("Steps of the same number go side by side"),
    resource: z.string().describe("The resource's key in the network, such as nat/1"),
    id: z.string().nullable().describe("The id AWS gave it"),
    state: z
      .enum(["waiting", "blocked", "deleting", "gone"])
      .describe(
        "waiting: something of the network is in the way; blocked: somebody has to do something first; " +
          "deleting: it is being taken away; gone: nothing of it is left",
      ),
    blockedBy: z.array(z.string()).describe("Resources that have to be gone first"),
    whoseMove: z.enum(["letsdata", "aws", "operator", "customer"]),
    usualSeconds: z.number().nullable().describe("How long this usually takes"),
    since: moment.nullable().describe("Since when it stands so"),
    message: z.string().describe("Where it stands; begins with `longer than usual` when it is late"),
    hint: z.string().nullable().describe("What to do"),
    late: z.boolean().describe("It takes longer than it may; the log says so too"),
  })
  .meta({ id: "DeleteStep" });

export const datasetPlan = z
  .object({
    dryRun: z.literal(true),
    datasetName: z.string(),
    tenantName: z.string(),
    region: z.string(),
    ownerId: z.string().nullable().describe("The AWS account it would live in; null when it needs no VPC"),
    vpcSize: z.string().nullable(),
    cidrBlock: z.string().nullable().describe("The range it would get if it were created now"),
    tenantRange: z
      .object({
        cidrBlock: z.string(),
        isNew: z.boolean().describe("The tenant would get this /21 for it"),
      })
      .nullable(),
    subnets: z.array(z.object({ type: z.enum(["private", "public"]), cidrBlock: z.string() })),
    resources: z.array(z.object({ resource: z.string(), count: z.number().int() })),
    quotas: z
      .array(
        z.object({
          name: z.string(),
          service: z.string().describe("Its service in Service Quotas"),
          code: z.string().describe("Its code there"),
          needed: z.number().int(),
          per: z.enum(["region", "zone"]).describe("What it is counted by; it needs so many in each"),
        }),
      )
      .describe("The AWS quotas it would use up"),
    cost,
  })
  .meta({ id: "DatasetPlan" });
