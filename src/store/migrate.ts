/**
 * Brings the schema up to this program's version: the numbered SQL files of `migrations/`, each run once, in
 * one transaction, under a lock, so that several processes may start at once. Promises that files once
 * applied are append-only: their SHA-256 is kept, and a changed one is refused. Refuses a database whose
 * schema is newer than this program, because it would write what the newer one does not expect.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { type Kysely, sql } from "kysely";
import { Failure } from "../domain/failure.ts";
import type { Session, Tables } from "./tables.ts";

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sha256: string;
  readonly text: string;
}

type Applied = Pick<Migration, "number" | "name" | "sha256">;

const FOLDER = new URL("../../migrations/", import.meta.url);
const FILE = /^(\d{4})_([a-z0-9_]+)\.sql$/;

/** Any number, the same in every process of every version. */
const LOCK = 7_351_204_418;

/** The files of `folder`, lowest number first. Throws on a gap: a number is never left out. */
export function migrations(folder: URL = FOLDER): readonly Migration[] {
  const files = readdirSync(folder).filter((file) => FILE.test(file));
  return files.sort().map((file, index) => {
    const text = readFileSync(new URL(file, folder), "utf8");
    const [, digits = "", name = ""] = FILE.exec(file) ?? [];
    if (Number(digits) !== index + 1)
      throw new Failure("internal", `Migration ${file} should have number ${index + 1}`);
    return { number: index + 1, name, text, sha256: createHash("sha256").update(text).digest("hex") };
  });
}

/**
 * Applies what is missing, then calls `afterwards` in the same transaction. Rejects with `conflict` when the
 * database is newer than this program or was made by other files.
 */
export async function migrate(
  session: Session,
  wanted: readonly Migration[],
  afterwards: (session: Session) => Promise<void>,
): Promise<void> {
  await session.db.transaction().execute(async (db) => {
    await sql`select pg_advisory_xact_lock(${LOCK})`.execute(db);
    const applied = await readApplied(db);
    refuseNewer(applied, wanted);
    refuseChanged(applied, wanted);
    for (const migration of wanted.slice(applied.length)) await apply({ ...session, db }, migration);
    await afterwards({ ...session, db });
  });
}

async function readApplied(db: Kysely<Tables>): Promise<readonly Applied[]> {
  const made = await sql<{ made: boolean }>`select to_regclass('migration') is not null as made`.execute(db);
  if (!made.rows[0]?.made) {
    await sql`create table migration (
      number integer primary key, name text not null, sha256 text not null, applied_at bigint not null
    )`.execute(db);
    return [];
  }
  return db.selectFrom("migration").select(["number", "name", "sha256"]).orderBy("number").execute();
}

async function apply({ db, clock }: Session, migration: Migration): Promise<void> {
  await sql.raw(migration.text).execute(db);
  const { number, name, sha256 } = migration;
  await db.insertInto("migration").values({ number, name, sha256, appliedAt: clock.now() }).execute();
}

function refuseNewer(applied: readonly Applied[], wanted: readonly Migration[]): void {
  const has = applied.at(-1)?.number ?? 0;
  const knows = wanted.at(-1)?.number ?? 0;
  if (has <= knows) return;
  throw new Failure("conflict", `The database has schema ${has}, this program knows only up to ${knows}`, {
    hint: "A newer letsdata has used this database: start that version, or a newer one.",
  });
}

function refuseChanged(applied: readonly Applied[], wanted: readonly Migration[]): void {
  const changed = applied.find((row, index) => row.sha256 !== wanted[index]?.sha256);
  if (changed === undefined) return;
  throw new Failure(
    "conflict",
    `Migration ${changed.number} (${changed.name}) was changed after it was applied`,
    {
      hint: "Put the file back as it was, and add a new migration with the next number.",
    },
  );
}
