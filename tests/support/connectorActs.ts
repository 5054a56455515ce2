/**
 * The acts of a write connector's life in a network that stands: its storage grows, its function was taken away and
 * gets back, its cluster is lost and replaced, it is deleted while its dataset stays, and built again. What others
 * do to it by hand is over before an act begins, so that its points are the product's alone.
 */
import assert from "node:assert/strict";
import type { World } from "../../src/domain/world.ts";
import { type ActOptions, type Played, play, tidied } from "./acts.ts";
import { deleteClusters, failNextClusters, takeOutOfVpc } from "./byHand.ts";
import type { Ground } from "./crash.ts";
import { OPERATOR } from "./house.ts";
import { present } from "./networks.ts";
import {
  assertNothingLeft,
  assertOneOfEach,
  atRest,
  conditionsOf,
  DATASET,
  shown,
  statusOf,
  theNetwork,
} from "./sights.ts";

/** More than any size begins with. */
const GROWN_GIB = 2_000;

export async function grow(ground: Ground, options: ActOptions): Promise<Played> {
  await ground.intent.updateConnector(OPERATOR, ground.tenantId, DATASET, { volumeGiB: GROWN_GIB });
  const played = await play(ground, options, async () => {
    const [cluster] = (await known(ground)).clusters;
    return cluster?.volumeGiB === GROWN_GIB && atRest(ground);
  });
  await assertOneOfEach(ground);
  return played;
}

/** Somebody has taken the function out of the VPC; it is put back. */
export async function regain(ground: Ground, options: ActOptions): Promise<Played> {
  await takeOutOfVpc(ground.sandboxUrl, ground.functionArn);
  shown(ground);
  const since = ground.clock.now();
  const played = await play(ground, options, async () => {
    const { functions, lookedAt } = await known(ground);
    return lookedAt.functions >= since && functions[0]?.vpcId != null && atRest(ground);
  });
  await assertOneOfEach(ground);
  return played;
}

/** Somebody has deleted the cluster; the one that is wanted in its place cannot be made. */
export async function lose(ground: Ground, options: ActOptions): Promise<Played> {
  await deleteClusters(ground.kafka);
  shown(ground);
  await play(ground, { windowMs: options.windowMs }, () => told(ground, /was deleted outside/));
  await ground.intent.reinitializeConnector(OPERATOR, ground.tenantId, DATASET);
  await failNextClusters(ground.sandboxUrl, "InsufficientCapacity");
  try {
    const played = await play(ground, options, () => told(ground, /^AWS could not make it/));
    await assertOneOfEach(ground);
    return played;
  } finally {
    await failNextClusters(ground.sandboxUrl);
  }
}

/** A FAILED cluster is wanted anew: it goes, and another one comes. */
export async function replace(ground: Ground, options: ActOptions): Promise<Played> {
  await ground.intent.reinitializeConnector(OPERATOR, ground.tenantId, DATASET);
  const played = await play(ground, options, () => atRest(ground));
  await assertOneOfEach(ground);
  return played;
}

/** The connector is deleted, and its dataset stays. */
export async function leave(ground: Ground, options: ActOptions): Promise<Played> {
  await ground.intent.deleteConnector(OPERATOR, ground.tenantId, DATASET);
  const played = await play(ground, options, async () => (await theNetwork(ground)).goneAt !== null);
  await assertNothingLeft(ground);
  assert.equal(await statusOf(ground), "INACTIVE");
  return played;
}

export async function rebuild(ground: Ground, options: ActOptions): Promise<Played> {
  const { cidr } = await theNetwork(ground);
  await ground.intent.reinitializeConnector(OPERATOR, ground.tenantId, DATASET);
  const played = await play(ground, options, () => atRest(ground));
  await tidied(ground, options);
  assert.equal((await theNetwork(ground)).cidr, cidr);
  return played;
}

/** The world as the control plane knows it. */
async function known(ground: Ground): Promise<World> {
  const { datasetId } = await theNetwork(ground);
  return present((await ground.store.tenant(ground.tenantId).status(datasetId))?.world);
}

async function told(ground: Ground, what: RegExp): Promise<boolean> {
  const cluster = (await conditionsOf(ground)).find(({ resource }) => resource === "cluster");
  return what.test(cluster?.message ?? "") && (await statusOf(ground)) === "ERROR";
}
