import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FairQueue, RANKS, type Rank, TURN } from "./fairQueue.ts";

interface Waiter {
  readonly network: string;
  readonly rank: Rank;
  readonly number: number;
}

const arrivals = fc.array(
  fc.record({
    network: fc.constantFrom("a", "b", "c", "d", "e"),
    rank: fc.constantFrom(...RANKS),
    served: fc.boolean(),
    leaves: fc.boolean(),
  }),
  { maxLength: 200 },
);

/** Arrivals, and between them calls that are served and waiters that leave. */
function played(steps: readonly { network: string; rank: Rank; served: boolean; leaves: boolean }[]) {
  const queue = new FairQueue<Waiter>();
  const added: Waiter[] = [];
  const served: Waiter[] = [];
  const left: Waiter[] = [];
  for (const [now, { network, rank, served: serves, leaves }] of steps.entries()) {
    const waiter = { network, rank, number: added.length };
    queue.add(waiter, { network, rank, now });
    added.push(waiter);
    if (serves) served.push(...[queue.next()].flatMap((one) => one ?? []));
    if (leaves && !served.includes(waiter)) {
      queue.leave(waiter, { network, rank, now });
      left.push(waiter);
    }
  }
  for (let next = queue.next(); next; next = queue.next()) served.push(next);
  assert.equal(queue.size, 0);
  return { added, served, left };
}

test("nobody is lost and nobody is served twice", () => {
  fc.assert(
    fc.property(arrivals, (steps) => {
      const { added, served, left } = played(steps);
      const numbers = [...served, ...left].map(({ number }) => number).sort((a, b) => a - b);
      assert.deepEqual(
        numbers,
        added.map(({ number }) => number),
      );
    }),
  );
});

test("a network's calls of one rank keep their order", () => {
  fc.assert(
    fc.property(arrivals, (steps) => {
      const { served } = played(steps);
      for (const lane of Map.groupBy(served, ({ network, rank }) => `${rank} ${network}`).values()) {
        const numbers = lane.map(({ number }) => number);
        assert.deepEqual(
          numbers,
          [...numbers].sort((a, b) => a - b),
        );
      }
    }),
  );
});

test("a newcomer waits for one turn of each network before it, whatever they want", () => {
  const crowds = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(crowds, (crowd) => {
      const queue = new FairQueue<string>();
      for (const [index, calls] of crowd.entries())
        for (let call = 0; call < calls; call++)
          queue.add(`crowd`, { network: `net-${index}`, rank: "normal", now: 0 });
      queue.add("newcomer", { network: "new", rank: "normal", now: 0 });
      const most = crowd.reduce((sum, calls) => sum + Math.min(calls, TURN), 0);
      let before = 0;
      while (queue.next() !== "newcomer") before += 1;
      assert.equal(before, most);
    }),
  );
});

test("what is not urgent gets every fourth place at least", () => {
  const queue = new FairQueue<Rank>();
  for (let call = 0; call < 30; call++) queue.add("normal", { network: "making", rank: "normal", now: 0 });
  for (let call = 0; call < 500; call++) queue.add("urgent", { network: `n${call}`, rank: "urgent", now: 0 });
  const first = Array.from({ length: 100 }, () => queue.next());
  assert.equal(first.filter((rank) => rank === "normal").length, 25);
  assert.deepEqual(first.slice(0, 4), ["urgent", "urgent", "urgent", "normal"]);
});

test("says about how many go before one", () => {
  const queue = new FairQueue<string>();
  const at = (network: string, rank: Rank = "normal") => ({ network, rank, now: 0 });
  for (let call = 0; call < 100; call++) queue.add(`noisy${call}`, at("noisy"));
  for (let call = 0; call < 2; call++) queue.add(`quiet${call}`, at("quiet"));
  assert.equal(queue.ahead("noisy0", at("noisy")), 0);
  assert.equal(queue.ahead("quiet1", at("quiet")), TURN + 1);
  assert.equal(queue.ahead("noisy99", at("noisy")), 99 + 2);
  queue.add("now", at("other", "urgent"));
  assert.equal(queue.ahead("quiet1", at("quiet")), TURN + 2);
});

test("a network that left finds its place again for half a minute, and not for longer", () => {
  for (const [away, place] of [
    [30_000, 1],
    [30_001, 2],
  ] as const) {
    const queue = new FairQueue<string>();
    for (const network of ["first", "second", "third"])
      queue.add(network, { network, rank: "normal", now: 0 });
    queue.leave("second", { network: "second", rank: "normal", now: 0 });
    queue.add("second", { network: "second", rank: "normal", now: away });
    assert.equal([queue.next(), queue.next(), queue.next()].indexOf("second"), place);
  }
});
