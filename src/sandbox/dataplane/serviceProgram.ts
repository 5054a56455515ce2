/**
 * The network that the hosts of one service have between them, beside their VPC: a namespace that routes from each
 * to each, and a device in every host that leads there and nowhere else. MSK's brokers replicate over theirs, which
 * is why no security group of the customer's can part them.
 */
import {
  JUMBO_MTU,
  ROUTER_MAC,
  SERVICE_BLOCK,
  SERVICE_DEVICE,
  SERVICE_GATEWAY,
  serviceAddress,
  serviceMac,
} from "./names.ts";
import type { KernelObject, Link, Namespace } from "./program.ts";
import type { Host, ServiceLink } from "./topology.ts";

const linkOf = (hostId: string) => `service ${hostId}`;
/** The network's end of a host's link. */
const farDevice = ({ number }: ServiceLink) => `h${number}`;

/** What is in the host. */
export function serviceObjects(hostId: string, number: number): KernelObject[] {
  const link = linkOf(hostId);
  const dev = `dev ${SERVICE_DEVICE}`;
  const neighbour = `neigh replace ${SERVICE_GATEWAY} lladdr ${ROUTER_MAC} ${dev} nud permanent`;
  return [
    { key: "up service", tool: "ip", add: `link set ${dev} addrgenmode none up`, link },
    { key: "address service", tool: "ip", add: `addr replace ${serviceAddress(number)}/32 ${dev}`, link },
    { key: "neighbour service", tool: "ip", add: neighbour, link },
    {
      key: "block service",
      tool: "ip",
      add: `route replace ${SERVICE_BLOCK} via ${SERVICE_GATEWAY} ${dev} onlink src ${serviceAddress(number)}`,
      link,
    },
    { key: "sysctl service", tool: "sysctl", add: `net/ipv4/conf/${SERVICE_DEVICE}/rp_filter 0`, link },
  ];
}

/** One for each network that a host is on. */
export function serviceNamespaces(hosts: readonly Host[]): Namespace[] {
  const on = hosts.flatMap(({ id, service }) => (service ? [{ id, ...service }] : []));
  return [...Map.groupBy(on, ({ network }) => network)].map(([name, members]) => ({
    name,
    filter: "",
    objects: [
      { key: "lo", tool: "ip", add: "link set lo up" },
      { key: "sysctl rp_filter", tool: "sysctl", add: "net/ipv4/conf/all/rp_filter 0" },
      ...members.flatMap((member) => memberObjects(member, linkOf(member.id))),
      { key: "sysctl forward", tool: "sysctl", add: "net/ipv4/ip_forward 1" },
    ],
  }));
}

function memberObjects(member: ServiceLink, link: string): KernelObject[] {
  const device = farDevice(member);
  const address = serviceAddress(member.number);
  const neighbour = `neigh replace ${address} lladdr ${serviceMac(member.number)} dev ${device} nud permanent`;
  return [
    { key: `up ${device}`, tool: "ip", add: `link set dev ${device} addrgenmode none up`, link },
    { key: `rp_filter ${device}`, tool: "sysctl", add: `net/ipv4/conf/${device}/rp_filter 0`, link },
    { key: `neighbour ${device}`, tool: "ip", add: neighbour, link },
    { key: `route ${address}`, tool: "ip", add: `route replace ${address}/32 dev ${device}`, link },
  ];
}

export function serviceLinks({ id, service }: Host): Link[] {
  if (!service) return [];
  const { network: namespace, number } = service;
  return [
    {
      key: linkOf(id),
      mtu: JUMBO_MTU,
      ends: [
        { namespace, device: farDevice(service), macAddress: ROUTER_MAC },
        { namespace: id, device: SERVICE_DEVICE, macAddress: serviceMac(number) },
      ],
    },
  ];
}
