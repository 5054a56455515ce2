/**
 * Making and removing interface rows, for every noun that puts an interface into a subnet: NAT gateways,
 * instances, clusters, functions, and users themselves. Promises a free address of the subnet, and that an
 * interface never goes without freeing the elastic IP on it.
 */
import { createHash } from "node:crypto";
import { addressCount } from "../domain/cidr.ts";
import { freeAddressOn } from "./addresses.ts";
import { AwsError } from "./errors.ts";
import { privateAddress, RESERVED_ADDRESSES, usedAddresses } from "./find.ts";
import { withinQuota } from "./quotas.ts";
import type { InterfaceRow, SubnetRow } from "./rows.ts";
import type { Tag } from "./state.ts";
import { seen } from "./visibility.ts";
import type { Call } from "./world.ts";

export interface NewInterface {
  readonly subnet: SubnetRow;
  /** A free address of the subnet when undefined. */
  readonly privateIp?: string | undefined;
  readonly description?: string | undefined;
  readonly groupIds?: readonly string[];
  /** "interface" unless a service makes it. */
  readonly interfaceType?: string;
  /** Set = managed by a service, not by its owner. */
  readonly requesterId?: string;
  readonly sourceDestCheck?: boolean;
  readonly attachment?: InterfaceRow["attachment"];
  readonly tags?: readonly Tag[];
}

/** A row for `tables.interfaces.put`; NetworkInterfaceLimitExceeded and the errors of `privateAddress`. */
export function newInterface(call: Call, spec: NewInterface): InterfaceRow {
  checkQuota(call, spec.subnet.zoneId);
  const id = call.newId("eni");
  return {
    id,
    account: call.account,
    region: call.region,
    at: call.now,
    tags: spec.tags ?? [],
    vpcId: spec.subnet.vpcId,
    subnetId: spec.subnet.id,
    privateIp: privateAddress(call, spec.subnet.id, spec.privateIp),
    description: spec.description ?? "",
    groupIds: spec.groupIds ?? [],
    interfaceType: spec.interfaceType ?? "interface",
    requesterManaged: spec.requesterId !== undefined,
    ...(spec.requesterId ? { requesterId: spec.requesterId } : {}),
    sourceDestCheck: spec.sourceDestCheck ?? true,
    macAddress: macAddress(id),
    ...(spec.attachment ? { attachment: spec.attachment } : {}),
  };
}

/** An interface's attachment to something of AWS's own. */
export function serviceAttachment(call: Call): NonNullable<InterfaceRow["attachment"]> {
  return {
    id: call.newId("ela-attach"),
    ownerId: "amazon-aws",
    deviceIndex: 1,
    at: call.now,
    deleteOnTermination: false,
  };
}

function checkQuota(call: Call, zoneId: string): void {
  withinQuota({
    count: 1,
    quota: interfacesLeft(call, zoneId),
    code: "NetworkInterfaceLimitExceeded",
    what: "network interfaces",
  });
}

/** How many more interfaces the account may have in the zone. */
function interfacesLeft(call: Call, zoneId: string): number {
  const rows = call.tables.interfaces.list(call);
  const inZone = rows.filter((row) => call.tables.subnets.get(row.subnetId)?.zoneId === zoneId);
  return call.settings.interfacesQuota - inZone.length;
}

/** Why that many interfaces more cannot be in the subnet; undefined when they can. */
export function cannotHold(
  call: Call,
  subnet: SubnetRow,
  count: number,
): "noAddresses" | "overQuota" | undefined {
  const free = addressCount(subnet.cidr) - RESERVED_ADDRESSES - usedAddresses(call, subnet.id).size;
  if (count > free) return "noAddresses";
  return count > interfacesLeft(call, subnet.zoneId) ? "overQuota" : undefined;
}

/** A locally administered address that depends on the id alone. */
function macAddress(id: string): string {
  const hash = createHash("sha256").update(id).digest("hex");
  const pairs = [0, 2, 4, 6, 8].map((at) => hash.slice(at, at + 2));
  return ["02", ...pairs].join(":");
}

/** Takes the interface away with the elastic IP's association; nothing when it is gone already. */
export function removeInterface(call: Pick<Call, "tables">, id: string): void {
  const row = call.tables.interfaces.get(id);
  if (!row) return;
  freeAddressOn(call, row);
  call.tables.interfaces.delete(id);
}

export function detached(row: InterfaceRow): InterfaceRow {
  const { attachment: _, ...rest } = row;
  return rest;
}

/** The VPC's default group, which an interface is in when nothing else is asked for. */
export function defaultGroup(call: Call, vpcId: string): string[] {
  const groups = call.tables.securityGroups.list(call);
  return groups.filter((one) => one.vpcId === vpcId && one.name === "default").map((one) => one.id);
}

/**
 * The groups for an interface in that VPC: those asked for, all of the VPC; the VPC's default group when none
 * is asked for. Codes: InvalidGroup.NotFound, InvalidParameterValue for a group of another VPC.
 */
export function groupsFor(call: Call, vpcId: string, asked: readonly string[] | undefined): string[] {
  if (!asked?.length) return defaultGroup(call, vpcId);
  const groups = call.tables.securityGroups.list(call);
  for (const id of asked) {
    const group = seen(call, groups).find((one) => one.id === id);
    if (!group) throw new AwsError("InvalidGroup.NotFound", `The security group '${id}' does not exist`);
    if (group.vpcId !== vpcId)
      throw new AwsError(
        "InvalidParameterValue",
        `Security group ${id} and network ${vpcId} belong to different networks.`,
      );
  }
  withinQuota({
    count: new Set(asked).size,
    quota: call.settings.groupsPerInterfaceQuota,
    code: "SecurityGroupsPerInterfaceLimitExceeded",
    what: "security groups per interface",
  });
  return [...new Set(asked)];
}
