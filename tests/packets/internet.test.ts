/** The internet of the sandbox, seen from a host with a public address. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CreateRouteCommand, DescribeRouteTablesCommand, RunInstancesCommand } from "@aws-sdk/client-ec2";
import { startSandbox } from "../../src/sandbox/testing.ts";
import { makeInternetGateway, makeSubnet, makeVpc } from "../../src/sandbox/testNetwork.ts";
import { whyNoPackets } from "./ground.ts";
import { startProbes } from "./probes.ts";

const skip = await whyNoPackets();

test("what is sent to an address that nobody has is lost without a word", { skip }, async (t) => {
  const sandbox = await startSandbox({ packets: true });
  t.after(() => sandbox.close());
  const client = sandbox.client("111111111111", "us-east-1");
  const VpcId = await makeVpc(client);
  const GatewayId = await makeInternetGateway(client, VpcId);
  const SubnetId = await makeSubnet(client, VpcId);
  const Filters = [{ Name: "vpc-id", Values: [VpcId] }];
  const { RouteTables } = await client.send(new DescribeRouteTablesCommand({ Filters }));
  const { RouteTableId } = RouteTables?.[0] ?? {};
  const DestinationCidrBlock = "0.0.0.0/0";
  await client.send(new CreateRouteCommand({ RouteTableId, DestinationCidrBlock, GatewayId }));
  const { Instances } = await client.send(
    new RunInstancesCommand({
      ImageId: "ami-12345678",
      MinCount: 1,
      MaxCount: 1,
      NetworkInterfaces: [{ DeviceIndex: 0, SubnetId, AssociatePublicIpAddress: true }],
    }),
  );
  sandbox.clock.advance(10_000);
  const { dataPlane: plane } = sandbox;
  assert.ok(plane);
  await plane.settled();
  const from = Instances?.[0]?.InstanceId ?? "";
  const probes = await startProbes(plane, { namespaces: new Map([[from, []]]), ports: [4000] });
  t.after(() => probes.close());
  const patience = { answerMs: 500, arrivalMs: 0 };
  const to = (address: string, sourcePort: number) =>
    probes.probe({ from, to: address, protocol: "tcp", port: 4000, sourcePort }, patience);
  const found = await Promise.all(
    ["10.9.9.9", "198.18.7.7", "203.0.113.1"].map((one, at) => to(one, 33_000 + at)),
  );
  assert.deepEqual(found, Array(3).fill({ outcome: "silent" }));
});
