/**
 * The control plane is stopped at every point of its work on a network and started again: the world that comes of
 * it is the one of a run that nobody stopped, nothing is ever there twice, and nothing is left over. A point is
 * (operation, resource key, phase); a run without a stop lists them, and each must be met. New ids are unseen
 * for a random while of the test's clock. `FULL=1` takes all three sizes, and gives up at every point.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { VpcSize } from "../src/domain/model.ts";
import { accept, create, drop, unpeer } from "./support/acts.ts";
import { openGround } from "./support/crash.ts";
import { type Act, dying, Lives, type Points, standingStill, WINDOW_MS } from "./support/lives.ts";
import { HIDDEN_MS, portrait } from "./support/sights.ts";

const FULL = process.env.FULL === "1";
const SIZES: readonly VpcSize[] = FULL ? ["small", "medium", "large"] : ["small"];

const ACTS: readonly Act[] = [
  { name: "create", part: null, play: ({ ground, size }, options) => create(ground, { ...options, size }) },
  {
    name: "accept",
    part: "peering",
    async play(stage, options) {
      const played = await accept(stage.ground, { ...options, customerVpc: stage.customerVpc });
      stage.connectionId = played.connectionId;
      return played;
    },
  },
  {
    name: "unpeer",
    part: "peering",
    play: ({ ground, connectionId }, options) => unpeer(ground, { ...options, connectionId }),
  },
  { name: "drop", part: null, isEnd: true, play: ({ ground }, options) => drop(ground, options) },
];

/** A creation has most points, so that a life may have several stops of it, far from each other. */
const DEATHS_IN_A_LIFE = FULL ? { create: 2 } : { create: 8, drop: 4 };
const PAUSES_IN_A_LIFE = { create: 2 };

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
].map((create) => `${create} unanswered`);

/** Neither a client token nor a natural key keeps these from being made twice. */
const LATE_CREATES = ["createVpc vpc", "createInternetGateway igw", "allocateAddress eip/1"];

const STANDING_STILL: Points = {
  create: [
    "createVpc vpc before",
    "allocateAddress eip/1 before",
    "createNatGateway nat/2 subnet/public/2 unanswered",
    "createCluster cluster unanswered",
    "createTopic topic unanswered",
  ],
  drop: ["detachFunction function/clicks-task unanswered", "deleteVpc vpc before"],
};

for (const size of SIZES)
  describe(size, () => {
    let lives: Lives;
    let points: Points;
    before(async () => {
      lives = await Lives.open(ACTS, size);
    });
    after(() => lives.close());

    test("a life that nobody stops", async (t) => {
      points = await lives.measure();
      t.diagnostic(
        Object.entries(points)
          .flatMap(([act, { length }]) => `${act}: ${length} points`)
          .join(", "),
      );
      assert.deepEqual(lives.portraitAfter("unpeer"), lives.portraitAfter("create"));
    });

    test("stopped and started again at every point: the same world, nothing twice, nothing left", async (t) => {
      t.diagnostic(await lives.meet(points, dying(DEATHS_IN_A_LIFE)));
    });

    for (const wakeAfter of [0, 2])
      test(`stands still at a point, wakes ${wakeAfter} rounds after another one took over: the same`, async (t) => {
        const { create = [], drop = [] } = points;
        const chosen: Points = FULL ? { create, drop } : STANDING_STILL;
        t.diagnostic(await lives.meet(chosen, standingStill(wakeAfter, PAUSES_IN_A_LIFE)));
      });

    test("stands still for longer than the journal waits: what comes too much goes again", async (t) => {
      const chosen = FULL
        ? (points.create ?? []).filter((point) => /^(create|allocate)/.test(point))
        : LATE_CREATES.map((create) => `${create} before`);
      await lives.each(chosen, async (point) => {
        const { ground } = lives.stage;
        const options = { windowMs: WINDOW_MS, size, pauseAt: [point], wakeAfter: 12, mayBeTwice: true };
        const { stopped } = await create(ground, options);
        assert.deepEqual(stopped, [point], `never came to ${point}`);
        assert.deepEqual(await portrait(ground), lives.portraitAfter("create"));
        await drop(ground, { windowMs: WINDOW_MS });
      });
      t.diagnostic(`${chosen.length} points`);
    });

    test("stopped in the middle of its creation and deleted: nothing left", async (t) => {
      t.diagnostic(await lives.giveUp({ create: FULL ? (points.create ?? []) : ONE_OF_EACH_KIND }, dying()));
    });

    test("stands still in the middle of its creation and wakes during the deletion: nothing left", async (t) => {
      const late = (points.create ?? []).filter((point) => /^\S+ .* before$/.test(point));
      const create = FULL ? late : LATE_CREATES.map((step) => `${step} before`);
      t.diagnostic(await lives.giveUp({ create }, standingStill(3)));
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
