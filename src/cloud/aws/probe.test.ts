import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DeleteFunctionCommand, TagResourceCommand, UpdateFunctionCodeCommand } from "@aws-sdk/client-lambda";
import type { SeenProbe } from "../../domain/connector.ts";
import type { ProbeWish } from "../../domain/probe.ts";
import { Functions, OWNER, REGION, zipped } from "../../sandbox/testing/functions.ts";
import type { AwsCloud } from "./ec2.ts";
import { probeName } from "./probe.ts";
import {
  cellIn,
  handsOn,
  hurriedClock,
  networkRef,
  rejection,
  startWire,
  stepper,
  type Wire,
} from "./testing.ts";

const ROLE = `arn:aws:iam::${OWNER}:role/probes`;
const network = { ...networkRef("whole"), hasProbe: true };
const NAME = probeName("inst-1", network);

let functions: Functions;
let wire: Wire;
let cloud: AwsCloud;

before(async () => {
  functions = await Functions.start();
  wire = await startWire(functions.sandbox.url);
  cloud = handsOn(wire.url, hurriedClock(functions.sandbox.clock), OWNER);
});
after(async () => {
  cloud?.close();
  await wire?.close();
  await functions?.sandbox.close();
});

const hand = () => stepper(cloud, cellIn(REGION, OWNER), network);
const settle = () => functions.sandbox.clock.advance(60_000);

async function seen(): Promise<SeenProbe | undefined> {
  return (await hand().look()).probes[0];
}

/** The one that must be there. */
async function there(): Promise<SeenProbe> {
  const probe = await seen();
  assert.ok(probe);
  return probe;
}

function spec(roleArn = ROLE) {
  const { SubnetIds, SecurityGroupIds } = functions.network(0);
  return { roleArn, subnetIds: SubnetIds, groupIds: SecurityGroupIds };
}

const create = () => hand().act({ do: "createProbe", key: "probe", spec: spec() });
const raw = () => functions.client;

const wish: ProbeWish = { host: "127.0.0.1", port: 1, protocol: "tcp", tls: false, ca: null, stageMs: 1_000 };
const run = () => cloud.probe(cellIn(REGION, OWNER), { network, wish });

describe("the probe's function, from nothing to nothing", () => {
  test("is not there, and is not looked for where nobody probes", async () => {
    assert.equal(await seen(), undefined);
    const before = wire.sent.length;
    await stepper(cloud, cellIn(REGION, OWNER), networkRef("whole")).look();
    assert.deepEqual(
      wire.sent.slice(before).filter((call) => call.includes("/functions")),
      [],
    );
  });

  test("is made under our name, with our tags, in the VPC; and is seen as it was asked for", async () => {
    const arn = await create();
    assert.match(arn ?? "", new RegExp(`:function:${NAME}$`));
    assert.equal((await seen())?.state, "pending");
    settle();
    const probe = await there();
    assert.deepEqual(
      [probe.id, probe.key, probe.attempt, probe.ours, probe.state, probe.roleArn],
      [arn, "probe", 1, true, "active", ROLE],
    );
    assert.deepEqual([probe.isConfigured, probe.isCurrent, probe.vpcId], [true, true, functions.vpcId]);
    assert.deepEqual(probe.groupIds, functions.groups.slice(0, 1));
  });

  test("tells what it found", async () => {
    const { stages, addresses } = await run();
    assert.deepEqual(
      stages.map(({ stage, outcome, code }) => [stage, outcome, code]),
      [
        ["resolve", "ok", null],
        ["connect", "failed", "OWN_ADDRESS"],
      ],
    );
    assert.deepEqual(addresses, ["127.0.0.1"]);
  });

  test("a second one is a conflict, and a lost answer is found by its tags", async () => {
    await rejection(create(), "conflict");
    const { id } = await there();
    await raw().send(new DeleteFunctionCommand({ FunctionName: id }));
    wire.loseAnswers("POST /2015-03-31/functions", 1);
    await rejection(create(), "unavailable");
    settle();
    assert.deepEqual([(await there()).ours, (await there()).attempt], [true, 1]);
  });

  test("another role, and back: one change at a time", async () => {
    const { id: functionArn } = await there();
    const role = `arn:aws:iam::${OWNER}:role/other`;
    const configure = (roleArn: string) =>
      hand().act({ do: "configureProbe", key: "probe", functionArn, spec: spec(roleArn) });
    await configure(role);
    await rejection(configure(ROLE), "conflict");
    settle();
    assert.equal((await there()).roleArn, role);
    await configure(ROLE);
    settle();
    assert.equal((await there()).roleArn, ROLE);
  });

  test("code of another version is told, and replaced", async () => {
    const { id: functionArn } = await there();
    await raw().send(
      new UpdateFunctionCodeCommand({
        FunctionName: functionArn,
        ZipFile: zipped({ "probe.mjs": "export const handler = () => { throw new RangeError('old') }" }),
      }),
    );
    settle();
    assert.equal((await there()).isCurrent, false);
    const failure = await rejection(run(), "internal");
    assert.match(failure.message, /ended by an error: old/);
    await hand().act({ do: "updateProbeCode", key: "probe", functionArn });
    settle();
    assert.equal((await there()).isCurrent, true);
  });

  test("the inventory has it, and nobody else's functions", async () => {
    await functions.make("clicks");
    await functions.make("ld-inst-1-other-probe");
    settle();
    const things = await cloud.inventory(cellIn(REGION, OWNER));
    const probes = things.filter(({ kind }) => kind === "probe");
    assert.deepEqual(
      probes.map(({ id, key, datasetId, state }) => [id, key, datasetId, state]),
      [[(await there()).id, "probe", network.datasetId, "active"]],
    );
  });

  test("one that lost our tags is somebody else's", async () => {
    const { id } = await there();
    const Tags = { "letsdata:installation": "inst-2" };
    await raw().send(new TagResourceCommand({ Resource: id, Tags }));
    assert.equal((await there()).ours, false);
    await raw().send(new TagResourceCommand({ Resource: id, Tags: { "letsdata:installation": "inst-1" } }));
    assert.equal((await there()).ours, true);
  });

  test("leaves the VPC, and goes; one that is gone already counts as gone", async () => {
    const { id: functionArn } = await there();
    await hand().act({ do: "detachFunction", key: "probe", functionArn });
    assert.deepEqual([(await there()).vpcId, (await there()).updateState], [null, "inprogress"]);
    settle();
    for (const _ of [1, 2]) await hand().act({ do: "deleteProbe", key: "probe", functionArn });
    assert.equal(await seen(), undefined);
    await rejection(run(), "notFound");
    settle();
    assert.deepEqual(await functions.interfaces(), []);
  });
});

test("a role that Lambda may not take on is told with what it needs", async () => {
  const refused = hand().act({ do: "createProbe", key: "probe", spec: spec("arn:aws:iam::1:role/x") });
  await rejection(refused, "invalid");
  const foreign = hand().act({
    do: "createProbe",
    key: "probe",
    spec: spec("arn:aws:iam::111122223333:role/x"),
  });
  await rejection(foreign, "forbidden");
});
