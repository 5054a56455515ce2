/**
 * The instance metadata that an instance reads, as a tree of names: what the rows say, under AWS's own names.
 * What the sandbox has not (roles, keys, disks, tags, signatures) is not in it.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html
 */
import { privateDnsName } from "../hostnames.ts";
import { interfacesOf } from "../instances.ts";
import { associationOf, groupsOf } from "../interfaces.ts";
import { blocksOf } from "../peeringStates.ts";
import { zoneName } from "../places.ts";
import type { InstanceRow, InterfaceRow } from "../rows.ts";
import type { Look } from "./reading.ts";

/** A folder; undefined entries are not there. */
export interface Tree {
  readonly [name: string]: string | Tree | undefined;
}

/** What lies under `/latest`. */
export function metadataTree(look: Look, instance: InstanceRow): Tree {
  const { userData } = instance;
  return {
    dynamic: { "instance-identity": { document: identityDocument(look, instance) } },
    "meta-data": metaData(look, instance),
    "user-data": userData === undefined ? undefined : Buffer.from(userData, "base64").toString("latin1"),
  };
}

function metaData(look: Look, instance: InstanceRow): Tree {
  const interfaces = interfacesOf(look, instance);
  const primary = interfaces[0] ? interfaceTree(look, interfaces[0]) : {};
  return {
    "ami-id": instance.imageId,
    "ami-launch-index": String(instance.launchIndex),
    hostname: primary["local-hostname"],
    "instance-action": "none",
    "instance-id": instance.id,
    "instance-life-cycle": "on-demand",
    "instance-type": instance.instanceType,
    "local-hostname": primary["local-hostname"],
    "local-ipv4": primary["local-ipv4s"],
    mac: primary.mac,
    network: {
      interfaces: {
        macs: Object.fromEntries(interfaces.map((row) => [row.macAddress, interfaceTree(look, row)])),
      },
    },
    placement: placement(look, instance),
    "public-hostname": primary["public-hostname"],
    "public-ipv4": primary["public-ipv4s"],
    "reservation-id": instance.reservationId,
    "security-groups": primary["security-groups"],
    services: { domain: "amazonaws.com", partition: "aws" },
  };
}

function placement({ tables }: Look, { region, subnetId }: InstanceRow): Tree {
  const zoneId = tables.subnets.get(subnetId)?.zoneId;
  return {
    "availability-zone": zoneId && zoneName(region, zoneId),
    "availability-zone-id": zoneId,
    region,
  };
}

function interfaceTree(look: Look, row: InterfaceRow): Tree {
  const { tables } = look;
  const vpc = tables.vpcs.get(row.vpcId);
  const { PublicIp: publicIp, PublicDnsName: publicName } = associationOf(look, row) ?? {};
  const groups = groupsOf(look, row);
  return {
    "device-number": String(row.attachment?.deviceIndex ?? 0),
    "interface-id": row.id,
    "ipv4-associations": publicIp === undefined ? undefined : { [publicIp]: row.privateIp },
    "local-hostname": privateDnsName(row.region, row.privateIp),
    "local-ipv4s": row.privateIp,
    mac: row.macAddress,
    "owner-id": row.account,
    "public-hostname": publicName || undefined,
    "public-ipv4s": publicIp,
    "security-group-ids": groups.map((group) => group.GroupId).join("\n"),
    "security-groups": groups.map((group) => group.GroupName).join("\n"),
    "subnet-id": row.subnetId,
    "subnet-ipv4-cidr-block": tables.subnets.get(row.subnetId)?.cidr,
    "vpc-id": row.vpcId,
    "vpc-ipv4-cidr-block": vpc?.cidr,
    "vpc-ipv4-cidr-blocks": blocksOf(vpc).join("\n"),
  };
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html */
function identityDocument(look: Look, instance: InstanceRow): string {
  const [primary] = interfacesOf(look, instance);
  const document = {
    accountId: instance.account,
    architecture: "x86_64",
    availabilityZone: placement(look, instance)["availability-zone"],
    billingProducts: null,
    devpayProductCodes: null,
    imageId: instance.imageId,
    instanceId: instance.id,
    instanceType: instance.instanceType,
    kernelId: null,
    marketplaceProductCodes: null,
    pendingTime: new Date(instance.at).toISOString().replace(/\.\d+Z$/, "Z"),
    privateIp: primary?.privateIp,
    ramdiskId: null,
    region: instance.region,
    version: "2017-09-30",
  };
  return JSON.stringify(document, null, 2);
}
