/**
 * Datasets and peerings over regions, and the ways in which AWS shows a request late or not wholly: a request
 * that is still initiating, blocks that are hidden until the connection is active. The customer's commands run
 * at the very moment before ours.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import {
  AssociateVpcCidrBlockCommand,
  CreateVpcCommand,
  DescribeVpcPeeringConnectionsCommand,
  DescribeVpcsCommand,
} from "@aws-sdk/client-ec2";
import type { Settings } from "../src/sandbox/settings.ts";
import { CUSTOMER, type House, openHouse, PLATFORM } from "./support/house.ts";
import {
  accept,
  activePeering,
  activeVpc,
  customerVpc,
  everyPrivateTable,
  oneOfEach,
  oursByKey,
  type Peering,
  peeringIs,
  peeringOf,
  present,
  reaches,
  requestPeering,
  routesThrough,
  rulesOf,
  sortedEntries,
  type Vpc,
} from "./support/networks.ts";
import { askPatiently, assertRefused } from "./support/requests.ts";

let house: House;
let america: Vpc;
let europe: Vpc;

before(async () => {
  house = await openHouse();
  [america, europe] = await Promise.all([
    activeVpc(house, "Clicks", "us-east-1"),
    activeVpc(house, "Klicks", "eu-west-1"),
  ]);
});
after(() => house.close());

async function sandboxBecomes(patch: Partial<Settings>): Promise<void> {
  const response = await fetch(`${house.sandboxUrl}/_sandbox/settings`, {
    method: "PATCH",
    body: JSON.stringify(patch),
  });
  assert.equal(response.status, 200);
}

const AT_REST: Partial<Settings> = { peeringCidrsShownWhilePending: true, peeringInitiatingMs: 0 };

describe("two datasets in two regions", () => {
  test("each has one whole network in its own region, apart from the other's", async () => {
    assert.deepEqual([america.region, europe.region], ["us-east-1", "eu-west-1"]);
    for (const vpc of [america, europe]) {
      const { Vpcs } = await house
        .ec2(PLATFORM, vpc.region)
        .send(new DescribeVpcsCommand({ VpcIds: [vpc.vpcId] }));
      assert.equal(Vpcs?.[0]?.CidrBlock, vpc.cidrBlock);
      const ours = await oursByKey(house, vpc.region as "us-east-1");
      assert.deepEqual(sortedEntries(ours), sortedEntries(oneOfEach()));
    }
    assert.notEqual(america.cidrBlock, europe.cidrBlock);
    assert.deepEqual(
      europe.subnets.map(({ availabilityZoneId }) => availabilityZoneId.slice(0, 4)),
      Array(6).fill("euw1"),
    );
  });
});

/** The request, and our acceptance right behind it, as two people at two terminals would do. */
async function connected(from: { vpcId: string; region: "us-east-1" | "us-west-2" | "eu-west-1" }, to: Vpc) {
  const id = await requestPeering(house, { from: from.vpcId, to, region: from.region });
  await accept(house, to.datasetName, id);
  return peeringIs(house, to.datasetName, { id, status: "ACTIVE" });
}

interface Shown {
  readonly name: string;
  readonly settings: Partial<Settings>;
  readonly block: string;
}

const SHOWN: readonly Shown[] = [
  { name: "its blocks shown", settings: AT_REST, block: "172.16.0.0/16" },
  { name: "its blocks hidden", settings: { peeringCidrsShownWhilePending: false }, block: "172.17.0.0/16" },
  { name: "still initiating", settings: { peeringInitiatingMs: 1_500 }, block: "172.18.0.0/16" },
  {
    name: "still initiating, its blocks hidden",
    settings: { peeringInitiatingMs: 1_500, peeringCidrsShownWhilePending: false },
    block: "172.19.0.0/16",
  },
];

describe("a connection over regions, accepted right behind its request", () => {
  afterEach(() => sandboxBecomes(AT_REST));
  for (const { name, settings, block } of SHOWN)
    test(`${name}: routes and rules stand, and go again with it`, async () => {
      await sandboxBecomes(settings);
      const vpcId = await customerVpc(house, block, { region: "us-west-2" });
      const listed = await connected({ vpcId, region: "us-west-2" }, europe);
      assert.deepEqual(
        [listed.requesterRegion, listed.requesterVpcId, listed.requesterOwnerId, listed.requesterCidrBlocks],
        ["us-west-2", vpcId, CUSTOMER, [block]],
      );
      const id = listed.vpcPeeringConnectionId;
      const ec2 = house.ec2(PLATFORM, "eu-west-1");
      assert.deepEqual(await routesThrough(ec2, europe.vpcId, id), everyPrivateTable(block));
      assert.deepEqual(await rulesOf(ec2, europe.vpcId, "letsdata-peers"), [`tcp 0-65535 ${block}`]);
      const gone = await askPatiently(house, `DELETE /v1/datasets/Klicks/vpcPeeringConnections/${id}`);
      assert.equal(gone.status, 202, gone.text);
      await peeringIs(house, "Klicks", { id, status: "DELETED" });
      await assertNothingLeft(europe, id);
    });
});

async function assertNothingLeft(vpc: Vpc, id: string): Promise<void> {
  const ec2 = house.ec2(PLATFORM, vpc.region);
  assert.deepEqual(await routesThrough(ec2, vpc.vpcId, id), []);
  assert.deepEqual(await rulesOf(ec2, vpc.vpcId, "letsdata-peers"), []);
}

describe("hidden blocks that collide, seen once the connection is active", () => {
  afterEach(() => sandboxBecomes(AT_REST));

  async function refusedLater(from: string): Promise<Peering> {
    await sandboxBecomes({ peeringCidrsShownWhilePending: false });
    const id = await requestPeering(house, { from, to: america, region: "eu-west-1" });
    const first = await accept(house, "Clicks", id);
    assert.deepEqual([first.status, first.requesterCidrBlocks], ["ACCEPTING", []]);
    const listed = await peeringIs(house, "Clicks", { id, status: "REFUSED" });
    const { VpcPeeringConnections } = await house
      .ec2(CUSTOMER, "eu-west-1")
      .send(new DescribeVpcPeeringConnectionsCommand({ VpcPeeringConnectionIds: [id] }));
    const seen = VpcPeeringConnections?.[0]?.Status;
    assert.equal(seen?.Code, "deleted");
    assert.match(seen?.Message ?? "", new RegExp(PLATFORM));
    return listed;
  }

  test("public address space is refused with the reason, and nothing is left", async () => {
    const from = await customerVpc(house, "44.1.0.0/16", { region: "eu-west-1" });
    const listed = await refusedLater(from);
    assert.match(listed.statusReason, new RegExp(`44\\.1\\.0\\.0/16 of ${from} is public address space`));
    assert.equal(listed.whoseMove, "customer");
    await assertNothingLeft(america, listed.vpcPeeringConnectionId);
  });

  test("another peer's block is refused, and the other one keeps it", async () => {
    const first = await activePeering(house, america, "172.20.0.0/16");
    const from = await customerVpc(house, "172.20.64.0/18", { region: "eu-west-1" });
    const listed = await refusedLater(from);
    assert.match(
      listed.statusReason,
      new RegExp(`172\\.20\\.64\\.0/18 of ${from} overlaps 172\\.20\\.0\\.0/16 of ${first.vpcId}`),
    );
    const ec2 = house.ec2(PLATFORM);
    assert.deepEqual(await routesThrough(ec2, america.vpcId, listed.vpcPeeringConnectionId), []);
    assert.deepEqual(await routesThrough(ec2, america.vpcId, first.id), everyPrivateTable("172.20.0.0/16"));
    assert.deepEqual(await rulesOf(ec2, america.vpcId, "letsdata-peers"), ["tcp 0-65535 172.20.0.0/16"]);
    // The reason is kept: it is the same a while later, and the dataset is as good as before.
    await house.clock.sleep(5_000);
    const later = await peeringOf(house, "Clicks", listed.vpcPeeringConnectionId);
    assert.deepEqual([later?.status, later?.statusReason], ["REFUSED", listed.statusReason]);
    const again = await askPatiently(
      house,
      `POST /v1/datasets/Clicks/vpcPeeringConnections/${listed.vpcPeeringConnectionId}/accept`,
    );
    assertRefused(again, {
      status: 409,
      code: "conflict",
      says: [listed.vpcPeeringConnectionId, /was deleted/],
      hints: [/Request a new connection/],
    });
  });
});

describe("a block that the customer adds later", () => {
  let peering: { readonly id: string; readonly vpcId: string };
  const added = (CidrBlock: string) =>
    house.ec2(CUSTOMER).send(new AssociateVpcCidrBlockCommand({ VpcId: peering.vpcId, CidrBlock }));
  const routes = () => routesThrough(house.ec2(PLATFORM), america.vpcId, peering.id);
  const rules = () => rulesOf(house.ec2(PLATFORM), america.vpcId, "letsdata-peers");

  before(async () => {
    peering = await activePeering(house, america, "172.24.0.0/16");
  });

  test("is routed when it is clean", async () => {
    await added("172.25.0.0/16");
    const both = everyPrivateTable("172.24.0.0/16", "172.25.0.0/16");
    await house.until("it is routed", async () => JSON.stringify(await routes()) === JSON.stringify(both));
    assert.ok((await rules()).includes("tcp 0-65535 172.25.0.0/16"));
    assert.equal((await peeringOf(house, "Clicks", peering.id))?.status, "ACTIVE");
  });

  test("is reported and not routed when it is another peer's", async () => {
    await added("172.20.8.0/24");
    const told = await house.until("it is reported", async () => {
      const listed = await peeringOf(house, "Clicks", peering.id);
      return listed?.statusReason.includes("172.20.8.0/24") && listed;
    });
    assert.deepEqual([told.status, told.whoseMove], ["ACTIVE", "customer"]);
    assert.match(
      told.statusReason,
      /routes 172\.24\.0\.0\/16, 172\.25\.0\.0\/16; not routed: 172\.20\.8\.0\/24/,
    );
    assert.match(told.nextStep ?? "", /Peer a VPC with other blocks, or delete pcx-/);
    assert.deepEqual(await routes(), everyPrivateTable("172.24.0.0/16", "172.25.0.0/16"));
    assert.ok(!(await rules()).some((rule) => rule.includes("172.20.8.0")));
  });

  test("is reported and not routed when it is public", async () => {
    await added("44.2.0.0/16");
    const told = await house.until("it is reported", async () => {
      const listed = await peeringOf(house, "Clicks", peering.id);
      return listed?.statusReason.includes("44.2.0.0/16") && listed;
    });
    assert.match(told.statusReason, /44\.2\.0\.0\/16 of vpc-\w+ is public address space/);
    assert.deepEqual(await routes(), everyPrivateTable("172.24.0.0/16", "172.25.0.0/16"));
  });
});

describe("both datasets with one customer VPC", () => {
  test("are peered side by side, and deleted with all that was between", async () => {
    const { Vpc: own } = await house
      .ec2(CUSTOMER, "eu-west-1")
      .send(new CreateVpcCommand({ CidrBlock: "192.168.0.0/20" }));
    const from = { vpcId: present(own?.VpcId), region: "eu-west-1" } as const;
    const listed = await Promise.all([connected(from, america), connected(from, europe)]);
    const [one, other] = listed.map(({ vpcPeeringConnectionId }) => vpcPeeringConnectionId);
    assert.notEqual(one, other);
    for (const datasetName of ["Clicks", "Klicks"]) await house.api.call("datasets.delete", { datasetName });
    await Promise.all(["Clicks", "Klicks"].map((name) => reaches(house, name, "DELETED")));
    for (const region of ["us-east-1", "eu-west-1"] as const)
      assert.deepEqual([...(await oursByKey(house, region))], []);
    const { VpcPeeringConnections = [] } = await house
      .ec2(CUSTOMER, "eu-west-1")
      .send(
        new DescribeVpcPeeringConnectionsCommand({ VpcPeeringConnectionIds: [present(one), present(other)] }),
      );
    assert.deepEqual(
      VpcPeeringConnections.map(({ Status }) => Status?.Code),
      ["deleted", "deleted"],
    );
  });
});
