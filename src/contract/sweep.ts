/**
 * The sweep: what is in the cloud under our tags and belongs to nobody, and what a dataset lacks.
 */
import { z } from "zod";
import { define, none } from "./define.ts";

const moment = z.string().meta({ format: "date-time", examples: ["2026-11-23T10:00:00.000Z"] });

const finding = z
  .object({
    finding: z
      .enum(["orphan", "duplicate", "missing"])
      .describe(
        "orphan: no dataset owns it; duplicate: its dataset has another in that place; missing: not there",
      ),
    resource: z.string().describe("What it is, such as natGateway"),
    key: z.string().describe("Its key in a dataset's network, such as nat/1"),
    id: z.string().nullable().describe("The id AWS gave it; null for what is missing"),
    region: z.string(),
    account: z.string(),
    datasetId: z.string(),
    datasetName: z.string().nullable().describe("null: no dataset of that id is known"),
    reason: z.string(),
    monthlyUsd: z
      .number()
      .nullable()
      .describe("What it costs a month, or will when it is back; null: unknown"),
    removable: z.boolean().describe("Ours beyond doubt and nobody's: --fix deletes it"),
    outcome: z
      .enum(["reported", "kept", "deleted", "left", "woken"])
      .describe(
        "reported: nothing was tried; kept: --fix leaves it alone; left: still to go; " +
          "woken: its dataset's network is looked after at once",
      ),
    message: z.string(),
  })
  .meta({ id: "SweepFinding" });

export const sweep = z
  .object({
    sweepId: z.string(),
    state: z.enum(["waiting", "running", "done", "failed"]),
    fix: z.boolean(),
    askedBy: z.string().nullable().describe("Name of the key; null: the daily sweep"),
    askedDatetime: moment,
    startedDatetime: moment.nullable(),
    endedDatetime: moment.nullable(),
    statusReason: z.string().nullable().describe("Why it failed, or what it does"),
    orphans: z.number().int().describe("Orphans and duplicates that are still there"),
    missing: z.number().int(),
    monthlyUsd: z.number().nullable().describe("What those still there cost a month; null: unknown"),
    atLeast: z.boolean().describe("Some price is unknown, so it is more than that"),
    cells: z.array(
      z.object({
        account: z.string(),
        region: z.string(),
        things: z.number().int().describe("How many things bear our tags there"),
        error: z.string().nullable().describe("Why it could not be looked at"),
      }),
    ),
    findings: z.array(finding),
  })
  .meta({ id: "Sweep" });

const columns = ["state", "fix", "orphans", "missing", "monthlyUsd", "endedDatetime", "statusReason"];

export const sweepOperations = {
  "sweep.run": define({
    method: "POST",
    path: "/v1/sweep",
    summary: "Look for what belongs to nobody, and for what is missing",
    description:
      "Looks at everything under this installation's tags, in every region in use, and compares it with the " +
      "datasets. `--fix` deletes what is ours beyond doubt (our tag, a known key, a dataset that is deleted or " +
      "unknown) and wakes the networks that lack something; nothing else is touched. After an older database was " +
      "restored, datasets made since are unknown to it: look at the report first. The answer waits 20 s for the " +
      "report, `--wait` longer. `letsdata sweep` is short for it. It also runs by itself once a day, reporting only.",
    access: "operator",
    tenantScoped: false,
    status: 202,
    params: none,
    query: none,
    body: z.object({
      fix: z.boolean().default(false).describe("Delete the removable orphans, wake what lacks something"),
    }),
    answer: sweep,
    idempotent: false,
    command: {
      path: ["sweep", "run"],
      short: true,
      columns,
      examples: [
        { what: "What is left over, what is missing, and what it costs", command: "letsdata sweep" },
        { what: "Put it right, and stay until it is done", command: "letsdata sweep --fix --wait" },
      ],
      wait: {
        operation: "sweep.view",
        field: "state",
        done: ["done"],
        failed: ["failed"],
        defaultTimeoutSeconds: 1200,
      },
    },
  }),
  "sweep.view": define({
    method: "GET",
    path: "/v1/sweep",
    summary: "Show the report of the last sweep",
    description:
      "The one that was asked for last, or the daily one; while it runs, what it has found so far.",
    access: "operator",
    tenantScoped: false,
    status: 200,
    params: none,
    query: none,
    body: null,
    answer: sweep,
    idempotent: false,
    command: {
      path: ["sweep", "view"],
      columns,
      examples: [{ what: "The last report", command: "letsdata sweep view" }],
    },
  }),
} as const;
