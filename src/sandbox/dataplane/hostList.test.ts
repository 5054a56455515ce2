import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fullName, hostsNamed, shownHosts } from "./hostList.ts";
import { portOf, routerOf, topologyWith } from "./topologies.testing.ts";

const TOPOLOGY = topologyWith({
  routers: [
    routerOf("vpc-a", {
      ports: [
        portOf("eni-a1", { hostId: "i-a", privateIp: "10.0.0.4" }),
        portOf("eni-a2", { hostId: "i-a", privateIp: "10.0.1.4", device: "eth1" }),
        portOf("eni-an", { hostId: "nat-a", privateIp: "10.0.0.5", isOpen: true }),
      ],
      publicAddresses: [{ publicIp: "198.18.0.1", privateIp: "10.0.1.4" }],
    }),
    routerOf("vpc-b", { ports: [portOf("eni-b1", { hostId: "i-b", privateIp: "10.0.0.4" })] }),
  ],
  hosts: [
    { id: "i-a", vpcId: "vpc-a", kind: "instance" },
    { id: "nat-a", vpcId: "vpc-a", kind: "natGateway" },
    { id: "i-b", vpcId: "vpc-b", kind: "instance" },
  ],
});

const HOSTS = shownHosts(TOPOLOGY);
const named = (name: string) => hostsNamed(HOSTS, name).map(({ host, address }) => [host.id, address]);

describe("the hosts of a topology", () => {
  test("are its instances and gateways with their addresses, and the internet", () => {
    assert.deepEqual(
      HOSTS.map(({ id, kind, vpcId }) => [id, kind, vpcId]),
      [
        ["i-a", "instance", "vpc-a"],
        ["nat-a", "natGateway", "vpc-a"],
        ["i-b", "instance", "vpc-b"],
        ["internet", "internet", null],
      ],
    );
    assert.deepEqual(HOSTS[0]?.addresses, [
      { interfaceId: "eni-a1", privateIp: "10.0.0.4", publicIp: null },
      { interfaceId: "eni-a2", privateIp: "10.0.1.4", publicIp: "198.18.0.1" },
    ]);
  });

  test("are named by id, interface, private and public address", () => {
    assert.deepEqual(named("i-a"), [["i-a", "10.0.0.4"]]);
    assert.deepEqual(named("nat-a"), [["nat-a", "10.0.0.5"]]);
    assert.deepEqual(named("eni-a2"), [["i-a", "10.0.1.4"]]);
    assert.deepEqual(named("10.0.1.4"), [["i-a", "10.0.1.4"]]);
    assert.deepEqual(named("198.18.0.1"), [["i-a", "10.0.1.4"]]);
  });

  test("outside of all VPCs is one host with many addresses", () => {
    assert.deepEqual(named("internet"), [["internet", undefined]]);
    assert.deepEqual(named("192.0.2.77"), [["internet", "192.0.2.77"]]);
  });

  test("with the same address in several VPCs are all named, and told apart by the VPC", () => {
    assert.deepEqual(hostsNamed(HOSTS, "10.0.0.4").map(fullName), ["vpc-a/10.0.0.4", "vpc-b/10.0.0.4"]);
    assert.deepEqual(named("vpc-b/10.0.0.4"), [["i-b", "10.0.0.4"]]);
    assert.deepEqual(named("vpc-a/198.18.0.1"), [["i-a", "10.0.1.4"]]);
  });

  test("that are not there are not found", () => {
    for (const name of ["", "i-", "10.0.0.9", "vpc-a", "vpc-a/", "vpc-b/10.0.1.4", "vpc-c/10.0.0.4", "null"])
      assert.deepEqual(named(name), [], name);
  });
});
