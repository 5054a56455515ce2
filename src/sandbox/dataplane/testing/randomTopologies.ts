/**
 * Topologies by chance for tests: three VPCs, two of them with the same addresses, of which any part may be there
 * or not. Two topologies of it have ids in common, so that one can become the other.
 */
import fc from "fast-check";
import { cidr } from "../../../domain/cidr.ts";
import { FIRST_NUMBER } from "../names.ts";
import { portOf, routerOf, topologyWith } from "../topologies.testing.ts";
import type {
  Acl,
  Group,
  GroupRule,
  Host,
  Peering,
  Port,
  Route,
  Router,
  Subnet,
  Topology,
} from "../topology.ts";

/** An id as AWS gives them. */
export function idOf(prefix: string, ...numbers: readonly number[]): string {
  return `${prefix}-0${numbers
    .map((one) => one.toString(16).padStart(4, "0"))
    .join("")
    .padStart(16, "0")}`;
}

const VPCS = [0, 1, 2] as const;
const SUBNETS = 2;
const PORTS = 4;

const GROUP_PROTOCOLS = [
  { protocol: "-1", fromPort: -1, toPort: -1 },
  { protocol: "tcp", fromPort: 80, toPort: 80 },
  { protocol: "udp", fromPort: 0, toPort: 65_535 },
  { protocol: "tcp", fromPort: 1024, toPort: 2048 },
  { protocol: "icmp", fromPort: -1, toPort: -1 },
  { protocol: "icmp", fromPort: 8, toPort: 0 },
  { protocol: "icmp", fromPort: 3, toPort: -1 },
  { protocol: "50", fromPort: -1, toPort: -1 },
] as const;

const ACL_PROTOCOLS = [
  { protocol: "-1" },
  { protocol: "6", ports: { from: 0, to: 65_535 } },
  { protocol: "17", ports: { from: 53, to: 53 } },
  { protocol: "1", icmp: { type: 8, code: -1 } },
  { protocol: "1", icmp: { type: -1, code: -1 } },
  { protocol: "47" },
] as const;

const part = fc.record({
  isThere: fc.boolean(),
  hasGateway: fc.boolean(),
  hasSecondBlock: fc.boolean(),
  /** What the subnets' and tables' numbers begin at: it changes when an id is told apart from another. */
  shift: fc.nat(1),
  subnets: fc.array(fc.record({ table: fc.nat(1), acl: fc.nat(1) }), {
    minLength: SUBNETS,
    maxLength: SUBNETS,
  }),
  routes: fc.array(fc.nat(5), { minLength: 4, maxLength: 4 }),
  ports: fc.array(
    fc.record({
      isThere: fc.boolean(),
      isChecked: fc.boolean(),
      isPublic: fc.boolean(),
      group: fc.nat(1),
      slot: fc.nat(1),
    }),
    { minLength: PORTS, maxLength: PORTS },
  ),
  rules: fc.array(
    fc.record({ egress: fc.boolean(), what: fc.nat(GROUP_PROTOCOLS.length - 1), source: fc.nat(2) }),
    { maxLength: 3 },
  ),
  entries: fc.array(
    fc.record({ egress: fc.boolean(), isAllowed: fc.boolean(), protocol: fc.nat(ACL_PROTOCOLS.length - 1) }),
    {
      maxLength: 3,
    },
  ),
});
type Part = Parameters<Parameters<typeof part.map>[0]>[0];

/** Of VPCs 0 and 1, and 1 and 2, in their second or first lives. */
const peered = fc.array(fc.record({ isThere: fc.boolean(), life: fc.nat(1) }), {
  minLength: 2,
  maxLength: 2,
});

export const topologies: fc.Arbitrary<Topology> = fc
  .record({ parts: fc.tuple(part, part, part), peered })
  .map(({ parts, peered: links }) => {
    const there = VPCS.filter((vpc) => parts[vpc].isThere);
    const peerings = links.flatMap(({ isThere, life }, at): Peering[] => {
      const ends = [idOf("vpc", at), idOf("vpc", at + 1)] as const;
      return isThere ? [{ id: idOf("pcx", at, life), number: FIRST_NUMBER + at * 2 + life, ends }] : [];
    });
    const routers = there.map((vpc) => router(vpc, parts[vpc], peerings));
    return topologyWith({ routers, hosts: routers.flatMap(hostsOf), peerings });
  });

function router(vpc: number, one: Part, peerings: readonly Peering[]): Router {
  const id = idOf("vpc", vpc);
  const block = `10.${vpc === 2 ? 0 : vpc}`;
  const ports = attached(one.ports.flatMap((port, at) => (port.isThere ? [portIn(vpc, at, port)] : [])));
  const mine = peerings.filter(({ ends }) => ends.includes(id));
  return routerOf(id, {
    blocks: [cidr(`${block}.0.0/16`), ...(one.hasSecondBlock ? [cidr(`100.${64 + vpc}.0.0/16`)] : [])],
    subnets: one.subnets.map((subnet, at) => subnetIn(vpc, at, { ...subnet, shift: one.shift })),
    tables: [0, 1].map((at) => ({
      id: idOf("rtb", vpc, at),
      number: FIRST_NUMBER + 10 + at + one.shift,
      routes: routesIn(one, at, { ports, mine }),
    })),
    ports,
    groups: [0, 1].map((at) => groupIn(vpc, at, one, ports)),
    acls: [0, 1].map((at) => aclIn(vpc, at, one)),
    publicAddresses: one.hasGateway ? publicIn(vpc, one, ports) : [],
    hasInternetGateway: one.hasGateway,
  });
}

function subnetIn(vpc: number, at: number, is: { table: number; acl: number; shift: number }): Subnet {
  return {
    id: idOf("subnet", vpc, at),
    cidr: cidr(`10.${vpc === 2 ? 0 : vpc}.${at}.0/24`),
    number: FIRST_NUMBER + at + is.shift,
    tableId: idOf("rtb", vpc, is.table),
    aclId: idOf("acl", vpc, is.acl),
  };
}

/** The second is a NAT gateway's; the third and the fourth are further ones of the first's host. */
function portIn(vpc: number, at: number, is: Part["ports"][number]): Port {
  const isNat = at === 1;
  return portOf(idOf("eni", vpc, at), {
    hostId: idOf(isNat ? "nat" : "i", vpc, isNat ? 1 : 0),
    privateIp: `10.${vpc === 2 ? 0 : vpc}.${at % SUBNETS}.${10 + at}`,
    device: `eth${at < 2 ? 0 : at - 1 + is.slot}`,
    subnetId: idOf("subnet", vpc, at % SUBNETS),
    macAddress: `02:00:00:00:0${vpc}:0${at}`,
    groupIds: isNat ? [] : [idOf("sg", vpc, is.group)],
    sourceDestCheck: !isNat && is.isChecked,
    isOpen: isNat,
  });
}

/** One of two that claim the same place on a host, and none of a host without its first. */
function attached(ports: readonly Port[]): Port[] {
  const hosts = new Set(ports.flatMap(({ device, hostId }) => (device === "eth0" ? [hostId] : [])));
  const places = new Map(ports.map((port) => [`${port.hostId} ${port.device}`, port]));
  return [...places.values()].filter(({ hostId }) => hosts.has(hostId));
}

function hostsOf({ id: vpcId, ports }: Router): Host[] {
  const ids = [...new Set(ports.map(({ hostId }) => hostId))];
  return ids.map((id) => ({ id, vpcId, kind: id.startsWith("nat") ? "natGateway" : "instance" }));
}

interface Around {
  readonly ports: readonly Port[];
  readonly mine: readonly Peering[];
}

function routesIn({ routes }: Part, table: number, { ports, mine }: Around): Route[] {
  const destinations = ["0.0.0.0/0", "10.5.0.0/16"].map(cidr);
  return destinations.flatMap((destination, at): Route[] => {
    const [port] = ports;
    const [peering] = mine;
    const kind = routes[table * 2 + at];
    if (kind === 0) return [];
    if (kind === 1) return [{ destination, to: { type: "internet" } }];
    if (kind === 2 && port) return [{ destination, to: { type: "port", id: port.id } }];
    if (kind === 3 && peering) return [{ destination, to: { type: "peering", id: peering.id } }];
    return [{ destination, to: { type: "blackhole" } }];
  });
}

function groupIn(vpc: number, at: number, { rules }: Part, ports: readonly Port[]): Group {
  const id = idOf("sg", vpc, at);
  const from = (source: number): GroupRule["from"] =>
    source === 2
      ? { type: "group", id: idOf("sg", vpc, 1 - at) }
      : { type: "cidr", cidr: cidr(source === 1 ? "10.0.0.0/8" : "0.0.0.0/0") };
  return {
    id,
    members: ports.filter(({ groupIds }) => groupIds.includes(id)).map(({ privateIp }) => privateIp),
    rules: rules.map(({ egress, what, source }, number) => ({
      id: idOf("sgr", vpc, at, number),
      egress,
      ...(GROUP_PROTOCOLS[what] ?? GROUP_PROTOCOLS[0]),
      from: from(source),
    })),
  };
}

function aclIn(vpc: number, at: number, { entries }: Part): Acl {
  const made = entries.map(({ egress, isAllowed, protocol }, number) => ({
    number: 100 + number,
    egress,
    ...(ACL_PROTOCOLS[protocol] ?? ACL_PROTOCOLS[0]),
    action: isAllowed ? ("allow" as const) : ("deny" as const),
    cidr: cidr("0.0.0.0/0"),
  }));
  return { id: idOf("acl", vpc, at), entries: made };
}

function publicIn(vpc: number, { ports: all }: Part, ports: readonly Port[]) {
  return ports.flatMap(({ privateIp }, at) =>
    all[at]?.isPublic ? [{ publicIp: `198.18.${vpc}.${10 + at}`, privateIp }] : [],
  );
}
