/**
 * The port to a cloud: look, and take one step. The will (`control/`) knows this file and no provider.
 * Every method rejects with a `Failure` only: `unavailable` may be tried again, `conflict` and `notFound` ask
 * for a new look, `forbidden`, `exhausted` and `invalid` block and name what to do.
 */
import type { Cell } from "../domain/model.ts";
import type { Step, World } from "../domain/world.ts";

/** Which network to look for. `vpcIds` are those known from the journal, which may bear no visible tag yet. */
export interface NetworkRef {
  readonly id: string;
  readonly tenantId: string;
  readonly datasetId: string;
  readonly datasetName: string;
  readonly vpcIds: readonly string[];
}

/** One step for one network. `attempt` names the try of a create: its token and tag follow from it. */
export interface StepCall {
  readonly network: NetworkRef;
  readonly step: Step;
  readonly attempt: number;
}

export interface Zone {
  readonly id: string;
  readonly name: string;
}

export interface Cloud {
  /** The account the cell's credentials act for. */
  account(cell: Cell): Promise<string>;
  /** The available zones of type availability-zone, lowest id first. */
  zones(cell: Cell): Promise<readonly Zone[]>;
  /**
   * Everything the cloud shows of these networks: one paged describe a kind, however many networks.
   * A network of which nothing is seen gets an empty world.
   */
  observe(cell: Cell, networks: readonly NetworkRef[]): Promise<ReadonlyMap<string, World>>;
  /**
   * Makes the call; a create answers the new id, everything else null. A create that rejects with
   * `unavailable` may have been carried out: nobody knows. Every other rejection is a sure no.
   */
  apply(cell: Cell, call: StepCall): Promise<string | null>;
}
