/**
 * Where a function may run: in the hosts of the interfaces that it leaves by, on the internet when it is in no VPC,
 * and, where there are no packets, as a process of this machine.
 */
import { INTERNET } from "../dataplane/names.ts";
import type { Topology } from "../dataplane/topology.ts";
import { leavesBy } from "../lambdaStates.ts";
import type { FunctionRow } from "../serviceRows.ts";

/** With this machine's network, whatever VPC the function is in. */
export const MACHINE = "machine";

export interface Around {
  readonly now: number;
  /** undefined = there are no packets. */
  readonly topology: Topology | undefined;
}

/** Namespaces, or MACHINE; none while none of its hosts stands. */
export function placesOf(row: FunctionRow, { now, topology }: Around): readonly string[] {
  if (!topology) return [MACHINE];
  const ids = leavesBy(row, now);
  if (ids.length === 0) return [INTERNET];
  const standing = new Set(topology.hosts.map(({ id }) => id));
  return ids.filter((id) => standing.has(id));
}
