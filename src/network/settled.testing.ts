/** Literals for the tests of this room: a small network and the world in which nothing is left to do for it. */
import { type Cidr, cidr } from "../domain/cidr.ts";
import type { Network, PeeringWish } from "../domain/model.ts";
import { emptyWorld, type SeenPeering, type Tagged, type World } from "../domain/world.ts";
import { desired } from "./desired.ts";
import { layout } from "./layout.ts";
import { type Plan, type PlanInput, plan } from "./plan.ts";

export const RANGE = cidr("10.2.0.0/25");
export const CUSTOMER = "111122223333";

export function network(change: Partial<Network> = {}): Network {
  return {
    id: "net_1",
    tenantId: "ten_1",
    datasetId: "ds_1",
    datasetName: "Clicks",
    customerAccount: CUSTOMER,
    cell: { id: "cell_1", account: "999999999999", roleArn: null, region: "us-east-1" },
    size: "small",
    cidr: RANGE,
    want: "present",
    absentAskedAt: null,
    datasetStatus: "CREATING",
    cluster: null,
    functionArns: [],
    probeRoleArn: null,
    layout: layout({ cidr: RANGE, size: "small", zoneIds: ["use1-az1", "use1-az2", "use1-az4"] }),
    peerings: [],
    readyAt: null,
    createdAt: 0,
    goneAt: null,
    ...change,
  };
}

export function wish(change: Partial<PeeringWish> = {}): PeeringWish {
  return {
    connectionId: "pcx-1",
    want: "active",
    reason: null,
    askedAt: 0,
    establishedAt: null,
    endedAt: null,
    endedBy: null,
    ...change,
  };
}

export function peering(change: Partial<SeenPeering> = {}): SeenPeering {
  return {
    id: "pcx-1",
    vpcId: "vpc-vpc",
    state: "active",
    stateMessage: "",
    requesterAccount: CUSTOMER,
    requesterVpcId: "vpc-customer",
    requesterRegion: "us-east-1",
    requesterCidrs: [cidr("172.20.0.0/16")],
    dnsFromRemote: true,
    expiresAt: null,
    ...change,
  };
}

/** What AWS shows when all is as it should be; `peers` are routed and ruled. */
export function settled(
  of: Network,
  peers: readonly { connectionId: string; cidrs: readonly Cidr[] }[] = [],
): World {
  if (!of.layout) throw new RangeError("a settled network has a layout");
  const want = desired(
    of.cidr,
    of.layout,
    peers.map((peer) => ({ ...peer, routed: true })),
  );
  const tagged = (prefix: string, key: string): Tagged => ({ id: `${prefix}-${key}`, key, attempt: 1 });
  const vpcId = "vpc-vpc";
  const target = ({ kind, target: name }: { kind: string; target: string }) =>
    kind === "peering" ? name : kind === "natGateway" ? `nat-${name}` : `igw-${name}`;
  return {
    ...emptyWorld(0),
    vpcs: [
      {
        ...tagged("vpc", "vpc"),
        state: "available",
        ownerId: of.cell.account,
        cidrs: [of.cidr],
        dnsSupport: true,
        dnsHostnames: true,
      },
    ],
    subnets: want.subnets.map(({ key, cidr: block, zoneId }) => ({
      ...tagged("subnet", key),
      vpcId,
      state: "available",
      cidr: block,
      zoneId,
      zone: zoneId,
      freeAddresses: 10,
    })),
    internetGateways: [{ ...tagged("igw", "igw"), vpcId }],
    addresses: want.nats.map(({ key, addressKey }) => ({
      ...tagged("eipalloc", addressKey),
      publicIp: "198.18.0.1",
      associationId: `eipassoc-${key}`,
    })),
    natGateways: want.nats.map(({ key, subnetKey, addressKey }) => ({
      ...tagged("nat", key),
      vpcId,
      subnetId: `subnet-${subnetKey}`,
      state: "available" as const,
      allocationIds: [`eipalloc-${addressKey}`],
      failure: null,
    })),
    routeTables: want.tables.map(({ key, routes, subnetKeys }) => ({
      ...tagged("rtb", key),
      vpcId,
      main: false,
      routes: routes.map((route) => ({
        destination: route.destination,
        targetId: target(route),
        blackhole: false,
      })),
      associations: subnetKeys.map((subnet) => ({ id: `assoc-${subnet}`, subnetId: `subnet-${subnet}` })),
    })),
    endpoints: [
      {
        ...tagged("vpce", "endpoint/s3"),
        vpcId,
        state: "available",
        serviceName: "com.amazonaws.us-east-1.s3",
        routeTableIds: want.endpoint.tableKeys.map((key) => `rtb-${key}`),
      },
    ],
    groups: want.groups.map(({ key, name, rules }) => ({
      ...tagged("sg", key),
      vpcId,
      name,
      rules: rules.map((rule, index) => ({ ...rule, ruleId: `sgr-${key}-${index}` })),
    })),
    acls: [{ id: "acl-1", vpcId, isDefault: true, entries: want.acl }],
  };
}

export function think(world: World, change: Partial<PlanInput> = {}): Plan {
  const input = { network: network(), world, attempts: [], previous: [], now: 1_000_000, windowMs: 300_000 };
  return plan({ ...input, ...change });
}

export function steps(world: World, change: Partial<PlanInput> = {}): string[] {
  return think(world, change).moves.map(({ step }) => `${step.do} ${step.key}`);
}
