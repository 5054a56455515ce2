/**
 * The judgement of a sweep: from what the cloud shows under our tags and what the store wishes, to what nobody
 * owns and what somebody lacks. Pure. Promises that `removable` is said only of a thing whose dataset is
 * unknown or deleted and whose key is one of ours; whatever else looks wrong is told and left alone.
 */

import { cidr } from "../domain/cidr.ts";
import type { Network } from "../domain/model.ts";
import type { DatasetTrace, Finding, TaggedThing, ThingKind } from "../domain/sweep.ts";
import { type Attempt, emptyWorld, type World } from "../domain/world.ts";
import { monthly } from "./cost.ts";
import { type Expected, expectedThings, extrasOf } from "./footprint.ts";
import { layout, ZONE_COUNT } from "./layout.ts";
import { hourlyPrice, type PriceTable } from "./prices.ts";
import { inUse } from "./sight.ts";

/** A network that is wished for or not yet gone. */
export interface LivingNetwork {
  readonly network: Network;
  readonly attempts: readonly Attempt[];
  /** What its own pass knows of it; needed where something is there twice (`datasetsWithTwins`). */
  readonly world: World | null;
}

export interface SweepInput {
  readonly things: readonly TaggedThing[];
  readonly living: readonly LivingNetwork[];
  /** By dataset id; what is not here was never ours. */
  readonly traces: ReadonlyMap<string, DatasetTrace>;
  /** Cells that were looked at: nothing is missing where nobody looked. */
  readonly lookedAt: ReadonlySet<string>;
  readonly prices: PriceTable;
  readonly now: number;
  /** How long AWS may hide what it has made, milliseconds. */
  readonly windowMs: number;
}

export function judgeSweep(input: SweepInput): readonly Finding[] {
  const byDataset = Map.groupBy(input.things, ({ datasetId }) => datasetId);
  const owned = input.living.map(
    (one): Owned => ({ ...one, things: byDataset.get(one.network.datasetId) ?? [] }),
  );
  const owners = new Set(owned.map(({ network }) => network.datasetId));
  return [
    ...input.things.filter(({ datasetId }) => !owners.has(datasetId)).map((thing) => orphan(input, thing)),
    ...owned.flatMap((one) => one.things.flatMap((thing) => misfit(input, thing, one) ?? [])),
    ...owned.flatMap((one) => lacking(input, one)),
  ];
}

/** A network with everything that bears its dataset's tag, wherever it is. */
interface Owned extends LivingNetwork {
  readonly things: readonly TaggedThing[];
}

/** True for a key that some dataset's network has. */
export function knownKey(kind: TaggedThing["kind"], key: string): boolean {
  return ANY_NETWORK.some((thing) => thing.kind === kind && thing.key === key);
}

const ANY_RANGE = cidr("10.0.0.0/25");
const ANY_NETWORK = expectedThings(
  ANY_RANGE,
  layout({
    cidr: ANY_RANGE,
    size: "small",
    zoneIds: Array.from({ length: ZONE_COUNT }, (_, index) => `zone ${index}`),
  }),
  { cluster: true, probe: true },
);

/** A NAT gateway that failed or is going does its work no longer; it goes by itself. */
function works({ state }: TaggedThing): boolean {
  return state !== "deleting" && state !== "failed";
}

function orphan(input: SweepInput, thing: TaggedThing): Finding {
  const trace = input.traces.get(thing.datasetId);
  const known = knownKey(thing.kind, thing.key);
  const dead = thing.datasetId !== "" && (trace === undefined || trace.deleted);
  const reason = !thing.datasetId
    ? "bears our installation's tag and no dataset's"
    : trace === undefined
      ? `no dataset has the id ${thing.datasetId}`
      : trace.deleted
        ? `its dataset ${trace.name} was deleted`
        : `its dataset ${trace.name} has no network`;
  const doubt = known ? "" : `; its key "${thing.key}" is none of ours`;
  return { ...about(input, thing), finding: "orphan", reason: `${reason}${doubt}`, removable: dead && known };
}

/** What is wrong with a thing of a living dataset; null when nothing is. */
function misfit(input: SweepInput, thing: TaggedThing, owned: Owned): Finding | null {
  const { network } = owned;
  if (network.want === "absent" || !works(thing)) return null;
  const found = { ...about(input, thing), removable: false } as const;
  const { region } = network.cell;
  if (thing.cell.id !== network.cell.id)
    return { ...found, finding: "orphan", reason: `its dataset's network is in ${region}, and it is not` };
  if (!knownKey(thing.kind, thing.key))
    return { ...found, finding: "orphan", reason: `its key "${thing.key}" is none of ours` };
  const used = usedOf(owned, thing);
  if (used.id === thing.id) return null;
  const reason = `${used.id} has its place (${thing.key})`;
  return { ...found, finding: "duplicate", reason, networkId: network.id };
}

/** Of several things in one place the one that the network's own pass keeps: there is one judgement. */
function usedOf({ things, attempts, world }: Owned, thing: TaggedThing): TaggedThing {
  const rivals = things.filter((other) => placeOf(other) === placeOf(thing) && works(other));
  return inUse({ world: world ?? emptyWorld(0), attempts }, rivals) ?? thing;
}

function placeOf({ datasetId, cell, kind, key }: TaggedThing): string {
  return JSON.stringify([datasetId, cell.id, kind, key]);
}

/** Datasets of which two things are in one place: only to judge these their worlds are needed. */
export function datasetsWithTwins(things: readonly TaggedThing[]): ReadonlySet<string> {
  const rivals = [...Map.groupBy(things, placeOf).values()].filter((same) => same.length > 1);
  return new Set(rivals.flatMap((same) => same.map(({ datasetId }) => datasetId)));
}

/** A network that was complete once must have everything; one that is being made is the reconciler's alone. */
function lacking(input: SweepInput, { network, attempts, things }: Owned): readonly Finding[] {
  const { want, readyAt, layout: cut, cell } = network;
  if (want === "absent" || readyAt === null || cut === null || !input.lookedAt.has(cell.id)) return [];
  return expectedThings(network.cidr, cut, extrasOf(network)).flatMap((one) => {
    const there = things.some(
      (thing) =>
        thing.cell.id === cell.id && thing.kind === one.kind && thing.key === one.key && works(thing),
    );
    const onItsWay = attempts.some(
      ({ key, at, closedAt }) => key === one.key && closedAt === null && input.now - at < input.windowMs,
    );
    return there || onItsWay ? [] : [missing(input, network, one)];
  });
}

function missing({ prices }: SweepInput, network: Network, { kind, key }: Expected): Finding {
  const { cell, datasetId, datasetName, tenantId, id: networkId } = network;
  return {
    finding: "missing",
    kind,
    key,
    id: null,
    cell,
    datasetId,
    datasetName,
    tenantId,
    reason: `dataset ${datasetName} should have it, and nothing with its tags is there`,
    monthlyUsd: price(prices, cell.region, kind),
    removable: false,
    networkId,
    ...UNTOUCHED,
  };
}

const UNTOUCHED = { outcome: "reported", message: "nothing was done" } as const;

function about({ traces, prices }: SweepInput, thing: TaggedThing): Omit<Finding, "finding" | "reason"> {
  const { kind, key, id, cell, datasetId, tenantId } = thing;
  return {
    kind,
    key,
    id,
    cell,
    datasetId,
    datasetName: traces.get(datasetId)?.name ?? null,
    tenantId,
    monthlyUsd: price(prices, cell.region, kind),
    removable: false,
    networkId: null,
    ...UNTOUCHED,
  };
}

function price(prices: PriceTable, region: string, kind: ThingKind): number | null {
  // By its tags alone nobody knows what brokers it has.
  if (kind === "cluster") return null;
  // It is paid for while it runs: https://aws.amazon.com/lambda/pricing/
  if (kind === "probe") return 0;
  const hourly = hourlyPrice(prices, region, kind);
  return hourly === null ? null : monthly(hourly);
}
