/**
 * What goes when a dataset is deleted, in which order, and what is in the way now: the teardown's own waves,
 * told from the last look and the last pass. Pure. A step that takes longer than it may says so.
 *
 *   0 the cloud itself ▶ 1 peerings, function/*, probe ▶ 2 cluster, endpoint, nat/* ▶ 3 eip/*, igw
 *     ▶ 4 interfaces of others, and those that function and cluster leave ▶ 5 group/*, subnet/* ▶ 6 table/* ▶ 7 vpc
 */
import type { Condition, Network } from "../domain/model.ts";
import type { World } from "../domain/world.ts";
import { expectedThings, extrasOf } from "./footprint.ts";
import {
  type Holder,
  holdersOfAddress,
  holdersOfCluster,
  holdersOfGateway,
  holdersOfGroup,
  holdersOfInterface,
  holdersOfSubnet,
  holdersOfTable,
  holdersOfVpc,
} from "./holders.ts";
import { Draft, Sight } from "./sight.ts";
import { teardown } from "./teardown.ts";

/**
 * `waiting`: something of the network is still in the way. `blocked`: somebody has to do something first.
 * `deleting`: it is being taken away. `gone`: nothing shows it any more.
 */
export type DeleteState = "waiting" | "blocked" | "deleting" | "gone";

export interface DeleteRow {
  /** Equal numbers go side by side. */
  readonly order: number;
  readonly resource: string;
  readonly id: string | null;
  readonly state: DeleteState;
  /** Resources that must be gone first. */
  readonly blockedBy: readonly string[];
  readonly actor: Condition["actor"];
  readonly usualSeconds: number | null;
  /** Since when it stands so; null for what is gone. */
  readonly since: number | null;
  readonly message: string;
  readonly hint: string | null;
  /** It takes longer than it may. */
  readonly late: boolean;
}

export interface DeletePlanInput {
  readonly network: Network;
  /** The last look; null before the first. */
  readonly world: World | null;
  readonly conditions: readonly Condition[];
  /** When the look behind world and conditions began. */
  readonly observedAt: number | null;
  /** When the deletion was asked for. */
  readonly askedAt: number;
  readonly now: number;
}

export function deletePlan(input: DeletePlanInput): readonly DeleteRow[] {
  const told = toldRows(input);
  const names = new Set(told.map(({ resource }) => resource));
  const { network } = input;
  const expected =
    input.world && network.layout ? expectedThings(network.cidr, network.layout, extrasOf(network)) : [];
  const gone = expected.filter(({ key }) => !names.has(key)).map(({ key }) => goneRow(key));
  return [...told, ...gone].sort((a, b) => a.order - b.order || BY_NUMBER.compare(a.resource, b.resource));
}

const BY_NUMBER = new Intl.Collator("en", { numeric: true });

/** From the last pass; before there was one since the deletion was asked for, what it will find. */
function toldRows(input: DeletePlanInput): readonly DeleteRow[] {
  const { world, conditions, observedAt, askedAt } = input;
  const isFresh = observedAt !== null && observedAt >= askedAt;
  const ahead = world ? thought(world, askedAt) : [];
  const passed = conditions.filter(({ state, resource }) =>
    isFresh ? state !== "ready" : resource === "cloud",
  );
  return (isFresh ? passed : [...passed, ...ahead]).map((condition) => rowOf(condition, input));
}

function thought(world: World, askedAt: number): readonly Condition[] {
  const draft = new Draft();
  const sight = new Sight({ world, attempts: [], now: askedAt, windowMs: 0 });
  teardown({ sight, draft });
  return draft.conditions.map((condition) => ({ ...condition, since: askedAt }));
}

function rowOf(condition: Condition, input: DeletePlanInput): DeleteRow {
  const { resource, id, actor, usualSeconds, since, hint } = condition;
  const row = {
    order: orderOf(resource),
    resource,
    id,
    state: condition.state === "ready" ? ("deleting" as const) : condition.state,
    blockedBy: input.world ? holders(input.world, condition).map((holder) => holder.resource) : [],
    actor,
    usualSeconds,
    since,
    message: condition.message,
    hint,
    late: false,
  };
  return timed(row, since, input);
}

function goneRow(resource: string): DeleteRow {
  return {
    order: orderOf(resource),
    resource,
    id: null,
    state: "gone",
    blockedBy: [],
    actor: "letsdata",
    usualSeconds: null,
    since: null,
    message: "nothing of it is left",
    hint: null,
    late: false,
  };
}

function holders(world: World, { resource, id }: Condition): readonly Holder[] {
  const ours = (thing: { readonly key: string; readonly id: string }) =>
    thing.key === resource && thing.id === id;
  return [
    ...world.clusters.filter(ours).flatMap(() => holdersOfCluster(world)),
    ...world.addresses.filter(ours).flatMap((one) => holdersOfAddress(world, one)),
    ...world.internetGateways.filter(ours).flatMap((one) => holdersOfGateway(world, one)),
    ...world.groups.filter(ours).flatMap((one) => holdersOfGroup(world, one)),
    ...world.subnets.filter(ours).flatMap((one) => holdersOfSubnet(world, one)),
    ...world.routeTables.filter(ours).flatMap((one) => holdersOfTable(world, one)),
    ...world.interfaces.filter((one) => one.id === id).flatMap((one) => holdersOfInterface(world, one)),
    ...world.vpcs.filter(ours).flatMap((one) => holdersOfVpc(world, one)),
  ];
}

interface Kind {
  readonly order: number;
  readonly is: RegExp;
  /** How long it may take once nothing is in its way, seconds; then it says so. */
  readonly deadline: number;
  readonly advice?: (id: string) => string;
}

const natAdvice = (id: string) =>
  `AWS deletes a NAT gateway within minutes: if ${id} stays so, open a case with AWS Support.`;
const functionAdvice = (id: string) =>
  `See what AWS says of it: aws lambda get-function-configuration --function-name ${id}`;
const clusterAdvice = (id: string) =>
  `See what AWS says of it: aws kafka describe-cluster-v2 --cluster-arn ${id}`;
/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html */
const interfaceAdvice = (id: string) =>
  "Interfaces of Lambda functions go within 20 minutes, seldom more than 35. See what uses it: " +
  `aws ec2 describe-network-interfaces --network-interface-ids ${id}`;

const KINDS: readonly Kind[] = [
  { order: 0, is: /^cloud$/, deadline: 600 },
  { order: 1, is: /^peering\//, deadline: 300 },
  { order: 1, is: /^(function\/|probe$)/, deadline: 900, advice: functionAdvice },
  { order: 2, is: /^cluster$/, deadline: 7_200, advice: clusterAdvice },
  { order: 2, is: /^endpoint\//, deadline: 300 },
  { order: 2, is: /^nat\//, deadline: 600, advice: natAdvice },
  { order: 3, is: /^(eip\/|igw$)/, deadline: 600 },
  { order: 4, is: /^interface\//, deadline: 2_700, advice: interfaceAdvice },
  { order: 5, is: /^(group|subnet)\//, deadline: 600 },
  { order: 6, is: /^table\//, deadline: 600 },
  { order: 7, is: /^vpc$/, deadline: 600 },
];
const OTHER: Kind = { order: 7, is: /^/, deadline: 600 };

/** The whole of it: when even the slowest interfaces are long gone. */
const WHOLE_SECONDS = 7_200;

function kindOf(resource: string): Kind {
  return KINDS.find(({ is }) => is.test(resource)) ?? OTHER;
}

function orderOf(resource: string): number {
  return kindOf(resource).order;
}

/** What waits for others is not late: what it waits for may be. The VPC, which goes last, tells for the whole. */
function timed(row: DeleteRow, since: number, { now, askedAt }: DeletePlanInput): DeleteRow {
  const { deadline, advice } = kindOf(row.resource);
  const whole = row.resource === "vpc" && now - askedAt > WHOLE_SECONDS * 1000;
  const own = row.state !== "waiting" && now - since > deadline * 1000;
  if (!whole && !own) return row;
  const [spent, most] = whole ? [now - askedAt, WHOLE_SECONDS] : [now - since, deadline];
  const about = whole ? "the whole deletion has taken" : "it has taken";
  return {
    ...row,
    message: `longer than usual: ${row.message}; ${about} ${minutes(spent / 1000)}, and ${minutes(most)} should be enough`,
    hint: row.hint ?? advice?.(row.id ?? row.resource) ?? null,
    late: true,
  };
}

function minutes(seconds: number): string {
  const whole = Math.floor(seconds / 60);
  const rest = whole % 60 === 0 ? "" : ` ${whole % 60} min`;
  return whole < 120 ? `${whole} min` : `${Math.floor(whole / 60)} h${rest}`;
}
