/**
 * How much of AWS's quotas a cell has and uses. Limits come from Service Quotas; what is used is counted in one
 * describe a kind over the whole region, because other people's VPCs count too. Promises at most 4 calls to
 * Service Quotas for the limits and 6 reads for a count. A limit that AWS does not tell is null.
 * https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
 */
import type { EC2Client, Tag } from "@aws-sdk/client-ec2";
import type { KafkaClient } from "@aws-sdk/client-kafka";
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  paginateListAWSDefaultServiceQuotas,
  paginateListServiceQuotas,
  type ServiceQuota,
  type ServiceQuotasClient,
} from "@aws-sdk/client-service-quotas";
import type { QuotaLimit, QuotaUse } from "../cloud.ts";
import { refusedWith } from "./callError.ts";
import { listClusters } from "./msk.ts";
import { BROKERS, type Quota, quotaLink, quotaOf } from "./quotas.ts";
import * as reads from "./reads.ts";
import { DATASET_TAG, tagValue } from "./tags.ts";

/** Limits by Service Quotas' code. */
export type Limits = ReadonlyMap<string, number>;

const ELASTIC_IPS = "L-0263D0A3";
/** AWS answers so for a quota that was never changed in this account. */
const NEVER_CHANGED = new Set(["nosuchresourceexception"]);

export async function readLimits(client: ServiceQuotasClient): Promise<Limits> {
  const defaults = await listed(
    paginateListAWSDefaultServiceQuotas({ client, pageSize: 100 }, { ServiceCode: "vpc" }),
  );
  const applied = await listed(paginateListServiceQuotas({ client, pageSize: 100 }, { ServiceCode: "vpc" }));
  const addresses = await one(client, { ServiceCode: "ec2", QuotaCode: ELASTIC_IPS });
  return new Map([
    ...defaults,
    ...applied,
    ...(addresses === null ? [] : [[ELASTIC_IPS, addresses] as const]),
  ]);
}

async function listed(
  pages: AsyncIterable<{ Quotas?: ServiceQuota[] | undefined }>,
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const { Quotas = [] } of pages)
    for (const { QuotaCode, Value } of Quotas)
      if (QuotaCode !== undefined && Value !== undefined) found.set(QuotaCode, Value);
  return found;
}

export async function readBrokerLimit(client: ServiceQuotasClient): Promise<Limits> {
  const limit = await one(client, { ServiceCode: BROKERS.service, QuotaCode: BROKERS.code });
  return new Map(limit === null ? [] : [[BROKERS.code, limit]]);
}

/** Counts everybody's clusters: the quota is the account's. */
export async function brokerUse(client: KafkaClient, limits: Allowed): Promise<QuotaUse> {
  const usedBy = new Map<string, number>();
  let used = 0;
  for (const { Provisioned, Tags } of await listClusters(client)) {
    const count = Provisioned?.NumberOfBrokerNodes ?? 0;
    const dataset = Tags?.[DATASET_TAG];
    used += count;
    if (dataset) usedBy.set(dataset, (usedBy.get(dataset) ?? 0) + count);
  }
  return { ...quotaLimit("kafkaBrokers", BROKERS, limits), used, usedBy };
}

async function one(
  client: ServiceQuotasClient,
  of: { readonly ServiceCode: string; readonly QuotaCode: string },
): Promise<number | null> {
  try {
    const { Quota } = await client.send(new GetServiceQuotaCommand(of));
    return Quota?.Value ?? null;
  } catch (error) {
    if (!refusedWith(error, NEVER_CHANGED)) throw error;
    const { Quota } = await client.send(new GetAWSDefaultServiceQuotaCommand(of));
    return Quota?.Value ?? null;
  }
}

/** Of these each network has its own: what is used of them its own look shows. */
const OF_A_NETWORK: Readonly<Record<string, string>> = {
  activePeeringsPerVpc: "activevpcpeeringconnectionpervpclimitexceeded",
  rulesPerGroup: "rulespersecuritygrouplimitexceeded",
  routesPerTable: "routelimitexceeded",
};

/** What is allowed where. */
export interface Allowed {
  readonly region: string;
  readonly limits: Limits;
}

export function peeringLimits(allowed: Allowed): readonly QuotaLimit[] {
  return Object.entries(OF_A_NETWORK).flatMap(([name, error]) => {
    const quota = quotaOf(error);
    return quota ? [quotaLimit(name, quota, allowed)] : [];
  });
}

function quotaLimit(name: string, quota: Quota, { region, limits }: Allowed): QuotaLimit {
  const { code, name: title } = quota;
  return { name, code, title, link: quotaLink(quota, region), limit: limits.get(code) ?? null };
}

/** One filter set that lets everything through. */
const EVERYTHING = [[]];

/** One count of everything in the region, whoever made it. */
export async function countUse(
  ec2: EC2Client,
  allowed: Allowed,
  zoneIds: readonly string[],
): Promise<readonly QuotaUse[]> {
  const [vpcs, gateways, addresses, nats, subnets, endpoints] = await Promise.all([
    reads.vpcs(ec2, EVERYTHING),
    reads.internetGateways(ec2, EVERYTHING),
    reads.addresses(ec2, EVERYTHING),
    reads.natGateways(ec2, [[{ Name: "state", Values: ["pending", "available", "deleting"] }]]),
    reads.subnets(ec2, EVERYTHING),
    reads.endpoints(ec2, [[{ Name: "vpc-endpoint-type", Values: ["Gateway"] }]]),
  ]);
  const zoneOf = new Map(subnets.map(({ SubnetId, AvailabilityZoneId }) => [SubnetId, AvailabilityZoneId]));
  const counts: [string, Quota | undefined, readonly Thing[]][] = [
    ["vpcs", quotaOf("vpclimitexceeded"), vpcs],
    ["internetGateways", quotaOf("internetgatewaylimitexceeded"), gateways],
    ["elasticIps", quotaOf("addresslimitexceeded"), addresses],
    ["gatewayEndpoints", quotaOf("vpcendpointlimitexceeded"), endpoints],
    ...zoneIds.map((zone): [string, Quota | undefined, readonly Thing[]] => [
      `natGatewaysPerZone/${zone}`,
      quotaOf("natgatewaylimitexceeded"),
      nats.filter(({ SubnetId }) => zoneOf.get(SubnetId) === zone),
    ]),
  ];
  return counts.flatMap(([name, quota, things]) =>
    quota ? [quotaUse(name, quota, { things, ...allowed })] : [],
  );
}

interface Thing {
  readonly Tags?: Tag[] | undefined;
}

function quotaUse(
  name: string,
  quota: Quota,
  { things, ...allowed }: Allowed & { readonly things: readonly Thing[] },
): QuotaUse {
  const usedBy = new Map<string, number>();
  for (const { Tags } of things) {
    const dataset = tagValue(Tags, DATASET_TAG);
    if (dataset) usedBy.set(dataset, (usedBy.get(dataset) ?? 0) + 1);
  }
  return { ...quotaLimit(name, quota, allowed), used: things.length, usedBy };
}
