/** The embedded database in a folder: its lock, and that nothing answered is ever lost. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { openStore } from "./database.ts";
import { DurableNodeFS, durableStartParams, proveDurable } from "./durable.ts";
import { loopDisk } from "./testing/loopdisk.ts";
import { addTenant, failsWith } from "./testing/testdata.ts";
import { manualClock } from "./testing.ts";
import { YieldingPGlite } from "./yielding.ts";

const CHILD = fileURLToPath(new URL("./testing/acknowledging.ts", import.meta.url));

interface Acknowledging {
  readonly process: ChildProcess;
  /** What it said so far: "open", then the name of each tenant whose change was answered. */
  readonly said: string[];
  /** Resolves when it has said that many lines. */
  says(lines: number): Promise<void>;
  /** Ends it at once, by SIGKILL. */
  kill(): Promise<void>;
}

function startChild(dataDir: string, prefix: string): Acknowledging {
  const child = spawn(process.execPath, [CHILD, dataDir, prefix], { stdio: ["ignore", "pipe", "inherit"] });
  const said: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => said.push(line));
  const ended = Promise.all([once(child, "exit"), once(lines, "close")]);
  return {
    process: child,
    said,
    says: async (count) => {
      while (said.length < count) {
        const over = await Promise.race([once(lines, "line"), ended.then(() => "ended")]);
        if (over === "ended" && said.length < count) throw new Error("the child ended early");
      }
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Opens the folder and looks for every tenant that was acknowledged there. */
async function assertAllThere(dataDir: string, acknowledged: readonly string[]): Promise<void> {
  const store = await openStore({ clock: manualClock(), dataDir });
  try {
    const { items } = await store.tenants({ limit: 1_000_000, cursor: null });
    const there = new Set(items.map((tenant) => tenant.name));
    assert.deepEqual(
      acknowledged.filter((name) => !there.has(name)),
      [],
    );
  } finally {
    await store.close();
  }
}

// One folder for the first four, in their order: making a database takes seconds.
describe("a store in a folder", { timeout: 600_000 }, () => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "letsdata-store-"));
  const dataDir = path.join(home, "data");
  after(() => fs.rmSync(home, { recursive: true, force: true }));

  test("is not spoilt by a first start that was killed half-way", async () => {
    const child = startChild(dataDir, "unfinished");
    const begun = path.join(dataDir, "database.new", "PG_VERSION");
    while (!fs.existsSync(begun) && child.process.exitCode === null) await setImmediate();
    await child.kill();
    assert.deepEqual(child.said, []);
    assert.ok(!fs.existsSync(path.join(dataDir, "database")));
    await assertAllThere(dataDir, []);
    assert.ok(!fs.existsSync(path.join(dataDir, "database.new")));
  });

  test("keeps what was written, and gives its folder back when it is closed", async () => {
    const first = await openStore({ clock: manualClock(), dataDir });
    const { installation } = await first.settings();
    const tenant = await addTenant(first);
    await first.close();
    const second = await openStore({ clock: manualClock(), dataDir });
    assert.deepEqual(await second.tenantById(tenant.id), tenant);
    assert.equal((await second.settings()).installation, installation);
    await second.close();
  });

  test("refuses a second process, and is free at once when the first was killed", async () => {
    const child = startChild(dataDir, "held");
    try {
      await child.says(2);
      const refused = openStore({ clock: manualClock(), dataDir });
      await assert.rejects(refused, failsWith("conflict", new RegExp(`${dataDir} is in use`)));
      await assert.rejects(refused, (thrown: { hint?: string }) => /--dataDir/.test(thrown.hint ?? ""));
      await child.says(child.said.length + 2);
    } finally {
      await child.kill();
    }
    await assertAllThere(dataDir, child.said.slice(1));
  });

  test("loses nothing answered when it is killed", async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round++) {
      const child = startChild(dataDir, `round${round}`);
      await child.says(randomInt(1, 300));
      await child.kill();
      acknowledged.push(...child.said.slice(1));
      await assertAllThere(dataDir, acknowledged);
    }
  });

  test("loses nothing answered when the power is cut", async (t) => {
    const disk = loopDisk(512);
    if (typeof disk === "string") return t.skip(`power cut NOT tested: ${disk}`);
    try {
      const onDisk = path.join(disk.folder, "data");
      const acknowledged: string[] = [];
      for (let round = 0; round < 2; round++) {
        const child = startChild(onDisk, `round${round}`);
        await child.says(randomInt(1, 300)).finally(() => disk.cutPower());
        await child.kill();
        acknowledged.push(...child.said.slice(1));
        disk.powerOn();
        await assertAllThere(onDisk, acknowledged);
      }
    } finally {
      disk.remove();
    }
  });

  test("refuses to start when commits do not reach the disk", async () => {
    const folder = path.join(home, "stock");
    const unproven = failsWith("internal", /does not write its commits/);
    const stock = await PGlite.create({ fs: new NodeFS(folder) });
    await assert.rejects(proveDurable(stock, { syncs: 0 }), unproven);
    await stock.close();
    const files = new DurableNodeFS(folder);
    const withoutFsync = await PGlite.create({ fs: files });
    await assert.rejects(proveDurable(withoutFsync, files), unproven);
    await withoutFsync.close();
    const proven = new DurableNodeFS(folder);
    const durable = await PGlite.create({ fs: proven, startParams: durableStartParams() });
    await proveDurable(durable, proven);
    await durable.close();
  });

  test("leaves turns to everybody else while it is busy", async () => {
    const pglite = new YieldingPGlite();
    let turns = 0;
    const counting = (async () => {
      for (; !pglite.closed; turns++) await setImmediate();
    })();
    try {
      await pglite.waitReady;
      const before = turns;
      for (let index = 0; index < 200; index++) await pglite.query("select $1::int", [index]);
      assert.ok(turns - before >= 50, `${turns - before} turns`);
    } finally {
      await pglite.close();
      await counting;
    }
  });

  test("names a database URL and a folder together as a mistake", async () => {
    const both = openStore({ clock: manualClock(), dataDir: "/nowhere", databaseUrl: "postgres://nowhere" });
    await assert.rejects(both, failsWith("invalid", /not both/));
  });
});
