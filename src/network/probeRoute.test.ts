import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  addressText,
  type Cidr,
  cidr,
  cidrAt,
  contains,
  isPrivate,
  maskLength,
  span,
} from "../domain/cidr.ts";
import type { SeenPeering, SeenRoute, World } from "../domain/world.ts";
import { probeRoute } from "./probeRoute.ts";
import { network, peering, RANGE, settled } from "./settled.testing.ts";

const of = network();
const PEER = { connectionId: "pcx-1", cidrs: [cidr("172.20.0.0/16")] };

function ask(address: string, world: World) {
  return probeRoute({ network: of, world, address });
}

/** A settled world whose private tables, all or one, have these routes instead. */
function routed(routes: readonly SeenRoute[], only?: string, peerings: readonly SeenPeering[] = []): World {
  const world = settled(of);
  const routeTables = world.routeTables.map((table) =>
    table.key.startsWith("table/private/") && (only === undefined || table.key === only)
      ? { ...table, routes }
      : table,
  );
  return { ...world, routeTables, peerings };
}

const route = (destination: string, targetId: string, blackhole = false): SeenRoute => ({
  destination,
  targetId,
  blackhole,
});

describe("the way of an address", () => {
  const world = { ...settled(of, [PEER]), peerings: [peering()] };

  test("inside the VPC: local", () => assert.equal(ask("10.2.0.4", world).by, "local"));

  test("a peer's: by the peering", () => {
    const found = ask("172.20.3.4", world);
    assert.deepEqual([found.leads, found.by, found.targetId], [true, "peering", "pcx-1"]);
  });

  test("a public one: by the NAT gateway", () => {
    const found = ask("8.8.8.8", world);
    assert.deepEqual([found.leads, found.by], [true, "natGateway"]);
  });

  const blocked: readonly [string, World, RegExp, RegExp][] = [
    [
      "a private one that nobody has peered",
      settled(of),
      /to the internet, which knows no private/,
      /--peeringGuide/,
    ],
    [
      "one whose peering waits",
      { ...settled(of), peerings: [peering({ state: "pending-acceptance" })] },
      /private address/,
      /accept --datasetName Clicks --vpcPeeringConnectionId pcx-1/,
    ],
    [
      "one whose peering waits, and shows no blocks yet",
      { ...settled(of), peerings: [peering({ state: "pending-acceptance", requesterCidrs: [] })] },
      /private address/,
      /accept --datasetName Clicks/,
    ],
    [
      "one beside the peer's blocks",
      { ...settled(of), peerings: [peering({ requesterCidrs: [cidr("172.21.0.0/16")] })] },
      /private address/,
      /none of the peered VPCs' blocks \(pcx-1: 172\.21\.0\.0\/16\)/,
    ],
    [
      "one of an active peering that is not routed yet",
      { ...settled(of), peerings: [peering()] },
      /private address/,
      /vpcPeeringConnections list/,
    ],
    [
      "one whose peering is gone: the route is a blackhole",
      routed([route("172.20.0.0/16", "pcx-9", true), route("0.0.0.0/0", "nat-nat/0")]),
      /172\.20\.0\.0\/16 by pcx-9 is a blackhole/,
      /what became of pcx-9: letsdata vpcs vpcPeeringConnections list/,
    ],
    ["no route at all", routed([]), /no route to 172\.20\.3\.4/, /datasets view/],
    [
      "the NAT gateway is gone",
      routed([route("0.0.0.0/0", "nat-nat/0", true)]),
      /blackhole/,
      /datasets view/,
    ],
    ["there are no tables", { ...settled(of), routeTables: [] }, /no route tables/, /datasets view/],
  ];
  for (const [what, seen, detail, nextStep] of blocked)
    test(`${what}: no route, and what to do`, () => {
      const found = ask("172.20.3.4", seen);
      assert.deepEqual([found.leads, found.by], [false, "nothing"]);
      assert.match(found.detail, detail);
      assert.match(found.nextStep ?? "", nextStep);
    });

  test("the worst of the subnets counts, and it is said which", () => {
    const found = ask("172.20.3.4", { ...routed([route("172.20.0.0/16", "pcx-1")]), peerings: [peering()] });
    assert.equal(found.leads, true);
    const { routeTables } = settled(of, [PEER]);
    const mixed = routeTables.map((table) =>
      table.key === "table/private/1" ? { ...table, routes: [] } : table,
    );
    const worst = ask("172.20.3.4", { ...settled(of), routeTables: mixed, peerings: [peering()] });
    assert.equal(worst.leads, false);
    assert.match(worst.detail, /in table\/private\/1 alone/);
  });

  test("prefix lists and IPv6 are no route for it", () => {
    assert.equal(ask("172.20.3.4", routed([route("pl-1", "vpce-1"), route("::/0", "eigw-1")])).leads, false);
  });
});

describe("of any routes", () => {
  const blocks = fc
    .tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 32 }))
    .map(([address, length]) => cidrAt(address, length));
  const routes = fc.uniqueArray(
    fc.record({
      destination: blocks,
      targetId: fc.constantFrom("nat-nat/0", "pcx-1", "tgw-1"),
      blackhole: fc.boolean(),
    }),
    { selector: ({ destination }) => destination, maxLength: 12 },
  );
  const inside = (block: Cidr) =>
    fc.integer({ min: span(block).first, max: span(block).end - 1 }).map(addressText);
  const cases = routes.chain((made) =>
    fc.record({
      made: fc.constant(made),
      address: fc.oneof(
        fc.integer({ min: 0, max: 0xffffffff }).map(addressText),
        ...made.map((one) => inside(one.destination)),
      ),
    }),
  );

  test("it is the longest match that leads, unless it is a blackhole or takes a private address to the internet", () => {
    fc.assert(
      fc.property(cases, ({ made, address }) => {
        const own = cidr(`${address}/32`);
        fc.pre(!contains(RANGE, own));
        const found = ask(address, routed(made, undefined, [peering()]));
        const matches = made.filter(({ destination }) => contains(destination, own));
        const longest = Math.max(...matches.map(({ destination }) => maskLength(destination)));
        const best = matches.find(({ destination }) => maskLength(destination) === longest);
        const toInternet = best?.targetId === "nat-nat/0" && isPrivate(own);
        const leads = best !== undefined && !best.blackhole && !toInternet;
        assert.equal(found.leads, leads);
        assert.equal(found.targetId, leads ? best?.targetId : null);
        assert.equal(found.nextStep === null, leads);
      }),
      { numRuns: 2_000 },
    );
  });

  test("and a route that does not hold the address changes nothing", () => {
    fc.assert(
      fc.property(cases, blocks, ({ made, address }, other) => {
        fc.pre(!contains(other, cidr(`${address}/32`)));
        const more = [...made.filter(({ destination }) => destination !== other), route(other, "pcx-other")];
        const without = made.filter(({ destination }) => destination !== other);
        assert.deepEqual(ask(address, routed(more)), ask(address, routed(without)));
      }),
    );
  });
});
