/**
 * Stores for tests. `memoryStore` is one in memory; `stores` gives every kind of database that this machine
 * can run, so that one suite runs on each. PostgreSQL is the one of DATABASE_URL (where tests make and drop
 * databases of their own), else a server of the suite's own. Not used by the product.
 */
import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import pg from "pg";
import type { Clock } from "../domain/model.ts";
import { storeOver } from "./database.ts";
import type { Driver } from "./driver.ts";
import { migrate, migrations } from "./migrate.ts";
import { postgres } from "./postgres.ts";
import { seedSettings } from "./settings.ts";
import type { Store } from "./store.ts";
import type { Db } from "./tables.ts";
import { memoryDriver } from "./testing/memory.ts";
import { findPostgres, type PgServer, startPostgres } from "./testing/pgserver.ts";

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
}

export interface FreshStore {
  readonly store: Store;
  /** For what no method of the store may do: to look at rows, and to try to break their rules. */
  readonly db: Db;
  readonly clock: ManualClock;
}

export interface TestStores {
  readonly kind: Store["kind"];
  /** Why this kind cannot be tested here, and what to install; false when it can. */
  readonly skip: string | false;
  start(): Promise<void>;
  /** An empty store; the one before must not be used any more. */
  fresh(): Promise<FreshStore>;
  stop(): Promise<void>;
}

/** What `process.env` gives. */
export type Environment = Readonly<Record<string, string | undefined>>;

export async function memoryStore(clock: Clock): Promise<Store> {
  const driver = await memoryDriver();
  await migrate({ db: driver.db, clock }, migrations(), seedSettings);
  return storeOver(driver, clock);
}

export function manualClock(start = Date.UTC(2030, 0, 1)): ManualClock {
  let now = start;
  const sleepers = new Set<{ until: number; wake: () => void }>();
  return {
    now: () => now,
    advance(ms) {
      now += ms;
      for (const sleeper of sleepers) if (sleeper.until <= now) sleeper.wake();
    },
    sleep(ms, signal) {
      return new Promise((resolve) => {
        const wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        const sleeper = { until: now + ms, wake };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", wake);
        if (signal?.aborted || ms <= 0) wake();
      });
    },
  };
}

/** Every kind; call with `process.env`. */
export function stores(environment: Environment): readonly TestStores[] {
  return [embeddedStores(), postgresStores(environment)];
}

function embeddedStores(): TestStores {
  let driver: Driver | undefined;
  return {
    kind: "embedded",
    skip: false,
    start: async () => {
      driver = await memoryDriver();
    },
    fresh: async () => {
      if (driver === undefined) throw new Error("start() comes first");
      await sql`drop schema public cascade; create schema public`.execute(driver.db);
      return freshOver(driver);
    },
    stop: async () => driver?.close(),
  };
}

async function freshOver(driver: Driver, clock = manualClock()): Promise<FreshStore> {
  await migrate({ db: driver.db, clock }, migrations(), seedSettings);
  return { store: storeOver(driver, clock), db: driver.db, clock };
}

function postgresStores(environment: Environment): TestStores {
  const databases = postgresDatabases(environment);
  const drivers: Driver[] = [];
  return {
    kind: "postgres",
    skip: databases.skip,
    start: () => databases.start(),
    fresh: async () => {
      await drivers.pop()?.close();
      const clock = manualClock();
      const driver = await postgres({ databaseUrl: await databases.create(), clock, log: () => {} });
      drivers.push(driver);
      return freshOver(driver, clock);
    },
    stop: async () => {
      for (const driver of drivers) await driver.close();
      await databases.stop();
    },
  };
}

export interface PostgresDatabases {
  readonly skip: string | false;
  /** The server, when it is the suite's own. */
  server(): PgServer | undefined;
  start(): Promise<void>;
  /** Makes an empty database; returns its URL. */
  create(): Promise<string>;
  stop(): Promise<void>;
}

/** Databases on a server; the ones that were made are dropped at the end. */
export function postgresDatabases(environment: Environment): PostgresDatabases {
  const given = environment.DATABASE_URL || undefined;
  const binaries = findPostgres(environment.PATH ?? "");
  const prefix = `letsdata_test_${randomBytes(4).toString("hex")}`;
  const made: string[] = [];
  let server: PgServer | undefined;
  const urlOf = (name: string) => (given === undefined ? server?.url(name) : renamed(given, name)) ?? "";
  const admin = (text: string) => execute(given ?? server?.url("postgres") ?? "", text);
  return {
    skip:
      given || binaries
        ? false
        : "no PostgreSQL here: set DATABASE_URL, or install it (apt-get install postgresql)",
    server: () => server,
    start: async () => {
      if (given === undefined && binaries !== undefined) server = await startPostgres(binaries);
    },
    create: async () => {
      const name = `${prefix}_${made.length}`;
      await admin(`create database ${name}`);
      made.push(name);
      return urlOf(name);
    },
    stop: async () => {
      if (server !== undefined) return server.remove();
      for (const name of made) await admin(`drop database if exists ${name} with (force)`);
    },
  };
}

function renamed(databaseUrl: string, name: string): string {
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function execute(databaseUrl: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
