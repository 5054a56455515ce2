/**
 * The control plane is stopped at every point of its work on a write connector in a network that stands: storage that
 * grows, a function that somebody took away, a cluster that was lost, a connector deleted while its dataset stays
 * and built again. With the same strictness as in `crash.test.ts`. `FULL=1` takes all three sizes, and every point of
 * what is deleted and built again.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { VpcSize } from "../src/domain/model.ts";
import { create, drop } from "./support/acts.ts";
import { grow, leave, lose, rebuild, regain, replace } from "./support/connectorActs.ts";
import { openGround } from "./support/crash.ts";
import { type Act, dying, givenUp, Lives, type Points, standingStill, WINDOW_MS } from "./support/lives.ts";
import { HIDDEN_MS, portrait } from "./support/sights.ts";

const FULL = process.env.FULL === "1";
const SIZES: readonly VpcSize[] = FULL ? ["small", "medium", "large"] : ["small"];

/** Storage never shrinks, so that it grows when all else is over. */
const ACTS: readonly Act[] = [
  { name: "create", part: null, play: ({ ground, size }, options) => create(ground, { ...options, size }) },
  { name: "regain", part: "function", play: ({ ground }, options) => regain(ground, options) },
  { name: "lose", part: "cluster", play: ({ ground }, options) => lose(ground, options) },
  { name: "replace", part: "cluster", play: ({ ground }, options) => replace(ground, options) },
  { name: "leave", part: "network", isEnd: true, play: ({ ground }, options) => leave(ground, options) },
  { name: "rebuild", part: "network", play: ({ ground }, options) => rebuild(ground, options) },
  { name: "grow", part: "storage", play: ({ ground }, options) => grow(ground, options) },
  { name: "drop", part: null, isEnd: true, play: ({ ground }, options) => drop(ground, options) },
];

const DEATHS_IN_A_LIFE = FULL ? { rebuild: 2 } : {};
const PAUSES_IN_A_LIFE = { replace: 2, leave: 2, rebuild: 2 };

/** Of what a connector's end and its coming back share with a network's, which `crash.test.ts` stops everywhere. */
const ALSO: Points = {
  leave: [
    "detachFunction function/clicks-task unanswered",
    "deleteCluster cluster unanswered",
    "deleteVpc vpc before",
    "store markGone before",
  ],
  rebuild: [
    "createVpc vpc unanswered",
    "createCluster cluster unanswered",
    "attachFunction function/clicks-task unanswered",
    "store markReady before",
  ],
};

/** Neither a client token nor a natural key keeps these from being made twice. */
const LATE_CREATES = ["createVpc vpc", "createInternetGateway igw", "allocateAddress eip/1"].map(
  (create) => `${create} before`,
);

function unanswered(points: Points): Points {
  const kept = (some: readonly string[]) => some.filter((point) => point.endsWith(" unanswered"));
  return Object.fromEntries(Object.entries(points).map(([act, some]) => [act, kept(some)]));
}

for (const size of SIZES)
  describe(size, () => {
    let lives: Lives;
    /** Of the acts that are this file's own. */
    let points: Points;
    before(async () => {
      lives = await Lives.open(ACTS, size);
    });
    after(() => lives.close());

    test("a life that nobody stops", async (t) => {
      const { create: _create, drop: _drop, ...own } = await lives.measure();
      points = own;
      t.diagnostic(
        Object.entries(own)
          .flatMap(([act, { length }]) => `${act}: ${length} points`)
          .join(", "),
      );
      for (const act of ["regain", "replace", "rebuild"])
        assert.deepEqual(lives.portraitAfter(act), lives.portraitAfter("create"), act);
    });

    test("stopped and started again at its points: the same world, nothing twice, nothing left", async (t) => {
      const met = FULL ? points : { ...points, ...ALSO };
      t.diagnostic(await lives.meet(met, dying(DEATHS_IN_A_LIFE)));
    });

    for (const wakeAfter of [0, 2])
      test(`stands still at a point, wakes ${wakeAfter} rounds after another one took over: the same`, async (t) => {
        t.diagnostic(await lives.meet({ ...points, ...ALSO }, standingStill(wakeAfter, PAUSES_IN_A_LIFE)));
      });

    test("stopped and deleted with its dataset: nothing left", async (t) => {
      const { leave = [], ...others } = points;
      const chosen = FULL ? { ...others, ...ALSO, leave } : unanswered({ ...others, ...ALSO });
      t.diagnostic(await lives.giveUp(chosen, dying()));
    });

    test("stands still and wakes when its dataset is being deleted: nothing left", async (t) => {
      const chosen = { ...points, ...ALSO };
      t.diagnostic(await lives.giveUp(FULL ? chosen : unanswered(chosen), standingStill(3)));
    });

    test("stands still in the creation and wakes when all is built again: what comes too much goes", async (t) => {
      await lives.each(LATE_CREATES, async (point) => {
        const { ground } = lives.stage;
        const { windowMs } = standingStill(1).options([]);
        const { sleeper } = await givenUp(create(ground, { windowMs, size, pauseAt: [point], giveUp: true }));
        await leave(ground, { windowMs });
        await rebuild(ground, { windowMs, sleeper, wakeAfter: 1, mayBeTwice: true });
        assert.ok(
          sleeper?.passed.includes(point.replace("before", "unanswered")),
          "it made nothing any more",
        );
        assert.deepEqual(await portrait(ground), lives.portraitAfter("create"));
        await drop(ground, { windowMs });
      });
      t.diagnostic(`${LATE_CREATES.length} points`);
    });
  });

test("built again without the journal's wait there is something twice", async () => {
  const ground = await openGround({ unseenMsMin: HIDDEN_MS / 2, unseenMsMax: HIDDEN_MS });
  try {
    await create(ground, { windowMs: WINDOW_MS, size: "small" });
    await leave(ground, { windowMs: WINDOW_MS });
    const stopAt = ["createVpc vpc unanswered"];
    await assert.rejects(rebuild(ground, { windowMs: 0, stopAt }), /something twice/);
  } finally {
    await ground.close();
  }
});
