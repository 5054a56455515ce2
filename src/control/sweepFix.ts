/**
 * Takes away what a sweep found to be ours and nobody's, cell by cell, by the teardown's own order: NAT gateways
 * and endpoints, addresses, gateway, groups, subnets, tables, VPC. Promises that no step is taken on anything
 * that is not among the removable findings; what it cannot take away within its time it names, with the reason.
 */
import type { Cloud, NetworkRef } from "../cloud/cloud.ts";
import { asFailure, type Failure } from "../domain/failure.ts";
import type { Cell, Clock, Condition } from "../domain/model.ts";
import type { Step } from "../domain/steps.ts";
import type { Finding } from "../domain/sweep.ts";
import { emptyWorld, type World } from "../domain/world.ts";
import { natHolds, ownClusters } from "../network/holders.ts";
import { ownProbes } from "../network/probe.ts";
import { Draft, type Move, Sight } from "../network/sight.ts";
import { teardown } from "../network/teardown.ts";

export interface FixDeps {
  readonly cloud: Cloud;
  readonly clock: Clock;
  readonly log: (line: Record<string, unknown>) => void;
  /** False once the lease is lost or the process stops: no further call. */
  readonly alive: () => boolean;
  readonly signal: AbortSignal;
}

/** What a NAT gateway and its addresses may need; the next sweep goes on from there. Milliseconds. */
const FIX_FOR_MS = 600_000;
const PAUSE_MS = 2_000;
/** AWS may refuse for a moment what it will allow; rounds in a row without any hope are enough. */
const HOPELESS_ROUNDS = 5;

/**
 * The same findings with what became of them; `told` hears of them after each round. Findings that are not
 * removable come back as they are.
 */
export async function removeOrphans(
  deps: FixDeps,
  findings: readonly Finding[],
  told: (findings: readonly Finding[]) => Promise<void>,
): Promise<readonly Finding[]> {
  const { clock, signal } = deps;
  const until = clock.now() + FIX_FOR_MS;
  const yards = yardsOf(findings.filter(({ removable }) => removable));
  let current = findings;
  for (let hopeless = 0; hopeless < HOPELESS_ROUNDS; ) {
    const rounds: Round[] = [];
    for (const yard of yards) rounds.push(await round(deps, yard));
    const left = new Map(rounds.flatMap((one) => [...one.left]));
    current = current.map((finding) => outcomeOf(finding, left));
    await told(current);
    if (left.size === 0 || clock.now() >= until) break;
    hopeless = rounds.some(({ hope }) => hope) ? 0 : hopeless + 1;
    await clock.sleep(PAUSE_MS, signal);
    if (!deps.alive()) break;
  }
  return current;
}

interface Round {
  /** What is still there, by id, with the reason. */
  readonly left: ReadonlyMap<string, string>;
  /** Something went, is going, or may be tried again. */
  readonly hope: boolean;
}

function outcomeOf(finding: Finding, left: ReadonlyMap<string, string>): Finding {
  if (!finding.removable || finding.id === null) return finding;
  const why = left.get(finding.id);
  if (why === undefined) return { ...finding, outcome: "deleted", message: "is deleted" };
  return { ...finding, outcome: "left", message: why };
}

/** What lies in one cell and belonged to one dataset. */
interface Yard {
  readonly cell: Cell;
  readonly ref: NetworkRef;
  readonly ids: ReadonlySet<string>;
}

function yardsOf(removable: readonly Finding[]): readonly Yard[] {
  const byPlace = Map.groupBy(removable, ({ cell, datasetId }) => `${cell.id} ${datasetId}`);
  return [...byPlace.values()].flatMap((found): Yard[] => {
    const [first] = found;
    if (!first) return [];
    const { cell, datasetId, tenantId, datasetName } = first;
    const hasCluster = found.some(({ kind }) => kind === "cluster");
    const hasProbe = found.some(({ kind }) => kind === "probe");
    // No VPC is named: only what bears our tags now is looked at.
    const named = { datasetName: datasetName ?? "", vpcIds: [] };
    const ref = { id: `sweep/${datasetId}`, tenantId, datasetId, ...named, hasCluster, hasProbe };
    return [{ cell, ref, ids: new Set(found.flatMap(({ id }) => id ?? [])) }];
  });
}

/** One look and the steps it allows. What it takes away is confirmed by the next look. */
async function round(deps: FixDeps, yard: Yard): Promise<Round> {
  try {
    const world = await look(deps, yard);
    const draft = new Draft();
    teardown({ sight: new Sight({ world, attempts: [], now: deps.clock.now(), windowMs: 0 }), draft });
    const ours = draft.moves.filter(({ step }) => isOurs(step, { yard, world }));
    const refusals = new Map<string, Failure>();
    for (const move of ours) await tryMove(deps, yard, { move, refusals });
    const going = [...world.natGateways, ...world.clusters].some(
      ({ id, state }) => state === "deleting" && yard.ids.has(id),
    );
    const leaving = world.probes.some(
      ({ id, updateState }) => updateState === "inprogress" && yard.ids.has(id),
    );
    const again = [...refusals.values()].some(({ code }) => code === "unavailable");
    return {
      left: reasons(yard, world, { conditions: draft.conditions, refusals }),
      hope: going || leaving || again || refusals.size < ours.length,
    };
  } catch (thrown) {
    const { message, code } = asFailure(thrown);
    return { left: new Map([...yard.ids].map((id) => [id, message])), hope: code === "unavailable" };
  }
}

async function look({ cloud, clock, signal }: FixDeps, { cell, ref }: Yard): Promise<World> {
  const worlds = await cloud.observe(cell, [ref], signal);
  return worlds.get(ref.id) ?? emptyWorld(clock.now());
}

/** One at a time: nobody waits for a sweep, and the networks of living datasets share the same rate limits. */
async function tryMove(
  { cloud, log, alive, signal }: FixDeps,
  { cell, ref }: Yard,
  { move, refusals }: { readonly move: Move; readonly refusals: Map<string, Failure> },
): Promise<void> {
  if (!alive()) return;
  const { step } = move;
  try {
    await cloud.apply(cell, { network: ref, step, attempt: 0, signal });
    log({ event: "swept", dataset: ref.datasetId, step: step.do, key: step.key, region: cell.region });
  } catch (thrown) {
    const failure = asFailure(thrown);
    const { code, message, detail } = failure;
    refusals.set(step.key, failure);
    log({ level: "warn", event: "sweep step failed", step: step.do, key: step.key, code, message, detail });
  }
}

/** Only what was found removable; and peerings and routes that end in it. */
function isOurs(step: Step, { yard: { ids }, world }: { yard: Yard; world: World }): boolean {
  switch (step.do) {
    case "deleteCluster":
      return ids.has(step.clusterArn);
    case "detachFunction":
    case "deleteProbe":
      return ids.has(step.functionArn);
    case "deleteEndpoint":
      return ids.has(step.endpointId);
    case "deleteNatGateway":
      return ids.has(step.natGatewayId);
    case "releaseAddress":
      return ids.has(step.allocationId);
    case "detachInternetGateway":
    case "deleteInternetGateway":
      return ids.has(step.gatewayId);
    case "deleteGroup":
      return ids.has(step.groupId);
    case "deleteSubnet":
      return ids.has(step.subnetId);
    case "deleteRouteTable":
    case "deleteRoute":
      return ids.has(step.tableId);
    case "deleteVpc":
      return ids.has(step.vpcId);
    case "rejectPeering":
    case "deletePeering":
      return world.peerings.some(({ id, vpcId }) => id === step.peeringId && ids.has(vpcId));
    default:
      return false;
  }
}

interface Told {
  readonly conditions: readonly Condition[];
  readonly refusals: ReadonlyMap<string, Failure>;
}

/** Everything of ours that this look still showed. */
function reasons({ ids }: Yard, world: World, { conditions, refusals }: Told): ReadonlyMap<string, string> {
  const left = new Map<string, string>();
  for (const { id, key } of shown(world)) {
    if (!ids.has(id)) continue;
    const condition = conditions.find((one) => one.id === id);
    left.set(id, refusals.get(key)?.message ?? condition?.message ?? "is still there");
  }
  return left;
}

function shown(world: World) {
  return [
    ...world.vpcs,
    ...world.subnets,
    ...world.internetGateways,
    ...world.addresses,
    ...world.natGateways.filter(natHolds),
    ...world.routeTables,
    ...world.endpoints,
    ...world.groups,
    ...ownClusters(world),
    ...ownProbes(world),
  ];
}
