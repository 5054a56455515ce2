/** Rows for tests of what is a pure function of them, as small as they can be: two accounts, three VPCs. */
import { cidr } from "../../../domain/cidr.ts";
import type * as rows from "../../rows.ts";
import type { FunctionRow } from "../../serviceRows.ts";
import { Tables } from "../../world.ts";
import type { Look } from "../reading.ts";

export const NOW = Date.UTC(2026, 0, 1);

const AT = { account: "111111111111", region: "us-east-1", at: NOW - 60_000, tags: [] };

export function vpcRow(id: string, block: string, own: Partial<rows.VpcRow> = {}): rows.VpcRow {
  return {
    ...AT,
    id,
    cidr: cidr(block),
    secondary: [],
    primaryAssociationId: `vpc-cidr-assoc-${id}`,
    isDefault: false,
    availableAt: NOW - 60_000,
    tenancy: "default",
    dnsSupport: true,
    dnsHostnames: true,
    networkAddressUsageMetrics: false,
    ...own,
  };
}

export function subnetRow(id: string, vpcId: string, block: string): rows.SubnetRow {
  return {
    ...AT,
    id,
    vpcId,
    cidr: cidr(block),
    zoneId: "use1-az1",
    isDefault: false,
    mapPublicIpOnLaunch: false,
    dns64: false,
    assignIpv6AddressOnCreation: false,
    hostnameType: "ip-name",
    resourceNameDnsA: false,
    resourceNameDnsAaaa: false,
  };
}

export function interfaceRow(
  id: string,
  vpcId: string,
  own: Partial<rows.InterfaceRow> & { readonly privateIp: string },
): rows.InterfaceRow {
  return {
    ...AT,
    id,
    vpcId,
    subnetId: "subnet-1",
    description: "",
    groupIds: [],
    interfaceType: "interface",
    requesterManaged: false,
    sourceDestCheck: true,
    macAddress: "02:00:00:00:00:01",
    ...own,
  };
}

export function instanceRow(id: string, own: Partial<rows.InstanceRow> = {}): rows.InstanceRow {
  return {
    ...AT,
    id,
    vpcId: "vpc-1",
    subnetId: "subnet-1",
    imageId: "ami-12345678",
    instanceType: "t3.micro",
    reservationId: "r-1",
    interfaceIds: [],
    launchIndex: 0,
    runningAt: NOW - 1_000,
    ...own,
  };
}

/** Active, in no VPC. */
export function functionRow(name: string, own: Partial<FunctionRow> = {}): FunctionRow {
  return {
    ...AT,
    id: `arn:aws:lambda:${AT.region}:${AT.account}:function:${name}`,
    name,
    runtime: "nodejs22.x",
    role: `arn:aws:iam::${AT.account}:role/functions`,
    handler: "index.handler",
    description: "",
    timeoutS: 3,
    memoryMiB: 128,
    storageMiB: 512,
    architecture: "x86_64",
    codeId: `code-${name}`,
    codeSha256: "",
    codeSize: 1,
    revisionId: `revision-${name}`,
    modifiedAt: NOW - 60_000,
    interfaceIds: [],
    activeAt: NOW - 1_000,
    ...own,
  };
}

export function addressRow(publicIp: string, own: Partial<rows.AddressRow> = {}): rows.AddressRow {
  return { ...AT, id: `eipalloc-${publicIp}`, publicIp, ...own };
}

interface End {
  readonly vpc: rows.VpcRow;
  readonly dnsFromRemote: boolean;
}

/** An active peering. */
export function peeringRow(id: string, requester: End, accepter: End): rows.PeeringRow {
  const side = ({ vpc: { account, region, id: vpcId }, dnsFromRemote }: End) => ({
    account,
    region,
    vpcId,
    dnsFromRemote,
  });
  return {
    ...AT,
    id,
    requester: side(requester),
    accepter: side(accepter),
    accepterTags: [],
    pendingAt: NOW - 50_000,
    expiresAt: NOW + 1_000_000,
    acceptedAt: NOW - 40_000,
    activeAt: NOW - 30_000,
  };
}

export function lookAt(fill: (tables: Tables) => void): Look {
  const tables = new Tables();
  fill(tables);
  return { tables, now: NOW };
}
