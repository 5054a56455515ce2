/**
 * What to do next for one network: a pure function of the whole wish, the whole world and the journal. The
 * same call serves the first try, every retry, the repair of drift and the restart after a crash. Answers
 * only steps that can run now, side by side; the next pass sees their outcome and goes on.
 */
import type { Condition, Network } from "../domain/model.ts";
import type { Attempt, Tagged, World } from "../domain/world.ts";
import { build, natAlive } from "./build.ts";
import { buildCluster } from "./cluster.ts";
import { connect, type Verdict } from "./connect.ts";
import { desired } from "./desired.ts";
import { buildFunctions } from "./functions.ts";
import type { Hold } from "./peeringQuotas.ts";
import { buildProbe } from "./probe.ts";
import { Draft, type Move, Sight, stamped } from "./sight.ts";
import { holdsNothingBack } from "./status.ts";
import { teardown } from "./teardown.ts";
import { buildTopic } from "./topic.ts";

export interface PlanInput {
  readonly network: Network;
  readonly world: World;
  readonly attempts: readonly Attempt[];
  /** Conditions of the pass before: what stays the same keeps its `since`. */
  readonly previous: readonly Condition[];
  readonly now: number;
  /** The consistency window, milliseconds. */
  readonly windowMs: number;
  /** Peering connections that AWS's quotas hold up, by id; none when left out. */
  readonly holds?: ReadonlyMap<string, Hold>;
}

export interface Plan {
  readonly moves: readonly Move[];
  readonly conditions: readonly Condition[];
  readonly verdicts: readonly Verdict[];
  /** Everything that holds ACTIVE back is there. */
  readonly complete: boolean;
  /** Wanted absent, and nothing is left. */
  readonly gone: boolean;
}

export function plan(input: PlanInput): Plan {
  const { network, previous, now, holds = new Map() } = input;
  const sight = new Sight(input);
  const draft = new Draft();
  const verdicts: Verdict[] = [];
  const gone = network.want === "absent" && teardown({ sight, draft });
  if (network.want === "present" && network.layout) {
    const peers = connect({ network, sight, draft, verdicts, holds });
    const { layout } = network;
    build({ desired: desired(network.cidr, layout, peers), layout, sight, draft });
    const runs = { network, layout, sight, draft };
    const serves = buildCluster(runs);
    buildTopic(runs, previous);
    buildFunctions(runs, serves);
    buildProbe(runs);
    dropExtras(sight, draft);
  }
  const conditions = stamped(draft.conditions, previous, now);
  const complete =
    network.want === "present" && network.layout !== null && conditions.every(holdsNothingBack);
  return { moves: draft.moves, conditions, verdicts, complete, gone };
}

/** Of several things with the same key those that are not in use go, as soon as nothing is in them. */
function dropExtras(sight: Sight, draft: Draft): void {
  const { world } = sight;
  for (const { key, id } of extras(sight, world.vpcs)) draft.move({ do: "deleteVpc", key, vpcId: id });
  for (const { key, id, vpcId } of extras(sight, world.internetGateways))
    if (!vpcId) draft.move({ do: "deleteInternetGateway", key, gatewayId: id });
  for (const { key, id, associationId } of extras(sight, world.addresses))
    if (!associationId) draft.move({ do: "releaseAddress", key, allocationId: id });
  for (const { key, id } of extras(sight, world.natGateways.filter(natAlive)))
    draft.move({ do: "deleteNatGateway", key, natGatewayId: id });
  for (const { key, id, associations } of extras(
    sight,
    world.routeTables.filter(({ main }) => !main),
  ))
    if (associations.length === 0) draft.move({ do: "deleteRouteTable", key, tableId: id });
}

function extras<T extends Tagged>(sight: Sight, things: readonly T[]): readonly T[] {
  const byKey = Map.groupBy(things, ({ key }) => key);
  return [...byKey.values()].flatMap((same) => same.filter((thing) => thing !== sight.inUse(same)));
}
