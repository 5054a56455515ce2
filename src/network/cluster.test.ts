import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SeenCluster, SeenFunction } from "../domain/connector.ts";
import { kafkaCluster } from "../domain/kafka.ts";
import type { Network } from "../domain/model.ts";
import type { Attempt, SeenInterface, World } from "../domain/world.ts";
import { cluster, PLACES } from "./clusters.testing.ts";
import { network, settled, steps, think } from "./settled.testing.ts";

const ARN = "arn:aws:lambda:us-east-1:999999999999:function:clicks";
const HOUR = 3_600_000;
const wish = kafkaCluster({}, "small");
const withCluster = (change: Partial<Network> = {}) => network({ cluster: wish, ...change });

function lambda(change: Partial<SeenFunction> = {}): SeenFunction {
  return {
    id: ARN,
    name: "clicks",
    state: "active",
    stateReason: null,
    updateState: "successful",
    updateReason: null,
    lacks: null,
    vpcId: null,
    subnetIds: [],
    groupIds: [],
    ...change,
  };
}

const ATTACHED = { vpcId: "vpc-vpc", subnetIds: PLACES.subnetIds, groupIds: ["sg-group/cluster"] };

function attempt(change: Partial<Attempt> = {}): Attempt {
  return { key: "cluster", attempt: 1, resourceId: "arn:cluster", at: 0, closedAt: null, ...change };
}

const empty = settled(network());
const world = (change: Partial<World> = {}): World => ({ ...empty, ...change });
const made = [attempt()];
const told = (resource: string, thought: ReturnType<typeof think>) =>
  thought.conditions.find((one) => one.resource === resource);

describe("a cluster", () => {
  const of = withCluster();

  test("is made once its subnets and both groups are there, in them", () => {
    const [move] = think(world(), { network: of }).moves;
    assert.equal(move?.step.do, "createCluster");
    assert.deepEqual(move?.step.do === "createCluster" && move.step.spec, {
      ...PLACES,
      clusterType: "provisioned",
      version: "3.9.x.kraft",
      instanceType: "kafka.m7g.large",
      brokerCount: 3,
      volumeGiB: 100,
      authentication: "iam",
    });
    const groups = empty.groups.filter(({ key }) => key !== "group/peers");
    assert.deepEqual(steps(world({ groups }), { network: of }), ["createGroup group/peers"]);
  });

  test("holds ACTIVE back until it is there and tells its brokers", () => {
    const complete = (one: SeenCluster) =>
      think(world({ clusters: [one] }), { network: of, attempts: made }).complete;
    assert.equal(complete(cluster({ state: "creating" })), false);
    assert.equal(
      complete(cluster({ bootstrap: { plaintext: null, tls: null, scram: null, iam: null } })),
      false,
    );
    assert.equal(complete(cluster()), true);
  });

  test("whose answer was lost is waited for, and adopted by its name and tags", () => {
    const lost = [attempt({ resourceId: null, at: 999_000 })];
    assert.deepEqual(steps(world(), { network: of, attempts: lost }), []);
    assert.deepEqual(steps(world({ clusters: [cluster()] }), { network: of, attempts: lost }), []);
  });

  test("of somebody else with our name is told of and never touched", () => {
    const thought = think(world({ clusters: [cluster({ ours: false })] }), { network: of });
    assert.deepEqual(thought.moves, []);
    assert.match(told("cluster", thought)?.message ?? "", /name ld-inst-ds-1 is taken/);
    const absent = { network: withCluster({ want: "absent" }) };
    assert.ok(
      !steps(world({ clusters: [cluster({ ours: false })] }), absent).includes("deleteCluster cluster"),
    );
  });

  test("that others deleted is told of and not made again, until it is given up", () => {
    const thought = think(world(), { network: of, attempts: made });
    assert.deepEqual(thought.moves, []);
    assert.deepEqual(
      [told("cluster", thought)?.state, told("cluster", thought)?.actor],
      ["blocked", "operator"],
    );
    const moves = think(world(), { network: of, attempts: [attempt({ closedAt: 5 })] }).moves;
    assert.deepEqual(
      moves.map(({ step, attempt: number }) => [step.do, number]),
      [["createCluster", 2]],
    );
  });

  test("that FAILED is told of with AWS's reason; given up it goes, and a new one comes after it", () => {
    const failed = cluster({ state: "failed", stateReason: "X: no room" });
    const thought = think(world({ clusters: [failed] }), { network: of, attempts: made });
    assert.deepEqual(thought.moves, []);
    assert.match(told("cluster", thought)?.message ?? "", /X: no room/);
    const givenUp = { network: of, attempts: [attempt({ closedAt: 5 })] };
    assert.deepEqual(steps(world({ clusters: [failed] }), givenUp), ["deleteCluster cluster"]);
    assert.deepEqual(steps(world({ clusters: [cluster({ state: "deleting" })] }), givenUp), []);
  });

  test("that differs in what cannot be changed is told of and not replaced", () => {
    for (const change of [{ clusterType: "express" }, { subnetIds: ["x"] }, { groupIds: ["y"] }] as const) {
      const thought = think(world({ clusters: [cluster(change)] }), { network: of, attempts: made });
      assert.deepEqual(thought.moves, []);
      assert.match(told("cluster", thought)?.message ?? "", /cannot be changed/);
    }
  });

  test("that is CREATING for longer than two hours is told of", () => {
    const clusters = [cluster({ state: "creating" })];
    const at = (now: number) =>
      told("cluster", think(world({ clusters }), { network: of, attempts: made, now }))?.state;
    assert.deepEqual([at(2 * HOUR - 1), at(2 * HOUR)], ["waiting", "blocked"]);
  });

  test("grows, by its revision, and only when it rests; it never shrinks", () => {
    const larger = withCluster({ cluster: wish && { ...wish, volumeGiB: 300 } });
    const moves = (change: Partial<SeenCluster>) =>
      think(world({ clusters: [cluster(change)] }), { network: larger, attempts: made }).moves.map(
        ({ step }) => step,
      );
    assert.deepEqual(moves({}), [
      { do: "growStorage", key: "cluster", clusterArn: "arn:cluster", revision: "K1", volumeGiB: 300 },
    ]);
    assert.deepEqual(moves({ state: "updating" }), []);
    assert.deepEqual(moves({ volumeGiB: 500 }), []);
  });
});

describe("functions", () => {
  const of = withCluster({ functionArns: [ARN] });
  const at = (change: Partial<World>) => ({ ...world({ clusters: [cluster()], ...change }) });
  const run = (change: Partial<World>) => steps(at(change), { network: of, attempts: made });

  test("are attached once the cluster is there, all with the one group", () => {
    assert.deepEqual(run({ clusters: [cluster({ state: "creating" })], functions: [lambda()] }), []);
    assert.deepEqual(run({ functions: [lambda()] }), ["attachFunction function/clicks"]);
    assert.deepEqual(run({ functions: [lambda(ATTACHED)] }), []);
    assert.deepEqual(run({ functions: [lambda({ ...ATTACHED, groupIds: ["sg-x"] })] }), [
      "attachFunction function/clicks",
    ]);
  });

  test("of another VPC, and missing ones, are told of and left alone", () => {
    for (const functions of [[lambda({ vpcId: "vpc-other" })], []]) {
      const thought = think(at({ functions }), { network: of, attempts: made });
      assert.deepEqual(thought.moves, []);
      assert.equal(told("function/clicks", thought)?.state, "blocked");
    }
  });

  test("are looked at before anything is done to them", () => {
    const old = { ...at({ functions: [lambda()] }), at: 9 };
    const thought = think(old, { network: of, attempts: made });
    assert.deepEqual(thought.moves, []);
    assert.match(told("function/clicks", thought)?.message ?? "", /is looked at/);
  });

  test("that AWS could not attach say why and what to do, and are tried again", () => {
    const failed = lambda({
      ...ATTACHED,
      updateState: "failed",
      updateReason: "InsufficientRolePermissions: no",
      lacks: "role",
    });
    const thought = think(at({ functions: [failed] }), { network: of, attempts: made });
    assert.equal(thought.moves[0]?.optional, true);
    assert.match(told("function/clicks", thought)?.hint ?? "", /AWSLambdaVPCAccessExecutionRole/);
  });
});

describe("the end", () => {
  const of = withCluster({ want: "absent", functionArns: [ARN] });
  const ends = (change: Partial<World>) =>
    steps(world({ clusters: [cluster()], ...change }), { network: of, attempts: made }).filter((step) =>
      /Function|Cluster/.test(step),
    );

  test("functions leave first; the cluster goes when AWS has carried that out", () => {
    assert.deepEqual(ends({ functions: [lambda(ATTACHED)] }), ["detachFunction function/clicks"]);
    assert.deepEqual(ends({ functions: [lambda({ ...ATTACHED, updateState: "inprogress" })] }), []);
    assert.deepEqual(ends({ functions: [lambda({ updateState: "inprogress" })] }), []);
    assert.deepEqual(ends({ functions: [lambda()] }), ["deleteCluster cluster"]);
    assert.deepEqual(ends({ functions: [lambda({ vpcId: "vpc-other" })] }), ["deleteCluster cluster"]);
  });

  test("a cluster that AWS is at work on is tried without holding anything up", () => {
    const { moves } = think(world({ clusters: [cluster({ state: "creating" })] }), { network: of });
    assert.equal(moves.find(({ step }) => step.do === "deleteCluster")?.optional, true);
    assert.deepEqual(ends({ clusters: [cluster({ state: "deleting" })] }), []);
  });

  const eni = (change: Partial<SeenInterface>): SeenInterface => ({
    id: "eni-1",
    vpcId: "vpc-vpc",
    subnetId: "subnet-subnet/private/0",
    state: "in-use",
    description: "AWS Lambda VPC ENI-clicks-0a",
    ownerId: "999999999999",
    requesterManaged: true,
    interfaceType: "lambda",
    groupIds: ["sg-group/cluster"],
    ...change,
  });
  const ofInterface = (change: Partial<World>) =>
    told("interface/eni-1", think(world(change), { network: of, attempts: made }));

  test("the interfaces that they leave are known, named and waited for", () => {
    const gone = ofInterface({ functions: [lambda()], interfaces: [eni({})] });
    assert.deepEqual([gone?.state, gone?.actor, gone?.usualSeconds], ["deleting", "aws", 1_200]);
    assert.match(gone?.message ?? "", /is function clicks's; AWS takes it away/);
    const there = ofInterface({ functions: [lambda(ATTACHED)], interfaces: [eni({})] });
    assert.equal(there?.state, "waiting");
    const broker = eni({ description: "MSK", interfaceType: "interface", groupIds: PLACES.groupIds });
    assert.equal(ofInterface({ clusters: [cluster()], interfaces: [broker] })?.state, "waiting");
    assert.match(ofInterface({ interfaces: [broker] })?.message ?? "", /is the cluster's; AWS takes it away/);
    assert.equal(ofInterface({ functions: [], interfaces: [eni({})] })?.state, "blocked");
  });
});
