import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Condition } from "../domain/model.ts";
import { emptyWorld, type SeenInterface, type World } from "../domain/world.ts";
import { type DeletePlanInput, type DeleteRow, deletePlan } from "./deletePlan.ts";
import { network, peering, settled, think } from "./settled.testing.ts";

const ASKED = 1_000_000;
const absent = network({ want: "absent" });
const world = settled(network());
const MINUTE = 60_000;

/** What the pass over that world wrote down, `minutes` after the deletion was asked for. */
function passed(seen: World, minutes = 0, previous: readonly Condition[] = []): readonly Condition[] {
  return think(seen, { network: absent, now: ASKED + minutes * MINUTE, previous }).conditions;
}

function planOf(seen: World | null, change: Partial<DeletePlanInput> = {}): readonly DeleteRow[] {
  const conditions = seen ? passed(seen) : [];
  const input = { network: absent, world: seen, conditions, observedAt: ASKED, askedAt: ASKED, now: ASKED };
  return deletePlan({ ...input, ...change });
}

function row(rows: readonly DeleteRow[], resource: string): DeleteRow {
  const found = rows.find((one) => one.resource === resource);
  assert.ok(found, resource);
  return found;
}

const lambda: SeenInterface = {
  id: "eni-1",
  vpcId: "vpc-vpc",
  subnetId: "subnet-subnet/private/0",
  state: "in-use",
  description: "AWS Lambda VPC ENI-ingest",
  ownerId: "999999999999",
  requesterManaged: true,
  interfaceType: "lambda",
  groupIds: ["sg-group/cluster"],
};

describe("the order", () => {
  test("is that of the teardown, and every thing is in it once", () => {
    const rows = planOf({ ...world, peerings: [peering()], interfaces: [lambda] });
    const waves = [1, 2, 3, 4, 5, 6, 7].map((order) =>
      [
        ...new Set(rows.filter((one) => one.order === order).map(({ resource }) => resource.split("/")[0])),
      ].sort(),
    );
    assert.deepEqual(waves, [
      ["peering"],
      ["endpoint", "nat"],
      ["eip", "igw"],
      ["interface"],
      ["group", "subnet"],
      ["table"],
      ["vpc"],
    ]);
    assert.equal(new Set(rows.map(({ resource }) => resource)).size, rows.length);
    assert.deepEqual(
      rows.map(({ order }) => order),
      rows.map(({ order }) => order).sort((a, b) => a - b),
    );
  });

  test("says of each what is in the way", () => {
    const rows = planOf({ ...world, interfaces: [lambda] });
    assert.deepEqual(row(rows, "nat/0").blockedBy, []);
    assert.deepEqual(row(rows, "eip/0").blockedBy, ["nat/0"]);
    assert.deepEqual(row(rows, "igw").blockedBy.slice(0, 3), ["nat/0", "nat/1", "nat/2"]);
    assert.deepEqual(row(rows, "subnet/public/0").blockedBy, ["nat/0"]);
    assert.deepEqual(row(rows, "subnet/private/0").blockedBy, ["interface/eni-1"]);
    assert.deepEqual(row(rows, "subnet/private/1").blockedBy, []);
    assert.deepEqual(row(rows, "group/cluster").blockedBy, ["interface/eni-1"]);
    assert.deepEqual(row(rows, "table/private/1").blockedBy, ["subnet/private/1"]);
    assert.ok(row(rows, "vpc").blockedBy.includes("igw"));
    for (const one of rows)
      assert.equal(one.state === "waiting", one.blockedBy.length > 0, `${one.resource} ${one.state}`);
  });
});

describe("the states", () => {
  test("deleting is what is under way, waiting what is held, blocked what somebody else holds", () => {
    const rows = planOf({ ...world, interfaces: [lambda] });
    assert.equal(row(rows, "nat/0").state, "deleting");
    assert.equal(row(rows, "nat/0").usualSeconds, 60);
    assert.equal(row(rows, "eip/0").state, "waiting");
    const held = row(rows, "interface/eni-1");
    assert.deepEqual([held.state, held.actor], ["blocked", "aws"]);
  });

  test("what was there and is not any more is gone", () => {
    const rows = planOf({ ...emptyWorld(ASKED), vpcs: world.vpcs });
    assert.equal(row(rows, "vpc").state, "deleting");
    assert.deepEqual(
      [...new Set(rows.filter(({ resource }) => resource !== "vpc").map(({ state }) => state))],
      ["gone"],
    );
    assert.equal(rows.length, 1 + 1 + 6 + 3 + 3 + 4 + 1 + 2);
  });

  test("before the first pass it says what will be done, and forgets what creating waited for", () => {
    const conditions = think(emptyWorld(0)).conditions;
    const rows = planOf(world, { conditions, observedAt: ASKED - 1 });
    assert.equal(row(rows, "nat/0").state, "deleting");
    assert.equal(row(rows, "nat/0").since, ASKED);
    assert.equal(row(rows, "vpc").state, "waiting");
  });

  test("a cloud that cannot be looked at comes first", () => {
    const cloud: Condition = {
      resource: "cloud",
      id: null,
      state: "blocked",
      message: "AWS denies ec2:DescribeVpcs",
      actor: "operator",
      hint: null,
      since: ASKED,
      usualSeconds: null,
    };
    const [first] = planOf(world, { conditions: [cloud], observedAt: ASKED - 1 });
    assert.deepEqual([first?.order, first?.resource, first?.state], [0, "cloud", "blocked"]);
  });

  test("an attempt that may still come to light is in it", () => {
    const attempt = { key: "eip/1", attempt: 1, resourceId: null, at: ASKED - 1, closedAt: null };
    const { conditions } = think(emptyWorld(ASKED), { network: absent, attempts: [attempt], now: ASKED });
    const rows = planOf(emptyWorld(ASKED), { conditions });
    assert.deepEqual([row(rows, "eip/1").state, row(rows, "eip/1").order], ["deleting", 3]);
  });

  test("nothing was ever seen: nothing to tell", () => {
    assert.deepEqual(planOf(null, { observedAt: null }), []);
  });
});

describe("lateness", () => {
  /** The plan `minutes` after the deletion was asked for, when since its first pass nothing has changed. */
  function after(minutes: number, seen: World): readonly DeleteRow[] {
    const conditions = passed(seen, minutes, passed(seen));
    return planOf(seen, { conditions, now: ASKED + minutes * MINUTE });
  }
  const lateOnes = (rows: readonly DeleteRow[]) =>
    rows.filter(({ late }) => late).map(({ resource }) => resource);
  const deletingNats = {
    ...world,
    natGateways: world.natGateways.map((nat) => ({ ...nat, state: "deleting" as const })),
  };
  const onlyNats: World = { ...emptyWorld(0), vpcs: world.vpcs, natGateways: deletingNats.natGateways };

  test("a NAT gateway is late after 10 minutes; what waits for it is not", () => {
    assert.deepEqual(lateOnes(after(10, onlyNats)), []);
    const rows = after(11, onlyNats);
    assert.deepEqual(lateOnes(rows), ["nat/0", "nat/1", "nat/2"]);
    assert.match(
      row(rows, "nat/0").message,
      /^longer than usual: .*it has taken 11 min, and 10 min should be enough/,
    );
    assert.match(row(rows, "nat/0").hint ?? "", /nat-nat\/0/);
  });

  test("interfaces of Lambda functions are late after 45 minutes", () => {
    const seen: World = { ...emptyWorld(0), vpcs: world.vpcs, interfaces: [lambda] };
    assert.deepEqual(lateOnes(after(45, seen)), []);
    assert.deepEqual(lateOnes(after(46, seen)), ["interface/eni-1"]);
  });

  test("the whole is late after two hours, and the VPC, which goes last, says it", () => {
    const seen: World = { ...emptyWorld(0), vpcs: world.vpcs, interfaces: [lambda] };
    assert.ok(!lateOnes(after(120, seen)).includes("vpc"));
    assert.match(
      row(after(125, seen), "vpc").message,
      /the whole deletion has taken 2 h 5 min, and 2 h should/,
    );
  });

  test("the time begins when nothing is in the way any more", () => {
    const waiting = passed(world);
    const freed: World = { ...world, natGateways: [], endpoints: [] };
    const address = { ...freed, addresses: freed.addresses.map((one) => ({ ...one, associationId: null })) };
    const conditions = passed(address, 12, waiting);
    const rows = planOf(address, { conditions, now: ASKED + 13 * MINUTE });
    assert.equal(row(rows, "eip/0").since, ASKED + 12 * MINUTE);
    assert.ok(!lateOnes(rows).includes("eip/0"));
  });
});

test("an address whose NAT gateway is gone waits for nothing of ours, though AWS still shows its association", () => {
  const gone = world.natGateways.map((nat) => ({ ...nat, state: "deleted" }) as const);
  const { state, actor, message } = row(planOf({ ...world, natGateways: gone }), "eip/0");
  assert.deepEqual([state, actor], ["deleting", "aws"]);
  assert.equal(message, "AWS still shows eipassoc-nat/0 of it, though its NAT gateway is gone");
});

test("an address that somebody else uses waits for AWS to say that they do no more", () => {
  const { state, actor, message } = row(planOf({ ...world, natGateways: [] }), "eip/0");
  assert.deepEqual([state, actor], ["waiting", "aws"]);
  assert.equal(message, "is still held by eipassoc-nat/0");
});
