/**
 * AWS's quotas are looked at before anything is begun: of networks made at once as many are whole as there is room
 * for, and the others have nothing in the cloud; a peering for which there is no room is not accepted. What is
 * short is said with how much, the quota's code and where to raise it, and it goes on by itself once it is raised.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AssociateVpcCidrBlockCommand,
  DescribeAddressesCommand,
  DescribeTagsCommand,
} from "@aws-sdk/client-ec2";
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
  requestPeering,
  routesThrough,
  rulesOf,
  sortedEntries,
  type Vpc,
} from "./support/networks.ts";
import { kafkaRequest, OPERATOR, openPlane } from "./support/plane.ts";
import { ask, kafka } from "./support/requests.ts";

interface Condition {
  readonly resource: string;
  readonly id: string | null;
  readonly state: string;
  readonly message: string;
  readonly whoseMove: string;
  readonly hint: string | null;
  readonly since: string;
}

interface Seen {
  readonly datasetName: string;
  readonly status: string;
  readonly statusReason: string | null;
  readonly vpcId: string | null;
  readonly conditions: readonly Condition[];
}

const admin = async (house: House, method: string, path: string, body?: object) => {
  const answer = await fetch(`${house.sandboxUrl}/_sandbox/${path}`, {
    method,
    ...(body && { body: JSON.stringify(body) }),
  });
  assert.ok(answer.ok, await answer.text());
};

const view = async (house: House, name: string): Promise<Seen> =>
  (await ask(house, `GET /v1/datasets/${name}`)).body;

const link = (service: string, code: string) =>
  `https://us-east-1.console.aws.amazon.com/servicequotas/home/services/${service}/quotas/${code}`;

describe("ten datasets at once where eleven elastic IPs are allowed", () => {
  const names = Array.from({ length: 10 }, (_, index) => `Clicks${index}`);
  let house: House;
  before(async () => {
    house = await openHouse({ sandbox: { addressesQuota: 11 } });
  });
  after(() => house.close());

  const all = () => Promise.all(names.map((name) => view(house, name)));
  const settledAs = (count: number) => (seen: readonly Seen[]) =>
    seen.filter(({ status }) => status === "ACTIVE").length === count &&
    seen.filter(({ status }) => status === "ERROR").length === names.length - count;

  async function addresses(): Promise<number> {
    const { Addresses = [] } = await house.ec2(PLATFORM).send(new DescribeAddressesCommand({}));
    return Addresses.length;
  }

  test("three are whole, and seven have nothing in the cloud and say what is missing", async () => {
    const created = await Promise.all(
      names.map((name) => ask(house, "POST /v1/datasets", { body: kafka(name) })),
    );
    assert.deepEqual(new Set(created.map(({ status }) => status)), new Set([201]));
    const seen = await house.until("three are ACTIVE, seven held up", async () => {
      const now = await all();
      return settledAs(3)(now) && now;
    });
    const three = new Map([...oneOfEach()].map(([key, count]) => [key, 3 * count]));
    assert.deepEqual(sortedEntries(await oursByKey(house)), sortedEntries(three));
    assert.equal(await addresses(), 9);
    for (const { status, vpcId, conditions } of seen) {
      if (status === "ACTIVE") continue;
      assert.equal(vpcId, null);
      const [short, ...others] = conditions;
      assert.deepEqual(others, []);
      assert.deepEqual(
        [short?.resource, short?.id, short?.state, short?.whoseMove],
        ["quota/elasticIps", "L-0263D0A3", "blocked", "operator"],
      );
      assert.match(
        short?.message ?? "",
        /"EC2-VPC Elastic IPs" \(L-0263D0A3\) is short by 1: 3 needed, 11 allowed, .*Nothing was created$/,
      );
      assert.ok(short?.hint?.includes(link("ec2", "L-0263D0A3")), short?.hint ?? "");
    }
  });

  test("the others go on by themselves once it is raised", async () => {
    await admin(house, "PATCH", "settings", { addressesQuota: 30 });
    await house.until("all are ACTIVE", async () => settledAs(10)(await all()));
    const ten = new Map([...oneOfEach()].map(([key, count]) => [key, 10 * count]));
    assert.deepEqual(sortedEntries(await oursByKey(house)), sortedEntries(ten));
    assert.equal(await addresses(), 30);
  });
});

describe("two clusters where brokers for one are allowed", () => {
  let house: House;
  before(async () => {
    house = await openHouse({ sandbox: { mskBrokersQuota: 4 } });
  });
  after(() => house.close());

  test("one is whole, the other has nothing in the cloud, and goes on once the quota is raised", async () => {
    const names = ["Clicks", "Views"];
    const kafkaSection = { kafka: { clusterType: "provisioned" } };
    for (const name of names) await ask(house, "POST /v1/datasets", { body: kafka(name, kafkaSection) });
    const all = () => Promise.all(names.map((name) => view(house, name)));
    const seen = await house.until("one is ACTIVE, one held up", async () => {
      const now = await all();
      return ["ACTIVE", "ERROR"].every((status) => now.some((one) => one.status === status)) && now;
    });
    const [short] = seen.find(({ status }) => status === "ERROR")?.conditions ?? [];
    assert.deepEqual([short?.resource, short?.id], ["quota/kafkaBrokers", "L-EDD31C36"]);
    assert.match(short?.message ?? "", /is short by 2: 3 needed, 4 allowed, .*Nothing was created$/);
    assert.ok(short?.hint?.includes(link("kafka", "L-EDD31C36")), short?.hint ?? "");
    await admin(house, "PATCH", "settings", { mskBrokersQuota: 6 });
    await house.until("both are ACTIVE", async () =>
      (await all()).every(({ status }) => status === "ACTIVE"),
    );
  });
});

describe("quotas that cannot be read", () => {
  const MINUTE = 60_000;

  test("keep a network from being begun; it is said since when, who has to look, and ends by itself", async () => {
    const plane = await openPlane();
    const { clock, store, tenantId } = plane;
    const scope = store.tenant(tenantId);
    const standing = async () => {
      const { id, status } = present(await scope.dataset("Clicks"));
      return { status, told: (await scope.status(id))?.conditions ?? [] };
    };
    const ours = async () => {
      const Filters = [{ Name: "key", Values: ["letsdata:key"] }];
      return (await plane.ec2(PLATFORM).send(new DescribeTagsCommand({ Filters }))).Tags?.length;
    };
    try {
      await plane.drive(async () => {
        for (const operation of ["ListServiceQuotas", "ListAWSDefaultServiceQuotas"])
          await plane.admin("POST", "faults", { operation, kind: "error", count: 1_000_000 });
        const asked = clock.now();
        await plane.intent.createDataset(OPERATOR, tenantId, kafkaRequest("Clicks"));
        await clock.sleep(9 * MINUTE);
        const soon = await standing();
        assert.equal(soon.status, "CREATING");
        const [quiet, ...others] = soon.told;
        assert.deepEqual(others, []);
        assert.deepEqual([quiet?.resource, quiet?.state, quiet?.actor], ["quota", "waiting", "aws"]);
        assert.match(quiet?.message ?? "", /^AWS's quotas cannot be read, so nothing was created yet: .+/);
        assert.ok((quiet?.since ?? 0) - asked < MINUTE / 2);
        await clock.sleep(3 * MINUTE);
        const later = await standing();
        assert.equal(later.status, "ERROR");
        const [loud] = later.told;
        assert.deepEqual([loud?.state, loud?.actor, loud?.since], ["blocked", "operator", quiet?.since]);
        assert.equal(await ours(), 0);
        await plane.admin("DELETE", "faults");
        await clock.sleep(4 * MINUTE);
        assert.equal((await standing()).status, "ACTIVE");
      });
    } finally {
      await plane.close();
    }
  });
});

describe("a peering for which a quota has no room", () => {
  let house: House;
  let vpc: Vpc;
  before(async () => {
    house = await openHouse({
      sandbox: { activePeeringsPerVpcQuota: 2, rulesPerGroupQuota: 3, routesPerTableQuota: 5 },
    });
    vpc = await activeVpc(house, "Clicks");
  });
  after(() => house.close());

  /** A VPC of the customer's with these blocks, and its request. */
  async function request(to: Vpc, blocks: readonly string[]): Promise<string> {
    const [first = "", ...more] = blocks;
    const from = await customerVpc(house, first);
    for (const CidrBlock of more)
      await house.ec2(CUSTOMER).send(new AssociateVpcCidrBlockCommand({ VpcId: from, CidrBlock }));
    return requestPeering(house, { from, to });
  }

  const held = (name: string, id: string): Promise<Peering> =>
    house.until(`${id} is held up`, async () => {
      const listed = await peeringOf(house, name, id);
      return listed?.whoseMove === "operator" && listed;
    });

  async function assertNotBegun(to: Vpc, peering: Peering): Promise<void> {
    assert.deepEqual([peering.status, peering.awsStatus], ["ACCEPTING", "pending-acceptance"]);
    assert.deepEqual(await routesThrough(house.ec2(PLATFORM), to.vpcId, peering.vpcPeeringConnectionId), []);
  }

  test("is not accepted for want of rules and routes, says of both how much is missing, and goes on", async () => {
    await activePeering(house, vpc, "172.20.0.0/16");
    const blocks = ["172.21.0.0/24", "172.21.1.0/24", "172.21.2.0/24"];
    const id = await request(vpc, blocks);
    await accept(house, "Clicks", id);
    const told = await held("Clicks", id);
    await assertNotBegun(vpc, told);
    assert.match(told.statusReason ?? "", /^It is not accepted yet: /);
    assert.match(told.statusReason ?? "", /\(L-0EA8095F\) is short by 1: 3 needed, 3 allowed, 1 are used/);
    assert.match(told.statusReason ?? "", /\(L-93826ACB\) is short by 1: 3 needed, 5 allowed, 3 are used/);
    for (const code of ["L-0EA8095F", "L-93826ACB"])
      assert.ok(told.nextStep?.includes(link("vpc", code)), told.nextStep ?? "");
    assert.equal((await view(house, "Clicks")).status, "ACTIVE");
    await admin(house, "PATCH", "settings", { rulesPerGroupQuota: 4, routesPerTableQuota: 6 });
    await peeringIs(house, "Clicks", { id, status: "ACTIVE" });
    assert.deepEqual(await routesThrough(house.ec2(PLATFORM), vpc.vpcId, id), everyPrivateTable(...blocks));
  });

  test("is not accepted for want of connections, of which two asked for at once take no more than there are", async () => {
    const ids = [await request(vpc, ["172.22.0.0/16"]), await request(vpc, ["172.23.0.0/16"])];
    await admin(house, "PATCH", "settings", {
      activePeeringsPerVpcQuota: 2,
      rulesPerGroupQuota: 60,
      routesPerTableQuota: 60,
    });
    for (const id of ids) await accept(house, "Clicks", id);
    for (const id of ids) {
      const told = await held("Clicks", id);
      await assertNotBegun(vpc, told);
      assert.match(told.statusReason ?? "", /\(L-7E9ECCDB\) is short by 1: 1 needed, 2 allowed, 2 are used/);
    }
    await admin(house, "PATCH", "settings", { activePeeringsPerVpcQuota: 3 });
    const [first = "", second = ""] = ids;
    await peeringIs(house, "Clicks", { id: first, status: "ACTIVE" });
    await assertNotBegun(vpc, await held("Clicks", second));
  });

  test("whose blocks AWS hides until it is active is taken away again when they are too many", async () => {
    const house = await openHouse({
      sandbox: { rulesPerGroupQuota: 2, peeringCidrsShownWhilePending: false },
    });
    try {
      const to = await activeVpc(house, "Hidden");
      const from = await customerVpc(house, "172.24.0.0/24");
      for (const CidrBlock of ["172.24.1.0/24", "172.24.2.0/24"])
        await house.ec2(CUSTOMER).send(new AssociateVpcCidrBlockCommand({ VpcId: from, CidrBlock }));
      const id = await requestPeering(house, { from, to });
      await accept(house, "Hidden", id);
      const refused = await peeringIs(house, "Hidden", { id, status: "REFUSED" });
      assert.match(refused.statusReason ?? "", /\(L-0EA8095F\) is short by 1: 3 needed, 2 allowed/);
      assert.deepEqual(await routesThrough(house.ec2(PLATFORM), to.vpcId, id), []);
      assert.deepEqual(await rulesOf(house.ec2(PLATFORM), to.vpcId, "letsdata-peers"), []);
    } finally {
      await house.close();
    }
  });

  test("that is there stays as it is when the customer adds a block for which there is no room", async () => {
    const house = await openHouse({ sandbox: { rulesPerGroupQuota: 2 } });
    try {
      const to = await activeVpc(house, "Grown");
      const { id, vpcId } = await activePeering(house, to, "172.25.0.0/24");
      for (const CidrBlock of ["172.25.1.0/24", "172.25.2.0/24"])
        await house.ec2(CUSTOMER).send(new AssociateVpcCidrBlockCommand({ VpcId: vpcId, CidrBlock }));
      const told = await house.until("it is said", async () => {
        const listed = await peeringOf(house, "Grown", id);
        return listed?.whoseMove === "operator" && listed;
      });
      assert.equal(told.status, "ACTIVE");
      assert.match(told.statusReason ?? "", /172\.25\.1\.0\/24 of vpc-\w+: .*\(L-0EA8095F\) is short by 1/);
      assert.deepEqual(
        await routesThrough(house.ec2(PLATFORM), to.vpcId, id),
        everyPrivateTable("172.25.0.0/24"),
      );
      await admin(house, "PATCH", "settings", { rulesPerGroupQuota: 3 });
      await house.until("all blocks are routed", async () => {
        const routes = await routesThrough(house.ec2(PLATFORM), to.vpcId, id);
        return routes.length === 9;
      });
    } finally {
      await house.close();
    }
  });
});
