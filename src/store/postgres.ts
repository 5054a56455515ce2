/**
 * PostgreSQL 14 or newer, by a pool. Promises: a lost server makes `unavailable`, never a crash or a hanging
 * caller, and the pool serves again by itself when the server is back; a listener hears of everything it may
 * have missed. Refuses an older server.
 */
import {
  CamelCasePlugin,
  Kysely,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
  sql,
} from "kysely";
import pg from "pg";
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/model.ts";
import { type Driver, WAKE_CHANNEL } from "./driver.ts";
import { connectionFailure, losesConnection } from "./errors.ts";
import { asText, PARSERS } from "./parsers.ts";
import type { Tables } from "./tables.ts";

const OLDEST_VERSION = 140_000;
const POOL_SIZE = 16;
const CONNECT_MS = 5_000;
const STATEMENT_MS = 30_000;
const LOCK_MS = 20_000;
/** Longer than the server's own limit: only for a server that has gone silent. */
const SILENCE_MS = 40_000;
const KEEP_ALIVE_MS = 10_000;
const RECONNECT_MS = 1_000;

export interface PostgresOptions {
  readonly databaseUrl: string;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** Rejects with `unavailable` when the server does not answer, `invalid` when it is too old. */
export async function postgres(options: PostgresOptions): Promise<Driver> {
  const config = clientConfig(options.databaseUrl);
  const pool = new pg.Pool({ ...config, max: POOL_SIZE });
  // Idle clients tell the pool, busy ones nobody: without a listener each would end the process.
  pool.on("error", (error) => options.log(`database connection lost: ${error.message}`));
  pool.on("connect", (client) => client.on("error", () => {}));
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: guarded(pool) }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
  const listening = new Listening(config, options);
  const driver: Driver = {
    kind: "postgres",
    db,
    onWake: (listener) => listening.add(listener),
    afterWrite: async () => {},
    close: async () => {
      await listening.close();
      await db.destroy();
    },
  };
  try {
    await refuseOldServer(driver);
  } catch (thrown) {
    await driver.close();
    throw thrown;
  }
  return driver;
}

function clientConfig(databaseUrl: string): pg.ClientConfig {
  return {
    connectionString: databaseUrl,
    application_name: "letsdata",
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    lock_timeout: LOCK_MS,
    query_timeout: SILENCE_MS,
    idle_in_transaction_session_timeout: STATEMENT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    types: { getTypeParser: (oid: number) => PARSERS[oid] ?? asText },
  } as pg.ClientConfig;
}

async function refuseOldServer(driver: Driver): Promise<void> {
  const answer = await sql<{
    version: number;
  }>`select current_setting('server_version_num')::int as version`.execute(driver.db);
  const version = answer.rows[0]?.version ?? 0;
  if (version >= OLDEST_VERSION) return;
  throw new Failure("invalid", `PostgreSQL ${Math.floor(version / 10_000)} is too old`, {
    hint: "Use PostgreSQL 14 or newer.",
  });
}

/** The same pool, throwing Failures only, and letting go of connections that are lost. */
function guarded(pool: pg.Pool): PostgresPool {
  const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch((thrown: unknown) => {
        throw connectionFailure(thrown);
      });
      const known = clients.get(client) ?? guardedClient(client);
      clients.set(client, known);
      return known;
    },
  };
}

/** Once lost it is asked nothing more: a server that has gone silent would be waited for again. */
function guardedClient(client: pg.PoolClient): PostgresPoolClient {
  let lost: Failure | undefined;
  const query = async (text: string, parameters: readonly unknown[]) => {
    if (lost !== undefined) throw lost;
    try {
      return await client.query(text, [...parameters]);
    } catch (thrown) {
      const failure = connectionFailure(thrown);
      if (losesConnection(failure)) lost = failure;
      throw failure;
    }
  };
  return {
    query: query as unknown as PostgresPoolClient["query"],
    release: (destroy) => client.release(destroy || lost !== undefined),
  };
}

/** One connection of its own that listens; made anew, for ever, when it is lost. */
class Listening {
  readonly #config: pg.ClientConfig;
  readonly #options: PostgresOptions;
  readonly #listeners = new Set<() => void>();
  readonly #end = new AbortController();
  #running: Promise<void> | null = null;

  constructor(config: pg.ClientConfig, options: PostgresOptions) {
    this.#config = config;
    this.#options = options;
  }

  add(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#running ??= this.#run();
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#end.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      await this.#listenOnce(signal).catch((thrown: unknown) => {
        this.#options.log(`database wake-ups lost, connecting again: ${String(thrown)}`);
      });
      await this.#options.clock.sleep(RECONNECT_MS, signal);
    }
  }

  /** Returns or rejects when the connection has ended. */
  async #listenOnce(signal: AbortSignal): Promise<void> {
    const client = new pg.Client(this.#config);
    const ended = Promise.withResolvers<void>();
    ended.promise.catch(() => {});
    client.once("end", ended.resolve);
    client.on("error", ended.reject);
    const stop = () => ended.resolve();
    signal.addEventListener("abort", stop);
    client.on("notification", () => this.#tell());
    try {
      await client.connect();
      await client.query(`listen ${WAKE_CHANNEL}`);
      // What was notified while nobody listened is lost: let them look.
      this.#tell();
      if (!signal.aborted) await ended.promise;
    } finally {
      signal.removeEventListener("abort", stop);
      await client.end().catch(() => {});
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
