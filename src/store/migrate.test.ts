/** Migrations: several processes at once, files that changed, and a program older than its database. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { sql } from "kysely";
import { openStore } from "./database.ts";
import { type Migration, migrate, migrations } from "./migrate.ts";
import { failsWith } from "./testing/testdata.ts";
import { manualClock, postgresDatabases, stores } from "./testing.ts";

const further = (text: string): Migration => {
  const number = migrations().length + 1;
  return { number, name: "further", sha256: "0".repeat(64), text };
};
const nothing = async () => {};

for (const database of stores(process.env)) {
  describe(`migrations on ${database.kind}`, { skip: database.skip }, () => {
    before(database.start);
    after(database.stop);

    test("what is missing is applied once, and all of it or nothing", async () => {
      const session = await database.fresh();
      const bad = [...migrations(), further("create table extra (id integer); select 1 / 0")];
      await assert.rejects(migrate(session, bad, nothing), failsWith("internal"));
      const wanted = [
        ...migrations(),
        further("create table extra (id integer); insert into extra values (1)"),
      ];
      await migrate(session, wanted, nothing);
      await migrate(session, wanted, nothing);
      const rows = await sql<{ id: number }>`select id from extra`.execute(session.db);
      assert.deepEqual(rows.rows, [{ id: 1 }]);
    });

    test("a program older than the schema is refused, naming both versions", async () => {
      const session = await database.fresh();
      const here = migrations().length;
      await migrate(session, [...migrations(), further("select 1")], nothing);
      const refused = failsWith("conflict", new RegExp(`schema ${here + 1}.* up to ${here}$`));
      await assert.rejects(migrate(session, migrations(), nothing), refused);
    });

    test("a migration that changed after it was applied is refused", async () => {
      const session = await database.fresh();
      const changed = migrations().map((migration) => ({ ...migration, sha256: "1".repeat(64) }));
      await assert.rejects(
        migrate(session, changed, nothing),
        failsWith("conflict", /0*1 \(start\) was changed/),
      );
    });
  });
}

describe("migration files", () => {
  test("a gap in the numbers is refused", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "letsdata-migrations-"));
    try {
      for (const file of ["0001_a.sql", "0003_c.sql"]) fs.writeFileSync(path.join(folder, file), "select 1");
      assert.throws(() => migrations(pathToFileURL(`${folder}/`)), failsWith("internal", /number 2/));
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

const databases = postgresDatabases(process.env);
describe("many processes starting at once on postgres", { skip: databases.skip }, () => {
  before(databases.start);
  after(databases.stop);

  test("one migrates, the others wait, and all see one installation", async () => {
    const databaseUrl = await databases.create();
    const opened = await Promise.all(
      Array.from({ length: 6 }, () => openStore({ clock: manualClock(), databaseUrl })),
    );
    const settings = await Promise.all(opened.map((store) => store.settings()));
    assert.equal(new Set(settings.map((one) => one.installation)).size, 1);
    await Promise.all(opened.map((store) => store.close()));
  });
});
