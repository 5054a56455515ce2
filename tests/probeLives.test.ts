/**
 * The probe's function over a network's life, with the control plane stopped at every point of its making, changing and
 * removing, and started again: the function that comes of it is the one of a run that nobody stopped, there are never
 * two, and nothing is left. New ids are unseen for a random while of the test's clock.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  LambdaClient,
  ListFunctionsCommand,
  UpdateFunctionCodeCommand,
} from "@aws-sdk/client-lambda";
import type { SeenProbe } from "../src/domain/connector.ts";
import type { Network } from "../src/domain/model.ts";
import type { ProbeWish } from "../src/domain/probe.ts";
import { zipped } from "../src/sandbox/testing/functions.ts";
import { type Ground, openGround, startControlPlane } from "./support/crash.ts";
import { CUSTOMER, FUNCTION_ROLE, OPERATOR, PLATFORM } from "./support/house.ts";
import { present } from "./support/networks.ts";

const HIDDEN_MS = 60_000;
const windowMs = HIDDEN_MS + 30_000;
const STEP_MS = 12_000;
const MOST_ROUNDS = 200;
const NAME = "Clicks";
const wish: ProbeWish = { host: "127.0.0.1", port: 1, protocol: "tcp", tls: false, ca: null, stageMs: 1_000 };

let ground: Ground;
let lambda: LambdaClient;

before(async () => {
  ground = await openGround({ unseenMsMin: 0, unseenMsMax: HIDDEN_MS });
  const credentials = { accessKeyId: PLATFORM, secretAccessKey: "test" };
  lambda = new LambdaClient({
    endpoint: ground.sandboxUrl,
    region: "us-east-1",
    credentials,
    maxAttempts: 1,
  });
});
after(async () => {
  lambda.destroy();
  await ground.close();
});

async function network(): Promise<Network> {
  const scope = ground.store.tenant(ground.tenantId);
  return present(await scope.network(present(await scope.dataset(NAME)).id));
}

/** Names of the functions that probe, ours and others'. */
async function functions(): Promise<string[]> {
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
  return Functions.flatMap(({ FunctionName = "" }) => (FunctionName.endsWith("-probe") ? FunctionName : []));
}

interface Played {
  readonly passed: readonly string[];
  readonly stopped: readonly string[];
}

/** Rounds until it is so; each of these points is died at once, and the next life goes on from what is written. */
async function play(stopAt: readonly string[], done: () => Promise<boolean>): Promise<Played> {
  const stopped: string[] = [];
  const passed: string[] = [];
  const next = () => {
    const left = stopAt.filter((point) => !stopped.includes(point));
    return startControlPlane(ground, { windowMs, stopAt: left });
  };
  let plane = await next();
  try {
    for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
      assert.ok((await functions()).length <= 1, "there is something twice");
      const point = await plane.round();
      if (point !== null) {
        stopped.push(point);
        passed.push(...plane.passed);
        await plane.bury();
        plane = await next();
      } else if (await done()) return { passed: [...passed, ...plane.passed], stopped };
      ground.clock.advance(Math.max((await ground.store.work.nextDueMs()) ?? 0, STEP_MS));
    }
    throw new Error(`not done after ${MOST_ROUNDS} rounds: ${JSON.stringify(await open())}`);
  } finally {
    await plane.bury();
  }
}

async function conditions() {
  const { tenantId, datasetId } = await network();
  return (await ground.store.tenant(tenantId).status(datasetId))?.conditions ?? [];
}

async function open() {
  return (await conditions()).filter(({ state }) => state !== "ready");
}

/** Every condition ready, the probe's among them when there is to be one. */
async function atRest(withProbe = true): Promise<boolean> {
  const told = await conditions();
  const isThere = told.some(({ resource }) => resource === "probe");
  return told.length > 0 && (!withProbe || isThere) && (await open()).length === 0;
}

async function create(): Promise<void> {
  await ground.intent.createDataset(OPERATOR, ground.tenantId, {
    name: NAME,
    region: "us-east-1",
    customerAccountForAccess: CUSTOMER,
    writeConnector: {
      ...{ connectorDestination: "Kafka", resourceLocation: "letsdata", vpcSize: "small" },
      ...{ vpcCidrBlock: null, kafka: null },
    },
    functionArns: [],
    configuration: {},
  });
  await play([], () => atRest(false));
}

async function ask(roleArn = FUNCTION_ROLE): Promise<void> {
  const { id: networkId } = await network();
  await ground.store.change(async (tx) => {
    await tx.askProbe({ networkId, roleArn, wish, askedBy: "test" });
    await tx.wake(networkId, "fresh");
  });
}

/** The one function as the cloud shows it, without what differs from life to life. */
async function portrait(): Promise<
  Omit<SeenProbe, "id" | "name" | "attempt" | "vpcId" | "subnetIds" | "groupIds">
> {
  ground.clock.advance(HIDDEN_MS + 1_000);
  const of = await network();
  const world = present(
    (await ground.eyes.observe(of.cell, [{ ...of, vpcIds: [], hasProbe: true }])).get(of.id),
  );
  assert.deepEqual([world.probes.length, (await functions()).length], [1, 1]);
  const { id: _i, name: _n, attempt: _a, vpcId, subnetIds, groupIds, ...rest } = present(world.probes[0]);
  assert.equal(vpcId, world.vpcs[0]?.id);
  const isPrivate = world.subnets.filter(({ key }) => key.startsWith("subnet/private/")).map(({ id }) => id);
  assert.deepEqual([...subnetIds].sort(), isPrivate.sort());
  assert.deepEqual(
    groupIds,
    world.groups.filter(({ key }) => key === "group/cluster").map(({ id }) => id),
  );
  return rest;
}

const AS_IT_SHOULD_BE = {
  key: "probe",
  state: "active",
  stateReason: null,
  updateState: "successful",
  updateReason: null,
  lacks: null,
  ours: true,
  roleArn: FUNCTION_ROLE,
  isConfigured: true,
  isCurrent: true,
};

/** An older version's function: other code, and another role. */
async function age(): Promise<void> {
  const [FunctionName] = await functions();
  const ZipFile = zipped({ "probe.mjs": "export const handler = () => 1;" });
  await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
  ground.clock.advance(HIDDEN_MS);
  const { id } = await network();
  await ground.store.change((tx) => tx.wake(id, "fresh"));
}

async function drop(stopAt: readonly string[]): Promise<Played> {
  await ground.intent.deleteDataset(OPERATOR, ground.tenantId, NAME);
  const scope = ground.store.tenant(ground.tenantId);
  const played = await play(stopAt, async () => (await scope.dataset(NAME))?.status === "DELETED");
  assert.deepEqual(await functions(), []);
  return played;
}

const ACTS = ["make", "change", "drop"] as const;
type Stops = Readonly<Record<(typeof ACTS)[number], readonly string[]>>;

/** One life: made, aged and given another role, brought up to date, deleted. */
async function life(stops: Stops): Promise<Record<(typeof ACTS)[number], Played>> {
  await create();
  await ask();
  const make = await play(stops.make, atRest);
  assert.deepEqual(await portrait(), AS_IT_SHOULD_BE);
  await age();
  await ask(`arn:aws:iam::${PLATFORM}:role/other`);
  const change = await play(stops.change, atRest);
  assert.deepEqual(await portrait(), { ...AS_IT_SHOULD_BE, roleArn: `arn:aws:iam::${PLATFORM}:role/other` });
  return { make, change, drop: await drop(stops.drop) };
}

/** Points of the probe's own. */
function own({ passed }: Played): string[] {
  return [...new Set(passed)].filter((point) => / probe /.test(point));
}

describe("the probe's function, stopped and started again", () => {
  const points: Record<(typeof ACTS)[number], string[]> = { make: [], change: [], drop: [] };

  test("a life that nobody stops", async () => {
    const played = await life({ make: [], change: [], drop: [] });
    for (const act of ACTS) points[act] = own(played[act]);
    const steps = new Set(ACTS.flatMap((act) => points[act].map((point) => point.split(" ")[0])));
    assert.deepEqual([...steps].sort(), [
      "configureProbe",
      "createProbe",
      "deleteProbe",
      "detachFunction",
      "updateProbeCode",
    ]);
  });

  for (const at of [0, 1, 2, 3, 4, 5])
    test(`stopped at point ${at} of each act: the same function, never two, nothing left`, async () => {
      const stops = { make: [points.make[at]], change: [points.change[at]], drop: [points.drop[at]] };
      const chosen = Object.fromEntries(
        ACTS.map((act) => [act, stops[act].flatMap((point) => point ?? [])]),
      ) as unknown as Stops;
      const played = await life(chosen);
      for (const act of ACTS) assert.deepEqual(played[act].stopped, chosen[act], act);
    });

  test("those were all points there are", () => {
    for (const act of ACTS)
      assert.ok(points[act].length >= 3 && points[act].length <= 6, points[act].join("; "));
  });

  test("deleted in the middle of its making: nothing left", async () => {
    await create();
    await ask();
    const stopAt = ["createProbe probe unanswered"];
    const plane = await startControlPlane(ground, { windowMs, stopAt });
    let point = await plane.round();
    for (let rounds = 0; point === null && rounds < MOST_ROUNDS; rounds++) {
      ground.clock.advance(STEP_MS);
      point = await plane.round();
    }
    await plane.bury();
    assert.equal(point, stopAt[0]);
    await drop([]);
  });

  test("a function of its name that bears no tag of ours is left alone, and told; without it, it goes on", async () => {
    await create();
    const { installation } = await ground.store.settings();
    const { datasetId, id } = await network();
    const FunctionName = `ld-${installation.slice(0, 8)}-${datasetId.replaceAll("_", "-")}-probe`;
    const Code = { ZipFile: zipped({ "index.js": "exports.handler = () => 1;" }) };
    const of = { Role: FUNCTION_ROLE, Runtime: "nodejs22.x", Handler: "index.handler" } as const;
    await lambda.send(new CreateFunctionCommand({ FunctionName, Code, ...of }));
    ground.clock.advance(HIDDEN_MS);
    await ask();
    const isBlocked = async () =>
      (await open()).some(({ resource, state }) => resource === "probe" && state === "blocked");
    await play([], isBlocked);
    assert.match(
      (await open())[0]?.message ?? "",
      /does not bear this installation's tags: it is not touched/,
    );
    await lambda.send(new DeleteFunctionCommand({ FunctionName }));
    await ground.store.change((tx) => tx.wake(id, "fresh"));
    await play([], atRest);
    assert.deepEqual(await portrait(), AS_IT_SHOULD_BE);
    await drop([]);
  });
});
