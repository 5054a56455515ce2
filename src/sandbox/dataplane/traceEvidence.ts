/**
 * The words of a traced packet, and what was seen of it. Pure, for trace.ts.
 */
import { portDevice } from "./names.ts";
import type { Port, Router, Topology } from "./topology.ts";
import type { Counters, Packet, Sighting, Stage, Way } from "./traceProgram.ts";
import type { Headers } from "./traceRules.ts";

/** One end: a host and the address it has there. */
export interface End {
  /** A host's id, `internet`, or undefined for an address of nobody. */
  readonly hostId: string | undefined;
  readonly address: string;
}

export interface Evidence {
  readonly topology: Topology;
  readonly packet: Packet;
  readonly from: End;
  readonly to: End;
  readonly sightings: readonly Sighting[];
  /** By router. */
  readonly counters: ReadonlyMap<string, Counters>;
  /** The source address that the destination saw: where its answer goes. */
  readonly answerTo?: string;
  /** What the sender said was wrong. */
  readonly complaint: string;
}

export interface Step {
  /** A VPC's id, a host's, or `internet`. */
  readonly place: string;
  readonly check:
    | "sent"
    | "source"
    | "route"
    | "edge"
    | "acl out"
    | "acl in"
    | "group out"
    | "group in"
    | "taken"
    | "host";
  readonly verdict: "passed" | "dropped";
  /** The rule, list entry or route by its id; null where nothing of a name decided. */
  readonly by: string | null;
  readonly says: string;
}

export interface Walking extends Evidence {
  readonly way: Way;
}

/** Where the packet is: it comes into a router by a device, or into the internet. */
export interface Position {
  /** undefined = the internet. */
  readonly router: Router | undefined;
  readonly device: string;
  readonly headers: Headers;
}

export type InRouter = Position & { readonly router: Router };

export interface Spot {
  readonly stage: Stage;
  readonly from?: string;
  readonly to?: string;
}

export function seenAt(
  { sightings, way }: Walking,
  namespace: string,
  { stage, from, to }: Spot,
): readonly Sighting[] {
  return sightings.filter(
    (one) =>
      one.namespace === namespace &&
      one.stage === stage &&
      one.way === way &&
      (from === undefined || one.from === from) &&
      (to === undefined || one.to === to),
  );
}

export function isSeen(walking: Walking, namespace: string, spot: Spot): boolean {
  return seenAt(walking, namespace, spot).length > 0;
}

export function portBehind({ ports }: Router, device: string): Port | undefined {
  return ports.find(({ id }) => portDevice(id) === device);
}

const NO_COUNTERS: Counters = { rules: new Map(), drops: new Map() };

export function countersOf({ counters }: Walking, { id }: Router): Counters {
  return counters.get(id) ?? NO_COUNTERS;
}

export function dropsOf(walking: Walking, router: Router): ReadonlyMap<string, number> {
  return countersOf(walking, router).drops;
}

/** What is said where no counter moved. */
export function unexplained(place: string) {
  return { place, check: "route", says: "it is not seen any more, and no counter says why" } as const;
}
