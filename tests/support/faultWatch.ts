/**
 * What is seen of the one dataset of a fault story while it is waited for: its statuses and what was blocked are noted,
 * and nothing of ours may ever be there twice. Waits by the clock that leaps, and fails when it has waited in vain.
 */
import assert from "node:assert/strict";
import type { NetworkStatus } from "../../src/store/store.ts";
import { countsByKey, type FaultGround, UNSEEN_MS } from "./faultGround.ts";
import { oneOfEach, present, sortedEntries } from "./networks.ts";

/** By the leaping clock; twenty faults with a minute between them are twenty minutes. */
const PATIENCE_MS = 3 * 3_600_000;

export class Watch {
  readonly statuses = new Set<string>();
  /** `resource: message` of what was blocked on the way. */
  readonly blocked = new Set<string>();
  readonly #ground: FaultGround;
  readonly #of: { readonly tenantId: string; readonly datasetName: string };
  readonly #lookMs: number;

  constructor(
    ground: FaultGround,
    of: { readonly tenantId: string; readonly datasetName: string },
    lookMs: number,
  ) {
    this.#ground = ground;
    this.#of = of;
    this.#lookMs = lookMs;
  }

  /** A caller whose wish was refused because the cloud could not be looked at asks again. */
  async insist(wish: () => Promise<unknown>): Promise<void> {
    await this.until("the wish", async () => {
      try {
        await wish();
        return true;
      } catch (error) {
        if (Reflect.get(Object(error), "code") === "unavailable") return false;
        throw error;
      }
    });
  }

  get #scope() {
    return this.#ground.store.tenant(this.#of.tenantId);
  }

  dataset() {
    return this.#scope.dataset(this.#of.datasetName);
  }

  /** The living one, or the last. */
  async network() {
    return this.#scope.network(present(await this.dataset()).id);
  }

  async status(): Promise<NetworkStatus> {
    const status = await this.#scope.status(present(await this.dataset()).id);
    return status ?? { networkId: "", conditions: [], world: null, observedAt: null };
  }

  async wish(connectionId: string) {
    return (await this.network())?.peerings.find((one) => one.connectionId === connectionId);
  }

  async atRest(): Promise<boolean> {
    const { conditions } = await this.status();
    const ready = conditions.length > 0 && conditions.every(({ state }) => state === "ready");
    return ready && (await this.dataset())?.status === "ACTIVE";
  }

  /** Whether everything was looked at since. */
  async lookedSince(moment: number): Promise<boolean> {
    const { world } = await this.status();
    return world !== null && Object.values(world.lookedAt).every((at) => at > moment);
  }

  /** What the product cannot put right by itself, and says so. */
  untilLost(what: RegExp): Promise<void> {
    return this.until(String(what), async () => {
      const cluster = (await this.status()).conditions.find(({ resource }) => resource === "cluster");
      return cluster?.state === "blocked" && what.test(cluster.message);
    });
  }

  async until(what: string, ask: () => Promise<boolean>): Promise<void> {
    const { clock } = this.#ground;
    const deadline = clock.now() + PATIENCE_MS;
    while (!(await ask())) {
      await this.#note();
      if (clock.now() > deadline) throw new Error(`waited in vain: ${what}; ${await this.#open()}`);
      await clock.sleep(this.#lookMs);
    }
  }

  async #open(): Promise<string> {
    const { conditions } = await this.status();
    const open = conditions.filter(({ state }) => state !== "ready");
    return open.map(({ resource, state, message }) => `${resource} ${state}: ${message}`).join("; ");
  }

  async #note(): Promise<void> {
    const dataset = await this.dataset();
    if (!dataset) return;
    this.statuses.add(dataset.status);
    for (const { resource, state, message } of (await this.status()).conditions)
      if (state === "blocked") this.blocked.add(`${resource}: ${message}`);
    const twice = [...(await countsByKey(this.#ground))].filter(([, count]) => count > 1);
    assert.deepEqual(twice, [], "there is something twice");
  }

  async assertOneOfEach(): Promise<void> {
    const counts = await countsByKey(this.#ground);
    assert.deepEqual(sortedEntries(counts), sortedEntries(oneOfEach(["cluster"])));
  }

  async assertNothingLeft(): Promise<void> {
    await this.#ground.clock.sleep(UNSEEN_MS);
    assert.deepEqual(sortedEntries(await countsByKey(this.#ground)), []);
  }
}
