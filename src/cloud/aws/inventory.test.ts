import assert from "node:assert/strict";
import { test } from "node:test";
import { DeleteTagsCommand } from "@aws-sdk/client-ec2";
import { cidr } from "../../domain/cidr.ts";
import { ACCOUNT, cellIn, networkRef, stepper, wiredSandbox } from "./testing.ts";

const HOME = cellIn("us-east-1");
const AWAY = cellIn("eu-west-1");

const { sandbox, wire, cloud } = await wiredSandbox();

test("everything that is ours in a cell, of whichever dataset, with its tags and state; nothing else", async () => {
  const one = stepper(cloud, HOME, networkRef("one"));
  const vpcId = await one.made({ do: "createVpc", key: "vpc", cidr: cidr("10.5.0.0/25") }, 3);
  const gatewayId = await one.made({ do: "createInternetGateway", key: "igw" });
  await one.act({ do: "attachInternetGateway", key: "igw", gatewayId, vpcId });
  const [zone] = await cloud.zones(HOME);
  const place = { vpcId, cidr: cidr("10.5.0.0/28"), zoneId: zone?.id ?? "" };
  const subnetId = await one.made({ do: "createSubnet", key: "subnet/public/0", ...place });
  const allocationId = await one.made({ do: "allocateAddress", key: "eip/0" });
  const natGatewayId = await one.made({ do: "createNatGateway", key: "nat/0", subnetId, allocationId });
  const tableId = await one.made({ do: "createRouteTable", key: "table/public", vpcId });
  const endpointId = await one.made({ do: "createEndpoint", key: "endpoint/s3", vpcId, routeTableIds: [] });
  const group = { key: "group/cluster", name: "g", description: "g" };
  const groupId = await one.made({ do: "createGroup", vpcId, ...group });
  const other = await stepper(cloud, HOME, networkRef("two")).made({ do: "allocateAddress", key: "eip/1" });
  await stepper(cloud, AWAY, networkRef("far")).made({ do: "allocateAddress", key: "eip/0" });
  sandbox.clock.advance(5_000);

  // In which order AWS lists things of one kind is nobody's promise.
  const found = await cloud.inventory(HOME);
  const byId = (a: readonly string[], b: readonly string[]) => (a[1] ?? "").localeCompare(b[1] ?? "");
  assert.deepEqual(
    found.map(({ kind, id, key, datasetId }) => [kind, id, key, datasetId]).sort(byId),
    [
      ["vpc", vpcId, "vpc", "ds-one"],
      ["subnet", subnetId, "subnet/public/0", "ds-one"],
      ["internetGateway", gatewayId, "igw", "ds-one"],
      ["elasticIp", allocationId, "eip/0", "ds-one"],
      ["elasticIp", other, "eip/1", "ds-two"],
      ["natGateway", natGatewayId, "nat/0", "ds-one"],
      ["routeTable", tableId, "table/public", "ds-one"],
      ["gatewayEndpoint", endpointId, "endpoint/s3", "ds-one"],
      ["securityGroup", groupId, "group/cluster", "ds-one"],
    ].sort(byId),
  );
  const vpc = found.find(({ kind }) => kind === "vpc");
  assert.deepEqual([vpc?.attempt, vpc?.tenantId, vpc?.cell, vpc?.state], [3, "ten-1", HOME, "available"]);
  assert.equal((await cloud.inventory(AWAY)).length, 1);
});

test("what AWS still shows of things that are gone is left out, and what lost our tag is not ours", async () => {
  const before = await cloud.inventory(HOME);
  const nat = before.find(({ kind }) => kind === "natGateway");
  const two = stepper(cloud, HOME, networkRef("one"));
  await two.act({ do: "deleteNatGateway", key: "nat/0", natGatewayId: nat?.id ?? "" });
  const going = await cloud.inventory(HOME);
  assert.equal(going.find(({ kind }) => kind === "natGateway")?.state, "deleting");
  sandbox.clock.advance(120_000);
  const ec2 = sandbox.client(ACCOUNT, "us-east-1");
  const group = before.find(({ kind }) => kind === "securityGroup");
  const Tags = [{ Key: "letsdata:installation" }];
  await ec2.send(new DeleteTagsCommand({ Resources: [group?.id ?? ""], Tags }));
  const kinds = (await cloud.inventory(HOME)).map(({ kind }) => kind);
  assert.ok(!kinds.includes("natGateway"));
  assert.ok(!kinds.includes("securityGroup"));
});

test("costs one describe a kind, filtered on our tag", async () => {
  const before = wire.sent.length;
  await cloud.inventory(HOME);
  const sent = wire.sent.slice(before);
  assert.equal(sent.length, 10);
  assert.deepEqual(sent.filter((action) => !action.startsWith("Describe")).sort(), [
    "GET /2015-03-31/functions",
    "GET /api/v2/clusters",
  ]);
});
