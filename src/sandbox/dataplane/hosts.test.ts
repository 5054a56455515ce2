/** Who a host is, from the topology. What a command finds inside is shown with real hosts: surroundings.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostEntry, identityOf } from "./hosts.ts";
import { portOf, routerOf, topologyWith } from "./topologies.testing.ts";

const topology = topologyWith({
  routers: [
    routerOf("vpc-1", {
      region: "eu-west-1",
      ports: [
        portOf("eni-2", { hostId: "i-2", privateIp: "10.0.0.6" }),
        portOf("eni-1", { hostId: "i-1", privateIp: "10.0.0.5" }),
        portOf("eni-3", { hostId: "i-1", privateIp: "10.0.0.7", device: "eth1" }),
      ],
    }),
  ],
  hosts: ["i-1", "i-2"].map((id) => ({ id, vpcId: "vpc-1", kind: "instance" as const })),
});

test("a host is called after its first address, in its region's domain", () => {
  assert.deepEqual(identityOf(topology, "i-1"), {
    id: "i-1",
    hostname: "ip-10-0-0-5.eu-west-1.compute.internal",
    address: "10.0.0.5",
    domain: "eu-west-1.compute.internal",
  });
});

test("any other namespace is called what it is called, and has no resolver", () => {
  const internet = identityOf(topology, "internet");
  assert.deepEqual(internet, { id: "internet", hostname: "internet" });
  const entry = hostEntry(["nsenter", "--"], internet);
  assert.ok(entry.includes("127.0.0.1 localhost\n127.0.1.1 internet\n"));
  assert.ok(!entry.some((word) => word.includes("nameserver")));
});
