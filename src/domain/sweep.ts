/**
 * The words of the sweep: what the cloud shows under our installation's tags, what no dataset owns, what a
 * dataset lacks, and the report of both. Types only. Moments are epoch milliseconds, money is US dollars.
 */
import type { Cell } from "./model.ts";

/** What we make and tag. The same words name things in plans, costs and reports. */
export const THING_KINDS = [
  "vpc",
  "subnet",
  "internetGateway",
  "elasticIp",
  "natGateway",
  "routeTable",
  "gatewayEndpoint",
  "securityGroup",
  "cluster",
  "probe",
] as const;
export type ThingKind = (typeof THING_KINDS)[number];

/** One thing that bears our installation's tag. A tag that is not there is an empty text, or attempt 0. */
export interface TaggedThing {
  readonly kind: ThingKind;
  readonly id: string;
  readonly key: string;
  readonly datasetId: string;
  readonly tenantId: string;
  readonly attempt: number;
  readonly cell: Cell;
  /** The cloud's own word for its state, in lower case; empty where it has none. */
  readonly state: string;
}

/** What the store knows of a dataset that a tag names. */
export interface DatasetTrace {
  readonly name: string;
  readonly deleted: boolean;
}

/**
 * `orphan`: no dataset owns it. `duplicate`: its dataset has another thing in that place. `missing`: a
 * dataset should have it, and it is not there.
 */
export type FindingKind = "orphan" | "duplicate" | "missing";

/** What became of a finding. `reported`: nothing was tried. */
export type Outcome = "reported" | "kept" | "deleted" | "left" | "woken";

export interface Finding {
  readonly finding: FindingKind;
  readonly kind: ThingKind;
  readonly key: string;
  /** Null for what is missing. */
  readonly id: string | null;
  readonly cell: Cell;
  readonly datasetId: string;
  readonly datasetName: string | null;
  readonly tenantId: string;
  readonly reason: string;
  /** Null: no price is known for its region. */
  readonly monthlyUsd: number | null;
  /** Ours beyond doubt, and nobody's: a fix may delete it. */
  readonly removable: boolean;
  /** The network that is woken by a fix; null where none can help. */
  readonly networkId: string | null;
  readonly outcome: Outcome;
  /** What was done, or why it was not. */
  readonly message: string;
}

export interface SweptCell {
  readonly account: string;
  readonly region: string;
  /** How many things bear our tags there. */
  readonly things: number;
  /** Why it could not be looked at; null when it was. */
  readonly error: string | null;
}

export interface SweepReport {
  readonly cells: readonly SweptCell[];
  readonly findings: readonly Finding[];
  /** What the orphans and duplicates that are still there cost a month; null when no price is known. */
  readonly monthlyUsd: number | null;
  /** Some price is not known, so it is more. */
  readonly atLeast: boolean;
}

export const SWEEP_STATES = ["waiting", "running", "done", "failed"] as const;
export type SweepState = (typeof SWEEP_STATES)[number];

export interface Sweep {
  readonly id: string;
  readonly fix: boolean;
  /** Name of the key that asked; null for the daily one. */
  readonly askedBy: string | null;
  readonly askedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly state: SweepState;
  readonly error: string | null;
  /** Null before the first look; grows while it runs. */
  readonly report: SweepReport | null;
}
