/**
 * When time alone changes what packets do: a gateway becomes available, a peering active, an instance runs or
 * ends, a function has its interfaces. The rows keep such moments beside what they are about.
 */
import type { Tables } from "../world.ts";

/** Epoch milliseconds of the first of them after `now`; undefined when nothing is to come. */
export function nextMoment(tables: Tables, now: number): number | undefined {
  const { natGateways, peerings, instances, functions } = tables;
  const moments = [
    ...natGateways.all().flatMap((row) => [row.availableAt, row.failsAt, row.deleteAskedAt, row.deletedAt]),
    ...peerings
      .all()
      .flatMap((row) => [row.acceptedAt, row.activeAt, row.deleteAskedAt, row.deletedAt, row.rejectedAt]),
    ...instances.all().flatMap((row) => [row.runningAt, row.terminateAskedAt, row.terminatedAt]),
    ...functions.all().flatMap((row) => [row.activeAt, row.update?.endsAt]),
  ];
  const toCome = moments.filter((moment) => moment !== undefined && moment > now) as number[];
  return toCome.length > 0 ? Math.min(...toCome) : undefined;
}
