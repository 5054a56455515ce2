/**
 * The acts of a network's life, each driven by the test round by round until it is done, with deaths on the way
 * where the test wants them. Promises that nothing of ours is ever there twice: it looks before every round.
 */
import {
  CreateVpcCommand,
  CreateVpcPeeringConnectionCommand,
  ModifyVpcAttributeCommand,
} from "@aws-sdk/client-ec2";
import { kafkaCluster } from "../../src/domain/kafka.ts";
import type { VpcSize } from "../../src/domain/model.ts";
import { type ControlPlane, type Ground, startControlPlane } from "./crash.ts";
import { CUSTOMER, OPERATOR, PLATFORM } from "./house.ts";
import { oneOfEach, present, sortedEntries } from "./networks.ts";
import {
  assertNothingLeft,
  assertNothingTwice,
  assertOneOfEach,
  atRest,
  counts,
  DATASET,
  openConditions,
  shown,
  statusOf,
  theNetwork,
  worldOf,
} from "./sights.ts";

export interface ActOptions {
  readonly windowMs: number;
  /** Each of these points is died at once. */
  readonly stopAt?: readonly string[];
  /** At each of these it stands still once, longer than its lease; another one takes over. */
  readonly pauseAt?: readonly string[];
  /** After so many rounds of the other one it wakes; 0 = before the other one claims anything. */
  readonly wakeAfter?: number;
  /** The act ends where it is stopped first, by throwing `GivenUp`. */
  readonly giveUp?: boolean;
  /** One that stands still since an act that was given up; it wakes after `wakeAfter` rounds. */
  readonly sleeper?: ControlPlane | null;
  /** It stands still for so long that nobody can know any more what it will do. */
  readonly mayBeTwice?: boolean;
}

export interface Played {
  /** Points that were come past, in order. */
  readonly passed: readonly string[];
  /** Points it was stopped at, or stood still at. */
  readonly stopped: readonly string[];
}

/** How an act ends that is given up where it is stopped; with the plane that stands still there, if it does. */
export class GivenUp extends Error {
  readonly sleeper: ControlPlane | null;

  constructor(point: string, sleeper: ControlPlane | null) {
    super(point);
    this.sleeper = sleeper;
  }
}

const MOST_ROUNDS = 200;
/** The test looks at least this much later again, milliseconds: a slow machine may. */
const STEP_MS = 20_000;

/** Rounds, stops and restarts included, until `done`. */
export async function play(
  ground: Ground,
  options: ActOptions,
  done: () => Promise<boolean>,
): Promise<Played> {
  const planes = await Planes.start(ground, options);
  try {
    for (let round = 1; round <= MOST_ROUNDS; round++) {
      if (!options.mayBeTwice) await assertNothingTwice(ground);
      await planes.round(round);
      if (await done()) return planes.played;
      const due = await ground.store.work.nextDueMs();
      ground.clock.advance(Math.max(due ?? 0, STEP_MS));
    }
    throw new Error(`not done after ${MOST_ROUNDS} rounds: ${await openConditions(ground)}`);
  } finally {
    await planes.bury();
  }
}

/** One control plane after another: the next one takes over where one dies or stands still. */
class Planes {
  readonly #ground: Ground;
  readonly #options: ActOptions;
  readonly #passed: string[] = [];
  readonly #stopped: string[] = [];
  #plane: ControlPlane;
  #isHandedOver = false;
  #sleeper: { readonly plane: ControlPlane; readonly wakes: number } | null = null;

  private constructor(ground: Ground, options: ActOptions, plane: ControlPlane) {
    this.#ground = ground;
    this.#options = options;
    this.#plane = plane;
    const { sleeper = null, wakeAfter = 0 } = options;
    this.#sleeper = sleeper && { plane: sleeper, wakes: 1 + wakeAfter };
  }

  static async start(ground: Ground, options: ActOptions): Promise<Planes> {
    return new Planes(ground, options, await startControlPlane(ground, options));
  }

  get played(): Played {
    return { passed: [...this.#passed, ...this.#plane.passed], stopped: this.#stopped };
  }

  async round(number: number): Promise<void> {
    const { wakeAfter = 0 } = this.#options;
    const waking = this.#sleeper?.wakes === number ? this.#sleeper.plane.wake() : null;
    if (waking && wakeAfter === 0) await waking;
    const point = await this.#plane.round();
    await waking;
    if (waking) await this.#awake();
    if (point !== null) await this.#ended(point, number);
  }

  /** The next one may stand still as well. */
  async #awake(): Promise<void> {
    await this.#sleeper?.plane.bury();
    this.#sleeper = null;
    if (this.#left(this.#options.pauseAt).length > 0) await this.#bequeath();
  }

  async #ended(point: string, round: number): Promise<void> {
    const { pauseAt = [], wakeAfter = 0, giveUp = false } = this.#options;
    this.#stopped.push(point);
    const sleeps = pauseAt.includes(point);
    if (giveUp) throw new GivenUp(point, sleeps ? this.#handOver() : null);
    if (sleeps) this.#sleeper = { plane: this.#plane, wakes: round + 1 + wakeAfter };
    await this.#bequeath();
  }

  /** Who stands still is somebody else's to bury. */
  #handOver(): ControlPlane {
    this.#isHandedOver = true;
    return this.#plane;
  }

  /** To a new one; who sleeps is not buried. */
  async #bequeath(): Promise<void> {
    const { windowMs, stopAt, pauseAt } = this.#options;
    this.#passed.push(...this.#plane.passed);
    if (this.#sleeper?.plane !== this.#plane) await this.#plane.bury();
    const pauses = this.#sleeper ? [] : this.#left(pauseAt);
    const options = { windowMs, stopAt: this.#left(stopAt), pauseAt: pauses };
    this.#plane = await startControlPlane(this.#ground, options);
  }

  #left(points: readonly string[] = []): readonly string[] {
    return points.filter((point) => !this.#stopped.includes(point));
  }

  async bury(): Promise<void> {
    await this.#sleeper?.plane.bury();
    if (!this.#isHandedOver) await this.#plane.bury();
  }
}

export async function create(ground: Ground, options: ActOptions & { size: VpcSize }): Promise<Played> {
  await wish(ground, options.size);
  const played = await play(ground, options, () => atRest(ground));
  await tidied(ground, options);
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

/** Where something may have come twice, there is one of each in the end. */
export async function tidied(ground: Ground, { windowMs, mayBeTwice = false }: ActOptions): Promise<void> {
  shown(ground);
  const expected = JSON.stringify(sortedEntries(oneOfEach(["cluster"])));
  const isTidy = async () =>
    (await atRest(ground)) && JSON.stringify(sortedEntries(await counts(ground))) === expected;
  if (mayBeTwice) await play(ground, { windowMs, mayBeTwice }, isTidy);
  await assertOneOfEach(ground);
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
