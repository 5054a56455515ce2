/**
 * One process at a time in a data folder. The embedded database has no such lock, and a second opener would
 * silently lose acknowledged rows. The lock is an exclusive transaction on a small SQLite file, which the
 * kernel drops with the process, however it ends: no stale lock can stay behind. Refuses a folder that
 * another process holds, at once.
 */
import { DatabaseSync } from "node:sqlite";
import { Failure } from "../domain/failure.ts";

export interface FolderLock {
  release(): void;
}

/** Takes the lock in `file`, which guards `folder`. Fails with `conflict` when another process has it. */
export function lockFolder(folder: string, file: string): FolderLock {
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    lock.exec("pragma journal_mode = delete; pragma locking_mode = exclusive; begin exclusive");
  } catch (thrown) {
    lock.close();
    throw refusal(folder, thrown);
  }
  return { release: () => lock.close() };
}

/** https://sqlite.org/rescode.html: 5 is SQLITE_BUSY. */
function refusal(folder: string, thrown: unknown): Failure {
  const code: unknown = thrown instanceof Error ? Reflect.get(thrown, "errcode") : undefined;
  if (code !== 5)
    return new Failure("unavailable", `The data folder ${folder} cannot be locked`, {
      hint: "Check that the folder may be written to and that its disk has space.",
      detail: String(thrown),
      cause: thrown,
    });
  return new Failure("conflict", `The data folder ${folder} is in use by another process`, {
    hint: "Stop the other one, give this one a folder of its own (--dataDir), or let both use one PostgreSQL (DATABASE_URL).",
    cause: thrown,
  });
}
