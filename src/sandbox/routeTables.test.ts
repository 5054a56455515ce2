/** Route tables and routes over the wire: associations, targets, black holes. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AcceptVpcPeeringConnectionCommand,
  AssociateRouteTableCommand,
  AssociateVpcCidrBlockCommand,
  CreateNetworkInterfaceCommand,
  CreateRouteCommand,
  type CreateRouteCommandInput,
  CreateRouteTableCommand,
  CreateVpcPeeringConnectionCommand,
  DeleteNatGatewayCommand,
  DeleteRouteCommand,
  DeleteRouteTableCommand,
  DeleteVpcPeeringConnectionCommand,
  DescribeRouteTablesCommand,
  DetachInternetGatewayCommand,
  DisassociateRouteTableCommand,
  type EC2Client,
  ReplaceRouteCommand,
  ReplaceRouteTableAssociationCommand,
} from "@aws-sdk/client-ec2";
import { settings } from "./settings.ts";
import { startSandbox, type TestSandbox } from "./testing.ts";
import { makeInternetGateway, makeNatGateway, makeRouteTable, makeSubnet, makeVpc } from "./testNetwork.ts";

const { natDeletingMs, natPendingMs, peeringProvisioningMs } = settings("quick");

describe("route tables", () => {
  let sandbox: TestSandbox;
  let client: EC2Client;

  before(async () => {
    sandbox = await startSandbox();
    client = sandbox.client("111111111111", "eu-west-1");
  });
  after(() => sandbox.close());

  const tableOf = async (id: string) =>
    (await client.send(new DescribeRouteTablesCommand({ RouteTableIds: [id] }))).RouteTables?.[0];

  const mainOf = async (vpcId: string) => {
    const Filters = [
      { Name: "vpc-id", Values: [vpcId] },
      { Name: "association.main", Values: ["true"] },
    ];
    return (await client.send(new DescribeRouteTablesCommand({ Filters }))).RouteTables?.[0];
  };

  const stateOf = async (id: string, destination: string) =>
    (await tableOf(id))?.Routes?.find((one) => one.DestinationCidrBlock === destination)?.State;

  const route = (RouteTableId: string, rest: Omit<CreateRouteCommandInput, "RouteTableId">) =>
    client.send(new CreateRouteCommand({ RouteTableId, ...rest }));

  test("a new table has the VPC's local routes and no association; its token makes it once", async () => {
    const VpcId = await makeVpc(client);
    const create = (token: string, vpcId = VpcId) =>
      client.send(new CreateRouteTableCommand({ VpcId: vpcId, ClientToken: token }));
    const { RouteTable } = await create("table-1");
    assert.deepEqual(RouteTable?.Associations, []);
    assert.deepEqual(RouteTable?.Routes, [
      {
        DestinationCidrBlock: "10.1.0.0/16",
        GatewayId: "local",
        Origin: "CreateRouteTable",
        State: "active",
      },
    ]);
    assert.equal((await create("table-1")).RouteTable?.RouteTableId, RouteTable?.RouteTableId);
    const other = await makeVpc(client, "10.9.0.0/16");
    await assert.rejects(create("table-1", other), { name: "IdempotentParameterMismatch" });
    await client.send(new AssociateVpcCidrBlockCommand({ VpcId, CidrBlock: "10.2.0.0/16" }));
    const { Routes } = (await tableOf(RouteTable?.RouteTableId ?? "")) ?? {};
    assert.deepEqual(
      Routes?.map((one) => [one.DestinationCidrBlock, one.GatewayId]),
      [
        ["10.1.0.0/16", "local"],
        ["10.2.0.0/16", "local"],
      ],
    );
  });

  test("a subnet has one explicit table", async () => {
    const vpcId = await makeVpc(client);
    const SubnetId = await makeSubnet(client, vpcId);
    const [a, b] = [await makeRouteTable(client, vpcId), await makeRouteTable(client, vpcId)];
    const associate = (RouteTableId: string) =>
      client.send(new AssociateRouteTableCommand({ RouteTableId, SubnetId }));
    const { AssociationId = "" } = await associate(a);
    assert.equal((await associate(a)).AssociationId, AssociationId);
    await assert.rejects(associate(b), { name: "Resource.AlreadyAssociated" });
    await assert.rejects(client.send(new DeleteRouteTableCommand({ RouteTableId: a })), {
      name: "DependencyViolation",
    });
    const { NewAssociationId } = await client.send(
      new ReplaceRouteTableAssociationCommand({ AssociationId, RouteTableId: b }),
    );
    assert.deepEqual((await tableOf(a))?.Associations, []);
    assert.equal((await tableOf(b))?.Associations?.[0]?.SubnetId, SubnetId);
    await client.send(new DisassociateRouteTableCommand({ AssociationId: NewAssociationId }));
    await assert.rejects(
      client.send(new DisassociateRouteTableCommand({ AssociationId: NewAssociationId })),
      {
        name: "InvalidAssociationID.NotFound",
      },
    );
    await client.send(new DeleteRouteTableCommand({ RouteTableId: b }));
    await assert.rejects(tableOf(b), { name: "InvalidRouteTableID.NotFound" });
    const stranger = await makeRouteTable(client, await makeVpc(client, "10.3.0.0/16"));
    await assert.rejects(associate(stranger), { name: "InvalidParameterValue" });
  });

  test("the main table stays until another takes its place", async () => {
    const vpcId = await makeVpc(client);
    const main = await mainOf(vpcId);
    const AssociationId = main?.Associations?.[0]?.RouteTableAssociationId;
    await assert.rejects(client.send(new DeleteRouteTableCommand({ RouteTableId: main?.RouteTableId })), {
      name: "DependencyViolation",
    });
    await assert.rejects(client.send(new DisassociateRouteTableCommand({ AssociationId })), {
      name: "InvalidParameterValue",
    });
    const RouteTableId = await makeRouteTable(client, vpcId);
    await client.send(new ReplaceRouteTableAssociationCommand({ AssociationId, RouteTableId }));
    assert.equal((await mainOf(vpcId))?.RouteTableId, RouteTableId);
    await client.send(new DeleteRouteTableCommand({ RouteTableId: main?.RouteTableId }));
  });

  test("a route is created, refused twice, replaced and deleted", async () => {
    const vpcId = await makeVpc(client);
    const igw = await makeInternetGateway(client, vpcId);
    const id = await makeRouteTable(client, vpcId);
    const DestinationCidrBlock = "100.68.0.0/18";
    await route(id, { DestinationCidrBlock: "100.68.0.18/18", GatewayId: igw });
    assert.equal(await stateOf(id, DestinationCidrBlock), "active");
    await assert.rejects(route(id, { DestinationCidrBlock, GatewayId: igw }), { name: "RouteAlreadyExists" });
    const nat = await makeNatGateway(client, await makeSubnet(client, vpcId));
    await client.send(
      new ReplaceRouteCommand({ RouteTableId: id, DestinationCidrBlock, NatGatewayId: nat.id }),
    );
    const Filters = [{ Name: "route.nat-gateway-id", Values: [nat.id] }];
    const found = await client.send(new DescribeRouteTablesCommand({ Filters }));
    assert.deepEqual(
      found.RouteTables?.map((one) => one.RouteTableId),
      [id],
    );
    const gone = { RouteTableId: id, DestinationCidrBlock };
    await client.send(new DeleteRouteCommand(gone));
    await assert.rejects(client.send(new DeleteRouteCommand(gone)), { name: "InvalidRoute.NotFound" });
    await assert.rejects(client.send(new ReplaceRouteCommand({ ...gone, GatewayId: igw })), {
      name: "InvalidParameterValue",
    });
  });

  test("local routes are neither made nor deleted, and nothing leads astray inside the VPC", async () => {
    const vpcId = await makeVpc(client);
    const igw = await makeInternetGateway(client, vpcId);
    const id = await makeRouteTable(client, vpcId);
    const DestinationCidrBlock = "10.1.0.0/16";
    await assert.rejects(client.send(new DeleteRouteCommand({ RouteTableId: id, DestinationCidrBlock })), {
      name: "InvalidParameterValue",
      message: `cannot remove local route 10.1.0.0/16 in route table ${id}`,
    });
    await assert.rejects(route(id, { DestinationCidrBlock, GatewayId: igw }), { name: "RouteAlreadyExists" });
    await assert.rejects(route(id, { DestinationCidrBlock: "10.1.7.0/24", GatewayId: igw }), {
      name: "InvalidParameterValue",
      message: "Route destination doesn't match any subnet CIDR blocks.",
    });
    const SubnetId = await makeSubnet(client, vpcId, "10.1.7.0/24");
    await assert.rejects(route(id, { DestinationCidrBlock: "10.1.7.0/24", GatewayId: igw }), {
      name: "InvalidParameterValue",
    });
    const { NetworkInterface } = await client.send(new CreateNetworkInterfaceCommand({ SubnetId }));
    const NetworkInterfaceId = NetworkInterface?.NetworkInterfaceId;
    await route(id, { DestinationCidrBlock: "10.1.7.0/24", NetworkInterfaceId });
    assert.equal(await stateOf(id, "10.1.7.0/24"), "blackhole");
    const replace = (rest: object) =>
      client.send(new ReplaceRouteCommand({ RouteTableId: id, DestinationCidrBlock, ...rest }));
    await assert.rejects(replace({ GatewayId: igw }), { name: "InvalidParameterValue" });
    await replace({ NetworkInterfaceId });
    assert.equal((await tableOf(id))?.Routes?.filter((one) => one.GatewayId === "local").length, 0);
    await replace({ LocalTarget: true });
    assert.equal((await tableOf(id))?.Routes?.filter((one) => one.GatewayId === "local").length, 1);
  });

  test("a target exists and belongs to the table's VPC", async () => {
    const [vpcId, other] = [await makeVpc(client), await makeVpc(client, "10.4.0.0/16")];
    const id = await makeRouteTable(client, vpcId);
    const igw = await makeInternetGateway(client, other);
    const nat = await makeNatGateway(client, await makeSubnet(client, other, "10.4.0.0/24"));
    const to = (rest: object) => route(id, { DestinationCidrBlock: "0.0.0.0/0", ...rest });
    await assert.rejects(to({ GatewayId: igw }), {
      name: "InvalidParameterValue",
      message: `route table ${id} and network gateway ${igw} belong to different networks`,
    });
    await assert.rejects(to({ NatGatewayId: nat.id }), { name: "InvalidParameterValue" });
    await assert.rejects(to({ NatGatewayId: "nat-00000000000000000" }), {
      name: "InvalidNatGatewayID.NotFound",
    });
    await assert.rejects(to({ GatewayId: "igw-00000000000000000" }), { name: "InvalidGatewayID.NotFound" });
    await assert.rejects(to({ VpcPeeringConnectionId: "pcx-00000000000000000" }), {
      name: "InvalidVpcPeeringConnectionID.NotFound",
    });
    await assert.rejects(to({ NetworkInterfaceId: "eni-00000000000000000" }), {
      name: "InvalidNetworkInterfaceID.NotFound",
    });
    await assert.rejects(to({ InstanceId: "i-00000000000000000" }), { name: "InvalidInstanceID.NotFound" });
    await assert.rejects(to({}), { name: "InvalidParameterCombination" });
    await assert.rejects(route(id, { GatewayId: igw }), { name: "MissingParameter" });
    await assert.rejects(route(id, { DestinationCidrBlock: "10.0.0.0/40", GatewayId: igw }), {
      name: "InvalidParameterValue",
    });
  });

  test("a route whose gateway is gone is a blackhole", async () => {
    const vpcId = await makeVpc(client);
    const igw = await makeInternetGateway(client, vpcId);
    const id = await makeRouteTable(client, vpcId);
    const nat = await makeNatGateway(client, await makeSubnet(client, vpcId));
    sandbox.clock.advance(natPendingMs);
    await route(id, { DestinationCidrBlock: "0.0.0.0/0", NatGatewayId: nat.id });
    await route(id, { DestinationCidrBlock: "192.0.2.0/24", GatewayId: igw });
    assert.equal(await stateOf(id, "0.0.0.0/0"), "active");
    await client.send(new DeleteNatGatewayCommand({ NatGatewayId: nat.id }));
    sandbox.clock.advance(natDeletingMs);
    assert.equal(await stateOf(id, "0.0.0.0/0"), "blackhole");
    assert.equal(await stateOf(id, "192.0.2.0/24"), "active");
    await client.send(new DetachInternetGatewayCommand({ InternetGatewayId: igw, VpcId: vpcId }));
    assert.equal(await stateOf(id, "192.0.2.0/24"), "blackhole");
  });

  test("a route to a peering is a blackhole unless the peering is active", async () => {
    const [VpcId, PeerVpcId] = [await makeVpc(client), await makeVpc(client, "10.5.0.0/16")];
    const id = await makeRouteTable(client, VpcId);
    const { VpcPeeringConnection } = await client.send(
      new CreateVpcPeeringConnectionCommand({ VpcId, PeerVpcId }),
    );
    const VpcPeeringConnectionId = VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
    await route(id, { DestinationCidrBlock: "10.5.0.0/16", VpcPeeringConnectionId });
    assert.equal(await stateOf(id, "10.5.0.0/16"), "blackhole");
    await client.send(new AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
    sandbox.clock.advance(peeringProvisioningMs);
    assert.equal(await stateOf(id, "10.5.0.0/16"), "active");
    await client.send(new DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
    assert.equal(await stateOf(id, "10.5.0.0/16"), "blackhole");
    const third = await makeRouteTable(client, await makeVpc(client, "10.6.0.0/16"));
    await assert.rejects(route(third, { DestinationCidrBlock: "10.5.0.0/16", VpcPeeringConnectionId }), {
      name: "InvalidVpcPeeringConnectionID.NotFound",
    });
  });

  test("a peering of other VPCs is no target", async () => {
    const [VpcId, PeerVpcId] = [await makeVpc(client), await makeVpc(client, "10.5.0.0/16")];
    const { VpcPeeringConnection } = await client.send(
      new CreateVpcPeeringConnectionCommand({ VpcId, PeerVpcId }),
    );
    const { VpcPeeringConnectionId } = VpcPeeringConnection ?? {};
    const third = await makeRouteTable(client, await makeVpc(client, "10.6.0.0/16"));
    await assert.rejects(route(third, { DestinationCidrBlock: "10.5.0.0/16", VpcPeeringConnectionId }), {
      name: "InvalidParameterValue",
    });
  });
});
