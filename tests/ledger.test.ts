/** The judge of the Kafka demo: what it lets pass, and that each fault is seen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ledger } from "../scripts/demo/ledger.ts";

/** As the data task writes: order N of customer N mod 500, to one partition a customer. */
function lines(count: number): string[] {
  const ends = [0, 0, 0];
  return Array.from({ length: count }, (_, order) => {
    const customer = order % 500;
    const partition = customer % 3;
    const offset = ends[partition] ?? 0;
    ends[partition] = offset + 1;
    return [partition, offset, `customer-${customer}`, `order ${order}`].join("\t");
  });
}

function entered(all: readonly string[]): Ledger {
  const ledger = new Ledger();
  for (const line of all) ledger.enter(line);
  return ledger;
}

const faults = (ledger: Ledger, count: number) => [
  ...ledger.notOnce(count),
  ...ledger.misnamed(),
  ...ledger.disordered(),
];

test("what was written is found as it was, in whatever order partitions are read, and read twice", () => {
  const all = lines(1_200);
  const ledger = entered([...all.toReversed(), ...all]);
  assert.deepEqual([ledger.size, ledger.partitions, faults(ledger, 1_200)], [1_200, 3, []]);
});

test("what is missing, there twice, or never written is seen", () => {
  const all = lines(3);
  assert.deepEqual(entered(all.slice(1)).notOnce(3), ["order 0 is there 0 times"]);
  assert.deepEqual(entered([...all, "0\t9\tcustomer-0\torder 0"]).notOnce(3), ["order 0 is there 2 times"]);
  assert.deepEqual(entered(lines(4)).notOnce(3), ['"order 3" was never written']);
});

test("a record under another's key is seen", () => {
  assert.deepEqual(entered(["0\t0\tcustomer-1\torder 0"]).misnamed(), ["order 0 has the key customer-1"]);
});

test("a key in two partitions, and a key whose records are not in their order, are seen", () => {
  const first = "0\t0\tcustomer-0\torder 0";
  assert.deepEqual(entered([first, "1\t0\tcustomer-0\torder 500"]).disordered(), ["customer-0"]);
  const swapped = ["0\t0\tcustomer-0\torder 500", "0\t1\tcustomer-0\torder 0"];
  assert.deepEqual(entered(swapped).disordered(), ["customer-0"]);
  // Offsets are numbers, not words.
  const grown = ["0\t9\tcustomer-0\torder 0", "0\t10\tcustomer-0\torder 500"];
  assert.deepEqual(entered(grown.toReversed()).disordered(), []);
});

test("what is no record is refused", () => {
  for (const line of ["", "reading", "0\t1\tkey", "0\t1\tkey\tvalue\tmore", "a\t1\tkey\tvalue"])
    assert.throws(() => new Ledger().enter(line), /this is no record/);
});
