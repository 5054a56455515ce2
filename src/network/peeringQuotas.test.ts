import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cidr } from "../domain/cidr.ts";
import type { World } from "../domain/world.ts";
import { peeringNeeds, shortageHold, unreadHold } from "./peeringQuotas.ts";
import { network, peering, settled, steps, think, wish } from "./settled.testing.ts";

const PEER = cidr("172.20.0.0/16");
const OTHER = cidr("172.21.0.0/16");
const peers = [{ connectionId: "pcx-1", cidrs: [PEER] }];
const both = network({
  peerings: [wish({ connectionId: "pcx-2", askedAt: 5 }), wish({ establishedAt: 1 })],
});
const asked = peering({
  id: "pcx-2",
  state: "pending-acceptance",
  requesterVpcId: "vpc-2",
  requesterCidrs: [OTHER, cidr("172.22.0.0/16")],
});

function needs(world: World): string[] {
  return peeringNeeds(both, world).flatMap(({ connectionId, lines }) =>
    lines.map(({ quota, needed, used, usedBy }) => {
      const own = usedBy.get(connectionId) ?? 0;
      return `${connectionId} ${quota} ${needed} of ${used}, ${own} its own`;
    }),
  );
}

describe("what peerings need of quotas", () => {
  test("is nothing for one whose rules and routes are there, and all of it for a request", () => {
    const world = { ...settled(network(), peers), peerings: [peering(), asked] };
    assert.deepEqual(needs(world), [
      "pcx-2 activePeeringsPerVpc/net_1 1 of 1, 0 its own",
      "pcx-2 rulesPerGroup/net_1 2 of 1, 0 its own",
      // The way out, the S3 endpoint, and the other peer's block.
      "pcx-2 routesPerTable/net_1/table/private/0 2 of 3, 0 its own",
      "pcx-2 routesPerTable/net_1/table/private/1 2 of 3, 0 its own",
      "pcx-2 routesPerTable/net_1/table/private/2 2 of 3, 0 its own",
    ]);
  });

  test("is one block at least while AWS hides them, and nothing more until it shows them", () => {
    const world = settled(network(), peers);
    const hidden = { ...asked, requesterCidrs: [] };
    assert.match(needs({ ...world, peerings: [hidden] })[1] ?? "", /^pcx-2 rulesPerGroup\/net_1 1 of/);
    assert.deepEqual(needs({ ...world, peerings: [{ ...hidden, state: "active" }] }), []);
  });

  test("counts what it has already, and the older one comes first", () => {
    const grown = peering({ requesterCidrs: [PEER, cidr("172.30.0.0/16")] });
    const world = { ...settled(network(), peers), peerings: [asked, grown] };
    assert.deepEqual(
      needs(world).filter((line) => line.includes("rulesPerGroup")),
      ["pcx-1 rulesPerGroup/net_1 2 of 1, 1 its own", "pcx-2 rulesPerGroup/net_1 2 of 1, 0 its own"],
    );
  });
});

describe("a peering that quotas hold up", () => {
  const shortage = {
    quota: "rulesPerGroup/net_1",
    title: "Inbound or outbound rules per security group",
    code: "L-0EA8095F",
    link: "https://us-east-1.console.aws.amazon.com/servicequotas/home/services/vpc/quotas/L-0EA8095F",
    needed: 2,
    limit: 2,
    used: 1,
    reserved: 1,
    missing: 2,
  };
  const hold = shortageHold([shortage]);
  const holds = new Map([["pcx-1", hold]]);

  test("is not accepted, and says what is short, whose move it is and where to raise it", () => {
    const world = { ...settled(network()), peerings: [peering({ state: "pending-acceptance" })] };
    const thought = think(world, { network: network({ peerings: [wish()] }), holds });
    assert.deepEqual(thought.moves, []);
    const told = thought.conditions.find(({ resource }) => resource === "peering/pcx-1");
    assert.deepEqual([told?.state, told?.actor, told?.id], ["blocked", "operator", "pcx-1"]);
    assert.equal(
      told?.message,
      `is not accepted yet: AWS's quota "Inbound or outbound rules per security group" (L-0EA8095F) is short by 2: ` +
        "2 needed, 2 allowed, 1 are used and 1 reserved for other peerings",
    );
    assert.match(told?.hint ?? "", /^Raise it to at least 4: https:/);
  });

  test("waits while quotas cannot be read; one that is active goes on", () => {
    const unread = new Map([["pcx-1", unreadHold("no answer")]]);
    const of = network({ peerings: [wish()] });
    const pending = { ...settled(network()), peerings: [peering({ state: "pending-acceptance" })] };
    assert.deepEqual(steps(pending, { network: of, holds: unread }), []);
    const active = { ...settled(network()), peerings: [peering()] };
    assert.deepEqual(steps(active, { network: of, holds: unread }), ["authorizeRules group/peers"]);
  });

  test("is refused when AWS shows too many blocks once it is active; one that stood keeps what it has", () => {
    const grown = peering({ requesterCidrs: [PEER, OTHER] });
    const world = { ...settled(network(), peers), peerings: [grown] };
    const fresh = think({ ...world, ...bare() }, { network: network({ peerings: [wish()] }), holds });
    assert.deepEqual(
      fresh.verdicts.map(({ is }) => is),
      ["refused"],
    );
    const stood = think(world, { network: network({ peerings: [wish({ establishedAt: 1 })] }), holds });
    assert.deepEqual([stood.moves, stood.verdicts], [[], []]);
    const told = stood.conditions.find(({ resource }) => resource === "peering/pcx-1");
    assert.deepEqual([told?.state, told?.actor], ["ready", "operator"]);
    assert.match(
      told?.message ?? "",
      /^routes 172\.20\.0\.0\/16; not routed: 172\.21\.0\.0\/16 of vpc-customer: /,
    );
  });

  /** Without any rule or route of peers. */
  function bare(): Pick<World, "groups" | "routeTables"> {
    const { groups, routeTables } = settled(network());
    return { groups, routeTables };
  }

  test("of a quota that several tables are short of the worst is told", () => {
    const route = { ...shortage, code: "L-93826ACB", title: "Routes per route table" };
    const { message } = shortageHold([{ ...route, missing: 1 }, { ...route, missing: 3 }, shortage]);
    assert.match(message, /^[^;]*\(L-93826ACB\) is short by 3[^;]*; [^;]*\(L-0EA8095F\) is short by 2[^;]*$/);
  });
});
