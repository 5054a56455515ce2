/**
 * Regions and zones, and what an account is told about itself. Promises AWS's real zone ids, in the order of
 * the zone names; AWS shuffles names between accounts, here every account has the same. Refuses regions that
 * are not in its table. https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
 */
import { createHash } from "node:crypto";
import type * as ec2 from "@aws-sdk/client-ec2";
import { AwsError } from "./errors.ts";
import { describe, matching } from "./query.ts";
import type { Place, Row } from "./state.ts";
import type { Call, Ec2Handlers } from "./world.ts";

interface Region {
  readonly longName: string;
  /** What its zone ids begin with. */
  readonly short: string;
  /** Letter of the zone's name and number of its id. */
  readonly zones: readonly (readonly [letter: string, number: number])[];
}

function region(longName: string, short: string, zones = "a1 b2 c3"): Region {
  return {
    longName,
    short,
    zones: zones.split(" ").map((zone) => [zone.charAt(0), Number(zone.slice(1))] as const),
  };
}

const REGIONS: Readonly<Record<string, Region>> = {
  "ap-northeast-1": region("Asia Pacific (Tokyo)", "apne1", "a4 c1 d2"),
  "ap-northeast-2": region("Asia Pacific (Seoul)", "apne2", "a1 b2 c3 d4"),
  "ap-northeast-3": region("Asia Pacific (Osaka)", "apne3"),
  "ap-south-1": region("Asia Pacific (Mumbai)", "aps1"),
  "ap-southeast-1": region("Asia Pacific (Singapore)", "apse1"),
  "ap-southeast-2": region("Asia Pacific (Sydney)", "apse2"),
  "ca-central-1": region("Canada (Central)", "cac1", "a1 b2 d4"),
  "eu-central-1": region("Europe (Frankfurt)", "euc1"),
  "eu-north-1": region("Europe (Stockholm)", "eun1"),
  "eu-west-1": region("Europe (Ireland)", "euw1"),
  "eu-west-2": region("Europe (London)", "euw2"),
  "eu-west-3": region("Europe (Paris)", "euw3"),
  "sa-east-1": region("South America (Sao Paulo)", "sae1"),
  "us-east-1": region("US East (N. Virginia)", "use1", "a1 b2 c3 d4 e5 f6"),
  "us-east-2": region("US East (Ohio)", "use2"),
  "us-west-1": region("US West (N. California)", "usw1", "a1 c3"),
  "us-west-2": region("US West (Oregon)", "usw2", "a1 b2 c3 d4"),
};

export interface Zone {
  /** `us-east-1a` */
  readonly name: string;
  /** `use1-az1` */
  readonly id: string;
  readonly region: string;
}

export function isRegion(name: string): boolean {
  return Object.hasOwn(REGIONS, name);
}

export const REGION_NAMES: readonly string[] = Object.keys(REGIONS);

/** The region's zones in order of name; none for a region that does not exist. */
export function zonesOf(name: string): Zone[] {
  const found = isRegion(name) ? REGIONS[name] : undefined;
  return (found?.zones ?? []).map(([letter, number]) => ({
    name: `${name}${letter}`,
    id: `${found?.short}-az${number}`,
    region: name,
  }));
}

/** The name of the zone with that id; the id itself if there is none. */
export function zoneName(regionName: string, id: string): string {
  return zonesOf(regionName).find((zone) => zone.id === id)?.name ?? id;
}

/** The id of the account's one DHCP options set in the region, which is AWS's default set. */
export function dhcpOptionsId({ account, region: name }: Place): string {
  const hash = createHash("sha256").update(`dopt ${account} ${name}`).digest("hex");
  return `dopt-0${hash.slice(0, 16)}`;
}

function describedZone(zone: Zone): ec2.AvailabilityZone {
  return {
    OptInStatus: "opt-in-not-required",
    Messages: [],
    RegionName: zone.region,
    ZoneName: zone.name,
    ZoneId: zone.id,
    GroupName: `${zone.region}-zg-1`,
    GroupLongName: `${REGIONS[zone.region]?.longName} 1`,
    NetworkBorderGroup: zone.region,
    ZoneType: "availability-zone",
    State: "available",
  };
}

function describedRegion(name: string): ec2.Region {
  return {
    RegionName: name,
    Endpoint: `ec2.${name}.amazonaws.com`,
    OptInStatus: "opt-in-not-required",
  };
}

/** The values asked for, all of which must be among those there are. */
function named<T>(
  all: T[],
  asked: readonly string[] | undefined,
  of: { name(one: T): string; what: string },
): T[] {
  if (!asked?.length) return all;
  const unknown = asked.filter((name) => !all.some((one) => of.name(one) === name));
  if (unknown.length > 0)
    throw new AwsError("InvalidParameterValue", `Invalid ${of.what}: [${unknown.join(", ")}]`);
  return all.filter((one) => asked.includes(of.name(one)));
}

function dhcpOptions(place: Place): ec2.DhcpOptions {
  const domain = place.region === "us-east-1" ? "ec2.internal" : `${place.region}.compute.internal`;
  return {
    DhcpOptionsId: dhcpOptionsId(place),
    OwnerId: place.account,
    Tags: [],
    DhcpConfigurations: [
      { Key: "domain-name", Values: [{ Value: domain }] },
      { Key: "domain-name-servers", Values: [{ Value: "AmazonProvidedDNS" }] },
    ],
  };
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAccountAttributes.html */
function accountAttributes({ settings, tables, ...place }: Call): Readonly<Record<string, string>> {
  const addresses = String(settings.addressesQuota);
  return {
    "supported-platforms": "VPC",
    "default-vpc": tables.vpcs.list(place).find((row) => row.isDefault)?.id ?? "none",
    "vpc-max-security-groups-per-interface": String(settings.groupsPerInterfaceQuota),
    "max-elastic-ips": addresses,
    "max-instances": "20",
    "vpc-max-elastic-ips": addresses,
  };
}

export const placeHandlers = {
  DescribeRegions(_call, input) {
    const all = Object.keys(REGIONS).map(describedRegion);
    const asked = named(all, input.RegionNames, {
      name: (one) => one.RegionName ?? "",
      what: "region name",
    });
    const Regions = matching(asked, input.Filters, {
      filters: {
        endpoint: (one) => one.Endpoint,
        "opt-in-status": (one) => one.OptInStatus,
        "region-name": (one) => one.RegionName,
      },
      tags: () => [],
    });
    return { Regions };
  },

  DescribeAvailabilityZones(call, input) {
    const all = zonesOf(call.region).map(describedZone);
    const byName = named(all, input.ZoneNames, {
      name: (one) => one.ZoneName ?? "",
      what: "availability zone",
    });
    const byId = named(byName, input.ZoneIds, {
      name: (one) => one.ZoneId ?? "",
      what: "availability zone-id",
    });
    const AvailabilityZones = matching(byId, input.Filters, {
      filters: {
        "group-long-name": (one) => one.GroupLongName,
        "group-name": (one) => one.GroupName,
        message: () => [],
        "opt-in-status": (one) => one.OptInStatus,
        "parent-zone-id": () => undefined,
        "parent-zone-name": () => undefined,
        "region-name": (one) => one.RegionName,
        state: (one) => one.State,
        "zone-id": (one) => one.ZoneId,
        "zone-name": (one) => one.ZoneName,
        "zone-type": (one) => one.ZoneType,
      },
      tags: () => [],
    });
    return { AvailabilityZones };
  },

  DescribeAccountAttributes(call, input) {
    const all = Object.entries(accountAttributes(call)).map(([AttributeName, value]) => ({
      AttributeName,
      AttributeValues: [{ AttributeValue: value }],
    }));
    const AccountAttributes = named(all, input.AttributeNames, {
      name: (one) => one.AttributeName,
      what: "attribute name",
    });
    return { AccountAttributes };
  },

  DescribeDhcpOptions(call, input) {
    const options = dhcpOptions(call);
    const row: Row = { ...call, id: dhcpOptionsId(call), at: 0, tags: [] };
    const { rows, NextToken } = describe(call, input, {
      rows: [row],
      ids: input.DhcpOptionsIds,
      notFound: (ids) =>
        new AwsError("InvalidDhcpOptionID.NotFound", `The dhcpOption ID '${ids.join(", ")}' does not exist`),
      filters: {
        "dhcp-options-id": () => options.DhcpOptionsId,
        key: () => options.DhcpConfigurations?.map((one) => one.Key),
        "owner-id": () => options.OwnerId,
        value: () => options.DhcpConfigurations?.flatMap((one) => one.Values?.map((value) => value.Value)),
      },
    });
    return { DhcpOptions: rows.map(() => options), NextToken };
  },
} satisfies Ec2Handlers;
