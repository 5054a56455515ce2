/** Whose turn it is to be asked for what the list of clusters does not tell. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Cluster, DeleteClusterCommand, KafkaClient } from "@aws-sdk/client-kafka";
import { Clusters, DELETING, OWNER, REGION } from "../../sandbox/testing/clusters.ts";
import { CallError } from "./callError.ts";
import { clusterMemory } from "./clusterMemory.ts";
import { listClusters } from "./msk.ts";

const OLD_MS = 600_000;

let clusters: Clusters;
/** Its errors are those of the hands. */
let client: KafkaClient;
let listed: readonly Cluster[];

before(async () => {
  clusters = await Clusters.start();
  for (const name of ["a", "b", "c", "d", "e", "f"]) await clusters.makeActive(name);
  client = clusters.sandbox.of(KafkaClient, OWNER, REGION);
  const place = { action: "kafka", region: REGION, endpoint: clusters.sandbox.url };
  client.middlewareStack.add(
    (next) => (args) =>
      next(args).catch((error: unknown) => {
        throw new CallError(error, place);
      }),
    { step: "initialize", priority: "high" },
  );
  listed = await listClusters(client);
});
after(() => clusters.sandbox.close());

function told(memory: ReturnType<typeof clusterMemory>): string[] {
  const isTold = (one: Cluster) => Object.values(memory.known(one).bootstrap).some((text) => text !== null);
  return listed.flatMap((one) => (isTold(one) ? [one.ClusterName ?? ""] : [])).sort();
}

test("few in one look, the newest first", async () => {
  const memory = clusterMemory(clusters.sandbox.clock);
  await memory.learn(client, listed);
  assert.deepEqual(told(memory), ["c", "d", "e", "f"]);
});

test("each has its turn, though the first are old again by then", async () => {
  const memory = clusterMemory(clusters.sandbox.clock);
  await memory.learn(client, listed);
  clusters.sandbox.clock.advance(OLD_MS);
  await memory.learn(client, listed);
  assert.deepEqual(told(memory), ["a", "b", "c", "d", "e", "f"]);
});

test("those that do not answer do not keep the others from their turn", async () => {
  const memory = clusterMemory(clusters.sandbox.clock);
  const newest = listed.filter(({ ClusterName = "" }) => "cdef".includes(ClusterName));
  for (const { ClusterArn } of newest) await clusters.client.send(new DeleteClusterCommand({ ClusterArn }));
  clusters.sandbox.clock.advance(DELETING);
  await memory.learn(client, listed);
  assert.deepEqual(told(memory), []);
  clusters.sandbox.clock.advance(1);
  await memory.learn(client, listed);
  assert.deepEqual(told(memory), ["a", "b"]);
});
