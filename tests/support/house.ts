/**
 * The whole house in one process for a test: store, hands, will, API and a sandbox cloud on free ports of the
 * loopback, on a clock that runs ten times as fast as the machine's. Houses that share a store or a sandbox
 * share a clock too. Promises that nothing outlives `close`.
 */
import { randomBytes } from "node:crypto";
import { EC2Client } from "@aws-sdk/client-ec2";
import { apiServer } from "../../src/api/server.ts";
import { type AwsCloud, awsCloud } from "../../src/cloud/aws/ec2.ts";
import { type ApiClient, apiClient } from "../../src/contract/client.ts";
import { type Actor, createIntent, type Intent } from "../../src/control/intent.ts";
import { createProber } from "../../src/control/prober.ts";
import { createReconciler } from "../../src/control/reconciler.ts";
import type { Clock } from "../../src/domain/model.ts";
import { createSandbox } from "../../src/sandbox/server.ts";
import { type Settings, settings } from "../../src/sandbox/settings.ts";
import { openStore } from "../../src/store/database.ts";
import type { Store } from "../../src/store/store.ts";
import { memoryStore } from "../../src/store/testing.ts";
import { fastClock } from "./clocks.ts";

export const PLATFORM = "999999999999";
export const CUSTOMER = "111122223333";
/** What functions of ours run as: in the sandbox no role has to be made. */
export const FUNCTION_ROLE = `arn:aws:iam::${PLATFORM}:role/functions`;
export const OPERATOR: Actor = { keyId: "key_test", keyName: "test", role: "admin", tenantId: null };

/** Longer than anything takes, also on a machine that is busy with other things. */
const PATIENCE_MS = 600_000;

export interface HouseOptions {
  /** One of its own by default. */
  readonly clock?: Clock;
  readonly databaseUrl?: string;
  readonly dataDir?: string;
  readonly sandbox?: Partial<Settings>;
  /** Use this sandbox instead of one of its own. */
  readonly sandboxUrl?: string;
  readonly windowMs?: number;
  readonly resyncMs?: number;
  /** Without it no reconciler runs. */
  readonly reconcile?: boolean;
}

export interface House {
  readonly store: Store;
  readonly intent: Intent;
  readonly clock: Clock;
  readonly url: string;
  readonly sandboxUrl: string;
  /** The operator's client. */
  readonly api: ApiClient;
  readonly operatorKey: string;
  readonly log: readonly Record<string, unknown>[];
  /** A client for that account, straight to the sandbox. */
  ec2(account: string, region?: string): EC2Client;
  /** Waits, by the house's clock, until the question is answered with something; fails after `ms`. */
  until<T>(what: string, ask: () => Promise<T | null | undefined | false>, ms?: number): Promise<T>;
  close(): Promise<void>;
}

/** What is being put together, and how it is taken apart again. */
interface Site {
  readonly options: HouseOptions;
  readonly clock: Clock;
  readonly store: Store;
  readonly log: Record<string, unknown>[];
  readonly stops: (() => Promise<void> | void)[];
}

export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const { clock = fastClock(), databaseUrl, dataDir } = options;
  const place = databaseUrl ? { databaseUrl } : dataDir && { dataDir };
  const store = place ? await openStore({ clock, ...place }) : await memoryStore(clock);
  const site: Site = { options, clock, store, log: [], stops: [() => store.close()] };
  try {
    return await furnish(site);
  } catch (thrown) {
    await takenApart(site);
    throw thrown;
  }
}

async function furnish(site: Site): Promise<House> {
  const { options, clock, store, log, stops } = site;
  const sandboxUrl = options.sandboxUrl ?? (await ownSandbox(site));
  const cloud = await hands(site, sandboxUrl);
  const cellOf = async () => ({ account: PLATFORM, roleArn: null });
  const intent = createIntent({ store, clock, cellOf, randomBytes, functionRoleArn: FUNCTION_ROLE });
  const operatorKey = await firstKey(store, intent);
  if (options.reconcile !== false) will(site, cloud);
  const write = (line: Record<string, unknown>) => void log.push(line);
  const platform = { sandboxUrl };
  const server = apiServer({ store, intent, clock, log: write, ready: () => store.ping(), platform });
  const { url } = await server.listen(0);
  stops.push(() => server.close());
  return {
    store,
    intent,
    clock,
    url,
    sandboxUrl,
    api: apiClient({ url, apiKey: operatorKey }),
    operatorKey,
    log,
    ec2: (account, region = "us-east-1") => ec2Client(stops, { endpoint: sandboxUrl, account, region }),
    until: (what, ask, ms = PATIENCE_MS) => until(clock, { what, ask, ms }),
    close: () => takenApart(site),
  };
}

async function takenApart({ stops }: Site): Promise<void> {
  for (const stop of stops.splice(0).reverse()) await stop();
}

async function hands({ clock, store, stops }: Site, endpoint: string): Promise<AwsCloud> {
  const { installation } = await store.settings();
  const credentials = { accessKeyId: PLATFORM, secretAccessKey: "test" };
  const cloud = awsCloud({ clock, installation, endpoint, credentials });
  stops.push(() => cloud.close());
  return cloud;
}

async function firstKey(store: Store, intent: Intent): Promise<string> {
  if (!(await store.tenantByName("default")))
    await intent.createTenant(OPERATOR, { name: "default", avoidCidrs: [] });
  return (await intent.createKey(OPERATOR, { tenantId: null, name: "operator", role: "admin" })).secret;
}

function will({ options, clock, store, log, stops }: Site, cloud: AwsCloud): void {
  const { windowMs, resyncMs } = options;
  const write = (line: Record<string, unknown>) => void log.push(line);
  const prober = createProber({ store, cloud, clock, log: write });
  const reconciler = createReconciler({
    store,
    cloud,
    clock,
    log: write,
    ...(windowMs === undefined ? {} : { windowMs }),
    ...(resyncMs === undefined ? {} : { resyncMs }),
  });
  const stopping = new AbortController();
  const running = Promise.all([reconciler, prober].map((one) => one.run(stopping.signal)));
  stops.push(async () => {
    stopping.abort();
    await running;
  });
}

async function ownSandbox({ options, clock, stops }: Site): Promise<string> {
  const sandbox = await createSandbox({ clock, settings: testSettings(options.sandbox) });
  stops.push(() => sandbox.close());
  return (await sandbox.listen(0)).url;
}

/** The `quick` profile for a fast clock: signatures bear the machine's own time. */
export function testSettings(over: Partial<Settings> = {}): Settings {
  return settings("quick", { signatureSkewMs: Number.MAX_SAFE_INTEGER, ...over });
}

function ec2Client(
  stops: Site["stops"],
  { endpoint, account, region }: { endpoint: string; account: string; region: string },
): EC2Client {
  const credentials = { accessKeyId: account, secretAccessKey: "test" };
  const client = new EC2Client({ endpoint, region, credentials, maxAttempts: 1 });
  stops.push(() => client.destroy());
  return client;
}

interface Question<T> {
  readonly what: string;
  readonly ask: () => Promise<T | null | undefined | false>;
  readonly ms: number;
}

async function until<T>(clock: Clock, { what, ask, ms }: Question<T>): Promise<T> {
  const deadline = clock.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (clock.now() > deadline) throw new Error(`waited ${ms / 1000} s in vain: ${what}`);
    await clock.sleep(200);
  }
}
