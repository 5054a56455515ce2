/**
 * The look at a cell: one paged describe a kind, however many networks are asked for. Promises that only what
 * bears our installation's and the dataset's tags, or lies in a VPC of theirs, is shown, and at most 13 reads
 * for one network and 40 for a hundred, with one more for each that probes. Three rounds, because each needs the ids of the one before:
 *
 *     by tag           VPCs, subnets, internet gateways, addresses, NAT gateways, endpoints
 *     by VPC id        route tables, groups, ACLs, peerings, interfaces; VPCs whose tags do not show yet
 *     by group/VPC id  rules, DNS attributes
 *
 * Filters and MaxResults also keep DescribeSecurityGroups and DescribeNetworkInterfaces in the larger bucket:
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 */
import type { Filter, SecurityGroup, SecurityGroupRule, Tag, Vpc } from "@aws-sdk/client-ec2";
import { DescribeVpcAttributeCommand, type EC2Client } from "@aws-sdk/client-ec2";
import type { KafkaClient } from "@aws-sdk/client-kafka";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import { emptyWorld, KINDS, type Kind, type World } from "../../domain/world.ts";
import type { LookAt } from "../cloud.ts";
import { refusedWith } from "./callError.ts";
import type { ClusterMemory } from "./clusterMemory.ts";
import { DNS_ATTRIBUTES, type DnsMemory, type DnsQuestion } from "./dns.ts";
import { readFunction } from "./lambda.ts";
import { clusterName, clusterPrefix, listClusters, seenCluster } from "./msk.ts";
import { readTopic } from "./mskTopics.ts";
import { readProbe } from "./probe.ts";
import * as reads from "./reads.ts";
import * as seen from "./seen.ts";
import { DATASET_TAG, INSTALLATION_TAG, tagValue } from "./tags.ts";

export interface Look {
  readonly ec2: EC2Client;
  readonly kafka: KafkaClient;
  readonly lambda: LambdaClient;
  readonly dns: DnsMemory;
  readonly clusters: ClusterMemory;
  readonly installation: string;
  readonly networks: readonly LookAt[];
  /** When the look began. */
  readonly at: number;
}

/** DNS attributes read in one look: with the 12 kinds that is 13 for one network, and below 40 for a hundred. */
const MOST_DNS_READS = 15;

export async function observe(look: Look): Promise<ReadonlyMap<string, World>> {
  const { ec2 } = look;
  const tagged = <One>(kind: Kind, read: Read<One>) => read(ec2, taggedFilters(look, kind));
  const [vpcs, subnets, internetGateways, addresses, natGateways, endpoints] = await Promise.all([
    tagged("vpcs", reads.vpcs),
    tagged("subnets", reads.subnets),
    tagged("internetGateways", reads.internetGateways),
    tagged("addresses", reads.addresses),
    tagged("natGateways", reads.natGateways),
    tagged("endpoints", reads.endpoints),
  ]);
  const places = new Places(look.networks, vpcs);
  const inVpcs = <One>(kind: Kind, read: Read<One>) => read(ec2, places.filters("vpc-id", kind));
  const [late, routeTables, groups, acls, peerings, interfaces] = await Promise.all([
    reads.vpcs(ec2, reads.filters("vpc-id", places.unseen)),
    inVpcs("routeTables", reads.routeTables),
    inVpcs("groups", reads.groups),
    inVpcs("acls", reads.acls),
    reads.peerings(ec2, places.filters("accepter-vpc-info.vpc-id", "peerings")),
    inVpcs("interfaces", reads.interfaces),
  ]);
  const allVpcs = [...vpcs, ...late];
  const [rules] = await Promise.all([
    readRules(ec2, groups),
    readDns(look, { vpcs: allVpcs, extraRead: places.unseen.length > 0 }),
  ]);
  const worlds = new Worlds(look);
  for (const vpc of allVpcs) worlds.add("vpcs", places.of(vpc), seen.seenVpc(vpc, dnsOf(look.dns, vpc)));
  for (const one of subnets) worlds.add("subnets", places.of(one), seen.seenSubnet(one));
  for (const one of internetGateways)
    worlds.add("internetGateways", places.of(one), seen.seenInternetGateway(one));
  for (const one of addresses) worlds.add("addresses", places.of(one), seen.seenAddress(one));
  for (const one of natGateways) worlds.add("natGateways", places.of(one), seen.seenNatGateway(one));
  for (const one of endpoints) worlds.add("endpoints", places.of(one), seen.seenEndpoint(one));
  for (const one of routeTables) worlds.add("routeTables", places.in(one.VpcId), seen.seenRouteTable(one));
  for (const one of groups) worlds.add("groups", places.in(one.VpcId), seen.seenGroup(one, rules));
  for (const one of acls) worlds.add("acls", places.in(one.VpcId), seen.seenAcl(one));
  for (const one of peerings)
    worlds.add("peerings", places.in(one.AccepterVpcInfo?.VpcId), seen.seenPeering(one));
  for (const one of interfaces) worlds.add("interfaces", places.in(one.VpcId), seen.seenInterface(one));
  await Promise.all([
    lookAtClusters(look, worlds),
    lookAtFunctions(look, worlds),
    lookAtProbes(look, worlds),
  ]);
  return worlds.byNetwork;
}

type Read<One> = (ec2: EC2Client, sets: readonly Filter[][]) => Promise<One[]>;

function wanting(networks: readonly LookAt[], kind: Kind): readonly LookAt[] {
  return networks.filter((network) => isWanted(network, kind));
}

function isWanted({ kinds = KINDS }: LookAt, kind: Kind): boolean {
  return kinds.includes(kind);
}

/** The installation is a value of each filter set too. No network that wants the kind, no set and no call. */
function taggedFilters({ installation, networks }: Look, kind: Kind): Filter[][] {
  const datasets = wanting(networks, kind).map((network) => network.datasetId);
  const installed = { Name: `tag:${INSTALLATION_TAG}`, Values: [installation] };
  return reads.filters(`tag:${DATASET_TAG}`, datasets, 1).map((filters) => [installed, ...filters]);
}

/** Which network a thing belongs to: by its dataset tag, or by its VPC. */
class Places {
  readonly #byDataset: ReadonlyMap<string, string>;
  readonly #byVpc = new Map<string, string>();
  readonly #networks: readonly LookAt[];
  /** VPCs known from the journal that no tag has shown. */
  readonly unseen: readonly string[];

  constructor(networks: readonly LookAt[], vpcs: readonly Vpc[]) {
    this.#byDataset = new Map(networks.map((network) => [network.datasetId, network.id]));
    this.#networks = networks;
    for (const network of networks) for (const vpcId of network.vpcIds) this.#byVpc.set(vpcId, network.id);
    const shown = new Set(vpcs.map((vpc) => vpc.VpcId));
    this.unseen = wanting(networks, "vpcs").flatMap(({ vpcIds }) =>
      vpcIds.filter((vpcId) => !shown.has(vpcId)),
    );
    for (const vpc of vpcs) {
      const network = this.of(vpc);
      if (network && vpc.VpcId) this.#byVpc.set(vpc.VpcId, network);
    }
  }

  of(thing: { readonly Tags?: Tag[] | undefined; readonly VpcId?: string | undefined }): string | undefined {
    return this.#byDataset.get(tagValue(thing.Tags, DATASET_TAG) ?? "") ?? this.in(thing.VpcId);
  }

  in(vpcId: string | undefined): string | undefined {
    return this.#byVpc.get(vpcId ?? "");
  }

  /** The VPCs of the networks that want this kind. */
  filters(name: string, kind: Kind): Filter[][] {
    const wanted = new Set(wanting(this.#networks, kind).map(({ id }) => id));
    return reads.filters(
      name,
      [...this.#byVpc].flatMap(([vpcId, network]) => (wanted.has(network) ? [vpcId] : [])),
    );
  }
}

type Lists = { [One in Kind]: World[One][number][] };

function times(kinds: readonly Kind[], at: number): World["lookedAt"] {
  const moments = KINDS.map((kind) => [kind, kinds.includes(kind) ? at : 0]);
  return Object.fromEntries(moments) as World["lookedAt"];
}

/** The worlds while they are being filled. */
class Worlds {
  readonly byNetwork: Map<string, World>;

  constructor({ networks, at }: Look) {
    this.byNetwork = new Map(
      networks.map(({ id, kinds = KINDS }) => [id, { ...emptyWorld(at), lookedAt: times(kinds, at) }]),
    );
  }

  add<One extends Kind>(kind: One, network: string | undefined, one: World[One][number] | null): void {
    const world = this.byNetwork.get(network ?? "");
    if (world && one) (world[kind] as Lists[One]).push(one);
  }
}

/** By name: one list for all networks that have a cluster, and no call for those that have none; then their topics. */
async function lookAtClusters(look: Look, worlds: Worlds): Promise<void> {
  const { kafka, clusters, installation, networks } = look;
  const wanted = networks.filter(
    (network) => network.hasCluster && (isWanted(network, "clusters") || isWanted(network, "topics")),
  );
  const byName = new Map(wanted.map((network) => [clusterName(installation, network), network]));
  const [only, ...others] = byName.keys();
  if (only === undefined) return;
  const listed = await listClusters(kafka, others.length === 0 ? only : clusterPrefix(installation));
  const found = listed.filter(({ ClusterName = "" }) => byName.has(ClusterName));
  await clusters.learn(kafka, found);
  const asked = found.map(async (cluster) => {
    const network = byName.get(cluster.ClusterName ?? "");
    const seenOne =
      network && seenCluster(cluster, network, { installation, detail: clusters.known(cluster) });
    if (!seenOne) return;
    if (isWanted(network, "clusters")) worlds.add("clusters", network.id, seenOne);
    if (network.topic === undefined || !seenOne.ours || !isWanted(network, "topics")) return;
    worlds.add("topics", network.id, await readTopic(kafka, cluster, network.topic));
  });
  await Promise.all(asked);
}

async function lookAtFunctions({ lambda, networks }: Look, worlds: Worlds): Promise<void> {
  const asked = wanting(networks, "functions").flatMap(({ id, functionArns = [] }) =>
    functionArns.map(async (arn) => worlds.add("functions", id, await readFunction(lambda, arn))),
  );
  await Promise.all(asked);
}

async function lookAtProbes({ lambda, installation, networks }: Look, worlds: Worlds): Promise<void> {
  const wanted = wanting(networks, "probes").filter(({ hasProbe }) => hasProbe);
  await Promise.all(
    wanted.map(async (network) =>
      worlds.add("probes", network.id, await readProbe(lambda, network, installation)),
    ),
  );
}

/** Only group ids find all rules: those that AWS itself puts into a new group bear no tag. */
function readRules(ec2: EC2Client, groups: readonly SecurityGroup[]): Promise<SecurityGroupRule[]> {
  const ids = groups.flatMap((group) => group.GroupId ?? []);
  return reads.rules(ec2, reads.filters("group-id", ids));
}

const GONE = new Set(["invalidvpcid.notfound"]);

interface DnsReads {
  readonly vpcs: readonly Vpc[];
  /** A describe was made that a look mostly does without. */
  readonly extraRead: boolean;
}

async function readDns(look: Look, { vpcs, extraRead }: DnsReads): Promise<void> {
  const ids = vpcs.flatMap((vpc) => vpc.VpcId ?? []);
  const most = Math.min(look.networks.length - Number(extraRead), MOST_DNS_READS);
  await Promise.all(look.dns.due(ids, most).map((question) => readAttribute(look, question)));
}

async function readAttribute({ ec2, dns }: Look, question: DnsQuestion): Promise<void> {
  const { vpcId, attribute } = question;
  try {
    const answer = await ec2.send(new DescribeVpcAttributeCommand({ VpcId: vpcId, Attribute: attribute }));
    const value = attribute === "enableDnsSupport" ? answer.EnableDnsSupport : answer.EnableDnsHostnames;
    dns.learn(question, value?.Value ?? false);
  } catch (error) {
    // Deleted since, or not shown by this server of AWS's yet.
    if (!refusedWith(error, GONE)) throw error;
  }
}

function dnsOf(dns: DnsMemory, vpc: Vpc) {
  const [hostnames, support] = DNS_ATTRIBUTES;
  const vpcId = vpc.VpcId ?? "";
  return {
    dnsHostnames: dns.known({ vpcId, attribute: hostnames }),
    dnsSupport: dns.known({ vpcId, attribute: support }),
  };
}
