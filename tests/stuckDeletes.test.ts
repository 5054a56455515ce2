/**
 * A deletion with everything against it: the customer requests a new peering every second, a function's network
 * interface lingers, and AWS refuses to release the addresses. It ends all the same, nothing is left, and at each
 * moment it says what it waits for, since when, and whose move it is. By the clock that leaps, second by second.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CreateVpcCommand,
  CreateVpcPeeringConnectionCommand,
  DescribeAddressesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSubnetsCommand,
  DescribeVpcPeeringConnectionsCommand,
  DescribeVpcsCommand,
  EC2ServiceException,
} from "@aws-sdk/client-ec2";
import { deletePlanOf } from "../src/control/outlook.ts";
import type { DeleteRow } from "../src/network/deletePlan.ts";
import { CUSTOMER, PLATFORM } from "./support/house.ts";
import { present } from "./support/networks.ts";
import { kafkaRequest, OPERATOR, openPlane, type Plane } from "./support/plane.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DATASET = "Clicks";
const ENI = "AWS Lambda VPC ENI-clicks-reader";
const DETACHED_AFTER = 15 * MINUTE;

/** What was said at one moment of the deletion. */
interface Moment {
  readonly at: number;
  readonly rows: readonly DeleteRow[];
}

interface Seen {
  readonly moments: readonly Moment[];
  readonly requested: readonly string[];
  readonly tookMs: number;
  readonly interfaceId: string;
}

async function dataset({ store, tenantId }: Plane) {
  return present(await store.tenant(tenantId).dataset(DATASET));
}

async function reaches(plane: Plane, status: string): Promise<void> {
  while ((await dataset(plane)).status !== status) await plane.clock.sleep(SECOND);
}

async function ourVpc(plane: Plane): Promise<string> {
  const Filters = [{ Name: "tag:letsdata:key", Values: ["vpc"] }];
  const { Vpcs = [] } = await plane.ec2(PLATFORM).send(new DescribeVpcsCommand({ Filters }));
  return present(Vpcs[0]?.VpcId);
}

/** The interface that a function would leave in a private subnet; `ends` says how it comes to its end. */
async function plantInterface(plane: Plane, vpcId: string, ends: object): Promise<string> {
  const Filters = [
    { Name: "vpc-id", Values: [vpcId] },
    { Name: "tag:letsdata:key", Values: ["subnet/private/0"] },
  ];
  const { Subnets = [] } = await plane.ec2(PLATFORM).send(new DescribeSubnetsCommand({ Filters }));
  const planted = await plane.admin("POST", "interfaces", {
    subnetId: Subnets[0]?.SubnetId,
    description: ENI,
    interfaceType: "lambda",
    ...ends,
  });
  return (planted as { networkInterfaceId: string }).networkInterfaceId;
}

/** A new request, or the one that still waits. */
async function request(plane: Plane, from: string, to: string): Promise<string[]> {
  try {
    const made = await plane
      .ec2(CUSTOMER)
      .send(new CreateVpcPeeringConnectionCommand({ VpcId: from, PeerVpcId: to, PeerOwnerId: PLATFORM }));
    return [present(made.VpcPeeringConnection?.VpcPeeringConnectionId)];
  } catch (thrown) {
    if (thrown instanceof EC2ServiceException && thrown.name === "VpcPeeringConnectionAlreadyExists")
      return [];
    throw thrown;
  }
}

async function told(plane: Plane): Promise<Moment> {
  const { store, tenantId, clock } = plane;
  const of = await dataset(plane);
  const scope = store.tenant(tenantId);
  const [network, status] = [await scope.network(of.id), await scope.status(of.id)];
  return { at: clock.now(), rows: deletePlanOf({ dataset: of, network, status }, clock.now()) ?? [] };
}

async function deletion(plane: Plane): Promise<Seen> {
  const { clock, intent, tenantId } = plane;
  await intent.createDataset(OPERATOR, tenantId, kafkaRequest(DATASET));
  await reaches(plane, "ACTIVE");
  const vpcId = await ourVpc(plane);
  const interfaceId = await plantInterface(plane, vpcId, { availableAfterMs: DETACHED_AFTER });
  const made = await plane.ec2(CUSTOMER).send(new CreateVpcCommand({ CidrBlock: "172.20.0.0/16" }));
  const from = present(made.Vpc?.VpcId);
  // As long as AWS may hide what is new.
  await clock.sleep(10 * SECOND);
  await plane.admin("POST", "faults", {
    ...{ operation: "ReleaseAddress", kind: "error", code: "AuthFailure", status: 401, count: 5 },
  });
  const began = clock.now();
  await intent.deleteDataset(OPERATOR, tenantId, DATASET);
  const moments: Moment[] = [];
  const requested: string[] = [];
  while ((await dataset(plane)).status !== "DELETED") {
    requested.push(...(await request(plane, from, vpcId)));
    moments.push(await told(plane));
    await clock.sleep(SECOND);
  }
  return { moments, requested: [...new Set(requested)], tookMs: clock.now() - began, interfaceId };
}

describe("a deletion with everything against it", () => {
  let plane: Plane;
  let seen: Seen;
  before(async () => {
    plane = await openPlane();
    seen = present(await plane.drive(() => deletion(plane)));
  });
  after(() => plane.close());

  const rowsOf = (resource: RegExp) =>
    seen.moments.flatMap(({ at, rows }) =>
      rows.filter((row) => resource.test(row.resource)).map((row) => ({ at, ...row })),
    );

  test("ends soon after the interface is free, and nothing is left", async () => {
    assert.ok(seen.tookMs > DETACHED_AFTER - MINUTE, `${seen.tookMs} ms`);
    assert.ok(seen.tookMs < DETACHED_AFTER + MINUTE, `${seen.tookMs} ms`);
    const platform = plane.ec2(PLATFORM);
    const { Vpcs } = await platform.send(
      new DescribeVpcsCommand({ Filters: [{ Name: "is-default", Values: ["false"] }] }),
    );
    const { Addresses } = await platform.send(new DescribeAddressesCommand({}));
    const { NetworkInterfaces } = await platform.send(new DescribeNetworkInterfacesCommand({}));
    assert.deepEqual([Vpcs, Addresses, NetworkInterfaces], [[], [], []]);
  });

  test("no request was ever accepted: all are rejected, or failed once the VPC was gone", async () => {
    // AWS answers a request for the same two VPCs with the one that waits, until it is rejected.
    assert.ok(seen.requested.length >= 3, `${seen.requested.length} requests`);
    const { VpcPeeringConnections = [] } = await plane
      .ec2(CUSTOMER)
      .send(new DescribeVpcPeeringConnectionsCommand({}));
    const states = new Set(VpcPeeringConnections.map(({ Status }) => Status?.Code));
    states.delete("failed");
    assert.deepEqual([...states], ["rejected"]);
  });

  test("says at each moment what it waits for, since when and whose move it is", () => {
    for (const { at, rows } of seen.moments) {
      const open = rows.filter(({ state }) => state !== "gone");
      assert.ok(open.length > 0, `nothing is said at ${at}`);
      const names = new Set(open.map(({ resource }) => resource));
      for (const { resource, state, message, actor, since, blockedBy } of open) {
        assert.ok(message !== "" && actor, resource);
        assert.ok(since !== null && since <= at, `${resource}: since ${since}`);
        if (state === "waiting" && resource !== "cloud")
          assert.ok(
            blockedBy.some((holder) => names.has(holder)),
            `${resource} waits, and nothing that is there holds it: ${blockedBy}`,
          );
      }
      // Something is being done, or somebody has to do something: it never only waits.
      assert.ok(
        open.some(({ state }) => state !== "waiting"),
        JSON.stringify(open),
      );
    }
  });

  test("names the interface with its description, owner and usual time as long as it is there", () => {
    const rows = rowsOf(/^interface\//).filter(({ id }) => id === seen.interfaceId);
    const held = rows.filter(({ state }) => state === "blocked");
    assert.ok(held.length > (DETACHED_AFTER - 2 * MINUTE) / SECOND, `${held.length} moments`);
    for (const { message, actor, usualSeconds } of held) {
      assert.ok(message.includes(`"${ENI}" (in-use, owner ${PLATFORM})`), message);
      assert.deepEqual([actor, usualSeconds], ["aws", 1_200]);
    }
    // Before the first look of the deletion it stands so since it was asked for.
    assert.ok(new Set(held.map(({ since }) => since)).size <= 2);
  });

  test("says that AWS does not let an address go yet, and that nothing has to be done", () => {
    const refused = rowsOf(/^eip\//).filter(({ message }) =>
      /^AWS still has the address eipalloc-/.test(message),
    );
    assert.ok(refused.length > 0);
    for (const { actor, hint, state } of refused) {
      assert.deepEqual([actor, state], ["aws", "deleting"]);
      assert.match(hint ?? "", /^Nothing to do/);
    }
  });

  test("says that requests are being rejected", () => {
    const rejected = rowsOf(/^peering\//);
    assert.ok(rejected.some(({ message }) => message === "a request that waits is being rejected"));
    for (const { actor } of rejected) assert.ok(actor === "letsdata" || actor === "aws");
  });
});

describe("a deletion that takes longer than it may", () => {
  const HOUR = 60 * MINUTE;

  test("raises an alarm in the log, once for each thing that is late, and ends when that has gone", async () => {
    const log: Readonly<Record<string, unknown>>[] = [];
    const plane = await openPlane({ log: (line) => log.push(line) });
    try {
      const began = await plane.drive(async () => {
        await plane.intent.createDataset(OPERATOR, plane.tenantId, kafkaRequest(DATASET));
        await reaches(plane, "ACTIVE");
        await plantInterface(plane, await ourVpc(plane), { releasedAfterMs: 3 * HOUR });
        const now = plane.clock.now();
        await plane.intent.deleteDataset(OPERATOR, plane.tenantId, DATASET);
        await reaches(plane, "DELETED");
        return now;
      });
      const alarms = log
        .filter(({ event }) => event === "deletion takes long")
        .map(({ resource, at, dataset: name, whoseMove }) => ({
          ...{ resource: String(resource).split("/")[0], name, whoseMove },
          minutes: Math.floor((Number(at) - present(began)) / MINUTE),
        }));
      assert.deepEqual(alarms, [
        { resource: "interface", name: DATASET, whoseMove: "aws", minutes: 45 },
        { resource: "vpc", name: DATASET, whoseMove: "letsdata", minutes: 120 },
      ]);
    } finally {
      await plane.close();
    }
  });
});
