/**
 * A network in which everybody tries what is forbidden: routes over peerings and out again, routes straight from the
 * internet to private addresses, senders under others' names, network ACLs against some. In it, every protection
 * has something to do.
 */
import { gatewayPeerDevice } from "../../src/sandbox/dataplane/names.ts";
import type { PacketNetwork } from "./packetNetwork.ts";
import { peer, rerouteOver, routeOver, SubnetAcl } from "./peerings.ts";
import { ANYWHERE } from "./vpcPlans.ts";

const A_PRIVATE = ["private-a", "private-b", "private-c"];

/** An address of A that none of its hosts has, and the internet's own host claims. */
export const CLAIMED = "10.1.10.77";

/** The peerings between A and B, and between B and C. */
export interface Misuse {
  ab: string;
  readonly bc: string;
}

export async function misuse(network: PacketNetwork): Promise<Misuse> {
  const ids = await misroute(network);
  await list(network);
  await impersonate(network);
  await network.plane.settled();
  return ids;
}

async function misroute(network: PacketNetwork): Promise<Misuse> {
  const [a, b, c] = [network.vpc("A"), network.vpc("B"), network.vpc("C")];
  const [ab, bc] = [await peer(b, a), await peer(b, c)];
  await routeOver(a, ab, { block: "10.2.0.0/16", tables: A_PRIVATE });
  await routeOver(a, ab, { block: "10.3.0.0/16", tables: A_PRIVATE });
  await routeOver(b, ab, { block: "10.1.0.0/16", tables: ["private-a"] });
  await routeOver(b, bc, { block: "10.3.0.0/16", tables: ["private-a", "public"] });
  await routeOver(c, bc, { block: "10.2.0.0/16", tables: ["private-a"] });
  await routeOver(c, bc, { block: ANYWHERE, tables: ["private-a"] });
  await a.route("private-a", "203.0.113.0/24", { NetworkInterfaceId: a.host("open").interfaceId });
  const way = `via 169.254.255.1 dev ${gatewayPeerDevice(a.id)} onlink`;
  await network.run("internet", `ip route replace 10.1.0.0/16 ${way} && ip addr add ${CLAIMED}/32 dev lo`);
  return { ab, bc };
}

/** Another peering between A and B in the place of the one that is gone. */
export async function repeer(network: PacketNetwork, ids: Misuse): Promise<void> {
  const [a, b] = [network.vpc("A"), network.vpc("B")];
  ids.ab = await peer(b, a);
  await rerouteOver(a, ids.ab, { block: "10.2.0.0/16", tables: A_PRIVATE });
  await rerouteOver(b, ids.ab, { block: "10.1.0.0/16", tables: ["private-a"] });
  await network.plane.settled();
}

/** Lists that keep one of B's hosts out of A's subnet b, another's answers in it, and one neighbour from another. */
async function list(network: PacketNetwork): Promise<void> {
  const everything = { number: 100, action: "allow", protocol: "-1", block: ANYWHERE } as const;
  const [open, client] = ["10.2.10.11/32", "10.2.10.10/32"];
  await SubnetAcl.put(network.vpc("A"), "private-b", [
    { number: 90, way: "in", action: "deny", protocol: "-1", block: open },
    { number: 90, way: "out", action: "deny", protocol: "-1", block: client },
    { ...everything, way: "in" },
    { ...everything, way: "out" },
  ]);
  await SubnetAcl.put(network.vpc("A"), "private-a", [
    { number: 90, way: "in", action: "deny", protocol: "-1", block: "10.1.10.20/32" },
    { ...everything, way: "in" },
    { ...everything, way: "out" },
  ]);
}

async function impersonate(network: PacketNetwork): Promise<void> {
  await network.run("A.one", "ip addr add 10.1.10.99/32 dev lo");
  await network.run("A.open", "ip addr add 203.0.113.7/32 dev lo");
  // A host whose check is off may send as anybody, but not over a peering.
  await network.run("B.open", "ip addr add 10.9.9.9/32 dev lo");
  await network.vpc("B").checkSource("open", false);
}
