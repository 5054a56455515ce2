/**
 * Wishes. Every change a caller can ask for is one transaction here: it checks, writes the wish and the audit
 * record, wakes the reconciler, and makes no call to any cloud. Promises: refused = nothing written.
 */
import { type ConnectorWishes, connectorWishes } from "./connectorWishes.ts";
import { type Datasets, datasets } from "./datasets.ts";
import { type PeeringDeps, type PeeringWishes, peeringWishes } from "./peeringWishes.ts";
import { type People, type PeopleDeps, people } from "./people.ts";
import { type ProbeDeps, type ProbeWishes, probeWishes } from "./probeWishes.ts";
import { type RehearsalDeps, type Rehearsals, rehearsals } from "./rehearsal.ts";
import { type SweepWishes, sweepWishes } from "./sweepWishes.ts";

export type { Actor, DatasetRequest, Once, PeeringName } from "./actor.ts";

export type Intent = People &
  Datasets &
  ConnectorWishes &
  PeeringWishes &
  ProbeWishes &
  Rehearsals &
  SweepWishes;

export function createIntent(deps: PeopleDeps & RehearsalDeps & PeeringDeps & ProbeDeps): Intent {
  return {
    ...people(deps),
    ...datasets(deps),
    ...connectorWishes(deps),
    ...peeringWishes(deps),
    ...probeWishes(deps),
    ...rehearsals(deps),
    ...sweepWishes(deps),
  };
}
