/**
 * What one network should be, in its own words: everything is named by key, nothing by the cloud's id. A pure
 * function of the wish; `plan` compares it with the world. Lists exactly what architecture's "one network, at
 * rest" lists, and what accepted peerings add to it.
 *
 *            internet ─── igw ─── table/public ── subnet/public/i ── nat/i (eip/i)
 *                                                                      │
 *   peer blocks ── peering ──────── table/private/i ── subnet/private/i ┘      i = 0, 1, 2
 */
import type { Cidr } from "../domain/cidr.ts";
import { cidr } from "../domain/cidr.ts";
import type { Layout, SubnetPlan } from "../domain/model.ts";
import type { RouteWish, Rule } from "../domain/steps.ts";
import type { AclEntry } from "../domain/world.ts";

export const EVERYWHERE = cidr("0.0.0.0/0");

/** A peer whose blocks may be routed. */
export interface Peer {
  readonly connectionId: string;
  readonly cidrs: readonly Cidr[];
  /** Rules come first; routes only once they are there. */
  readonly routed: boolean;
}

export interface DesiredRoute {
  readonly destination: Cidr;
  readonly kind: RouteWish["target"]["kind"];
  /** A key of this network, or the id of a peering connection. */
  readonly target: string;
}

export interface DesiredTable {
  readonly key: string;
  readonly routes: readonly DesiredRoute[];
  readonly subnetKeys: readonly string[];
}

export interface DesiredGroup {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly rules: readonly Rule[];
}

export interface Desired {
  readonly cidr: Cidr;
  readonly subnets: readonly (SubnetPlan & { readonly zoneId: string })[];
  readonly nats: readonly { readonly key: string; readonly subnetKey: string; readonly addressKey: string }[];
  readonly tables: readonly DesiredTable[];
  readonly endpoint: { readonly key: string; readonly tableKeys: readonly string[] };
  readonly groups: readonly DesiredGroup[];
  readonly acl: readonly AclEntry[];
}

export function desired(range: Cidr, layout: Layout, peers: readonly Peer[]): Desired {
  const subnets = [...layout.privateSubnets, ...layout.publicSubnets].map((subnet) => ({
    ...subnet,
    zoneId: layout.zoneIds[subnet.index] ?? "",
  }));
  const tables = [publicTable(layout), ...layout.privateSubnets.map((subnet) => privateTable(subnet, peers))];
  return {
    cidr: range,
    subnets,
    nats: layout.publicSubnets.map(({ key, index }) => ({
      key: `nat/${index}`,
      subnetKey: key,
      addressKey: `eip/${index}`,
    })),
    tables,
    endpoint: { key: "endpoint/s3", tableKeys: tables.slice(1).map((table) => table.key) },
    groups: [clusterGroup(range), peersGroup(peers), DEFAULT_GROUP],
    acl: ACL,
  };
}

function publicTable(layout: Layout): DesiredTable {
  return {
    key: "table/public",
    routes: [{ destination: EVERYWHERE, kind: "internetGateway", target: "igw" }],
    subnetKeys: layout.publicSubnets.map((subnet) => subnet.key),
  };
}

function privateTable({ key, index }: SubnetPlan, peers: readonly Peer[]): DesiredTable {
  const toPeers = peers
    .filter(({ routed }) => routed)
    .flatMap(({ connectionId, cidrs }) =>
      cidrs.map((destination) => ({ destination, kind: "peering" as const, target: connectionId })),
    );
  return {
    key: `table/private/${index}`,
    routes: [{ destination: EVERYWHERE, kind: "natGateway", target: `nat/${index}` }, ...toPeers],
    subnetKeys: [key],
  };
}

function tcp(egress: boolean, source: Cidr): Rule {
  return { egress, protocol: "tcp", fromPort: 0, toPort: 65535, source };
}

function clusterGroup(range: Cidr): DesiredGroup {
  return {
    key: "group/cluster",
    name: "letsdata-cluster",
    description: "Cluster resources: TCP inside the VPC, TCP out",
    rules: [tcp(false, range), tcp(true, EVERYWHERE)],
  };
}

/**
 * Stays empty until a peering is active. It is a group of its own because MSK cannot change the groups of a
 * cluster later: https://docs.aws.amazon.com/msk/latest/developerguide/change-security-group.html
 */
function peersGroup(peers: readonly Peer[]): DesiredGroup {
  return {
    key: "group/peers",
    name: "letsdata-peers",
    description: "TCP from accepted peer VPCs",
    rules: peers.flatMap((peer) => peer.cidrs.map((block) => tcp(false, block))),
  };
}

/** Whoever forgets to name a group gets the VPC's default one: it lets nothing in or out. */
const DEFAULT_GROUP: DesiredGroup = {
  key: "group/default",
  name: "default",
  description: "",
  rules: [],
};

const ACL: readonly AclEntry[] = [false, true].flatMap((egress) => [
  {
    number: 100,
    egress,
    protocol: "6",
    action: "allow" as const,
    cidr: EVERYWHERE,
    ports: { from: 0, to: 65535 },
    icmp: null,
  },
  {
    // "Fragmentation needed": without it path-MTU discovery breaks between regions.
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/network_mtu.html#path_mtu_discovery
    number: 110,
    egress,
    protocol: "1",
    action: "allow" as const,
    cidr: EVERYWHERE,
    ports: null,
    icmp: { type: 3, code: 4 },
  },
]);
