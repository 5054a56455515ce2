import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SeenTopic } from "../domain/connector.ts";
import { kafkaCluster } from "../domain/kafka.ts";
import type { Condition } from "../domain/model.ts";
import type { Attempt, World } from "../domain/world.ts";
import { cluster } from "./clusters.testing.ts";
import { network, settled, think } from "./settled.testing.ts";
import { holdsCreationUp, holdsNothingBack, isLost } from "./status.ts";

const MINUTE = 60_000;
const of = network({ cluster: kafkaCluster({ topic: "events" }, "small") });
const empty = settled(network());

function topic(change: Partial<SeenTopic> = {}): SeenTopic {
  return {
    id: "arn:topic",
    key: "topic",
    attempt: 0,
    name: "events",
    clusterId: "arn:cluster",
    state: "active",
    refusal: null,
    partitions: 3,
    replicationFactor: 3,
    ...change,
  };
}

const attempt = (key: string, change: Partial<Attempt> = {}): Attempt => ({
  ...{ key, attempt: 1, resourceId: `arn:${key}`, at: 0, closedAt: null },
  ...change,
});
const MADE = [attempt("cluster"), attempt("topic")];

interface Case {
  readonly topics?: readonly SeenTopic[];
  readonly state?: string;
  readonly attempts?: readonly Attempt[];
  readonly now?: number;
  readonly world?: Partial<World>;
  readonly previous?: readonly Condition[];
}

/** The moves about the topic, and what is said of it. */
function thought({ topics = [], state = "active", attempts = MADE, now = HOUR, ...rest }: Case = {}) {
  const clusters = [cluster({ state })];
  const at = { ...empty, clusters, topics, ...rest.world };
  const { moves, conditions } = think(at, { network: of, attempts, now, previous: rest.previous ?? [] });
  const steps = moves.map(({ step }) => step).filter(({ key }) => key === "topic");
  const told = conditions.find(({ resource }) => resource === "topic");
  assert.ok(told);
  return { steps, told, text: `${told.state}: ${told.message}` };
}

const HOUR = 60 * MINUTE;

describe("a topic", () => {
  test("nobody asked for is not thought of", () => {
    const none = network({ cluster: kafkaCluster({}, "small") });
    const { conditions } = think({ ...empty, clusters: [cluster()] }, { network: none, attempts: MADE });
    assert.equal(
      conditions.some(({ resource }) => resource === "topic"),
      false,
    );
  });

  test("is made once the cluster is ACTIVE, by its name and size", () => {
    const attempts = [attempt("cluster")];
    assert.deepEqual(thought({ attempts, state: "creating" }).steps, []);
    assert.deepEqual(thought({ attempts }).steps, [
      {
        do: "createTopic",
        key: "topic",
        clusterArn: "arn:cluster",
        topic: { name: "events", partitions: 3, replicationFactor: 3 },
      },
    ]);
  });

  test("is not concluded to be absent from an old look", () => {
    const world = { at: 5, lookedAt: { ...empty.lookedAt, topics: 4 } };
    for (const attempts of [[attempt("cluster")], MADE]) {
      const { steps, text } = thought({ attempts, world });
      assert.deepEqual([steps, text], [[], "waiting: events is looked for"]);
    }
  });

  test("that was asked for is waited for as long as AWS may hide it", () => {
    const attempts = [attempt("cluster"), attempt("topic", { at: HOUR - 1, resourceId: null })];
    assert.match(thought({ attempts }).text, /^waiting: was asked for and the answer was lost/);
  });

  test("of another cluster is not this one's", () => {
    const other = topic({ clusterId: "arn:old" });
    assert.equal(thought({ topics: [other], attempts: [attempt("cluster")] }).steps.length, 1);
  });

  test("that was deleted by others is reported and not made again, until its attempt is closed", () => {
    const { steps, told } = thought();
    assert.deepEqual([steps, told.state, told.id], [[], "blocked", "arn:topic"]);
    assert.ok(isLost(told) && holdsCreationUp(told) && !holdsNothingBack(told));
    const closed = [attempt("cluster"), attempt("topic", { closedAt: 1 })];
    assert.equal(thought({ attempts: closed }).steps.length, 1);
  });

  test("grows, and is never made smaller", () => {
    assert.deepEqual(thought({ topics: [topic({ partitions: 2 })] }).steps, [
      { do: "growTopic", key: "topic", clusterArn: "arn:cluster", name: "events", partitions: 3 },
    ]);
    const more = thought({ topics: [topic({ partitions: 9 })] });
    assert.deepEqual([more.steps, more.told.state], [[], "ready"]);
    assert.match(more.told.message, /9 partitions.*more than the 3 asked for/);
    for (const state of ["creating", "updating", "deleting"])
      assert.deepEqual(thought({ topics: [topic({ partitions: 2, state })] }).steps, [], state);
  });

  test("with other copies is reported and not replaced", () => {
    const { steps, told } = thought({ topics: [topic({ replicationFactor: 2 })] });
    assert.deepEqual([steps, told.state], [[], "blocked"]);
    assert.match(told.message, /cannot be changed/);
    assert.ok(isLost(told));
  });

  test("that AWS does not tell of holds nothing up", () => {
    const unknown = topic({ state: "unknown", refusal: "no right", partitions: 0 });
    for (const attempts of [[attempt("cluster")], MADE]) {
      const { steps, told } = thought({ topics: [unknown], attempts });
      assert.deepEqual([steps, told.state, told.id], [[], "blocked", null]);
      assert.ok(holdsNothingBack(told) && !holdsCreationUp(told) && !isLost(told));
    }
  });

  test("that was refused is asked for again after ten minutes", () => {
    const attempts = [attempt("cluster"), attempt("topic", { resourceId: null, at: HOUR, closedAt: HOUR })];
    const refused = thought({ attempts: [attempt("cluster")] }).told;
    const previous: Condition[] = [{ ...refused, state: "blocked", actor: "operator", message: "no" }];
    const early = thought({ attempts, previous, now: HOUR + 10 * MINUTE - 1 });
    assert.deepEqual([early.steps, early.text], [[], "blocked: no"]);
    assert.equal(thought({ attempts, previous, now: HOUR + 10 * MINUTE }).steps.length, 1);
    const waited: Condition[] = [{ ...refused, state: "waiting" }];
    assert.equal(thought({ attempts, previous: waited, now: HOUR + 1 }).steps.length, 1);
  });

  test("stays as it was while AWS is at work on the cluster", () => {
    const unknown = topic({ state: "unknown" });
    for (const state of ["updating", "healing", "maintenance"]) {
      const { steps, told } = thought({ topics: [unknown], state });
      assert.deepEqual([steps, told.state], [[], "ready"], state);
    }
    assert.equal(
      thought({ topics: [unknown], state: "updating", attempts: [attempt("cluster")] }).told.state,
      "waiting",
    );
  });
});

test("a topic that may come to light holds no teardown up: it goes with its cluster", () => {
  const attempts = [attempt("topic", { at: HOUR, resourceId: null })];
  const gone = network({ cluster: of.cluster, want: "absent" });
  const nothing: World = { ...empty, ...emptied() };
  assert.equal(think(nothing, { network: gone, attempts, now: HOUR + 1 }).gone, true);
});

function emptied(): Partial<World> {
  const none = { vpcs: [], subnets: [], internetGateways: [], addresses: [], natGateways: [] };
  return { ...none, routeTables: [], endpoints: [], groups: [], acls: [], peerings: [], interfaces: [] };
}
