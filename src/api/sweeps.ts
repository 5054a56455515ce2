/** The sweep: its last report, and a new one. */
import type { AnswerOf } from "../contract/operations.ts";
import { Failure } from "../domain/failure.ts";
import type { Finding, Sweep } from "../domain/sweep.ts";
import type { Handlers } from "./call.ts";
import { iso, isoOrNull } from "./moments.ts";

type View = AnswerOf<"sweep.view">;

export const sweepHandlers: Handlers<"sweep.run" | "sweep.view"> = {
  "sweep.run": async ({ intent }, { actor, body }) => sweepView(await intent.sweep(actor, body)),

  async "sweep.view"({ store }) {
    const last = await store.sweeps.last();
    if (last) return sweepView(last);
    throw new Failure("notFound", "There was no sweep yet", { hint: "Run one: letsdata sweep" });
  },
};

function sweepView(sweep: Sweep): View {
  const { report } = sweep;
  const findings = report?.findings ?? [];
  return {
    sweepId: sweep.id,
    state: sweep.state,
    fix: sweep.fix,
    askedBy: sweep.askedBy,
    askedDatetime: iso(sweep.askedAt),
    startedDatetime: isoOrNull(sweep.startedAt),
    endedDatetime: isoOrNull(sweep.endedAt),
    statusReason: statusReason(sweep),
    orphans: findings.filter(({ finding, outcome }) => finding !== "missing" && outcome !== "deleted").length,
    missing: findings.filter(({ finding }) => finding === "missing").length,
    monthlyUsd: report?.monthlyUsd ?? (report ? null : 0),
    atLeast: report?.atLeast ?? false,
    cells: (report?.cells ?? []).map((cell) => ({ ...cell })),
    findings: findings.map(findingView),
  };
}

function statusReason({ state, error, fix, report }: Sweep): string | null {
  if (error !== null) return error;
  if (state === "waiting") return "waits for a process that sweeps";
  if (state === "running") return fix && report ? "takes away what is left over" : "looks at the cloud";
  const unseen = (report?.cells ?? []).filter((cell) => cell.error !== null);
  return unseen.length === 0
    ? null
    : `could not look at ${unseen.map(({ region, error: why }) => `${region} (${why})`).join(", ")}`;
}

function findingView(finding: Finding): View["findings"][number] {
  const { kind, cell, tenantId: _, networkId: __, ...rest } = finding;
  return { ...rest, resource: kind, region: cell.region, account: cell.account };
}
