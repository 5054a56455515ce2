/**
 * The data folder: the tables in one SQLite file, a row as JSON under its table's name and its id. Promises
 * that what `commit` returned from survives the process and the machine, and that one process at a time uses a
 * folder. Refuses a folder in use, and one written by a newer version. Without a folder, memory is all there is.
 *
 *   sandbox.db    the rows
 *   sandbox.lock  locked while a process uses the folder; the kernel drops the lock with the process
 */
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DataFolderError } from "./errors.ts";
import type { Row, Stored } from "./state.ts";

/** Goes up when rows change so that an older version would misread them. */
const SCHEMA_VERSION = 1;

export interface Disk {
  /** Writes what changed in all tables in one transaction. Throws, having written nothing, when it cannot. */
  commit(): void;
  /** Takes back what changed since the last commit. */
  rollback(): void;
  /** Frees the folder; what is not committed is lost. */
  close(): void;
}

/** Opens the folder, making it if need be, and loads its rows into the tables. Throws a DataFolderError. */
export function openDisk(tables: readonly Stored[], dataDir?: string): Disk {
  const rollback = () => tables.forEach((table) => void table.undo());
  const settle = () => tables.forEach((table) => void table.settle());
  if (dataDir === undefined) return { commit: settle, rollback, close: () => {} };
  fs.mkdirSync(dataDir, { recursive: true });
  const unlock = lock(dataDir);
  try {
    const file = openFile(path.join(dataDir, "sandbox.db"));
    load(file, tables);
    const write = writer(file);
    return {
      rollback,
      commit() {
        write(tables);
        settle();
      },
      close() {
        file.close();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

const BUSY = 5;

function lock(dataDir: string): () => void {
  const file = new DatabaseSync(path.join(dataDir, "sandbox.lock"));
  try {
    file.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode !== BUSY) throw error;
    throw new DataFolderError(`the sandbox's data folder ${dataDir} is in use by another process`);
  }
  return () => file.close();
}

function openFile(name: string): DatabaseSync {
  const file = new DatabaseSync(name);
  file.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  const version = Number(file.prepare("PRAGMA user_version").get()?.user_version ?? 0);
  if (version > SCHEMA_VERSION) {
    file.close();
    throw new DataFolderError(
      `${name} was written by a newer version (its schema is ${version}, this version knows ${SCHEMA_VERSION})`,
    );
  }
  file.exec(`
    CREATE TABLE IF NOT EXISTS rows (
      tableName TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (tableName, id)
    ) WITHOUT ROWID;
    PRAGMA user_version = ${SCHEMA_VERSION}`);
  return file;
}

function load(file: DatabaseSync, tables: readonly Stored[]): void {
  const select = file.prepare("SELECT json FROM rows WHERE tableName = ?");
  for (const table of tables)
    for (const { json } of select.iterate(table.name)) table.load(JSON.parse(String(json)) as Row);
}

function writer(file: DatabaseSync): (tables: readonly Stored[]) => void {
  const put = file.prepare("INSERT OR REPLACE INTO rows (tableName, id, json) VALUES (?, ?, ?)");
  const remove = file.prepare("DELETE FROM rows WHERE tableName = ? AND id = ?");
  return (tables) => {
    const changed = tables.flatMap((table) => table.changes().map(([id, row]) => ({ table, id, row })));
    if (changed.length === 0) return;
    file.exec("BEGIN IMMEDIATE");
    try {
      for (const { table, id, row } of changed)
        if (row) put.run(table.name, id, JSON.stringify(row));
        else remove.run(table.name, id);
      file.exec("COMMIT");
    } catch (error) {
      // SQLite has taken the transaction back by itself after some errors, such as a full disk.
      if (file.isTransaction) file.exec("ROLLBACK");
      throw error;
    }
  };
}
