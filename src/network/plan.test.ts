import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cidr } from "../domain/cidr.ts";
import { type Attempt, emptyWorld, type Tagged, type World } from "../domain/world.ts";

import { network, peering, settled, steps, think, wish } from "./settled.testing.ts";

const PEER = cidr("172.20.0.0/16");
const peers = [{ connectionId: "pcx-1", cidrs: [PEER] }];

function attempt(change: Partial<Attempt>): Attempt {
  return { key: "vpc", attempt: 1, resourceId: null, at: 999_000, closedAt: null, ...change };
}

describe("creating", () => {
  test("the first wave makes what needs nothing: VPC, internet gateway, three addresses", () => {
    assert.deepEqual(steps(emptyWorld(0)).sort(), [
      "allocateAddress eip/0",
      "allocateAddress eip/1",
      "allocateAddress eip/2",
      "createInternetGateway igw",
      "createVpc vpc",
    ]);
  });

  test("a settled network asks for nothing and is complete", () => {
    const thought = think(settled(network()));
    assert.deepEqual(thought.moves, []);
    assert.equal(thought.complete, true);
    assert.ok(thought.conditions.every(({ state }) => state === "ready"));
  });

  test("a NAT gateway waits until its gateway is attached, for AWS would let it fail", () => {
    const world = settled(network());
    const thought = think({
      ...world,
      natGateways: [],
      addresses: world.addresses.map((address) => ({ ...address, associationId: null })),
      internetGateways: world.internetGateways.map((gateway) => ({ ...gateway, vpcId: null })),
    });
    assert.deepEqual(
      thought.moves.map(({ step }) => step.do),
      ["attachInternetGateway"],
    );
  });

  test("a pending NAT gateway holds ACTIVE back, the S3 endpoint does not", () => {
    const world = settled(network());
    const natGateways = world.natGateways.map((nat) => ({ ...nat, state: "pending" as const }));
    assert.equal(think({ ...world, natGateways }).complete, false);
    const endpoints = world.endpoints.map((endpoint) => ({ ...endpoint, state: "pending" }));
    assert.equal(think({ ...world, endpoints }).complete, true);
  });

  test("a failed NAT gateway is tried again with the next attempt, not at once", () => {
    const world = settled(network());
    const failed = { ...world.natGateways[0], state: "failed", failure: "Gateway.NotAttached" };
    const seen = {
      ...world,
      natGateways: [failed, ...world.natGateways.slice(1)] as World["natGateways"],
      addresses: world.addresses.map((address) => ({ ...address, associationId: null })),
    };
    const at = (moment: number) => ({ attempts: [attempt({ key: "nat/0", at: moment, closedAt: moment })] });
    assert.deepEqual(steps(seen, at(990_000)), []);
    const later = think(seen, at(900_000)).moves;
    assert.deepEqual(
      later.map(({ step, attempt: number }) => [step.key, number]),
      [["nat/0", 2]],
    );
  });
});

describe("the journal", () => {
  test("what was made and is not seen yet is waited for, not made again", () => {
    const made = steps(emptyWorld(0), { attempts: [attempt({ resourceId: "vpc-9" })] });
    assert.ok(!made.includes("createVpc vpc"));
  });

  test("an attempt whose answer was lost is tried again only after the window", () => {
    const lost = [attempt({ at: 1_000_000 - 299_999 })];
    assert.ok(!steps(emptyWorld(0), { attempts: lost }).includes("createVpc vpc"));
    const moves = think(emptyWorld(0), { attempts: [attempt({ at: 1_000_000 - 300_000 })] }).moves;
    assert.equal(moves.find(({ step }) => step.do === "createVpc")?.attempt, 2);
    const told = think(emptyWorld(0), { attempts: lost }).conditions.find(
      ({ resource }) => resource === "vpc",
    );
    const until = new Date(1_000_000 + 1).toISOString();
    assert.match(told?.message ?? "", new RegExp(`the answer was lost; .* until ${until}, then asked for`));
    assert.equal(told?.usualSeconds, null);
  });

  test("a refused attempt is tried again at once, with the next number", () => {
    const moves = think(emptyWorld(0), { attempts: [attempt({ closedAt: 999_500 })] }).moves;
    assert.equal(moves.find(({ step }) => step.do === "createVpc")?.attempt, 2);
  });

  test("of two VPCs with one key the later goes", () => {
    const world = settled(network());
    const second = { ...world.vpcs[0], id: "vpc-second", attempt: 2 };
    const seen = { ...world, vpcs: [...world.vpcs, second] as World["vpcs"] };
    const moves = think(seen).moves;
    assert.deepEqual(
      moves.map(({ step }) => step),
      [{ do: "deleteVpc", key: "vpc", vpcId: "vpc-second" }],
    );
  });

  test("what comes to light when another one is in use goes, though it was asked for first", () => {
    const world = settled(network());
    const later = <T extends Tagged>(things: readonly T[], key: string): T[] =>
      things.map((thing) => (thing.key === key ? { ...thing, attempt: 2 } : thing));
    const late = <T extends Tagged>(things: readonly T[], change: Partial<T>): T[] =>
      things.slice(0, 1).map((thing) => ({ ...thing, id: "late", attempt: 1, ...change }));
    const seen: World = {
      ...world,
      vpcs: [...later(world.vpcs, "vpc"), ...late(world.vpcs, {})],
      internetGateways: [
        ...later(world.internetGateways, "igw"),
        ...late(world.internetGateways, { vpcId: null }),
      ],
      addresses: [...later(world.addresses, "eip/0"), ...late(world.addresses, { associationId: null })],
      groups: [
        { id: "sg-late", key: "group/default", attempt: 0, vpcId: "late", name: "default", rules: [] },
        ...world.groups,
      ],
    };
    assert.deepEqual(
      think(seen).moves.map(({ step }) => step),
      [
        { do: "deleteVpc", key: "vpc", vpcId: "late" },
        { do: "deleteInternetGateway", key: "igw", gatewayId: "late" },
        { do: "releaseAddress", key: "eip/0", allocationId: "late" },
      ],
    );
  });
});

describe("drift", () => {
  const world = settled(network(), peers);
  const peered = network({ peerings: [wish({ establishedAt: 1 })] });
  const seen: World = { ...world, peerings: [peering()] };

  test("each thing taken away by hand comes back, and nothing else moves", () => {
    const tables = seen.routeTables;
    const bare = tables.map((table, index) =>
      index === 1 ? { ...table, routes: [], associations: [] } : table,
    );
    assert.deepEqual(steps({ ...seen, routeTables: bare }, { network: peered }), [
      "associateTable table/private/0",
      "createRoute table/private/0",
      "createRoute table/private/0",
    ]);
    const groups = seen.groups.map((group) => ({ ...group, rules: [] }));
    assert.deepEqual(steps({ ...seen, groups }, { network: peered }), [
      "authorizeRules group/cluster",
      "authorizeRules group/cluster",
      "authorizeRules group/peers",
    ]);
  });

  test("what somebody added to let the world in goes", () => {
    const open = {
      ruleId: "sgr-x",
      egress: false,
      protocol: "-1",
      fromPort: -1,
      toPort: -1,
      source: "0.0.0.0/0",
    };
    const groups = seen.groups.map((group) => ({ ...group, rules: [...group.rules, open] }));
    assert.deepEqual(steps({ ...seen, groups }, { network: peered }), [
      "revokeRules group/cluster",
      "revokeRules group/peers",
      "revokeRules group/default",
    ]);
  });

  test("an association moved to another table is moved back", () => {
    const [open, first, ...rest] = seen.routeTables;
    assert.ok(open && first);
    const moved = [
      { ...open, associations: [...open.associations, ...first.associations] },
      { ...first, associations: [] },
      ...rest,
    ];
    assert.deepEqual(steps({ ...seen, routeTables: moved }, { network: peered }), [
      "replaceAssociation table/private/0",
    ]);
  });

  test("what cannot be changed in place is reported and not replaced", () => {
    const [subnet, ...rest] = seen.subnets;
    assert.ok(subnet);
    const wrong = [{ ...subnet, cidr: cidr("10.2.0.96/28") }, ...rest];
    const thought = think({ ...seen, subnets: wrong }, { network: peered });
    assert.deepEqual(thought.moves, []);
    const told = thought.conditions.find(({ resource }) => resource === subnet.key);
    assert.equal(told?.state, "blocked");
    assert.match(told?.message ?? "", /cannot be changed/);
  });
});

describe("deleting", () => {
  const absent = { network: network({ want: "absent" }) };

  test("nothing seen, nothing journaled: gone", () => {
    assert.equal(think(emptyWorld(0), absent).gone, true);
  });

  test("an attempt that may still come to light keeps the range", () => {
    const open = { ...absent, attempts: [attempt({ key: "eip/1" })] };
    assert.equal(think(emptyWorld(0), open).gone, false);
    const later = { ...absent, attempts: [attempt({ key: "eip/1", at: 0 })] };
    assert.equal(think(emptyWorld(0), later).gone, true);
  });

  test("what is held is not touched: NAT gateways and the endpoint first", () => {
    const made = steps(settled(network()), absent);
    assert.deepEqual(made.sort(), [
      "deleteEndpoint endpoint/s3",
      "deleteGroup group/cluster",
      "deleteGroup group/peers",
      "deleteNatGateway nat/0",
      "deleteNatGateway nat/1",
      "deleteNatGateway nat/2",
      "deleteSubnet subnet/private/0",
      "deleteSubnet subnet/private/1",
      "deleteSubnet subnet/private/2",
    ]);
  });

  const eni = {
    id: "eni-1",
    vpcId: "vpc-vpc",
    subnetId: "subnet-subnet/private/0",
    state: "in-use",
    description: "RDSNetworkInterface",
    ownerId: "123",
    requesterManaged: true,
    interfaceType: "interface",
    groupIds: [],
  };

  test("what a function left behind goes once nothing is attached to it; all else is its owner's to remove", () => {
    const world = settled(network());
    const left = {
      ...eni,
      state: "available",
      description: "AWS Lambda VPC ENI-clicks",
      ownerId: network().cell.account,
    };
    const reaped = (change: Partial<typeof eni>) =>
      steps({ ...world, interfaces: [{ ...left, ...change }] }, absent).includes(
        "deleteInterface interface/eni-1",
      );
    assert.equal(reaped({}), true);
    assert.equal(reaped({ state: "in-use" }), false);
    assert.equal(reaped({ description: "RDSNetworkInterface" }), false);
    assert.equal(reaped({ ownerId: "123456789012" }), false);
    const { moves } = think({ ...world, interfaces: [left] }, absent);
    assert.ok(!moves.some(({ step }) => step.key === "subnet/private/0"));
    // AWS may refuse it: then it is waited for as before.
    assert.equal(moves.find(({ step }) => step.do === "deleteInterface")?.optional, true);
  });

  test("a foreign interface is named with its description and owner", () => {
    const world = settled(network());
    const thought = think({ ...world, interfaces: [eni] }, absent);
    const told = thought.conditions.find(({ resource }) => resource === "interface/eni-1");
    assert.equal(told?.state, "blocked");
    assert.match(told?.message ?? "", /RDSNetworkInterface.*123/);
    assert.ok(!thought.moves.some(({ step }) => step.key === "subnet/private/0"));
  });

  test("the VPC goes last, when nothing is in it", () => {
    const world = { ...emptyWorld(0), vpcs: settled(network()).vpcs };
    assert.deepEqual(steps(world, absent), ["deleteVpc vpc"]);
  });
});

test("a condition that says the same keeps its `since`", () => {
  const world = settled(network());
  const first = think(world, { now: 5 });
  const second = think(world, { now: 9, previous: first.conditions });
  assert.ok(second.conditions.every(({ since }) => since === 5));
});
