/**
 * A control plane that can be stopped at a named point of its work, and started again on the same data; or that
 * stands still there, as a process does whose machine sleeps, and wakes later. A point is (operation, resource
 * key, phase). Stopping makes everything that follows inert: no further call of the dead one reaches the store
 * or the cloud, and what it had under way ends without its seeing the end. A restart is a new store handle,
 * limiter, cloud client and reconciler. Time is the test's own.
 */
import { randomBytes } from "node:crypto";
import { EC2Client } from "@aws-sdk/client-ec2";
import { KafkaClient } from "@aws-sdk/client-kafka";
import { awsCloud } from "../../src/cloud/aws/ec2.ts";
import type { Cloud, StepCall } from "../../src/cloud/cloud.ts";
import { createIntent, type Intent } from "../../src/control/intent.ts";
import { createReconciler } from "../../src/control/reconciler.ts";
import type { Cell } from "../../src/domain/model.ts";
import { createSandbox } from "../../src/sandbox/server.ts";
import type { Settings } from "../../src/sandbox/settings.ts";
import { DrivenClock } from "../../src/sandbox/testing.ts";
import { storeOver } from "../../src/store/database.ts";
import type { Driver } from "../../src/store/driver.ts";
import { migrate, migrations } from "../../src/store/migrate.ts";
import { seedSettings } from "../../src/store/settings.ts";
import type { PassWrites, Store } from "../../src/store/store.ts";
import { memoryDriver } from "../../src/store/testing/memory.ts";
import { makeFunction } from "./functions.ts";
import { OPERATOR, PLATFORM, testSettings } from "./house.ts";

/** What outlives every control plane: the data, the cloud, the time. */
export interface Ground {
  readonly clock: DrivenClock;
  /** A handle of the test's own, which no stop touches. */
  readonly store: Store;
  readonly intent: Intent;
  readonly tenantId: string;
  readonly sandboxUrl: string;
  /** The test's own eyes, with a client that no stop touches. */
  readonly eyes: Cloud;
  /** Our keys by the ids the cloud gave, so that a point has the same name in every life. */
  readonly keys: Map<string, string>;
  /** A function of the operator's, in no VPC. */
  readonly functionArn: string;
  /** The platform's. */
  readonly kafka: KafkaClient;
  ec2(account: string): EC2Client;
  newHandle(): Store;
  close(): Promise<void>;
}

export async function openGround(sandboxSettings: Partial<Settings> = {}): Promise<Ground> {
  const clock = new DrivenClock();
  const driver = await memoryDriver();
  await migrate({ db: driver.db, clock }, migrations(), seedSettings);
  const sandbox = await createSandbox({ clock, settings: testSettings(sandboxSettings) });
  const { url: sandboxUrl } = await sandbox.listen(0);
  const store = storeOver(driver, clock);
  const cellOf = async () => ({ account: PLATFORM, roleArn: null });
  const intent = createIntent({ store, clock, cellOf, randomBytes });
  await intent.updateSettings(OPERATOR, { quarantineSeconds: 0 });
  const tenant = await intent.createTenant(OPERATOR, { name: "default", avoidCidrs: [] });
  const eyes = await clientOn(sandboxUrl, store, clock);
  const clients: EC2Client[] = [];
  const functionArn = await makeFunction(sandboxUrl, "clicks-task");
  clock.advance(SHOWN_MS);
  const kafka = new KafkaClient({ endpoint: sandboxUrl, ...PLATFORM_CLIENT });
  return {
    clock,
    store,
    intent,
    tenantId: tenant.id,
    sandboxUrl,
    eyes,
    keys: new Map(),
    functionArn,
    kafka,
    ec2: (account) => ec2Client(clients, sandboxUrl, account),
    newHandle: () => storeOver(unclosed(driver), clock),
    close: async () => {
      for (const client of [...clients, kafka]) client.destroy();
      eyes.close();
      await sandbox.close();
      await driver.close();
    },
  };
}

/** Longer than anything new is unseen in these tests. */
const SHOWN_MS = 61_000;

const PLATFORM_CLIENT = {
  region: "us-east-1",
  credentials: { accessKeyId: PLATFORM, secretAccessKey: "test" },
  maxAttempts: 1,
};

function ec2Client(clients: EC2Client[], endpoint: string, account: string): EC2Client {
  const credentials = { accessKeyId: account, secretAccessKey: "test" };
  const client = new EC2Client({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
  clients.push(client);
  return client;
}

/** The data outlive a handle on them. */
function unclosed(driver: Driver): Driver {
  return { ...driver, close: async () => {} };
}

async function clientOn(endpoint: string, store: Store, clock: DrivenClock) {
  const { installation } = await store.settings();
  const credentials = { accessKeyId: PLATFORM, secretAccessKey: "test" };
  return awsCloud({ clock, installation, endpoint, credentials });
}

/**
 * `before` the call; after it was carried out, `unanswered`; after its answer, before it was written down,
 * `unrecorded`. A write of the store has the first two.
 */
export type Phase = "before" | "unanswered" | "unrecorded";

export interface ControlPlane {
  /** Null when it came to the end; else the point it died or stands still at. */
  round(): Promise<string | null>;
  /** Goes on where it stands still; resolves when that round has come to its end. */
  wake(): Promise<void>;
  /** Points it came past, in order. */
  readonly passed: readonly string[];
  /** Waits until nothing of it is under way, and lets its connections go. */
  bury(): Promise<void>;
}

export interface LifeOptions {
  readonly windowMs: number;
  /** Points to die at, whichever it comes to first. */
  readonly stopAt?: readonly string[];
  /** Points to stand still at, whichever it comes to first, once. */
  readonly pauseAt?: readonly string[];
}

/** A control plane over new handles. */
export async function startControlPlane(ground: Ground, options: LifeOptions): Promise<ControlPlane> {
  const { clock } = ground;
  const store = ground.newHandle();
  const cloud = await clientOn(ground.sandboxUrl, store, clock);
  const life = new Life(options);
  let lastRound: Promise<unknown> = Promise.resolve();
  const reconciler = createReconciler({
    store: mortalStore(life, store),
    cloud: { ...life.mortal<Cloud>(cloud), apply: mortalApply(life, cloud, ground.keys) },
    clock,
    windowMs: options.windowMs,
    log: () => {},
  });
  return {
    passed: life.passed,
    round: () => {
      const round = reconciler.round().then(() => null);
      lastRound = round;
      return Promise.race([round, life.ended]);
    },
    wake: async () => {
      life.wake();
      await lastRound;
    },
    bury: async () => {
      life.die("buried");
      await life.settled();
      cloud.close();
    },
  };
}

const NEVER = new Promise<never>(() => {});

class Life {
  readonly passed: string[] = [];
  /** Where it died, or stands still. */
  readonly ended: Promise<string>;
  readonly #options: LifeOptions;
  readonly #underWay = new Set<Promise<unknown>>();
  #dead = false;
  #hasPaused = false;
  #end: (point: string) => void = () => {};
  /** Everything waits for it; resolved unless it stands still. */
  #awake: Promise<void> = Promise.resolve();
  #wake: () => void = () => {};

  constructor(options: LifeOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  die(point: string): void {
    this.#dead = true;
    this.#wake();
    this.#end(point);
  }

  wake(): void {
    this.#wake();
  }

  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  /** Comes past a point, unless it dies there. */
  async at(point: string): Promise<void> {
    await this.#breathe();
    this.passed.push(point);
    if (this.#options.stopAt?.includes(point)) this.die(point);
    else if (!this.#hasPaused && this.#options.pauseAt?.includes(point)) this.#pause(point);
    await this.#breathe();
  }

  #pause(point: string): void {
    this.#hasPaused = true;
    this.#awake = new Promise((resolve) => {
      this.#wake = resolve;
    });
    this.#end(point);
  }

  /** Nothing follows for one that stands still, until it wakes, and nothing ever for a dead one. */
  async #breathe(): Promise<void> {
    await this.#awake;
    if (this.#dead) await NEVER;
  }

  /** The work, and its end seen, as long as it lives. */
  async lives<T>(work: () => Promise<T>): Promise<T> {
    await this.#breathe();
    const done = work();
    this.#underWay.add(done);
    const outcome = await done.then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    this.#underWay.delete(done);
    await this.#breathe();
    return outcome();
  }

  /** The same thing, whose methods do nothing once dead. */
  mortal<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return isObject(member) ? this.mortal(member) : member;
        const call = (args: unknown[]): unknown => Reflect.apply(member, target, args);
        if (!ANSWERS_AT_ONCE.has(String(name)))
          return (...args: unknown[]) => this.lives(() => call(args) as Promise<unknown>);
        return (...args: unknown[]) => this.mortal(call(args) as object);
      },
    });
  }
}

/** Of the store; everything else answers with a promise. */
const ANSWERS_AT_ONCE = new Set(["tenant", "pass"]);

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Its answers die with their life; nothing stands between `unrecorded` and the write that records the answer. */
function mortalApply(life: Life, cloud: Cloud, keys: Map<string, string>): Cloud["apply"] {
  return async (cell: Cell, call: StepCall) => {
    const name = nameOf(call, keys);
    await life.at(`${name} before`);
    const made = await life.lives(() => cloud.apply(cell, call));
    if (made) keys.set(made, call.step.key);
    await life.at(`${name} unanswered`);
    await life.at(`${name} unrecorded`);
    return made;
  };
}

/** Operation and key, and what else tells it from its neighbours; ids by our keys. */
function nameOf({ step }: StepCall, keys: ReadonlyMap<string, string>): string {
  const { do: operation, key, ...rest } = step;
  const worded = (text: string) =>
    text.replace(/\b(pcx|[a-z]+)-0[0-9a-f]{16}\b/g, (id, prefix: string) => keys.get(id) ?? prefix);
  const telling = ["subnetId", "egress", "destination", "route", "entry", "number"].flatMap((name) => {
    const value: unknown = Reflect.get(rest, name);
    return value === undefined ? [] : [worded(typeof value === "string" ? value : tellingOf(value))];
  });
  return [operation, worded(key), ...telling].join(" ");
}

function tellingOf(value: unknown): string {
  if (!isObject(value)) return String(value);
  const { destination, number, egress } = value as {
    destination?: string;
    number?: number;
    egress?: boolean;
  };
  return [destination, number, egress].filter((part) => part !== undefined).join(" ");
}

/** Writes that decide something are points of their own; the journal's stand between the cloud's phases. */
const DECIDING = ["saveLayout", "savePeering", "markReady", "markGone"] as const;

function mortalStore(life: Life, store: Store): Store {
  const mortal = life.mortal(store);
  return new Proxy(mortal, {
    get: (target, name) => {
      if (name !== "pass") return Reflect.get(target, name);
      return (...lease: Parameters<Store["pass"]>) => mortalWrites(life, target.pass(...lease));
    },
  });
}

function mortalWrites(life: Life, writes: PassWrites): PassWrites {
  const deciding = DECIDING.map((name) => {
    const write = Reflect.get(writes, name) as (...args: unknown[]) => Promise<void>;
    const stopping = async (...args: unknown[]) => {
      await life.at(`store ${name} before`);
      await write(...args);
      await life.at(`store ${name} unanswered`);
    };
    return [name, stopping] as const;
  });
  const own = Object.fromEntries(deciding);
  return new Proxy(writes, { get: (target, name) => own[String(name)] ?? Reflect.get(target, name) });
}
