/**
 * The acts in which the customer reads: across the peering what the data task has written, on while a broker is dead,
 * and nothing any more once the peering is deleted. The reader is one process from the first act to the last.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type * as aws from "@aws-sdk/client-ec2";
import { CUSTOMER_ACCOUNT } from "../../tests/support/customer.ts";
import type { Made, Node } from "./connector.ts";
import type { Partition, User, Written } from "./dataTask.ts";
import { Reader } from "./reader.ts";
import type { Stage } from "./stage.ts";
import { type Host, Traffic } from "./traffic.ts";

const FIRST = 10_000;
const MORE = 1_000;
const LAST = 100;
const SCRAM = "9096";
const NEVER_GIVES_UP = 100_000;

interface Customer {
  readonly traffic: Traffic;
  readonly host: Host;
  readonly connectionId: string;
}

export class CustomersActs {
  readonly #stage: Stage;
  readonly #made: Made;
  readonly #customer: Customer;
  readonly #reader: Reader;
  #partitions: readonly Partition[] = [];

  private constructor(stage: Stage, made: Made, customer: Customer) {
    this.#stage = stage;
    this.#made = made;
    this.#customer = customer;
    this.#reader = this.#started("client.json", "customers");
  }

  /** The customer's VPC is there and peered, and their reader has been started. */
  static async begun(stage: Stage, made: Made, user: User): Promise<CustomersActs> {
    const client = { ...user, brokers: made.target.brokers, ca: "sandbox-ca.pem", retries: NEVER_GIVES_UP };
    writeFileSync(join(stage.folder, "client.json"), JSON.stringify(client), { mode: 0o600 });
    const late = { ...client, retries: 0 };
    writeFileSync(join(stage.folder, "late.json"), JSON.stringify(late), { mode: 0o600 });
    return new CustomersActs(stage, made, await peered(stage, made));
  }

  async end(): Promise<void> {
    await this.#reader.stop();
  }

  #started(clientFile: string, group: string): Reader {
    const { host } = this.#customer;
    const { topic } = this.#made.target;
    return Reader.started(this.#stage.tell, { host: host.id, clientFile, topic, group });
  }

  #write(count: number): Promise<Written> {
    return this.#made.task.write(count, this.#made.target);
  }

  async read(): Promise<void> {
    const { tell } = this.#stage;
    tell.say(`5. The data task writes ${FIRST} records; the customer reads them across the peering`);
    for (const node of this.#made.nodes)
      tell.check(`packets of theirs get to ${node.name}`, await this.#arrives(node));
    const { partitions } = await this.#write(FIRST);
    tell.check(
      "Kafka has the topic with 3 partitions, each on 3 brokers",
      partitions.length === 3 && partitions.every(({ replicas }) => new Set(replicas).size === 3),
    );
    this.#partitions = partitions;
    await this.#verifyRead(FIRST);
    tell.check("records came from all 3 partitions", this.#reader.ledger.partitions === 3);
  }

  /** Every record that has ever been written. */
  async #verifyRead(count: number): Promise<void> {
    const { tell } = this.#stage;
    const { ledger } = this.#reader;
    await this.#reader.has(count);
    const wrong = [...ledger.notOnce(count), ...ledger.misnamed()];
    tell.check(
      `${count} records are read, each once, with the key and the value it was written with${firstOf(wrong)}`,
      ledger.size === count && wrong.length === 0,
    );
    const disordered = ledger.disordered();
    tell.check(
      `each key's records come from one partition, in their order${firstOf(disordered)}`,
      disordered.length === 0,
    );
  }

  async readOn(): Promise<void> {
    const { tell } = this.#stage;
    const { connector, nodes } = this.#made;
    tell.say("6. A broker is killed; writing and reading go on");
    const leader = this.#partitions[0]?.leader;
    const victim = nodes.find(({ id }) => id === leader);
    if (!victim) throw new Error(`the broker ${leader}, which leads partition 0, is none of the cluster's`);
    tell.check(`${victim.name}, which leads a partition, is killed`, await connector.kill(victim));
    const { partitions } = await this.#write(MORE);
    tell.check(
      "the other two lead all partitions",
      partitions.every(({ leader }) => leader !== victim.id),
    );
    await this.#verifyRead(FIRST + MORE);
    const { state } = await connector.state();
    const ended = (await connector.processes()).get(victim.name) === "ended";
    tell.check(`all the while it was dead: the cluster is ${state}`, ended && state === "HEALING");
    await connector.heal();
  }

  async cut(): Promise<void> {
    const { tell } = this.#stage;
    const { connectionId } = this.#customer;
    tell.say("7. The peering is deleted: the customer is cut");
    const before = this.#reader.ledger.size;
    const which = ["--datasetName", "Orders", "--vpcPeeringConnectionId", connectionId];
    await tell.letsdata("vpcs", "vpcPeeringConnections", "delete", ...which, "--wait");
    for (const node of this.#made.nodes)
      tell.check(`no packet of theirs gets to ${node.name}`, !(await this.#arrives(node)));
    const { written } = await this.#write(LAST);
    tell.check(`the data task writes ${written} more, from inside`, written === LAST);
    const outcome = await this.#started("late.json", "late").outcome();
    tell.check("a new reader does not come about: nothing answers it", /^1: .*timed out/s.test(outcome));
    tell.check(
      "the one that lived still tries, and has got nothing more",
      this.#reader.isReading && this.#reader.ledger.size === before,
    );
  }

  #arrives({ privateIp }: Node): Promise<boolean> {
    const { traffic, host } = this.#customer;
    return traffic.arrives(host.id, privateIp, ["tcp", SCRAM]);
  }
}

function firstOf(wrong: readonly string[]): string {
  return wrong.length === 0 ? "" : `; but ${wrong.slice(0, 3).join(", ")}`;
}

/** A host of the customer's in a VPC of theirs, which is peered with the connector's, and routes both ways. */
async function peered(stage: Stage, { viewed }: Made): Promise<Customer> {
  const { tell, credentials } = stage;
  const ec2 = <T>(...args: string[]) => tell.ec2<T>(CUSTOMER_ACCOUNT, credentials, ...args);
  tell.say(`4. The customer's VPC, in account ${CUSTOMER_ACCOUNT}, by ${stage.aws}; it is peered`);
  const own = await ec2<aws.CreateVpcResult>("create-vpc", "--cidr-block", "172.20.0.0/16");
  const vpcId = own.Vpc?.VpcId ?? "";
  const traffic = new Traffic(tell, credentials);
  const host = await traffic.customerHost(vpcId, "172.20.1.0/24");
  const to = ["--peer-vpc-id", viewed.vpcId, "--peer-owner-id", credentials.platformAccount];
  const made = await ec2<aws.CreateVpcPeeringConnectionResult>(
    ...["create-vpc-peering-connection", "--vpc-id", vpcId, ...to],
  );
  const connectionId = made.VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
  const which = ["--datasetName", "Orders", "--vpcPeeringConnectionId", connectionId];
  type Peering = { status: string };
  const { status } = await tell.letsdata<Peering>(
    ...["vpcs", "vpcPeeringConnections", "accept", ...which, "--wait"],
  );
  tell.check(`${connectionId} is ${status}`, status === "ACTIVE");
  await traffic.customersRoute(vpcId, viewed.cidrBlock, connectionId);
  return { traffic, host, connectionId };
}
