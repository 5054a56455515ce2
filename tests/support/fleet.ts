/**
 * Many datasets at once in one cell, under AWS's own rate limits and times, on a clock that leaps. Answers when
 * each network was ready and which requests that took.
 */
import type { Condition } from "../../src/domain/model.ts";
import { rateOf } from "../../src/sandbox/rates.ts";
import type { Settings } from "../../src/sandbox/settings.ts";
import { kafkaRequest, OPERATOR, openPlane, type Plane } from "./plane.ts";

/** One request as the sandbox saw it. */
export interface Sent {
  /** Epoch milliseconds of the driven clock. */
  readonly at: number;
  readonly operation: string;
  readonly mutating: boolean;
  readonly error: string | null;
}

export interface Fleet {
  /** From the wishes to each network's being ready, milliseconds, in order. */
  readonly readyMs: readonly number[];
  readonly sent: readonly Sent[];
  /** What the log said, a line an entry. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** What conditions said at `peekAtMs`. */
  readonly peeked: readonly Condition[];
  /** From the wishes to the end of the reconciler, milliseconds. */
  readonly endedMs: number;
}

export interface FleetOptions {
  readonly datasets: number;
  readonly settings?: Partial<Settings>;
  readonly peekAtMs?: number;
  /** The reconciler is stopped then, milliseconds; by default when all are ready. */
  readonly stopAtMs?: number;
}

export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const log: Readonly<Record<string, unknown>>[] = [];
  const ready: number[] = [];
  let started = 0;
  const plane = await openPlane({
    ...(options.settings && { settings: options.settings }),
    log: (line, { stop }) => {
      log.push(line);
      if (line.event === "network ready") ready.push(Number(line.at) - started);
      if (ready.length === options.datasets) stop();
    },
  });
  const { clock } = plane;
  try {
    for (let number = 0; number < options.datasets; number++)
      await plane.intent.createDataset(OPERATOR, plane.tenantId, kafkaRequest(`Clicks${number}`));
    started = clock.now();
    const peeked: Condition[] = [];
    if (options.stopAtMs !== undefined) void clock.sleep(options.stopAtMs).then(plane.stop);
    if (options.peekAtMs !== undefined)
      void clock.sleep(options.peekAtMs).then(async () => peeked.push(...(await conditions(plane))));
    await plane.drive();
    const { requests } = (await plane.admin("GET", "requests?since=0")) as { requests: readonly Sent[] };
    return { readyMs: ready, sent: requests, log, peeked, endedMs: clock.now() - started };
  } finally {
    await plane.close();
  }
}

async function conditions({ store, tenantId }: Plane): Promise<readonly Condition[]> {
  const tenant = store.tenant(tenantId);
  const { items } = await tenant.datasets({ limit: 1_000, cursor: null });
  const statuses = await Promise.all(items.map(({ id }) => tenant.status(id)));
  return statuses.flatMap((status) => status?.conditions ?? []);
}

/** What no control plane can be faster than: the action whose bucket needs longest, and the wait that follows. */
export interface Bound {
  readonly action: string;
  readonly calls: number;
  readonly ms: number;
}

/** `alone` is what one dataset takes: nobody needs fewer calls for a hundred than a hundred times that. */
export function bound(alone: Fleet, datasets: number, times: Settings): Bound {
  const settling: Readonly<Record<string, number>> = {
    CreateNatGateway: times.natPendingMs,
    CreateVpc: times.vpcPendingMs,
  };
  const done = alone.sent.filter(
    ({ mutating, error, operation }) => mutating && !error && !HOLDS_NOTHING.has(operation),
  );
  const bounds = [...Map.groupBy(done, ({ operation }) => operation)].map(([action, calls]) => {
    const count = calls.length * datasets;
    const rate = rateOf({ service: "ec2", action, has: () => true });
    if (!rate) throw new Error(`no bucket for ${action}`);
    const seconds = Math.max(0, count - rate.capacity) / rate.refillPerSecond;
    return { action, calls: count, ms: seconds * 1000 + (settling[action] ?? 0) };
  });
  return bounds.reduce((longest, one) => (one.ms > longest.ms ? one : longest));
}

/** The S3 endpoint is not waited for. */
const HOLDS_NOTHING = new Set(["CreateVpcEndpoint", "ModifyVpcEndpoint"]);

export function throttled({ sent }: Fleet): number {
  return sent.filter(({ error }) => error === "RequestLimitExceeded").length;
}
