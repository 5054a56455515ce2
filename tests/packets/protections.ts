/**
 * What packets do under network ACLs and under the source/destination check, when a public address moves, and when
 * what a route leads to is gone.
 */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as ec2 from "@aws-sdk/client-ec2";
import { change, changeBack, isDead, lives, phase, shows, until } from "./checks.ts";
import { type PacketNetwork, SERVER } from "./packetNetwork.ts";
import { SubnetAcl } from "./peerings.ts";
import type { Connection } from "./probes.ts";
import { ANYWHERE } from "./vpcPlans.ts";

export function protections(network: PacketNetwork): void {
  acls(network);
  sourceCheck(network);
  destinationCheck(network);
  movingAddress(network);
  blackHoles(network);
}

const ALL_PORTS = [0, 65_535] as const;
/** The ports that connections are made from. */
const OWN_PORTS = [32_768, 60_999] as const;

function acls(network: PacketNetwork): void {
  let acl: SubnetAcl;
  let held: Connection;
  phase("a network ACL", () => {
    change(network, async () => {
      acl = await SubnetAcl.put(network.vpc("A"), "private-a", [
        { number: 90, way: "in", action: "deny", protocol: "6", ports: ALL_PORTS, block: "10.2.10.11/32" },
        { number: 100, way: "in", action: "allow", protocol: "6", ports: [9092, 9092], block: "10.2.0.0/16" },
        { number: 100, way: "out", action: "allow", protocol: "6", ports: OWN_PORTS, block: "10.2.0.0/16" },
      ]);
    });
    shows(network, [
      ["lets in by one line and out by another", "B.client", "tcp 10.1.10.10:9092", "answered 10.2.10.10"],
      ["the first line that fits decides", "B.open", "tcp 10.1.10.10:9092", "silent"],
      ["what no line allows is lost", "B.client", "tcp 10.1.10.10:1", "silent"],
      ["whatever the group says", "B.client", "icmp 10.1.10.22", "silent"],
      ["within the subnet it says nothing", "A.one", "tcp 10.1.10.21:80", "answered 10.1.10.20"],
      ["it cuts the subnet from its NAT gateway", "A.broker0", `tcp ${SERVER}:80`, "silent"],
      ["and from other subnets", "A.broker1", "tcp 10.1.10.10:9092", "silent"],
      ["it does not hide the resolver", "A.open", "tcp 10.1.0.2:53", "reached"],
      ["other subnets are not under it", "B.client", "tcp 10.1.11.10:9092", "answered 10.2.10.10"],
    ]);
  });
  phase("a network ACL that lets nothing out", () => {
    before(async () => {
      held = await network.hold("B.client", "tcp 10.1.10.10:9092");
      await lives(held, "before");
    });
    change(network, () => acl.remove(100, "out"));
    changeBack(network, () => acl.lift());
    test("ends what is established: it knows no connections", () => isDead(held, "after"));
    test("and counts it", () =>
      until("it is counted", async () => (await network.dropped("A", "acl_out")) > 0));
  });
  phase("the default network ACL again", () => {
    shows(network, [["lets everything through", "A.broker0", `tcp ${SERVER}:80`, "answered {A.a}"]]);
    test("and what was cut goes on", () => lives(held, "again"));
  });
}

function sourceCheck(network: PacketNetwork): void {
  phase("a host that sends as somebody else", () => {
    before(async () => {
      for (const address of ["10.1.10.99", "10.1.10.10"])
        await network.run("A.one", `ip addr add ${address}/32 dev lo`);
      await network.heard("A.open");
    });
    shows(network, [
      ["as nobody, TCP", "A.one", "tcp 10.1.10.22:80 as 10.1.10.99", "silent"],
      ["as nobody, UDP", "A.one", "udp 10.1.10.22:80 as 10.1.10.99", "silent"],
      ["as its neighbour", "A.one", "udp 10.1.10.22:80 as 10.1.10.10", "silent"],
      ["to the internet", "A.one", `udp ${SERVER}:80 as 10.1.10.10`, "silent"],
      ["as itself it may", "A.one", "udp 10.1.10.22:80 as 10.1.10.20", "answered 10.1.10.20"],
    ]);
  });
  phase("what it has sent", () => {
    test("has not arrived", async () => assert.deepEqual(await network.heard("A.open"), ["10.1.10.20"]));
    test("is counted", () =>
      until("all are counted", async () => (await network.dropped("A", "spoof")) >= 4));
  });
}

function destinationCheck(network: PacketNetwork): void {
  phase("a route to a host for what is not its own", () => {
    before(() => network.run("A.open", "ip addr add 203.0.113.7/32 dev lo"));
    change(network, () => {
      const NetworkInterfaceId = network.vpc("A").host("open").interfaceId;
      return network.vpc("A").route("private-a", "203.0.113.0/24", { NetworkInterfaceId });
    });
    shows(network, [["leads nowhere", "A.one", "tcp 203.0.113.7:80", "silent"]]);
  });
  phase("what was sent to it", () => {
    test("is counted", () =>
      until("it is counted", async () => (await network.dropped("A", "dstcheck")) > 0));
  });
  phase("the check is off", () => {
    change(network, () => network.vpc("A").checkSource("open", false));
    changeBack(network, () => network.vpc("A").checkSource("open", true));
    shows(network, [["the host takes it", "A.one", "tcp 203.0.113.7:80", "answered 10.1.10.20"]]);
  });
}

function movingAddress(network: PacketNetwork): void {
  let held: Connection;
  phase("a host that is given another public address", () => {
    change(network, async () => {
      held = await network.hold("internet", "tcp {A.bastion}:22");
      await lives(held, "before");
      const vpc = network.vpc("A");
      const { publicIps } = vpc;
      const former = publicIps.get("bastion") ?? "";
      await vpc.associate("bastion", await vpc.allocate("bastion"));
      publicIps.set("former", former);
    });
    test("what came by the old one is dead", () => isDead(held, "after"));
    shows(network, [
      ["it leaves with the new one", "A.bastion", `tcp ${SERVER}:80`, "answered {A.bastion}"],
      ["it is reached by the new one", "internet", "tcp {A.bastion}:22", `answered ${SERVER}`],
      ["the old one leads nowhere", "internet", "tcp {A.former}:22", "unsent"],
    ]);
  });
  phase("the old address is another host's", () => {
    change(network, () => network.vpc("A").associateIp("unnamed", "former"));
    shows(network, [
      ["new connections are that one's", "internet", "icmp {A.former}", "answered"],
      ["it leaves with it", "A.unnamed", `tcp ${SERVER}:80`, "answered {A.former}"],
    ]);
    test("the old connection stays dead", () => isDead(held, "still"));
  });
}

function blackHoles(network: PacketNetwork): void {
  phase("a NAT gateway that is deleted", () => {
    change(network, () => network.vpc("D").deleteNat("a"));
    shows(network, [["leads nowhere", "D.open", `tcp ${SERVER}:80`, "silent"]]);
    test("leaves a black hole", async () =>
      assert.equal(await network.vpc("D").routeState("private-a", ANYWHERE), "blackhole"));
  });
  phase("a host that is terminated", () => {
    change(network, () =>
      network
        .vpc("A")
        .client.send(
          new ec2.TerminateInstancesCommand({ InstanceIds: [network.vpc("A").host("broker2").id] }),
        ),
    );
    shows(network, [
      ["answers nobody", "A.broker0", "tcp 10.1.12.10:9092", "silent"],
      ["nothing else ends", "A.hidden", `tcp ${SERVER}:80`, "answered {A.c}"],
    ]);
    test("nothing of it is left", async () => {
      const { stdout } = await network.plane.run("ip netns list");
      assert.doesNotMatch(stdout, new RegExp(network.vpc("A").host("broker2").id));
    });
  });
}
