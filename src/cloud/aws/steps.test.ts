import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cidr } from "../../domain/cidr.ts";
import type { Rule } from "../../domain/steps.ts";
import type { AclEntry, World } from "../../domain/world.ts";
import { ACCOUNT, cellIn, networkRef, rejection, stepper, wiredSandbox } from "./testing.ts";

const HOME = cellIn("us-east-1");

const { sandbox, cloud } = await wiredSandbox();

function only<T>(items: readonly T[]): T {
  const [item, ...more] = items;
  assert.ok(item !== undefined && more.length === 0, `${items.length} items`);
  return item;
}

function counts({ at: _at, lookedAt: _lookedAt, ...lists }: World): Record<string, number> {
  return Object.fromEntries(Object.entries(lists).map(([kind, list]) => [kind, list.length]));
}

const NOTHING = {
  vpcs: 0,
  subnets: 0,
  internetGateways: 0,
  addresses: 0,
  natGateways: 0,
  routeTables: 0,
  endpoints: 0,
  groups: 0,
  acls: 0,
  peerings: 0,
  interfaces: 0,
  clusters: 0,
  topics: 0,
  functions: 0,
  probes: 0,
};

const TCP_FROM_RANGE: Rule = {
  egress: false,
  protocol: "tcp",
  fromPort: 0,
  toPort: 65_535,
  source: "10.4.0.0/25",
};

describe("one network from first to last", () => {
  const network = networkRef("whole");
  const id: Record<string, string> = {};
  const { act, made, look } = {
    act: (...args: Parameters<ReturnType<typeof stepper>["act"]>) =>
      stepper(cloud, HOME, network).act(...args),
    made: (...args: Parameters<ReturnType<typeof stepper>["made"]>) =>
      stepper(cloud, HOME, network).made(...args),
    look: (vpcIds?: readonly string[]) => stepper(cloud, HOME, network).look(vpcIds),
  };

  test("nothing is there at first", async () => {
    assert.deepEqual(counts(await look()), NOTHING);
  });

  test("the VPC, with its DNS attributes", async () => {
    id.vpc = await made({ do: "createVpc", key: "vpc", cidr: cidr("10.4.0.0/25") });
    sandbox.clock.advance(60_000);
    const fresh = only((await look()).vpcs);
    assert.deepEqual(
      { ...fresh, state: "" },
      {
        id: id.vpc,
        key: "vpc",
        attempt: 1,
        state: "",
        ownerId: ACCOUNT,
        cidrs: ["10.4.0.0/25"],
        dnsSupport: true,
        dnsHostnames: false,
      },
    );
    await act({ do: "setDnsSupport", key: "vpc", vpcId: id.vpc });
    await act({ do: "setDnsHostnames", key: "vpc", vpcId: id.vpc });
    assert.equal(only((await look()).vpcs).dnsHostnames, true);
  });

  test("what AWS itself puts into a VPC is seen", async () => {
    const world = await look();
    const main = only(world.routeTables);
    assert.deepEqual([main.key, main.main, main.routes, main.associations], ["table/main", true, [], []]);
    const group = only(world.groups);
    assert.equal(group.key, "group/default");
    assert.deepEqual(group.rules.map((rule) => [rule.egress, rule.protocol, rule.source]).sort(), [
      [false, "-1", group.id],
      [true, "-1", "0.0.0.0/0"],
    ]);
    const acl = only(world.acls);
    assert.equal(acl.isDefault, true);
    assert.deepEqual(
      acl.entries
        .map((entry) => [entry.number, entry.egress, entry.protocol, entry.action, entry.cidr])
        .sort(),
      [
        [100, false, "-1", "allow", "0.0.0.0/0"],
        [100, true, "-1", "allow", "0.0.0.0/0"],
      ],
    );
  });

  test("a subnet in a zone by its id", async () => {
    const [zone] = await cloud.zones(HOME);
    assert.ok(zone);
    const key = "subnet/public/0";
    const { vpc: vpcId = "" } = id;
    id.subnet = await made({ do: "createSubnet", key, vpcId, cidr: cidr("10.4.0.0/28"), zoneId: zone.id });
    const subnet = only((await look()).subnets);
    assert.deepEqual(subnet, {
      id: id.subnet,
      key,
      attempt: 1,
      vpcId,
      state: "available",
      cidr: "10.4.0.0/28",
      zoneId: zone.id,
      zone: zone.name,
      freeAddresses: 11,
    });
  });

  test("an internet gateway, attached; attaching again asks for a new look", async () => {
    const { vpc: vpcId = "" } = id;
    id.igw = await made({ do: "createInternetGateway", key: "igw" });
    assert.equal(only((await look()).internetGateways).vpcId, null);
    const attach = { do: "attachInternetGateway", key: "igw", gatewayId: id.igw, vpcId } as const;
    await act(attach);
    assert.equal(only((await look()).internetGateways).vpcId, vpcId);
    await rejection(act(attach), "conflict");
  });

  test("an address and a NAT gateway on it; the same try makes one only", async () => {
    const { subnet: subnetId = "" } = id;
    id.eip = await made({ do: "allocateAddress", key: "eip/0" });
    const nat = { do: "createNatGateway", key: "nat/0", subnetId, allocationId: id.eip } as const;
    id.nat = await made(nat);
    assert.equal(await made(nat), id.nat);
    assert.equal(only((await look()).natGateways).state, "pending");
    sandbox.clock.advance(300_000);
    const world = await look();
    assert.equal(only(world.natGateways).state, "available");
    assert.deepEqual(only(world.natGateways).allocationIds, [id.eip]);
    assert.notEqual(only(world.addresses).associationId, null);
    const port = only(world.interfaces);
    assert.deepEqual(
      [port.interfaceType, port.requesterManaged, port.subnetId],
      ["nat_gateway", true, subnetId],
    );
  });

  test("a route table with its association and routes", async () => {
    const { vpc: vpcId = "", subnet: subnetId = "", igw = "", nat = "" } = id;
    const key = "table/public";
    id.table = await made({ do: "createRouteTable", key, vpcId });
    const tableId = id.table;
    await act({ do: "associateTable", key, tableId, subnetId });
    await act({ do: "associateTable", key, tableId, subnetId });
    const route = (kind: "internetGateway" | "natGateway", targetId: string) => ({
      destination: cidr("0.0.0.0/0"),
      target: { kind, id: targetId },
    });
    await act({ do: "createRoute", key, tableId, route: route("internetGateway", igw) });
    await rejection(act({ do: "createRoute", key, tableId, route: route("natGateway", nat) }), "conflict");
    const table = only((await look()).routeTables.filter((one) => !one.main));
    assert.deepEqual([table.id, table.key, table.attempt, table.vpcId], [tableId, key, 1, vpcId]);
    assert.deepEqual(table.routes, [{ destination: "0.0.0.0/0", targetId: igw, blackhole: false }]);
    assert.equal(only(table.associations).subnetId, subnetId);
    await act({ do: "replaceRoute", key, tableId, route: route("natGateway", nat) });
    const other = await made({ do: "createRouteTable", key: "table/private/0", vpcId });
    await rejection(act({ do: "associateTable", key, tableId: other, subnetId }), "conflict");
    const associationId = only(table.associations).id;
    await act({ do: "replaceAssociation", key, associationId, tableId: other });
    const after = (await look()).routeTables;
    assert.equal(after.find((one) => one.id === tableId)?.routes[0]?.targetId, nat);
    assert.equal(after.find((one) => one.id === other)?.associations.length, 1);
    const away = { do: "deleteRoute", key, tableId, destination: "0.0.0.0/0" } as const;
    await act(away);
    await act(away);
    id.otherTable = other;
  });

  test("an endpoint; its routes are not listed", async () => {
    const { vpc: vpcId = "", table = "", otherTable = "" } = id;
    id.endpoint = await made({ do: "createEndpoint", key: "endpoint/s3", vpcId, routeTableIds: [table] });
    const set = { do: "setEndpointTables", key: "endpoint/s3", endpointId: id.endpoint } as const;
    await act({ ...set, add: [otherTable], remove: [table] });
    sandbox.clock.advance(60_000);
    const world = await look();
    const endpoint = only(world.endpoints);
    assert.deepEqual(endpoint.routeTableIds, [otherTable]);
    assert.equal(endpoint.serviceName, "com.amazonaws.us-east-1.s3");
    assert.equal(endpoint.state, "available");
    assert.deepEqual(
      world.routeTables.flatMap((one) => one.routes),
      [],
    );
  });

  test("a group and its rules: one already there does not keep the others out", async () => {
    const { vpc: vpcId = "" } = id;
    const key = "group/cluster";
    id.group = await made({
      do: "createGroup",
      key,
      vpcId,
      name: "letsdata-cluster",
      description: "Cluster",
    });
    const groupId = id.group;
    const authorize = (rules: readonly Rule[]) =>
      act({ do: "authorizeRules", key, groupId, egress: rules[0]?.egress ?? false, rules });
    const other = { ...TCP_FROM_RANGE, source: "10.9.0.0/16" };
    await authorize([TCP_FROM_RANGE]);
    await authorize([TCP_FROM_RANGE, other]);
    await authorize([{ ...TCP_FROM_RANGE, egress: true, source: "0.0.0.0/0" }]);
    const rulesNow = async () => (await look()).groups.find((one) => one.id === groupId)?.rules ?? [];
    const inbound = (await rulesNow()).filter((rule) => !rule.egress);
    assert.deepEqual(
      inbound.map(({ ruleId: _, ...rule }) => rule).sort((a, b) => (a.source < b.source ? -1 : 1)),
      [TCP_FROM_RANGE, other],
    );
    const ruleIds = inbound.map((rule) => rule.ruleId);
    await act({ do: "revokeRules", key, groupId, egress: false, ruleIds: ruleIds.slice(0, 1) });
    await act({ do: "revokeRules", key, groupId, egress: false, ruleIds });
    const everything = (await rulesNow()).find((rule) => rule.protocol === "-1");
    await act({ do: "revokeRules", key, groupId, egress: true, ruleIds: [everything?.ruleId ?? ""] });
    assert.deepEqual(
      (await rulesNow()).map((rule) => [rule.egress, rule.protocol, rule.source]),
      [[true, "tcp", "0.0.0.0/0"]],
    );
  });

  test("entries of the default ACL", async () => {
    const acl = only((await look()).acls);
    const key = "acl/default";
    const icmp: AclEntry = {
      number: 110,
      egress: false,
      protocol: "1",
      action: "allow",
      cidr: "0.0.0.0/0",
      ports: null,
      icmp: { type: 3, code: 4 },
    };
    const tcp: AclEntry = { ...icmp, number: 100, protocol: "6", icmp: null, ports: { from: 0, to: 65_535 } };
    await act({ do: "createAclEntry", key, aclId: acl.id, entry: icmp });
    await rejection(act({ do: "createAclEntry", key, aclId: acl.id, entry: icmp }), "conflict");
    await act({ do: "replaceAclEntry", key, aclId: acl.id, entry: tcp });
    const inbound = async () => only((await look()).acls).entries.filter((entry) => !entry.egress);
    assert.deepEqual(
      (await inbound()).sort((a, b) => a.number - b.number),
      [tcp, icmp],
    );
    const away = { do: "deleteAclEntry", key, aclId: acl.id, number: 110, egress: false } as const;
    await act(away);
    await act(away);
    assert.deepEqual(await inbound(), [tcp]);
  });

  test("what hangs on something cannot be taken away, and says so", async () => {
    const { vpc = "", subnet = "", igw = "", eip = "" } = id;
    await rejection(act({ do: "deleteVpc", key: "vpc", vpcId: vpc }), "conflict");
    await rejection(act({ do: "deleteSubnet", key: "subnet/public/0", subnetId: subnet }), "conflict");
    await rejection(act({ do: "detachInternetGateway", key: "igw", gatewayId: igw, vpcId: vpc }), "conflict");
    const failure = await rejection(
      act({ do: "releaseAddress", key: "eip/0", allocationId: eip }),
      "unavailable",
    );
    assert.match(failure.message, /still has the address/);
  });

  test("everything goes, and going twice is no harm", async () => {
    const { vpc = "", subnet = "", igw = "", eip = "", nat = "", endpoint = "", group = "" } = id;
    const twice = async (step: Parameters<typeof act>[0]) => {
      await act(step);
      await act(step);
    };
    await twice({ do: "deleteEndpoint", key: "endpoint/s3", endpointId: endpoint });
    await twice({ do: "deleteNatGateway", key: "nat/0", natGatewayId: nat });
    sandbox.clock.advance(300_000);
    assert.equal(only((await look()).natGateways).state, "deleted");
    await twice({ do: "releaseAddress", key: "eip/0", allocationId: eip });
    await twice({ do: "detachInternetGateway", key: "igw", gatewayId: igw, vpcId: vpc });
    await twice({ do: "deleteInternetGateway", key: "igw", gatewayId: igw });
    await twice({ do: "deleteGroup", key: "group/cluster", groupId: group });
    await twice({ do: "deleteSubnet", key: "subnet/public/0", subnetId: subnet });
    for (const tableId of [id.table ?? "", id.otherTable ?? ""])
      await twice({ do: "deleteRouteTable", key: "table/x", tableId });
    await twice({ do: "deleteInterface", key: "interface/x", interfaceId: "eni-00000000000000000" });
    await twice({ do: "deleteVpc", key: "vpc", vpcId: vpc });
    const left = await look([vpc]);
    const live = { ...left, natGateways: [], peerings: [] };
    assert.deepEqual(counts(live), NOTHING);
  });
});
