/**
 * The sandbox's words: one row type a noun, as small as it can be. What AWS derives when it describes a thing
 * (a subnet's free addresses, a route's `blackhole`, a table's associations) is derived here too, never kept.
 * States that change with time are kept as the moment of the change (`availableAt`, `deletedAt`, epoch
 * milliseconds) and read against the clock; nothing runs in the background.
 */
import type { Cidr } from "../domain/cidr.ts";
import type { Row } from "./state.ts";

export interface VpcRow extends Row {
  readonly cidr: Cidr;
  /** Secondary blocks, with the association's id. */
  readonly secondary: readonly { readonly id: string; readonly cidr: Cidr }[];
  readonly primaryAssociationId: string;
  readonly isDefault: boolean;
  readonly availableAt: number;
  readonly tenancy: "default" | "dedicated";
  readonly dnsSupport: boolean;
  readonly dnsHostnames: boolean;
  readonly networkAddressUsageMetrics: boolean;
}

export interface SubnetRow extends Row {
  readonly vpcId: string;
  readonly cidr: Cidr;
  readonly zoneId: string;
  readonly isDefault: boolean;
  readonly mapPublicIpOnLaunch: boolean;
  /** The attributes of ModifySubnetAttribute that change nothing here but are shown again. */
  readonly dns64: boolean;
  readonly assignIpv6AddressOnCreation: boolean;
  readonly hostnameType: "ip-name" | "resource-name";
  readonly resourceNameDnsA: boolean;
  readonly resourceNameDnsAaaa: boolean;
}

export interface InternetGatewayRow extends Row {
  readonly vpcId?: string;
}

export interface AddressRow extends Row {
  readonly publicIp: string;
  /** Set while the address is on an interface (a NAT gateway's or an instance's). */
  readonly associationId?: string;
  readonly interfaceId?: string;
  readonly privateIp?: string;
  /** Until then a NAT gateway that is gone still keeps it from being released. */
  readonly heldUntil?: number;
}

export interface NatGatewayRow extends Row {
  readonly vpcId: string;
  readonly subnetId: string;
  readonly connectivity: "public" | "private";
  readonly allocationId?: string;
  /** Not there when the subnet had no room for one: the gateway fails. */
  readonly interfaceId?: string;
  readonly privateIp?: string;
  readonly publicIp?: string;
  readonly clientToken?: string;
  /** What the client token was first used for; see clientTokens.ts. */
  readonly request?: string;
  /** Either it becomes available then, or it fails then. */
  readonly availableAt?: number;
  readonly failsAt?: number;
  readonly failureCode?: string;
  readonly failureMessage?: string;
  readonly deleteAskedAt?: number;
  readonly deletedAt?: number;
}

export interface RouteRow {
  readonly destination: Cidr | string;
  /** What `destination` is: an IPv4 block, or a prefix list put there by a gateway endpoint. */
  readonly kind: "cidr" | "prefixList";
  readonly target:
    | { readonly type: "local" }
    | {
        readonly type: "internetGateway" | "natGateway" | "peering" | "interface" | "endpoint" | "instance";
        readonly id: string;
      };
  readonly origin: "CreateRouteTable" | "CreateRoute";
}

export interface RouteTableRow extends Row {
  readonly vpcId: string;
  readonly routes: readonly RouteRow[];
  readonly associations: readonly {
    readonly id: string;
    readonly main: boolean;
    readonly subnetId?: string;
  }[];
  readonly clientToken?: string;
  /** What the client token was first used for; see clientTokens.ts. */
  readonly request?: string;
}

export interface GroupRuleRow {
  readonly id: string;
  readonly egress: boolean;
  /** "tcp", "udp", "icmp", "-1" or a protocol number. */
  readonly protocol: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly source:
    | { readonly type: "cidr"; readonly cidr: Cidr }
    | { readonly type: "cidr6"; readonly cidr: string }
    | { readonly type: "group"; readonly groupId: string; readonly userId: string }
    | { readonly type: "prefixList"; readonly prefixListId: string };
  readonly description?: string;
  readonly tags: Row["tags"];
}

export interface SecurityGroupRow extends Row {
  readonly vpcId: string;
  readonly name: string;
  readonly description: string;
  readonly rules: readonly GroupRuleRow[];
}

export interface AclEntryRow {
  readonly number: number;
  readonly egress: boolean;
  readonly protocol: string;
  readonly action: "allow" | "deny";
  readonly cidr?: Cidr;
  readonly cidr6?: string;
  readonly ports?: { readonly from: number; readonly to: number };
  readonly icmp?: { readonly type: number; readonly code: number };
}

export interface NetworkAclRow extends Row {
  readonly vpcId: string;
  readonly isDefault: boolean;
  readonly entries: readonly AclEntryRow[];
  readonly associations: readonly { readonly id: string; readonly subnetId: string }[];
  readonly clientToken?: string;
  /** What the client token was first used for; see clientTokens.ts. */
  readonly request?: string;
}

export interface PeeringSide {
  readonly account: string;
  readonly region: string;
  readonly vpcId: string;
  readonly dnsFromRemote: boolean;
}

export interface PeeringRow extends Row {
  /** `account` and `region` of the row are the requester's; tags are the requester's. */
  readonly requester: PeeringSide;
  readonly accepter: PeeringSide;
  readonly accepterTags: Row["tags"];
  readonly pendingAt: number;
  readonly expiresAt: number;
  readonly failsAt?: number;
  readonly failureMessage?: string;
  readonly acceptedAt?: number;
  readonly activeAt?: number;
  readonly rejectedAt?: number;
  readonly deleteAskedAt?: number;
  readonly deletedAt?: number;
  /** The account that rejected or deleted it. */
  readonly endedBy?: string;
}

export interface InterfaceRow extends Row {
  readonly vpcId: string;
  readonly subnetId: string;
  readonly privateIp: string;
  readonly description: string;
  readonly groupIds: readonly string[];
  readonly interfaceType: string;
  readonly requesterManaged: boolean;
  readonly requesterId?: string;
  readonly sourceDestCheck: boolean;
  readonly macAddress: string;
  /** Of a service's interface planted here: when it is detached, and when it goes. */
  readonly availableAt?: number;
  readonly releasedAt?: number;
  /** A public address of AWS's choice that lives and dies with the instance; not an elastic IP. */
  readonly autoPublicIp?: string;
  readonly attachment?: {
    readonly id: string;
    readonly instanceId?: string;
    readonly ownerId: string;
    readonly deviceIndex: number;
    readonly at: number;
    readonly deleteOnTermination: boolean;
  };
  readonly clientToken?: string;
  /** What the client token was first used for; see clientTokens.ts. */
  readonly request?: string;
}

export interface InstanceRow extends Row {
  readonly vpcId: string;
  readonly subnetId: string;
  readonly imageId: string;
  readonly instanceType: string;
  readonly reservationId: string;
  readonly interfaceIds: readonly string[];
  readonly userData?: string;
  /** Of the instance metadata service; enabled, and tokens optional, when undefined. */
  readonly metadataOptions?: {
    readonly endpoint: "enabled" | "disabled";
    readonly tokens: "optional" | "required";
  };
  readonly clientToken?: string;
  /** What the client token was first used for; see clientTokens.ts. */
  readonly request?: string;
  readonly launchIndex: number;
  readonly runningAt: number;
  readonly terminateAskedAt?: number;
  readonly terminatedAt?: number;
}

export interface EndpointRow extends Row {
  readonly vpcId: string;
  readonly serviceName: string;
  readonly endpointType: "Gateway";
  readonly routeTableIds: readonly string[];
  readonly policy: string;
  readonly clientToken?: string;
  /** What the client token was first used for; see clientTokens.ts. */
  readonly request?: string;
  readonly deletedAt?: number;
}

/** Keys handed out by AssumeRole; `id` is the access key id. */
export interface SessionRow extends Row {
  readonly secret: string;
  readonly sessionToken: string;
  readonly arn: string;
  readonly expiresAt: number;
}

/** An account's region that has been given its default VPC; `id` is `account/region`. */
export type PlaceRow = Row;
