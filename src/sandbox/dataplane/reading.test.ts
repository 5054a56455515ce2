import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cidr } from "../../domain/cidr.ts";
import type * as rows from "../rows.ts";
import type { Tables } from "../world.ts";
import { numbered, topologyOf } from "./reading.ts";
import {
  addressRow,
  instanceRow,
  interfaceRow,
  lookAt,
  NOW,
  peeringRow,
  subnetRow,
  vpcRow,
} from "./testing/rows.ts";
import type { Router } from "./topology.ts";

const AT = { account: "111111111111", region: "us-east-1", at: NOW - 60_000, tags: [] };
const VPC = vpcRow("vpc-1", "10.1.0.0/16");

function attached(
  id: string,
  instanceId: string | undefined,
  deviceIndex: number,
  own = {},
): rows.InterfaceRow {
  const attachment = {
    id: `eni-attach-${id}`,
    ...(instanceId ? { instanceId } : {}),
    ownerId: AT.account,
    deviceIndex,
    at: NOW - 2_000,
    deleteOnTermination: true,
  };
  return interfaceRow(id, "vpc-1", { privateIp: "10.1.0.10", attachment, ...own });
}

function table(id: string, own: Partial<rows.RouteTableRow> = {}): rows.RouteTableRow {
  return { ...AT, id, vpcId: "vpc-1", routes: [], associations: [], ...own };
}

/** A VPC with one running host, and what else there is. */
function topologyWith(more: (tables: Tables) => void = () => {}, now = NOW) {
  const look = lookAt((tables) => {
    tables.vpcs.put(VPC);
    tables.subnets.put(subnetRow("subnet-0000001", "vpc-1", "10.1.0.0/24"));
    tables.instances.put(instanceRow("i-1", { interfaceIds: ["eni-1"] }));
    tables.interfaces.put(attached("eni-1", "i-1", 0));
    tables.routeTables.put(table("rtb-000000a", { associations: [{ id: "main", main: true }] }));
    more(tables);
  });
  return topologyOf({ ...look, now });
}

const router = (more?: (tables: Tables) => void, now?: number): Router | undefined =>
  topologyWith(more, now).routers[0];
const routesTo = (target: rows.RouteRow["target"], more: (tables: Tables) => void = () => {}, now = NOW) =>
  router((tables) => {
    const route = { destination: cidr("0.0.0.0/0"), kind: "cidr", target, origin: "CreateRoute" } as const;
    tables.routeTables.put(
      table("rtb-000000a", { routes: [route], associations: [{ id: "main", main: true }] }),
    );
    more(tables);
  }, now)?.tables[0]?.routes.map(({ to }) => to);

const nat = (own: Partial<rows.NatGatewayRow> = {}): rows.NatGatewayRow => ({
  ...AT,
  id: "nat-1",
  vpcId: "vpc-1",
  subnetId: "subnet-0000001",
  connectivity: "public",
  interfaceId: "eni-nat",
  privateIp: "10.1.0.5",
  availableAt: NOW - 1_000,
  ...own,
});

describe("hosts", () => {
  test("are instances that run", () => {
    const states = [
      { id: "i-pending", runningAt: NOW + 1 },
      { id: "i-stopping", terminateAskedAt: NOW - 1, terminatedAt: NOW + 1 },
      { id: "i-gone", terminateAskedAt: NOW - 2, terminatedAt: NOW - 1 },
    ];
    const { hosts } = topologyWith((tables) => {
      for (const state of states) tables.instances.put(instanceRow(state.id, state));
    });
    assert.deepEqual(hosts, [{ id: "i-1", vpcId: "vpc-1", kind: "instance" }]);
  });

  test("have their interfaces by the device index, whatever else is attached", () => {
    const found = router((tables) => {
      tables.instances.put(instanceRow("i-1", { interfaceIds: ["eni-3", "eni-1"] }));
      tables.interfaces.put(attached("eni-3", "i-1", 2, { privateIp: "10.1.0.12" }));
    });
    const ports = found?.ports.map(({ id, device }) => [id, device]);
    assert.deepEqual(ports, [
      ["eni-1", "eth0"],
      ["eni-3", "eth2"],
    ]);
  });

  test("a NAT gateway is one once it is available; its interface is its first, and open", () => {
    const withNat = (row: rows.NatGatewayRow) => (tables: Tables) => {
      tables.natGateways.put(row);
      tables.interfaces.put(
        attached("eni-nat", undefined, 1, { privateIp: "10.1.0.5", sourceDestCheck: false }),
      );
    };
    const found = topologyWith(withNat(nat()));
    assert.deepEqual(found.hosts[1], { id: "nat-1", vpcId: "vpc-1", kind: "natGateway" });
    const port = found.routers[0]?.ports.find(({ hostId }) => hostId === "nat-1");
    assert.deepEqual([port?.device, port?.isOpen, port?.sourceDestCheck], ["eth0", true, false]);
    assert.equal(topologyWith(withNat(nat({ availableAt: NOW + 1 }))).hosts.length, 1);
    assert.equal(topologyWith(withNat(nat({ deleteAskedAt: NOW - 1, deletedAt: NOW + 9 }))).hosts.length, 1);
  });

  test("a VPC without one is no router", () => {
    assert.deepEqual(topologyOf(lookAt((tables) => tables.vpcs.put(VPC))).routers, []);
  });
});

describe("routes", () => {
  test("lead to the internet while the gateway is attached", () => {
    const target = { type: "internetGateway", id: "igw-1" } as const;
    const gateway = (vpcId?: string) => (tables: Tables) =>
      tables.internetGateways.put({ ...AT, id: "igw-1", ...(vpcId ? { vpcId } : {}) });
    assert.deepEqual(routesTo(target, gateway("vpc-1")), [{ type: "internet" }]);
    assert.deepEqual(routesTo(target, gateway()), [{ type: "blackhole" }]);
  });

  test("lead to the interface of what they name, once it has packets", () => {
    const toNat = { type: "natGateway", id: "nat-1" } as const;
    const withNat = (own: Partial<rows.NatGatewayRow>) => (tables: Tables) => {
      tables.natGateways.put(nat(own));
      tables.interfaces.put(attached("eni-nat", undefined, 1, { privateIp: "10.1.0.5" }));
    };
    assert.deepEqual(routesTo(toNat, withNat({})), [{ type: "port", id: "eni-nat" }]);
    assert.deepEqual(routesTo(toNat, withNat({ availableAt: NOW + 1 })), [{ type: "blackhole" }]);
    assert.deepEqual(routesTo({ type: "instance", id: "i-1" }), [{ type: "port", id: "eni-1" }]);
    assert.deepEqual(routesTo({ type: "interface", id: "eni-1" }), [{ type: "port", id: "eni-1" }]);
    assert.deepEqual(routesTo({ type: "interface", id: "eni-9" }), [{ type: "blackhole" }]);
  });

  test("lead over a peering from when it is active until it is deleted", () => {
    const peering = (own: Partial<rows.PeeringRow>) => (tables: Tables) => {
      const end = (vpc: rows.VpcRow) => ({ vpc, dnsFromRemote: false });
      tables.peerings.put({ ...peeringRow("pcx-1", end(VPC), end(vpcRow("vpc-2", "10.2.0.0/16"))), ...own });
    };
    const target = { type: "peering", id: "pcx-1" } as const;
    assert.deepEqual(routesTo(target, peering({})), [target]);
    assert.deepEqual(routesTo(target, peering({ activeAt: NOW + 1 })), [{ type: "blackhole" }]);
    assert.deepEqual(routesTo(target, peering({ deleteAskedAt: NOW - 1 })), [{ type: "blackhole" }]);
  });

  test("of a subnet are those of its table, else of the main one", () => {
    const found = router((tables) => {
      tables.subnets.put(subnetRow("subnet-0000002", "vpc-1", "10.1.1.0/24"));
      const associations = [{ id: "rtbassoc-1", main: false, subnetId: "subnet-0000002" }];
      tables.routeTables.put(table("rtb-000000b", { associations }));
    });
    const tables = found?.subnets.map(({ id, tableId }) => [id, tableId]);
    assert.deepEqual(tables, [
      ["subnet-0000001", "rtb-000000a"],
      ["subnet-0000002", "rtb-000000b"],
    ]);
  });
});

describe("public addresses", () => {
  const gateway = (tables: Tables) => tables.internetGateways.put({ ...AT, id: "igw-1", vpcId: "vpc-1" });
  const elastic = (tables: Tables) =>
    tables.addresses.put(addressRow("198.18.0.7", { interfaceId: "eni-1" }));
  const own = (tables: Tables) =>
    tables.interfaces.put(attached("eni-1", "i-1", 0, { autoPublicIp: "198.18.0.9" }));
  const found = (...parts: readonly ((tables: Tables) => void)[]) =>
    router((tables) => {
      for (const part of parts) part(tables);
    })?.publicAddresses;

  test("are elastic, or AWS's own choice, the elastic one first", () => {
    assert.deepEqual(found(gateway, own), [{ publicIp: "198.18.0.9", privateIp: "10.1.0.10" }]);
    assert.deepEqual(found(gateway, own, elastic), [{ publicIp: "198.18.0.7", privateIp: "10.1.0.10" }]);
  });

  test("mean nothing without an internet gateway", () => assert.deepEqual(found(elastic), []));
});

describe("security groups", () => {
  const rule = (source: rows.GroupRuleRow["source"], protocol = "tcp"): rows.GroupRuleRow => {
    return { id: "sgr-1", egress: false, protocol, fromPort: 80, toPort: 80, source, tags: [] };
  };
  const group = (id: string, vpcId: string, rules: rows.GroupRuleRow[]): rows.SecurityGroupRow => {
    return { ...AT, id, vpcId, name: id, description: "", rules };
  };
  const far = vpcRow("vpc-2", "10.2.0.0/16");
  const end = (vpc: rows.VpcRow) => ({ vpc, dnsFromRemote: false });
  const to = (groupId: string) => rule({ type: "group", groupId, userId: AT.account });

  const groups = (rules: rows.GroupRuleRow[], isPeered: boolean) =>
    router((tables) => {
      tables.vpcs.put(far);
      tables.securityGroups.put(group("sg-1", "vpc-1", rules));
      tables.securityGroups.put(group("sg-2", "vpc-2", [rule({ type: "cidr", cidr: cidr("0.0.0.0/0") })]));
      const member = { privateIp: "10.2.0.7", groupIds: ["sg-2"] };
      tables.interfaces.put(interfaceRow("eni-far", "vpc-2", member));
      if (isPeered) tables.peerings.put(peeringRow("pcx-1", end(VPC), end(far)));
    })?.groups;

  test("a peer's that is referred to is known by its members, and not applied", () => {
    const [own, foreign] = groups([to("sg-2")], true) ?? [];
    assert.deepEqual(
      own?.rules.map(({ from }) => from),
      [{ type: "group", id: "sg-2" }],
    );
    assert.deepEqual(foreign, { id: "sg-2", members: ["10.2.0.7"], rules: [] });
  });

  test("one that is no peer's any more matches nothing", () => {
    assert.deepEqual(groups([to("sg-2"), to("sg-9")], false), [{ id: "sg-1", members: [], rules: [] }]);
  });

  test("rules of IPv6 mean nothing; a prefix list means each of its blocks", () => {
    const lists = [
      rule({ type: "cidr6", cidr: "::/0" }),
      rule({ type: "cidr", cidr: cidr("10.0.0.0/8") }, "icmpv6"),
    ];
    assert.deepEqual(groups(lists, false)?.[0]?.rules, []);
  });
});

describe("numbers", () => {
  const rowsWith = (...ids: readonly string[]) => ids.map((id, at) => ({ ...AT, id, at }));

  test("are of the id, and those that would be the same are told apart by age", () => {
    const numbers = numbered(rowsWith("rtb-1000000a", "rtb-2000000a", "rtb-0000000b"));
    assert.deepEqual(
      [...numbers],
      [
        ["rtb-1000000a", 0x1000_000a],
        ["rtb-2000000a", 0x1000_000b],
        ["rtb-0000000b", 0x1000_000c],
      ],
    );
  });

  test("fit into what the kernel has for them", () => {
    assert.equal(numbered(rowsWith("rtb-0ffffffffffffffff")).get("rtb-0ffffffffffffffff"), 0x1fff_ffff);
  });
});
