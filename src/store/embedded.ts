/**
 * PostgreSQL inside this process (PGlite), in a folder or in memory. Promises: a commit that was answered is
 * on the disk; a crash at any moment of the first start leaves nothing half made; the folder is ours alone.
 * It has one connection, so that transactions come one after another.
 *
 *   <dataDir>/lock           held while the process lives
 *   <dataDir>/database.new   a first start that is not finished; thrown away by the next one
 *   <dataDir>/database       the database
 */
import * as fs from "node:fs";
import path from "node:path";
import { PGlite, type Transaction } from "@electric-sql/pglite";
import { CamelCasePlugin, Kysely, PGliteDialect } from "kysely";
import { Failure } from "../domain/failure.ts";
import { type Driver, WAKE_CHANNEL } from "./driver.ts";
import { DurableNodeFS, durableStartParams, fsyncPath, fsyncTree, proveDurable } from "./durable.ts";
import { databaseFailure } from "./errors.ts";
import { type FolderLock, lockFolder } from "./lock.ts";
import { PARSERS } from "./parsers.ts";
import type { Tables } from "./tables.ts";
import { YieldingPGlite } from "./yielding.ts";

/** The default of 128 MB doubles the process, and is of no use to so small a database. */
const MEMORY = ["-c", "shared_buffers=32MB"];

/** It runs no autovacuum: https://pglite.dev/docs/about */
const WRITES_BETWEEN_VACUUMS = 5000;

/** Rejects with `conflict` when another process has the folder, with `internal` when commits do not reach the disk. */
export async function embeddedInFolder(dataDir: string): Promise<Driver> {
  makeFolder(dataDir);
  const lock = lockFolder(dataDir, path.join(dataDir, "lock"));
  try {
    const folder = path.join(dataDir, "database");
    if (!fs.existsSync(folder)) await create(dataDir, folder);
    const files = new DurableNodeFS(folder);
    const startParams = [...durableStartParams(), ...MEMORY];
    const pglite = new YieldingPGlite({ fs: files, startParams, parsers: PARSERS });
    await pglite.waitReady;
    await proveDurable(pglite, files);
    return await driverOver(pglite, lock);
  } catch (thrown) {
    lock.release();
    throw databaseFailure(thrown);
  }
}

function makeFolder(dataDir: string): void {
  try {
    fs.mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw new Failure("invalid", `The data folder ${dataDir} cannot be made`, {
      hint: "Give a folder that may be written to (--dataDir).",
      detail: String(thrown),
      cause: thrown,
    });
  }
}

/** Begins with what was dumped, or empty. */
export async function embeddedInMemory(dump?: Blob): Promise<Driver> {
  const startParams = [...PGlite.defaultStartParams, ...MEMORY];
  const begin = dump && { loadDataDir: dump };
  return driverOver(new YieldingPGlite({ startParams, parsers: PARSERS, ...begin }), null);
}

/** Made beside its place and moved there when the disk has all of it. */
async function create(dataDir: string, folder: string): Promise<void> {
  const unfinished = `${folder}.new`;
  fs.rmSync(unfinished, { recursive: true, force: true });
  const pglite = new PGlite(unfinished);
  await pglite.waitReady;
  await pglite.close();
  fsyncTree(unfinished);
  fs.renameSync(unfinished, folder);
  fsyncPath(dataDir);
  fsyncPath(path.dirname(path.resolve(dataDir)));
}

async function driverOver(pglite: PGlite, lock: FolderLock | null): Promise<Driver> {
  const listeners = new Set<() => void>();
  await pglite.listen(WAKE_CHANNEL, () => {
    for (const listener of listeners) listener();
  });
  const db = new Kysely<Tables>({
    dialect: new PGliteDialect({ pglite: guarded(pglite) }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
  let writes = 0;
  return {
    kind: "embedded",
    db,
    onWake(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async afterWrite() {
      // What was written stands whether this works or not.
      if (++writes % WRITES_BETWEEN_VACUUMS === 0) await pglite.exec("vacuum (analyze)").catch(() => {});
    },
    async close() {
      listeners.clear();
      try {
        await db.destroy();
        if (!pglite.closed) await pglite.close();
      } finally {
        lock?.release();
      }
    },
  };
}

type Guarded = Extract<ConstructorParameters<typeof PGliteDialect>[0]["pglite"], { closed: boolean }>;
type Queries = Pick<PGlite | Transaction, "query" | "exec">;

/** The same database, throwing Failures only. */
function guarded(pglite: PGlite): Guarded {
  return {
    get closed() {
      return pglite.closed;
    },
    get ready() {
      return pglite.ready;
    },
    get waitReady() {
      return pglite.waitReady;
    },
    close: () => pglite.close(),
    query: queryOf(pglite),
    transaction: (work) => transaction(pglite, work),
  };
}

/** Without parameters a text may hold several statements, as it may with the other driver. */
function queryOf(target: Queries): Guarded["query"] {
  return async <T>(text: string, parameters?: unknown[]) => {
    try {
      if (parameters?.length) return await target.query<T>(text, parameters);
      const results = await target.exec(text);
      return (results.at(-1) ?? { rows: [], fields: [] }) as Awaited<ReturnType<typeof target.query<T>>>;
    } catch (thrown) {
      throw databaseFailure(thrown);
    }
  };
}

/**
 * Kysely waits for `work` to be called. When not even BEGIN works (the server inside has died), `work` gets
 * a transaction in which every query fails, instead of silence.
 */
async function transaction<T>(pglite: PGlite, work: Parameters<Guarded["transaction"]>[0]): Promise<T> {
  let begun = false;
  try {
    return (await pglite.transaction((tx) => {
      begun = true;
      return work({ query: queryOf(tx), rollback: () => tx.rollback() });
    })) as T;
  } catch (thrown) {
    const failure = databaseFailure(thrown);
    const refuse = () => Promise.reject(failure);
    if (!begun) await work({ query: refuse, rollback: refuse });
    throw failure;
  }
}
