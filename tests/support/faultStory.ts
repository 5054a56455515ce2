/**
 * A dataset's whole story while a cloud misbehaves: created, spoiled by somebody and repaired, peered with,
 * unpeered, deleted. Time leaps, so that minutes of backing off cost nothing. What was seen on the way is
 * noted, and nothing of ours may ever be there twice.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  CreateNetworkAclEntryCommand,
  CreateVpcCommand,
  CreateVpcPeeringConnectionCommand,
  DescribeTagsCommand,
  EC2Client,
  ModifyVpcAttributeCommand,
  ModifyVpcEndpointCommand,
  ReplaceRouteCommand,
  ReplaceRouteTableAssociationCommand,
} from "@aws-sdk/client-ec2";
import { KafkaClient, ListClustersCommand } from "@aws-sdk/client-kafka";
import { type AwsCloud, awsCloud } from "../../src/cloud/aws/ec2.ts";
import { createIntent, type Intent } from "../../src/control/intent.ts";
import { createReconciler } from "../../src/control/reconciler.ts";
import { kafkaCluster } from "../../src/domain/kafka.ts";
import { createSandbox } from "../../src/sandbox/server.ts";
import { openStore } from "../../src/store/database.ts";
import type { NetworkStatus, Store } from "../../src/store/store.ts";
import { driven, LeapingClock, UnderWay } from "./driven.ts";
import { makeFunction } from "./functions.ts";
import { CUSTOMER, OPERATOR, PLATFORM, testSettings } from "./house.ts";
import { oneOfEach, present, sortedEntries } from "./networks.ts";

export interface Fault {
  readonly operation: string;
  readonly kind: "throttle" | "error" | "dropBefore" | "dropAfter" | "notFound" | "quota";
  readonly count: number;
}

export const ACTS = ["create", "repair", "peer", "delete"] as const;
export type StoryAct = (typeof ACTS)[number];

export interface Told {
  /** Statuses the dataset had on the way. */
  readonly statuses: ReadonlySet<string>;
  /** `resource: message` of what was blocked on the way. */
  readonly blocked: ReadonlySet<string>;
  /** Requests that were struck. */
  readonly struck: number;
}

/** Longer than anything is unseen here; the 300 s of AWS would only be more of the same. */
const WINDOW_MS = 30_000;
const UNSEEN_MS = 5_000;
/** By the leaping clock; twenty faults with a minute between them are twenty minutes. */
const PATIENCE_MS = 3 * 3_600_000;

const datasetName = "Clicks";

export class Story {
  readonly #clock: LeapingClock;
  readonly #underWay: UnderWay;
  readonly #store: Store;
  readonly #intent: Intent;
  readonly #url: string;
  readonly #tenantId: string;
  readonly #customerVpc: string;
  readonly #functionArn: string;
  readonly #kafka: KafkaClient;
  readonly #clients: ReadonlyMap<string, EC2Client>;
  readonly #stop: () => Promise<void>;
  #statuses = new Set<string>();
  #blocked = new Set<string>();
  #lookMs = 1_000;

  private constructor(parts: Parts & { tenantId: string; customerVpc: string; functionArn: string }) {
    this.#clock = parts.clock;
    this.#underWay = parts.underWay;
    this.#store = parts.store;
    this.#intent = parts.intent;
    this.#url = parts.url;
    this.#clients = parts.clients;
    this.#stop = parts.stop;
    this.#tenantId = parts.tenantId;
    this.#customerVpc = parts.customerVpc;
    this.#functionArn = parts.functionArn;
    this.#kafka = parts.kafka;
  }

  static async open(): Promise<Story> {
    const parts = await putTogether();
    const { clock, underWay, intent } = parts;
    const prepare = async () => {
      await intent.updateSettings(OPERATOR, { quarantineSeconds: 0 });
      const tenant = await intent.createTenant(OPERATOR, { name: "default", avoidCidrs: [] });
      const functionArn = await makeFunction(parts.url, "clicks-task");
      return { tenantId: tenant.id, functionArn, customerVpc: await customerVpc(parts) };
    };
    return new Story({ ...parts, ...(await driven(clock, underWay, prepare())) });
  }

  /** Plays these acts with those faults in place. The dataset is deleted at the end in any case. */
  play(acts: readonly StoryAct[], faults: readonly Fault[]): Promise<Told> {
    this.#statuses = new Set();
    this.#blocked = new Set();
    // A blocked creation stands for a second or more, and for longer and longer the more often it is tried.
    this.#lookMs = faults.every(({ count }) => count === 1) ? 700 : 10_000;
    return driven(this.#clock, this.#underWay, this.#play(acts, faults));
  }

  async #play(acts: readonly StoryAct[], faults: readonly Fault[]): Promise<Told> {
    const since = await this.#lastRequest();
    const place = (act: StoryAct) =>
      Promise.all(faults.filter(({ operation }) => actOf(operation) === act).map((one) => this.#add(one)));
    await place("create");
    await this.#create();
    if (acts.includes("repair")) await this.#repair(() => place("repair"));
    if (acts.includes("peer")) {
      await place("peer");
      await this.#peer();
    }
    await place("delete");
    await this.#delete(acts.includes("peer"));
    const struck = await this.#struckSince(since);
    await this.#sandbox("DELETE", "faults");
    return { statuses: this.#statuses, blocked: this.#blocked, struck };
  }

  async #create(): Promise<void> {
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
      functionArns: [this.#functionArn],
      configuration: {},
    } as const;
    await this.#insist(() => this.#intent.createDataset(OPERATOR, this.#tenantId, wish));
    await this.#until("ACTIVE and at rest", () => this.#atRest());
    await this.#assertOneOfEach();
  }

  /** Somebody changes what can be changed; the faults come then, so that they meet the repair alone. */
  async #repair(place: () => Promise<unknown>): Promise<void> {
    const ec2 = this.#ec2(PLATFORM);
    const { world } = await this.#status();
    const thing = (list: "routeTables" | "natGateways" | "endpoints", key: string) =>
      present(world?.[list].find((one) => one.key === key && !("state" in one && one.state === "deleted")));
    const table = thing("routeTables", "table/private/0");
    const associations = world?.routeTables.find(({ id }) => id === table.id)?.associations ?? [];
    const NetworkAclId = present(world?.acls[0]).id;
    await ec2.send(
      new ReplaceRouteCommand({
        RouteTableId: table.id,
        DestinationCidrBlock: "0.0.0.0/0",
        NatGatewayId: thing("natGateways", "nat/1").id,
      }),
    );
    await ec2.send(
      new ReplaceRouteTableAssociationCommand({
        AssociationId: present(associations[0]).id,
        RouteTableId: thing("routeTables", "table/private/1").id,
      }),
    );
    await ec2.send(
      new CreateNetworkAclEntryCommand({
        NetworkAclId,
        RuleNumber: 50,
        Egress: false,
        Protocol: "17",
        PortRange: { From: 53, To: 53 },
        RuleAction: "allow",
        CidrBlock: "0.0.0.0/0",
      }),
    );
    const VpcEndpointId = thing("endpoints", "endpoint/s3").id;
    await ec2.send(new ModifyVpcEndpointCommand({ VpcEndpointId, RemoveRouteTableIds: [table.id] }));
    await place();
    const spoiled = this.#clock.now();
    await this.#insist(() =>
      this.#intent.updateConnector(OPERATOR, this.#tenantId, datasetName, { volumeGiB: 200, partitions: 6 }),
    );
    await this.#until("repaired", async () => {
      const { world: now } = await this.#status();
      const grown = now?.clusters[0]?.volumeGiB === 200 && now.topics[0]?.partitions === 6;
      return grown && (await this.#lookedSince(spoiled)) && this.#atRest();
    });
    await this.#assertOneOfEach();
  }

  async #peer(): Promise<void> {
    const connectionId = await this.#request();
    const name = { datasetName, connectionId };
    await this.#insist(() => this.#intent.acceptPeering(OPERATOR, this.#tenantId, name));
    await this.#until("established", async () => {
      const wish = await this.#wish(connectionId);
      return wish?.establishedAt != null && this.#atRest();
    });
    await this.#insist(() => this.#intent.deletePeering(OPERATOR, this.#tenantId, name));
    await this.#until("unpeered", async () => {
      const wish = await this.#wish(connectionId);
      return wish?.endedAt != null && this.#atRest();
    });
  }

  /** With an interface that a function left behind, and a request of the customer's, which must be rejected. */
  async #delete(withRequest: boolean): Promise<void> {
    if (withRequest) await this.#request();
    await this.#leaveInterface();
    await this.#intent.deleteDataset(OPERATOR, this.#tenantId, datasetName);
    await this.#until("DELETED", async () => (await this.#dataset())?.status === "DELETED");
    await this.#clock.sleep(UNSEEN_MS);
    assert.deepEqual(sortedEntries(await this.#counts()), []);
  }

  async #leaveInterface(): Promise<void> {
    const { world } = await this.#status();
    const subnet = present(world?.subnets.find(({ key }) => key === "subnet/private/0"));
    await this.#sandbox("POST", "interfaces", {
      subnetId: subnet.id,
      description: "AWS Lambda VPC ENI-clicks-reader",
      interfaceType: "lambda",
      availableAfterMs: 0,
    });
  }

  async #request(): Promise<string> {
    const { world } = await this.#status();
    const made = await this.#ec2(CUSTOMER).send(
      new CreateVpcPeeringConnectionCommand({
        VpcId: this.#customerVpc,
        PeerVpcId: present(world?.vpcs[0]).id,
        PeerOwnerId: PLATFORM,
      }),
    );
    await this.#clock.sleep(UNSEEN_MS);
    return present(made.VpcPeeringConnection?.VpcPeeringConnectionId);
  }

  /** A caller whose wish was refused because the cloud could not be looked at asks again. */
  async #insist(wish: () => Promise<unknown>): Promise<void> {
    await this.#until("the wish", async () => {
      try {
        await wish();
        return true;
      } catch (error) {
        if (Reflect.get(Object(error), "code") === "unavailable") return false;
        throw error;
      }
    });
  }

  #dataset() {
    return this.#store.tenant(this.#tenantId).dataset(datasetName);
  }

  async #status(): Promise<NetworkStatus> {
    const dataset = present(await this.#dataset());
    const status = await this.#store.tenant(this.#tenantId).status(dataset.id);
    return status ?? { networkId: "", conditions: [], world: null, observedAt: null };
  }

  async #wish(connectionId: string) {
    const dataset = present(await this.#dataset());
    const network = await this.#store.tenant(this.#tenantId).network(dataset.id);
    return network?.peerings.find((one) => one.connectionId === connectionId);
  }

  async #atRest(): Promise<boolean> {
    const { conditions } = await this.#status();
    const ready = conditions.length > 0 && conditions.every(({ state }) => state === "ready");
    return ready && (await this.#dataset())?.status === "ACTIVE";
  }

  /** Whether everything was looked at since. */
  async #lookedSince(moment: number): Promise<boolean> {
    const { world } = await this.#status();
    return world !== null && Object.values(world.lookedAt).every((at) => at > moment);
  }

  async #until(what: string, ask: () => Promise<boolean>): Promise<void> {
    const deadline = this.#clock.now() + PATIENCE_MS;
    while (!(await ask())) {
      await this.#note();
      if (this.#clock.now() > deadline) throw new Error(`waited in vain: ${what}; ${await this.#open()}`);
      await this.#clock.sleep(this.#lookMs);
    }
  }

  async #open(): Promise<string> {
    const { conditions } = await this.#status();
    const open = conditions.filter(({ state }) => state !== "ready");
    return open.map(({ resource, state, message }) => `${resource} ${state}: ${message}`).join("; ");
  }

  async #note(): Promise<void> {
    const dataset = await this.#dataset();
    if (!dataset) return;
    this.#statuses.add(dataset.status);
    for (const { resource, state, message } of (await this.#status()).conditions)
      if (state === "blocked") this.#blocked.add(`${resource}: ${message}`);
    const twice = [...(await this.#counts())].filter(([, count]) => count > 1);
    assert.deepEqual(twice, [], "there is something twice");
  }

  async #assertOneOfEach(): Promise<void> {
    assert.deepEqual(sortedEntries(await this.#counts()), sortedEntries(oneOfEach(["cluster"])));
  }

  /** DescribeTags and the old ListClusters are no operations of the product's: no fault hits them. */
  async #counts(): Promise<ReadonlyMap<string, number>> {
    const { Tags = [] } = await this.#ec2(PLATFORM).send(
      new DescribeTagsCommand({ Filters: [{ Name: "key", Values: ["letsdata:key"] }] }),
    );
    const things = Tags.filter(({ ResourceType }) => ResourceType !== "security-group-rule");
    const counts = new Map<string, number>();
    const { ClusterInfoList = [] } = await this.#kafka.send(new ListClustersCommand({}));
    const clusters = ClusterInfoList.map(({ Tags: own = {} }) => own["letsdata:key"]);
    for (const key of [...things.map(({ Value = "" }) => Value), ...clusters])
      if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
  }

  #ec2(account: string): EC2Client {
    return present(this.#clients.get(account));
  }

  async #add(fault: Fault): Promise<void> {
    await this.#sandbox("POST", "faults", { ...fault, account: PLATFORM });
  }

  async #lastRequest(): Promise<number> {
    return ((await this.#sandbox("GET", "requests?since=0")) as { last: number }).last;
  }

  async #struckSince(since: number): Promise<number> {
    const { requests } = (await this.#sandbox("GET", `requests?since=${since}`)) as {
      requests: { fault: string | null }[];
    };
    return requests.filter(({ fault }) => fault !== null).length;
  }

  /** Names of the operations that the platform has called. */
  async operations(): Promise<ReadonlySet<string>> {
    const { requests } = (await this.#sandbox("GET", "requests?since=0")) as {
      requests: { account: string; operation: string }[];
    };
    return new Set(requests.filter(({ account }) => account === PLATFORM).map(({ operation }) => operation));
  }

  async #sandbox(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(`${this.#url}/_sandbox/${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  close(): Promise<void> {
    return driven(this.#clock, this.#underWay, this.#stop()).finally(() => this.#underWay.close());
  }
}

/** In which act an operation is first called by the product alone. */
export function actOf(operation: string): StoryAct {
  if (
    /^(ReplaceRoute(TableAssociation)?|DeleteNetworkAclEntry|ModifyVpcEndpoint|UpdateBrokerStorage|UpdateTopic)$/.test(
      operation,
    )
  )
    return "repair";
  if (
    /^(AcceptVpcPeeringConnection|ModifyVpcPeeringConnectionOptions|DeleteRoute|DeleteVpcPeeringConnection)$/.test(
      operation,
    )
  )
    return "peer";
  return /^(Delete|Release|Detach|Reject)/.test(operation) ? "delete" : "create";
}

interface Parts {
  readonly clock: LeapingClock;
  readonly underWay: UnderWay;
  readonly store: Store;
  readonly intent: Intent;
  readonly url: string;
  readonly clients: ReadonlyMap<string, EC2Client>;
  /** The platform's, beside the product. */
  readonly kafka: KafkaClient;
  readonly stop: () => Promise<void>;
}

async function putTogether(): Promise<Parts> {
  const clock = new LeapingClock();
  const underWay = new UnderWay();
  const settings = testSettings({ unseenMsMax: UNSEEN_MS, natVisibleMs: 0, requestLogSize: 1_000_000 });
  const sandbox = await createSandbox({ clock, settings });
  const { url } = await sandbox.listen(0);
  const store = underWay.watch(await openStore({ clock }));
  const cloud = await hands(store, clock, url);
  const whoAmI = { id: "platform", account: "", roleArn: null, region: "us-east-1" } as const;
  const cellOf = async () => ({ account: await cloud.account(whoAmI), roleArn: null });
  const intent = createIntent({ store, clock, cellOf, randomBytes });
  const reconciler = createReconciler({ store, cloud, clock, windowMs: WINDOW_MS, log: () => {} });
  const stopping = new AbortController();
  const running = reconciler.run(stopping.signal);
  const clients = new Map([PLATFORM, CUSTOMER].map((account) => [account, client(url, account)]));
  const kafka = new KafkaClient({ ...placeOf(url), credentials: keysOf(PLATFORM) });
  const stop = async () => {
    stopping.abort();
    await running;
    cloud.close();
    for (const one of [...clients.values(), kafka]) one.destroy();
    await store.close();
    await sandbox.close();
  };
  return { clock, underWay, store, intent, url, clients, kafka, stop };
}

async function hands(store: Store, clock: LeapingClock, endpoint: string): Promise<AwsCloud> {
  const { installation } = await store.settings();
  const credentials = { accessKeyId: PLATFORM, secretAccessKey: "test" };
  return awsCloud({ clock, installation, endpoint, credentials });
}

const placeOf = (endpoint: string) => ({ endpoint, region: "us-east-1", maxAttempts: 1 });
const keysOf = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: "test" });

function client(endpoint: string, account: string): EC2Client {
  return new EC2Client({ ...placeOf(endpoint), credentials: keysOf(account) });
}

/** With DNS names, so that every step of a peering has its work. */
async function customerVpc({ clients, clock }: Parts): Promise<string> {
  const customer = present(clients.get(CUSTOMER));
  const VpcId = present(
    (await customer.send(new CreateVpcCommand({ CidrBlock: "172.20.0.0/16" }))).Vpc?.VpcId,
  );
  await clock.sleep(UNSEEN_MS);
  await customer.send(new ModifyVpcAttributeCommand({ VpcId, EnableDnsHostnames: { Value: true } }));
  return VpcId;
}
