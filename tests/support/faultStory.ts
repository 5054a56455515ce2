/**
 * A dataset's whole story while a cloud misbehaves: created, spoiled by somebody and repaired, peered with and
 * unpeered, its cluster lost and replaced, its connector deleted and built again, deleted. Time leaps, so that
 * minutes of backing off cost nothing. What was seen on the way is noted, and nothing of ours may ever be there twice.
 */
import assert from "node:assert/strict";
import {
  CreateVpcCommand,
  CreateVpcPeeringConnectionCommand,
  type EC2Client,
  ModifyVpcAttributeCommand,
} from "@aws-sdk/client-ec2";
import { kafkaCluster } from "../../src/domain/kafka.ts";
import { deleteClusters, failNextClusters, spoil, takeOutOfVpc } from "./byHand.ts";
import { driven } from "./driven.ts";
import { administer, type FaultGround, openFaultGround, requestsSince, UNSEEN_MS } from "./faultGround.ts";
import { Watch } from "./faultWatch.ts";
import { makeFunction } from "./functions.ts";
import { CUSTOMER, OPERATOR, PLATFORM } from "./house.ts";
import { present } from "./networks.ts";

export interface Fault {
  readonly operation: string;
  readonly kind: "throttle" | "error" | "dropBefore" | "dropAfter" | "notFound" | "quota";
  readonly count: number;
  /** The act it is put in place for; the first that calls the operation when left out. */
  readonly act?: StoryAct;
}

export const ACTS = ["create", "repair", "peer", "replace", "leave", "rebuild", "delete"] as const;
export type StoryAct = (typeof ACTS)[number];

export interface Told {
  /** Statuses the dataset had on the way. */
  readonly statuses: ReadonlySet<string>;
  /** `resource: message` of what was blocked on the way. */
  readonly blocked: ReadonlySet<string>;
  /** Requests that were struck. */
  readonly struck: number;
}

const LOOK_MS = 700;
const GROWN_GIB = 200;
const GROWN_PARTITIONS = 6;
const datasetName = "Clicks";

interface Known {
  readonly tenantId: string;
  readonly customerVpc: string;
  readonly functionArn: string;
}

export class Story {
  readonly #ground: FaultGround;
  readonly #known: Known;
  #watch: Watch;

  private constructor(ground: FaultGround, known: Known) {
    this.#ground = ground;
    this.#known = known;
    this.#watch = new Watch(ground, { ...known, datasetName }, LOOK_MS);
  }

  static async open(): Promise<Story> {
    const ground = await openFaultGround();
    const { clock, underWay, intent, url } = ground;
    const prepare = async () => {
      await intent.updateSettings(OPERATOR, { quarantineSeconds: 0 });
      const tenant = await intent.createTenant(OPERATOR, { name: "default", avoidCidrs: [] });
      const functionArn = await makeFunction(url, "clicks-task");
      return { tenantId: tenant.id, functionArn, customerVpc: await customerVpc(ground) };
    };
    return new Story(ground, await driven(clock, underWay, prepare()));
  }

  /** Plays these acts with those faults in place. The dataset is created first and deleted last in any case. */
  play(acts: readonly StoryAct[], faults: readonly Fault[]): Promise<Told> {
    // A blocked creation stands for a second or more, and for longer and longer the more often it is tried.
    const lookMs = faults.every(({ count }) => count === 1) ? LOOK_MS : 10_000;
    this.#watch = new Watch(this.#ground, { ...this.#known, datasetName }, lookMs);
    const { clock, underWay } = this.#ground;
    return driven(clock, underWay, this.#play(acts, faults));
  }

  async #play(acts: readonly StoryAct[], faults: readonly Fault[]): Promise<Told> {
    const { url } = this.#ground;
    const { last } = await requestsSince(url, 0);
    for (const act of ACTS) {
      const here = faults.filter((fault) => actOf(fault) === act);
      const place = () => Promise.all(here.map((fault) => this.#add(fault)));
      if (act === "create" || act === "delete" || acts.includes(act)) await this.#act(act, place);
    }
    const { requests } = await requestsSince(url, last);
    await administer(url, "DELETE faults");
    const struck = requests.filter(({ fault }) => fault !== null).length;
    const { statuses, blocked } = this.#watch;
    return { statuses, blocked, struck };
  }

  /** What others do by hand comes before the faults are in place, so that they meet the product alone. */
  #act(act: StoryAct, place: Place): Promise<void> {
    const acts: Readonly<Record<StoryAct, (place: Place) => Promise<void>>> = {
      create: (placed) => this.#create(placed),
      repair: (placed) => this.#repair(placed),
      peer: (placed) => this.#peer(placed),
      replace: (placed) => this.#replace(placed),
      leave: (placed) => this.#leave(placed),
      rebuild: (placed) => this.#rebuild(placed),
      delete: (placed) => this.#delete(placed),
    };
    return acts[act](place);
  }

  async #create(place: Place): Promise<void> {
    await place();
    const { intent } = this.#ground;
    const { tenantId, functionArn } = this.#known;
    const wish = {
      name: datasetName,
      region: "us-east-1",
      customerAccountForAccess: CUSTOMER,
      writeConnector: {
        connectorDestination: "Kafka",
        resourceLocation: "letsdata",
        vpcSize: "small",
        vpcCidrBlock: null,
        kafka: kafkaCluster({ topic: "clicks" }, "small"),
      },
      functionArns: [functionArn],
      configuration: {},
    } as const;
    await this.#watch.insist(() => intent.createDataset(OPERATOR, tenantId, wish));
    await this.#watch.until("ACTIVE and at rest", () => this.#watch.atRest());
    await this.#watch.assertOneOfEach();
  }

  /** Somebody changes what can be changed, and takes the function away; and storage is to grow. */
  async #repair(place: Place): Promise<void> {
    const { intent, clock, url } = this.#ground;
    const { tenantId, functionArn } = this.#known;
    await spoil(this.#ec2(PLATFORM), present((await this.#watch.status()).world));
    await takeOutOfVpc(url, functionArn);
    await place();
    const spoiled = clock.now();
    await this.#watch.insist(() =>
      intent.updateConnector(OPERATOR, tenantId, datasetName, {
        volumeGiB: GROWN_GIB,
        partitions: GROWN_PARTITIONS,
      }),
    );
    await this.#watch.until("repaired", async () => {
      const { world } = await this.#watch.status();
      const isGrown =
        world?.clusters[0]?.volumeGiB === GROWN_GIB && world.topics[0]?.partitions === GROWN_PARTITIONS;
      const isWhole = isGrown && world.functions[0]?.vpcId != null;
      return isWhole && (await this.#watch.lookedSince(spoiled)) && this.#watch.atRest();
    });
    await this.#watch.assertOneOfEach();
  }

  async #peer(place: Place): Promise<void> {
    await place();
    const { intent } = this.#ground;
    const { tenantId } = this.#known;
    const connectionId = await this.#request();
    const name = { datasetName, connectionId };
    await this.#watch.insist(() => intent.acceptPeering(OPERATOR, tenantId, name));
    await this.#watch.until("established", async () => {
      const wish = await this.#watch.wish(connectionId);
      return wish?.establishedAt != null && this.#watch.atRest();
    });
    await this.#watch.insist(() => intent.deletePeering(OPERATOR, tenantId, name));
    await this.#watch.until("unpeered", async () => {
      const wish = await this.#watch.wish(connectionId);
      return wish?.endedAt != null && this.#watch.atRest();
    });
  }

  /** The cluster was deleted by hand, and the next one fails: it has to go before another one comes. */
  async #replace(place: Place): Promise<void> {
    const { kafka, url } = this.#ground;
    await deleteClusters(kafka);
    await this.#watch.untilLost(/^was deleted outside of letsdata/);
    await failNextClusters(url, "InsufficientCapacity");
    await this.#reinitialize();
    await this.#watch.untilLost(/^AWS could not make it/);
    await failNextClusters(url);
    await place();
    await this.#reinitialize();
    await this.#watch.until("replaced", () => this.#watch.atRest());
    await this.#watch.assertOneOfEach();
  }

  async #leave(place: Place): Promise<void> {
    await place();
    const { intent } = this.#ground;
    await this.#leaveInTheWay();
    await this.#watch.insist(() => intent.deleteConnector(OPERATOR, this.#known.tenantId, datasetName));
    await this.#watch.until("the network gone", async () => (await this.#watch.network())?.goneAt !== null);
    assert.equal((await this.#watch.dataset())?.status, "INACTIVE");
    await this.#watch.assertNothingLeft();
  }

  async #rebuild(place: Place): Promise<void> {
    await place();
    await this.#reinitialize();
    await this.#watch.until("built again", () => this.#watch.atRest());
    await this.#watch.assertOneOfEach();
  }

  async #delete(place: Place): Promise<void> {
    await place();
    const { intent } = this.#ground;
    if ((await this.#watch.network())?.goneAt === null) await this.#leaveInTheWay();
    await intent.deleteDataset(OPERATOR, this.#known.tenantId, datasetName);
    await this.#watch.until("DELETED", async () => (await this.#watch.dataset())?.status === "DELETED");
    await this.#watch.assertNothingLeft();
  }

  #reinitialize(): Promise<void> {
    const { intent } = this.#ground;
    return this.#watch.insist(() =>
      intent.reinitializeConnector(OPERATOR, this.#known.tenantId, datasetName),
    );
  }

  /** An interface that a function left behind, and a request of the customer's, which must be rejected. */
  async #leaveInTheWay(): Promise<void> {
    await this.#request();
    const { world } = await this.#watch.status();
    const subnet = present(world?.subnets.find(({ key }) => key === "subnet/private/0"));
    await administer(this.#ground.url, "POST interfaces", {
      subnetId: subnet.id,
      description: "AWS Lambda VPC ENI-clicks-reader",
      interfaceType: "lambda",
      availableAfterMs: 0,
    });
  }

  async #request(): Promise<string> {
    const { world } = await this.#watch.status();
    const made = await this.#ec2(CUSTOMER).send(
      new CreateVpcPeeringConnectionCommand({
        VpcId: this.#known.customerVpc,
        PeerVpcId: present(world?.vpcs[0]).id,
        PeerOwnerId: PLATFORM,
      }),
    );
    await this.#ground.clock.sleep(UNSEEN_MS);
    return present(made.VpcPeeringConnection?.VpcPeeringConnectionId);
  }

  #ec2(account: string): EC2Client {
    return present(this.#ground.clients.get(account));
  }

  async #add({ act: _, ...fault }: Fault): Promise<void> {
    await administer(this.#ground.url, "POST faults", { ...fault, account: PLATFORM });
  }

  /** Names of the operations that the platform has called. */
  async operations(): Promise<ReadonlySet<string>> {
    const { requests } = await requestsSince(this.#ground.url, 0);
    return new Set(requests.filter(({ account }) => account === PLATFORM).map(({ operation }) => operation));
  }

  close(): Promise<void> {
    const { clock, underWay, stop } = this.#ground;
    return driven(clock, underWay, stop()).finally(() => underWay.close());
  }
}

/** Puts an act's faults in place. */
type Place = () => Promise<unknown>;

const REPAIRS =
  /^(ReplaceRoute(TableAssociation)?|DeleteNetworkAclEntry|ModifyVpcEndpoint|UpdateBrokerStorage|UpdateTopic)$/;
const PEERINGS =
  /^(AcceptVpcPeeringConnection|ModifyVpcPeeringConnectionOptions|DeleteRoute|DeleteVpcPeeringConnection)$/;

/** The act that the fault is put in place for: where its operation is first called by the product alone. */
export function actOf({ operation, act }: Pick<Fault, "operation" | "act">): StoryAct {
  if (act) return act;
  if (REPAIRS.test(operation)) return "repair";
  if (PEERINGS.test(operation)) return "peer";
  return /^(Delete|Release|Detach|Reject)/.test(operation) ? "delete" : "create";
}

/** With DNS names, so that every step of a peering has its work. */
async function customerVpc({ clients, clock }: FaultGround): Promise<string> {
  const customer = present(clients.get(CUSTOMER));
  const VpcId = present(
    (await customer.send(new CreateVpcCommand({ CidrBlock: "172.20.0.0/16" }))).Vpc?.VpcId,
  );
  await clock.sleep(UNSEEN_MS);
  await customer.send(new ModifyVpcAttributeCommand({ VpcId, EnableDnsHostnames: { Value: true } }));
  return VpcId;
}
