/**
 * The protections and what becomes of a flow without them. Several stand behind one another against transit: the
 * rows that take only some of them away show that each is enough.
 */
import { INTERNET, word } from "../../src/sandbox/dataplane/names.ts";
import type { Router } from "../../src/sandbox/dataplane/topology.ts";
import { CLAIMED } from "./forbidden.ts";
import { type PacketNetwork, SERVER } from "./packetNetwork.ts";
import { all, reworded, type Sabotage, withoutObject, withoutRule } from "./sabotage.ts";
import type { VpcName } from "./vpcPlans.ts";

export interface Control {
  readonly what: string;
  readonly sabotage: (network: PacketNetwork) => Sabotage;
  readonly from: string;
  readonly flow: string;
  /** `silent` unless given. */
  readonly now?: string;
  /** What becomes of it without the protection; the same where it takes more, or where `heard` alone tells. */
  readonly instead?: string;
  /** Who then hears whom, though no answer comes back. */
  readonly heard?: { readonly by: string; readonly whom: string };
}

const without = (vpc: VpcName, words: string) => (network: PacketNetwork) =>
  withoutRule(network.vpc(vpc).id, words);

/** What comes by a peering is routed by a table of B, as if it came from a subnet. */
function routed(network: PacketNetwork): Sabotage {
  const number = tableNumber(network, "B", "private-a");
  return reworded(network.vpc("B").id, /(map route_table \{.*elements = \{)/, `$1 1001 : ${number},`);
}

const everywhere = (words: string) => (network: PacketNetwork) =>
  all(...(["A", "B", "C"] as const).map((vpc) => withoutRule(network.vpc(vpc).id, words)));
const crossed = everywhere("counter name transit drop");
const unfamiliar = everywhere("counter name peer_source drop");

function routerOf(network: PacketNetwork, vpc: VpcName): Router {
  const found = network.plane.topology().routers.find(({ id }) => id === network.vpc(vpc).id);
  if (!found) throw new RangeError(`VPC ${vpc} has no router`);
  return found;
}

function tableNumber(network: PacketNetwork, vpc: VpcName, table: string): number {
  const id = network.vpc(vpc).tableId(table);
  return routerOf(network, vpc).tables.find((one) => one.id === id)?.number ?? 0;
}

/** The subnet uses another's route table. */
const under = (vpc: VpcName, subnet: string, table: string) => (network: PacketNetwork) => {
  const id = network.vpc(vpc).subnetId(subnet);
  const group = routerOf(network, vpc).subnets.find((one) => one.id === id)?.number;
  const mark = new RegExp(`(map route_table \\{.*\\b${group} : )\\d+`);
  return reworded(network.vpc(vpc).id, mark, `$1${tableNumber(network, vpc, table)}`);
};

/** The rules that ask a connection over a peering for the mark of that peering. */
export const UNMARKED = "@peering_live counter name edge drop";

/** The group has a member more than it has. */
function joined(network: PacketNetwork, group: string, address: string): Sabotage {
  const set = new RegExp(`( set ${word(network.vpc("A").groupId(group))} \\{.*elements = \\{)`);
  return reworded(network.vpc("A").id, set, `$1 ${address},`);
}

const transit = { from: "A.open", flow: "tcp 10.3.10.10:80" } as const;

export const CONTROLS: readonly Control[] = [
  {
    what: "transit, with routes for it alone, does not pass",
    sabotage: routed,
    ...transit,
  },
  {
    what: "nor with routes and a way from peering to peering: the next router knows the peer's blocks",
    sabotage: (network) => all(routed(network), crossed(network)),
    ...transit,
  },
  {
    what: "nor with routes and any source: no way leads from peering to peering",
    sabotage: (network) => all(routed(network), unfamiliar(network)),
    ...transit,
  },
  {
    what: "nor with a way and any source: no route is for what came by a peering",
    sabotage: (network) => all(crossed(network), unfamiliar(network)),
    ...transit,
  },
  {
    what: "nor with all three: a connection is of one peering",
    sabotage: (network) => all(routed(network), crossed(network), unfamiliar(network)),
    ...transit,
  },
  {
    what: "with none of them it does",
    sabotage: (network) =>
      all(routed(network), crossed(network), unfamiliar(network), without("B", UNMARKED)(network)),
    ...transit,
    instead: "answered 10.1.10.22",
  },
  {
    what: "with routes and any source B's NAT gateway is C's too",
    sabotage: (network) => all(routed(network), unfamiliar(network)),
    from: "C.open",
    flow: `tcp ${SERVER}:80`,
    instead: "answered {B.a}",
  },
  {
    what: "a foreign source over a peering",
    sabotage: without("A", "counter name peer_source drop"),
    from: "B.open",
    flow: "udp 10.1.10.22:80 as 10.9.9.9",
    heard: { by: "A.open", whom: "10.9.9.9" },
  },
  {
    what: "from the internet straight to a private address",
    sabotage: without("A", "ct status & dnat == 0 counter name edge drop"),
    from: INTERNET,
    flow: "udp 10.1.10.22:443",
    heard: { by: "A.open", whom: SERVER },
  },
  {
    what: "out without a public address",
    sabotage: without("A", "@has_public counter name edge drop"),
    from: "A.unnamed",
    flow: `udp ${SERVER}:80`,
    instead: "answered 10.1.0.31",
  },
  {
    what: "a source that is not the host's own",
    sabotage: without("A", "counter name spoof drop"),
    from: "A.one",
    flow: "udp 10.1.10.22:80 as 10.1.10.99",
    heard: { by: "A.open", whom: "10.1.10.99" },
  },
  {
    what: "a destination that is not the host's own",
    sabotage: without("A", "counter name dstcheck drop"),
    from: "A.one",
    flow: "udp 203.0.113.7:80",
    heard: { by: "A.open", whom: "10.1.10.20" },
  },
  {
    what: "in by no rule of a group",
    sabotage: (network) =>
      all(
        reworded(network.vpc("A").id, "priority 10; policy drop;", "priority 10; policy accept;"),
        withoutRule(network.vpc("A").id, "counter name group_in drop"),
      ),
    from: "A.open",
    flow: "tcp 10.1.10.21:80",
    instead: "answered 10.1.10.22",
  },
  {
    what: "out by no rule of a group",
    sabotage: (network) =>
      all(
        reworded(network.vpc("A").id, /(chain group_stage_out .*) policy drop;/, "$1 policy accept;"),
        withoutRule(network.vpc("A").id, "counter name group_out drop"),
      ),
    from: "A.admin",
    flow: `tcp ${SERVER}:80`,
    instead: "answered {A.b}",
  },
  {
    what: "a group that somebody is not in",
    sabotage: (network) => joined(network, "bastion", "10.1.10.20"),
    from: "A.one",
    flow: "tcp 10.1.11.40:9000",
    instead: "answered 10.1.10.20",
  },
  {
    what: "answers, where no connection is known",
    sabotage: without("B", "ct state established,related accept"),
    from: "B.client",
    flow: "tcp 10.1.10.10:9092",
    now: "answered 10.2.10.10",
    instead: "silent",
  },
  {
    what: "into a subnet against its list",
    sabotage: without("A", "vmap @acl_in_of"),
    from: "B.open",
    flow: "tcp 10.1.11.10:9092",
    instead: "answered 10.2.10.11",
  },
  {
    what: "out of a subnet against its list",
    sabotage: without("A", "vmap @acl_out_of"),
    from: "B.client",
    flow: "tcp 10.1.11.10:9092",
    instead: "answered 10.2.10.10",
  },
  {
    what: "a neighbour, where lists are for neighbours too",
    sabotage: without("A", "@same_subnet accept"),
    from: "A.one",
    flow: "tcp 10.1.10.21:80",
    now: "answered 10.1.10.20",
    instead: "silent",
  },
  {
    what: "an address of the VPC that none of its hosts has, where local routes do not win",
    sabotage: (network) => withoutObject(network.vpc("A").id, "block 10.1.0.0/16"),
    from: "A.open",
    flow: `tcp ${CLAIMED}:80`,
    instead: "answered {A.a}",
  },
  {
    what: "the router's own address",
    sabotage: (network) =>
      reworded(network.vpc("A").id, "input priority 0; policy drop", "input priority 0; policy accept"),
    from: "A.broker0",
    flow: "icmp 10.1.10.1",
    instead: "answered",
  },
  {
    what: "into a NAT gateway",
    sabotage: (network) =>
      reworded(
        network.vpc("A").natId("a"),
        "input priority 0; policy drop",
        "input priority 0; policy accept",
      ),
    from: INTERNET,
    flow: "icmp {A.a}",
    instead: "answered",
  },
  {
    what: "over a peering, where the subnet is under a table that leads there",
    sabotage: under("B", "public-b", "private-a"),
    from: "B.stray",
    flow: "tcp 10.1.10.10:9092",
    instead: "answered 10.2.1.10",
  },
  {
    what: "another zone's NAT gateway, where the subnet is under that zone's table",
    sabotage: under("A", "private-b", "private-a"),
    from: "A.broker1",
    flow: `tcp ${SERVER}:80`,
    now: "answered {A.b}",
    instead: "answered {A.a}",
  },
];
