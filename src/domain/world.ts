/**
 * What the cloud says about one network. With the steps (steps.ts) these are the only words that thinking
 * (`network/`) and doing (`cloud/`) share: no provider type crosses here. `key` is the value of our
 * tag `letsdata:key`; things that bear no tag of ours (peerings, interfaces, main table, default group and
 * default ACL) are found by VPC id.
 */
import type { Cidr } from "./cidr.ts";
import type { SeenCluster, SeenFunction, SeenProbe, SeenTopic } from "./connector.ts";

/** Something of ours, by tag. `attempt` is the value of `letsdata:attempt`. */
export interface Tagged {
  readonly id: string;
  readonly key: string;
  readonly attempt: number;
}

export interface SeenVpc extends Tagged {
  readonly state: string;
  readonly ownerId: string;
  readonly cidrs: readonly Cidr[];
  readonly dnsSupport: boolean;
  readonly dnsHostnames: boolean;
}

export interface SeenSubnet extends Tagged {
  readonly vpcId: string;
  readonly state: string;
  readonly cidr: Cidr;
  readonly zoneId: string;
  readonly zone: string;
  readonly freeAddresses: number;
}

export interface SeenInternetGateway extends Tagged {
  /** The VPC it is attached to. */
  readonly vpcId: string | null;
}

export interface SeenAddress extends Tagged {
  readonly publicIp: string;
  readonly associationId: string | null;
}

export type NatState = "pending" | "available" | "failed" | "deleting" | "deleted";

export interface SeenNatGateway extends Tagged {
  readonly vpcId: string;
  readonly subnetId: string;
  readonly state: NatState;
  readonly allocationIds: readonly string[];
  readonly failure: string | null;
}

/** A route that somebody made; local routes and those of endpoints are not listed. */
export interface SeenRoute {
  readonly destination: string;
  readonly targetId: string;
  readonly blackhole: boolean;
}

export interface SeenRouteTable extends Tagged {
  readonly vpcId: string;
  readonly main: boolean;
  readonly routes: readonly SeenRoute[];
  readonly associations: readonly { readonly id: string; readonly subnetId: string }[];
}

export interface SeenEndpoint extends Tagged {
  readonly vpcId: string;
  readonly state: string;
  readonly serviceName: string;
  readonly routeTableIds: readonly string[];
}

/** One permission to or from one source; `ruleId` names it for a revocation. */
export interface SeenRule {
  readonly ruleId: string;
  readonly egress: boolean;
  readonly protocol: string;
  readonly fromPort: number;
  readonly toPort: number;
  /** A block, a group id or a prefix list id. */
  readonly source: string;
}

/** Our groups bear a key; the VPC's default group has the key `group/default`. */
export interface SeenGroup extends Tagged {
  readonly vpcId: string;
  readonly name: string;
  readonly rules: readonly SeenRule[];
}

export interface AclEntry {
  readonly number: number;
  readonly egress: boolean;
  /** IANA number as text; "-1" is all. */
  readonly protocol: string;
  readonly action: "allow" | "deny";
  readonly cidr: string;
  readonly ports: { readonly from: number; readonly to: number } | null;
  readonly icmp: { readonly type: number; readonly code: number } | null;
}

export interface SeenAcl {
  readonly id: string;
  readonly vpcId: string;
  readonly isDefault: boolean;
  /** Without the closing deny entry. */
  readonly entries: readonly AclEntry[];
}

export type PeeringState =
  | "initiating-request"
  | "pending-acceptance"
  | "provisioning"
  | "active"
  | "rejected"
  | "failed"
  | "expired"
  | "deleting"
  | "deleted";

/** A peering connection with our VPC as accepter. */
export interface SeenPeering {
  readonly id: string;
  readonly vpcId: string;
  readonly state: PeeringState;
  readonly stateMessage: string;
  readonly requesterAccount: string;
  readonly requesterVpcId: string;
  readonly requesterRegion: string;
  /** Empty while AWS hides them. */
  readonly requesterCidrs: readonly Cidr[];
  /** Our side's option: their resolver gets private addresses for our public names. */
  readonly dnsFromRemote: boolean;
  readonly expiresAt: number | null;
}

export interface SeenInterface {
  readonly id: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly state: string;
  readonly description: string;
  readonly ownerId: string;
  readonly requesterManaged: boolean;
  readonly interfaceType: string;
  readonly groupIds: readonly string[];
}

/** What a look can be about: one describe a kind. */
export const KINDS = [
  "vpcs",
  "subnets",
  "internetGateways",
  "addresses",
  "natGateways",
  "routeTables",
  "endpoints",
  "groups",
  "acls",
  "peerings",
  "interfaces",
  "clusters",
  "topics",
  "functions",
  "probes",
] as const;
export type Kind = (typeof KINDS)[number];

export interface World {
  /** When the last look began, epoch milliseconds. */
  readonly at: number;
  /** When each kind was looked at; 0 = what is kept of it no longer counts. */
  readonly lookedAt: Readonly<Record<Kind, number>>;
  readonly vpcs: readonly SeenVpc[];
  readonly subnets: readonly SeenSubnet[];
  readonly internetGateways: readonly SeenInternetGateway[];
  readonly addresses: readonly SeenAddress[];
  readonly natGateways: readonly SeenNatGateway[];
  readonly routeTables: readonly SeenRouteTable[];
  readonly endpoints: readonly SeenEndpoint[];
  readonly groups: readonly SeenGroup[];
  readonly acls: readonly SeenAcl[];
  readonly peerings: readonly SeenPeering[];
  readonly interfaces: readonly SeenInterface[];
  readonly clusters: readonly SeenCluster[];
  readonly topics: readonly SeenTopic[];
  readonly functions: readonly SeenFunction[];
  readonly probes: readonly SeenProbe[];
}

/** All of the network itself that bears our tags; what runs in it is not among them. */
export function networkThings(world: World): readonly Tagged[] {
  return [
    ...world.vpcs,
    ...world.subnets,
    ...world.internetGateways,
    ...world.addresses,
    ...world.natGateways,
    ...world.routeTables,
    ...world.endpoints,
    ...world.groups,
  ];
}

/** An empty world, looked at just then: what a cloud that has nothing of the network shows. */
export function emptyWorld(at: number): World {
  return {
    at,
    lookedAt: Object.fromEntries(KINDS.map((kind) => [kind, at])) as Record<Kind, number>,
    vpcs: [],
    subnets: [],
    internetGateways: [],
    addresses: [],
    natGateways: [],
    routeTables: [],
    endpoints: [],
    groups: [],
    acls: [],
    peerings: [],
    interfaces: [],
    clusters: [],
    topics: [],
    functions: [],
    probes: [],
  };
}

/** A journal row: one attempt to create the thing with this key. */
export interface Attempt {
  readonly key: string;
  readonly attempt: number;
  /** Null until the cloud's answer was seen. */
  readonly resourceId: string | null;
  readonly at: number;
  /** Set when we deleted it, or when the cloud refused to make it. */
  readonly closedAt: number | null;
}
