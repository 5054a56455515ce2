/**
 * Network interfaces as their owner sees and changes them. Promises that what a service made (a NAT gateway's
 * interface, say) is shown but not the owner's to touch, and that nothing in use is deleted.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { addressOn } from "./addresses.ts";
import { madeBefore, tokenOf } from "./clientTokens.ts";
import { AwsError } from "./errors.ts";
import { notFound, theInstance, theInterface, theSubnet } from "./find.ts";
import { hasHostnames, privateDnsName, publicDnsName } from "./hostnames.ts";
import { instanceState } from "./instanceStates.ts";
import { detached, groupsFor, newInterface, removeInterface } from "./interfaceRows.ts";
import { zoneName } from "./places.ts";
import { describe, type FilterMap } from "./query.ts";
import type { InterfaceRow } from "./rows.ts";
import { tagSet, tagsFor } from "./tags.ts";
import type { Call, Ec2Handlers } from "./world.ts";

/** The public address on the interface, elastic or of AWS's choice, and its name if the VPC gives names. */
export function associationOf(
  call: Pick<Call, "tables">,
  row: InterfaceRow,
): ec2.NetworkInterfaceAssociation | undefined {
  const address = addressOn(call, row);
  const PublicIp = address?.publicIp ?? row.autoPublicIp;
  if (PublicIp === undefined) return undefined;
  const isNamed = hasHostnames(call.tables.vpcs.get(row.vpcId));
  const PublicDnsName = isNamed ? publicDnsName(row.region, PublicIp) : "";
  if (!address) return { IpOwnerId: "amazon", PublicIp, PublicDnsName };
  return {
    AllocationId: address.id,
    AssociationId: address.associationId,
    IpOwnerId: address.account,
    PublicIp,
    PublicDnsName,
  };
}

export function groupsOf(call: Pick<Call, "tables">, row: InterfaceRow): ec2.GroupIdentifier[] {
  return row.groupIds.map((GroupId) => ({
    GroupId,
    GroupName: call.tables.securityGroups.get(GroupId)?.name,
  }));
}

function attachmentOf(row: InterfaceRow): ec2.NetworkInterfaceAttachment | undefined {
  const { attachment: at } = row;
  if (!at) return undefined;
  return {
    AttachmentId: at.id,
    AttachTime: new Date(at.at),
    DeleteOnTermination: at.deleteOnTermination,
    DeviceIndex: at.deviceIndex,
    NetworkCardIndex: 0,
    InstanceOwnerId: at.ownerId,
    Status: "attached",
    ...(at.instanceId ? { InstanceId: at.instanceId } : {}),
  };
}

function described(call: Call, row: InterfaceRow): ec2.NetworkInterface {
  const Association = associationOf(call, row);
  const Attachment = attachmentOf(row);
  const subnet = call.tables.subnets.get(row.subnetId);
  const PrivateDnsName = privateDnsName(row.region, row.privateIp);
  const primary = { Primary: true, PrivateIpAddress: row.privateIp, PrivateDnsName };
  return {
    NetworkInterfaceId: row.id,
    Status: Attachment ? "in-use" : "available",
    InterfaceType: row.interfaceType as ec2.NetworkInterfaceType,
    Description: row.description,
    OwnerId: row.account,
    VpcId: row.vpcId,
    SubnetId: row.subnetId,
    ...(subnet
      ? { AvailabilityZone: zoneName(call.region, subnet.zoneId), AvailabilityZoneId: subnet.zoneId }
      : {}),
    PrivateIpAddress: row.privateIp,
    PrivateDnsName,
    PrivateIpAddresses: [{ ...primary, ...(Association ? { Association } : {}) }],
    Ipv6Addresses: [],
    MacAddress: row.macAddress,
    Groups: groupsOf(call, row),
    RequesterManaged: row.requesterManaged,
    ...(row.requesterId ? { RequesterId: row.requesterId } : {}),
    SourceDestCheck: row.sourceDestCheck,
    TagSet: tagSet(row.tags),
    ...(Association ? { Association } : {}),
    ...(Attachment ? { Attachment } : {}),
  };
}

function filters(call: Call): FilterMap<InterfaceRow> {
  const seen = (row: InterfaceRow) => described(call, row);
  return {
    "addresses.association.public-ip": (row) => associationOf(call, row)?.PublicIp,
    "addresses.primary": () => true,
    "addresses.private-ip-address": (row) => row.privateIp,
    "association.allocation-id": (row) => associationOf(call, row)?.AllocationId,
    "association.association-id": (row) => associationOf(call, row)?.AssociationId,
    "association.ip-owner-id": (row) => associationOf(call, row)?.IpOwnerId,
    "association.public-dns-name": (row) => associationOf(call, row)?.PublicDnsName,
    "association.public-ip": (row) => associationOf(call, row)?.PublicIp,
    "attachment.attach-time": (row) => seen(row).Attachment?.AttachTime?.toISOString(),
    "attachment.attachment-id": (row) => row.attachment?.id,
    "attachment.delete-on-termination": (row) => row.attachment?.deleteOnTermination,
    "attachment.device-index": (row) => row.attachment?.deviceIndex,
    "attachment.instance-id": (row) => row.attachment?.instanceId,
    "attachment.instance-owner-id": (row) => row.attachment?.ownerId,
    "attachment.status": (row) => seen(row).Attachment?.Status,
    "availability-zone": (row) => seen(row).AvailabilityZone,
    "availability-zone-id": (row) => seen(row).AvailabilityZoneId,
    description: (row) => row.description,
    "group-id": (row) => row.groupIds,
    "group-name": (row) => groupsOf(call, row).map((group) => group.GroupName),
    "interface-type": (row) => row.interfaceType,
    "mac-address": (row) => row.macAddress,
    "network-interface-id": (row) => row.id,
    "owner-id": (row) => row.account,
    "private-dns-name": (row) => privateDnsName(row.region, row.privateIp),
    "private-ip-address": (row) => row.privateIp,
    "requester-id": (row) => row.requesterId,
    "requester-managed": (row) => row.requesterManaged,
    "source-dest-check": (row) => row.sourceDestCheck,
    status: (row) => seen(row).Status,
    "subnet-id": (row) => row.subnetId,
    "vpc-id": (row) => row.vpcId,
  };
}

function created(call: Call, input: ec2.CreateNetworkInterfaceRequest): InterfaceRow {
  const tags = tagsFor(input.TagSpecifications, "network-interface");
  const subnet = theSubnet(call, input.SubnetId);
  const [first, ...more] = input.PrivateIpAddresses ?? [];
  if (more.length > 0 || input.SecondaryPrivateIpAddressCount || (input.Ipv6AddressCount ?? 0) > 0)
    throw new AwsError("UnsupportedOperation", "Secondary and IPv6 addresses are not part of this sandbox.");
  const groupIds = groupsFor(call, subnet.vpcId, input.Groups);
  const privateIp = input.PrivateIpAddress ?? first?.PrivateIpAddress;
  const row = newInterface(call, { subnet, privateIp, description: input.Description, groupIds, tags });
  return call.tables.interfaces.put({ ...row, ...tokenOf(input) });
}

/** The owner's own interface; what a service manages is refused. */
function managedByOwner(call: Call, id: string | undefined): InterfaceRow {
  const row = theInterface(call, id);
  if (row.requesterManaged)
    throw new AwsError(
      "OperationNotPermitted",
      `You do not have permission to access the specified resource: ${row.id} is managed by ${row.requesterId}.`,
    );
  return row;
}

function attach(call: Call, input: ec2.AttachNetworkInterfaceRequest): InterfaceRow {
  const row = managedByOwner(call, input.NetworkInterfaceId);
  const instance = theInstance(call, input.InstanceId);
  const { DeviceIndex: deviceIndex = 0 } = input;
  if (row.attachment) throw new AwsError("InvalidNetworkInterface.InUse", `Interface: [${row.id}] in use.`);
  const state = instanceState(instance, call.now);
  if (state !== "running" && state !== "pending")
    throw new AwsError("IncorrectState", `Instance '${instance.id}' is not in a state to be attached to.`);
  const [mine, theirs] = [row.subnetId, instance.subnetId].map((id) => call.tables.subnets.get(id)?.zoneId);
  if (mine !== theirs)
    throw new AwsError(
      "InvalidParameterCombination",
      "You may not attach a network interface to an instance if they are not in the same availability zone",
    );
  const taken = instance.interfaceIds.some(
    (id) => call.tables.interfaces.get(id)?.attachment?.deviceIndex === deviceIndex,
  );
  if (taken)
    throw new AwsError(
      "InvalidParameterValue",
      `Instance '${instance.id}' already has an interface attached at device index '${deviceIndex}'.`,
    );
  call.tables.instances.put({ ...instance, interfaceIds: [...instance.interfaceIds, row.id] });
  return call.tables.interfaces.put({
    ...row,
    attachment: {
      id: call.newId("eni-attach"),
      instanceId: instance.id,
      ownerId: call.account,
      deviceIndex,
      at: call.now,
      deleteOnTermination: false,
    },
  });
}

function detach(call: Call, attachmentId: string | undefined): void {
  const row = call.tables.interfaces.list(call).find((one) => one.attachment?.id === attachmentId);
  if (!row?.attachment)
    throw new AwsError("InvalidAttachmentID.NotFound", `The attachment '${attachmentId}' does not exist`);
  if (row.requesterManaged)
    throw new AwsError("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.");
  if (row.attachment.deviceIndex === 0)
    throw new AwsError(
      "OperationNotPermitted",
      "The network interface at device index 0 cannot be detached.",
    );
  const instance = call.tables.instances.get(row.attachment.instanceId ?? "");
  const interfaceIds = instance?.interfaceIds.filter((id) => id !== row.id);
  if (instance && interfaceIds) call.tables.instances.put({ ...instance, interfaceIds });
  call.tables.interfaces.put(detached(row));
}

/** AWS changes one attribute a call. */
function modified(call: Call, input: ec2.ModifyNetworkInterfaceAttributeRequest): InterfaceRow {
  const row = managedByOwner(call, input.NetworkInterfaceId);
  const asked = [input.Description, input.SourceDestCheck, input.Groups, input.Attachment];
  if (asked.filter((one) => one !== undefined).length !== 1)
    throw new AwsError("InvalidParameterCombination", "Exactly one attribute must be specified");
  if (input.Groups) return { ...row, groupIds: groupsFor(call, row.vpcId, input.Groups) };
  if (input.Description) return { ...row, description: input.Description.Value ?? "" };
  if (input.SourceDestCheck)
    return { ...row, sourceDestCheck: input.SourceDestCheck.Value ?? row.sourceDestCheck };
  const { AttachmentId: id, DeleteOnTermination: gone } = input.Attachment ?? {};
  if (!row.attachment || row.attachment.id !== id)
    throw new AwsError("InvalidAttachmentID.NotFound", `The attachment '${id}' does not exist`);
  const deleteOnTermination = gone ?? row.attachment.deleteOnTermination;
  return { ...row, attachment: { ...row.attachment, deleteOnTermination } };
}

function attribute(call: Call, row: InterfaceRow, name: string | undefined) {
  const NetworkInterfaceId = row.id;
  const Attachment = attachmentOf(row);
  switch (name) {
    case "description":
      return { NetworkInterfaceId, Description: { Value: row.description } };
    case "groupSet":
      return { NetworkInterfaceId, Groups: groupsOf(call, row) };
    case "sourceDestCheck":
      return { NetworkInterfaceId, SourceDestCheck: { Value: row.sourceDestCheck } };
    case "attachment":
      return { NetworkInterfaceId, ...(Attachment ? { Attachment } : {}) };
    default:
      throw new AwsError("InvalidParameterValue", `Value (${name}) for parameter attribute is invalid.`);
  }
}

export const interfaceHandlers = {
  CreateNetworkInterface(call, input) {
    const [before] = madeBefore(call.tables.interfaces.list(call), input);
    const row = before ?? created(call, input);
    return { NetworkInterface: described(call, row), ClientToken: input.ClientToken };
  },

  DeleteNetworkInterface(call, input) {
    const row = managedByOwner(call, input.NetworkInterfaceId);
    if (row.attachment)
      throw new AwsError(
        "InvalidNetworkInterface.InUse",
        `Network interface '${row.id}' is currently in use.`,
      );
    removeInterface(call, row.id);
    return {};
  },

  AttachNetworkInterface(call, input) {
    const row = attach(call, input);
    return { AttachmentId: row.attachment?.id, NetworkCardIndex: 0 };
  },

  DetachNetworkInterface(call, input) {
    detach(call, input.AttachmentId);
    return {};
  },

  DescribeNetworkInterfaces(call, input) {
    const { rows, NextToken } = describe(call, input, {
      rows: call.tables.interfaces.list(call),
      ids: input.NetworkInterfaceIds,
      notFound: (ids) => notFound("eni", ids),
      filters: filters(call),
    });
    return { NetworkInterfaces: rows.map((row) => described(call, row)), NextToken };
  },

  ModifyNetworkInterfaceAttribute(call, input) {
    call.tables.interfaces.put(modified(call, input));
    return {};
  },

  DescribeNetworkInterfaceAttribute(call, input) {
    return attribute(call, theInterface(call, input.NetworkInterfaceId), input.Attribute);
  },
} satisfies Ec2Handlers;
