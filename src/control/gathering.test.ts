import assert from "node:assert/strict";
import { test } from "node:test";
import { DrivenClock } from "../sandbox/testing.ts";
import { Gathering, restfulPause } from "./gathering.ts";

/** Looks that end when the test says so, and who was part of them. */
function gatheringOf(pauseMs: (count: number) => number) {
  const clock = new DrivenClock();
  const looks: string[][] = [];
  const ends: (() => void)[] = [];
  const gathering = new Gathering<string>({
    clock,
    pauseMs,
    look: (items) => {
      looks.push([...items]);
      return new Promise((resolve) => ends.push(resolve));
    },
  });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { clock, gathering, looks, settle, end: (look: number) => ends[look]?.() };
}

test("what becomes due during a look goes into the next one together", async () => {
  const { gathering, looks, settle, end } = gatheringOf(() => 0);
  const done: string[] = [];
  void gathering.join("cell", ["a"]).then(() => done.push("a"));
  await settle();
  for (const item of ["b", "c", "d"]) void gathering.join("cell", [item]).then(() => done.push(item));
  await settle();
  assert.deepEqual(looks, [["a"]]);
  end(0);
  await settle();
  assert.deepEqual(looks, [["a"], ["b", "c", "d"]]);
  assert.deepEqual(done, ["a"]);
  end(1);
  await settle();
  assert.deepEqual(done, ["a", "b", "c", "d"]);
});

test("looks at a cell keep their distance, longer after a look at many; other cells do not wait", async () => {
  const { clock, gathering, looks, settle, end } = gatheringOf(restfulPause);
  void gathering.join(
    "cell",
    Array.from({ length: 10 }, (_, index) => `n${index}`),
  );
  await settle();
  end(0);
  void gathering.join("cell", ["late"]);
  void gathering.join("other", ["far"]);
  await settle();
  assert.deepEqual(looks.slice(1), [["far"]]);
  clock.advance(499);
  void gathering.join("cell", ["later"]);
  await settle();
  assert.equal(looks.length, 2);
  clock.advance(1);
  await settle();
  assert.deepEqual(looks[2], ["late", "later"]);
});

test("the end of all pauses is the end of this one", async () => {
  const { gathering, looks, settle, end } = gatheringOf(() => 60_000);
  const stopping = new AbortController();
  void gathering.join("cell", ["a"], stopping.signal);
  await settle();
  end(0);
  void gathering.join("cell", ["b"], stopping.signal);
  await settle();
  assert.equal(looks.length, 1);
  stopping.abort();
  await settle();
  assert.equal(looks.length, 2);
});

test("the pause keeps reads of one action below twenty a second", () => {
  for (let count = 1; count <= 400; count++) {
    const readsOfOneAction = Math.max(1, Math.min(count, 15), Math.ceil((5 * count) / 100));
    assert.ok((1000 * readsOfOneAction) / restfulPause(count) <= 20, `${count} networks`);
  }
});
