/**
 * What packets do within a VPC, and between it and the internet: hosts and their router, security groups, NAT
 * gateways, public addresses, and VPCs that have nothing to do with each other.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gatewayPeerDevice } from "../../src/sandbox/dataplane/names.ts";
import { arrivesWhole, change, changeBack, lives, phase, shows, until, wholePing } from "./checks.ts";
import { type PacketNetwork, SERVER } from "./packetNetwork.ts";
import type { Connection } from "./probes.ts";

/** The one of A that has sent UDP to its open neighbour. */
const ONE = "10.1.10.20";

export function withinVpcs(network: PacketNetwork): void {
  router(network);
  groups(network);
  natGateways(network);
  internet(network);
  straightFromTheInternet(network);
  isolation(network);
  furtherInterfaces(network);
}

function router(network: PacketNetwork): void {
  phase("a host and its router", () => {
    shows(network, [
      ["the subnet's first address swallows pings", "A.broker0", "icmp 10.1.10.1", "silent"],
      ["and connections", "A.broker0", "tcp 10.1.10.1:80", "silent"],
      ["an address of the VPC that nobody has is silence", "A.open", "tcp 10.1.10.77:80", "silent"],
      ["the metadata address is reached", "A.admin", "tcp 169.254.169.254:80", "reached"],
      ["at its port alone", "A.open", "tcp 169.254.169.254:81", "silent"],
      ["the resolver is reached at its fixed address", "A.admin", "tcp 169.254.169.253:53", "reached"],
      ["and at the VPC's second", "A.admin", "tcp 10.1.0.2:53", "reached"],
      ["at its port alone", "A.open", "tcp 10.1.0.2:80", "silent"],
      ["a resolver is not another VPC's", "A.open", "tcp 10.2.0.2:53", "silent"],
      ["a link-local neighbour is nobody's", "A.open", "tcp 169.254.255.2:80", "silent"],
    ]);
    test("a host knows no neighbour but its router", async () => {
      const told = await network.run("A.broker0", "ip neigh");
      assert.match(told, /^10\.1\.10\.1 dev eth0 .*PERMANENT\s*$/);
    });
    test("packets of 9001 bytes pass within a VPC", async () => {
      assert.match(
        await wholePing(network, { from: "A.one", to: "10.1.10.22", bytes: 9001 }),
        / 0% packet loss/,
      );
    });
  });
}

function groups(network: PacketNetwork): void {
  phase("security groups", () => {
    shows(network, [
      ["a group's own members may", "A.one", "tcp 10.1.10.21:80", "answered 10.1.10.20"],
      ["others of the subnet may not", "A.open", "tcp 10.1.10.21:80", "silent"],
      ["nor ping", "A.open", "icmp 10.1.10.21", "silent"],
      ["nor by UDP", "A.open", "udp 10.1.10.21:80", "silent"],
      ["a group that lets everything in: ICMP", "A.one", "icmp 10.1.10.22", "answered"],
      ["and UDP", "A.one", "udp 10.1.10.22:80", "answered 10.1.10.20"],
      ["and TCP from another zone", "A.broker1", "tcp 10.1.10.22:80", "answered 10.1.11.10"],
      ["members across zones", "A.broker0", "tcp 10.1.12.10:9092", "answered 10.1.10.10"],
      ["of TCP alone: no UDP", "A.broker0", "udp 10.1.12.10:9092", "silent"],
      ["a reference to another group", "A.bastion", "tcp 10.1.11.40:9000", "answered 10.1.0.30"],
      ["is not for others", "A.one", "tcp 10.1.11.40:9000", "silent"],
      ["nor for another port", "A.bastion", "tcp 10.1.11.40:80", "silent"],
      ["out by a rule", "A.admin", `tcp ${SERVER}:443`, "answered {A.b}"],
      ["out by no rule", "A.admin", `tcp ${SERVER}:80`, "silent"],
      ["not even to an open neighbour", "A.admin", "tcp 10.1.10.22:80", "silent"],
    ]);
  });
}

function natGateways(network: PacketNetwork): void {
  phase("NAT gateways", () => {
    shows(network, [
      ["zone a leaves by its own", "A.broker0", `tcp ${SERVER}:80`, "answered {A.a}"],
      ["zone b leaves by its own", "A.broker1", `tcp ${SERVER}:80`, "answered {A.b}"],
      ["zone c leaves by its own", "A.broker2", `tcp ${SERVER}:80`, "answered {A.c}"],
      ["UDP", "A.broker0", `udp ${SERVER}:80`, "answered {A.a}"],
      ["ICMP", "A.broker0", `icmp ${SERVER}`, "answered"],
      ["closed ports are heard of", "A.broker0", `tcp ${SERVER}:7777`, "refused"],
      ["a VPC with the same addresses has its own", "D.open", `tcp ${SERVER}:80`, "answered {D.a}"],
      ["without one there is no way out", "C.open", `tcp ${SERVER}:80`, "silent"],
      ["nothing is behind it on the internet", "A.broker0", "tcp 10.99.0.1:80", "silent"],
      ["out and in again by a public address", "A.broker0", "tcp {A.bastion}:22", "answered {A.a}"],
    ]);
    test("a megabyte arrives whole", () => arrivesWhole(network, "A.broker0", `tcp ${SERVER}:80`));
    test("too large a packet is told of: fragmentation needed, 1500", async () => {
      assert.match(await wholePing(network, { from: "A.broker1", to: SERVER, bytes: 3000 }), /mtu ?= ?1500/);
    });
  });
}

function internet(network: PacketNetwork): void {
  phase("the internet", () => {
    change(network, () => network.vpc("A").allocate("spare"));
    shows(network, [
      ["a public host leaves with its address", "A.bastion", `tcp ${SERVER}:80`, "answered {A.bastion}"],
      ["without a public address there is no way out", "A.unnamed", `tcp ${SERVER}:80`, "silent"],
      ["in where the group lets it", "internet", "tcp {A.bastion}:22", `answered ${SERVER}`],
      ["not elsewhere", "internet", "tcp {A.bastion}:80", "silent"],
      ["nor a ping", "internet", "icmp {A.bastion}", "silent"],
      [
        "a public address behind a NAT gateway's route answers by nobody",
        "internet",
        "tcp {A.hidden}:80",
        "silent",
      ],
      ["a NAT gateway takes nothing in: 22", "internet", "tcp {A.a}:22", "silent"],
      ["80", "internet", "tcp {A.a}:80", "silent"],
      ["9092", "internet", "tcp {A.a}:9092", "silent"],
      ["ping", "internet", "icmp {A.a}", "silent"],
      ["UDP", "internet", "udp {A.a}:9092", "silent"],
      ["private addresses lead nowhere", "internet", "tcp 10.1.10.22:80", "unsent"],
      ["nor does a public address that nobody uses", "internet", "tcp {A.spare}:80", "unsent"],
    ]);
  });
}

function straightFromTheInternet(network: PacketNetwork): void {
  phase("somebody on the internet sends straight to private addresses", () => {
    const way = () => `10.1.0.0/16 via 169.254.255.1 dev ${gatewayPeerDevice(network.vpc("A").id)} onlink`;
    before(() => network.run("internet", `ip route replace ${way()}`));
    after(() => network.run("internet", `ip route del ${way()}`));
    shows(network, [
      ["TCP", "internet", "tcp 10.1.10.22:80", "silent"],
      ["UDP", "internet", "udp 10.1.10.22:80", "silent"],
      ["ICMP", "internet", "icmp 10.1.10.22", "silent"],
      ["to a host with a public address", "internet", "tcp 10.1.0.30:22", "silent"],
      ["to a host in a public subnet", "internet", "udp 10.1.0.31:80", "silent"],
      ["to the resolver", "internet", "tcp 10.1.0.2:53", "silent"],
    ]);
  });

  phase("none of that has arrived", () => {
    test("the router counts it", () =>
      until("it is counted", async () => (await network.dropped("A", "edge")) > 0));
    test("the hosts have heard nothing", async () => {
      assert.deepEqual(await network.heard("A.open"), [ONE]);
      assert.deepEqual(await network.heard("A.unnamed"), []);
    });
  });
}

function isolation(network: PacketNetwork): void {
  phase("VPCs without a peering", () => {
    shows(network, [
      ["A to C", "A.open", "tcp 10.3.10.10:80", "silent"],
      ["A to B", "A.open", "tcp 10.2.10.11:80", "silent"],
      ["B to A", "B.open", "icmp 10.1.10.22", "silent"],
      ["the same addresses elsewhere are somebody else", "A.open", "icmp 10.1.10.10", "silent"],
      ["an address that is its own", "D.open", "tcp 10.1.10.10:80", "answered 10.1.10.10"],
    ]);
  });
}

function furtherInterfaces(network: PacketNetwork): void {
  let attachments: readonly string[] = [];
  let held: Connection;
  phase("a host with three interfaces", () => {
    change(network, async () => {
      const second = await network
        .vpc("A")
        .attach("open", { subnet: "private-a", address: "10.1.10.60", index: 1 });
      const third = await network
        .vpc("A")
        .attach("open", { subnet: "public-a", address: "10.1.0.60", index: 2 });
      attachments = [second, third];
    });
    shows(network, [
      ["answers at the second, from the second", "A.broker1", "tcp 10.1.10.60:80", "answered 10.1.11.10"],
      ["and at the third", "A.broker0", "tcp 10.1.0.60:80", "answered 10.1.10.10"],
      ["it speaks from the first", "A.open", "icmp 10.1.12.50", "answered"],
      ["from another only as that one", "A.open", "udp 10.1.12.50:80 as 10.1.10.60", "answered 10.1.10.60"],
    ]);
  });
  phase("the second of them is detached", () => {
    change(network, async () => {
      held = await network.hold("A.broker0", "tcp 10.1.0.60:80");
      await network.vpc("A").detach(attachments[0] ?? "");
    });
    changeBack(network, () => network.vpc("A").detach(attachments[1] ?? ""));
    shows(network, [["nobody answers there", "A.broker0", "tcp 10.1.10.60:80", "silent"]]);
    test("the third keeps its connections", () => lives(held, "after"));
  });
}
