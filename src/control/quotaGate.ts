/**
 * Before the first write of a network: are AWS's quotas large enough for all of it? What it needs is reserved in
 * the database, so that networks made side by side do not count on the same last one. Promises that nothing is
 * created which would end half-way for a quota that is known.
 */
import type { Cloud } from "../cloud/cloud.ts";
import { asFailure } from "../domain/failure.ts";
import type { Condition, Network } from "../domain/model.ts";
import { quotaNeeds, shortageCondition } from "../network/quotaNeeds.ts";
import type { PassWrites } from "../store/store.ts";

export interface GateInput {
  readonly cloud: Cloud;
  readonly network: Network;
  readonly writes: PassWrites;
  readonly log: (line: Record<string, unknown>) => void;
}

/** A condition for each quota that is too small; none when everything is reserved. */
export async function shortages({ cloud, network, writes, log }: GateInput): Promise<readonly Condition[]> {
  if (!network.layout) return [];
  const { zoneIds } = network.layout;
  const needs = quotaNeeds({ zoneIds });
  const known = await cloud.quotas(network.cell, zoneIds).catch((thrown: unknown) => {
    const failure = asFailure(thrown);
    if (failure.code !== "forbidden") throw thrown;
    // A role that may not read quotas can still make networks: AWS itself refuses then, later and half-way.
    log({ level: "warn", event: "quotas not checked", network: network.id, message: failure.message });
    return [];
  });
  const lines = known.flatMap(({ name, limit, used, usedBy }) => {
    const needed = needs.get(name) ?? 0;
    return limit === null || needed === 0 ? [] : [{ quota: name, needed, limit, used, usedBy }];
  });
  const short = await writes.reserveQuotas(lines);
  return short.flatMap((line) => {
    const quota = known.find(({ name }) => name === line.quota);
    return quota ? [shortageCondition({ ...line, ...quota, limit: line.limit })] : [];
  });
}
