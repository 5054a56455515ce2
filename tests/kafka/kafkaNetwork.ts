/**
 * Two VPCs of two accounts, peered: an MSK cluster in three zones of one, a customer's host in the other, and a host
 * beside the cluster. Everything is asked for by calls to AWS's services; Kafka is really run. Where it cannot be,
 * `off` says why. Promises that nothing outlives `close`.
 */
import { execFile } from "node:child_process";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import * as ec2 from "@aws-sdk/client-ec2";
import * as kafka from "@aws-sdk/client-kafka";
import * as secrets from "@aws-sdk/client-secrets-manager";
import type { Places } from "../../src/sandbox/brokers/software.ts";
import type { DataPlane } from "../../src/sandbox/dataplane/dataPlane.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/server.ts";
import { type Settings, settings } from "../../src/sandbox/settings.ts";
import {
  makeGroup,
  makeInstance,
  makeSubnet,
  makeVpc,
  makeZonedSubnets,
} from "../../src/sandbox/testNetwork.ts";
import { AT_ONCE } from "../packets/packetNetwork.ts";
import { fastClock } from "../support/clocks.ts";
import type { ProgramInput, ProgramOutput } from "./program.ts";

const OWNER = "111111111111";
const CUSTOMER = "222222222222";
const REGION = "us-east-1";
const PROGRAM = path.join(import.meta.dirname, "program.ts");
const ROOT = path.join(import.meta.dirname, "../..");

/** Longer than three brokers take to start on the busiest machine. */
const COMES_MS = 300_000;
const PAUSE_MS = 200;

/** Where the tests' Kafka is: not where a sandbox that is started here would find it. */
export const KAFKA_HOME = process.env.KAFKA_HOME ?? path.join(ROOT, ".cache/kafka");

export interface Wish {
  readonly kafka?: Places;
  readonly settings?: Partial<Settings>;
  readonly dataDir?: string;
}

interface Closable {
  destroy(): void;
}

export class KafkaNetwork {
  readonly plane: DataPlane;
  readonly log: readonly string[];
  readonly url: string;
  readonly owner: ec2.EC2Client;
  readonly msk: kafka.KafkaClient;
  readonly secrets: secrets.SecretsManagerClient;
  vpcId = "";
  subnets: readonly string[] = [];
  groupId = "";
  /** Hosts beside the cluster and in the customer's VPC. */
  insider = "";
  customer = "";
  peeringId = "";
  readonly #sandbox: Sandbox;
  readonly #clients: Closable[] = [];

  private constructor(
    sandbox: Sandbox,
    plane: DataPlane,
    is: { readonly url: string; readonly log: string[] },
  ) {
    this.#sandbox = sandbox;
    this.plane = plane;
    this.url = is.url;
    this.log = is.log;
    this.owner = this.#client(ec2.EC2Client, OWNER);
    this.msk = this.#client(kafka.KafkaClient, OWNER);
    this.secrets = this.#client(secrets.SecretsManagerClient, OWNER);
  }

  static async open(wish: Wish = {}): Promise<KafkaNetwork> {
    const log: string[] = [];
    const sandbox = await createSandbox({
      clock: fastClock(1),
      settings: settings("quick", { ...AT_ONCE, mskCreatingMs: 0, mskDeletingMs: 0, ...wish.settings }),
      packets: true,
      kafka: wish.kafka,
      dataDir: wish.dataDir,
      log: (line) => log.push(line),
    });
    const { url } = await sandbox.listen(0);
    if (!sandbox.dataPlane) throw new Error("packets were asked for");
    const network = new KafkaNetwork(sandbox, sandbox.dataPlane, { url, log });
    if (network.off === false) await network.#furnish();
    return network;
  }

  /** Why there are no packets; false when there are. */
  get off(): string | false {
    const status = this.plane.status();
    return status.status === "off" ? `there are no packets here: ${status.why}` : false;
  }

  #client<C extends Closable>(Client: new (config: object) => C, account: string): C {
    const credentials = { accessKeyId: account, secretAccessKey: "test" };
    const client = new Client({ endpoint: this.url, region: REGION, credentials, maxAttempts: 1 });
    this.#clients.push(client);
    return client;
  }

  async #furnish(): Promise<void> {
    const theirs = this.#client(ec2.EC2Client, CUSTOMER);
    this.vpcId = await makeVpc(this.owner, "10.1.0.0/16");
    this.subnets = await makeZonedSubnets(this.owner, this.vpcId, "abd");
    this.groupId = await makeGroup(this.owner, this.vpcId, "cluster");
    this.insider = await makeInstance(this.owner, this.subnets[0] ?? "");
    const vpc = await makeVpc(theirs, "10.2.0.0/16");
    this.customer = await makeInstance(theirs, await makeSubnet(theirs, vpc, "10.2.0.0/24"));
    const asked = await this.owner.send(
      new ec2.CreateVpcPeeringConnectionCommand({ VpcId: this.vpcId, PeerVpcId: vpc, PeerOwnerId: CUSTOMER }),
    );
    this.peeringId = asked.VpcPeeringConnection?.VpcPeeringConnectionId ?? "";
    const VpcPeeringConnectionId = this.peeringId;
    await theirs.send(new ec2.AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
    await this.#route(this.owner, this.vpcId, "10.2.0.0/16");
    await this.#route(theirs, vpc, "10.1.0.0/16");
    await this.allow("10.2.0.0/16");
  }

  async #route(client: ec2.EC2Client, vpcId: string, DestinationCidrBlock: string): Promise<void> {
    const Filters = [{ Name: "vpc-id", Values: [vpcId] }];
    const { RouteTables } = await client.send(new ec2.DescribeRouteTablesCommand({ Filters }));
    const RouteTableId = RouteTables?.[0]?.RouteTableId;
    const to = { DestinationCidrBlock, VpcPeeringConnectionId: this.peeringId };
    await client.send(new ec2.CreateRouteCommand({ RouteTableId, ...to }));
  }

  /** Lets that block reach the clients' ports of brokers. */
  async allow(block: string): Promise<void> {
    const range = { IpProtocol: "tcp", FromPort: 9092, ToPort: 9098, IpRanges: [{ CidrIp: block }] };
    const GroupId = this.groupId;
    await this.owner.send(new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [range] }));
  }

  async forbid(block: string): Promise<void> {
    const range = { IpProtocol: "tcp", FromPort: 9092, ToPort: 9098, IpRanges: [{ CidrIp: block }] };
    const GroupId = this.groupId;
    await this.owner.send(new ec2.RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions: [range] }));
  }

  /** Its ARN; CREATING. */
  async makeCluster(name: string, more: Partial<kafka.ProvisionedRequest> = {}): Promise<string> {
    const Provisioned: kafka.ProvisionedRequest = {
      KafkaVersion: "4.1.x.kraft",
      NumberOfBrokerNodes: 3,
      BrokerNodeGroupInfo: {
        InstanceType: "kafka.m7g.large",
        ClientSubnets: [...this.subnets],
        SecurityGroups: [this.groupId],
      },
      ...more,
    };
    const input = { ClusterName: name, Provisioned };
    return (await this.msk.send(new kafka.CreateClusterV2Command(input))).ClusterArn ?? "";
  }

  async cluster(ClusterArn: string): Promise<kafka.Cluster> {
    return (await this.msk.send(new kafka.DescribeClusterV2Command({ ClusterArn }))).ClusterInfo ?? {};
  }

  /** Waits for one of these states; fails when it never is. */
  async become(arn: string, ...states: readonly string[]): Promise<kafka.Cluster> {
    let seen: kafka.Cluster = {};
    await this.until(states.join(" or "), async () => {
      seen = await this.cluster(arn);
      return states.includes(seen.State ?? "");
    });
    return seen;
  }

  /** Waits until the brokers of all clusters are in these states. */
  async brokersBecome(...states: readonly string[]): Promise<void> {
    await this.until(`brokers that are ${states.join(", ")}`, async () => {
      const { brokers } = (await this.own("GET brokers")).value as { brokers: readonly { state: string }[] };
      return brokers.map(({ state }) => state).join() === states.join();
    });
  }

  /** Asks again until it is so; fails when it never is. */
  async until(what: string, ask: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + COMES_MS;
    while (!(await ask())) {
      if (Date.now() > deadline) throw new Error(`never: ${what}; ${this.log.join("\n")}`);
      // What is waited for needs the processor more than who waits.
      await pause(PAUSE_MS);
    }
  }

  async bootstrap(ClusterArn: string): Promise<kafka.GetBootstrapBrokersResponse> {
    return this.msk.send(new kafka.GetBootstrapBrokersCommand({ ClusterArn }));
  }

  /** Makes the secret, and lets its user into the cluster. */
  async admit(
    ClusterArn: string,
    user: { readonly username: string; readonly password: string },
  ): Promise<string> {
    const secret = { Name: `AmazonMSK_${user.username}`, SecretString: JSON.stringify(user) };
    const { ARN = "" } = await this.secrets.send(new secrets.CreateSecretCommand(secret));
    await this.msk.send(new kafka.BatchAssociateScramSecretCommand({ ClusterArn, SecretArnList: [ARN] }));
    return ARN;
  }

  /** One of the sandbox's own requests. */
  async own(
    what: string,
  ): Promise<{ readonly status: number; readonly value: Readonly<Record<string, unknown>> }> {
    const [method = "", at = ""] = what.split(" ");
    const response = await fetch(`${this.url}/_sandbox/${at}`, { method });
    const text = await response.text();
    return { status: response.status, value: text === "" ? {} : JSON.parse(text) };
  }

  /** What a program says on its standard output in a host, and its code. */
  async run(
    host: string,
    ...command: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string }> {
    await this.plane.settled();
    const [name = "", ...args] = [...(await this.plane.inside(host)), ...command];
    return new Promise((resolve) => {
      execFile(name, args, { cwd: ROOT, timeout: 240_000 }, (error, stdout, stderr) => {
        const code = error ? Number(error.code ?? 1) : 0;
        resolve({ code, out: stdout + (code === 0 ? "" : stderr) });
      });
    });
  }

  /** What the Kafka client did in that host. Throws what it could not do. */
  async client(host: string, input: ProgramInput): Promise<readonly string[]> {
    const node = [process.execPath, "--disable-warning=ExperimentalWarning", PROGRAM, JSON.stringify(input)];
    const { out } = await this.run(host, ...node);
    const line = out.trim().split("\n").at(-1) ?? "";
    if (!line.startsWith("{")) throw new Error(`the client says: ${out}`);
    const did = JSON.parse(line) as ProgramOutput;
    if ("error" in did) throw new Error(did.error);
    return did.keys;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.#sandbox.close();
  }
}
