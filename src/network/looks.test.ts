import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SeenCluster } from "../domain/connector.ts";
import type { Condition } from "../domain/model.ts";
import { emptyWorld, KINDS } from "../domain/world.ts";
import { cluster } from "./clusters.testing.ts";
import { dueKinds, joined, touched } from "./looks.ts";
import { network, settled, think } from "./settled.testing.ts";

const calm = { conditions: [], freshAfter: 0, oldMs: 25_000 };

function condition(change: Partial<Condition>): Condition {
  return {
    resource: "nat/1",
    id: "nat-1",
    state: "waiting",
    message: "is pending",
    actor: "aws",
    hint: null,
    since: 0,
    usualSeconds: null,
    ...change,
  };
}

describe("what is due for a look", () => {
  test("everything before the first look, nothing right after a whole one", () => {
    assert.deepEqual(dueKinds({ ...calm, world: null, now: 5 }), KINDS);
    assert.deepEqual(dueKinds({ ...calm, world: emptyWorld(5), now: 6 }), []);
  });

  test("everything again when it is old, or when somebody wants it fresh", () => {
    assert.deepEqual(dueKinds({ ...calm, world: emptyWorld(0), now: 25_000 }), KINDS);
    assert.deepEqual(dueKinds({ ...calm, world: emptyWorld(10), now: 12, freshAfter: 11 }), KINDS);
  });

  test("what AWS is at work on, and not what we wait for ourselves", () => {
    const conditions = [condition({}), condition({ resource: "table/private/1", actor: "letsdata" })];
    assert.deepEqual(dueKinds({ ...calm, conditions, world: emptyWorld(5), now: 6 }), ["natGateways"]);
  });

  test("what a step touched, and what comes and goes with it", () => {
    const world = touched(emptyWorld(5), think(emptyWorld(5)).moves);
    assert.deepEqual([...dueKinds({ ...calm, world, now: 6 })].sort(), [
      "acls",
      "addresses",
      "groups",
      "internetGateways",
      "vpcs",
    ]);
  });
});

const NOWHERE = { plaintext: null, tls: null, scram: null, iam: null };

describe("joining a partial look", () => {
  const known = settled(network());

  test("takes the fresh kinds and keeps the others", () => {
    const fresh = { ...emptyWorld(9), natGateways: known.natGateways };
    const whole = joined(known, fresh, ["natGateways"]);
    assert.deepEqual({ ...whole, at: 0, lookedAt: known.lookedAt }, known);
    assert.deepEqual([whole.at, whole.lookedAt.natGateways, whole.lookedAt.vpcs], [9, 9, 0]);
    assert.equal(whole.lookedAt.addresses, known.lookedAt.addresses);
  });

  test("what a list does not tell of a cluster stays known until it is asked for again", () => {
    const detail = { brokers: [], upgrades: ["4.0.x.kraft"] };
    const told = cluster({ ...detail, bootstrap: { ...NOWHERE, iam: "b-1:9098" } });
    const listed = cluster({ state: "updating", bootstrap: NOWHERE });
    const again = (fresh: SeenCluster, before: SeenCluster) =>
      joined({ ...known, clusters: [before] }, { ...emptyWorld(9), clusters: [fresh] }, ["clusters"])
        .clusters[0];
    assert.deepEqual(again(listed, told), { ...told, state: "updating" });
    assert.deepEqual(again({ ...listed, id: "arn:another" }, told)?.bootstrap, NOWHERE);
    const moved = cluster({ bootstrap: { ...NOWHERE, iam: "b-2:9098" } });
    assert.deepEqual(again(moved, told), moved);
  });

  test("what hangs on a thing that went by itself is looked at next", () => {
    const before = { ...known, lookedAt: emptyWorld(3).lookedAt };
    const gone = joined(before, { ...emptyWorld(9), natGateways: [] }, ["natGateways"]);
    assert.deepEqual([...dueKinds({ ...calm, world: gone, now: 10 })].sort(), [
      "addresses",
      "interfaces",
      "routeTables",
    ]);
  });
});
