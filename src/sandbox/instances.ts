/**
 * Instances: hosts to attach to a subnet, without disks and without stopping. Promises an interface with an
 * address of the subnet, groups of its VPC, a public address where the subnet or the request says so, and that
 * the interface goes when the instance is terminated. User data is kept as it was sent, in base64.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { madeBefore } from "./clientTokens.ts";
import { AwsError } from "./errors.ts";
import { notFound, theInstance } from "./find.ts";
import { privateDnsName } from "./hostnames.ts";
import { INSTANCE_CODES, instanceState } from "./instanceStates.ts";
import { associationOf, groupsOf } from "./interfaces.ts";
import { launch } from "./launches.ts";
import { zoneName } from "./places.ts";
import { describe, type FilterMap } from "./query.ts";
import type { InstanceRow, InterfaceRow } from "./rows.ts";
import { tagSet } from "./tags.ts";
import type { Call, Ec2Handlers } from "./world.ts";

function stateOf(row: InstanceRow, now: number): { Name: ec2.InstanceStateName; Code: number } {
  const Name = instanceState(row, now);
  return { Name, Code: INSTANCE_CODES[Name] };
}

/** The interfaces it still has, the primary first. */
export function interfacesOf(call: Pick<Call, "tables">, row: InstanceRow): InterfaceRow[] {
  return row.interfaceIds
    .flatMap((id) => call.tables.interfaces.get(id) ?? [])
    .filter((one) => one.attachment?.instanceId === row.id)
    .sort((a, b) => (a.attachment?.deviceIndex ?? 0) - (b.attachment?.deviceIndex ?? 0));
}

function describedInterface(call: Call, row: InterfaceRow): ec2.InstanceNetworkInterface {
  const association = associationOf(call, row);
  const { PublicIp, PublicDnsName, IpOwnerId } = association ?? {};
  const Association = association && { PublicIp, PublicDnsName, IpOwnerId };
  const PrivateDnsName = privateDnsName(row.region, row.privateIp);
  const { attachment } = row;
  return {
    NetworkInterfaceId: row.id,
    InterfaceType: row.interfaceType,
    Description: row.description,
    OwnerId: row.account,
    Status: "in-use",
    VpcId: row.vpcId,
    SubnetId: row.subnetId,
    PrivateIpAddress: row.privateIp,
    PrivateDnsName,
    PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: row.privateIp, PrivateDnsName, Association }],
    Ipv6Addresses: [],
    MacAddress: row.macAddress,
    Groups: groupsOf(call, row),
    SourceDestCheck: row.sourceDestCheck,
    ...(Association ? { Association } : {}),
    ...(attachment
      ? {
          Attachment: {
            AttachmentId: attachment.id,
            AttachTime: new Date(attachment.at),
            DeleteOnTermination: attachment.deleteOnTermination,
            DeviceIndex: attachment.deviceIndex,
            NetworkCardIndex: 0,
            Status: "attached",
          },
        }
      : {}),
  };
}

function described(call: Call, row: InstanceRow): ec2.Instance {
  const interfaces = interfacesOf(call, row);
  const [primary] = interfaces;
  const subnet = call.tables.subnets.get(row.subnetId);
  return {
    InstanceId: row.id,
    ImageId: row.imageId,
    InstanceType: row.instanceType as ec2._InstanceType,
    AmiLaunchIndex: row.launchIndex,
    State: stateOf(row, call.now),
    LaunchTime: new Date(row.at),
    Architecture: "x86_64",
    VirtualizationType: "hvm",
    Hypervisor: "xen",
    RootDeviceType: "ebs",
    BlockDeviceMappings: [],
    ProductCodes: [],
    Monitoring: { State: "disabled" },
    Placement: { AvailabilityZone: subnet && zoneName(row.region, subnet.zoneId), Tenancy: "default" },
    NetworkInterfaces: interfaces.map((one) => describedInterface(call, one)),
    MetadataOptions: {
      State: "applied",
      HttpEndpoint: row.metadataOptions?.endpoint ?? "enabled",
      HttpTokens: row.metadataOptions?.tokens ?? "optional",
      HttpPutResponseHopLimit: 1,
      HttpProtocolIpv6: "disabled",
      InstanceMetadataTags: "disabled",
    },
    SecurityGroups: primary ? groupsOf(call, primary) : [],
    Tags: tagSet(row.tags),
    StateTransitionReason: row.terminateAskedAt === undefined ? "" : "User initiated",
    ...(row.clientToken ? { ClientToken: row.clientToken } : {}),
    ...(primary ? addressesOf(call, row, primary) : {}),
  };
}

/** A terminated instance shows neither its network nor its addresses. */
function addressesOf(call: Call, row: InstanceRow, primary: InterfaceRow): ec2.Instance {
  const { PublicIp: PublicIpAddress, PublicDnsName = "" } = associationOf(call, primary) ?? {};
  return {
    VpcId: row.vpcId,
    SubnetId: row.subnetId,
    PrivateIpAddress: primary.privateIp,
    PrivateDnsName: privateDnsName(row.region, primary.privateIp),
    PublicDnsName,
    SourceDestCheck: primary.sourceDestCheck,
    ...(PublicIpAddress ? { PublicIpAddress } : {}),
  };
}

/** Instances of one RunInstances call are answered together. */
function reservations(call: Call, rows: readonly InstanceRow[]): ec2.Reservation[] {
  const groups = Map.groupBy(rows, (row) => row.reservationId);
  return [...groups].map(([ReservationId, members]) => ({
    ReservationId,
    OwnerId: call.account,
    Groups: [],
    Instances: members.toSorted((a, b) => a.launchIndex - b.launchIndex).map((row) => described(call, row)),
  }));
}

function filters(call: Call): FilterMap<InstanceRow> {
  const seen = (row: InstanceRow) => described(call, row);
  const interfaces = (row: InstanceRow) => interfacesOf(call, row);
  return {
    architecture: () => "x86_64",
    "availability-zone": (row) => seen(row).Placement?.AvailabilityZone,
    "client-token": (row) => row.clientToken,
    "dns-name": (row) => seen(row).PublicDnsName,
    "image-id": (row) => row.imageId,
    "instance-id": (row) => row.id,
    "instance-state-code": (row) => stateOf(row, call.now).Code,
    "instance-state-name": (row) => stateOf(row, call.now).Name,
    "instance-type": (row) => row.instanceType,
    "instance.group-id": (row) => interfaces(row).flatMap((one) => one.groupIds),
    "instance.group-name": (row) => seen(row).SecurityGroups?.map((one) => one.GroupName),
    "ip-address": (row) => seen(row).PublicIpAddress,
    "launch-index": (row) => row.launchIndex,
    "launch-time": (row) => new Date(row.at).toISOString(),
    "network-interface.addresses.private-ip-address": (row) => interfaces(row).map((one) => one.privateIp),
    "network-interface.group-id": (row) => interfaces(row).flatMap((one) => one.groupIds),
    "network-interface.network-interface-id": (row) => interfaces(row).map((one) => one.id),
    "network-interface.subnet-id": (row) => interfaces(row).map((one) => one.subnetId),
    "network-interface.vpc-id": (row) => interfaces(row).map((one) => one.vpcId),
    "owner-id": (row) => row.account,
    "private-dns-name": (row) => seen(row).PrivateDnsName,
    "private-ip-address": (row) => seen(row).PrivateIpAddress,
    "reservation-id": (row) => row.reservationId,
    "source-dest-check": (row) => seen(row).SourceDestCheck,
    "subnet-id": (row) => seen(row).SubnetId,
    "vpc-id": (row) => seen(row).VpcId,
  };
}

function terminated(call: Call, id: string): ec2.InstanceStateChange {
  const row = theInstance(call, id);
  const PreviousState = stateOf(row, call.now);
  const asked =
    row.terminateAskedAt === undefined
      ? { terminateAskedAt: call.now, terminatedAt: call.now + call.settings.instanceTerminatingMs }
      : {};
  const now = call.tables.instances.put({ ...row, ...asked });
  return { InstanceId: row.id, PreviousState, CurrentState: stateOf(now, call.now) };
}

export const instanceHandlers = {
  RunInstances(call, input) {
    const before = madeBefore(call.tables.instances.list(call), input);
    const [reservation] = reservations(call, before.length > 0 ? before : launch(call, input));
    return { ...reservation };
  },

  DescribeInstances(call, input) {
    const { rows, NextToken } = describe(call, input, {
      rows: call.tables.instances.list(call),
      ids: input.InstanceIds,
      notFound: (ids) => notFound("i", ids),
      filters: filters(call),
    });
    return { Reservations: reservations(call, rows), NextToken };
  },

  TerminateInstances(call, input) {
    const ids = input.InstanceIds ?? [];
    for (const id of ids) theInstance(call, id);
    return { TerminatingInstances: ids.map((id) => terminated(call, id)) };
  },

  DescribeInstanceAttribute(call, input) {
    const row = theInstance(call, input.InstanceId);
    const [primary] = interfacesOf(call, row);
    const InstanceId = row.id;
    switch (input.Attribute) {
      case "userData":
        return { InstanceId, UserData: row.userData ? { Value: row.userData } : {} };
      case "instanceType":
        return { InstanceId, InstanceType: { Value: row.instanceType } };
      case "groupSet":
        return { InstanceId, Groups: primary ? groupsOf(call, primary) : [] };
      case "sourceDestCheck":
        return { InstanceId, SourceDestCheck: { Value: primary?.sourceDestCheck ?? true } };
      default:
        throw new AwsError(
          "InvalidParameterValue",
          `Value (${input.Attribute}) for parameter attribute is invalid.`,
        );
    }
  },
} satisfies Ec2Handlers;
