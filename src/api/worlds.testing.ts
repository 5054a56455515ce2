/** What the tests of the API ask for, and what their cloud shows. Not used by the product. */
import { cidr } from "../domain/cidr.ts";
import type { Condition, Layout } from "../domain/model.ts";
import { emptyWorld, type SeenPeering, type SeenSubnet, type World } from "../domain/world.ts";

export const PCX = "pcx-0123456789abcdef0";

export function kafka(datasetName: string, more: Record<string, unknown> = {}) {
  return {
    datasetName,
    region: "us-east-1",
    customerAccountForAccess: "123456789012",
    writeConnector: { connectorDestination: "Kafka", kafka: { clusterType: "none" }, ...more },
  };
}

export const LAYOUT: Layout = {
  version: 1,
  zoneIds: ["use1-az1", "use1-az2", "use1-az4"],
  privateSubnets: [{ key: "subnet/private/0", index: 0, cidr: cidr("10.2.0.0/28") }],
  publicSubnets: [{ key: "subnet/public/0", index: 0, cidr: cidr("10.2.0.48/28") }],
};

function subnet(key: string, block: string): SeenSubnet {
  return {
    id: `subnet-${key.split("/")[1]}`,
    key,
    attempt: 1,
    vpcId: "vpc-ours",
    state: "available",
    cidr: cidr(block),
    zoneId: "use1-az1",
    zone: "us-east-1a",
    freeAddresses: 11,
  };
}

export function request(now: number, more: Partial<SeenPeering> = {}): SeenPeering {
  return {
    id: PCX,
    vpcId: "vpc-ours",
    state: "pending-acceptance",
    stateMessage: "",
    requesterAccount: "123456789012",
    requesterVpcId: "vpc-theirs",
    requesterRegion: "eu-west-1",
    requesterCidrs: [cidr("172.16.0.0/16")],
    dnsFromRemote: false,
    expiresAt: now + 3_600_000,
    ...more,
  };
}

/** A VPC with two subnets, in the wrong order, and a gateway. */
export function shown(now: number, block: string, peerings: readonly SeenPeering[] = []): World {
  const tagged = (id: string, key: string) => ({ id, key, attempt: 1 });
  return {
    ...emptyWorld(now),
    vpcs: [
      {
        ...tagged("vpc-ours", "vpc"),
        state: "available",
        ownerId: "999999999999",
        cidrs: [cidr(block)],
        dnsSupport: true,
        dnsHostnames: true,
      },
    ],
    subnets: [subnet("subnet/public/0", "10.2.0.48/28"), subnet("subnet/private/0", "10.2.0.0/28")],
    addresses: [
      { ...tagged("eipalloc-1", "address/0"), publicIp: "203.0.113.7", associationId: "eipassoc-1" },
    ],
    natGateways: [
      {
        ...tagged("nat-1", "nat/0"),
        vpcId: "vpc-ours",
        subnetId: "subnet-public",
        state: "available",
        allocationIds: ["eipalloc-1"],
        failure: null,
      },
    ],
    peerings,
  };
}

export function condition(now: number, more: Partial<Condition>): Condition {
  return {
    resource: "nat/0",
    id: null,
    state: "waiting",
    message: "is pending",
    actor: "aws",
    hint: null,
    since: now,
    usualSeconds: 120,
    ...more,
  };
}
