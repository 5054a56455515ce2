/**
 * What one network will be, counted: things by kind and key, and the quotas they use up. Follows from the
 * same `desired` that the network is built from, so it cannot say anything else.
 */
import type { Cidr } from "../domain/cidr.ts";
import { brokerCount } from "../domain/kafka.ts";
import type { KafkaCluster, Layout, Network, SubnetPlan, VpcSize } from "../domain/model.ts";
import { THING_KINDS, type ThingKind } from "../domain/sweep.ts";
import { CLUSTER } from "./cluster.ts";
import { desired } from "./desired.ts";
import { layout, ZONE_COUNT } from "./layout.ts";
import { PROBE } from "./probe.ts";

/** One thing that a network has, by its key. */
export interface Expected {
  readonly kind: ThingKind;
  readonly key: string;
}

/** What a network has only when it is asked for. */
export interface Extras {
  readonly cluster: boolean;
  readonly probe: boolean;
}

export function extrasOf({ cluster, probeRoleArn }: Pick<Network, "cluster" | "probeRoleArn">): Extras {
  return { cluster: cluster !== null, probe: probeRoleArn !== null };
}

/** Everything that a network of that layout has and that bears our tags. */
export function expectedThings(range: Cidr, cut: Layout, extras: Extras): readonly Expected[] {
  const want = desired(range, cut, []);
  const of = (kind: ThingKind, keys: readonly string[]) => keys.map((key) => ({ kind, key }));
  return [
    { kind: "vpc", key: "vpc" },
    { kind: "internetGateway", key: "igw" },
    ...of(
      "subnet",
      want.subnets.map(({ key }) => key),
    ),
    ...of(
      "elasticIp",
      want.nats.map(({ addressKey }) => addressKey),
    ),
    ...of(
      "natGateway",
      want.nats.map(({ key }) => key),
    ),
    ...of(
      "routeTable",
      want.tables.map(({ key }) => key),
    ),
    { kind: "gatewayEndpoint", key: want.endpoint.key },
    // The default group comes with the VPC and bears no tag.
    ...of(
      "securityGroup",
      want.groups.map(({ key }) => key).filter((key) => key !== "group/default"),
    ),
    ...of("cluster", extras.cluster ? [CLUSTER] : []),
    ...of("probe", extras.probe ? [PROBE] : []),
  ];
}

export interface QuotaNeed {
  readonly name: string;
  readonly service: "vpc" | "ec2" | "kafka";
  /** Its code in Service Quotas. */
  readonly code: string;
  readonly needed: number;
  readonly per: "region" | "zone";
}

export interface Footprint {
  readonly counts: Readonly<Record<ThingKind, number>>;
  readonly subnets: readonly { readonly type: "private" | "public"; readonly cidr: Cidr }[];
  readonly quotas: readonly QuotaNeed[];
}

/** Before the zones are known: neither blocks nor counts depend on which they are. */
const ANY_ZONES = Array.from({ length: ZONE_COUNT }, (_, index) => `zone ${index + 1}`);

export function footprint(range: Cidr, size: VpcSize, cluster: KafkaCluster | null): Footprint {
  const cut = layout({ cidr: range, size, zoneIds: ANY_ZONES });
  const things = expectedThings(range, cut, { cluster: cluster !== null, probe: false });
  const count = (kind: ThingKind) => things.filter((thing) => thing.kind === kind).length;
  const row = (type: "private" | "public", subnets: readonly SubnetPlan[]) =>
    subnets.map(({ cidr }) => ({ type, cidr }));
  return {
    counts: Object.fromEntries(THING_KINDS.map((kind) => [kind, count(kind)])) as Footprint["counts"],
    subnets: [...row("private", cut.privateSubnets), ...row("public", cut.publicSubnets)],
    quotas: [...quotas(count), ...brokerQuota(cluster)],
  };
}

/** https://docs.aws.amazon.com/msk/latest/developerguide/limits.html */
function brokerQuota(cluster: KafkaCluster | null): readonly QuotaNeed[] {
  if (!cluster) return [];
  const needed = brokerCount(cluster);
  return [
    { name: "Number of brokers per account", service: "kafka", code: "L-EDD31C36", needed, per: "region" },
  ];
}

/** Names and codes: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
function quotas(count: (kind: ThingKind) => number): readonly QuotaNeed[] {
  const vpc = { service: "vpc", per: "region" } as const;
  return [
    { ...vpc, name: "VPCs per Region", code: "L-F678F1CE", needed: count("vpc") },
    { ...vpc, name: "Internet gateways per Region", code: "L-A4707A72", needed: count("internetGateway") },
    {
      name: "EC2-VPC Elastic IPs",
      service: "ec2",
      code: "L-0263D0A3",
      needed: count("elasticIp"),
      per: "region",
    },
    {
      ...vpc,
      name: "NAT gateways per Availability Zone",
      code: "L-FE5A380F",
      needed: count("natGateway") / ZONE_COUNT,
      per: "zone",
    },
    {
      ...vpc,
      name: "Gateway VPC endpoints per Region",
      code: "L-1B52E74A",
      needed: count("gatewayEndpoint"),
    },
  ];
}
