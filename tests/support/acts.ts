/**
 * The acts of a dataset's life, each driven by the test round by round until it is done, with at most one death
 * on the way; and what the test sees of the cloud meanwhile. Promises that nothing of ours is ever there twice:
 * it looks before every round.
 */
import assert from "node:assert/strict";
import {
  CreateVpcCommand,
  CreateVpcPeeringConnectionCommand,
  DescribeAddressesCommand,
  DescribeInternetGatewaysCommand,
  DescribeNatGatewaysCommand,
  DescribeTagsCommand,
  DescribeVpcsCommand,
  ModifyVpcAttributeCommand,
} from "@aws-sdk/client-ec2";
import { ListClustersV2Command } from "@aws-sdk/client-kafka";
import { kafkaCluster } from "../../src/domain/kafka.ts";
import type { Network, VpcSize } from "../../src/domain/model.ts";
import type { World } from "../../src/domain/world.ts";
import { type ControlPlane, type Ground, startControlPlane } from "./crash.ts";
import { CUSTOMER, OPERATOR, PLATFORM } from "./house.ts";
import { oneOfEach, present, sortedEntries } from "./networks.ts";

export interface ActOptions {
  readonly windowMs: number;
  /** Each of these points is died at once. */
  readonly stopAt?: readonly string[];
  /** There it stands still, longer than its lease; another one takes over. */
  readonly pauseAt?: string;
  /** After so many rounds of the other one it wakes; 0 = before the other one claims anything. */
  readonly wakeAfter?: number;
  /** It stands still for so long that nobody can know any more what it will do. */
  readonly mayBeTwice?: boolean;
}

export interface Played {
  /** Points that were come past, in order. */
  readonly passed: readonly string[];
  /** Points it was stopped at, or stood still at. */
  readonly stopped: readonly string[];
  readonly rounds: number;
}

const MOST_ROUNDS = 200;
/** The test looks at least this much later again, milliseconds: a slow machine may. */
const STEP_MS = 12_000;

/** Rounds, stop and restart included, until `done`; without it, until the stop. */
async function play(
  ground: Ground,
  options: ActOptions,
  done: (() => Promise<boolean>) | null,
): Promise<Played> {
  const { windowMs, stopAt = [], pauseAt, wakeAfter = 0 } = options;
  const stopped: string[] = [];
  const passed: string[] = [];
  const next = () => {
    const left = stopAt.filter((point) => !stopped.includes(point));
    const pause = pauseAt === undefined || stopped.includes(pauseAt) ? {} : { pauseAt };
    return startControlPlane(ground, { windowMs, stopAt: left, ...pause });
  };
  let plane = await next();
  let sleeper: { plane: ControlPlane; wakes: number } | null = null;
  try {
    for (let rounds = 1; rounds <= MOST_ROUNDS; rounds++) {
      if (!options.mayBeTwice) await assertNothingTwice(ground);
      const waking = sleeper?.wakes === rounds ? sleeper.plane.wake() : null;
      if (waking && wakeAfter === 0) await waking;
      const point = await plane.round();
      await waking;
      if (point !== null) {
        stopped.push(point);
        passed.push(...plane.passed);
        if (done === null) return { passed, stopped, rounds };
        if (point === pauseAt) sleeper = { plane, wakes: rounds + 1 + wakeAfter };
        else await plane.bury();
        plane = await next();
      }
      if (await done?.()) return { passed: [...passed, ...plane.passed], stopped, rounds };
      const due = await ground.store.work.nextDueMs();
      ground.clock.advance(Math.max(due ?? 0, STEP_MS));
    }
    throw new Error(`not done after ${MOST_ROUNDS} rounds: ${await openConditions(ground)}`);
  } finally {
    await sleeper?.plane.bury();
    await plane.bury();
  }
}

const DATASET = "Clicks";

export async function create(ground: Ground, options: ActOptions & { size: VpcSize }): Promise<Played> {
  await wish(ground, options.size);
  const played = await play(ground, options, () => atRest(ground));
  await assertOneOfEach(ground);
  return played;
}

/** A creation that ends where it is stopped: the dataset is deleted before anything else. */
export async function createAndGiveUp(
  ground: Ground,
  options: ActOptions & { size: VpcSize },
): Promise<Played> {
  await wish(ground, options.size);
  const played = await play(ground, options, null);
  await drop(ground, { windowMs: options.windowMs });
  return played;
}

async function wish(ground: Ground, vpcSize: VpcSize): Promise<void> {
  await ground.intent.createDataset(OPERATOR, ground.tenantId, {
    name: DATASET,
    region: "us-east-1",
    customerAccountForAccess: CUSTOMER,
    writeConnector: {
      connectorDestination: "Kafka",
      resourceLocation: "letsdata",
      vpcSize,
      vpcCidrBlock: null,
      kafka: kafkaCluster({ brokersPerZone: 1, topic: "clicks" }, vpcSize),
    },
    functionArns: [ground.functionArn],
    configuration: {},
  });
}

/** A creation in which something may come twice; in the end there is one of each. */
export async function createAndTidy(
  ground: Ground,
  options: ActOptions & { size: VpcSize },
): Promise<Played> {
  await wish(ground, options.size);
  const played = await play(ground, options, () => atRest(ground));
  shown(ground);
  const expected = JSON.stringify(sortedEntries(oneOfEach(["cluster"])));
  const tidy = { windowMs: options.windowMs, mayBeTwice: true };
  await play(ground, tidy, async () => {
    if (!(await atRest(ground))) return false;
    return JSON.stringify(sortedEntries(await counts(ground))) === expected;
  });
  await assertOneOfEach(ground);
  return played;
}

export async function drop(ground: Ground, options: ActOptions): Promise<Played> {
  await ground.intent.deleteDataset(OPERATOR, ground.tenantId, DATASET);
  const played = await play(ground, options, async () => (await statusOf(ground)) === "DELETED");
  await assertNothingLeft(ground);
  return played;
}

/** Accepts a new request of the customer's; the id of the connection comes with it. */
export async function accept(
  ground: Ground,
  options: ActOptions & { customerVpc: string },
): Promise<Played & { connectionId: string }> {
  const connectionId = await request(ground, options.customerVpc);
  const name = { datasetName: DATASET, connectionId };
  const asked = settling(ground.intent.acceptPeering(OPERATOR, ground.tenantId, name));
  const played = await play(ground, options, async () => {
    if (!(await asked()) || !(await atRest(ground))) return false;
    const wish = (await theNetwork(ground)).peerings.find((one) => one.connectionId === connectionId);
    return wish?.establishedAt != null;
  });
  await assertOneOfEach(ground);
  return { ...played, connectionId };
}

export async function unpeer(
  ground: Ground,
  options: ActOptions & { connectionId: string },
): Promise<Played> {
  const { connectionId } = options;
  const name = { datasetName: DATASET, connectionId };
  const asked = settling(ground.intent.deletePeering(OPERATOR, ground.tenantId, name));
  const played = await play(ground, options, async () => {
    if (!(await asked()) || !(await atRest(ground))) return false;
    const wish = (await theNetwork(ground)).peerings.find((one) => one.connectionId === connectionId);
    return wish?.endedAt != null;
  });
  await assertOneOfEach(ground);
  return played;
}

/** Whether the work has ended; throws what it threw. */
function settling(work: Promise<void>): () => Promise<boolean> {
  let outcome: (() => boolean) | null = null;
  work.then(
    () => {
      outcome = () => true;
    },
    (error: unknown) => {
      outcome = () => {
        throw error;
      };
    },
  );
  return async () => outcome?.() ?? false;
}

/** A VPC of the customer's with DNS names, so that every step of a peering has its work. */
export async function customerVpc(ground: Ground, CidrBlock = "172.20.0.0/16"): Promise<string> {
  const client = ground.ec2(CUSTOMER);
  const made = await client.send(new CreateVpcCommand({ CidrBlock }));
  const VpcId = present(made.Vpc?.VpcId);
  shown(ground);
  await client.send(new ModifyVpcAttributeCommand({ VpcId, EnableDnsHostnames: { Value: true } }));
  return VpcId;
}

async function request(ground: Ground, VpcId: string): Promise<string> {
  const { vpcs } = await worldOf(ground);
  const made = await ground
    .ec2(CUSTOMER)
    .send(new CreateVpcPeeringConnectionCommand({ VpcId, PeerVpcId: vpcs[0]?.id, PeerOwnerId: PLATFORM }));
  shown(ground);
  return present(made.VpcPeeringConnection?.VpcPeeringConnectionId);
}

/** Lets the time pass in which a cloud may hide what it has made. */
function shown(ground: Ground): void {
  ground.clock.advance(HIDDEN_MS + 1_000);
}

/** The longest a new id is unseen here, milliseconds. */
export const HIDDEN_MS = 60_000;

async function worldOf(ground: Ground): Promise<World> {
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

async function statusOf({ store, tenantId }: Ground): Promise<string | undefined> {
  return (await store.tenant(tenantId).dataset(DATASET))?.status;
}

/** ACTIVE, and every condition ready. */
async function atRest(ground: Ground): Promise<boolean> {
  if ((await statusOf(ground)) !== "ACTIVE") return false;
  const conditions = await conditionsOf(ground);
  return conditions.length > 0 && conditions.every(({ state }) => state === "ready");
}

async function theNetwork({ store, tenantId }: Ground): Promise<Network> {
  const dataset = present(await store.tenant(tenantId).dataset(DATASET));
  return present(await store.tenant(tenantId).network(dataset.id));
}

async function conditionsOf(ground: Ground) {
  const { datasetId } = await theNetwork(ground);
  return (await ground.store.tenant(ground.tenantId).status(datasetId))?.conditions ?? [];
}

async function openConditions(ground: Ground): Promise<string> {
  const open = (await conditionsOf(ground)).filter(({ state }) => state !== "ready");
  return JSON.stringify(open.map(({ resource, state, message }) => [resource, state, message]));
}

/** How many there are of each of our keys; dead NAT gateways, which AWS shows for an hour, left out. */
async function counts(ground: Ground): Promise<Map<string, number>> {
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

async function assertNothingTwice(ground: Ground): Promise<void> {
  const twice = [...(await counts(ground))].filter(([, count]) => count > 1);
  assert.deepEqual(twice, [], "there is something twice");
}

async function assertOneOfEach(ground: Ground): Promise<void> {
  shown(ground);
  assert.deepEqual(sortedEntries(await counts(ground)), sortedEntries(oneOfEach(["cluster"])));
}

/** Not under our tags and not without them. */
async function assertNothingLeft(ground: Ground): Promise<void> {
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
