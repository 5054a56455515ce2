import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Cidr, cidr, cidrAt, isPrivate, overlaps } from "../domain/cidr.ts";
import type { SeenPeering } from "../domain/world.ts";
import { judgeBlocks, judgePeering, settleBlocks } from "./peerings.ts";

const VPC = cidr("10.2.0.0/25");
const CUSTOMER = "222222222222";
const NOW = Date.UTC(2026, 10, 23, 10);

const seen = (
  change: Partial<Omit<SeenPeering, "requesterCidrs">> = {},
  cidrs = ["10.50.0.0/16"],
): SeenPeering => ({
  id: "pcx-1",
  vpcId: "vpc-ours",
  state: "pending-acceptance",
  stateMessage: "",
  requesterAccount: CUSTOMER,
  requesterVpcId: "vpc-theirs",
  requesterRegion: "us-east-1",
  requesterCidrs: cidrs.map(cidr),
  dnsFromRemote: false,
  expiresAt: NOW + 1000,
  ...change,
});
const judge = (peering: SeenPeering, others: SeenPeering[] = []) =>
  judgePeering({ vpcCidr: VPC, customerAccount: CUSTOMER, peering, others, now: NOW });
const refusalOf = (peering: SeenPeering, others: SeenPeering[] = []) => {
  const judgement = judge(peering, others);
  assert.ok(!judgement.ok);
  return judgement;
};
const active = (id: string, ...cidrs: string[]) =>
  seen({ id, state: "active", requesterVpcId: `vpc-${id}`, expiresAt: null }, cidrs);

describe("judgePeering", () => {
  test("a pending request of the customer's account with clean blocks is accepted", () => {
    assert.deepEqual(judge(seen()), { ok: true });
    assert.deepEqual(
      judge(seen({}, ["192.168.0.0/16", "100.64.0.0/24"]), [active("pcx-2", "10.51.0.0/16")]),
      {
        ok: true,
      },
    );
  });

  test("hidden blocks pass for now", () => assert.deepEqual(judge(seen({}, [])), { ok: true }));

  test("another account is forbidden, before anything else is told about the request", () => {
    const refusal = refusalOf(seen({ requesterAccount: "333333333333", state: "expired" }, ["10.2.0.0/16"]));
    assert.equal(refusal.code, "forbidden");
    assert.equal(
      refusal.message,
      "pcx-1 was requested by account 333333333333, and only 222222222222, " +
        "the dataset's customerAccountForAccess, may peer with it",
    );
  });

  const states: [SeenPeering["state"], string, RegExp][] = [
    ["initiating-request", "", /still being requested/],
    ["provisioning", "", /accepted already/],
    ["active", "", /active already/],
    ["rejected", "", /was rejected/],
    ["failed", "Overlapping CIDR", /has failed: Overlapping CIDR/],
    ["deleting", "", /is being deleted/],
    ["deleted", "Deleted by 222222222222", /was deleted: Deleted by 222222222222/],
  ];
  for (const [state, stateMessage, text] of states)
    test(`${state} is refused in its own words`, () => {
      const refusal = refusalOf(seen({ state, stateMessage }));
      assert.equal(refusal.code, "conflict");
      assert.match(refusal.message, text);
      assert.notEqual(refusal.hint, "");
    });

  test("expired says when, also while the state still says pending", () => {
    const expected = "pcx-1 expired at 2026-11-23T10:00:00.000Z: a request waits 7 days";
    assert.equal(refusalOf(seen({ state: "expired", expiresAt: NOW })).message, expected);
    assert.equal(refusalOf(seen({ expiresAt: NOW })).message, expected);
  });

  test("an overlap with the dataset's range names both blocks", () => {
    const refusal = refusalOf(seen({}, ["10.60.0.0/16", "10.2.0.0/16"]));
    assert.equal(refusal.code, "conflict");
    assert.equal(
      refusal.message,
      "pcx-1 is refused: 10.2.0.0/16 of vpc-theirs overlaps 10.2.0.0/25, the dataset's own range",
    );
  });

  test("an overlap with another peer names that peer", () => {
    const refusal = refusalOf(seen(), [active("pcx-2", "10.50.4.0/24")]);
    assert.equal(refusal.code, "conflict");
    assert.equal(
      refusal.message,
      "pcx-1 is refused: 10.50.0.0/16 of vpc-theirs overlaps 10.50.4.0/24 of vpc-pcx-2, peered by pcx-2",
    );
    assert.match(refusal.hint, /delete pcx-2 first/);
  });

  test("public space is invalid", () => {
    const refusal = refusalOf(seen({}, ["52.95.0.0/16"]));
    assert.equal(refusal.code, "invalid");
    assert.match(refusal.message, /52\.95\.0\.0\/16 of vpc-theirs is public address space/);
  });

  test("its own entry among the others is no collision", () =>
    assert.deepEqual(judge(seen(), [seen({ state: "active" })]), { ok: true }));
});

test("judgeBlocks splits the blocks and keeps their order", () => {
  const { clean, bad } = judgeBlocks({
    vpcCidr: VPC,
    peering: seen({}, ["10.60.0.0/16", "8.8.8.0/24", "10.50.0.0/16", "10.2.0.0/20", "192.168.0.0/24"]),
    others: [active("pcx-2", "10.50.0.0/20")],
  });
  assert.deepEqual(clean, ["10.60.0.0/16", "192.168.0.0/24"]);
  assert.deepEqual(
    bad.map((trouble) => trouble.cidr),
    ["8.8.8.0/24", "10.50.0.0/16", "10.2.0.0/20"],
  );
});

describe("settleBlocks", () => {
  const judged = (...peers: [SeenPeering, string[]][]) => {
    const found = settleBlocks(
      VPC,
      peers.map(([peering, routed]) => ({ peering, routed: routed.map(cidr) })),
    );
    return Object.fromEntries([...found].map(([id, { clean }]) => [id, [...clean]]));
  };

  test("who has a block keeps it, whatever another peer adds", () =>
    assert.deepEqual(
      judged(
        [active("pcx-1", "10.50.0.0/16", "10.60.0.0/16"), ["10.50.0.0/16"]],
        [active("pcx-2", "10.60.0.0/16"), ["10.60.0.0/16"]],
      ),
      { "pcx-1": ["10.50.0.0/16"], "pcx-2": ["10.60.0.0/16"] },
    ));

  test("of two new claims the first peer's is taken", () =>
    assert.deepEqual(judged([active("pcx-1", "10.50.0.0/16"), []], [active("pcx-2", "10.50.0.0/20"), []]), {
      "pcx-1": ["10.50.0.0/16"],
      "pcx-2": [],
    }));

  test("a route left from a block that is gone holds nothing", () =>
    assert.deepEqual(
      judged([active("pcx-1", "10.50.0.0/16"), ["10.60.0.0/16"]], [active("pcx-2", "10.60.0.0/16"), []]),
      { "pcx-1": ["10.50.0.0/16"], "pcx-2": ["10.60.0.0/16"] },
    ));

  test("routed blocks are private, apart from the network and from each other", () => {
    const some = fc.array(
      fc
        .record({ at: fc.nat(0xffff), mask: fc.integer({ min: 14, max: 28 }), open: fc.boolean() })
        .map(({ at, mask, open }): Cidr => cidrAt((open ? 0x08000000 : 0x0a000000) + at * 16, mask)),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(fc.array(some, { maxLength: 4 }), (claims) => {
        const peers = claims.map((cidrs, at) => ({ peering: active(`pcx-${at}`, ...cidrs), routed: [] }));
        const found = [...settleBlocks(VPC, peers)].map(([, { clean }]) => clean);
        for (const [at, clean] of found.entries())
          for (const block of clean) {
            assert.ok(isPrivate(block) && !overlaps(block, VPC));
            assert.ok(
              found.every((other, place) => place === at || other.every((one) => !overlaps(one, block))),
            );
          }
      }),
    );
  });
});
