/**
 * Many datasets at once in one cell, under AWS's own rate limits and times: the real store, will and hands
 * against the sandbox's `aws` profile with quotas raised, on a clock that leaps. Answers when each network was
 * ready and which requests that took.
 */
import { randomBytes } from "node:crypto";
import { awsCloud } from "../../src/cloud/aws/ec2.ts";
import type { Actor } from "../../src/control/actor.ts";
import { createIntent, type Intent } from "../../src/control/intent.ts";
import { createReconciler } from "../../src/control/reconciler.ts";
import type { Condition } from "../../src/domain/model.ts";
import { rateOf } from "../../src/sandbox/rates.ts";
import { createSandbox } from "../../src/sandbox/server.ts";
import { PROFILES, type Settings, settings } from "../../src/sandbox/settings.ts";
import { openStore } from "../../src/store/database.ts";
import type { Store } from "../../src/store/store.ts";
import { driven, LeapingClock, UnderWay } from "./driven.ts";

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

const PLATFORM = "999999999999";
const OPERATOR: Actor = { keyId: "key_fleet", keyName: "fleet", role: "admin", tenantId: null };

/** AWS's times and buckets, and quotas that hold nothing up. */
export function fleetSettings(over: Partial<Settings> = {}): Settings {
  const quotas = Object.entries(PROFILES.quick).filter(([name]) => name.endsWith("Quota"));
  return settings("aws", {
    ...Object.fromEntries(quotas),
    signatureSkewMs: Number.MAX_SAFE_INTEGER,
    requestLogSize: 1_000_000,
    ...over,
  });
}

export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const clock = new LeapingClock();
  const underWay = new UnderWay();
  const sandbox = await createSandbox({ clock, settings: fleetSettings(options.settings) });
  const store = underWay.watch(await openStore({ clock }));
  try {
    const { url } = await sandbox.listen(0);
    const intent = createIntent({
      store,
      clock,
      cellOf: async () => ({ account: PLATFORM, roleArn: null }),
      randomBytes,
    });
    const tenantId = await wish(intent, options.datasets);
    const { installation } = await store.settings();
    const log: Record<string, unknown>[] = [];
    const write = (line: Record<string, unknown>) => void log.push({ at: clock.now(), ...line });
    const credentials = { accessKeyId: PLATFORM, secretAccessKey: "test" };
    const cloud = awsCloud({
      clock,
      installation,
      endpoint: url,
      credentials,
      log: (event, fields) => write({ event, ...fields }),
    });
    const started = clock.now();
    const stopping = new AbortController();
    const ready: number[] = [];
    const reconciler = createReconciler({
      store,
      cloud,
      clock,
      log: (line) => {
        write(line);
        if (line.event === "network ready") ready.push(clock.now() - started);
        if (ready.length === options.datasets) stopping.abort();
      },
    });
    const peeked: Condition[] = [];
    if (options.stopAtMs !== undefined) void clock.sleep(options.stopAtMs).then(() => stopping.abort());
    if (options.peekAtMs !== undefined)
      void clock
        .sleep(options.peekAtMs)
        .then(async () => peeked.push(...(await conditions(store, tenantId))));
    try {
      await driven(clock, underWay, reconciler.run(stopping.signal));
    } finally {
      cloud.close();
    }
    return { readyMs: ready, sent: await sentTo(url), log, peeked, endedMs: clock.now() - started };
  } finally {
    underWay.close();
    await store.close();
    await sandbox.close();
  }
}

async function conditions(store: Store, tenantId: string): Promise<readonly Condition[]> {
  const tenant = store.tenant(tenantId);
  const { items } = await tenant.datasets({ limit: 1_000, cursor: null });
  const statuses = await Promise.all(items.map(({ id }) => tenant.status(id)));
  return statuses.flatMap((status) => status?.conditions ?? []);
}

/** The id of the tenant they belong to. */
async function wish(intent: Intent, datasets: number): Promise<string> {
  const tenant = await intent.createTenant(OPERATOR, { name: "default", avoidCidrs: [], rangeLimit: 1_000 });
  for (let number = 0; number < datasets; number++)
    await intent.createDataset(OPERATOR, tenant.id, {
      name: `Clicks${number}`,
      region: "us-east-1",
      customerAccountForAccess: "111122223333",
      writeConnector: {
        connectorDestination: "Kafka",
        resourceLocation: "letsdata",
        vpcSize: "small",
        vpcCidrBlock: null,
      },
      configuration: {},
    });
  return tenant.id;
}

async function sentTo(url: string): Promise<readonly Sent[]> {
  const answer = await fetch(`${url}/_sandbox/requests?since=0`);
  const { requests } = (await answer.json()) as { requests: readonly Sent[] };
  return requests;
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
