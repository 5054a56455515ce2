/**
 * The real store, will and hands against a sandbox cloud, all on a clock that leaps: AWS's own times and rate
 * limits pass as fast as the machine computes, and how fast that is changes no figure. Promises that time passes
 * only while `drive` runs, and stands still while anything of it is under way.
 */
import { randomBytes } from "node:crypto";
import { EC2Client } from "@aws-sdk/client-ec2";
import { awsCloud } from "../../src/cloud/aws/ec2.ts";
import type { Actor } from "../../src/control/actor.ts";
import { createIntent, type Intent } from "../../src/control/intent.ts";
import { createReconciler } from "../../src/control/reconciler.ts";
import type { KafkaCluster } from "../../src/domain/model.ts";
import { createSandbox } from "../../src/sandbox/server.ts";
import { PROFILES, type Settings, settings } from "../../src/sandbox/settings.ts";
import type { Store } from "../../src/store/store.ts";
import { memoryStore } from "../../src/store/testing.ts";
import { driven, LeapingClock, UnderWay } from "./driven.ts";
import { CUSTOMER, PLATFORM } from "./house.ts";

export const OPERATOR: Actor = { keyId: "key_plane", keyName: "plane", role: "admin", tenantId: null };

export interface PlaneOptions {
  readonly settings?: Partial<Settings>;
  /** Each line of the log as it is written. */
  readonly log?: (line: Readonly<Record<string, unknown>>, plane: { stop(): void }) => void;
  readonly resyncMs?: number;
}

export interface Plane {
  readonly clock: LeapingClock;
  readonly store: Store;
  readonly intent: Intent;
  readonly tenantId: string;
  /** Runs a reconciler and lets time pass until the work is done, or until `stop` when there is none. */
  drive<T>(work?: () => Promise<T>): Promise<T | undefined>;
  ec2(account: string): EC2Client;
  /** Where the sandbox is. */
  readonly sandboxUrl: string;
  /** The sandbox's own requests: `admin("POST", "faults", { … })`. */
  admin(method: string, path: string, body?: object): Promise<unknown>;
  /** Ends the reconciler. */
  stop(): void;
  close(): Promise<void>;
}

/** AWS's times and buckets, and quotas that hold nothing up. */
export function awsSettings(over: Partial<Settings> = {}): Settings {
  const quotas = Object.entries(PROFILES.quick).filter(([name]) => name.endsWith("Quota"));
  return settings("aws", {
    ...Object.fromEntries(quotas),
    signatureSkewMs: Number.MAX_SAFE_INTEGER,
    requestLogSize: 1_000_000,
    ...over,
  });
}

export async function openPlane(options: PlaneOptions = {}): Promise<Plane> {
  const clock = new LeapingClock();
  const underWay = new UnderWay();
  const sandbox = await createSandbox({ clock, settings: awsSettings(options.settings) });
  const store = underWay.watch(await memoryStore(clock));
  const { url: sandboxUrl } = await sandbox.listen(0);
  const cellOf = async () => ({ account: PLATFORM, roleArn: null });
  const intent = createIntent({ store, clock, cellOf, randomBytes });
  const tenant = await intent.createTenant(OPERATOR, { name: "default", avoidCidrs: [], rangeLimit: 1_000 });
  let stopping = new AbortController();
  const stop = () => stopping.abort();
  const log = (line: Record<string, unknown>) => options.log?.({ at: clock.now(), ...line }, { stop });
  const { installation } = await store.settings();
  const cloud = awsCloud({
    clock,
    installation,
    endpoint: sandboxUrl,
    credentials: keysOf(PLATFORM),
    log: (event, fields) => log({ event, ...fields }),
  });
  const run = () => {
    stopping = new AbortController();
    const resyncMs = options.resyncMs ?? 30_000;
    return createReconciler({ store, cloud, clock, log, resyncMs }).run(stopping.signal);
  };
  const clients = new Clients(sandboxUrl);
  const ask = (...request: AdminRequest) => administer(sandboxUrl, request);
  return {
    ...{ clock, store, intent, tenantId: tenant.id, sandboxUrl, stop },
    drive: (work) => drive({ clock, underWay, running: run(), stop }, work),
    ec2: (account) => clients.of(account),
    admin: underWay.watch({ ask }).ask,
    async close() {
      for (const thing of [clients, cloud, underWay]) thing.close();
      await store.close();
      await sandbox.close();
    },
  };
}

interface Journey {
  readonly clock: LeapingClock;
  readonly underWay: UnderWay;
  readonly running: Promise<void>;
  stop(): void;
}

async function drive<T>(journey: Journey, work?: () => Promise<T>): Promise<T | undefined> {
  const { clock, underWay, running, stop } = journey;
  const done = work?.();
  done?.then(stop, stop);
  await driven(clock, underWay, Promise.allSettled([running, done]));
  await running;
  return done;
}

const keysOf = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: "test" });

class Clients {
  readonly #endpoint: string;
  readonly #made: EC2Client[] = [];

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  of(account: string): EC2Client {
    const place = { endpoint: this.#endpoint, region: "us-east-1", maxAttempts: 1 };
    const made = new EC2Client({ ...place, credentials: keysOf(account) });
    this.#made.push(made);
    return made;
  }

  close(): void {
    for (const made of this.#made) made.destroy();
  }
}

type AdminRequest = [method: string, path: string, body?: object];

async function administer(url: string, [method, path, body]: AdminRequest): Promise<unknown> {
  const answer = await fetch(`${url}/_sandbox/${path}`, {
    method,
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

type Request = Parameters<Intent["createDataset"]>[2];

/** A dataset with a network alone, unless a cluster and functions are named. */
export function kafkaRequest(
  name: string,
  runs: { readonly kafka?: KafkaCluster; readonly functionArns?: readonly string[] } = {},
): Request {
  return {
    name,
    region: "us-east-1",
    customerAccountForAccess: CUSTOMER,
    writeConnector: {
      connectorDestination: "Kafka",
      resourceLocation: "letsdata",
      vpcSize: "small",
      vpcCidrBlock: null,
      kafka: runs.kafka ?? null,
    },
    functionArns: runs.functionArns ?? [],
    configuration: {},
  };
}
