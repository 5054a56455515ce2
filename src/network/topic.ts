/**
 * The moves that give a cluster its topic, and what is said of it. It is made once the cluster is ACTIVE; one of that
 * name that is there already is taken as it is. It grows and never shrinks. Like a cluster, a topic that somebody
 * deleted held records: it is reported, and an empty one is made only when somebody asks. Where AWS does not make
 * topics the dataset goes on without, and what to do by hand is said.
 */
import type { SeenCluster, SeenTopic } from "../domain/connector.ts";
import type { Condition } from "../domain/model.ts";
import { type TopicWish, topicOf } from "../domain/topic.ts";
import { CLUSTER, type ConnectorInput, command } from "./cluster.ts";
import { ownClusters } from "./holders.ts";
import { made } from "./sight.ts";

export const TOPIC = "topic";

/** Seconds: what is told of topics is up to a minute old. */
const USUAL_TOPIC = 60;
/** From one refusal that was not about the moment to the next try, milliseconds. */
const REFUSED_AGAIN_MS = 600_000;

interface TopicInput extends ConnectorInput {
  readonly wish: TopicWish;
  readonly cluster: SeenCluster;
  /** What was said in the pass before. */
  readonly before: Condition | undefined;
}

export function buildTopic(input: ConnectorInput, previous: readonly Condition[]): void {
  const { network, sight, draft } = input;
  const wish = network.cluster && topicOf(network.cluster);
  if (!wish) return;
  const cluster = clusterOf(input);
  const before = previous.find(({ resource }) => resource === TOPIC);
  if (!cluster) {
    const message = `${wish.name} is made once the cluster is ACTIVE`;
    draft.waiting({ resource: TOPIC, message, actor: "letsdata" });
  } else if (cluster.state === "active") tend({ ...input, wish, cluster, before });
  else {
    const id = sight.made(TOPIC);
    const message = `${wish.name}: AWS tells of topics when the cluster is ACTIVE, and it is ${cluster.state.toUpperCase()}`;
    if (id) draft.ready({ resource: TOPIC, id, message });
    else draft.waiting({ resource: TOPIC, message, actor: "letsdata" });
  }
}

/** The one that is to have it; null while it is to be made, or made anew. */
function clusterOf({ sight }: ConnectorInput): SeenCluster | null {
  const [cluster] = ownClusters(sight.world);
  const isThere = cluster && cluster.state !== "creating" && !sight.isGivenUp(CLUSTER, cluster.id);
  return isThere ? cluster : null;
}

function tend(input: TopicInput): void {
  const { sight, draft, cluster, wish } = input;
  const topics = sight.world.topics.filter(
    ({ clusterId, name }) => clusterId === cluster.id && name === wish.name,
  );
  const looked = sight.look(topics, TOPIC);
  if (looked.is === "seen") tell(input, looked.thing);
  else if (looked.is === "pending") made(draft, looked, creation(input));
  // Nothing is concluded from an old look.
  else if (sight.world.lookedAt.topics < sight.world.at)
    draft.waiting({ resource: TOPIC, message: `${wish.name} is looked for` });
  else if (sight.lost(TOPIC)) tellLost(input);
  else if (!tellRefused(input)) made(draft, looked, creation(input));
}

function creation({ cluster, wish }: TopicInput) {
  const step = { do: "createTopic", key: TOPIC, clusterArn: cluster.id, topic: wish } as const;
  return { ...step, usual: USUAL_TOPIC };
}

/** True while it is too early to ask again. */
function tellRefused({ sight, draft, before }: TopicInput): boolean {
  const last = sight.lastTryAt(TOPIC);
  const isEarly = last !== null && sight.now - last < REFUSED_AGAIN_MS;
  if (!isEarly || before?.state !== "blocked" || before.id !== null) return false;
  draft.blocked({ resource: TOPIC, actor: before.actor, message: before.message, hint: before.hint });
  return true;
}

function tellLost({ sight, draft, network, wish }: TopicInput): void {
  draft.blocked({
    resource: TOPIC,
    id: sight.lost(TOPIC),
    actor: "operator",
    message: `${wish.name} was deleted outside of letsdata, and its records with it; it is not made again by itself`,
    hint: `An empty one: ${command("reinitialize", network)} ; or make it by Kafka's own means, and it is taken as it is.`,
  });
}

function tell(input: TopicInput, topic: SeenTopic): void {
  const { draft, wish } = input;
  const { id, state, partitions } = topic;
  const resource = { resource: TOPIC, id };
  if (state === "unknown") tellUnknown(input, topic);
  else if (state === "deleting")
    draft.waiting({ ...resource, message: `${wish.name} is being deleted outside of letsdata` });
  else if (state !== "active")
    draft.waiting({
      ...resource,
      message: `${described(topic)} is ${state.toUpperCase()}`,
      usualSeconds: USUAL_TOPIC,
    });
  else if (topic.replicationFactor !== wish.replicationFactor) tellDiffering(input, topic);
  else if (partitions < wish.partitions) grow(input, topic);
  else {
    const more = partitions > wish.partitions ? `, more than the ${wish.partitions} asked for` : "";
    draft.ready({ ...resource, message: `${described(topic)}${more}` });
  }
}

function tellUnknown({ sight, draft, wish }: TopicInput, { refusal }: SeenTopic): void {
  const id = sight.made(TOPIC);
  if (refusal === null) draft.waiting({ resource: TOPIC, id, message: `${wish.name} is looked for` });
  else
    draft.blocked({
      resource: TOPIC,
      actor: "operator",
      message: `AWS does not tell of ${wish.name}: ${refusal}`,
      hint: "The dataset works without. Allow the platform's role what topics need (docs/iam-policy.md); else make the topic by Kafka's own means.",
    });
}

function tellDiffering({ draft, network, wish }: TopicInput, topic: SeenTopic): void {
  draft.blocked({
    resource: TOPIC,
    id: topic.id,
    actor: "operator",
    message: `${described(topic)}, and ${wish.replicationFactor} copies were asked for; that cannot be changed, and a topic with records is not replaced`,
    hint: `Delete it, with its records, by Kafka's own means; then ${command("reinitialize", network)}`,
  });
}

function grow({ draft, cluster, wish }: TopicInput, topic: SeenTopic): void {
  const { partitions, name } = wish;
  draft.move({ do: "growTopic", key: TOPIC, clusterArn: cluster.id, name, partitions });
  draft.waiting({
    resource: TOPIC,
    id: topic.id,
    actor: "letsdata",
    message: `${name} grows from ${topic.partitions} to ${partitions} partitions`,
    usualSeconds: USUAL_TOPIC,
  });
}

function described({ name, partitions, replicationFactor }: SeenTopic): string {
  return `${name}: ${partitions} partitions, ${replicationFactor} copies of each`;
}
