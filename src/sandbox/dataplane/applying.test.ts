/**
 * Applying to real namespaces: what a tool refuses in one of them is said of that one alone, and mended by the next
 * attempt. Skipped where this machine allows no namespaces.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { DrivenClock } from "../testing.ts";
import { apply } from "./applying.ts";
import { NOTHING } from "./changes.ts";
import { type Holder, startHolder } from "./holder.ts";
import type { Link, Namespace, Programs } from "./program.ts";

const started = await startHolder(new DrivenClock()).catch((error: Error) => error);
const skip = started instanceof Error ? `no namespaces on this machine: ${started.message}` : false;
const holder = started as Holder;

const up = (device: string, link: string) =>
  ({ key: `up ${device}`, tool: "ip", add: `link set dev ${device} up`, link }) as const;

const namespace = (name: string, link: string, more: Namespace["objects"] = []): Namespace => ({
  name,
  filter: "",
  objects: [up("v0", link), ...more],
});

const link = (key: string, [a, b]: readonly [string, string], group: number): Link => ({
  key,
  mtu: 1500,
  ends: [
    { namespace: a, device: "v0", macAddress: "02:00:00:00:00:01", group },
    { namespace: b, device: "v0", macAddress: "02:00:00:00:00:02" },
  ],
});

/** A router with a host, twice; the first router's program may be wrong. */
function programs(first: Namespace["objects"]): Programs {
  return {
    namespaces: [
      namespace("router-1", "one", first),
      namespace("host-1", "one"),
      namespace("router-2", "two"),
      namespace("host-2", "two"),
    ],
    links: [link("one", ["router-1", "host-1"], 7), link("two", ["router-2", "host-2"], 7)],
  };
}

const names = async () => {
  const { stdout } = await holder.run("ip netns list");
  return stdout
    .split("\n")
    .map((line) => line.split(" ", 1)[0])
    .filter(Boolean)
    .sort();
};

describe("a program that a tool refuses", { skip }, () => {
  after(() => holder.close());

  test("takes its namespace with it, and the host behind it; the others stand", async () => {
    const wrong = programs([{ key: "wrong", tool: "ip", add: "route add nowhere" }]);
    const { programs: applied, failures } = await apply(holder, NOTHING, wrong);
    assert.deepEqual([...failures.keys()], ["router-1"]);
    assert.match(failures.get("router-1") ?? "", /nowhere/);
    assert.deepEqual(
      applied.namespaces.map(({ name }) => name),
      ["router-2", "host-2"],
    );
    assert.deepEqual(await names(), ["host-2", "router-2"]);

    const again = await apply(holder, applied, programs([]));
    assert.equal(again.failures.size, 0);
    assert.deepEqual(await names(), ["host-1", "host-2", "router-1", "router-2"]);
    const { stdout } = await holder.run("ip -br link show dev v0", "host-1");
    assert.match(stdout, /UP/);
  });
});
