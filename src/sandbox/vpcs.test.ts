/** VPCs and their blocks, over the wire. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  AcceptVpcPeeringConnectionCommand,
  AssociateVpcCidrBlockCommand,
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateRouteTableCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  CreateVpcPeeringConnectionCommand,
  DeleteInternetGatewayCommand,
  DeleteSubnetCommand,
  DeleteVpcCommand,
  DescribeInternetGatewaysCommand,
  DescribeNetworkAclsCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcAttributeCommand,
  DescribeVpcPeeringConnectionsCommand,
  DescribeVpcsCommand,
  DetachInternetGatewayCommand,
  DisassociateVpcCidrBlockCommand,
  type EC2Client,
  ModifyVpcAttributeCommand,
  RejectVpcPeeringConnectionCommand,
} from "@aws-sdk/client-ec2";
import { startSandbox, type TestSandbox } from "./testing.ts";

const A = "111111111111";
const B = "222222222222";

let sandbox: TestSandbox;
let client: EC2Client;
beforeEach(async () => {
  sandbox = await startSandbox();
  client = sandbox.client(A, "us-east-1");
});
afterEach(() => sandbox.close());

async function make(block: string, by = client): Promise<string> {
  const { Vpc } = await by.send(new CreateVpcCommand({ CidrBlock: block }));
  return Vpc?.VpcId ?? "";
}

async function refuses(call: Promise<unknown>, name: string): Promise<void> {
  await assert.rejects(call, { name });
}

async function blocks(VpcId: string): Promise<string[]> {
  const { Vpcs = [] } = await client.send(new DescribeVpcsCommand({ VpcIds: [VpcId] }));
  return (Vpcs[0]?.CidrBlockAssociationSet ?? []).map((one) => one.CidrBlock ?? "");
}

async function routes(VpcId: string): Promise<string[]> {
  const Filters = [{ Name: "vpc-id", Values: [VpcId] }];
  const { RouteTables = [] } = await client.send(new DescribeRouteTablesCommand({ Filters }));
  return RouteTables.flatMap((table) => table.Routes ?? [])
    .map((route) => `${route.DestinationCidrBlock} ${route.GatewayId}`)
    .sort();
}

const associate = (VpcId: string, CidrBlock: string, by = client) =>
  by.send(new AssociateVpcCidrBlockCommand({ VpcId, CidrBlock }));

describe("creating", () => {
  test("a VPC is pending for a while, then available, with its blocks canonical", async () => {
    const { Vpc } = await client.send(new CreateVpcCommand({ CidrBlock: "10.4.3.2/16" }));
    assert.deepEqual([Vpc?.State, Vpc?.CidrBlock, Vpc?.IsDefault], ["pending", "10.4.0.0/16", false]);
    sandbox.clock.advance(1_000);
    const { Vpcs = [] } = await client.send(new DescribeVpcsCommand({ VpcIds: [Vpc?.VpcId ?? ""] }));
    assert.equal(Vpcs[0]?.State, "available");
  });

  test("it is born with a main route table, a default group and a default ACL", async () => {
    const id = await make("10.4.0.0/16");
    assert.deepEqual(await routes(id), ["10.4.0.0/16 local"]);
    const Filters = [{ Name: "vpc-id", Values: [id] }];
    const groups = await client.send(new DescribeSecurityGroupsCommand({ Filters }));
    const [group] = groups.SecurityGroups ?? [];
    assert.equal(group?.GroupName, "default");
    assert.equal(group?.IpPermissions?.[0]?.UserIdGroupPairs?.[0]?.GroupId, group?.GroupId);
    assert.equal(group?.IpPermissionsEgress?.[0]?.IpRanges?.[0]?.CidrIp, "0.0.0.0/0");
    const acls = await client.send(new DescribeNetworkAclsCommand({ Filters }));
    const entries = acls.NetworkAcls?.[0]?.Entries ?? [];
    assert.deepEqual(entries.map((one) => `${one.RuleNumber} ${one.Egress} ${one.RuleAction}`).sort(), [
      "100 false allow",
      "100 true allow",
      "32767 false deny",
      "32767 true deny",
    ]);
  });

  for (const block of [
    "10.0.0.0/8",
    "10.0.0.0/15",
    "10.0.0.0/29",
    "127.0.0.0/16",
    "0.0.0.0/16",
    "224.0.0.0/16",
    "169.254.0.0/20",
  ])
    test(`${block} is not for VPCs`, () => refuses(make(block), "InvalidVpc.Range"));

  test("what is no block, no tenancy or no IPv4 is refused", async () => {
    await refuses(make("10.0.0.0"), "InvalidParameterValue");
    await refuses(make("10.0.0.300/16"), "InvalidParameterValue");
    await refuses(client.send(new CreateVpcCommand({})), "MissingParameter");
    const host = { CidrBlock: "10.0.0.0/16", InstanceTenancy: "host" as const };
    await refuses(client.send(new CreateVpcCommand(host)), "InvalidParameterValue");
    const ipv6 = { CidrBlock: "10.0.0.0/16", AmazonProvidedIpv6CidrBlock: true };
    await refuses(client.send(new CreateVpcCommand(ipv6)), "UnsupportedOperation");
  });

  test("the quota of the profile aws is five, the default VPC among them", async () => {
    const strict = await startSandbox({ profile: "aws" });
    try {
      const by = strict.client(A, "us-east-1");
      for (let i = 0; i < 4; i++) await make(`10.${i}.0.0/16`, by);
      await refuses(make("10.9.0.0/16", by), "VpcLimitExceeded");
    } finally {
      await strict.close();
    }
  });
});

describe("attributes", () => {
  test("one at a time, host names only with DNS support", async () => {
    const VpcId = await make("10.4.0.0/16");
    const modify = (change: object) => client.send(new ModifyVpcAttributeCommand({ VpcId, ...change }));
    const read = async () => {
      const attribute = { VpcId, Attribute: "enableDnsHostnames" as const };
      return (await client.send(new DescribeVpcAttributeCommand(attribute))).EnableDnsHostnames?.Value;
    };
    assert.equal(await read(), false);
    await modify({ EnableDnsHostnames: { Value: true } });
    assert.equal(await read(), true);
    await modify({ EnableDnsHostnames: { Value: false } });
    await modify({ EnableDnsSupport: { Value: false } });
    await refuses(modify({ EnableDnsHostnames: { Value: true } }), "InvalidParameterCombination");
    const both = { EnableDnsHostnames: { Value: false }, EnableDnsSupport: { Value: true } };
    await refuses(modify(both), "InvalidParameterCombination");
    await refuses(modify({}), "InvalidParameterCombination");
    assert.equal(await read(), false);
  });
});

describe("more blocks", () => {
  test("are associated, routed locally in every table, and taken away", async () => {
    const id = await make("10.4.0.0/16");
    await client.send(new CreateRouteTableCommand({ VpcId: id }));
    const { CidrBlockAssociation } = await associate(id, "100.64.0.7/24");
    assert.deepEqual(await blocks(id), ["10.4.0.0/16", "100.64.0.0/24"]);
    const local = ["10.4.0.0/16 local", "10.4.0.0/16 local", "100.64.0.0/24 local", "100.64.0.0/24 local"];
    assert.deepEqual(await routes(id), local);
    const { Subnet } = await client.send(new CreateSubnetCommand({ VpcId: id, CidrBlock: "100.64.0.0/25" }));
    const AssociationId = CidrBlockAssociation?.AssociationId;
    const disassociate = () => client.send(new DisassociateVpcCidrBlockCommand({ AssociationId }));
    await refuses(disassociate(), "DependencyViolation");
    await client.send(new DeleteSubnetCommand({ SubnetId: Subnet?.SubnetId }));
    await disassociate();
    assert.deepEqual(await blocks(id), ["10.4.0.0/16"]);
    assert.deepEqual(await routes(id), local.slice(0, 2));
    await refuses(disassociate(), "InvalidVpcCidrBlockAssociationID.NotFound");
  });

  test("the first block stays", async () => {
    const id = await make("10.4.0.0/16");
    const { Vpcs = [] } = await client.send(new DescribeVpcsCommand({ VpcIds: [id] }));
    const AssociationId = Vpcs[0]?.CidrBlockAssociationSet?.[0]?.AssociationId;
    await refuses(
      client.send(new DisassociateVpcCidrBlockCommand({ AssociationId })),
      "OperationNotPermitted",
    );
  });

  // The table of restricted associations: first block, added block, allowed.
  const table: [string, string, boolean][] = [
    ["10.4.0.0/16", "10.5.0.0/16", true],
    ["10.4.0.0/16", "10.4.0.0/24", false],
    ["10.4.0.0/16", "172.16.0.0/16", false],
    ["10.4.0.0/16", "192.168.0.0/16", false],
    ["10.4.0.0/16", "198.19.0.0/16", false],
    ["10.4.0.0/16", "100.64.0.0/16", true],
    ["10.4.0.0/16", "20.0.0.0/16", true],
    ["10.4.0.0/16", "10.0.0.0/16", true],
    ["10.1.0.0/16", "10.0.0.0/24", false],
    ["10.1.0.0/24", "10.1.1.0/24", true],
    ["172.16.0.0/16", "172.17.0.0/16", true],
    ["172.16.0.0/16", "172.31.0.0/16", false],
    ["192.168.0.0/24", "192.168.1.0/24", true],
    ["192.168.0.0/24", "10.4.0.0/16", false],
    ["20.0.0.0/16", "10.4.0.0/16", false],
    ["20.0.0.0/16", "100.64.0.0/16", true],
    ["198.19.0.0/24", "198.19.1.0/24", true],
    ["198.19.0.0/24", "10.4.0.0/16", false],
    ["10.4.0.0/16", "10.8.0.0/15", false],
  ];
  test("may be beside the first only as AWS's table says", async () => {
    for (const [first, added, allowed] of table) {
      const id = await make(first);
      const call = associate(id, added);
      if (allowed) await call;
      else await assert.rejects(call, { name: "InvalidVpc.Range" }, `${first} + ${added}`);
    }
  });

  test("are five in all", async () => {
    const id = await make("10.4.0.0/24");
    for (let i = 1; i < 5; i++) await associate(id, `10.4.${i}.0/24`);
    await refuses(associate(id, "10.4.9.0/24"), "CidrLimitExceeded");
  });
});

describe("peers", () => {
  let theirs: string;
  let ours: string;
  let pcx: string;
  let customer: EC2Client;
  beforeEach(async () => {
    customer = sandbox.client(B, "us-east-1");
    ours = await make("10.4.0.0/16");
    theirs = await make("10.8.0.0/16", customer);
    const request = { VpcId: theirs, PeerVpcId: ours, PeerOwnerId: A };
    const made = await customer.send(new CreateVpcPeeringConnectionCommand(request));
    pcx = made.VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
    sandbox.clock.advance(1_000);
  });

  async function status(by = client): Promise<string | undefined> {
    const VpcPeeringConnectionIds = [pcx];
    const found = await by.send(new DescribeVpcPeeringConnectionsCommand({ VpcPeeringConnectionIds }));
    return found.VpcPeeringConnections?.[0]?.Status?.Code;
  }

  async function accept(): Promise<void> {
    await client.send(new AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId: pcx }));
    sandbox.clock.advance(1_000);
  }

  test("a pending request of another account holds the VPC, its requester's it does not", async () => {
    await refuses(client.send(new DeleteVpcCommand({ VpcId: ours })), "DependencyViolation");
    await customer.send(new DeleteVpcCommand({ VpcId: theirs }));
    assert.equal(await status(), "deleted");
    await client.send(new DeleteVpcCommand({ VpcId: ours }));
  });

  test("an active peering holds both VPCs", async () => {
    await accept();
    await refuses(client.send(new DeleteVpcCommand({ VpcId: ours })), "DependencyViolation");
    await refuses(customer.send(new DeleteVpcCommand({ VpcId: theirs })), "DependencyViolation");
  });

  test("a rejected request does not hold the VPC", async () => {
    await client.send(new RejectVpcPeeringConnectionCommand({ VpcPeeringConnectionId: pcx }));
    await client.send(new DeleteVpcCommand({ VpcId: ours }));
  });

  test("while it is pending the requester adds nothing; what the accepter adds may end it", async () => {
    await refuses(associate(theirs, "10.9.0.0/16", customer), "InvalidVpc.Range");
    await associate(ours, "10.5.0.0/16");
    assert.equal(await status(customer), "pending-acceptance");
    await associate(ours, "10.8.1.0/24");
    assert.equal(await status(customer), "failed");
  });

  test("once it is active neither may overlap the other", async () => {
    await accept();
    await refuses(associate(ours, "10.8.0.0/24"), "InvalidVpc.Range");
    await associate(theirs, "10.9.0.0/16", customer);
    await refuses(associate(ours, "10.9.1.0/24"), "InvalidVpc.Range");
  });
});

describe("deleting", () => {
  test("takes what the VPC was born with, and nothing else", async () => {
    const id = await make("10.4.0.0/16");
    const other = await make("10.5.0.0/16");
    await client.send(new DeleteVpcCommand({ VpcId: id }));
    await refuses(client.send(new DeleteVpcCommand({ VpcId: id })), "InvalidVpcID.NotFound");
    assert.deepEqual(await routes(id), []);
    assert.deepEqual(await routes(other), ["10.5.0.0/16 local"]);
  });

  test("a second route table holds it", async () => {
    const id = await make("10.4.0.0/16");
    await client.send(new CreateRouteTableCommand({ VpcId: id }));
    await refuses(client.send(new DeleteVpcCommand({ VpcId: id })), "DependencyViolation");
  });

  test("an attached internet gateway holds it", async () => {
    const id = await make("10.4.0.0/16");
    const { InternetGateway } = await client.send(new CreateInternetGatewayCommand({}));
    const both = { VpcId: id, InternetGatewayId: InternetGateway?.InternetGatewayId };
    await client.send(new AttachInternetGatewayCommand(both));
    await refuses(client.send(new DeleteVpcCommand({ VpcId: id })), "DependencyViolation");
    await client.send(new DetachInternetGatewayCommand(both));
    await client.send(new DeleteVpcCommand({ VpcId: id }));
  });

  test("the default VPC goes when its subnets and gateway have gone, and does not come back", async () => {
    const { Subnets = [] } = await client.send(new DescribeSubnetsCommand({}));
    const VpcId = Subnets[0]?.VpcId;
    await refuses(client.send(new DeleteVpcCommand({ VpcId })), "DependencyViolation");
    for (const { SubnetId } of Subnets) await client.send(new DeleteSubnetCommand({ SubnetId }));
    const { InternetGateways = [] } = await client.send(new DescribeInternetGatewaysCommand({}));
    const InternetGatewayId = InternetGateways[0]?.InternetGatewayId;
    await client.send(new DetachInternetGatewayCommand({ VpcId, InternetGatewayId }));
    await client.send(new DeleteInternetGatewayCommand({ InternetGatewayId }));
    await client.send(new DeleteVpcCommand({ VpcId }));
    const { Vpcs } = await client.send(new DescribeVpcsCommand({}));
    assert.deepEqual(Vpcs, []);
  });
});
