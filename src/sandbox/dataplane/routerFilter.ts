/**
 * A router's packet filter as text for `nft -f`: what AWS's security groups, network ACLs, gateways and peerings
 * let through, and nothing else. Promises that what no rule allows is dropped without a word, as in AWS, and
 * that every rule and every reason to drop has a counter. One table, replaced whole in one transaction: no
 * packet sees half of it, and connections stay tracked.
 *
 *   prerouting  raw      spoofed source? foreign source over a peering? ─▶ mark = the subnet's route table
 *               mangle   a new connection to where no route leads?
 *               dstnat   public address ─▶ private
 *   forward     -30 edge      one way in, one way out: no transit, no address that is not there
 *               -20 acl out   of the subnet it comes from      ┐ not within one subnet
 *               -10 acl in    of the subnet it goes to         ┘
 *                 0 groups out of the interface it comes from  ┐ only the first packet of a connection
 *                10 groups in  of the interface it goes to     ┘
 *   postrouting srcnat   private address ─▶ public
 */
import type { Cidr } from "../../domain/cidr.ts";
import {
  FIRST_NUMBER,
  GATEWAY_GROUP,
  METADATA_ADDRESS,
  PEERING_GROUP,
  peeringDevice,
  portDevice,
  RESOLVER_ADDRESS,
  resolverOf,
  word,
} from "./names.ts";
import type { Acl, Group, GroupRule, Port, Router } from "./topology.ts";

/** A peering as one of its routers sees it. */
export interface PeeringEnd {
  readonly id: string;
  readonly number: number;
  /** Which of the two ends this router is: 0 = the requester. */
  readonly side: 0 | 1;
  /** The blocks of the VPC on the other side. */
  readonly blocks: readonly Cidr[];
}

/** Why a packet was dropped; each is a counter of that name. */
export const DROPS = [
  "spoof",
  "peer_source",
  "noroute",
  "invalid",
  "dstcheck",
  "transit",
  "edge",
  "acl_out",
  "acl_in",
  "group_out",
  "group_in",
] as const;

const SUBNETS = `${FIRST_NUMBER}-4294967295`;

export function routerFilter(router: Router, peerings: readonly PeeringEnd[]): string {
  return [
    "table inet vpc",
    "delete table inet vpc",
    "table inet vpc {",
    ...DROPS.map((name) => ` counter ${name} {}`),
    ...interfaceSets(router),
    ...peeringSets(peerings),
    ...addressSets(router),
    ...groupParts(router),
    ...aclParts(router),
    ...stages(router),
    "}",
    "",
  ].join("\n");
}

function elements(all: readonly string[]): string {
  return all.length > 0 ? `elements = { ${all.join(", ")} };` : "";
}

function interfaceSets({ ports, subnets, tables }: Router): string[] {
  const tableNumber = new Map(tables.map(({ id, number }) => [id, number]));
  const device = ({ id }: Port) => `"${portDevice(id)}"`;
  const marks = subnets.flatMap(({ number, tableId }) => {
    const table = tableNumber.get(tableId);
    return table === undefined ? [] : [`${number} : ${table}`];
  });
  return [
    ` set port_address { type ifname . ipv4_addr; ${elements(ports.map((port) => `${device(port)} . ${port.privateIp}`))} }`,
    ` set unchecked { type ifname; ${elements(ports.filter((one) => !one.sourceDestCheck).map(device))} }`,
    ` map route_table { type devgroup : mark; ${elements(marks)} }`,
    ` set same_subnet { type devgroup . devgroup; ${elements(subnets.map(({ number }) => `${number} . ${number}`))} }`,
  ];
}

function peeringSets(peerings: readonly PeeringEnd[]): string[] {
  const device = ({ id }: PeeringEnd) => `"${peeringDevice(id)}"`;
  const sources = peerings.flatMap((one) => one.blocks.map((block) => `${device(one)} . ${block}`));
  return [
    ` set peer_block { type ifname . ipv4_addr; flags interval; ${elements(sources)} }`,
    ` map peering_mark { type ifname : mark; ${elements(peerings.map((one) => `${device(one)} : ${one.number}`))} }`,
    ` set peering_live { type ifname . mark; ${elements(peerings.map((one) => `${device(one)} . ${one.number}`))} }`,
  ];
}

function addressSets({ publicAddresses: all }: Router): string[] {
  return [
    ` map public_in { type ipv4_addr : ipv4_addr; ${elements(all.map((one) => `${one.publicIp} : ${one.privateIp}`))} }`,
    ` map public_out { type ipv4_addr : ipv4_addr; ${elements(all.map((one) => `${one.privateIp} : ${one.publicIp}`))} }`,
    ` set has_public { type ipv4_addr; ${elements(all.map((one) => one.privateIp))} }`,
    ` set public_pair { type ipv4_addr . ipv4_addr; ${elements(all.map((one) => `${one.privateIp} . ${one.publicIp}`))} }`,
  ];
}

const DIRECTIONS = ["in", "out"] as const;
type Direction = (typeof DIRECTIONS)[number];

function groupParts({ groups, ports }: Router): string[] {
  const chain = (port: Port, direction: Direction) =>
    ` chain ${portDevice(port.id)}_${direction} { ${rules(port, direction).join(" ")} }`;
  const guarded = ports.filter((port) => !port.isOpen);
  // An empty chain: what no rule accepts is dropped after it.
  const rules = ({ groupIds, isOutboundOnly }: Port, direction: Direction) =>
    isOutboundOnly && direction === "in" ? [] : groupIds.map((id) => `jump ${word(id)}_${direction};`);
  const verdict = (port: Port, direction: Direction) =>
    `"${portDevice(port.id)}" : ${port.isOpen ? "accept" : `jump ${portDevice(port.id)}_${direction}`}`;
  return [
    ...groups.map(
      (group) => ` set ${word(group.id)} { type ipv4_addr; ${elements([...new Set(group.members)])} }`,
    ),
    ...groups.flatMap((group) => DIRECTIONS.map((direction) => groupChain(group, direction))),
    ...guarded.flatMap((port) => DIRECTIONS.map((direction) => chain(port, direction))),
    ...DIRECTIONS.map(
      (direction) =>
        ` map groups_${direction} { type ifname : verdict; ${elements(ports.map((port) => verdict(port, direction)))} }`,
    ),
  ];
}

function groupChain(group: Group, direction: Direction): string {
  const own = group.rules.filter((rule) => rule.egress === (direction === "out"));
  const lines = own.map(
    (rule) => `  ${groupMatch(rule, direction)} counter accept comment "${group.id} ${rule.id}"`,
  );
  return [` chain ${word(group.id)}_${direction} {`, ...lines, " }"].join("\n");
}

function groupMatch(rule: GroupRule, direction: Direction): string {
  const { from, protocol, fromPort, toPort } = rule;
  const other = direction === "in" ? "saddr" : "daddr";
  const address = from.type === "group" ? `ip ${other} @${word(from.id)}` : addressMatch(other, from.cidr);
  return [address, protocolMatch({ protocol, from: fromPort, to: toPort })].filter(Boolean).join(" ");
}

function addressMatch(field: "saddr" | "daddr", block: Cidr): string {
  return block === "0.0.0.0/0" ? "" : `ip ${field} ${block}`;
}

interface Protocol {
  readonly protocol: string;
  /** Ports; of ICMP the type and the code, -1 = all. */
  readonly from: number;
  readonly to: number;
}

function protocolMatch({ protocol, from, to }: Protocol): string {
  switch (protocol) {
    case "tcp":
    case "udp":
      if (from === 0 && to === 65535) return `meta l4proto ${protocol}`;
      return `${protocol} dport ${from === to ? from : `${from}-${to}`}`;
    case "icmp":
      if (from === -1) return "ip protocol icmp";
      return `icmp type ${from}${to === -1 ? "" : ` icmp code ${to}`}`;
    case "-1":
      return "meta nfproto ipv4";
    default:
      return `ip protocol ${protocol}`;
  }
}

function aclParts({ acls, subnets }: Router): string[] {
  const known = new Set(acls.map(({ id }) => id));
  const on = subnets.filter(({ aclId }) => known.has(aclId));
  return [
    ...acls.flatMap((acl) => DIRECTIONS.map((direction) => aclChain(acl, direction))),
    ...DIRECTIONS.map(
      (direction) =>
        ` map acl_${direction}_of { type devgroup : verdict; ${elements(on.map(({ number, aclId }) => `${number} : jump ${word(aclId)}_${direction}`))} }`,
    ),
  ];
}

const ACL_PROTOCOLS: Readonly<Record<string, string>> = { "6": "tcp", "17": "udp", "1": "icmp" };

function aclChain(acl: Acl, direction: Direction): string {
  const own = acl.entries.filter((entry) => entry.egress === (direction === "out"));
  const lines = own.map((entry) => {
    const { protocol, ports, icmp } = entry;
    const what = ACL_PROTOCOLS[protocol] ?? protocol;
    const range =
      what === "icmp"
        ? { from: icmp?.type ?? -1, to: icmp?.code ?? -1 }
        : { from: ports?.from ?? 0, to: ports?.to ?? 65535 };
    const other = addressMatch(direction === "in" ? "saddr" : "daddr", entry.cidr);
    const verdict = entry.action === "allow" ? "accept" : `counter name acl_${direction} drop`;
    const match = [other, protocolMatch({ protocol: what, ...range })].filter(Boolean).join(" ");
    return `  ${match} counter ${verdict} comment "${acl.id} ${entry.number}"`;
  });
  return [` chain ${word(acl.id)}_${direction} {`, ...lines, " }"].join("\n");
}

/**
 * The stages. A connection over a peering bears the peering's mark: when the peering goes, and even when another
 * takes its place, what was established stays dead.
 */
function stages({ blocks }: Router): string[] {
  const resolver = blocks[0] ? `, ${resolverOf(blocks[0])}` : "";
  const [igw, pcx] = [GATEWAY_GROUP, PEERING_GROUP];
  return `
 chain pre_raw { type filter hook prerouting priority raw; policy accept;
  iifgroup ${SUBNETS} iifname != @unchecked iifname . ip saddr != @port_address counter name spoof drop
  iifgroup ${pcx} iifname . ip saddr != @peer_block counter name peer_source drop
  meta mark set iifgroup map @route_table
 }
 chain pre_route { type filter hook prerouting priority mangle; policy accept;
  iifgroup != ${igw} ct state new fib daddr type != local fib daddr . mark oif missing counter name noroute drop
 }
 chain nat_in { type nat hook prerouting priority dstnat; policy accept;
  iifgroup ${igw} dnat ip to ip daddr map @public_in
 }
 chain nat_out { type nat hook postrouting priority srcnat; policy accept;
  oifgroup ${igw} snat ip to ip saddr map @public_out
 }
 chain to_router { type filter hook input priority 0; policy drop;
  iifname "lo" accept
  iifgroup ${SUBNETS} ip daddr ${METADATA_ADDRESS} tcp dport 80 accept
  iifgroup ${SUBNETS} ip daddr { ${RESOLVER_ADDRESS}${resolver} } meta l4proto { tcp, udp } th dport 53 accept
 }
 chain edge { type filter hook forward priority -30; policy accept;
  meta nfproto != ipv4 drop
  ct state invalid counter name invalid drop
  oifgroup ${SUBNETS} oifname != @unchecked oifname . ip daddr != @port_address counter name dstcheck drop
  iifgroup { ${igw}, ${pcx} } oifgroup { ${igw}, ${pcx} } counter name transit drop
  iifgroup ${igw} ct state new ct status & dnat == 0 counter name edge drop
  oifgroup ${igw} ct state new ip saddr != @has_public counter name edge drop
  oifgroup ${igw} ct state != new ct direction original ip saddr . ct reply ip daddr != @public_pair counter name edge drop
  oifgroup ${igw} ct state != new ct direction reply ip saddr . ct original ip daddr != @public_pair counter name edge drop
  iifgroup ${pcx} ct state new ct mark set iifname map @peering_mark
  oifgroup ${pcx} ct state new ct mark set oifname map @peering_mark
  iifgroup ${pcx} ct state != new iifname . ct mark != @peering_live counter name edge drop
  oifgroup ${pcx} ct state != new oifname . ct mark != @peering_live counter name edge drop
 }
 chain acl_stage_out { type filter hook forward priority -20; policy accept;
  iifgroup . oifgroup @same_subnet accept
  iifgroup vmap @acl_out_of
 }
 chain acl_stage_in { type filter hook forward priority -10; policy accept;
  iifgroup . oifgroup @same_subnet accept
  oifgroup vmap @acl_in_of
 }
 chain group_stage_out { type filter hook forward priority 0; policy drop;
  ct state established,related accept
  iifgroup != ${SUBNETS} accept
  iifname vmap @groups_out
  counter name group_out drop
 }
 chain group_stage_in { type filter hook forward priority 10; policy drop;
  ct state established,related accept
  oifgroup != ${SUBNETS} accept
  oifname vmap @groups_in
  counter name group_in drop
 }`
    .split("\n")
    .slice(1);
}
