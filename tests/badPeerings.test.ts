/**
 * Peering connections that must not be accepted or deleted: each is refused with its status and code, in words
 * that say what is wrong and what to do; no wish is written, and the cloud is as it was.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  DescribeVpcPeeringConnectionsCommand,
  RejectVpcPeeringConnectionCommand,
  type VpcPeeringConnection,
} from "@aws-sdk/client-ec2";
import { CUSTOMER, type House, openHouse, PLATFORM } from "./support/house.ts";
import {
  accept,
  activePeering,
  activeVpc,
  customerVpc,
  peeringIs,
  peeringOf,
  requestPeering,
  routesThrough,
  rulesOf,
  type Vpc,
} from "./support/networks.ts";
import { ask, askPatiently, assertRefused, kafka, type Refusal } from "./support/requests.ts";

const STRANGER = "444455556666";
const PEER = "172.20.0.0/16";

let house: House;
let vpc: Vpc;
let other: Vpc;
let active: { readonly id: string; readonly vpcId: string };

before(async () => {
  house = await openHouse();
  [vpc, other] = await Promise.all([activeVpc(house, "Clicks"), activeVpc(house, "Other")]);
  active = await activePeering(house, vpc, PEER);
});
after(() => house.close());

/** What a refused request could have changed: wishes, connections, routes, rules. */
async function everything(): Promise<string> {
  const platform = house.ec2(PLATFORM);
  const { VpcPeeringConnections = [] } = await platform.send(new DescribeVpcPeeringConnectionsCommand({}));
  const state = ({ VpcPeeringConnectionId, Status }: VpcPeeringConnection) =>
    `${VpcPeeringConnectionId} ${Status?.Code}`;
  return JSON.stringify([
    (await house.store.audit({ limit: 1000, cursor: null })).items,
    VpcPeeringConnections.map(state).sort(),
    await routesThrough(platform, vpc.vpcId, active.id),
    await rulesOf(platform, vpc.vpcId, "letsdata-peers"),
  ]);
}

type Verb = "accept" | "delete";

async function refused(verb: Verb, id: string, refusal: Refusal, datasetName = "Clicks"): Promise<void> {
  const were = await everything();
  const path = `/v1/datasets/${datasetName}/vpcPeeringConnections/${id}`;
  const reply = await askPatiently(house, verb === "accept" ? `POST ${path}/accept` : `DELETE ${path}`);
  assertRefused(reply, refusal);
  assert.equal(await everything(), were);
}

/** A request of the customer's to Clicks. */
async function requested(block: string, over: Partial<Parameters<typeof requestPeering>[1]> = {}) {
  const from = await customerVpc(house, block, over);
  return { from, id: await requestPeering(house, { from, to: vpc, ...over }) };
}

const sandboxBecomes = (patch: object) =>
  fetch(`${house.sandboxUrl}/_sandbox/settings`, { method: "PATCH", body: JSON.stringify(patch) });

describe("accept is refused for", () => {
  beforeEach(() => sandboxBecomes({ peeringExpiresMs: 604_800_000 }));

  test("a request of another account", async () => {
    const { id } = await requested("172.21.0.0/16", { account: STRANGER });
    await refused("accept", id, {
      status: 403,
      code: "forbidden",
      says: [id, `requested by account ${STRANGER}`, `only ${CUSTOMER}`, "customerAccountForAccess"],
      hints: [`from a VPC of account ${CUSTOMER}`],
    });
    assert.equal((await peeringOf(house, "Clicks", id))?.status, "PENDING");
  });

  test("one that is active already", () =>
    refused("accept", active.id, {
      status: 409,
      code: "conflict",
      says: [`${active.id} is active already`],
      hints: ["Nothing is to be accepted"],
    }));

  test("one that has expired", async () => {
    await sandboxBecomes({ peeringExpiresMs: 2_000 });
    const { id } = await requested("172.22.0.0/16");
    await peeringIs(house, "Clicks", { id, status: "EXPIRED" });
    await refused("accept", id, {
      status: 409,
      code: "conflict",
      says: [`${id} expired`, "7 days"],
      hints: ["Request a new connection"],
    });
  });

  test("one that overlaps another peer", async () => {
    const { id, from } = await requested("172.20.128.0/20");
    await refused("accept", id, {
      status: 409,
      code: "conflict",
      says: [`172.20.128.0/20 of ${from} overlaps ${PEER} of ${active.vpcId}`, active.id],
      hints: [`delete ${active.id} first`],
    });
  });

  test("one of public address space", async () => {
    const { id, from } = await requested("52.0.0.0/16");
    await refused("accept", id, {
      status: 400,
      code: "invalid",
      says: [`52.0.0.0/16 of ${from} is public address space`],
      hints: ["10.0.0.0/8"],
    });
  });

  test("one over the dataset's own range, which AWS lets fail", async () => {
    const { id } = await requested(vpc.cidrBlock);
    await refused("accept", id, {
      status: 404,
      code: "notFound",
      says: [id, "Clicks"],
      hints: ["letsdata vpcs list --datasetName Clicks"],
    });
  });

  test("one that nobody made", () =>
    refused("accept", "pcx-0123456789abcdef0", {
      status: 404,
      code: "notFound",
      says: ["AWS shows no peering connection pcx-0123456789abcdef0", "dataset Clicks"],
      hints: ["Check the id"],
    }));

  test("an id that is none", () =>
    refused("accept", "vpc-0123456789abcdef0", {
      status: 400,
      code: "invalid",
      says: ["vpcPeeringConnectionId", '"vpc-0123456789abcdef0"', "pcx-"],
    }));

  test("one to another dataset", async () => {
    const from = await customerVpc(house, "172.23.0.0/16");
    const id = await requestPeering(house, { from, to: other });
    await refused("accept", id, { status: 404, code: "notFound", says: [id, "dataset Clicks"] });
    await accept(house, "Other", id);
    await peeringIs(house, "Other", { id, status: "ACTIVE" });
  });

  test("one that was rejected", async () => {
    const { id } = await requested("172.24.0.0/16");
    await house.ec2(PLATFORM).send(new RejectVpcPeeringConnectionCommand({ VpcPeeringConnectionId: id }));
    await peeringIs(house, "Clicks", { id, status: "REJECTED" });
    await refused("accept", id, {
      status: 409,
      code: "conflict",
      says: [`${id} was rejected`],
      hints: ["Request a new connection"],
    });
  });

  test("a dataset that is not there, and one without a VPC", async () => {
    await refused("accept", active.id, { status: 404, code: "notFound", says: ["Nothing"] }, "Nothing");
    const body = kafka("Files", { connectorDestination: "S3" });
    assert.equal((await ask(house, "POST /v1/datasets", { body })).status, 201);
    const none = { status: 409, code: "conflict", says: ["Dataset Files has no VPC to peer with"] };
    await refused("accept", active.id, none, "Files");
  });
});

describe("accept twice", () => {
  test("while the first is being carried out is one acceptance", async () => {
    await sandboxBecomes({ peeringProvisioningMs: 30_000 });
    const { id } = await requested("172.25.0.0/16");
    const replies = await Promise.all(
      [1, 2, 3].map(() => askPatiently(house, `POST /v1/datasets/Clicks/vpcPeeringConnections/${id}/accept`)),
    );
    for (const { status, text } of replies) assert.equal(status, 202, text);
    await sandboxBecomes({ peeringProvisioningMs: 500 });
    await peeringIs(house, "Clicks", { id, status: "ACTIVE" });
  });

  test("of two that overlap, at the same moment: one is accepted, the other refused", async () => {
    const both = await Promise.all([requested("192.168.0.0/20"), requested("192.168.8.0/22")]);
    const replies = await Promise.all(
      both.map(({ id }) =>
        askPatiently(house, `POST /v1/datasets/Clicks/vpcPeeringConnections/${id}/accept`),
      ),
    );
    assert.deepEqual(replies.map(({ status }) => status).sort(), [202, 409]);
    const won = both[replies.findIndex(({ status }) => status === 202)];
    assert.ok(won);
    await peeringIs(house, "Clicks", { id: won.id, status: "ACTIVE" });
    const blocks = await rulesOf(house.ec2(PLATFORM), vpc.vpcId, "letsdata-peers");
    assert.equal(blocks.filter((rule) => rule.includes("192.168.")).length, 1);
  });
});

describe("delete", () => {
  test("of a request that waits rejects it; again it is refused", async () => {
    const { id } = await requested("172.26.0.0/16");
    const path = `DELETE /v1/datasets/Clicks/vpcPeeringConnections/${id}`;
    assert.equal((await askPatiently(house, path)).status, 202);
    await house.until("rejected", async () => {
      const { VpcPeeringConnections: [seen] = [] } = await house
        .ec2(CUSTOMER)
        .send(new DescribeVpcPeeringConnectionsCommand({ VpcPeeringConnectionIds: [id] }));
      return seen?.Status?.Code === "rejected";
    });
    await house.until("ended", async () => (await peeringOf(house, "Clicks", id))?.status === "REJECTED");
    await refused("delete", id, { status: 409, code: "conflict", says: [id, "already rejected"] });
  });

  test("of one that nobody made is refused", () =>
    refused("delete", "pcx-0123456789abcdef0", {
      status: 404,
      code: "notFound",
      says: ["pcx-0123456789abcdef0"],
    }));

  test("of another dataset's is refused, and that one goes on", async () => {
    await refused(
      "delete",
      active.id,
      { status: 404, code: "notFound", says: [active.id, "Other"] },
      "Other",
    );
    assert.equal((await peeringOf(house, "Clicks", active.id))?.status, "ACTIVE");
  });
});
