/**
 * Datasets that are deleted twice, at every stage of their creation, with peers and requests at the door, and
 * whose names come back: always nothing is left in the cloud, the range rests, and nobody else is touched. A
 * key that is revoked while somebody waits ends the waiting, not the work.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DescribeVpcPeeringConnectionsCommand } from "@aws-sdk/client-ec2";
import { cli } from "../src/cli/testing.ts";
import { CUSTOMER, type House, openHouse } from "./support/house.ts";
import {
  activePeering,
  activeVpc,
  customerVpc,
  oursByKey,
  reaches,
  requestPeering,
} from "./support/networks.ts";
import { ask, askPatiently, assertRefused, kafka } from "./support/requests.ts";

let house: House;

before(async () => {
  house = await openHouse();
});
after(() => house.close());

const create = (body: object) => ask(house, "POST /v1/datasets", { body });
const remove = (name: string) => ask(house, `DELETE /v1/datasets/${name}`);

async function view(name: string) {
  return (await ask(house, `GET /v1/datasets/${name}`)).body;
}

/** Creates it and waits for its VPC: what has nothing in the cloud yet is deleted in no time. */
async function begun(name: string) {
  const created = await create(kafka(name));
  await house.until("its VPC is there", async () => (await view(name)).vpcId !== null);
  return created;
}

const patch = (settings: object) =>
  fetch(`${house.sandboxUrl}/_sandbox/settings`, { method: "PATCH", body: JSON.stringify(settings) });

const assertCloudEmpty = async () => assert.deepEqual([...(await oursByKey(house))], []);

describe("a dataset deleted", () => {
  test("twice: the second is refused, and again once it is gone", async () => {
    await activeVpc(house, "Clicks");
    const first = await remove("Clicks");
    assert.deepEqual([first.status, first.body.status], [202, "DELETING"]);
    assertRefused(await remove("Clicks"), {
      status: 409,
      code: "conflict",
      says: ["Dataset Clicks is already being deleted"],
      hints: ["letsdata datasets view --datasetName Clicks"],
    });
    await reaches(house, "Clicks", "DELETED");
    assertRefused(await remove("Clicks"), {
      status: 404,
      code: "notFound",
      says: ["There is no dataset Clicks"],
      hints: ["letsdata datasets list"],
    });
    await assertCloudEmpty();
  });

  test("that never was is refused", async () => {
    assertRefused(await remove("Nothing"), { status: 404, code: "notFound", says: ["Nothing"] });
  });

  test("by two at the same moment is deleted once", async () => {
    await begun("Both");
    const replies = await Promise.all([remove("Both"), remove("Both")]);
    assert.deepEqual(replies.map(({ status }) => status).sort(), [202, 409]);
    await reaches(house, "Both", "DELETED");
    await assertCloudEmpty();
  });
});

interface Stage {
  readonly name: string;
  /** True once the creation has come that far. */
  readonly reached: (name: string) => Promise<boolean>;
}

async function stateOf(name: string, resource: string): Promise<string | undefined> {
  const { conditions } = await view(name);
  const found = conditions.find((condition: { resource: string }) => condition.resource === resource);
  return found && `${found.state} ${found.message}`;
}

const STAGES: readonly Stage[] = [
  { name: "at once", reached: async () => true },
  { name: "once it is being looked at", reached: async (name) => (await view(name)).conditions.length > 0 },
  { name: "with its VPC there", reached: async (name) => (await view(name)).vpcId !== null },
  {
    name: "with its subnets there",
    reached: async (name) => /^ready/.test((await stateOf(name, "subnet/private/0")) ?? ""),
  },
  {
    name: "with its NAT gateways pending",
    reached: async (name) => /pending|^ready/.test((await stateOf(name, "nat/2")) ?? ""),
  },
  { name: "when it has just become ACTIVE", reached: async (name) => (await view(name)).status === "ACTIVE" },
];

describe("a dataset deleted while it is being created", { concurrency: true }, () => {
  for (const [index, { name: stage, reached }] of STAGES.entries())
    test(stage, async () => {
      const name = `Early${index}`;
      const created = await create(kafka(name));
      assert.equal(created.status, 201);
      await house.until(stage, () => reached(name));
      assert.equal((await remove(name)).status, 202);
      await reaches(house, name, "DELETED");
      const ranges = await ask(house, "GET /v1/ranges?limit=1000");
      const resting = ranges.body.items.find(
        (range: { cidrBlock: string; kind: string }) =>
          range.cidrBlock === created.body.cidrBlock && range.kind === "datasetRange",
      );
      assert.equal(resting?.state, "quarantined");
    });
});

test("after all of these nothing is left in the cloud", assertCloudEmpty);

describe("a name", () => {
  test("is taken while its dataset is being deleted, and free afterwards, with another range", async () => {
    const first = await begun("Again");
    await remove("Again");
    assertRefused(await create(kafka("Again")), {
      status: 409,
      code: "conflict",
      says: ["Dataset Again exists already (DELETING)"],
      hints: ["free again once it is DELETED"],
    });
    await reaches(house, "Again", "DELETED");
    const second = await create(kafka("Again"));
    assert.equal(second.status, 201, second.text);
    assert.notEqual(second.body.datasetId, first.body.datasetId);
    assert.notEqual(second.body.cidrBlock, first.body.cidrBlock);
    await reaches(house, "Again", "ACTIVE");
    assert.equal((await view("Again")).datasetId, second.body.datasetId);
    await remove("Again");
    await reaches(house, "Again", "DELETED");
    await assertCloudEmpty();
  });
});

describe("deleting a dataset that is peered", () => {
  test("takes the connection away, rejects whoever waits, and accepts nobody any more", async () => {
    const vpc = await activeVpc(house, "Peered");
    const active = await activePeering(house, vpc, "172.20.0.0/16");
    const from = await customerVpc(house, "172.21.0.0/16");
    const pending = await requestPeering(house, { from, to: vpc });
    assert.equal((await remove("Peered")).status, 202);
    const accepting = await askPatiently(
      house,
      `POST /v1/datasets/Peered/vpcPeeringConnections/${pending}/accept`,
    );
    assertRefused(accepting, { status: 409, code: "conflict", says: ["Dataset Peered is being deleted"] });
    await reaches(house, "Peered", "DELETED");
    const { VpcPeeringConnections = [] } = await house
      .ec2(CUSTOMER)
      .send(new DescribeVpcPeeringConnectionsCommand({ VpcPeeringConnectionIds: [active.id, pending] }));
    assert.deepEqual(
      VpcPeeringConnections.map(({ VpcPeeringConnectionId, Status }) => [
        VpcPeeringConnectionId,
        Status?.Code,
      ]).sort(),
      [
        [active.id, "deleted"],
        [pending, "rejected"],
      ].sort(),
    );
    await assertCloudEmpty();
  });
});

describe("a key revoked while somebody waits with it", () => {
  test("ends the waiting with exit 3; the work goes on", async () => {
    // Long enough for the key to be revoked while the create still runs.
    await patch({ natPendingMs: 40_000 });
    const made = await ask(house, "POST /v1/keys?tenantName=default", {
      body: { name: "pipeline", role: "member" },
    });
    const { keyId, apiKey } = made.body;
    const waiting = cli(["datasets", "create", "--configFile", "-", "--wait"], {
      env: { LETSDATA_URL: house.url, LETSDATA_API_KEY: apiKey, NO_COLOR: "1" },
      stdin: JSON.stringify(kafka("Waited")),
      clock: house.clock,
    });
    await house.until("it is being created", async () => (await view("Waited")).status === "CREATING");
    assert.equal((await ask(house, `DELETE /v1/keys/${keyId}?tenantName=default`)).status, 200);
    const { exit, stdout, stderr } = await waiting;
    assert.deepEqual([exit, stdout], [3, ""]);
    assert.match(stderr, /No valid API key was given/);
    await reaches(house, "Waited", "ACTIVE");
    await remove("Waited");
    await reaches(house, "Waited", "DELETED");
    await assertCloudEmpty();
  });
});

describe("a deletion that takes longer than --wait stays", () => {
  test("is waited for by the same command again", async () => {
    await patch({ natPendingMs: 0, natDeletingMs: 20_000 });
    await activeVpc(house, "Slow");
    const wait = (timeout: string) =>
      cli(["datasets", "delete", "--datasetName", "Slow", "--wait", "--timeout", timeout], {
        env: { LETSDATA_URL: house.url, LETSDATA_API_KEY: house.operatorKey, NO_COLOR: "1" },
        clock: house.clock,
      });
    const first = await wait("5s");
    assert.equal(first.exit, 7, first.stderr);
    assert.match(first.stderr, /^Error: Slow is still DELETING after 5s; it waits for \S+: /);
    const second = await wait("10m");
    assert.deepEqual([second.exit, JSON.parse(second.stdout).status], [0, "DELETED"], second.stderr);
    await assertCloudEmpty();
  });
});
