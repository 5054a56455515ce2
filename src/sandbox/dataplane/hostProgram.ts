/**
 * The namespaces at the ends of the links: a host with its interfaces, a NAT gateway, and the internet. A host
 * has one address on each interface, its router as only neighbour, and, with several interfaces, answers from
 * the one it was asked at. A NAT gateway forwards what comes from its VPC under its own address and takes in
 * nothing else. https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
 */
import { addressText, type Cidr, span } from "../../domain/cidr.ts";
import { GATEWAY_ENDS, gatewayOf, gatewayPeerDevice, INTERNET, INTERNET_BLOCK, ROUTER_MAC } from "./names.ts";
import type { KernelObject, Namespace } from "./program.ts";
import { serviceObjects } from "./serviceProgram.ts";
import type { Host, Port, Router } from "./topology.ts";

/** A host's interface, and the block of the subnet it is in. */
export interface HostPort extends Pick<Port, "id" | "device" | "privateIp"> {
  readonly subnet: Cidr;
}

export function hostNamespace({ id, kind, service }: Host, ports: readonly HostPort[]): Namespace {
  const isNat = kind === "natGateway";
  return {
    name: id,
    filter: isNat ? natFilter(ports) : "",
    objects: [
      { key: "lo", tool: "ip", add: "link set lo up" },
      ...ports.flatMap(portObjects),
      ...(service ? serviceObjects(id, service.number) : []),
      // What the machine's own namespace has is inherited: a host that forwards would be a router.
      ...(isNat ? NAT_SYSCTLS : ["net/ipv4/ip_forward 0", "net/ipv4/conf/all/rp_filter 0"]).map(sysctl),
      ...(isNat ? [] : [sysctl(ANY_PORT)]),
    ],
  };
}

/** What runs in a host has not the capability to listen on low ports: it needs none. */
const ANY_PORT = "net/ipv4/ip_unprivileged_port_start 0";

function sysctl(add: string): KernelObject {
  return { key: `sysctl ${add.slice(0, add.indexOf(" "))}`, tool: "sysctl", add };
}

function portObjects({ id: link, device, privateIp, subnet }: HostPort): KernelObject[] {
  const gateway = gatewayOf(subnet);
  const index = Number(device.slice("eth".length));
  const object = (key: string, add: string): KernelObject => ({
    key: `${key} ${device}`,
    tool: "ip",
    add,
    link,
  });
  return [
    object("up", `link set dev ${device} addrgenmode none up`),
    object("address", `addr replace ${privateIp}/32 dev ${device}`),
    object("neighbour", `neigh replace ${gateway} lladdr ${ROUTER_MAC} dev ${device} nud permanent`),
    object("gateway", `route replace ${gateway}/32 dev ${device} scope link`),
    ...(index === 0
      ? [object("default", `route replace default via ${gateway} dev ${device} onlink`)]
      : furtherPort({ link, device, privateIp, gateway, table: 100 + index })),
    { ...sysctl(`net/ipv4/conf/${device}/rp_filter 0`), link },
  ];
}

interface FurtherPort {
  readonly link: string;
  readonly device: string;
  readonly privateIp: string;
  readonly gateway: string;
  readonly table: number;
}

function furtherPort({ link, device, privateIp, gateway, table }: FurtherPort): KernelObject[] {
  const way = `route replace default via ${gateway} dev ${device} onlink table ${table}`;
  return [
    { key: `default ${device}`, tool: "ip", add: way, link },
    {
      key: `rule ${device} ${privateIp}`,
      tool: "ip",
      add: `rule add pref ${table} from ${privateIp} lookup ${table}`,
      remove: `rule del pref ${table} from ${privateIp} lookup ${table}`,
    },
  ];
}

/** Packets leave by the interface they came in; a connection idle for 350 s is forgotten. */
const NAT_SYSCTLS = [
  "net/ipv4/conf/all/send_redirects 0",
  "net/ipv4/conf/all/rp_filter 0",
  "net/netfilter/nf_conntrack_tcp_timeout_established 350",
  "net/netfilter/nf_conntrack_tcp_loose 0",
  "net/ipv4/ip_forward 1",
];

function natFilter(ports: readonly HostPort[]): string {
  const addresses = ports.map((port) => `  snat to ${port.privateIp}`);
  return [
    "table ip nat",
    "delete table ip nat",
    "table ip nat {",
    " chain to_router { type filter hook input priority 0; policy drop; ct state established,related accept; }",
    " chain c_fwd { type filter hook forward priority 0; policy drop; ct state established,related accept; ct state new ip daddr != 169.254.0.0/16 accept; }",
    " chain c_post { type nat hook postrouting priority srcnat; policy accept;",
    ...addresses,
    " }",
    "}",
    "",
  ].join("\n");
}

export function internetNamespace(routers: readonly Router[]): Namespace {
  const internetAddress = addressText(span(INTERNET_BLOCK as Cidr).first + 1);
  return {
    name: INTERNET,
    filter: "",
    objects: [
      { key: "lo", tool: "ip", add: "link set lo up" },
      { key: "address", tool: "ip", add: `addr add ${internetAddress}/32 dev lo` },
      { key: "block", tool: "ip", add: `route replace local ${INTERNET_BLOCK} dev lo` },
      // Private addresses, and public ones that nobody has, are lost on the internet without a word.
      { key: "nowhere", tool: "ip", add: "route replace blackhole default" },
      sysctl("net/ipv4/conf/all/rp_filter 0"),
      sysctl(ANY_PORT),
      sysctl("net/ipv4/ip_forward 1"),
      ...routers.filter((router) => router.hasInternetGateway).flatMap(toRouter),
    ],
  };
}

function toRouter({ id, publicAddresses }: Router): KernelObject[] {
  const link = `igw ${id}`;
  const device = gatewayPeerDevice(id);
  const [near] = GATEWAY_ENDS;
  return [
    { key: `up ${device}`, tool: "ip", add: `link set dev ${device} addrgenmode none up`, link },
    {
      key: `neighbour ${device}`,
      tool: "ip",
      add: `neigh replace ${near.address} lladdr ${near.macAddress} dev ${device} nud permanent`,
      link,
    },
    { ...sysctl(`net/ipv4/conf/${device}/rp_filter 0`), link },
    ...publicAddresses.map(
      ({ publicIp }): KernelObject => ({
        key: `route ${publicIp}`,
        tool: "ip",
        add: `route replace ${publicIp}/32 via ${near.address} dev ${device} onlink`,
        remove: `route del ${publicIp}/32`,
        link,
      }),
    ),
  ];
}
