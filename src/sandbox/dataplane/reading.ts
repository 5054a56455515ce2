/**
 * The topology that the small cloud's rows mean at a moment, as a pure function of both. Promises that the same
 * state makes the same topology, numbers included: what the kernel needs as a number is taken from AWS's id, so
 * that nothing has to be remembered beside the rows.
 */
import { type Cidr, cidr } from "../../domain/cidr.ts";
import { gatewayServices, prefixListOf } from "../endpointServices.ts";
import { instanceState } from "../instanceStates.ts";
import { nodeName, nodesOf } from "../kafkaNodes.ts";
import { clusterState } from "../kafkaStates.ts";
import { functionState, leavesBy } from "../lambdaStates.ts";
import { natGatewayState } from "../natGateways.ts";
import { aclEntriesOf } from "../networkAcls.ts";
import { blocksOf, peeringState } from "../peeringStates.ts";
import { routesOf, type ShownRoute } from "../routesShown.ts";
import type * as rows from "../rows.ts";
import type { ClusterRow } from "../serviceRows.ts";
import type { Row } from "../state.ts";
import type { Call } from "../world.ts";
import { FIRST_NUMBER } from "./names.ts";
import type {
  Acl,
  Group,
  GroupRule,
  Host,
  Peering,
  Port,
  PublicAddress,
  Route,
  Router,
  RouteTable,
  Subnet,
  Topology,
} from "./topology.ts";

/** The rows and the moment they are looked at. */
export type Look = Pick<Call, "tables" | "now">;

export function topologyOf(look: Look): Topology {
  const hosts = hostsOf(look);
  const portsByVpc = Map.groupBy(portsOf(look, hosts), ({ vpcId }) => vpcId);
  const peerings = peeringsOf(look);
  const index = indexOf(look);
  // A VPC without a host sends and takes no packet: every account has a default one that nobody uses.
  const inUse = look.tables.vpcs.all().filter(({ id }) => portsByVpc.has(id));
  const routers = inUse.map((vpc) =>
    routerOf(look, vpc, { index, ports: portsByVpc.get(vpc.id) ?? [], peerings }),
  );
  return { routers, hosts, peerings };
}

/** Everything of a VPC by the VPC's id, so that no table is searched once for each VPC. */
function indexOf({ tables }: Look) {
  const byVpc = <R extends Row & { readonly vpcId: string }>(all: readonly R[]) =>
    Map.groupBy(all, (row) => row.vpcId);
  return {
    subnets: byVpc(tables.subnets.all()),
    tables: byVpc(tables.routeTables.all()),
    groups: byVpc(tables.securityGroups.all()),
    acls: byVpc(tables.networkAcls.all()),
    interfaces: byVpc(tables.interfaces.all()),
    gateways: new Set(tables.internetGateways.all().map((row) => row.vpcId)),
    addresses: new Map(tables.addresses.all().map((row) => [row.interfaceId, row.publicIp])),
  };
}

type Index = ReturnType<typeof indexOf>;

interface Surroundings {
  readonly index: Index;
  readonly ports: readonly (Port & { readonly vpcId: string })[];
  readonly peerings: readonly Peering[];
}

function routerOf(look: Look, vpc: rows.VpcRow, around: Surroundings): Router {
  const { index, ports } = around;
  const tables = index.tables.get(vpc.id) ?? [];
  const acls = index.acls.get(vpc.id) ?? [];
  const subnets = index.subnets.get(vpc.id) ?? [];
  const tableNumbers = numbered(tables);
  const hasInternetGateway = index.gateways.has(vpc.id);
  return {
    id: vpc.id,
    account: vpc.account,
    region: vpc.region,
    blocks: blocksOf(vpc),
    subnets: subnetsOf(subnets, { tables, acls }),
    tables: tables.map((row) => tableOf(look, row, { number: tableNumbers.get(row.id) ?? 0, ports })),
    ports,
    groups: groupsOf(look, vpc, around),
    acls: acls.map(aclOf),
    publicAddresses: hasInternetGateway ? publicAddressesOf(look, ports, index) : [],
    hasInternetGateway,
    dnsSupport: vpc.dnsSupport,
  };
}

/**
 * A number for each id, from the id's own digits. Two ids of one VPC that end alike (seven hexadecimal digits)
 * are told apart by their order, the older first.
 */
export function numbered(all: readonly Row[]): ReadonlyMap<string, number> {
  const taken = new Set<number>();
  const numbers = new Map<string, number>();
  for (const { id } of all.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))) {
    let number = FIRST_NUMBER + Number.parseInt(id.slice(-7), 16);
    while (taken.has(number)) number++;
    taken.add(number);
    numbers.set(id, number);
  }
  return numbers;
}

function subnetsOf(
  subnets: readonly rows.SubnetRow[],
  of: { readonly tables: readonly rows.RouteTableRow[]; readonly acls: readonly rows.NetworkAclRow[] },
): Subnet[] {
  const numbers = numbered(subnets);
  const mainTable = of.tables.find((row) => row.associations.some(({ main }) => main));
  return subnets.map(({ id, cidr: block }) => {
    const isOn = (one: { readonly subnetId?: string }) => one.subnetId === id;
    const table = of.tables.find((row) => row.associations.some(isOn)) ?? mainTable;
    const acl = of.acls.find((row) => row.associations.some(isOn));
    return { id, cidr: block, number: numbers.get(id) ?? 0, tableId: table?.id ?? "", aclId: acl?.id ?? "" };
  });
}

function tableOf(
  look: Look,
  row: rows.RouteTableRow,
  { number, ports }: { readonly number: number; readonly ports: readonly Port[] },
): RouteTable {
  const made = routesOf(look, row).filter((route) => route.kind === "cidr" && route.target.type !== "local");
  return { id: row.id, number, routes: made.map((route) => routeOf(look, route, ports)) };
}

function routeOf(look: Look, route: ShownRoute, ports: readonly Port[]): Route {
  const destination = route.destination as Cidr;
  return { destination, to: route.state === "active" ? targetOf(look, route, ports) : { type: "blackhole" } };
}

/** Where an active route leads; a gateway that is not ready yet leads nowhere. */
function targetOf({ tables }: Look, { target }: ShownRoute, ports: readonly Port[]): Route["to"] {
  if (target.type === "internetGateway") return { type: "internet" };
  if (target.type === "peering") return { type: "peering", id: target.id };
  const port = ports.find((one) => {
    if (target.type === "interface") return one.id === target.id;
    if (target.type === "natGateway") return one.hostId === target.id;
    return target.type === "instance" && one.id === tables.instances.get(target.id)?.interfaceIds[0];
  });
  return port ? { type: "port", id: port.id } : { type: "blackhole" };
}

function hostsOf({ tables, now }: Look): Host[] {
  const instances = tables.instances.all().filter((row) => instanceState(row, now) === "running");
  const gateways = tables.natGateways.all().filter((row) => natGatewayState(row, now) === "available");
  return [
    ...instances.map(({ id, vpcId }): Host => ({ id, vpcId, kind: "instance" })),
    ...gateways.map(({ id, vpcId }): Host => ({ id, vpcId, kind: "natGateway" })),
    ...tables.clusters.all().flatMap((row) => brokersOf(row, now)),
    ...functionHosts({ tables, now }),
  ];
}

/** One for each interface that an active function leaves by: functions of the same subnet and groups share it. */
function functionHosts({ tables, now }: Look): Host[] {
  const active = tables.functions.all().filter((row) => functionState(row, now) === "Active");
  const ids = new Set(active.flatMap((row) => leavesBy(row, now)));
  return [...ids].flatMap((id): Host[] => {
    const vpcId = tables.interfaces.get(id)?.vpcId;
    return vpcId === undefined ? [] : [{ id, vpcId, kind: "function" }];
  });
}

/** From the beginning, since they have to start before the cluster is active, until the cluster fails or goes. */
function brokersOf(row: ClusterRow, now: number): Host[] {
  if (["FAILED", "DELETING"].includes(clusterState(row, now))) return [];
  return nodesOf(row, "broker").map((node) => ({
    id: nodeName(row, node),
    vpcId: row.vpcId,
    kind: "broker",
    service: { network: row.domain, number: node.number },
  }));
}

/** The interfaces of each broker, by its name. */
function brokerInterfaces({ tables }: Look): ReadonlyMap<string, string> {
  const all = tables.clusters.all();
  const named = all.flatMap((row) =>
    nodesOf(row, "broker").map((node) => [nodeName(row, node), node.interfaceId] as const),
  );
  return new Map(named);
}

function portsOf(look: Look, hosts: readonly Host[]): (Port & { readonly vpcId: string })[] {
  const { natGateways, instances } = look.tables;
  const brokers = brokerInterfaces(look);
  return hosts.flatMap((host) => {
    if (host.kind === "instance")
      // By the index: an interface keeps its name, and its connections, when another is detached.
      return attachedOf(look, instances.get(host.id)?.interfaceIds ?? []).map((row) =>
        portOf(row, host, row.attachment?.deviceIndex ?? 0),
      );
    const only = {
      broker: brokers.get(host.id),
      natGateway: natGateways.get(host.id)?.interfaceId,
      function: host.id,
    }[host.kind];
    return attachedOf(look, [only ?? ""]).map((row) => portOf(row, host, 0));
  });
}

/** Those of the interfaces that are attached, the primary first. */
function attachedOf({ tables }: Look, ids: readonly string[]): rows.InterfaceRow[] {
  const index = ({ attachment }: rows.InterfaceRow) => attachment?.deviceIndex ?? 0;
  const own = ids.flatMap((id) => tables.interfaces.get(id) ?? []).filter((row) => row.attachment);
  return own.toSorted((a, b) => index(a) - index(b));
}

function portOf(row: rows.InterfaceRow, host: Host, deviceIndex: number) {
  return {
    id: row.id,
    vpcId: row.vpcId,
    hostId: host.id,
    device: `eth${deviceIndex}`,
    subnetId: row.subnetId,
    privateIp: row.privateIp,
    macAddress: row.macAddress,
    groupIds: row.groupIds,
    sourceDestCheck: row.sourceDestCheck,
    isOpen: host.kind === "natGateway",
    ...(host.kind === "function" ? { isOutboundOnly: true } : {}),
  };
}

/** The VPC's own groups, then the groups of its peers that their rules refer to. */
function groupsOf(look: Look, vpc: rows.VpcRow, { index, peerings }: Surroundings): Group[] {
  const own = index.groups.get(vpc.id) ?? [];
  const near = new Set([vpc.id, ...peerings.flatMap(({ ends }) => (ends.includes(vpc.id) ? ends : []))]);
  const referred = own.flatMap((group) =>
    group.rules.flatMap(({ source }) => (source.type === "group" ? [source.groupId] : [])),
  );
  const foreign = [...new Set(referred)]
    .filter((id) => !own.some((group) => group.id === id))
    .flatMap((id) => look.tables.securityGroups.get(id) ?? [])
    .filter((group) => near.has(group.vpcId));
  const known = new Set([...own, ...foreign].map(({ id }) => id));
  const rules = (group: rows.SecurityGroupRow) => group.rules.flatMap((rule) => rulesOf(rule, group.region));
  return [
    ...own.map((group) => ({ ...membersOf(group, index), rules: rules(group).filter(refersTo(known)) })),
    ...foreign.map((group) => ({ ...membersOf(group, index), rules: [] })),
  ];
}

/** A rule that refers to a group of a VPC that is no peer is stale: nothing matches it. */
function refersTo(known: ReadonlySet<string>) {
  return ({ from }: GroupRule) => from.type === "cidr" || known.has(from.id);
}

function membersOf(group: rows.SecurityGroupRow, { interfaces }: Index) {
  const inVpc = interfaces.get(group.vpcId) ?? [];
  const members = inVpc.filter((row) => row.groupIds.includes(group.id)).map((row) => row.privateIp);
  return { id: group.id, members };
}

/** A rule's IPv4 meaning: none for IPv6, and one for each block of a prefix list. */
function rulesOf(rule: rows.GroupRuleRow, region: string): GroupRule[] {
  const { id, egress, protocol, fromPort, toPort, source } = rule;
  const from = (block: Cidr): GroupRule => ({ ...what, from: { type: "cidr", cidr: block } });
  const what = { id, egress, protocol, fromPort, toPort };
  if (protocol === "icmpv6") return [];
  switch (source.type) {
    case "cidr":
      return [from(source.cidr)];
    case "group":
      return [{ ...what, from: { type: "group", id: source.groupId } }];
    case "prefixList":
      return listedBlocks(source.prefixListId, region).map(from);
    case "cidr6":
      return [];
  }
}

function listedBlocks(id: string, region: string): Cidr[] {
  const lists = gatewayServices(region).map(prefixListOf);
  return lists.filter((list) => list.id === id).flatMap((list) => list.cidrs.map(cidr));
}

function aclOf(row: rows.NetworkAclRow): Acl {
  const entries = aclEntriesOf(row).flatMap((entry) =>
    entry.cidr === undefined ? [] : [{ ...entry, cidr: entry.cidr }],
  );
  return { id: row.id, entries };
}

function publicAddressesOf(look: Look, ports: readonly Port[], { addresses }: Index): PublicAddress[] {
  return ports.flatMap(({ id, privateIp }) => {
    const publicIp = addresses.get(id) ?? look.tables.interfaces.get(id)?.autoPublicIp;
    return publicIp === undefined ? [] : [{ publicIp, privateIp }];
  });
}

function peeringsOf({ tables, now }: Look): Peering[] {
  const active = tables.peerings.all().filter((row) => peeringState(row, now) === "active");
  const numbers = numbered(active);
  return active.map(({ id, requester, accepter }) => ({
    id,
    number: numbers.get(id) ?? 0,
    ends: [requester.vpcId, accepter.vpcId],
  }));
}
