/** Gateway endpoints over the wire, and the routes that come and go with them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CreateVpcEndpointCommand,
  type CreateVpcEndpointCommandInput,
  DeleteRouteCommand,
  DeleteRouteTableCommand,
  DeleteVpcCommand,
  DeleteVpcEndpointsCommand,
  DescribePrefixListsCommand,
  DescribeRouteTablesCommand,
  DescribeVpcEndpointServicesCommand,
  DescribeVpcEndpointsCommand,
  type EC2Client,
  ModifyVpcEndpointCommand,
} from "@aws-sdk/client-ec2";
import { settings } from "./settings.ts";
import { startSandbox, type TestSandbox } from "./testing.ts";
import { makeRouteTable, makeVpc } from "./testNetwork.ts";

const S3 = "com.amazonaws.eu-west-1.s3";
const { endpointPendingMs } = settings("quick");

describe("gateway endpoints", () => {
  let sandbox: TestSandbox;
  let client: EC2Client;

  before(async () => {
    sandbox = await startSandbox();
    client = sandbox.client("111111111111", "eu-west-1");
  });
  after(() => sandbox.close());

  const create = async (input: Partial<CreateVpcEndpointCommandInput> & { VpcId: string }) =>
    (await client.send(new CreateVpcEndpointCommand({ ServiceName: S3, ...input }))).VpcEndpoint ?? {};

  const endpointOf = async (id: string | undefined) =>
    (await client.send(new DescribeVpcEndpointsCommand({ VpcEndpointIds: [id ?? ""] }))).VpcEndpoints?.[0];

  const endpointRoutes = async (RouteTableId: string) => {
    const { RouteTables } = await client.send(
      new DescribeRouteTablesCommand({ RouteTableIds: [RouteTableId] }),
    );
    return RouteTables?.[0]?.Routes?.filter((route) => route.DestinationPrefixListId) ?? [];
  };

  test("its route stands in its tables, cannot be deleted alone, and goes with it", async () => {
    const VpcId = await makeVpc(client);
    const [a, b] = [await makeRouteTable(client, VpcId), await makeRouteTable(client, VpcId)];
    const made = await create({ VpcId, RouteTableIds: [a], VpcEndpointType: "Gateway" });
    assert.equal(made.State, "pending");
    sandbox.clock.advance(endpointPendingMs);
    const id = made.VpcEndpointId ?? "";
    assert.equal((await endpointOf(id))?.State, "available");
    const { PrefixLists } = await client.send(
      new DescribePrefixListsCommand({ Filters: [{ Name: "prefix-list-name", Values: [S3] }] }),
    );
    const list = PrefixLists?.[0]?.PrefixListId ?? "";
    assert.match(list, /^pl-[0-9a-f]{8}$/);
    assert.deepEqual(await endpointRoutes(a), [
      { DestinationPrefixListId: list, GatewayId: id, Origin: "CreateRoute", State: "active" },
    ]);
    const alone = { RouteTableId: a, DestinationPrefixListId: list };
    await assert.rejects(client.send(new DeleteRouteCommand(alone)), { name: "InvalidParameterValue" });
    const move = { VpcEndpointId: id, AddRouteTableIds: [b], RemoveRouteTableIds: [a] };
    await client.send(new ModifyVpcEndpointCommand(move));
    assert.deepEqual(await endpointRoutes(a), []);
    assert.equal((await endpointRoutes(b)).length, 1);
    await client.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds: [id] }));
    assert.deepEqual(await endpointRoutes(b), []);
    assert.equal((await endpointOf(id))?.State, "deleting");
    sandbox.clock.advance(endpointPendingMs);
    await assert.rejects(endpointOf(id), { name: "InvalidVpcEndpointId.NotFound" });
  });

  test("what cannot be deleted is answered in the body", async () => {
    const id = (await create({ VpcId: await makeVpc(client) })).VpcEndpointId ?? "";
    const unknown = "vpce-00000000000000000";
    const { Unsuccessful } = await client.send(
      new DeleteVpcEndpointsCommand({ VpcEndpointIds: [unknown, id] }),
    );
    assert.deepEqual(
      Unsuccessful?.map((one) => [one.ResourceId, one.Error?.Code]),
      [[unknown, "InvalidVpcEndpointId.NotFound"]],
    );
    assert.equal((await endpointOf(id))?.State, "deleting");
  });

  test("a table has one route to a service, and a VPC with an endpoint stays", async () => {
    const VpcId = await makeVpc(client);
    const table = await makeRouteTable(client, VpcId);
    const { VpcEndpointId = "" } = await create({ VpcId, RouteTableIds: [table] });
    await assert.rejects(create({ VpcId, RouteTableIds: [table] }), { name: "RouteAlreadyExists" });
    await create({ VpcId, RouteTableIds: [table], ServiceName: "com.amazonaws.eu-west-1.dynamodb" });
    assert.equal((await endpointRoutes(table)).length, 2);
    await client.send(new DeleteRouteTableCommand({ RouteTableId: table }));
    assert.deepEqual((await endpointOf(VpcEndpointId))?.RouteTableIds, []);
    await assert.rejects(client.send(new DeleteVpcCommand({ VpcId })), { name: "DependencyViolation" });
  });

  test("services, tables and types are checked", async () => {
    const VpcId = await makeVpc(client);
    const stranger = await makeRouteTable(client, await makeVpc(client, "10.2.0.0/16"));
    const refused: [Partial<CreateVpcEndpointCommandInput>, string][] = [
      [{ ServiceName: "com.amazonaws.us-east-1.s3" }, "InvalidServiceName"],
      [{ ServiceName: undefined }, "MissingParameter"],
      [{ RouteTableIds: [stranger] }, "InvalidParameter"],
      [{ RouteTableIds: ["rtb-00000000000000000"] }, "InvalidRouteTableID.NotFound"],
      [{ VpcEndpointType: "Interface" }, "UnsupportedOperation"],
      [{ SubnetIds: ["subnet-00000000000000000"] }, "InvalidParameter"],
      [{ VpcId: "vpc-00000000000000000" }, "InvalidVpcID.NotFound"],
    ];
    for (const [input, name] of refused)
      await assert.rejects(
        create({ ...input, VpcId: input.VpcId ?? VpcId }),
        { name },
        JSON.stringify(input),
      );
    const { VpcEndpointId } = await create({ VpcId });
    const modify = { VpcEndpointId, RemoveRouteTableIds: [stranger] };
    await assert.rejects(client.send(new ModifyVpcEndpointCommand(modify)), {
      name: "InvalidRouteTableID.NotFound",
    });
  });

  test("a client token makes one endpoint", async () => {
    const VpcId = await makeVpc(client);
    const input = { VpcId, ClientToken: "endpoint-1" };
    const first = await create(input);
    assert.equal((await create(input)).VpcEndpointId, first.VpcEndpointId);
    await assert.rejects(create({ ...input, PolicyDocument: "{}" }), { name: "IdempotentParameterMismatch" });
  });

  test("filters find endpoints; the services of the region are listed", async () => {
    const VpcId = await makeVpc(client);
    const { VpcEndpointId } = await create({ VpcId });
    const Filters = [
      { Name: "vpc-id", Values: [VpcId] },
      { Name: "service-name", Values: [S3] },
      { Name: "vpc-endpoint-type", Values: ["Gateway"] },
    ];
    const { VpcEndpoints } = await client.send(new DescribeVpcEndpointsCommand({ Filters }));
    assert.deepEqual(
      VpcEndpoints?.map((one) => one.VpcEndpointId),
      [VpcEndpointId],
    );
    const { ServiceNames } = await client.send(new DescribeVpcEndpointServicesCommand({}));
    assert.deepEqual(ServiceNames, ["com.amazonaws.eu-west-1.dynamodb", S3]);
    await assert.rejects(client.send(new DescribePrefixListsCommand({ PrefixListIds: ["pl-00000000"] })), {
      name: "InvalidPrefixListId.NotFound",
    });
  });
});
