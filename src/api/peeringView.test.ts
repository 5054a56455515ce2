import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cidr } from "../domain/cidr.ts";
import type { Condition, PeeringWish } from "../domain/model.ts";
import type { PeeringState, SeenPeering } from "../domain/world.ts";
import { type PeeringSight, peeringView } from "./peeringView.ts";

const NOW = Date.UTC(2030, 0, 1);
const ID = "pcx-0123456789abcdef0";

function seen(state: PeeringState, more: Partial<SeenPeering> = {}): SeenPeering {
  return {
    id: ID,
    vpcId: "vpc-ours",
    state,
    stateMessage: "",
    requesterAccount: "123456789012",
    requesterVpcId: "vpc-theirs",
    requesterRegion: "eu-west-1",
    requesterCidrs: [cidr("10.50.0.0/16")],
    dnsFromRemote: false,
    expiresAt: NOW + 90_500,
    ...more,
  };
}

function wish(more: Partial<PeeringWish> = {}): PeeringWish {
  return {
    connectionId: ID,
    want: "active",
    reason: null,
    askedAt: NOW,
    establishedAt: null,
    endedAt: null,
    endedBy: null,
    ...more,
  };
}

function condition(state: Condition["state"], more: Partial<Condition> = {}): Condition {
  return {
    resource: `peering/${ID}`,
    id: ID,
    state,
    message: "routes 10.50.0.0/16",
    actor: "letsdata",
    hint: null,
    since: NOW,
    usualSeconds: null,
    ...more,
  };
}

function view(sight: Partial<PeeringSight>) {
  return peeringView({
    id: ID,
    seen: null,
    wish: null,
    condition: null,
    customerAccount: "123456789012",
    peer: { vpcId: "vpc-ours", ownerId: "999999999999", region: "us-east-1", cidrBlock: cidr("10.2.0.0/25") },
    place: { datasetName: "Clicks", tenantName: null, customerAccount: "111122223333", sandboxUrl: null },
    now: NOW,
    ...sight,
  });
}

const deleted = wish({ want: "deleted", establishedAt: NOW });
const byUs = wish({
  want: "deleted",
  reason: null,
  endedAt: NOW,
  endedBy: "letsdata",
});
const collision = "10.2.0.0/16 of vpc-theirs overlaps 10.2.0.0/25, the dataset's own range";
const refused = wish({ want: "deleted", reason: collision });
const byThem = wish({
  endedAt: NOW,
  endedBy: "123456789012",
  reason: "was deleted by the customer's side (account 123456789012)",
});

const WORDS: readonly [string, Partial<PeeringSight>][] = [
  ["PENDING", { seen: seen("pending-acceptance") }],
  ["PENDING", { seen: seen("initiating-request") }],
  ["ACCEPTING", { seen: seen("pending-acceptance"), wish: wish() }],
  ["ACCEPTING", { seen: seen("provisioning"), wish: wish() }],
  ["ACCEPTING", { seen: null, wish: wish() }],
  ["CONFIGURING", { seen: seen("active"), wish: wish() }],
  ["CONFIGURING", { seen: seen("active"), wish: wish(), condition: condition("waiting") }],
  ["CONFIGURING", { seen: seen("active"), wish: null }],
  ["CONFIGURING", { seen: seen("active"), wish: byThem }],
  ["ACTIVE", { seen: seen("active"), wish: wish({ establishedAt: NOW }), condition: condition("ready") }],
  ["DELETING", { seen: seen("active"), wish: deleted, condition: condition("deleting") }],
  ["DELETING", { seen: seen("deleting"), wish: byThem }],
  ["DELETING", { seen: null, wish: deleted }],
  ["DELETING", { seen: seen("active"), wish: refused }],
  ["DELETED", { seen: seen("deleted"), wish: byUs }],
  ["DELETED", { seen: null, wish: byUs }],
  ["DELETED", { seen: seen("deleted"), wish: byThem }],
  ["DELETED", { seen: seen("deleted"), wish: null }],
  ["REJECTED", { seen: seen("rejected"), wish: deleted }],
  ["REJECTED", { seen: seen("rejected"), wish: null }],
  ["REFUSED", { seen: seen("deleted"), wish: refused }],
  ["REFUSED", { seen: null, wish: { ...refused, endedAt: NOW, endedBy: "letsdata" } }],
  ["EXPIRED", { seen: seen("expired") }],
  ["FAILED", { seen: seen("failed", { stateMessage: "overlapping blocks" }) }],
];

describe("the word for a peering connection", () => {
  for (const [word, sight] of WORDS) {
    const aws = sight.seen?.state ?? "gone";
    test(`${aws}, wish ${sight.wish?.want ?? "none"}: ${word}`, () => {
      const found = view(sight);
      assert.equal(found.status, word);
      assert.equal(found.awsStatus, aws);
      assert.ok(found.statusReason.length > 0);
    });
  }
});

describe("the next step", () => {
  test("of a request is its acceptance, by the customer, with the time left", () => {
    const found = view({ seen: seen("pending-acceptance") });
    assert.equal(found.whoseMove, "customer");
    assert.equal(
      found.nextStep,
      `letsdata vpcs vpcPeeringConnections accept --datasetName Clicks --vpcPeeringConnectionId ${ID} --wait`,
    );
    assert.equal(found.expiresInSeconds, 90);
  });

  test("of a stranger's request is its rejection: accepting it would be refused", () => {
    const found = view({ seen: seen("pending-acceptance", { requesterAccount: "222222222222" }) });
    assert.equal(found.status, "PENDING");
    assert.match(found.statusReason, /^Account 222222222222 requests it, and only 123456789012/);
    assert.match(found.nextStep ?? "", /^letsdata vpcs vpcPeeringConnections delete /);
  });

  test("of a deleted one that was established is to drop the route that leads nowhere now", () => {
    const gone = { ...byUs, establishedAt: NOW };
    const found = view({ seen: seen("deleted"), wish: gone });
    assert.match(
      found.nextStep ?? "",
      /^aws ec2 delete-route .*--destination-cidr-block 10\.2\.0\.0\/25 --region eu-west-1$/,
    );
    assert.equal(view({ seen: seen("deleted"), wish: byUs }).nextStep, null);
  });

  test("of an expired request is the same request again", () => {
    const found = view({ seen: seen("expired") });
    assert.equal(found.expiresInSeconds, null);
    assert.equal(
      found.nextStep,
      "aws ec2 create-vpc-peering-connection --vpc-id vpc-theirs --peer-vpc-id vpc-ours --peer-owner-id 999999999999" +
        " --peer-region us-east-1 --region eu-west-1",
    );
  });

  test("of an active one is the route of the other side", () => {
    const found = view({
      seen: seen("active"),
      wish: wish({ establishedAt: NOW }),
      condition: condition("ready"),
    });
    assert.equal(found.whoseMove, "nobody");
    assert.match(
      found.nextStep ?? "",
      /create-route .*--destination-cidr-block 10\.2\.0\.0\/25 .*--region eu-west-1$/,
    );
  });

  test("of what is blocked is the hint of the condition", () => {
    const blocked = condition("blocked", {
      actor: "operator",
      message: "AWS denies it",
      hint: "Add a permission.",
    });
    const found = view({ seen: seen("active"), wish: wish(), condition: blocked });
    assert.deepEqual(
      [found.whoseMove, found.statusReason, found.nextStep],
      ["operator", "AWS denies it", "Add a permission."],
    );
  });
});

describe("who ended it", () => {
  test("the customer", () => {
    assert.match(
      view({ seen: seen("deleted"), wish: byThem }).statusReason,
      /^It was deleted by the customer's side/,
    );
  });
  test("we, as was asked", () => {
    assert.equal(
      view({ seen: null, wish: byUs }).statusReason,
      "It was deleted on our side, as was asked here",
    );
  });
  test("we, because a block collides", () => {
    assert.equal(view({ seen: seen("deleted"), wish: refused }).statusReason, collision);
  });
});
