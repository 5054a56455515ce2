/**
 * AWS's words into the house's: one pure function a noun. Promises that enums are passed on in lower case and
 * unknown ones are not refused. What AWS has not filled in yet becomes empty, never a guess.
 */
import type {
  Address,
  InternetGateway,
  NatGateway,
  NetworkAcl,
  NetworkAclEntry,
  NetworkInterface,
  Route,
  RouteTable,
  SecurityGroup,
  SecurityGroupRule,
  Subnet,
  Tag,
  Vpc,
  VpcEndpoint,
  VpcPeeringConnection,
} from "@aws-sdk/client-ec2";
import { type Cidr, parseCidr } from "../../domain/cidr.ts";
import type {
  AclEntry,
  NatState,
  PeeringState,
  SeenAcl,
  SeenAddress,
  SeenEndpoint,
  SeenGroup,
  SeenInterface,
  SeenInternetGateway,
  SeenNatGateway,
  SeenPeering,
  SeenRoute,
  SeenRouteTable,
  SeenRule,
  SeenSubnet,
  SeenVpc,
  Tagged,
} from "../../domain/world.ts";
import { ATTEMPT_TAG, KEY_TAG, tagValue } from "./tags.ts";

/** The thing's id with our key; null when it bears none of ours. */
function tagged(id: string | undefined, tags: readonly Tag[] | undefined): Tagged | null {
  const key = tagValue(tags, KEY_TAG);
  return id && key !== null ? { id, key, attempt: Number(tagValue(tags, ATTEMPT_TAG)) || 0 } : null;
}

function word(text: string | undefined): string {
  return (text ?? "").toLowerCase();
}

function block(text: string | undefined): Cidr[] {
  const parsed = parseCidr(text ?? "");
  return "cidr" in parsed ? [parsed.cidr] : [];
}

/** A VPC that the journal knows is ours even while its tags do not show. */
export function seenVpc(vpc: Vpc, dns: Pick<SeenVpc, "dnsSupport" | "dnsHostnames">): SeenVpc | null {
  const id = vpc.VpcId;
  if (!id) return null;
  const blocks = vpc.CidrBlockAssociationSet?.filter((one) =>
    ["associating", "associated"].includes(word(one.CidrBlockState?.State)),
  ).flatMap((one) => block(one.CidrBlock));
  return {
    ...(tagged(id, vpc.Tags) ?? { id, key: "vpc", attempt: 0 }),
    state: word(vpc.State),
    ownerId: vpc.OwnerId ?? "",
    cidrs: blocks?.length ? blocks : block(vpc.CidrBlock),
    ...dns,
  };
}

/** Null for a subnet without an IPv4 block: none of ours is such. */
export function seenSubnet(subnet: Subnet): SeenSubnet | null {
  const ours = tagged(subnet.SubnetId, subnet.Tags);
  const [cidr] = block(subnet.CidrBlock);
  if (!ours || !cidr) return null;
  return {
    ...ours,
    vpcId: subnet.VpcId ?? "",
    state: word(subnet.State),
    cidr,
    zoneId: subnet.AvailabilityZoneId ?? "",
    zone: subnet.AvailabilityZone ?? "",
    freeAddresses: subnet.AvailableIpAddressCount ?? 0,
  };
}

export function seenInternetGateway(gateway: InternetGateway): SeenInternetGateway | null {
  const ours = tagged(gateway.InternetGatewayId, gateway.Tags);
  const attached = gateway.Attachments?.find((one) => one.VpcId && word(one.State) !== "detached");
  return ours && { ...ours, vpcId: attached?.VpcId ?? null };
}

export function seenAddress(address: Address): SeenAddress | null {
  const ours = tagged(address.AllocationId, address.Tags);
  return ours && { ...ours, publicIp: address.PublicIp ?? "", associationId: address.AssociationId ?? null };
}

export function seenNatGateway(nat: NatGateway): SeenNatGateway | null {
  const ours = tagged(nat.NatGatewayId, nat.Tags);
  const failure = [nat.FailureCode, nat.FailureMessage].filter(Boolean).join(": ");
  return (
    ours && {
      ...ours,
      vpcId: nat.VpcId ?? "",
      subnetId: nat.SubnetId ?? "",
      state: word(nat.State) as NatState,
      allocationIds: (nat.NatGatewayAddresses ?? []).flatMap((one) => one.AllocationId ?? []),
      failure: failure || null,
    }
  );
}

/** The main table bears no tag of ours. */
export function seenRouteTable(table: RouteTable): SeenRouteTable | null {
  const main = table.Associations?.some((one) => one.Main === true) ?? false;
  const id = table.RouteTableId;
  const ours = tagged(id, table.Tags) ?? (main && id ? { id, key: "table/main", attempt: 0 } : null);
  const standing = table.Associations?.filter(
    (one) => !["disassociating", "disassociated", "failed"].includes(word(one.AssociationState?.State)),
  );
  return (
    ours && {
      ...ours,
      vpcId: table.VpcId ?? "",
      main,
      routes: (table.Routes ?? []).flatMap(seenRoute),
      associations: (standing ?? []).flatMap((one) =>
        one.SubnetId ? [{ id: one.RouteTableAssociationId ?? "", subnetId: one.SubnetId }] : [],
      ),
    }
  );
}

/** Neither the local route nor an endpoint's: nobody made them, nobody can take them away. */
function seenRoute(route: Route): SeenRoute[] {
  const target =
    route.GatewayId ??
    route.NatGatewayId ??
    route.VpcPeeringConnectionId ??
    route.TransitGatewayId ??
    route.InstanceId ??
    route.NetworkInterfaceId ??
    route.EgressOnlyInternetGatewayId ??
    route.CarrierGatewayId ??
    route.LocalGatewayId ??
    route.CoreNetworkArn ??
    "";
  if (target === "local" || (route.DestinationPrefixListId && target.startsWith("vpce-"))) return [];
  const destination =
    route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock ?? route.DestinationPrefixListId ?? "";
  return [{ destination, targetId: target, blackhole: word(route.State) === "blackhole" }];
}

/** Null for one that is deleted: its tags linger. */
export function seenEndpoint(endpoint: VpcEndpoint): SeenEndpoint | null {
  const ours = tagged(endpoint.VpcEndpointId, endpoint.Tags);
  if (!ours || word(endpoint.State) === "deleted") return null;
  return {
    ...ours,
    vpcId: endpoint.VpcId ?? "",
    state: word(endpoint.State),
    serviceName: endpoint.ServiceName ?? "",
    routeTableIds: endpoint.RouteTableIds ?? [],
  };
}

/** The VPC's default group bears no tag of ours; nobody else can make one of that name. */
export function seenGroup(group: SecurityGroup, rules: readonly SecurityGroupRule[]): SeenGroup | null {
  const id = group.GroupId;
  const isDefault = group.GroupName === "default" && id;
  const ours = isDefault ? { id, key: "group/default", attempt: 0 } : tagged(id, group.Tags);
  return (
    ours && {
      ...ours,
      vpcId: group.VpcId ?? "",
      name: group.GroupName ?? "",
      rules: rules.filter((rule) => rule.GroupId === id).map(seenRule),
    }
  );
}

function seenRule(rule: SecurityGroupRule): SeenRule {
  return {
    ruleId: rule.SecurityGroupRuleId ?? "",
    egress: rule.IsEgress ?? false,
    protocol: rule.IpProtocol ?? "",
    fromPort: rule.FromPort ?? -1,
    toPort: rule.ToPort ?? -1,
    source: rule.CidrIpv4 ?? rule.CidrIpv6 ?? rule.PrefixListId ?? rule.ReferencedGroupInfo?.GroupId ?? "",
  };
}

/** AWS's closing deny, which nobody can change. */
const CLOSING_ENTRY = 32_767;

export function seenAcl(acl: NetworkAcl): SeenAcl | null {
  if (!acl.NetworkAclId) return null;
  return {
    id: acl.NetworkAclId,
    vpcId: acl.VpcId ?? "",
    isDefault: acl.IsDefault ?? false,
    entries: (acl.Entries ?? []).filter((one) => (one.RuleNumber ?? 0) < CLOSING_ENTRY).map(aclEntry),
  };
}

function aclEntry(entry: NetworkAclEntry): AclEntry {
  const { PortRange: ports, IcmpTypeCode: icmp } = entry;
  return {
    number: entry.RuleNumber ?? 0,
    egress: entry.Egress ?? false,
    protocol: entry.Protocol ?? "",
    action: entry.RuleAction === "allow" ? "allow" : "deny",
    cidr: entry.CidrBlock ?? entry.Ipv6CidrBlock ?? "",
    ports: ports ? { from: ports.From ?? 0, to: ports.To ?? 0 } : null,
    icmp: icmp ? { type: icmp.Type ?? -1, code: icmp.Code ?? -1 } : null,
  };
}

export function seenPeering(peering: VpcPeeringConnection): SeenPeering | null {
  const { RequesterVpcInfo: requester, AccepterVpcInfo: accepter } = peering;
  if (!peering.VpcPeeringConnectionId) return null;
  const blocks = requester?.CidrBlockSet?.flatMap((one) => block(one.CidrBlock)) ?? [];
  return {
    id: peering.VpcPeeringConnectionId,
    vpcId: accepter?.VpcId ?? "",
    state: word(peering.Status?.Code) as PeeringState,
    stateMessage: peering.Status?.Message ?? "",
    requesterAccount: requester?.OwnerId ?? "",
    requesterVpcId: requester?.VpcId ?? "",
    requesterRegion: requester?.Region ?? "",
    requesterCidrs: blocks.length > 0 ? blocks : block(requester?.CidrBlock),
    dnsFromRemote: accepter?.PeeringOptions?.AllowDnsResolutionFromRemoteVpc ?? false,
    expiresAt: peering.ExpirationTime?.getTime() ?? null,
  };
}

export function seenInterface(one: NetworkInterface): SeenInterface | null {
  if (!one.NetworkInterfaceId) return null;
  return {
    id: one.NetworkInterfaceId,
    vpcId: one.VpcId ?? "",
    subnetId: one.SubnetId ?? "",
    state: word(one.Status),
    description: one.Description ?? "",
    ownerId: one.OwnerId ?? "",
    requesterManaged: one.RequesterManaged ?? false,
    interfaceType: word(one.InterfaceType),
    groupIds: (one.Groups ?? []).flatMap((group) => group.GroupId ?? []),
  };
}
