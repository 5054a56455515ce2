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
  createAndTidy,
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

/** Where each act of one life is stopped. */
type Stops = Readonly<Record<Act, readonly string[]>>;

const NO_STOPS: Stops = { create: [], accept: [], unpeer: [], drop: [] };

/** A creation has most points, so that a life may have several stops of it, far from each other. */
const STOPS_IN_A_LIFE: Readonly<Record<Act, number>> = FULL
  ? { create: 1, accept: 1, unpeer: 1, drop: 1 }
  : { create: 4, accept: 1, unpeer: 1, drop: 2 };

const ONE_OF_EACH_KIND = [
  "createVpc vpc",
  "createInternetGateway igw",
  "allocateAddress eip/0",
  "createSubnet subnet/public/1",
  "createRouteTable table/private/2",
  "createGroup group/peers",
  "createNatGateway nat/0 subnet/public/0",
  "createEndpoint endpoint/s3",
  "createCluster cluster",
  "createTopic topic",
];

/** More than the lease and two rounds of the one who takes over. */
const STANDSTILL_MS = 150_000;

/** Neither a client token nor a natural key keeps these from being made twice. */
const LATE_CREATES = ["createVpc vpc", "createInternetGateway igw", "allocateAddress eip/1"];

const STANDING_STILL = [
  "createVpc vpc before",
  "allocateAddress eip/1 before",
  "createNatGateway nat/2 subnet/public/2 unanswered",
  "createCluster cluster unanswered",
  "createTopic topic unanswered",
  "detachFunction function/clicks-task unanswered",
  "deleteVpc vpc before",
];

/** The lives are told in as many tests, so that none takes long. */
const PARTS = 6;

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
function lives(points: Stops): Stops[] {
  const count = Math.max(...ACTS.map((act) => Math.ceil(points[act].length / STOPS_IN_A_LIFE[act])));
  const every = (act: Act) => Math.ceil(points[act].length / STOPS_IN_A_LIFE[act]);
  const stopsOf = (act: Act, life: number) => points[act].filter((_, index) => index % every(act) === life);
  return Array.from({ length: count }, (_, life) => ({
    create: stopsOf("create", life),
    accept: stopsOf("accept", life),
    unpeer: stopsOf("unpeer", life),
    drop: stopsOf("drop", life),
  }));
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
    let points: Stops;
    const met = new Set<string>();

    test("a life that nobody stops", async (t) => {
      clean = await stage.life(size, NO_STOPS, true);
      const of = (act: Act) => unique(clean.played[act]?.passed);
      points = { create: of("create"), accept: of("accept"), unpeer: of("unpeer"), drop: of("drop") };
      t.diagnostic(ACTS.map((act) => `${act}: ${points[act].length} points`).join(", "));
      assert.deepEqual(clean.portraits.unpeer, clean.portraits.create);
    });

    const lived = async (stops: Stops): Promise<void> => {
      const peers = stops.accept.length + stops.unpeer.length > 0;
      const life = await stage.life(size, stops, peers);
      for (const act of ACTS) for (const point of life.played[act]?.stopped ?? []) met.add(`${act} ${point}`);
      for (const act of ["create", "accept", "unpeer"] as const)
        if (life.portraits[act]) assert.deepEqual(life.portraits[act], clean.portraits[act], act);
    };

    for (let part = 0; part < PARTS; part++)
      test(`stopped and started again: the same world, nothing twice, nothing left; ${part + 1} of ${PARTS}`, () =>
        each(
          lives(points).filter((_, index) => index % PARTS === part),
          lived,
        ));

    test("every point was met", async (t) => {
      const missed = () =>
        ACTS.flatMap((act) =>
          points[act].filter((point) => !met.has(`${act} ${point}`)).map((point) => ({ act, point })),
        );
      // What was under way at one stop is carried out, and is not there to be stopped at any more.
      const alone = missed().map(({ act, point }) => ({ ...NO_STOPS, [act]: [point] }));
      await each(alone, lived);
      assert.deepEqual(missed(), []);
      t.diagnostic(`${met.size} points, ${alone.length} of them in a life of their own`);
    });

    test("stands still at a point, wakes when another one has taken over: the same world, nothing twice", async (t) => {
      const chosen = (act: Act) =>
        FULL
          ? points[act]
          : points[act].filter((point) => STANDING_STILL.some((one) => point.startsWith(one)));
      const runs = [0, 2].flatMap((wakeAfter) =>
        [...chosen("create"), ...chosen("drop")].map((pauseAt) => ({ wakeAfter, pauseAt })),
      );
      await each(runs, async (pause) => {
        const inCreation = points.create.includes(pause.pauseAt);
        const longer = { windowMs: windowMs + STANDSTILL_MS };
        const created = await create(stage.ground, { ...longer, size, ...(inCreation ? pause : {}) });
        assert.deepEqual(await portrait(stage.ground), clean.portraits.create);
        const dropped = await drop(stage.ground, { ...longer, ...(inCreation ? {} : pause) });
        const { stopped } = inCreation ? created : dropped;
        assert.deepEqual(stopped, [pause.pauseAt], `never came to ${pause.pauseAt}`);
      });
      t.diagnostic(`${runs.length} cases`);
    });

    test("stands still for longer than the journal waits: what comes too much goes again", async (t) => {
      const chosen = FULL
        ? points.create.filter((point) => /^(create|allocate)/.test(point))
        : LATE_CREATES.map((create) => `${create} before`);
      await each(chosen, async (pauseAt) => {
        const options = { windowMs, size, pauseAt, wakeAfter: 12, mayBeTwice: true };
        const { stopped } = await createAndTidy(stage.ground, options);
        assert.deepEqual(stopped, [pauseAt], `never came to ${pauseAt}`);
        assert.deepEqual(await portrait(stage.ground), clean.portraits.create);
        await drop(stage.ground, { windowMs });
      });
      t.diagnostic(`${chosen.length} points`);
    });

    test("stopped in the middle of its creation and deleted: nothing left", async (t) => {
      const chosen = FULL ? points.create : ONE_OF_EACH_KIND.map((create) => `${create} unanswered`);
      await each(chosen, async (stopAt) => {
        const { stopped } = await createAndGiveUp(stage.ground, { windowMs, stopAt: [stopAt], size });
        assert.deepEqual(stopped, [stopAt], `never came to ${stopAt}`);
      });
      t.diagnostic(`${chosen.length} points`);
    });
  });

/** What has neither a client token nor a natural key would be made twice; the first of them shows it. */
test("without the journal's wait there is something twice", async () => {
  const ground = await openGround({ unseenMsMin: HIDDEN_MS / 2, unseenMsMax: HIDDEN_MS });
  try {
    const stopAt = ["createVpc vpc unanswered"];
    await assert.rejects(create(ground, { windowMs: 0, stopAt, size: "small" }), /something twice/);
  } finally {
    await ground.close();
  }
});
