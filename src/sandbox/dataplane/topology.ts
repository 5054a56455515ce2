/**
 * The words of the data plane: what the state of the small cloud means for packets, at one moment. Routers, the
 * interfaces on them, what may pass and where it goes; nothing of namespaces. What carries no packet (a pending
 * gateway, an interface without a host) is not in a topology.
 */
import type { Cidr } from "../../domain/cidr.ts";
import type { AclEntryRow, GroupRuleRow } from "../rows.ts";

export interface Topology {
  readonly routers: readonly Router[];
  readonly hosts: readonly Host[];
  readonly peerings: readonly Peering[];
}

/** A VPC: its router, and the edge of it where an internet gateway is attached. */
export interface Router {
  /** The VPC's id. */
  readonly id: string;
  readonly account: string;
  readonly region: string;
  /** All of the VPC's blocks, the primary one first. */
  readonly blocks: readonly Cidr[];
  readonly subnets: readonly Subnet[];
  readonly tables: readonly RouteTable[];
  readonly ports: readonly Port[];
  readonly groups: readonly Group[];
  readonly acls: readonly Acl[];
  /** Empty without an internet gateway. */
  readonly publicAddresses: readonly PublicAddress[];
  readonly hasInternetGateway: boolean;
  /** Whether the VPC's resolver answers. */
  readonly dnsSupport: boolean;
}

export interface Subnet {
  readonly id: string;
  readonly cidr: Cidr;
  /** Unlike any other subnet's of the VPC. */
  readonly number: number;
  readonly tableId: string;
  readonly aclId: string;
}

export interface RouteTable {
  readonly id: string;
  /** Unlike any other table's of the VPC. */
  readonly number: number;
  /** Local routes are not among them: the local ones always win. */
  readonly routes: readonly Route[];
}

export interface Route {
  readonly destination: Cidr;
  readonly to: RouteTarget;
}

export type RouteTarget =
  | { readonly type: "internet" }
  /** `id` of a port or a peering. */
  | { readonly type: "port" | "peering"; readonly id: string }
  | { readonly type: "blackhole" };

/** One network interface with a host behind it. */
export interface Port {
  /** The network interface's id. */
  readonly id: string;
  readonly hostId: string;
  /** `eth0`, `eth1`, … by the device index. */
  readonly device: string;
  readonly subnetId: string;
  readonly privateIp: string;
  readonly macAddress: string;
  readonly groupIds: readonly string[];
  readonly sourceDestCheck: boolean;
  /** A NAT gateway's interface has no security groups: everything may pass. */
  readonly isOpen: boolean;
  /** Whatever its groups say, nobody opens a connection to it: Lambda's interfaces take none. */
  readonly isOutboundOnly?: boolean;
}

/**
 * Something with a network stack of its own. Its id is the instance's or the NAT gateway's, the broker's name, or the
 * id of the interface that functions have in common.
 */
export interface Host {
  readonly id: string;
  readonly vpcId: string;
  readonly kind: "instance" | "natGateway" | "broker" | "function";
  /** A network of the service that runs the host, which all hosts that name it have in common. */
  readonly service?: ServiceLink;
}

export interface ServiceLink {
  readonly network: string;
  /** From 1; unlike any other's on that network. */
  readonly number: number;
}

export interface Group {
  readonly id: string;
  /** Private addresses of the interfaces it is on: of this VPC, or of a peer that a rule refers to. */
  readonly members: readonly string[];
  /** Empty for a peer's group: it is referred to, not applied. */
  readonly rules: readonly GroupRule[];
}

export type GroupRule = Pick<GroupRuleRow, "id" | "egress" | "protocol" | "fromPort" | "toPort"> & {
  readonly from:
    | { readonly type: "cidr"; readonly cidr: Cidr }
    | { readonly type: "group"; readonly id: string };
};

export interface Acl {
  readonly id: string;
  /** In the order they are looked at, the last deny among them. IPv6 entries are left out. */
  readonly entries: readonly (AclEntryRow & { readonly cidr: Cidr })[];
}

export interface PublicAddress {
  readonly publicIp: string;
  readonly privateIp: string;
}

export interface Peering {
  readonly id: string;
  /** Unlike any other peering's: marks the connections that passed over it. */
  readonly number: number;
  /** The requester's and the accepter's VPC. */
  readonly ends: readonly [string, string];
}
