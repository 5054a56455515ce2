/**
 * Everything in a cell that bears our installation's tag, by one paged describe a kind, filtered on that tag; clusters
 * and functions, whose lists know no such filter, by their names first. Promises that what AWS shows of things already gone (deleted NAT gateways and endpoints linger, tags and all)
 * is left out, and that nothing without our tag is ever in it.
 */
import type { EC2Client, Tag } from "@aws-sdk/client-ec2";
import type { Cluster, KafkaClient } from "@aws-sdk/client-kafka";
import type { GetFunctionResponse, LambdaClient } from "@aws-sdk/client-lambda";
import type { Cell } from "../../domain/model.ts";
import type { TaggedThing, ThingKind } from "../../domain/sweep.ts";
import { refusedWith } from "./callError.ts";
import { clusterPrefix, isOurs, listClusters } from "./msk.ts";
import { listProbes } from "./probe.ts";
import * as reads from "./reads.ts";
import {
  ATTEMPT_TAG,
  DATASET_TAG,
  INSTALLATION_TAG,
  KEY_TAG,
  TENANT_TAG,
  tagList,
  tagValue,
} from "./tags.ts";

export interface InventoryLook {
  readonly ec2: EC2Client;
  readonly kafka: KafkaClient;
  readonly lambda: LambdaClient;
  readonly installation: string;
  readonly cell: Cell;
}

export async function inventory(look: InventoryLook): Promise<readonly TaggedThing[]> {
  const { ec2, kafka, lambda, installation, cell } = look;
  const ours = reads.filters(`tag:${INSTALLATION_TAG}`, [installation]);
  const [vpcs, subnets, gateways, addresses, nats, tables, endpoints, groups, clusters, probes] =
    await Promise.all([
      reads.vpcs(ec2, ours),
      reads.subnets(ec2, ours),
      reads.internetGateways(ec2, ours),
      reads.addresses(ec2, ours),
      reads.natGateways(ec2, ours),
      reads.routeTables(ec2, ours),
      reads.endpoints(ec2, ours),
      reads.groups(ec2, ours),
      clustersOf(kafka, installation),
      probesOf(lambda, installation),
    ]);
  const things = (kind: ThingKind, found: readonly Found[]) =>
    found.flatMap((one) => thing(cell, kind, one) ?? []);
  return [
    ...things(
      "vpc",
      vpcs.map((one) => ({ ...one, Id: one.VpcId })),
    ),
    ...things(
      "subnet",
      subnets.map((one) => ({ ...one, Id: one.SubnetId })),
    ),
    ...things(
      "internetGateway",
      gateways.map((one) => ({ ...one, Id: one.InternetGatewayId })),
    ),
    ...things(
      "elasticIp",
      addresses.map((one) => ({ ...one, Id: one.AllocationId })),
    ),
    ...things(
      "natGateway",
      nats.map((one) => ({ ...one, Id: one.NatGatewayId })),
    ),
    ...things(
      "routeTable",
      tables.map((one) => ({ ...one, Id: one.RouteTableId })),
    ),
    ...things(
      "gatewayEndpoint",
      endpoints.map((one) => ({ ...one, Id: one.VpcEndpointId })),
    ),
    ...things(
      "securityGroup",
      groups.map((one) => ({ ...one, Id: one.GroupId })),
    ),
    ...things(
      "cluster",
      clusters.map((one) => ({ Id: one.ClusterArn, State: one.State, Tags: tagList(one.Tags) })),
    ),
    ...things(
      "probe",
      probes.map(({ Configuration: one, Tags }) => ({
        Id: one?.FunctionArn,
        State: one?.State,
        Tags: tagList(Tags),
      })),
    ),
  ];
}

const MAY_NOT = new Set(["accessdeniedexception", "forbiddenexception", "unauthorizedexception"]);

/** A role that may not list clusters makes none: not every installation has any. */
async function clustersOf(kafka: KafkaClient, installation: string): Promise<readonly Cluster[]> {
  try {
    const named = await listClusters(kafka, clusterPrefix(installation));
    return named.filter((one) => isOurs(one, installation));
  } catch (error) {
    if (refusedWith(error, MAY_NOT)) return [];
    throw error;
  }
}

/** The same of functions. */
async function probesOf(lambda: LambdaClient, installation: string): Promise<readonly GetFunctionResponse[]> {
  try {
    const named = await listProbes(lambda, installation);
    return named.filter(({ Tags = {} }) => Tags[INSTALLATION_TAG] === installation);
  } catch (error) {
    if (refusedWith(error, MAY_NOT)) return [];
    throw error;
  }
}

/** What is read of each kind, whatever else AWS says of it. */
interface Found {
  readonly Id: string | undefined;
  readonly Tags?: readonly Tag[] | undefined;
  readonly State?: string | undefined;
}

/** A deleted NAT gateway is shown for about an hour: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html */
const GONE = "deleted";

function thing(cell: Cell, kind: ThingKind, { Id: id, Tags, State }: Found): TaggedThing | null {
  const state = (State ?? "").toLowerCase();
  if (!id || state === GONE) return null;
  return {
    kind,
    id,
    key: tagValue(Tags, KEY_TAG) ?? "",
    datasetId: tagValue(Tags, DATASET_TAG) ?? "",
    tenantId: tagValue(Tags, TENANT_TAG) ?? "",
    attempt: Number(tagValue(Tags, ATTEMPT_TAG)) || 0,
    cell,
    state,
  };
}
