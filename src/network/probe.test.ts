import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SeenProbe } from "../domain/connector.ts";
import type { Attempt, SeenInterface, World } from "../domain/world.ts";
import { deletePlan } from "./deletePlan.ts";
import { network, settled, steps, think } from "./settled.testing.ts";

const ROLE = "arn:aws:iam::999999999999:role/probes";
const of = network({ probeRoleArn: ROLE, readyAt: 1, datasetStatus: "ACTIVE" });
const absent = network({ probeRoleArn: ROLE, readyAt: 1, want: "absent" });
const ID = "arn:aws:lambda:us-east-1:999999999999:function:ld-inst-ds-1-probe";

const PLACE = {
  subnetIds: [0, 1, 2].map((zone) => `subnet-subnet/private/${zone}`),
  groupIds: ["sg-group/cluster"],
};

function probe(change: Partial<SeenProbe> = {}): SeenProbe {
  return {
    id: ID,
    key: "probe",
    attempt: 1,
    name: "ld-inst-ds-1-probe",
    ours: true,
    state: "active",
    stateReason: null,
    updateState: "successful",
    updateReason: null,
    lacks: null,
    vpcId: "vpc-vpc",
    ...PLACE,
    roleArn: ROLE,
    isConfigured: true,
    isCurrent: true,
    ...change,
  };
}

const made: readonly Attempt[] = [{ key: "probe", attempt: 1, resourceId: ID, at: 0, closedAt: null }];

function world(probes: readonly SeenProbe[], change: Partial<World> = {}): World {
  return { ...settled(of), probes, ...change };
}

/** Of the probe's own: the moves, and what is said. */
function run(probes: readonly SeenProbe[], attempts: readonly Attempt[] = made) {
  const { moves, conditions, complete } = think(world(probes), { network: of, attempts });
  const told = conditions.find(({ resource }) => resource === "probe");
  return { moves: moves.map(({ step }) => step.do), told, complete };
}

describe("a network that somebody probes from", () => {
  test("nobody did: it has no such function, and says nothing of one", () => {
    const { moves, conditions } = think(settled(network()), { network: network() });
    assert.deepEqual(moves, []);
    assert.equal(
      conditions.some(({ resource }) => resource === "probe"),
      false,
    );
  });

  test("is given the function, in the private subnets, with group cluster alone", () => {
    const { moves } = think(world([]), { network: of });
    assert.deepEqual(
      moves.map(({ step, attempt }) => ({ ...step, attempt })),
      [{ do: "createProbe", key: "probe", spec: { roleArn: ROLE, ...PLACE }, attempt: 1 }],
    );
  });

  test("waits for its subnets first", () => {
    const { subnets } = settled(of);
    const few = world([], { subnets: subnets.filter(({ key }) => key !== "subnet/private/1") });
    assert.ok(!steps(few, { network: of }).some((step) => step.includes("Probe")));
  });

  test("is ready when it is there; nothing of it ever holds ACTIVE back", () => {
    assert.deepEqual(run([probe()]).moves, []);
    assert.equal(run([probe()]).told?.state, "ready");
    for (const state of [probe({ state: "pending" }), probe({ ours: false }), probe({ state: "failed" })])
      assert.equal(run([state]).complete, true);
  });

  test("AWS took its interfaces back: the next call brings them, so it is ready", () => {
    const { moves, told } = run([probe({ state: "inactive" })]);
    assert.deepEqual([moves, told?.state], [[], "ready"]);
    assert.match(told?.message ?? "", /next probe waits/);
  });

  test("is made again when somebody deleted it, once AWS cannot be hiding it", () => {
    assert.deepEqual(run([]).moves, ["createProbe"]);
    const fresh = made.map((one) => ({ ...one, at: 900_000 }));
    assert.deepEqual([run([], fresh).moves, run([], fresh).told?.state], [[], "waiting"]);
  });

  test("an answer that was lost is sought by its tags, and not asked for twice", () => {
    const lost = [{ key: "probe", attempt: 1, resourceId: null, at: 900_000, closedAt: null }];
    assert.deepEqual(run([], lost).moves, []);
    assert.deepEqual(run([probe()], lost).moves, []);
  });

  const changes: readonly [string, Partial<SeenProbe>, string[]][] = [
    ["another role", { roleArn: "arn:aws:iam::999999999999:role/old" }, ["configureProbe"]],
    ["out of a subnet", { subnetIds: PLACE.subnetIds.slice(1) }, ["configureProbe"]],
    ["in another group", { groupIds: ["sg-other"] }, ["configureProbe"]],
    ["outside of the VPC", { vpcId: null, subnetIds: [], groupIds: [] }, ["configureProbe"]],
    ["settings of another version", { isConfigured: false }, ["configureProbe"]],
    ["code of another version", { isCurrent: false }, ["updateProbeCode"]],
    ["both: the place first", { isCurrent: false, isConfigured: false }, ["configureProbe"]],
    ["AWS is at work on it", { isCurrent: false, updateState: "inprogress" }, []],
    ["being set up", { isCurrent: false, state: "pending" }, []],
  ];
  for (const [what, change, moves] of changes)
    test(`${what}: ${moves.join() || "waits"}`, () => {
      const { moves: taken, told } = run([probe(change)]);
      assert.deepEqual([taken, told?.state], [moves, "waiting"]);
    });

  test("a change that AWS could not make is tried again, and said", () => {
    const { moves, told } = run([
      probe({ updateState: "failed", updateReason: "Eni: none", lacks: "quota" }),
    ]);
    assert.deepEqual([moves, told?.state, told?.actor], [["configureProbe"], "blocked", "operator"]);
    assert.match(`${told?.message} ${told?.hint}`, /Eni: none.*quota/);
  });

  test("one that could not be set up is deleted, and made again; not at once, and not for ever", () => {
    const failed = probe({ state: "failed", stateReason: "InsufficientRolePermissions", lacks: "role" });
    assert.deepEqual([run([failed]).moves, run([failed]).told?.state], [["deleteProbe"], "blocked"]);
    const fresh = made.map((one) => ({ ...one, at: 990_000 }));
    assert.deepEqual(run([failed], fresh).moves, []);
    const closed = made.map((one) => ({ ...one, closedAt: 995_000 }));
    assert.deepEqual(run([], closed).moves, ["createProbe"]);
  });

  test("somebody else's function of its name is not touched", () => {
    const { moves, told } = run([probe({ ours: false })], []);
    assert.deepEqual([moves, told?.state, told?.actor], [[], "blocked", "operator"]);
    assert.match(told?.message ?? "", /ld-inst-ds-1-probe is taken/);
  });
});

describe("its end", () => {
  const end = (probes: readonly SeenProbe[], change: Partial<World> = {}) =>
    think(world(probes, change), { network: absent, attempts: made });
  const moves = (probes: readonly SeenProbe[]) =>
    end(probes).moves.flatMap(({ step }) => (step.key === "probe" ? [step.do] : []));

  const ends: readonly [string, Partial<SeenProbe>, string[]][] = [
    ["stands in the VPC", {}, ["detachFunction"]],
    ["is leaving", { vpcId: null, updateState: "inprogress" }, []],
    ["is being changed", { updateState: "inprogress" }, []],
    ["is being set up", { state: "pending" }, []],
    ["has left", { vpcId: null, subnetIds: [], groupIds: [] }, ["deleteProbe"]],
    ["could not be set up", { state: "failed" }, ["deleteProbe"]],
    ["has no interfaces any more", { state: "inactive" }, ["deleteProbe"]],
    ["could not leave", { updateState: "failed" }, ["detachFunction"]],
    ["is somebody else's", { ours: false }, []],
  ];
  for (const [what, change, expected] of ends)
    test(`${what}: ${expected.join() || "nothing"}`, () =>
      assert.deepEqual(moves([probe(change)]), expected));

  const left: SeenInterface = {
    id: "eni-1",
    vpcId: "vpc-vpc",
    subnetId: "subnet-subnet/private/0",
    state: "in-use",
    description: "AWS Lambda VPC ENI-ld-inst-ds-1-probe-0f0f",
    ownerId: "999999999999",
    requesterManaged: true,
    interfaceType: "lambda",
    groupIds: ["sg-group/cluster"],
  };

  test("its interface waits for it; when it is gone, AWS takes that away, and nobody is blamed", () => {
    const say = (probes: readonly SeenProbe[]) =>
      end(probes, { interfaces: [left] }).conditions.find(({ resource }) => resource === "interface/eni-1");
    assert.deepEqual([say([probe()])?.state, say([probe()])?.actor], ["waiting", "letsdata"]);
    assert.deepEqual([say([])?.state, say([])?.actor], ["deleting", "aws"]);
    assert.match(say([])?.message ?? "", /the probe's/);
  });

  test("the network is not gone before it", () => {
    const nothing = {
      ...settled(of),
      vpcs: [],
      subnets: [],
      internetGateways: [],
      addresses: [],
      natGateways: [],
    };
    const bare = { ...nothing, routeTables: [], endpoints: [], groups: [], acls: [] };
    const closed = made.map((one) => ({ ...one, closedAt: 1 }));
    const gone = (probes: readonly SeenProbe[]) =>
      think({ ...bare, probes }, { network: absent, attempts: closed }).gone;
    assert.deepEqual([gone([probe({ vpcId: null })]), gone([])], [false, true]);
  });

  test("the delete plan shows it, before and after", () => {
    const rows = (probes: readonly SeenProbe[]) => {
      const { conditions } = end(probes);
      const seen = world(probes);
      const asked = { askedAt: 0, observedAt: 1, now: 2 };
      return deletePlan({ network: absent, world: seen, conditions, ...asked });
    };
    const row = (probes: readonly SeenProbe[]) => rows(probes).find(({ resource }) => resource === "probe");
    assert.deepEqual([row([probe()])?.order, row([probe()])?.state], [1, "deleting"]);
    assert.equal(row([])?.state, "gone");
  });
});
