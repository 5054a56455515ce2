/**
 * The sweep over a whole house: what is planted under our tags and belongs to nobody is found, priced, and with
 * a fix taken away; what is not ours beyond doubt is never touched; what a dataset lacks comes back.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AllocateAddressCommand,
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateNatGatewayCommand,
  CreateRouteTableCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  CreateVpcEndpointCommand,
  DeleteVpcEndpointsCommand,
  DescribeAddressesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcEndpointsCommand,
  DescribeVpcsCommand,
  type EC2Client,
  type ResourceType,
} from "@aws-sdk/client-ec2";
import { type AwsCloud, awsCloud } from "../src/cloud/aws/ec2.ts";
import type { AnswerOf } from "../src/contract/operations.ts";
import { createSweeper } from "../src/control/sweeper.ts";
import { CUSTOMER, FUNCTION_ROLE, type House, openHouse, PLATFORM } from "./support/house.ts";
import { activeVpc, customerVpc, reaches, requestPeering } from "./support/networks.ts";

type Sweep = AnswerOf<"sweep.view">;

let house: House;
let cloud: AwsCloud;
let ec2: EC2Client;
let installation: string;
/** How long the cloud may hide what it has made, milliseconds. */
const windowMs = 20_000;
const stopping = new AbortController();
let sweeping: Promise<void>;

before(async () => {
  // Long enough that nothing comes back by itself while the test looks.
  house = await openHouse({ resyncMs: 36_000_000, windowMs });
  ec2 = house.ec2(PLATFORM);
  installation = (await house.store.settings()).installation;
  const credentials = { accessKeyId: PLATFORM, secretAccessKey: "test" };
  cloud = awsCloud({ clock: house.clock, installation, endpoint: house.sandboxUrl, credentials });
  const sweeper = createSweeper({ store: house.store, cloud, clock: house.clock, log: () => {}, windowMs });
  sweeping = sweeper.run(stopping.signal);
});
after(async () => {
  stopping.abort();
  await sweeping;
  cloud?.close();
  await house?.close();
});

/** Asks for a sweep and waits for its end. */
async function sweep(fix = false): Promise<Sweep> {
  const { sweepId } = await house.api.call("sweep.run", { fix });
  return house.until(
    "the sweep's end",
    async () => {
      const last = await house.api.call("sweep.view", {});
      assert.equal(last.sweepId, sweepId);
      return last.endedDatetime !== null && last;
    },
    600_000,
  );
}

/** As we tag, unless something else is asked for; an empty value leaves the tag out. */
function tagged(type: ResourceType, key: string, change: Record<string, string> = {}) {
  const tags: Record<string, string> = {
    "letsdata:installation": installation,
    "letsdata:tenant": "ten_gone",
    "letsdata:dataset": "ds_gone",
    "letsdata:key": key,
    "letsdata:attempt": "1",
    ...change,
  };
  const Tags = Object.entries(tags).flatMap(([Key, Value]) => (Value === "" ? [] : [{ Key, Value }]));
  return [{ ResourceType: type, Tags }];
}

function present<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}

async function plantVpc(CidrBlock: string, change: Record<string, string> = {}): Promise<string> {
  const made = await ec2.send(
    new CreateVpcCommand({ CidrBlock, TagSpecifications: tagged("vpc", "vpc", change) }),
  );
  return present(made.Vpc?.VpcId);
}

async function plantAddress(key: string, change: Record<string, string> = {}): Promise<string> {
  const made = await ec2.send(
    new AllocateAddressCommand({ Domain: "vpc", TagSpecifications: tagged("elastic-ip", key, change) }),
  );
  return present(made.AllocationId);
}

/** A network such as ours, one thing of each kind; the ids by key. */
async function plantNetwork(CidrBlock: string): Promise<Map<string, string>> {
  const VpcId = await plantVpc(CidrBlock);
  const subnet = await ec2.send(
    new CreateSubnetCommand({
      VpcId,
      CidrBlock: CidrBlock.replace("/25", "/28"),
      TagSpecifications: tagged("subnet", "subnet/public/0"),
    }),
  );
  const gateway = await ec2.send(
    new CreateInternetGatewayCommand({ TagSpecifications: tagged("internet-gateway", "igw") }),
  );
  const InternetGatewayId = present(gateway.InternetGateway?.InternetGatewayId);
  await ec2.send(new AttachInternetGatewayCommand({ InternetGatewayId, VpcId }));
  const AllocationId = await plantAddress("eip/0");
  const SubnetId = present(subnet.Subnet?.SubnetId);
  const nat = await ec2.send(
    new CreateNatGatewayCommand({
      SubnetId,
      AllocationId,
      TagSpecifications: tagged("natgateway", "nat/0"),
    }),
  );
  const table = await ec2.send(
    new CreateRouteTableCommand({ VpcId, TagSpecifications: tagged("route-table", "table/public") }),
  );
  const endpoint = await ec2.send(
    new CreateVpcEndpointCommand({
      VpcId,
      ServiceName: "com.amazonaws.us-east-1.s3",
      TagSpecifications: tagged("vpc-endpoint", "endpoint/s3"),
    }),
  );
  const group = await ec2.send(
    new CreateSecurityGroupCommand({
      VpcId,
      GroupName: "letsdata-cluster",
      Description: "left over",
      TagSpecifications: tagged("security-group", "group/cluster"),
    }),
  );
  return new Map([
    ["vpc", VpcId],
    ["subnet/public/0", SubnetId],
    ["igw", InternetGatewayId],
    ["eip/0", AllocationId],
    ["nat/0", present(nat.NatGateway?.NatGatewayId)],
    ["table/public", present(table.RouteTable?.RouteTableId)],
    ["endpoint/s3", present(endpoint.VpcEndpoint?.VpcEndpointId)],
    ["group/cluster", present(group.GroupId)],
  ]);
}

const idsOf = (found: Sweep["findings"]) => found.map(({ id }) => id).sort();

async function vpcIds(): Promise<readonly string[]> {
  const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({}));
  return Vpcs.map(({ VpcId }) => VpcId ?? "");
}

describe("a house where everything is as it should be", () => {
  test("is swept by itself, once, and has nothing to tell", async () => {
    const last = await house.until("the first daily sweep", async () => {
      const found = await house.store.sweeps.last();
      return found?.endedAt != null && found;
    });
    assert.deepEqual([last.state, last.askedBy, last.fix, last.report?.findings], ["done", null, false, []]);
    const seen = await house.api.call("sweep.view", {});
    assert.equal(seen.sweepId, last.id);
  });

  test("with a dataset: all its things are counted, none is found wanting", async () => {
    await activeVpc(house, "Clicks");
    // The endpoint does not hold ACTIVE back: it may come a moment later.
    const report = await house.until("a report with everything in it", async () => {
      const swept = await sweep();
      return swept.cells[0]?.things === 21 && swept;
    });
    assert.deepEqual(report.cells, [{ account: PLATFORM, region: "us-east-1", things: 21, error: null }]);
    assert.deepEqual(report.findings, []);
    assert.deepEqual([report.orphans, report.missing, report.monthlyUsd], [0, 0, 0]);
    assert.equal(report.askedBy, "operator");
  });
});

describe("things that belong to nobody", () => {
  let planted: Map<string, string>;
  let odd: string;
  let strangers: readonly string[];

  before(async () => {
    planted = await plantNetwork("10.99.0.0/25");
    odd = await plantAddress("address/of/somebody");
    strangers = [
      await plantVpc("10.98.0.0/25", { "letsdata:installation": "another" }),
      await plantVpc("10.97.0.0/25", { "letsdata:installation": "" }),
    ];
    const from = await customerVpc(house, "172.20.0.0/16");
    const to = { vpcId: present(planted.get("vpc")), ownerId: PLATFORM, region: "us-east-1" };
    await requestPeering(house, { from, to: to as Parameters<typeof requestPeering>[1]["to"] });
  });

  test("are found and priced, and nothing is touched", async () => {
    const report = await sweep();
    assert.deepEqual(idsOf(report.findings), [...planted.values(), odd].sort());
    assert.equal(report.orphans, 9);
    assert.equal(report.monthlyUsd, 32.85 + 3.65 + 3.65);
    assert.ok(
      report.findings.every(({ finding, outcome }) => finding === "orphan" && outcome === "reported"),
    );
    assert.deepEqual(
      report.findings.filter(({ removable }) => !removable).map(({ id }) => id),
      [odd],
    );
    assert.ok((await vpcIds()).includes(present(planted.get("vpc"))));
  });

  test("go with a fix, in a safe order; what is not ours beyond doubt stays", async () => {
    const report = await sweep(true);
    assert.equal(report.state, "done", report.statusReason ?? "");
    const outcomes = new Map(report.findings.map(({ id, outcome }) => [id, outcome]));
    for (const [key, id] of planted) assert.equal(outcomes.get(id), "deleted", key);
    assert.equal(outcomes.get(odd), "kept");
    assert.deepEqual([report.orphans, report.monthlyUsd], [1, 3.65]);
    const left = await vpcIds();
    assert.ok(!left.includes(present(planted.get("vpc"))));
    for (const vpcId of strangers) assert.ok(left.includes(vpcId));
    const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({ AllocationIds: [odd] }));
    assert.equal(Addresses.length, 1);
    const clicks = await house.api.call("datasets.view", { datasetName: "Clicks" });
    assert.ok(left.includes(clicks.vpcId ?? ""));
  });

  test("a VPC that holds somebody's subnet stays, with the reason; the subnet is not touched", async () => {
    const VpcId = await plantVpc("10.96.0.0/25");
    const made = await ec2.send(new CreateSubnetCommand({ VpcId, CidrBlock: "10.96.0.0/28" }));
    const report = await sweep(true);
    const found = report.findings.find(({ id }) => id === VpcId);
    assert.equal(found?.outcome, "left");
    assert.match(found?.message ?? "", /still in use/);
    const SubnetIds = [present(made.Subnet?.SubnetId)];
    const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ SubnetIds }));
    assert.equal(Subnets.length, 1);
  });

  test("what came to light after its dataset was deleted goes too", async () => {
    await house.api.call("datasets.create", {
      datasetName: "Brief",
      region: "us-east-1",
      customerAccountForAccess: CUSTOMER,
      writeConnector: { connectorDestination: "Kafka", kafka: { clusterType: "none" } },
    });
    const { datasetId } = await house.api.call("datasets.view", { datasetName: "Brief" });
    await reaches(house, "Brief", "ACTIVE");
    await house.api.call("datasets.delete", { datasetName: "Brief" });
    await reaches(house, "Brief", "DELETED");
    const late = await plantAddress("eip/1", { "letsdata:dataset": datasetId, "letsdata:attempt": "2" });
    const report = await sweep(true);
    const found = report.findings.find(({ id }) => id === late);
    assert.deepEqual(
      [found?.reason, found?.datasetName, found?.outcome],
      ["its dataset Brief was deleted", "Brief", "deleted"],
    );
  });
});

describe("things of a living dataset", () => {
  test("what is missing is told, and comes back when its network is woken", async () => {
    const endpoints = async () => {
      const { vpcId } = await house.api.call("datasets.view", { datasetName: "Clicks" });
      const Filters = [{ Name: "vpc-id", Values: [vpcId ?? ""] }];
      const { VpcEndpoints = [] } = await ec2.send(new DescribeVpcEndpointsCommand({ Filters }));
      return VpcEndpoints.filter(({ State }) => !/^delet/i.test(State ?? ""));
    };
    const VpcEndpointIds = (await endpoints()).flatMap(({ VpcEndpointId }) => VpcEndpointId ?? []);
    await ec2.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds }));
    // The journal says that it was made a moment ago, so for a while it may just be hidden.
    await house.clock.sleep(windowMs);
    const told = await sweep();
    assert.deepEqual(
      told.findings
        .filter(({ finding }) => finding === "missing")
        .map(({ key, id, outcome }) => [key, id, outcome]),
      [["endpoint/s3", null, "reported"]],
    );
    assert.equal((await endpoints()).length, 0);
    const fixed = await sweep(true);
    const [missing] = fixed.findings.filter(({ finding }) => finding === "missing");
    assert.deepEqual([missing?.key, missing?.outcome], ["endpoint/s3", "woken"]);
    await house.until("the endpoint", async () => (await endpoints()).length === 1);
  });

  test("a twin of what it has is told; the network's own pass lets it go, not the sweep", async () => {
    const { datasetId } = await house.api.call("datasets.view", { datasetName: "Clicks" });
    const twin = await plantAddress("eip/0", { "letsdata:dataset": datasetId });
    const report = await sweep(true);
    const found = report.findings.find(({ id }) => id === twin);
    // The pass may have been quicker than the sweep.
    if (found) assert.deepEqual([found.finding, found.removable], ["duplicate", false]);
    const Filters = [{ Name: "allocation-id", Values: [twin] }];
    await house.until("the twin let go", async () => {
      const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({ Filters }));
      return Addresses.length === 0;
    });
  });
});

describe("functions that probe", () => {
  const ref = { id: "net_gone", tenantId: "ten_gone", datasetId: "ds_gone", datasetName: "Gone", vpcIds: [] };

  test("one of a dataset that is not there leaves its VPC, and goes", async () => {
    const vpc = await activeVpc(house, "Lent");
    const { cell } = present((await house.store.sweeps.living())[0]);
    const subnetIds = vpc.subnets.filter(({ type }) => type === "private").map(({ subnetId }) => subnetId);
    const { SecurityGroups } = await ec2.send(
      new DescribeSecurityGroupsCommand({ Filters: [{ Name: "vpc-id", Values: [vpc.vpcId] }] }),
    );
    const groupIds = [present(SecurityGroups?.[0]?.GroupId)];
    const spec = { roleArn: FUNCTION_ROLE, subnetIds, groupIds };
    const step = { do: "createProbe", key: "probe", spec } as const;
    const id = present((await cloud.apply(cell, { network: ref, step, attempt: 1 })) ?? undefined);
    const seen = async () =>
      (await cloud.observe(cell, [{ ...ref, hasProbe: true }])).get(ref.id)?.probes ?? [];
    await house.until("the function", async () => (await seen())[0]?.state === "active");
    const of = ({ findings }: Sweep) => findings.find((finding) => finding.id === id);
    const found = of(await sweep());
    assert.deepEqual([found?.resource, found?.removable, found?.monthlyUsd], ["probe", true, 0]);
    assert.equal(of(await sweep(true))?.outcome, "deleted");
    assert.deepEqual(await seen(), []);
  });
});
