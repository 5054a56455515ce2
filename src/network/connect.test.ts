import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cidr } from "../domain/cidr.ts";
import type { Network } from "../domain/model.ts";
import { CUSTOMER, network, peering, settled, steps, think, wish } from "./settled.testing.ts";

const PEER = cidr("172.20.0.0/16");
const peers = [{ connectionId: "pcx-1", cidrs: [PEER] }];

describe("peering", () => {
  const of = (change: Parameters<typeof wish>[0]): Network => network({ peerings: [wish(change)] });

  test("a wished request of the right account is accepted", () => {
    const world = { ...settled(network()), peerings: [peering({ state: "pending-acceptance" })] };
    assert.deepEqual(steps(world, { network: of({}) }), ["acceptPeering peering/pcx-1"]);
  });

  test("once active: DNS option and rules first, then routes, then it is established", () => {
    const bare = settled(network());
    const fresh = { ...bare, peerings: [peering({ dnsFromRemote: false })] };
    assert.deepEqual(steps(fresh, { network: of({}) }), [
      "allowPeeringDns peering/pcx-1/dns",
      "authorizeRules group/peers",
    ]);
    const full = settled(network(), peers);
    const ruled = { ...bare, groups: full.groups, peerings: [peering()] };
    assert.deepEqual(steps(ruled, { network: of({}) }), [
      "createRoute table/private/0",
      "createRoute table/private/1",
      "createRoute table/private/2",
    ]);
    const thought = think({ ...full, peerings: [peering()] }, { network: of({}) });
    assert.deepEqual([thought.moves, thought.verdicts.map(({ is }) => is)], [[], ["established"]]);
  });

  test("a customer without DNS hostnames holds nothing up", () => {
    const full = settled(network(), peers);
    const thought = think({ ...full, peerings: [peering({ dnsFromRemote: false })] }, { network: of({}) });
    assert.deepEqual(
      thought.moves.map(({ step, optional }) => [step.do, optional]),
      [["allowPeeringDns", true]],
    );
    assert.deepEqual(
      thought.verdicts.map(({ is }) => is),
      ["established"],
    );
    assert.equal(thought.conditions.find(({ resource }) => resource === "peering/pcx-1")?.state, "ready");
  });

  test("a block that one peer adds later never takes another's away", () => {
    const second = wish({ connectionId: "pcx-2", establishedAt: 2 });
    const both = network({ peerings: [second, wish({ establishedAt: 1 })] });
    const world = settled(network(), [...peers, { connectionId: "pcx-2", cidrs: [cidr("172.22.0.0/16")] }]);
    const later = peering({
      id: "pcx-2",
      requesterVpcId: "vpc-2",
      requesterCidrs: [cidr("172.22.0.0/16"), PEER],
    });
    const thought = think({ ...world, peerings: [later, peering()] }, { network: both });
    assert.deepEqual(thought.moves, []);
    const told = (id: string) =>
      thought.conditions.find(({ resource }) => resource === `peering/${id}`)?.message;
    assert.equal(told("pcx-1"), "routes 172.20.0.0/16");
    assert.match(told("pcx-2") ?? "", /not routed: 172\.20\.0\.0\/16/);
  });

  test("blocks that show only once it is active and collide refuse the whole connection", () => {
    for (const block of ["10.2.0.0/24", "8.8.8.0/24"]) {
      const world = { ...settled(network()), peerings: [peering({ requesterCidrs: [cidr(block)] })] };
      const thought = think(world, { network: of({}) });
      assert.deepEqual([thought.moves, thought.verdicts.map(({ is }) => is)], [[], ["refused"]]);
      assert.match(JSON.stringify(thought.verdicts), new RegExp(block.replace("/", "\\/")));
    }
  });

  test("a block added later is routed when clean and said when not", () => {
    const full = settled(network(), peers);
    const added = peering({ requesterCidrs: [PEER, cidr("172.21.0.0/16"), cidr("10.2.0.64/26")] });
    const thought = think({ ...full, peerings: [added] }, { network: of({ establishedAt: 1 }) });
    assert.deepEqual(thought.moves.map(({ step }) => step.do).sort(), [
      "authorizeRules",
      "createRoute",
      "createRoute",
      "createRoute",
    ]);
    assert.deepEqual(thought.verdicts, []);
    const all = settled(network(), [{ connectionId: "pcx-1", cidrs: [PEER, cidr("172.21.0.0/16")] }]);
    const told = think({ ...all, peerings: [added] }, { network: of({ establishedAt: 1 }) }).conditions.find(
      ({ resource }) => resource === "peering/pcx-1",
    );
    assert.match(told?.message ?? "", /not routed: .*10\.2\.0\.64\/26/);
  });

  test("deleted: routes, then rules, then the connection", () => {
    const gone = { network: of({ want: "deleted", establishedAt: 1 }) };
    const full = { ...settled(network(), peers), peerings: [peering()] };
    assert.deepEqual(steps(full, gone), [
      "deleteRoute table/private/0",
      "deleteRoute table/private/1",
      "deleteRoute table/private/2",
    ]);
    const bare = settled(network());
    const ruled = { ...bare, groups: full.groups, peerings: [peering()] };
    assert.deepEqual(steps(ruled, gone), ["revokeRules group/peers"]);
    assert.deepEqual(steps({ ...bare, peerings: [peering()] }, gone), ["deletePeering peering/pcx-1"]);
    const over = think({ ...bare, peerings: [peering({ state: "deleted" })] }, gone);
    assert.deepEqual([over.moves, over.verdicts.map(({ is }) => is)], [[], ["ended"]]);
  });

  test("a request that still waits is rejected", () => {
    const world = { ...settled(network()), peerings: [peering({ state: "pending-acceptance" })] };
    assert.deepEqual(steps(world, { network: of({ want: "deleted" }) }), ["rejectPeering peering/pcx-1"]);
  });

  test("deleted by the customer's side: cleaned up, and it says who", () => {
    const full = settled(network(), peers);
    const ended = think(
      { ...full, peerings: [peering({ state: "deleted" })] },
      { network: of({ establishedAt: 1 }) },
    );
    assert.deepEqual(new Set(ended.moves.map(({ step }) => step.do)), new Set(["deleteRoute"]));
    const [verdict] = ended.verdicts;
    assert.ok(verdict?.is === "ended");
    assert.equal(verdict.by, CUSTOMER);
    assert.match(verdict.reason, /customer's side/);
  });
});
