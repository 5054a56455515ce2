/**
 * Steps on things that are there: each may be taken twice without harm. Where AWS answers that something of
 * that kind is already there without saying whether it is ours (a route, an association, a state), the step
 * rejects with `conflict`: the next look knows better than a guess.
 */
import {
  AcceptVpcPeeringConnectionCommand,
  AssociateRouteTableCommand,
  AttachInternetGatewayCommand,
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateNetworkAclEntryCommand,
  CreateRouteCommand,
  DeleteNetworkAclEntryCommand,
  DeleteRouteCommand,
  DeleteVpcPeeringConnectionCommand,
  type IpPermission,
  ModifyVpcAttributeCommand,
  ModifyVpcEndpointCommand,
  ModifyVpcPeeringConnectionOptionsCommand,
  RejectVpcPeeringConnectionCommand,
  ReplaceNetworkAclEntryCommand,
  ReplaceRouteCommand,
  ReplaceRouteTableAssociationCommand,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
} from "@aws-sdk/client-ec2";
import type { ChangeStep, RouteWish, Rule } from "../../domain/steps.ts";
import type { AclEntry } from "../../domain/world.ts";
import { refusedWith } from "./callError.ts";
import { change, type Hand, type Hands, type StepOf, tagged } from "./hand.ts";
import { lambdaChanges } from "./lambda.ts";
import { mskChanges } from "./msk.ts";
import { topicChanges } from "./mskTopics.ts";
import { probeChanges } from "./probe.ts";

const NO_PEERING = ["invalidvpcpeeringconnectionid.notfound"];

export const changes: Hands<ChangeStep["do"]> = {
  ...lambdaChanges,
  ...mskChanges,
  ...probeChanges,
  ...topicChanges,

  async setDnsHostnames({ ec2, dns }, { vpcId }) {
    await ec2.send(new ModifyVpcAttributeCommand({ VpcId: vpcId, EnableDnsHostnames: { Value: true } }));
    dns.learn({ vpcId, attribute: "enableDnsHostnames" }, true);
    return null;
  },

  async setDnsSupport({ ec2, dns }, { vpcId }) {
    await ec2.send(new ModifyVpcAttributeCommand({ VpcId: vpcId, EnableDnsSupport: { Value: true } }));
    dns.learn({ vpcId, attribute: "enableDnsSupport" }, true);
    return null;
  },

  attachInternetGateway: ({ ec2 }, { gatewayId, vpcId }) =>
    change(ec2.send(new AttachInternetGatewayCommand({ InternetGatewayId: gatewayId, VpcId: vpcId }))),

  associateTable: ({ ec2 }, { tableId, subnetId }) =>
    change(ec2.send(new AssociateRouteTableCommand({ RouteTableId: tableId, SubnetId: subnetId }))),

  replaceAssociation: ({ ec2 }, { associationId, tableId }) =>
    change(
      ec2.send(
        new ReplaceRouteTableAssociationCommand({ AssociationId: associationId, RouteTableId: tableId }),
      ),
    ),

  createRoute: ({ ec2 }, { tableId, route }) =>
    change(ec2.send(new CreateRouteCommand({ RouteTableId: tableId, ...routeMembers(route) }))),

  replaceRoute: ({ ec2 }, { tableId, route }) =>
    change(ec2.send(new ReplaceRouteCommand({ RouteTableId: tableId, ...routeMembers(route) }))),

  deleteRoute: ({ ec2 }, { tableId, destination }) =>
    change(ec2.send(new DeleteRouteCommand({ RouteTableId: tableId, ...destinationMember(destination) })), [
      "invalidroute.notfound",
      "invalidroutetableid.notfound",
    ]),

  setEndpointTables: ({ ec2 }, { endpointId, add, remove }) =>
    change(
      ec2.send(
        new ModifyVpcEndpointCommand({
          VpcEndpointId: endpointId,
          ...(add.length > 0 && { AddRouteTableIds: [...add] }),
          ...(remove.length > 0 && { RemoveRouteTableIds: [...remove] }),
        }),
      ),
    ),

  authorizeRules: (hand, step) =>
    oneByOneOn("invalidpermission.duplicate", step.rules, (rules) => authorize(hand, { ...step, rules })),

  revokeRules: (hand, step) =>
    oneByOneOn("invalidsecuritygroupruleid.notfound", step.ruleIds, (ruleIds) =>
      revoke(hand, { ...step, ruleIds }),
    ),

  createAclEntry: ({ ec2 }, { aclId, entry }) =>
    change(ec2.send(new CreateNetworkAclEntryCommand({ NetworkAclId: aclId, ...entryMembers(entry) }))),

  replaceAclEntry: ({ ec2 }, { aclId, entry }) =>
    change(ec2.send(new ReplaceNetworkAclEntryCommand({ NetworkAclId: aclId, ...entryMembers(entry) }))),

  deleteAclEntry: ({ ec2 }, { aclId, number, egress }) =>
    change(
      ec2.send(new DeleteNetworkAclEntryCommand({ NetworkAclId: aclId, RuleNumber: number, Egress: egress })),
      ["invalidnetworkaclentry.notfound", "invalidnetworkaclid.notfound"],
    ),

  acceptPeering: ({ ec2 }, { peeringId }) =>
    change(ec2.send(new AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId: peeringId }))),

  allowPeeringDns: ({ ec2 }, { peeringId }) =>
    change(
      ec2.send(
        new ModifyVpcPeeringConnectionOptionsCommand({
          VpcPeeringConnectionId: peeringId,
          AccepterPeeringConnectionOptions: { AllowDnsResolutionFromRemoteVpc: true },
        }),
      ),
    ),

  rejectPeering: ({ ec2 }, { peeringId }) =>
    change(
      ec2.send(new RejectVpcPeeringConnectionCommand({ VpcPeeringConnectionId: peeringId })),
      NO_PEERING,
    ),

  deletePeering: ({ ec2 }, { peeringId }) =>
    change(
      ec2.send(new DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId: peeringId })),
      NO_PEERING,
    ),
};

/** A route found in the world may have an IPv6 block or a prefix list where ours have an IPv4 block. */
function destinationMember(destination: string) {
  if (destination.startsWith("pl-")) return { DestinationPrefixListId: destination };
  if (destination.includes(":")) return { DestinationIpv6CidrBlock: destination };
  return { DestinationCidrBlock: destination };
}

function routeMembers({ destination, target }: RouteWish) {
  const DestinationCidrBlock = destination;
  switch (target.kind) {
    case "internetGateway":
      return { DestinationCidrBlock, GatewayId: target.id };
    case "natGateway":
      return { DestinationCidrBlock, NatGatewayId: target.id };
    case "peering":
      return { DestinationCidrBlock, VpcPeeringConnectionId: target.id };
  }
}

function entryMembers({ number, egress, protocol, action, cidr, ports, icmp }: AclEntry) {
  return {
    RuleNumber: number,
    Egress: egress,
    Protocol: protocol,
    RuleAction: action,
    ...(cidr.includes(":") ? { Ipv6CidrBlock: cidr } : { CidrBlock: cidr }),
    ...(ports && { PortRange: { From: ports.from, To: ports.to } }),
    ...(icmp && { IcmpTypeCode: { Type: icmp.type, Code: icmp.code } }),
  };
}

/**
 * AWS takes or refuses a batch of rules as a whole. When one of them is the cause (already there, already
 * gone), the others are still to be done: then each goes alone, and that one is success.
 */
async function oneByOneOn<Item>(
  code: string,
  items: readonly Item[],
  send: (batch: readonly Item[]) => Promise<unknown>,
): Promise<null> {
  try {
    await send(items);
  } catch (error) {
    if (!refusedWith(error, new Set([code]))) throw error;
    if (items.length > 1) for (const item of items) await change(send([item]), [code]);
  }
  return null;
}

function authorize(hand: Hand, { groupId, egress, rules }: StepOf<"authorizeRules">): Promise<unknown> {
  const input = {
    GroupId: groupId,
    IpPermissions: rules.map(permission),
    TagSpecifications: tagged(hand, "security-group-rule"),
  };
  return egress
    ? hand.ec2.send(new AuthorizeSecurityGroupEgressCommand(input))
    : hand.ec2.send(new AuthorizeSecurityGroupIngressCommand(input));
}

function revoke({ ec2 }: Hand, { groupId, egress, ruleIds }: StepOf<"revokeRules">): Promise<unknown> {
  const input = { GroupId: groupId, SecurityGroupRuleIds: [...ruleIds] };
  return egress
    ? ec2.send(new RevokeSecurityGroupEgressCommand(input))
    : ec2.send(new RevokeSecurityGroupIngressCommand(input));
}

function permission({ protocol, fromPort, toPort, source }: Rule): IpPermission {
  return { IpProtocol: protocol, FromPort: fromPort, ToPort: toPort, ...sourceMember(source) };
}

function sourceMember(source: string): IpPermission {
  if (source.startsWith("sg-")) return { UserIdGroupPairs: [{ GroupId: source }] };
  if (source.startsWith("pl-")) return { PrefixListIds: [{ PrefixListId: source }] };
  if (source.includes(":")) return { Ipv6Ranges: [{ CidrIpv6: source }] };
  return { IpRanges: [{ CidrIp: source }] };
}
