/**
 * What the network is for: a dataset with a Kafka write connector, a data task in its VPC that writes, a customer in a
 * VPC and an account of their own who reads across the peering, every record checked; a broker dies on the way, and at
 * last all is taken away again. The brokers are Apache Kafka; how the customer and the operator go about it is AWS's
 * own way.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../tests/sources.ts";
import { Connector, type Made, type Viewed } from "./connector.ts";
import { CustomersActs } from "./customersActs.ts";
import { DataTask, type User } from "./dataTask.ts";
import { Platform } from "./platform.ts";
import type { Stage, Story } from "./stage.ts";

const DATASET = ["--datasetName", "Orders"];
const TOPIC = "orders";
const TASK: User = newUser("orders-task");
const CUSTOMER: User = newUser("customer");

/** The broker that is killed stays away until the story wants it back: none of its facts is a matter of speed. */
const NEVER_HEALED = "mskHealingMs=86400000";

export function kafkaStory(kafkaHome: string): Story {
  return {
    serve: ["--sandboxKafka", kafkaHome, "--sandboxSet", NEVER_HEALED],
    async walk(stage) {
      // Programs of the examples find their client as they do in a clone.
      symlinkSync(join(ROOT, "node_modules"), join(stage.folder, "node_modules"));
      const platform = new Platform(stage.credentials);
      try {
        await walk(stage, platform);
      } finally {
        platform.close();
      }
    },
  };
}

async function walk(stage: Stage, platform: Platform): Promise<void> {
  const task = await taskMade(stage);
  const made = await connectorMade(stage, platform, task);
  const acts = await CustomersActs.begun(stage, made, CUSTOMER);
  try {
    await acts.read();
    await acts.readOn();
    await acts.cut();
  } finally {
    await acts.end();
  }
  await deleted(stage, platform, made);
}

function newUser(username: string): User {
  return { username, password: randomBytes(12).toString("base64url") };
}

async function taskMade(stage: Stage): Promise<DataTask> {
  const { tell, folder } = stage;
  tell.say("1. The data task: a Lambda function of the user's own, in no VPC yet");
  const { code, stdout: authority, stderr } = await tell.tried("letsdata", "sandbox", "ca");
  if (code !== 0) throw new Error(stderr);
  writeFileSync(join(folder, "sandbox-ca.pem"), authority);
  const task = await DataTask.made(stage, { user: TASK, authority });
  tell.check(`${task.arn} is made`, task.arn.includes(":function:"));
  return task;
}

async function connectorMade(stage: Stage, platform: Platform, task: DataTask): Promise<Made> {
  const { tell, folder } = stage;
  tell.say(
    "2. A dataset with a Kafka write connector that names it: VPC, cluster, topic, and the function attached",
  );
  const example = JSON.parse(readFileSync(join(folder, "examples/dataset-kafka.json"), "utf8"));
  const computeEngine = { computeEngineType: "Lambda", functionArns: [task.arn] };
  writeFileSync(join(folder, "orders.json"), JSON.stringify({ ...example, computeEngine }));
  await tell.letsdata("datasets", "create", "--configFile", "orders.json", "--wait");
  const viewed = await tell.letsdata<Viewed>("writeConnectors", "view", ...DATASET);
  const connector = new Connector(stage, viewed.cluster?.clusterArn ?? "");
  const nodes = await connector.nodes();
  const brokers = viewed.cluster?.bootstrapBrokers.scram?.split(",") ?? [];
  const made = { task, viewed, connector, nodes, target: { brokers, topic: TOPIC } };
  await verifyConnector(stage, platform, made);
  await admitted(stage, made);
  return made;
}

async function verifyConnector({ tell }: Stage, platform: Platform, made: Made): Promise<void> {
  const { task, viewed, connector, nodes, target } = made;
  const { state, why } = await connector.state();
  tell.check(
    `the connector is ${viewed.status}, its cluster ${state} with Apache Kafka`,
    viewed.status === "ACTIVE" && state === "ACTIVE" && why === "",
  );
  const zones = await platform.zones(nodes.map(({ subnetId }) => subnetId));
  const running = await connector.processes();
  tell.check(
    `3 brokers are up in 3 zones: ${[...zones].sort().join(", ")}`,
    nodes.length === 3 && zones.size === 3 && nodes.every(({ name }) => running.get(name) === "serving"),
  );
  tell.check(
    "clients begin at 3 names, SASL/SCRAM over TLS on port 9096",
    target.brokers.length === 3 && target.brokers.every((broker) => broker.endsWith(":9096")),
  );
  const topic = await platform.topic(viewed.cluster?.clusterArn ?? "", TOPIC);
  tell.check(
    `its topic ${TOPIC} is made: ${topic.partitions} partitions, ${topic.copies} copies, ${topic.inSync} in sync at least`,
    topic.partitions === 3 && topic.copies === 3 && topic.inSync === 2,
  );
  const attached = new Set(await task.subnets());
  tell.check(
    "the function stands in the VPC, in the same 3 private subnets",
    attached.size === 3 && nodes.every(({ subnetId }) => attached.has(subnetId)),
  );
}

/** As MSK wants it: each user is a secret, and the secrets are associated with the cluster. */
async function admitted({ tell, folder }: Stage, { connector }: Made): Promise<void> {
  tell.say("3. The operator lets two users in: the data task's and the customer's");
  for (const user of [TASK, CUSTOMER])
    writeFileSync(join(folder, `${user.username}.json`), JSON.stringify(user), { mode: 0o600 });
  const names = [TASK, CUSTOMER].map(({ username }) => username);
  tell.check("the cluster has both users", (await connector.admit(names)) === 2);
}

async function deleted({ tell }: Stage, platform: Platform, made: Made): Promise<void> {
  const { viewed, connector, task } = made;
  tell.say("8. The write connector is deleted, and its VPC with it; the dataset stays");
  await tell.letsdata("writeConnectors", "delete", ...DATASET, "--wait");
  tell.check("the cluster is gone, and so is every broker", await connector.isGone());
  tell.check("the function is there, and in no VPC", (await task.subnets()).length === 0);
  const { vpcId, cidrBlock } = viewed;
  tell.check(`${vpcId} is gone, with all interfaces that stood in it`, (await platform.sizeOf(vpcId)) === 0);
  const left = await platform.leftovers();
  tell.check(
    `nothing is left under our tags${left.length > 0 ? `: ${left.join(", ")}` : ""}`,
    left.length === 0,
  );
  type Ranges = { items: { cidrBlock: string; state: string }[] };
  const { items } = await tell.letsdata<Ranges>("ranges", "list");
  const range = items.find((item) => item.cidrBlock === cidrBlock);
  tell.check(`its range ${cidrBlock} is given back, and rests`, range?.state === "quarantined");
  type Datasets = { items: { datasetName: string; status: string }[] };
  const { items: datasets } = await tell.letsdata<Datasets>("datasets", "list");
  tell.check("the dataset remains", datasets.length === 1 && datasets[0]?.status === "INACTIVE");
}
