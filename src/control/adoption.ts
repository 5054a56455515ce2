/**
 * What the journal takes in because the world shows it: an attempt whose answer was lost gets its id by its tag; and a
 * topic, which bears none, is ours by its name, whoever made it, so that it is missed when it goes.
 */
import type { Network } from "../domain/model.ts";
import { type Attempt, networkThings, type World } from "../domain/world.ts";
import { ownClusters } from "../network/holders.ts";
import { ownProbes } from "../network/probe.ts";
import { TOPIC } from "../network/topic.ts";
import type { PassWrites } from "../store/store.ts";

interface Adoption {
  readonly network: Network;
  readonly attempts: readonly Attempt[];
  readonly world: World;
  readonly writes: PassWrites;
}

export async function adopt(input: Adoption): Promise<void> {
  const { attempts, world, writes } = input;
  const things = [...networkThings(world), ...ownClusters(world), ...ownProbes(world)];
  for (const { key, attempt, resourceId, closedAt } of attempts) {
    if (resourceId || closedAt !== null) continue;
    const found = things.find((thing) => thing.key === key && thing.attempt === attempt);
    if (found) await writes.recordAttempt(key, attempt, found.id);
  }
  await adoptTopic(input);
}

async function adoptTopic({ network, attempts, world, writes }: Adoption): Promise<void> {
  const isKept = new Set(ownClusters(world).map(({ id }) => id));
  const topic = world.topics.find(({ state, clusterId }) => state === "active" && isKept.has(clusterId));
  if (!topic || network.want === "absent") return;
  const tries = attempts.filter(({ key }) => key === TOPIC);
  const open = tries.findLast(({ closedAt }) => closedAt === null);
  if (open?.resourceId) return;
  const attempt = open?.attempt ?? Math.max(0, ...tries.map((one) => one.attempt)) + 1;
  if (!open) await writes.beginAttempt(TOPIC, attempt);
  await writes.recordAttempt(TOPIC, attempt, topic.id);
}
