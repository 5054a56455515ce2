import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kafkaCluster } from "../domain/kafka.ts";
import type { Network } from "../domain/model.ts";
import type { TaggedThing } from "../domain/sweep.ts";
import type { Attempt, Tagged, World } from "../domain/world.ts";
import { expectedThings } from "./footprint.ts";
import { PRICES } from "./prices.ts";
import { network, settled, think } from "./settled.testing.ts";
import { datasetsWithTwins, judgeSweep, knownKey, type SweepInput } from "./sweep.ts";

const ready = network({ readyAt: 5 });

function thing(change: Partial<TaggedThing> = {}): TaggedThing {
  return {
    kind: "natGateway",
    id: "nat-1",
    key: "nat/0",
    datasetId: "ds_1",
    tenantId: "ten_1",
    attempt: 1,
    cell: ready.cell,
    state: "available",
    ...change,
  };
}

/** Everything of the network, once. */
function whole(of: Network): TaggedThing[] {
  assert.ok(of.layout);
  return expectedThings(of.cidr, of.layout, { cluster: false, probe: false }).map(({ kind, key }) =>
    thing({ kind, key, id: `${kind}-${key}`, datasetId: of.datasetId, cell: of.cell }),
  );
}

function present<T>(value: T | undefined): T {
  assert.ok(value);
  return value;
}

function judge(things: readonly TaggedThing[], change: Partial<SweepInput> = {}) {
  return judgeSweep({
    things,
    living: [{ network: ready, attempts: [], world: null }],
    traces: new Map([["ds_1", { name: "Clicks", deleted: false }]]),
    lookedAt: new Set([ready.cell.id]),
    prices: PRICES,
    now: 1_000_000,
    windowMs: 300_000,
    ...change,
  });
}

test("a network that has everything, once, has no findings", () => {
  assert.deepEqual(judge(whole(ready)), []);
});

test("a network that was whole with a cluster, and has none, lacks it", () => {
  const network = { ...ready, cluster: kafkaCluster({}, "small") };
  const found = judge(whole(ready), { living: [{ network, attempts: [], world: null }] });
  assert.deepEqual(
    found.map(({ finding, kind }) => [finding, kind]),
    [["missing", "cluster"]],
  );
});

describe("orphans", () => {
  const nobody = { living: [] };

  test("a cluster of a dataset nobody knows is removable; what its brokers cost is not known", () => {
    const [found] = judge(
      [thing({ datasetId: "ds_x", kind: "cluster", key: "cluster", id: "arn:x" })],
      nobody,
    );
    assert.deepEqual([found?.removable, found?.monthlyUsd], [true, null]);
  });

  test("of a dataset nobody knows, and of a deleted one: removable, with their price", () => {
    const things = [
      thing({ datasetId: "ds_x" }),
      thing({ datasetId: "ds_2", id: "eipalloc-1", kind: "elasticIp", key: "eip/0" }),
    ];
    const traces = new Map([["ds_2", { name: "Old", deleted: true }]]);
    const found = judge(things, { ...nobody, traces });
    assert.deepEqual(
      found.map(({ finding, removable, reason, monthlyUsd }) => [finding, removable, reason, monthlyUsd]),
      [
        ["orphan", true, "no dataset has the id ds_x", 32.85],
        ["orphan", true, "its dataset Old was deleted", 3.65],
      ],
    );
  });

  test("whose key is none of ours, or that bear no dataset's tag: told and not removable", () => {
    const things = [
      thing({ datasetId: "ds_x", key: "nat/mine" }),
      thing({ datasetId: "ds_x", key: "vpc" }),
      thing({ datasetId: "" }),
    ];
    const found = judge(things, nobody);
    assert.deepEqual(
      found.map(({ removable }) => removable),
      [false, false, false],
    );
    assert.match(found[0]?.reason ?? "", /key "nat\/mine" is none of ours/);
    assert.match(found[2]?.reason ?? "", /no dataset's/);
  });

  test("of a living dataset without a network, or in another place than its network: not removable", () => {
    const traces = new Map([["ds_1", { name: "Clicks", deleted: false }]]);
    const [first] = judge([thing()], { ...nobody, traces });
    assert.deepEqual([first?.reason, first?.removable], ["its dataset Clicks has no network", false]);
    const elsewhere = { ...ready.cell, id: "cell_2", region: "eu-west-1" as const };
    const [second] = judge([...whole(ready), thing({ id: "nat-9", cell: elsewhere })]);
    assert.equal(second?.removable, false);
    assert.match(second?.reason ?? "", /is in us-east-1/);
  });
});

test("a second thing in a place is a duplicate; the first attempt, and of equals the journal's, is in use", () => {
  const things = whole(ready);
  const later = thing({ id: "nat-later", attempt: 2 });
  const [found, ...more] = judge([later, ...things]);
  assert.deepEqual(more, []);
  assert.deepEqual(
    [found?.finding, found?.id, found?.removable, found?.networkId],
    ["duplicate", "nat-later", false, ready.id],
  );
  const twin = thing({ id: "nat-aaa" });
  const attempts: Attempt[] = [
    { key: "nat/0", attempt: 1, resourceId: "natGateway-nat/0", at: 0, closedAt: null },
  ];
  const [other] = judge([twin, ...things], { living: [{ network: ready, attempts, world: null }] });
  assert.equal(other?.id, "nat-aaa");
});

describe("of twins it names the one that the network's own pass takes away", () => {
  const world = settled(ready);
  const twins: readonly { kind: TaggedThing["kind"]; of: Tagged; with: (twin: Tagged) => World }[] = [
    {
      kind: "internetGateway",
      of: present(world.internetGateways[0]),
      with: (twin) => ({
        ...world,
        internetGateways: [...world.internetGateways, { ...twin, vpcId: null }],
      }),
    },
    {
      kind: "elasticIp",
      of: present(world.addresses[1]),
      with: (twin) => ({
        ...world,
        addresses: [...world.addresses, { ...twin, publicIp: "198.18.0.9", associationId: null }],
      }),
    },
    {
      kind: "routeTable",
      of: present(world.routeTables[0]),
      with: (twin) => ({
        ...world,
        routeTables: [
          ...world.routeTables,
          { ...twin, vpcId: "vpc-vpc", main: false, routes: [], associations: [] },
        ],
      }),
    },
  ];

  for (const { kind, of, with: withTwin } of twins)
    for (const attempt of [0, 1, 2])
      for (const prefix of ["a", "z"])
        test(`${kind}, attempt ${attempt}, listed as ${prefix}-…`, () => {
          const twin = { id: `${prefix}-twin`, key: of.key, attempt };
          const seen = withTwin(twin);
          const taken = think(seen, { network: ready }).moves.flatMap(({ step }) => Object.values(step));
          assert.ok(taken.includes(twin.id));
          const two = [of, twin].map((one) => thing({ kind, ...one }));
          const others = whole(ready).filter(({ key }) => key !== of.key);
          const living = [{ network: ready, attempts: [], world: seen }];
          const found = judge([...others, ...two], { living });
          assert.deepEqual(
            found.map(({ finding, id }) => [finding, id]),
            [["duplicate", twin.id]],
          );
        });
});

test("twins are told by dataset, so that only their worlds need to be read", () => {
  const elsewhere = { ...ready.cell, id: "cell_2", region: "eu-west-1" as const };
  const things = [
    ...[thing(), thing({ id: "nat-2", attempt: 2 })],
    ...[thing({ datasetId: "ds_2" }), thing({ datasetId: "ds_2", cell: elsewhere })],
  ];
  assert.deepEqual([...datasetsWithTwins(things)], ["ds_1"]);
});

describe("what is missing", () => {
  const without = (key: string) => whole(ready).filter((one) => one.key !== key);

  test("is named with the network that lacks it, and what it will cost", () => {
    const found = judge(without("nat/1"));
    assert.deepEqual(
      found.map(({ finding, kind, key, id, networkId, monthlyUsd }) => ({
        finding,
        kind,
        key,
        id,
        networkId,
        monthlyUsd,
      })),
      [
        {
          finding: "missing",
          kind: "natGateway",
          key: "nat/1",
          id: null,
          networkId: ready.id,
          monthlyUsd: 32.85,
        },
      ],
    );
  });

  test("a failed NAT gateway is as good as none", () => {
    const failed = whole(ready).map((one) => (one.key === "nat/1" ? { ...one, state: "failed" } : one));
    assert.deepEqual(
      judge(failed).map(({ finding, key }) => `${finding} ${key}`),
      ["missing nat/1"],
    );
  });

  test("is not what is being made, deleted, on its way, or where nobody looked", () => {
    const lacking = without("nat/1");
    const living = (change: Partial<Network>, attempts: Attempt[] = []) => ({
      living: [{ network: network({ readyAt: 5, ...change }), attempts, world: null }],
    });
    assert.deepEqual(judge(lacking, living({ readyAt: null })), []);
    assert.deepEqual(judge(lacking, living({ want: "absent" })), []);
    assert.deepEqual(judge(lacking, { lookedAt: new Set() }), []);
    const recent = { key: "nat/1", attempt: 2, resourceId: null, at: 999_000, closedAt: null };
    assert.deepEqual(judge(lacking, living({}, [recent])), []);
    assert.equal(judge(lacking, living({}, [{ ...recent, at: 0 }])).length, 1);
  });
});

test("a key is known for its own kind alone", () => {
  assert.ok(knownKey("subnet", "subnet/private/2"));
  assert.ok(!knownKey("subnet", "subnet/private/3"));
  assert.ok(!knownKey("vpc", "igw"));
  assert.ok(!knownKey("securityGroup", "group/default"));
});
