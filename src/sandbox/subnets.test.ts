/** Subnets and zones, over the wire. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import {
  CreateNetworkInterfaceCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteNetworkInterfaceCommand,
  DeleteSubnetCommand,
  DescribeAccountAttributesCommand,
  DescribeAvailabilityZonesCommand,
  DescribeDhcpOptionsCommand,
  DescribeRegionsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  type EC2Client,
  ModifySubnetAttributeCommand,
  type Subnet,
} from "@aws-sdk/client-ec2";
import { startSandbox, type TestSandbox } from "./testing.ts";

let sandbox: TestSandbox;
let client: EC2Client;
let vpc: string;
beforeEach(async () => {
  sandbox = await startSandbox();
  client = sandbox.client("111111111111", "us-east-1");
  const { Vpc } = await client.send(new CreateVpcCommand({ CidrBlock: "10.4.0.0/16" }));
  vpc = Vpc?.VpcId ?? "";
});
afterEach(() => sandbox.close());

async function make(CidrBlock: string, more: object = {}): Promise<Subnet> {
  const { Subnet } = await client.send(new CreateSubnetCommand({ VpcId: vpc, CidrBlock, ...more }));
  return Subnet ?? {};
}

async function read(SubnetId = ""): Promise<Subnet | undefined> {
  const { Subnets } = await client.send(new DescribeSubnetsCommand({ SubnetIds: [SubnetId] }));
  return Subnets?.[0];
}

async function refuses(call: Promise<unknown>, name: string): Promise<void> {
  await assert.rejects(call, { name });
}

test("a subnet is in the zone asked for, by name or by id", async () => {
  const byName = await make("10.4.0.0/24", { AvailabilityZone: "us-east-1c" });
  const byId = await make("10.4.1.0/24", { AvailabilityZoneId: "use1-az6" });
  assert.deepEqual(
    [byName, byId].map((one) => [one.AvailabilityZone, one.AvailabilityZoneId, one.AvailableIpAddressCount]),
    [
      ["us-east-1c", "use1-az3", 251],
      ["us-east-1f", "use1-az6", 251],
    ],
  );
  await refuses(make("10.4.2.0/24", { AvailabilityZone: "us-east-1z" }), "InvalidParameterValue");
  const both = { AvailabilityZone: "us-east-1a", AvailabilityZoneId: "use1-az1" };
  await refuses(make("10.4.2.0/24", both), "InvalidParameterCombination");
});

test("an empty zone is not given, as older clients send it beside the other", async () => {
  const byName = await make("10.4.0.0/24", { AvailabilityZone: "us-east-1c", AvailabilityZoneId: "" });
  const byId = await make("10.4.1.0/24", { AvailabilityZone: "", AvailabilityZoneId: "use1-az6" });
  assert.deepEqual([byName.AvailabilityZoneId, byId.AvailabilityZone], ["use1-az3", "us-east-1f"]);
});

test("blocks lie in the VPC, have AWS's sizes and do not overlap", async () => {
  await make("10.4.0.0/24");
  await refuses(make("10.4.0.128/25"), "InvalidSubnet.Conflict");
  await refuses(make("10.4.0.0/20"), "InvalidSubnet.Conflict");
  await refuses(make("10.5.0.0/24"), "InvalidSubnet.Range");
  await refuses(make("10.0.0.0/8"), "InvalidSubnet.Range");
  await refuses(make("10.4.1.0/29"), "InvalidSubnet.Range");
  await refuses(make("ten"), "InvalidParameterValue");
  await refuses(client.send(new CreateSubnetCommand({ VpcId: vpc })), "MissingParameter");
  const elsewhere = { VpcId: "vpc-0123456789abcdef0", CidrBlock: "10.4.1.0/24" };
  await refuses(client.send(new CreateSubnetCommand(elsewhere)), "InvalidVpcID.NotFound");
});

test("free addresses are counted, run out, and hold the subnet while in use", async () => {
  const { SubnetId, AvailableIpAddressCount } = await make("10.4.0.0/28");
  assert.equal(AvailableIpAddressCount, 11);
  const ids: (string | undefined)[] = [];
  const addresses: (string | undefined)[] = [];
  for (let i = 0; i < 11; i++) {
    const made = await client.send(new CreateNetworkInterfaceCommand({ SubnetId }));
    ids.push(made.NetworkInterface?.NetworkInterfaceId);
    addresses.push(made.NetworkInterface?.PrivateIpAddress);
  }
  assert.deepEqual([addresses[0], addresses[10]], ["10.4.0.4", "10.4.0.14"]);
  assert.equal((await read(SubnetId))?.AvailableIpAddressCount, 0);
  const another = client.send(new CreateNetworkInterfaceCommand({ SubnetId }));
  await refuses(another, "InsufficientFreeAddressesInSubnet");
  await refuses(client.send(new DeleteSubnetCommand({ SubnetId })), "DependencyViolation");
  for (const NetworkInterfaceId of ids)
    await client.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));
  await client.send(new DeleteSubnetCommand({ SubnetId }));
  await refuses(read(SubnetId), "InvalidSubnetID.NotFound");
});

test("attributes change one at a time", async () => {
  const { SubnetId } = await make("10.4.0.0/24");
  const modify = (change: object) => client.send(new ModifySubnetAttributeCommand({ SubnetId, ...change }));
  await modify({ MapPublicIpOnLaunch: { Value: true } });
  await modify({ PrivateDnsHostnameTypeOnLaunch: "resource-name" });
  const subnet = await read(SubnetId);
  assert.equal(subnet?.MapPublicIpOnLaunch, true);
  assert.equal(subnet?.PrivateDnsNameOptionsOnLaunch?.HostnameType, "resource-name");
  const both = { MapPublicIpOnLaunch: { Value: false }, EnableDns64: { Value: true } };
  await refuses(modify(both), "InvalidParameterCombination");
  await refuses(modify({}), "InvalidParameterCombination");
});

test("filters find by block, by zone and by what they count", async () => {
  await make("10.4.0.0/24", { AvailabilityZone: "us-east-1a" });
  await make("10.4.1.0/28", { AvailabilityZone: "us-east-1b" });
  const find = async (Name: string, ...Values: string[]) => {
    const Filters = [
      { Name, Values },
      { Name: "vpc-id", Values: [vpc] },
    ];
    const { Subnets = [] } = await client.send(new DescribeSubnetsCommand({ Filters }));
    return Subnets.map((subnet) => subnet.CidrBlock).sort();
  };
  assert.deepEqual(await find("cidr-block", "10.4.*"), ["10.4.0.0/24", "10.4.1.0/28"]);
  assert.deepEqual(await find("availability-zone-id", "use1-az2"), ["10.4.1.0/28"]);
  assert.deepEqual(await find("available-ip-address-count", "251"), ["10.4.0.0/24"]);
  assert.deepEqual(await find("default-for-az", "true"), []);
});

test("regions and zones are AWS's", async () => {
  const zones = await client.send(new DescribeAvailabilityZonesCommand({}));
  assert.deepEqual(
    zones.AvailabilityZones?.map((zone) => `${zone.ZoneName} ${zone.ZoneId}`),
    ["a 1", "b 2", "c 3", "d 4", "e 5", "f 6"].map((zone) => `us-east-1${zone.replace(" ", " use1-az")}`),
  );
  const tokyo = sandbox.client("111111111111", "ap-northeast-1");
  const there = await tokyo.send(new DescribeAvailabilityZonesCommand({ ZoneIds: ["apne1-az4"] }));
  assert.deepEqual(
    there.AvailabilityZones?.map((zone) => zone.ZoneName),
    ["ap-northeast-1a"],
  );
  await refuses(
    client.send(new DescribeAvailabilityZonesCommand({ ZoneNames: ["us-east-1z"] })),
    "InvalidParameterValue",
  );
  const Filters = [{ Name: "region-name", Values: ["us-*"] }];
  const { Regions = [] } = await client.send(new DescribeRegionsCommand({ Filters }));
  assert.deepEqual(
    Regions.map((region) => region.RegionName),
    ["us-east-1", "us-east-2", "us-west-1", "us-west-2"],
  );
});

test("the account's attributes and DHCP options name what its VPCs show", async () => {
  const { Vpcs = [] } = await client.send(new DescribeVpcsCommand({}));
  const own = Vpcs.find((one) => one.IsDefault);
  const { AccountAttributes = [] } = await client.send(
    new DescribeAccountAttributesCommand({ AttributeNames: ["default-vpc"] }),
  );
  assert.equal(AccountAttributes[0]?.AttributeValues?.[0]?.AttributeValue, own?.VpcId);
  const { DhcpOptions = [] } = await client.send(new DescribeDhcpOptionsCommand({}));
  assert.equal(DhcpOptions[0]?.DhcpOptionsId, own?.DhcpOptionsId);
});
