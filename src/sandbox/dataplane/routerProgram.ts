/**
 * A router's namespace: its addresses, its links, and the route tables as the kernel's own. Promises that local
 * routes win over everything, that an unused address of the VPC and a destination without a route swallow what
 * is sent to them, and that a packet that came from outside of the VPC is never routed out of it again: only
 * packets from a subnet bear the mark of a route table.
 *
 *   ip rule  10     table 10: each interface's /32, the rest of the VPC's blocks a black hole
 *            100    the mark's table: AWS's route table of that number
 *            32000  black hole
 */
import {
  GATEWAY_DEVICE,
  GATEWAY_ENDS,
  gatewayOf,
  METADATA_ADDRESS,
  PEERING_ENDS,
  peeringDevice,
  portDevice,
  RESOLVER_ADDRESS,
  resolverOf,
} from "./names.ts";
import type { KernelObject, Namespace } from "./program.ts";
import { type PeeringEnd, routerFilter } from "./routerFilter.ts";
import type { Port, Route, Router, RouteTable } from "./topology.ts";

export function routerNamespace(router: Router, peerings: readonly PeeringEnd[]): Namespace {
  return {
    name: router.id,
    filter: routerFilter(router, peerings),
    objects: [
      ...base(router),
      ...router.ports.flatMap(portObjects),
      ...(router.hasInternetGateway ? gatewayObjects(router) : []),
      ...peerings.flatMap(peeringObjects),
      ...router.tables.flatMap((table) => tableObjects(table, { router, peerings })),
      sysctl("net/ipv4/ip_forward 1"),
    ],
  };
}

/**
 * rp_filter would drop what comes back by another way; without accept_local the router's own "fragmentation
 * needed" is a martian behind a NAT gateway, and path-MTU discovery breaks; tcp_loose would adopt connections
 * in their middle that a deleted peering had cut. Forwarding comes last.
 */
function base({ subnets, blocks }: Router): KernelObject[] {
  const gateways = subnets.map(({ cidr }) => gatewayOf(cidr));
  const own = [METADATA_ADDRESS, RESOLVER_ADDRESS, ...blocks.slice(0, 1).map(resolverOf), ...gateways];
  return [
    ip("lo", "link set lo up"),
    ip("rule local", "rule add pref 10 lookup 10"),
    ip("rule none", "rule add pref 32000 blackhole"),
    ip("rule main", "rule del pref 32766"),
    ip("rule default", "rule del pref 32767"),
    ...[...new Set(own)].map((address) => ({
      ...ip(`address ${address}`, `addr add ${address}/32 dev lo`),
      remove: `addr del ${address}/32 dev lo`,
    })),
    ...blocks.map((block) => ({
      ...ip(`block ${block}`, `route replace blackhole ${block} table 10`),
      remove: `route del blackhole ${block} table 10`,
    })),
    sysctl("net/ipv4/conf/all/rp_filter 0"),
    sysctl("net/ipv4/conf/all/send_redirects 0"),
    sysctl("net/ipv4/conf/all/accept_local 1"),
    sysctl("net/netfilter/nf_conntrack_tcp_loose 0"),
  ];
}

function ip(key: string, add: string): KernelObject {
  return { key, tool: "ip", add };
}

function sysctl(add: string): KernelObject {
  return { key: `sysctl ${add.slice(0, add.indexOf(" "))}`, tool: "sysctl", add };
}

/** A device that leads out of the router: up, and its neighbour known for good, so that nothing is ever asked. */
function deviceObjects(
  device: string,
  link: string,
  neighbour: { address: string; mac: string },
): KernelObject[] {
  const { address, mac } = neighbour;
  return [
    { ...ip(`up ${device}`, `link set dev ${device} addrgenmode none up`), link },
    { ...sysctl(`net/ipv4/conf/${device}/rp_filter 0`), link },
    { ...sysctl(`net/ipv4/conf/${device}/send_redirects 0`), link },
    {
      ...ip(`neighbour ${device}`, `neigh replace ${address} lladdr ${mac} dev ${device} nud permanent`),
      link,
    },
  ];
}

function portObjects({ id, privateIp, macAddress }: Port): KernelObject[] {
  const device = portDevice(id);
  return [
    ...deviceObjects(device, id, { address: privateIp, mac: macAddress }),
    {
      ...ip(`local ${privateIp}`, `route replace ${privateIp}/32 dev ${device} table 10`),
      remove: `route del ${privateIp}/32 table 10`,
      link: id,
    },
  ];
}

function gatewayObjects({ id }: Router): KernelObject[] {
  const [, far] = GATEWAY_ENDS;
  return deviceObjects(GATEWAY_DEVICE, `igw ${id}`, { address: far.address, mac: far.macAddress });
}

function peeringObjects(peering: PeeringEnd): KernelObject[] {
  const far = PEERING_ENDS[peering.side === 0 ? 1 : 0];
  return deviceObjects(peeringDevice(peering.id), peering.id, { address: far.address, mac: far.macAddress });
}

interface Around {
  readonly router: Router;
  readonly peerings: readonly PeeringEnd[];
}

function tableObjects({ number, routes }: RouteTable, around: Around): KernelObject[] {
  return [
    {
      ...ip(`rule ${number}`, `rule add pref 100 fwmark ${number} lookup ${number}`),
      remove: `rule del pref 100 fwmark ${number} lookup ${number}`,
    },
    ...routes.map((route) => routeObject(number, route, around)),
  ];
}

function routeObject(number: number, { destination, to }: Route, around: Around): KernelObject {
  const way = wayTo(to, around);
  const add = `route replace ${way ? `${destination} ${way.via}` : `blackhole ${destination}`} table ${number}`;
  return {
    ...ip(`route ${number} ${destination}`, add),
    remove: `route del ${destination} table ${number}`,
    ...(way ? { link: way.link } : {}),
  };
}

/** Next hop and device; undefined = nowhere. */
function wayTo(to: Route["to"], { router, peerings }: Around): { via: string; link: string } | undefined {
  if (to.type === "internet") {
    if (!router.hasInternetGateway) return undefined;
    return { via: `via ${GATEWAY_ENDS[1].address} dev ${GATEWAY_DEVICE} onlink`, link: `igw ${router.id}` };
  }
  if (to.type === "peering") {
    const peering = peerings.find(({ id }) => id === to.id);
    if (!peering) return undefined;
    const far = PEERING_ENDS[peering.side === 0 ? 1 : 0];
    return { via: `via ${far.address} dev ${peeringDevice(peering.id)} onlink`, link: peering.id };
  }
  const port = to.type === "port" ? router.ports.find(({ id }) => id === to.id) : undefined;
  return port && { via: `via ${port.privateIp} dev ${portDevice(port.id)} onlink`, link: port.id };
}
