/**
 * The whole house in one process for a test: store, hands, will, API and a sandbox cloud on free ports of the
 * loopback, on a clock that runs ten times as fast as the machine's. Promises that nothing outlives `close`.
 */
import { randomBytes } from "node:crypto";
import { EC2Client } from "@aws-sdk/client-ec2";
import { apiServer } from "../../src/api/server.ts";
import { awsCloud } from "../../src/cloud/aws/ec2.ts";
import { type ApiClient, apiClient } from "../../src/contract/client.ts";
import { type Actor, createIntent, type Intent } from "../../src/control/intent.ts";
import { createReconciler } from "../../src/control/reconciler.ts";
import type { Clock } from "../../src/domain/model.ts";
import { createSandbox } from "../../src/sandbox/server.ts";
import { type Settings, settings } from "../../src/sandbox/settings.ts";
import { openStore } from "../../src/store/database.ts";
import type { Store } from "../../src/store/store.ts";

export const PLATFORM = "999999999999";
export const CUSTOMER = "111122223333";
export const OPERATOR: Actor = { keyId: "key_test", keyName: "test", role: "admin", tenantId: null };

const SPEED = 10;

/** The machine's clock, ten times as fast. */
export function fastClock(): Clock {
  const start = Date.now();
  return {
    now: () => Math.floor(start + (Date.now() - start) * SPEED),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const end = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", end);
          resolve();
        };
        const timer = setTimeout(end, ms / SPEED);
        signal?.addEventListener("abort", end, { once: true });
      }),
  };
}

export interface HouseOptions {
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

export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const clock = fastClock();
  const stops: (() => Promise<void> | void)[] = [];
  const log: Record<string, unknown>[] = [];
  const store = await openStore({
    clock,
    ...(options.databaseUrl ? { databaseUrl: options.databaseUrl } : {}),
    ...(options.dataDir ? { dataDir: options.dataDir } : {}),
  });
  stops.push(() => store.close());
  const sandboxUrl = options.sandboxUrl ?? (await ownSandbox(clock, options, stops));
  const { installation } = await store.settings();
  const cloud = awsCloud({
    clock,
    installation,
    endpoint: sandboxUrl,
    credentials: { accessKeyId: PLATFORM, secretAccessKey: "test" },
  });
  stops.push(() => cloud.close());
  const cellOf = async () => ({ account: PLATFORM, roleArn: null });
  const intent = createIntent({ store, clock, cellOf, randomBytes });
  if (!(await store.tenantByName("default")))
    await intent.createTenant(OPERATOR, { name: "default", avoidCidrs: [] });
  const { secret } = await intent.createKey(OPERATOR, { tenantId: null, name: "operator", role: "admin" });
  if (options.reconcile !== false) {
    const { windowMs, resyncMs } = options;
    const reconciler = createReconciler({
      store,
      cloud,
      clock,
      log: (line) => void log.push(line),
      ...(windowMs === undefined ? {} : { windowMs }),
      ...(resyncMs === undefined ? {} : { resyncMs }),
    });
    const stopping = new AbortController();
    const running = reconciler.run(stopping.signal);
    stops.push(async () => {
      stopping.abort();
      await running;
    });
  }
  const server = apiServer({
    store,
    intent,
    clock,
    log: (line) => void log.push(line),
    ready: () => store.ping(),
    platform: { sandboxUrl },
  });
  const { url } = await server.listen(0);
  stops.push(() => server.close());
  return {
    store,
    intent,
    clock,
    url,
    sandboxUrl,
    api: apiClient({ url, apiKey: secret }),
    operatorKey: secret,
    log,
    ec2: (account, region = "us-east-1") => {
      const credentials = { accessKeyId: account, secretAccessKey: "test" };
      const client = new EC2Client({ endpoint: sandboxUrl, region, credentials, maxAttempts: 1 });
      stops.push(() => client.destroy());
      return client;
    },
    until: (what, ask, ms = 120_000) => until(clock, { what, ask, ms }),
    close: async () => {
      for (const stop of stops.reverse()) await stop();
    },
  };
}

async function ownSandbox(
  clock: Clock,
  options: HouseOptions,
  stops: (() => Promise<void>)[] | unknown[],
): Promise<string> {
  const sandbox = await createSandbox({
    clock,
    settings: settings("quick", { signatureSkewMs: Number.MAX_SAFE_INTEGER, ...options.sandbox }),
  });
  stops.push(() => sandbox.close());
  return (await sandbox.listen(0)).url;
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
