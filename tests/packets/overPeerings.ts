/**
 * What packets do over peerings: with routes on one side and on both, between regions, by groups that are
 * referred to across, never over a peering and out again, and never again once the peering is gone.
 */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import type * as ec2 from "@aws-sdk/client-ec2";
import { arrivesWhole, change, changeBack, isDead, lives, phase, shows, until, wholePing } from "./checks.ts";
import { type PacketNetwork, SERVER } from "./packetNetwork.ts";
import { peer, rerouteOver, routeOver, unpeer } from "./peerings.ts";
import type { Connection } from "./probes.ts";
import { ANYWHERE, CUSTOMER } from "./vpcPlans.ts";

const A_PRIVATE = ["private-a", "private-b", "private-c"];

/** The ids of the two peerings, as far as they exist by now. */
interface Peerings {
  ab: string;
  bc: string;
}

export function overPeerings(network: PacketNetwork): void {
  const ids: Peerings = { ab: "", bc: "" };
  oneRegion(network, ids);
  twoRegions(network, ids);
  noTransit(network, ids);
  otherRouteTable(network);
  referredGroup(network, ids);
  revokedRule(network);
  deletion(network, ids);
}

function oneRegion(network: PacketNetwork, ids: Peerings): void {
  phase("a peering with routes on one side", () => {
    change(network, async () => {
      ids.ab = await peer(network.vpc("B"), network.vpc("A"));
      await routeOver(network.vpc("A"), ids.ab, { block: "10.2.0.0/16", tables: A_PRIVATE });
    });
    shows(network, [["is no way", "B.client", "tcp 10.1.10.10:9092", "silent"]]);
  });

  phase("a peering", () => {
    change(network, () =>
      routeOver(network.vpc("B"), ids.ab, { block: "10.1.0.0/16", tables: ["private-a"] }),
    );
    shows(network, [
      ["to the first broker, by private addresses", "B.client", "tcp 10.1.10.10:9092", "answered 10.2.10.10"],
      ["to the second", "B.client", "tcp 10.1.11.10:9092", "answered 10.2.10.10"],
      ["to the third", "B.client", "tcp 10.1.12.10:9092", "answered 10.2.10.10"],
      ["to the first of all ports", "B.client", "tcp 10.1.10.10:1", "answered 10.2.10.10"],
      ["to the last", "B.client", "tcp 10.1.10.10:65535", "answered 10.2.10.10"],
      ["a closed port refuses", "B.client", "tcp 10.1.10.10:7777", "refused"],
      ["no ping", "B.client", "icmp 10.1.10.10", "silent"],
      ["no UDP", "B.client", "udp 10.1.10.10:9092", "silent"],
      ["nobody else's group", "B.client", "tcp 10.1.11.40:9000", "silent"],
      ["not back: the customer's group lets nothing in", "A.broker0", "tcp 10.2.10.10:80", "silent"],
      ["not from a subnet whose table has no route", "B.stray", "tcp 10.1.10.10:9092", "silent"],
      ["not to a subnet whose table has none back", "B.client", "tcp 10.1.0.31:80", "silent"],
      ["not to the peer's resolver", "B.open", "tcp 10.1.0.2:53", "silent"],
      ["nor to its router", "B.open", "icmp 10.1.10.1", "silent"],
      ["the internet is still reached", "B.client", `tcp ${SERVER}:80`, "answered {B.a}"],
    ]);
    test("packets of 9001 bytes pass in one region", async () => {
      assert.match(
        await wholePing(network, { from: "B.open", to: "10.1.10.22", bytes: 9001 }),
        / 0% packet loss/,
      );
    });
  });
}

function twoRegions(network: PacketNetwork, ids: Peerings): void {
  phase("a peering between regions", () => {
    change(network, async () => {
      ids.bc = await peer(network.vpc("B"), network.vpc("C"));
      await routeOver(network.vpc("B"), ids.bc, { block: "10.3.0.0/16", tables: ["private-a", "public"] });
      await routeOver(network.vpc("C"), ids.bc, { block: "10.2.0.0/16", tables: ["private-a"] });
    });
    shows(network, [
      ["there", "B.open", "tcp 10.3.10.10:80", "answered 10.2.10.11"],
      ["and back", "C.open", "tcp 10.2.10.11:80", "answered 10.3.10.10"],
      ["UDP", "C.open", "udp 10.2.10.11:80", "answered 10.3.10.10"],
    ]);
    test("a megabyte arrives whole", () => arrivesWhole(network, "C.open", "tcp 10.2.10.11:80"));
    test("8500 bytes pass", async () => {
      assert.match(
        await wholePing(network, { from: "B.open", to: "10.3.10.10", bytes: 8500 }),
        / 0% packet loss/,
      );
    });
    test("one more is too many, and told of", async () => {
      assert.match(
        await wholePing(network, { from: "C.open", to: "10.2.10.11", bytes: 8501 }),
        /mtu ?= ?8500/,
      );
    });
  });
}

function noTransit(network: PacketNetwork, ids: Peerings): void {
  phase("over a peering and out again", () => {
    change(network, async () => {
      await routeOver(network.vpc("A"), ids.ab, { block: "10.3.0.0/16", tables: A_PRIVATE });
      await routeOver(network.vpc("C"), ids.bc, { block: "10.1.0.0/16", tables: ["private-a"] });
      await routeOver(network.vpc("C"), ids.bc, { block: ANYWHERE, tables: ["private-a"] });
      await routeOver(network.vpc("B"), ids.ab, { block: "192.0.2.0/24", tables: ["private-a"] });
    });
    changeBack(network, () => network.vpc("B").unroute("private-a", "192.0.2.0/24"));
    shows(network, [
      ["A to C through B, with routes at both ends", "A.open", "tcp 10.3.10.10:80", "silent"],
      ["C to A through B", "C.open", "tcp 10.1.10.22:80", "silent"],
      ["ICMP", "C.open", "icmp 10.1.10.22", "silent"],
      ["UDP", "A.open", "udp 10.3.10.10:80", "silent"],
      ["C by B's NAT gateway", "C.open", `tcp ${SERVER}:80`, "silent"],
      ["B by A's", "B.client", `tcp ${SERVER}:80`, "silent"],
    ]);
  });

  phase("the detour is gone", () => {
    shows(network, [["B by its own again", "B.client", `tcp ${SERVER}:80`, "answered {B.a}"]]);
    test("C has heard nothing of A", async () => assert.deepEqual(await network.heard("C.open"), []));
  });
}

function otherRouteTable(network: PacketNetwork): void {
  const under = (table: string) => network.vpc("B").useTable("public-b", table);
  phase("a subnet under another route table", () => {
    change(network, () => under("private-a"));
    changeBack(network, () => under("public"));
    shows(network, [
      ["goes where that one leads", "B.stray", "tcp 10.1.10.10:9092", "answered 10.2.1.10"],
      ["on the internet too", "B.stray", `tcp ${SERVER}:80`, "answered {B.a}"],
    ]);
  });
  phase("and back under its own", () => {
    shows(network, [["is where it was", "B.stray", "tcp 10.1.10.10:9092", "silent"]]);
  });
}

/** A rule of A's brokers that refers to B's group of clients. */
function reference(network: PacketNetwork, { ab }: Peerings): ec2.IpPermission {
  const GroupId = network.vpc("B").groupId("client");
  return {
    IpProtocol: "tcp",
    FromPort: 0,
    ToPort: 65_535,
    UserIdGroupPairs: [{ GroupId, UserId: CUSTOMER, VpcPeeringConnectionId: ab }],
  };
}

function referredGroup(network: PacketNetwork, ids: Peerings): void {
  phase("a group of the peer's", () => {
    change(network, async () => {
      await network.vpc("A").allowNothing("kafka");
      await network.vpc("A").allow("kafka", reference(network, ids));
    });
    shows(network, [
      ["its members may", "B.client", "tcp 10.1.10.10:9092", "answered 10.2.10.10"],
      ["others of the VPC may not", "B.open", "tcp 10.1.10.10:9092", "silent"],
    ]);
  });
  phase("somebody else joins the peer's group", () => {
    const groups = (...names: string[]) => network.vpc("B").useGroups("open", names);
    change(network, () => groups("open", "client"));
    changeBack(network, () => groups("open"));
    shows(network, [["and may", "B.open", "tcp 10.1.10.10:9092", "answered 10.2.10.11"]]);
  });
}

function revokedRule(network: PacketNetwork): void {
  let held: Connection;
  phase("a rule that is revoked", () => {
    before(async () => {
      held = await network.hold("B.client", "tcp 10.1.10.10:9092");
      await lives(held, "before");
    });
    change(network, () => network.vpc("A").allowNothing("kafka"));
    changeBack(network, () => network.vpc("A").allow("kafka", "tcp 10.2.0.0/16"));
    test("leaves alone what is established, as AWS does", () => lives(held, "after"));
    shows(network, [["lets nothing new in", "B.client", "tcp 10.1.10.10:9092", "silent"]]);
  });
}

function deletion(network: PacketNetwork, ids: Peerings): void {
  let held: Connection;
  phase("a peering that is deleted", () => {
    before(async () => {
      held = await network.hold("B.client", "tcp 10.1.11.10:9092");
      await lives(held, "before");
    });
    change(network, () => unpeer(network.vpc("A"), ids.ab));
    test("takes what is established with it", () => isDead(held, "while it is gone"));
    shows(network, [
      ["lets nothing new through", "B.client", "tcp 10.1.11.10:9092", "silent"],
      ["leaves the other peering alone", "B.open", "tcp 10.3.10.10:80", "answered 10.2.10.11"],
    ]);
    test("leaves a black hole in the route table", async () => {
      assert.equal(await network.vpc("B").routeState("private-a", "10.1.0.0/16"), "blackhole");
      assert.match(await network.run("B", "ip route show table all"), /^blackhole 10\.1\.0\.0\/16 table/m);
    });
  });
  phase("a peering in the place of a deleted one", () => {
    change(network, async () => {
      ids.ab = await peer(network.vpc("B"), network.vpc("A"));
      await rerouteOver(network.vpc("A"), ids.ab, { block: "10.2.0.0/16", tables: A_PRIVATE });
      await rerouteOver(network.vpc("B"), ids.ab, { block: "10.1.0.0/16", tables: ["private-a"] });
    });
    shows(network, [
      ["carries new connections", "B.client", "tcp 10.1.11.10:9092", "answered 10.2.10.10"],
      ["and they alone", "B.client", "icmp 10.1.11.10", "silent"],
    ]);
    test("does not bring the old connection back", async () => {
      // The kernel sends again what was said while the peering was gone; that, too, must be lost.
      await until("it was sent again", async () => (await network.dropped("B", "edge")) > 0);
      await isDead(held, "after");
    });
  });
}
