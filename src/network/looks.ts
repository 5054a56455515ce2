/**
 * What to look at again, and how a partial look joins what is known. Looking at everything in each pass would
 * cost more calls than all the changes; so a kind is looked at when it was changed by a step, when AWS is at
 * work on it, when somebody asks for a fresh look, or when it was not looked at for a while. Promises that the
 * thinking never works on a kind that a step of ours has touched since it was looked at.
 */
import type { SeenCluster } from "../domain/connector.ts";
import type { Condition } from "../domain/model.ts";
import type { Step } from "../domain/steps.ts";
import { KINDS, type Kind, type World } from "../domain/world.ts";
import type { Move } from "./sight.ts";

export interface LookQuestion {
  /** What is known; null before the first look. */
  readonly world: World | null;
  readonly conditions: readonly Condition[];
  readonly now: number;
  /** Somebody wants to see nothing older than this. */
  readonly freshAfter: number;
  /** What was looked at longer ago than this is looked at again, milliseconds. */
  readonly oldMs: number;
}

/** The kinds this pass must look at; all of them before the first look. */
export function dueKinds({ world, conditions, now, freshAfter, oldMs }: LookQuestion): readonly Kind[] {
  if (!world) return KINDS;
  const atWork = new Set(conditions.filter(isAtWork).map(({ resource }) => kindOfKey(resource)));
  const due = KINDS.filter((kind) => {
    const looked = world.lookedAt[kind];
    return looked === 0 || looked < freshAfter || now - looked >= oldMs || atWork.has(kind);
  });
  // A topic is asked for by the cluster that has it: what is not there is told from what cannot be asked.
  return due.includes("topics") && !due.includes("clusters") ? [...due, "clusters"] : due;
}

/** AWS may change it any moment, or somebody is asked to. */
function isAtWork({ state, actor }: Condition): boolean {
  return state === "blocked" || (actor === "aws" && state !== "ready");
}

const KIND_OF_KEY: Readonly<Record<string, Kind>> = {
  vpc: "vpcs",
  subnet: "subnets",
  igw: "internetGateways",
  eip: "addresses",
  nat: "natGateways",
  table: "routeTables",
  endpoint: "endpoints",
  group: "groups",
  acl: "acls",
  peering: "peerings",
  interface: "interfaces",
  cluster: "clusters",
  topic: "topics",
  function: "functions",
  probe: "probes",
};

/** The kind of a resource's key, `nat/1` for one; undefined for a key that is no resource, such as `cloud`. */
export function kindOfKey(key: string): Kind | undefined {
  return KIND_OF_KEY[key.split("/")[0] ?? ""];
}

/** What a step changes beside its own kind. A group, an ACL and a main table come and go with their VPC. */
const ALSO: Partial<Record<Step["do"], readonly Kind[]>> = {
  createVpc: ["groups", "acls"],
  deleteNatGateway: ["addresses", "interfaces"],
  deleteSubnet: ["routeTables"],
  deleteVpc: ["groups", "acls", "peerings"],
  createCluster: ["interfaces"],
  attachFunction: ["interfaces"],
  detachFunction: ["interfaces"],
  createProbe: ["interfaces"],
  configureProbe: ["interfaces"],
  deleteProbe: ["interfaces"],
};

/** What hangs on a thing, and changes when it goes. */
const FOLLOWS: Partial<Record<Kind, readonly Kind[]>> = {
  natGateways: ["addresses", "interfaces", "routeTables"],
  interfaces: ["subnets", "groups"],
  peerings: ["routeTables"],
  vpcs: ["groups", "acls"],
  clusters: ["interfaces", "subnets"],
  probes: ["interfaces", "subnets"],
};

/** The world with what these steps touch marked as no longer known. */
export function touched(world: World, moves: readonly Move[]): World {
  const kinds = moves.flatMap(({ step }) => [kindOfKey(step.key), ...(ALSO[step.do] ?? [])]);
  return forgotten(world, new Set(kinds));
}

function forgotten(world: World, kinds: ReadonlySet<Kind | undefined>): World {
  const entries = KINDS.map((kind) => [kind, kinds.has(kind) ? 0 : world.lookedAt[kind]]);
  return { ...world, lookedAt: Object.fromEntries(entries) as World["lookedAt"] };
}

/** The fresh kinds over the known ones; what hangs on a thing that went is looked at next. */
export function joined(known: World, fresh: World, kinds: readonly Kind[]): World {
  const seen = { ...fresh, clusters: fresh.clusters.map((one) => detailed(one, known)) };
  const looked = Object.fromEntries(kinds.map((kind) => [kind, seen[kind]]));
  const lookedAt = { ...known.lookedAt, ...Object.fromEntries(kinds.map((kind) => [kind, fresh.at])) };
  const whole: World = { ...known, ...looked, at: fresh.at, lookedAt };
  const lost = kinds.filter((kind) => living(known, kind).some((id) => !living(fresh, kind).includes(id)));
  const follow = lost.flatMap((kind) => FOLLOWS[kind] ?? []).filter((kind) => !kinds.includes(kind));
  return forgotten(whole, new Set(follow));
}

/** What was known of a cluster beyond the list stands until it is asked for again: few are asked for in one look. */
function detailed(cluster: SeenCluster, { clusters }: World): SeenCluster {
  const before = clusters.find(({ id }) => id === cluster.id);
  if (!before || Object.values(cluster.bootstrap).some((text) => text !== null)) return cluster;
  const { bootstrap, brokers, upgrades } = before;
  return { ...cluster, bootstrap, brokers, upgrades };
}

const DEAD = new Set(["deleted", "failed", "rejected", "expired"]);

function living(world: World, kind: Kind): readonly string[] {
  const things: readonly { readonly id: string; readonly state?: string }[] =
    kind === "internetGateways" ||
    kind === "addresses" ||
    kind === "routeTables" ||
    kind === "groups" ||
    kind === "acls" ||
    kind === "functions"
      ? world[kind].map(({ id }) => ({ id }))
      : world[kind];
  return things.filter(({ state }) => !DEAD.has(state ?? "")).map(({ id }) => id);
}

/** After a failure nobody knows what else is not as it was thought. */
export function nothingKnown(world: World): World {
  return forgotten(world, new Set(KINDS));
}

/** False while a kind waits to be looked at again: then nothing may be concluded from what is not there. */
export function isWhole(world: World): boolean {
  return KINDS.every((kind) => world.lookedAt[kind] !== 0);
}
