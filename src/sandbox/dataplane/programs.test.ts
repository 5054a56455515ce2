import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { cidr } from "../../domain/cidr.ts";
import type { KernelObject, Programs } from "./program.ts";
import { programsOf } from "./programs.ts";
import { idOf, topologies } from "./testing/randomTopologies.ts";
import { portOf, routerOf, topologyWith } from "./topologies.testing.ts";
import type { Route, Router } from "./topology.ts";

const every = (check: (programs: Programs) => void) =>
  fc.assert(fc.property(topologies, (one) => check(programsOf(one))));
const distinct = (all: readonly string[]) => assert.equal(new Set(all).size, all.length);

describe("programs of any topology", () => {
  test("name nothing twice", () => {
    every(({ namespaces, links }) => {
      distinct(namespaces.map(({ name }) => name));
      distinct(links.map(({ key }) => key));
      for (const { objects } of namespaces) distinct(objects.map(({ key }) => key));
      distinct(links.flatMap(({ ends }) => ends.map(({ namespace, device }) => `${namespace} ${device}`)));
    });
  });

  test("link namespaces that are there, by devices the kernel can name", () => {
    every(({ namespaces, links }) => {
      const names = new Set(namespaces.map(({ name }) => name));
      for (const { namespace, device } of links.flatMap(({ ends }) => ends)) {
        assert.ok(names.has(namespace));
        assert.ok(device.length <= 15, device);
      }
    });
  });

  test("put on a link only what has one end of it there", () => {
    every(({ namespaces, links }) => {
      const ends = new Map(links.map(({ key, ends: both }) => [key, both.map(({ namespace }) => namespace)]));
      for (const { name, objects } of namespaces)
        for (const { link } of objects) if (link !== undefined) assert.ok(ends.get(link)?.includes(name));
    });
  });

  test("are the same for the same topology", () => {
    fc.assert(
      fc.property(topologies, (one) => assert.deepEqual(programsOf(one), programsOf(structuredClone(one)))),
    );
  });
});

const VPC = idOf("vpc", 1);
const ENI = idOf("eni", 1);
const PCX = idOf("pcx", 1);
const subnet = {
  id: "subnet-a",
  cidr: cidr("10.0.0.0/24"),
  number: 0x1000_0001,
  tableId: "rtb-a",
  aclId: "acl-a",
};

/** The router's objects, by key. */
function router(parts: Partial<Router>, others: Partial<Parameters<typeof topologyWith>[0]> = {}) {
  const one = routerOf(VPC, { subnets: [subnet], ...parts });
  const programs = programsOf(topologyWith({ ...others, routers: [one, ...(others.routers ?? [])] }));
  const found = programs.namespaces.find(({ name }) => name === VPC);
  return new Map(found?.objects.map((object): [string, KernelObject] => [object.key, object]));
}

const tableWith = (to: Route["to"]) => [
  { id: "rtb-a", number: 0x1000_0002, routes: [{ destination: cidr("10.9.0.0/16"), to }] },
];
const ROUTE = `route ${0x1000_0002} 10.9.0.0/16`;
const BLACK_HOLE = `route replace blackhole 10.9.0.0/16 table ${0x1000_0002}`;

describe("a router's program", () => {
  test("swallows what goes to a block of the VPC and to no interface", () => {
    const objects = router({ blocks: [cidr("10.0.0.0/16"), cidr("100.64.0.0/16")] });
    for (const block of ["10.0.0.0/16", "100.64.0.0/16"])
      assert.equal(objects.get(`block ${block}`)?.add, `route replace blackhole ${block} table 10`);
  });

  test("a route leads over the link of what it leads to, and goes with it", () => {
    const far = routerOf(idOf("vpc", 2), { blocks: [cidr("10.9.0.0/16")] });
    const peering = { id: PCX, number: 7, ends: [VPC, far.id] as const };
    const around = { routers: [far], peerings: [peering] };
    const object = router({ tables: tableWith({ type: "peering", id: PCX }) }, around).get(ROUTE);
    assert.match(
      object?.add ?? "",
      /^route replace 10\.9\.0\.0\/16 via 169\.254\.254\.2 dev p\w+ onlink table/,
    );
    assert.equal(object?.link, PCX);
  });

  test("a route to what is not there is a black hole", () => {
    const nowhere: readonly Route["to"][] = [
      { type: "blackhole" },
      { type: "internet" },
      { type: "peering", id: PCX },
      { type: "port", id: ENI },
    ];
    for (const to of nowhere) {
      const object = router({ tables: tableWith(to) }).get(ROUTE);
      assert.deepEqual([object?.add, object?.link], [BLACK_HOLE, undefined]);
    }
  });

  test("what comes by a gateway or a peering bears no mark: rules are for marks alone", () => {
    const rules = [...router({ tables: tableWith({ type: "blackhole" }) }).values()].filter(({ add }) =>
      add.startsWith("rule add"),
    );
    assert.deepEqual(
      rules.map(({ add }) => add),
      [
        "rule add pref 10 lookup 10",
        "rule add pref 32000 blackhole",
        `rule add pref 100 fwmark ${0x1000_0002} lookup ${0x1000_0002}`,
      ],
    );
  });
});

describe("a host's program", () => {
  const host = (kind: "instance" | "natGateway") => {
    const ports = ["eth0", "eth1"].map((device, at) =>
      portOf(idOf("eni", at), { hostId: "i-1", device, privateIp: `10.0.0.1${at}` }),
    );
    const routers = [routerOf(VPC, { subnets: [subnet], ports })];
    const programs = programsOf(topologyWith({ routers, hosts: [{ id: "i-1", vpcId: VPC, kind }] }));
    return programs.namespaces.find(({ name }) => name === "i-1");
  };
  const added = (kind: "instance" | "natGateway") => host(kind)?.objects.map(({ add }) => add) ?? [];

  test("an instance forwards nothing, whatever the machine does", () => {
    assert.ok(added("instance").includes("net/ipv4/ip_forward 0"));
    assert.equal(host("instance")?.filter, "");
  });

  test("a NAT gateway forwards, last of all, under its own address, and takes in nothing new", () => {
    assert.equal(
      added("natGateway")
        .filter((one) => one.startsWith("net/ipv4/ip_forward"))
        .at(-1),
      "net/ipv4/ip_forward 1",
    );
    assert.match(
      host("natGateway")?.filter ?? "",
      /hook input priority 0; policy drop; ct state established,related accept;/,
    );
    assert.match(host("natGateway")?.filter ?? "", /snat to 10\.0\.0\.10/);
  });

  test("a further interface answers by itself; the first is the way out", () => {
    const lines = added("instance");
    assert.ok(lines.includes("route replace default via 10.0.0.1 dev eth0 onlink"));
    assert.ok(lines.includes("route replace default via 10.0.0.1 dev eth1 onlink table 101"));
    assert.ok(lines.includes("rule add pref 101 from 10.0.0.11 lookup 101"));
  });
});
