/**
 * The port to a cloud: look, and take one step. The will (`control/`) knows this file and no provider.
 * Every method rejects with a `Failure` only: `unavailable` may be tried again, `conflict` and `notFound` ask
 * for a new look, `forbidden`, `exhausted` and `invalid` block and name what to do.
 */
import { Failure, type FailureNotes } from "../domain/failure.ts";
import type { Cell } from "../domain/model.ts";
import type { ProbeFindings, ProbeWish } from "../domain/probe.ts";
import type { Step } from "../domain/steps.ts";
import type { TaggedThing } from "../domain/sweep.ts";
import type { Kind, World } from "../domain/world.ts";

/** Which network to look for. `vpcIds` are those known from the journal, which may bear no visible tag yet. */
export interface NetworkRef {
  readonly id: string;
  readonly tenantId: string;
  readonly datasetId: string;
  readonly datasetName: string;
  readonly vpcIds: readonly string[];
  /** Whether a cluster is to be looked for; none when left out. */
  readonly hasCluster?: boolean;
  /** Whether the function that probes is to be looked for; not when left out. */
  readonly hasProbe?: boolean;
  /** The cluster's topic to look at; none when left out. */
  readonly topic?: string | undefined;
  /** Functions to look at; none when left out. */
  readonly functionArns?: readonly string[];
}

/** A network, and what of it is to be looked at. */
export interface LookAt extends NetworkRef {
  /** All kinds when left out. */
  readonly kinds?: readonly Kind[];
}

/** One step for one network. `attempt` names the try of a create: its token and tag follow from it. */
export interface StepCall {
  readonly network: NetworkRef;
  readonly step: Step;
  readonly attempt: number;
  /** Aborted: what still waits for its turn is not sent (`NotSent`); what was sent is waited for. */
  readonly signal?: AbortSignal;
  /** The turn a create has waited for already. */
  readonly turn?: Turn;
}

/** One call of the function that probes, which must be there. */
export interface ProbeCall {
  readonly network: NetworkRef;
  readonly wish: ProbeWish;
  readonly signal?: AbortSignal;
}

/** A place at the front of the cloud's rate limit, for one call; used up by it, and lost without harm. */
export interface Turn {
  /** What it is a turn for, in the provider's word. */
  readonly action: string;
}

/** The call's turn had not come when its signal was aborted: surely nothing was done. Says how long the wait is. */
export class NotSent extends Failure {
  constructor(message: string, notes: FailureNotes = {}) {
    super("conflict", message, notes);
    this.name = "NotSent";
  }
}

export interface Zone {
  readonly id: string;
  readonly name: string;
}

/** One quota of a cell, and what is allowed. */
export interface QuotaLimit {
  /** Our name of it, such as `elasticIps` or `natGatewaysPerZone/use1-az1`. */
  readonly name: string;
  /** The provider's code, name and page of it, for who has to raise it. */
  readonly code: string;
  readonly title: string;
  readonly link: string;
  /** Null when the provider does not tell. */
  readonly limit: number | null;
}

/** And what is used of it by whom. */
export interface QuotaUse extends QuotaLimit {
  readonly used: number;
  /** How much of that is whose, by dataset id. */
  readonly usedBy: ReadonlyMap<string, number>;
}

export interface QuotaQuestion {
  readonly zoneIds: readonly string[];
  /** Those of the cluster too. */
  readonly brokers: boolean;
}

/** How old the limits may be: a minute for who waits until they are raised. */
export type LimitsAge = "hour" | "minute";

export interface Cloud {
  /** The account the cell's credentials act for. */
  account(cell: Cell): Promise<string>;
  /** The available zones of type availability-zone, lowest id first. */
  zones(cell: Cell): Promise<readonly Zone[]>;
  /**
   * What the cloud shows of these networks: one paged describe a kind, however many networks. Kinds that were
   * not asked for are empty, with `lookedAt` 0. A network of which nothing is seen gets an empty world. Once the
   * signal is aborted no further read is sent: it rejects with `NotSent`.
   */
  observe(cell: Cell, networks: readonly LookAt[], signal?: AbortSignal): Promise<ReadonlyMap<string, World>>;
  /** Everything in the cell that bears our installation's tag, whichever network it belongs to, or none. */
  inventory(cell: Cell): Promise<readonly TaggedThing[]>;
  /** The quotas that such a network needs, counted now. */
  quotas(cell: Cell, asked: QuotaQuestion, age: LimitsAge): Promise<readonly QuotaUse[]>;
  /** What each network is allowed: `activePeeringsPerVpc`, `rulesPerGroup`, `routesPerTable`. */
  peeringLimits(cell: Cell, age: LimitsAge): Promise<readonly QuotaLimit[]>;
  /**
   * Waits until a create may be sent at once, so that the journal can be written between the wait, which may be
   * long, and the call. Rejects with `NotSent` when the call's signal is aborted.
   */
  turn(cell: Cell, call: StepCall): Promise<Turn>;
  /**
   * Makes the call; a create answers the new id, everything else null. A create that rejects with
   * `unavailable` may have been carried out: nobody knows. Every other rejection is a sure no.
   */
  apply(cell: Cell, call: StepCall): Promise<string | null>;
  /** Opens a connection from inside the network. `conflict` and `unavailable`: the function is not ready, or did not end. */
  probe(cell: Cell, call: ProbeCall): Promise<ProbeFindings>;
}
