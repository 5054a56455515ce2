/**
 * `kill -9` of a control plane at random moments, while the cloud and the data live on: with the embedded
 * database, with PostgreSQL, and of one of two control planes on one PostgreSQL. After each, the work comes to
 * its end by itself: one of each thing, or nothing. The seed is printed; `KILL_SEED` repeats it, `FULL=1` kills
 * fifty times.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "../src/contract/client.ts";
import { postgresDatabases } from "../src/store/testing.ts";
import { CUSTOMER } from "./support/house.ts";
import { oneOfEach, oursByKey, present, sortedEntries } from "./support/networks.ts";
import { seeded, Victims, type VictimsOptions } from "./support/victims.ts";

const KILLS = process.env.FULL === "1" ? 50 : 3;
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000);
/** Most of the time passes in waiting for the lease of the dead one to run out, 30 s. */
const LONGEST_MS = KILLS * 120_000 + 240_000;

/** About how long each act takes here: the kill comes within that time, milliseconds. */
const ACTS = { create: 8_000, accept: 3_000, delete: 5_000 } as const;
type Act = keyof typeof ACTS;

const datasetName = "Clicks";

class Kills {
  readonly #victims: Victims;
  readonly #random: () => number;
  readonly #told: (line: string) => void;
  #connection = "";

  constructor(victims: Victims, random: () => number, told: (line: string) => void) {
    this.#victims = victims;
    this.#random = random;
    this.#told = told;
  }

  async run(options: VictimsOptions): Promise<void> {
    const acts = Object.keys(ACTS) as Act[];
    for (let number = 0; number < KILLS; number++) {
      const act = present(acts[number % acts.length]);
      if (act === "accept") await this.#request();
      const victim = Math.floor(this.#random() * options.planes);
      const moment = Math.round(this.#random() * ACTS[act]);
      this.#told(`${act}: control plane ${victim} after ${moment} ms`);
      await this.#killed(victim, moment, (api) => this.#wish(act, api));
      // Where another one lives it must come to the end alone.
      if (options.planes === 1) await this.#victims.startAll();
      await this.#victims.insist(act, (api) => this.#wish(act, api));
      await this.#ended(act);
      await this.#victims.startAll();
    }
  }

  /** The wish goes to one that lives then; its answer may be lost with it. */
  async #killed(victim: number, moment: number, wish: (api: ApiClient) => Promise<unknown>): Promise<void> {
    const asked = wish(this.#victims.api).catch(() => {});
    await sleep(moment);
    await this.#victims.kill(victim);
    await asked;
  }

  #wish(act: Act, api: ApiClient): Promise<unknown> {
    if (act === "accept")
      return api.call("vpcPeeringConnections.accept", {
        datasetName,
        vpcPeeringConnectionId: this.#connection,
      });
    if (act === "delete") return api.call("datasets.delete", { datasetName });
    return api.call("datasets.create", {
      datasetName,
      region: "us-east-1",
      customerAccountForAccess: CUSTOMER,
      writeConnector: { connectorDestination: "Kafka", kafka: { clusterType: "none" } },
    });
  }

  async #request(): Promise<void> {
    const { items } = await this.#victims.api.call("vpcs.list", { datasetName });
    const { vpcId, ownerId } = present(items[0]);
    this.#connection = await this.#victims.request(present(vpcId), present(ownerId), "172.20.0.0/16");
  }

  async #ended(act: Act): Promise<void> {
    const victims = this.#victims;
    await victims.until(`the end of ${act}`, async () => {
      const { status, conditions } = await victims.api.call("datasets.view", { datasetName });
      assertNothingTwice(await oursByKey(victims));
      if (act === "delete") return status === "DELETED";
      if (status !== "ACTIVE") return false;
      if (act === "accept" && !(await this.#isActive())) return false;
      return conditions.every(({ resource, state }) => state === "ready" || resource.endsWith("/dns"));
    });
    const expected = act === "delete" ? new Map<string, number>() : oneOfEach();
    assert.deepEqual(sortedEntries(await oursByKey(victims)), sortedEntries(expected));
  }

  async #isActive(): Promise<boolean> {
    const { items } = await this.#victims.api.call("vpcPeeringConnections.list", { datasetName });
    return items.some(
      ({ vpcPeeringConnectionId, status }) =>
        vpcPeeringConnectionId === this.#connection && status === "ACTIVE",
    );
  }
}

function assertNothingTwice(ours: ReadonlyMap<string, number>): void {
  assert.deepEqual(
    [...ours].filter(([, count]) => count > 1),
    [],
  );
}

async function killed(options: VictimsOptions, told: (line: string) => void): Promise<void> {
  const victims = await Victims.open(options);
  try {
    await new Kills(victims, seeded(SEED), told).run(options);
  } finally {
    await victims.close();
  }
}

describe("kill -9", { concurrency: true, timeout: LONGEST_MS }, () => {
  const databases = postgresDatabases(process.env);
  const timeout = LONGEST_MS;
  const { skip } = databases;
  const urls: string[] = [];
  before(async () => {
    if (skip) return;
    await databases.start();
    for (const _ of [1, 2]) urls.push(await databases.create());
  });
  after(() => databases.stop());

  test(`${KILLS} times, embedded database`, { timeout }, async (t) => {
    t.diagnostic(`KILL_SEED=${SEED}`);
    await killed({ planes: 1 }, (line) => t.diagnostic(line));
  });

  test(`${KILLS} times, PostgreSQL`, { skip, timeout }, async (t) => {
    await killed({ planes: 1, databaseUrl: present(urls[0]) }, (line) => t.diagnostic(line));
  });

  test(`${KILLS} times, one of two on one PostgreSQL`, { skip, timeout }, async (t) => {
    await killed({ planes: 2, databaseUrl: present(urls[1]) }, (line) => t.diagnostic(line));
  });
});
