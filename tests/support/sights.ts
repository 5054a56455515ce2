/**
 * What a test sees of one dataset, in the cloud with its own eyes and in the store: how many there are of each of our
 * things, whether all is at rest, a portrait that is the same in every life. Promises that nothing of it depends
 * on the control plane that is being tested.
 */
import assert from "node:assert/strict";
import {
  DescribeAddressesCommand,
  DescribeInternetGatewaysCommand,
  DescribeNatGatewaysCommand,
  DescribeTagsCommand,
  DescribeVpcsCommand,
} from "@aws-sdk/client-ec2";
import { ListClustersV2Command } from "@aws-sdk/client-kafka";
import type { Network } from "../../src/domain/model.ts";
import type { World } from "../../src/domain/world.ts";
import type { Ground } from "./crash.ts";
import { PLATFORM } from "./house.ts";
import { oneOfEach, present, sortedEntries } from "./networks.ts";

/** The one dataset of these tests. */
export const DATASET = "Clicks";

/** Lets the time pass in which a cloud may hide what it has made. */
export function shown(ground: Ground): void {
  ground.clock.advance(HIDDEN_MS + 1_000);
}

/** The longest a new id is unseen here, milliseconds. */
export const HIDDEN_MS = 60_000;

export async function worldOf(ground: Ground): Promise<World> {
  const network = await theNetwork(ground);
  const topic = network.cluster?.topic ?? undefined;
  const ref = { ...network, vpcIds: [], hasCluster: network.cluster !== null, topic };
  const worlds = await ground.eyes.observe(network.cell, [ref]);
  return present(worlds.get(network.id));
}

/** The network as the cloud shows it, in words that are the same in every life. */
export async function portrait(ground: Ground): Promise<unknown> {
  shown(ground);
  const { at: _at, lookedAt: _lookedAt, peerings, ...world } = await worldOf(ground);
  const living = peerings.filter(({ state }) => state === "active");
  const keys = new Map(
    Object.values(world)
      .flat()
      .flatMap((thing) => ("key" in thing ? [[thing.id, thing.key] as const] : [])),
  );
  const worded = (name: string, value: unknown): unknown => {
    if (PASSING.has(name)) return undefined;
    if (Array.isArray(value)) return value.map((one) => JSON.stringify(one, worded)).sort();
    if (typeof value !== "string") return value;
    return value
      .replace(/\b([a-z-]+)-0[0-9a-f]{16}\b/g, (id, prefix: string) => keys.get(id) ?? prefix)
      .replace(/\bds-[a-z2-7]{16}\b/g, "ds")
      .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-\d+)?\b/g, "uuid");
  };
  const alive = { ...world, natGateways: world.natGateways.filter(({ state }) => state === "available") };
  return JSON.parse(JSON.stringify({ ...alive, peerings: living }, worded));
}

/** What differs from life to life and means nothing. */
const PASSING = new Set([
  "attempt",
  "publicIp",
  "at",
  "expiresAt",
  "stateMessage",
  "createdAt",
  "revision",
  "bootstrap",
]);

export async function statusOf({ store, tenantId }: Ground): Promise<string | undefined> {
  return (await store.tenant(tenantId).dataset(DATASET))?.status;
}

/** ACTIVE, and every condition ready. */
export async function atRest(ground: Ground): Promise<boolean> {
  if ((await statusOf(ground)) !== "ACTIVE") return false;
  const conditions = await conditionsOf(ground);
  return conditions.length > 0 && conditions.every(({ state }) => state === "ready");
}

export async function theNetwork({ store, tenantId }: Ground): Promise<Network> {
  const dataset = present(await store.tenant(tenantId).dataset(DATASET));
  return present(await store.tenant(tenantId).network(dataset.id));
}

export async function conditionsOf(ground: Ground) {
  const { datasetId } = await theNetwork(ground);
  return (await ground.store.tenant(ground.tenantId).status(datasetId))?.conditions ?? [];
}

export async function openConditions(ground: Ground): Promise<string> {
  const open = (await conditionsOf(ground)).filter(({ state }) => state !== "ready");
  return JSON.stringify(open.map(({ resource, state, message }) => [resource, state, message]));
}

/** How many there are of each of our keys; dead NAT gateways, which AWS shows for an hour, left out. */
export async function counts(ground: Ground): Promise<Map<string, number>> {
  const client = ground.ec2(PLATFORM);
  const { Tags = [] } = await client.send(
    new DescribeTagsCommand({ Filters: [{ Name: "key", Values: ["letsdata:key"] }] }),
  );
  const { NatGateways = [] } = Tags.some(({ ResourceType }) => ResourceType === "natgateway")
    ? await client.send(new DescribeNatGatewaysCommand({}))
    : {};
  const dead = new Set(
    NatGateways.filter(({ State }) => State === "deleted" || State === "failed").map(
      ({ NatGatewayId }) => NatGatewayId,
    ),
  );
  const found = new Map<string, number>();
  for (const { ResourceId, ResourceType, Value = "" } of Tags)
    if (ResourceType !== "security-group-rule" && !dead.has(ResourceId))
      found.set(Value, (found.get(Value) ?? 0) + 1);
  const { ClusterInfoList = [] } = await ground.kafka.send(new ListClustersV2Command({}));
  for (const { Tags = {} } of ClusterInfoList) {
    const key = Tags["letsdata:key"] ?? "";
    found.set(key, (found.get(key) ?? 0) + 1);
  }
  return found;
}

export async function assertNothingTwice(ground: Ground): Promise<void> {
  const twice = [...(await counts(ground))].filter(([, count]) => count > 1);
  assert.deepEqual(twice, [], "there is something twice");
}

export async function assertOneOfEach(ground: Ground): Promise<void> {
  shown(ground);
  assert.deepEqual(sortedEntries(await counts(ground)), sortedEntries(oneOfEach(["cluster"])));
}

/** Not under our tags and not without them. */
export async function assertNothingLeft(ground: Ground): Promise<void> {
  shown(ground);
  assert.deepEqual(sortedEntries(await counts(ground)), []);
  const client = ground.ec2(PLATFORM);
  const [vpcs, gateways, addresses] = await Promise.all([
    client.send(new DescribeVpcsCommand({ Filters: [{ Name: "is-default", Values: ["false"] }] })),
    client.send(new DescribeInternetGatewaysCommand({})),
    client.send(new DescribeAddressesCommand({})),
  ]);
  assert.deepEqual([vpcs.Vpcs, gateways.InternetGateways?.length, addresses.Addresses], [[], 1, []]);
}
