/**
 * The control plane is stopped at every point of its work and started again: the world that comes of it is the
 * one of a run that nobody stopped, nothing is ever there twice, and nothing is left over. A point is
 * (operation, resource key, phase); a run without a stop lists them, and each must be met. New ids are unseen
 * for a random while of the test's clock. `FULL=1` takes all three sizes, and gives up at every point.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { VpcSize } from "../src/domain/model.ts";
import {
  accept,
  create,
  createAndGiveUp,
  customerVpc,
  drop,
  HIDDEN_MS,
  type Played,
  portrait,
  unpeer,
} from "./support/acts.ts";
import { type Ground, openGround } from "./support/crash.ts";

const FULL = process.env.FULL === "1";
const SIZES: readonly VpcSize[] = FULL ? ["small", "medium", "large"] : ["small"];

/** Longer than anything is hidden here, as the default of 300 s is longer than AWS hides anything. */
const windowMs = HIDDEN_MS + 30_000;

const ACTS = ["create", "accept", "unpeer", "drop"] as const;
type Act = (typeof ACTS)[number];

/** Where each act of one life is stopped; not at all where nothing is said. */
type Stops = Partial<Record<Act, string>>;

interface Life {
  readonly played: Partial<Record<Act, Played>>;
  /** What the cloud showed after each act. */
  readonly portraits: Partial<Record<Act, unknown>>;
}

class Stage {
  readonly ground: Ground;
  readonly #customerVpc: string;

  private constructor(ground: Ground, vpcId: string) {
    this.ground = ground;
    this.#customerVpc = vpcId;
  }

  static async open(seed = 1): Promise<Stage> {
    const ground = await openGround({ unseenMsMin: 0, unseenMsMax: HIDDEN_MS, seed });
    return new Stage(ground, await customerVpc(ground));
  }

  /** One dataset from its creation to its end. The peering's two acts are left out when `peers` is false. */
  async life(size: VpcSize, stops: Stops, peers: boolean): Promise<Life> {
    const { ground } = this;
    const life: { played: Life["played"]; portraits: Life["portraits"] } = { played: {}, portraits: {} };
    const note = async (act: Act, played: Played): Promise<void> => {
      life.played[act] = played;
      if (act !== "drop") life.portraits[act] = await portrait(ground);
    };
    const at = (act: Act) => ({ windowMs, stopAt: stops[act] });
    await note("create", await create(ground, { ...at("create"), size }));
    if (peers) {
      const accepted = await accept(ground, { ...at("accept"), customerVpc: this.#customerVpc });
      await note("accept", accepted);
      await note("unpeer", await unpeer(ground, { ...at("unpeer"), connectionId: accepted.connectionId }));
    }
    await note("drop", await drop(ground, at("drop")));
    return life;
  }

  close(): Promise<void> {
    return this.ground.close();
  }
}

let stage: Stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage.close());

function unique(points: readonly string[] = []): string[] {
  return [...new Set(points)];
}

/** Lives that together stop at every point of every act. */
function lives(points: Readonly<Record<Act, readonly string[]>>): Stops[] {
  const count = Math.max(...ACTS.map((act) => points[act].length));
  return Array.from({ length: count }, (_, index) =>
    Object.fromEntries(
      ACTS.flatMap((act) => {
        const point = points[act][index];
        return point === undefined ? [] : [[act, point]];
      }),
    ),
  );
}

/** Fails with all that went wrong, each with the points it was stopped at. */
async function each<T>(runs: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
  const failures: string[] = [];
  for (const one of runs) {
    try {
      await run(one);
    } catch (error) {
      failures.push(`${JSON.stringify(one)}: ${error instanceof Error ? error.message : String(error)}`);
      await stage.close();
      stage = await Stage.open(failures.length + 1);
      if (failures.length === MOST_FAILURES) break;
    }
  }
  assert.deepEqual(failures, []);
}

const MOST_FAILURES = 8;

for (const size of SIZES)
  describe(size, () => {
    let clean: Life;
    let points: Record<Act, string[]>;

    test("a life that nobody stops", async (t) => {
      clean = await stage.life(size, {}, true);
      const of = (act: Act) => unique(clean.played[act]?.passed);
      points = { create: of("create"), accept: of("accept"), unpeer: of("unpeer"), drop: of("drop") };
      t.diagnostic(ACTS.map((act) => `${act}: ${points[act].length} points`).join(", "));
      assert.deepEqual(clean.portraits.unpeer, clean.portraits.create);
    });

    test("stopped at each point and started again: the same world, nothing twice, nothing left", async (t) => {
      const met = new Set<string>();
      await each(lives(points), async (stops) => {
        const peers = stops.accept !== undefined || stops.unpeer !== undefined;
        const life = await stage.life(size, stops, peers);
        for (const act of ACTS) {
          const stop = stops[act];
          if (stop === undefined) continue;
          assert.ok(life.played[act]?.stopped, `${act} never came to ${stop}`);
          met.add(`${act} ${stop}`);
        }
        for (const act of ["create", "accept", "unpeer"] as const)
          if (life.portraits[act]) assert.deepEqual(life.portraits[act], clean.portraits[act], act);
      });
      const all = ACTS.flatMap((act) => points[act].map((point) => `${act} ${point}`));
      assert.deepEqual(
        all.filter((point) => !met.has(point)),
        [],
        "points that were not met",
      );
      t.diagnostic(`${met.size} points met`);
    });

    test("stopped in the middle of its creation and deleted: nothing left", async (t) => {
      const creates = points.create.filter((point) => /^(create|allocate)/.test(point));
      const chosen = FULL ? points.create : creates.filter((point) => point.endsWith("unanswered"));
      await each(chosen, async (stopAt) => {
        const { stopped } = await createAndGiveUp(stage.ground, { windowMs, stopAt, size });
        assert.ok(stopped, `never came to ${stopAt}`);
      });
      t.diagnostic(`${chosen.length} points`);
    });
  });

/** Things without a client token and without a natural key are where a second one would come from. */
describe("without the journal's wait", () => {
  for (const point of ["createVpc vpc", "createInternetGateway igw", "allocateAddress eip/0"])
    test(`${point} is made twice`, async () => {
      const ground = await openGround({ unseenMsMin: HIDDEN_MS / 2, unseenMsMax: HIDDEN_MS });
      try {
        const stopAt = `${point} unanswered`;
        await assert.rejects(create(ground, { windowMs: 0, stopAt, size: "small" }), /something twice/);
      } finally {
        await ground.close();
      }
    });
});
