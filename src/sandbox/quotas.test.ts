/** Every quota of the cloud's nouns, reached over the wire in a cloud where each is one or two. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AcceptVpcPeeringConnectionCommand,
  AssociateVpcCidrBlockCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateNetworkAclCommand,
  CreateNetworkAclEntryCommand,
  CreateNetworkInterfaceCommand,
  CreateRouteCommand,
  CreateVpcEndpointCommand,
  CreateVpcPeeringConnectionCommand,
  DescribeNetworkAclsCommand,
  type EC2Client,
} from "@aws-sdk/client-ec2";
import { startSandbox, type TestSandbox } from "./testing.ts";
import {
  makeAddress,
  makeGroup,
  makeInternetGateway,
  makeNatGateway,
  makeRouteTable,
  makeSubnet,
  makeVpc,
} from "./testNetwork.ts";

describe("quotas", () => {
  let sandbox: TestSandbox;
  let client: EC2Client;
  let vpcId: string;

  before(async () => {
    sandbox = await startSandbox({
      settings: {
        // The default VPC's own internet gateway, main table, ACL and groups count too.
        internetGatewaysQuota: 2,
        addressesQuota: 2,
        natGatewaysPerZoneQuota: 1,
        routeTablesPerVpcQuota: 2,
        routesPerTableQuota: 1,
        groupsQuota: 4,
        rulesPerGroupQuota: 2,
        groupsPerInterfaceQuota: 1,
        aclsPerVpcQuota: 2,
        entriesPerAclQuota: 2,
        gatewayEndpointsQuota: 1,
        activePeeringsPerVpcQuota: 1,
        pendingPeeringsPerVpcQuota: 1,
      },
    });
    client = sandbox.client("111111111111", "eu-west-1");
    vpcId = await makeVpc(client);
  });
  after(() => sandbox.close());

  test("VPCs and their subnets and blocks", async () => {
    const patch = (change: object) => sandbox.own("PATCH settings", change);
    await patch({ vpcsQuota: 2, subnetsPerVpcQuota: 1, blocksPerVpcQuota: 1 });
    await assert.rejects(makeVpc(client, "10.9.0.0/16"), { name: "VpcLimitExceeded" });
    const other = sandbox.client("111111111111", "eu-west-2");
    const VpcId = await makeVpc(other);
    await makeSubnet(other, VpcId);
    await assert.rejects(makeSubnet(other, VpcId, "10.1.1.0/24"), { name: "SubnetLimitExceeded" });
    const block = new AssociateVpcCidrBlockCommand({ VpcId, CidrBlock: "10.2.0.0/16" });
    await assert.rejects(other.send(block), { name: "CidrLimitExceeded" });
    await patch({ vpcsQuota: 1_000, subnetsPerVpcQuota: 1_000, blocksPerVpcQuota: 5 });
  });

  test("gateways, addresses, tables and routes", async () => {
    const igw = await makeInternetGateway(client, vpcId);
    await assert.rejects(makeInternetGateway(client), { name: "InternetGatewayLimitExceeded" });
    const subnetId = await makeSubnet(client, vpcId);
    await makeNatGateway(client, subnetId);
    await assert.rejects(makeNatGateway(client, subnetId), { name: "NatGatewayLimitExceeded" });
    await assert.rejects(makeAddress(client), { name: "AddressLimitExceeded" });
    const RouteTableId = await makeRouteTable(client, vpcId);
    await assert.rejects(makeRouteTable(client, vpcId), { name: "RouteTableLimitExceeded" });
    const route = (DestinationCidrBlock: string) =>
      client.send(new CreateRouteCommand({ RouteTableId, DestinationCidrBlock, GatewayId: igw }));
    await route("0.0.0.0/0");
    await assert.rejects(route("192.0.2.0/24"), { name: "RouteLimitExceeded" });
  });

  test("groups and their rules", async () => {
    const [a, b] = [await makeGroup(client, vpcId, "a"), await makeGroup(client, vpcId, "b")];
    await assert.rejects(makeGroup(client, vpcId, "c"), { name: "SecurityGroupLimitExceeded" });
    const allow = (...blocks: string[]) => {
      const IpRanges = blocks.map((CidrIp) => ({ CidrIp }));
      const IpPermissions = [{ IpProtocol: "tcp", FromPort: 1, ToPort: 2, IpRanges }];
      return client.send(new AuthorizeSecurityGroupIngressCommand({ GroupId: a, IpPermissions }));
    };
    await allow("10.1.0.0/16", "10.2.0.0/16");
    await assert.rejects(allow("10.3.0.0/16"), { name: "RulesPerSecurityGroupLimitExceeded" });
    const SubnetId = await makeSubnet(client, vpcId, "10.1.9.0/28");
    await assert.rejects(client.send(new CreateNetworkInterfaceCommand({ SubnetId, Groups: [a, b] })), {
      name: "SecurityGroupsPerInterfaceLimitExceeded",
    });
  });

  test("ACLs and their entries", async () => {
    const create = () => client.send(new CreateNetworkAclCommand({ VpcId: vpcId }));
    await create();
    await assert.rejects(create(), { name: "NetworkAclLimitExceeded" });
    const Filters = [
      { Name: "vpc-id", Values: [vpcId] },
      { Name: "default", Values: ["true"] },
    ];
    const { NetworkAcls } = await client.send(new DescribeNetworkAclsCommand({ Filters }));
    const entry = (RuleNumber: number) =>
      client.send(
        new CreateNetworkAclEntryCommand({
          NetworkAclId: NetworkAcls?.[0]?.NetworkAclId,
          RuleNumber,
          Protocol: "-1",
          RuleAction: "deny",
          Egress: false,
          CidrBlock: "192.0.2.0/24",
        }),
      );
    await entry(1);
    await assert.rejects(entry(2), { name: "NetworkAclEntryLimitExceeded" });
  });

  test("endpoints", async () => {
    const create = (service: string) => {
      const ServiceName = `com.amazonaws.eu-west-1.${service}`;
      return client.send(new CreateVpcEndpointCommand({ VpcId: vpcId, ServiceName }));
    };
    await create("s3");
    await assert.rejects(create("dynamodb"), { name: "VpcEndpointLimitExceeded" });
  });

  test("peerings, pending and active", async () => {
    const [b, c] = [await makeVpc(client, "10.2.0.0/16"), await makeVpc(client, "10.3.0.0/16")];
    const request = async (VpcId: string, PeerVpcId: string) =>
      (await client.send(new CreateVpcPeeringConnectionCommand({ VpcId, PeerVpcId }))).VpcPeeringConnection
        ?.VpcPeeringConnectionId;
    const accept = (VpcPeeringConnectionId: string | undefined) =>
      client.send(new AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
    const first = await request(b, vpcId);
    await assert.rejects(request(b, c), { name: "OutstandingVpcPeeringConnectionLimitExceeded" });
    await accept(first);
    const full = { name: "ActiveVpcPeeringConnectionPerVpcLimitExceeded" };
    await assert.rejects(accept(await request(c, vpcId)), full);
    // The requester's VPC has its own.
    await assert.rejects(accept(await request(b, c)), full);
  });
});
