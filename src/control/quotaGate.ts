/**
 * Before the first write of a network, and before a peering is accepted: are AWS's quotas large enough for all of
 * it? What is needed is reserved in the database, so that what is made side by side does not count on the same
 * last one. Promises that nothing is begun which would end half-way for a quota that is known, and that nothing
 * is begun while quotas cannot be read. A role that may not read them is no reason to stop: AWS itself refuses
 * then, later.
 */
import type { Cloud, LimitsAge, QuotaLimit } from "../cloud/cloud.ts";
import { asFailure, type Failure } from "../domain/failure.ts";
import type { Condition, Network } from "../domain/model.ts";
import type { World } from "../domain/world.ts";
import { type Hold, peeringNeeds, shortageHold, unreadHold } from "../network/peeringQuotas.ts";
import { quotaNeeds, type Shortage, shortageCondition, unreadCondition } from "../network/quotaNeeds.ts";
import { stamped } from "../network/sight.ts";
import type { PassWrites, QuotaLine } from "../store/store.ts";

export interface GateInput {
  readonly cloud: Cloud;
  readonly network: Network;
  readonly writes: PassWrites;
  /** Conditions of the pass before. */
  readonly previous: readonly Condition[];
  readonly now: number;
  readonly log: (line: Record<string, unknown>) => void;
}

/** What holds the whole network up: quotas that are too small, or unknown. None when everything is reserved. */
export async function shortages(input: GateInput): Promise<readonly Condition[]> {
  const { cloud, network, writes, previous, now } = input;
  if (!network.layout) return [];
  const { zoneIds } = network.layout;
  const needs = quotaNeeds({ zoneIds }, network.cluster);
  const asked = { zoneIds, brokers: network.cluster !== null };
  const age = ageOf(previous, (resource) => resource.startsWith("quota/"));
  const known = await read(input, () => cloud.quotas(network.cell, asked, age));
  if (known === null) return [];
  if ("unread" in known) {
    const before = previous.find(({ resource }) => resource === "quota");
    return [unreadCondition({ why: known.unread.message, before, now })];
  }
  const lines = known.map((quota) => ({ ...quota, quota: quota.name, needed: needs.get(quota.name) ?? 0 }));
  const short = await missing(writes, network.datasetId, lines);
  return stamped(short.map(shortageCondition), previous, now);
}

/** The peering connections that quotas hold up, by id. */
export async function peeringHolds(
  input: GateInput & { readonly world: World },
): Promise<ReadonlyMap<string, Hold>> {
  const { cloud, network, world, writes, previous } = input;
  const holds = new Map<string, Hold>();
  const needs = network.want === "present" ? peeringNeeds(network, world) : [];
  if (needs.length === 0) return holds;
  const ids = new Set(needs.map(({ connectionId }) => `peering/${connectionId}`));
  const age = ageOf(previous, (resource) => ids.has(resource));
  const known = await read(input, () => cloud.peeringLimits(network.cell, age));
  if (known === null) return holds;
  for (const { connectionId, lines } of needs) {
    if ("unread" in known) {
      holds.set(connectionId, unreadHold(known.unread.message));
      continue;
    }
    const limits = new Map(known.map((limit) => [limit.name, limit]));
    const asked = lines.flatMap((line) => {
      const limit = limits.get(line.limit);
      return limit ? [{ ...limit, ...line, limit: limit.limit }] : [];
    });
    const short = await missing(writes, connectionId, asked);
    if (short.length > 0) holds.set(connectionId, shortageHold(short));
  }
  return holds;
}

/** Who waits for a higher limit wants to know of it soon. */
function ageOf(previous: readonly Condition[], concerns: (resource: string) => boolean): LimitsAge {
  return previous.some(({ resource, actor }) => actor === "operator" && concerns(resource))
    ? "minute"
    : "hour";
}

/** Null when our role may not read them; `unread` when AWS does not answer. */
async function read<Answer>(
  { network, log }: GateInput,
  ask: () => Promise<Answer>,
): Promise<Answer | { readonly unread: Failure } | null> {
  try {
    return await ask();
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.code === "unavailable") return { unread: failure };
    if (failure.code !== "forbidden") throw thrown;
    log({ level: "warn", event: "quotas not checked", network: network.id, message: failure.message });
    return null;
  }
}

type AskedLine = Omit<QuotaLimit, "name"> & Omit<QuotaLine, "limit">;

/** Reserves for the holder what the limits are known of; what is short of them otherwise. */
async function missing(
  writes: PassWrites,
  holder: string,
  asked: readonly AskedLine[],
): Promise<readonly Shortage[]> {
  const lines = asked.flatMap(({ quota, needed, limit, used, usedBy }) =>
    limit === null || needed === 0 ? [] : [{ quota, needed, limit, used, usedBy }],
  );
  const short = await writes.reserveQuotas(holder, lines);
  return short.flatMap((line) => {
    const quota = asked.find((one) => one.quota === line.quota);
    return quota ? [{ ...quota, ...line }] : [];
  });
}
