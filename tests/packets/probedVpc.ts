/**
 * A dataset's VPC, built by the control plane in a sandbox with packets, and a customer's VPC with whom it may peer:
 *
 *   dataset 10.x/25, private subnets: the probe's function        customer 172.20.0.0/16, 172.20.1.0/24:
 *                                                                   `server`: probedServer.ts, lets the dataset in
 *                                                                   `silent`: the same group's rules without any
 *
 * Promises that nothing outlives `close`. Where there can be no packets `off` says why, and there is nothing else.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as ec2 from "@aws-sdk/client-ec2";
import { type FunctionConfiguration, LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import type { AnswerOf, InputOf } from "../../src/contract/operations.ts";
import type { DataPlane } from "../../src/sandbox/dataplane/dataPlane.ts";
import { TOOLS_PATH } from "../../src/sandbox/dataplane/holder.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/server.ts";
import { makeGroup, makeSubnet } from "../../src/sandbox/testNetwork.ts";
import { fastClock } from "../support/clocks.ts";
import { CUSTOMER, type House, openHouse, PLATFORM, testSettings } from "../support/house.ts";
import {
  accept,
  activeVpc,
  customerVpc,
  peeringIs,
  present,
  requestPeering,
  type Vpc,
} from "../support/networks.ts";
import { AT_ONCE } from "./packetNetwork.ts";

const PROGRAM = new URL("./probedServer.ts", import.meta.url).pathname;
export const DATASET = "Clicks";

export type Probe = AnswerOf<"vpcs.probe">;
export type ProbeRequest = Omit<InputOf<"vpcs.probe">, "datasetName">;

export interface Host {
  readonly id: string;
  readonly address: string;
}

const NO_HOST: Host = { id: "", address: "" };

/** This sandbox hides nothing, so nothing has to be sought for long. */
const WINDOW_MS = 2_000;

export class ProbedVpc {
  readonly house: House;
  server = NO_HOST;
  silent = NO_HOST;
  /** Who vouches for the server. */
  ca = "";
  peeringId = "";
  readonly #sandbox: Sandbox;
  readonly #plane: DataPlane;
  readonly #lambda: LambdaClient;
  readonly #servers: ChildProcess[] = [];
  #vpc: Vpc | null = null;
  #customerVpc = "";

  private constructor(house: House, { sandbox, plane }: { sandbox: Sandbox; plane: DataPlane }) {
    this.house = house;
    this.#sandbox = sandbox;
    this.#plane = plane;
    const credentials = { accessKeyId: PLATFORM, secretAccessKey: "test" };
    this.#lambda = new LambdaClient({
      endpoint: house.sandboxUrl,
      region: "us-east-1",
      credentials,
      maxAttempts: 1,
    });
  }

  static async open(): Promise<ProbedVpc> {
    const clock = fastClock(1);
    const sandbox = await createSandbox({ clock, settings: testSettings(AT_ONCE), packets: true });
    const { url: sandboxUrl } = await sandbox.listen(0);
    const plane = present(sandbox.dataPlane);
    const house = await openHouse({ clock, sandboxUrl, windowMs: WINDOW_MS });
    const made = new ProbedVpc(house, { sandbox, plane });
    if (!made.off) await made.#furnish().catch((error) => made.close().then(() => Promise.reject(error)));
    return made;
  }

  /** Why there are no packets; false when there are. */
  get off(): string | false {
    const status = this.#plane.status();
    return status.status === "off" ? `there are no packets here: ${status.why}` : false;
  }

  get vpc(): Vpc {
    return present(this.#vpc);
  }

  async #furnish(): Promise<void> {
    this.#vpc = await activeVpc(this.house, DATASET);
    this.#customerVpc = await customerVpc(this.house, "172.20.0.0/16");
    const theirs = this.house.ec2(CUSTOMER);
    const SubnetId = await makeSubnet(theirs, this.#customerVpc, "172.20.1.0/24");
    const open = await makeGroup(theirs, this.#customerVpc, "open");
    const shut = await makeGroup(theirs, this.#customerVpc, "shut");
    const all = {
      IpProtocol: "tcp",
      FromPort: 0,
      ToPort: 65_535,
      IpRanges: [{ CidrIp: this.vpc.cidrBlock }],
    };
    await theirs.send(new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId: open, IpPermissions: [all] }));
    this.server = await this.#launch(SubnetId, open);
    this.silent = await this.#launch(SubnetId, shut);
    this.ca = await this.#serve();
  }

  async #launch(SubnetId: string, group: string): Promise<Host> {
    const { Instances } = await this.house.ec2(CUSTOMER).send(
      new ec2.RunInstancesCommand({
        ...{ ImageId: "ami-12345678", MinCount: 1, MaxCount: 1 },
        ...{ SubnetId, SecurityGroupIds: [group] },
      }),
    );
    const { InstanceId: id = "", PrivateIpAddress: address = "" } = Instances?.[0] ?? {};
    return { id, address };
  }

  async #serve(): Promise<string> {
    await this.#plane.settled();
    const program = [process.execPath, "--disable-warning=ExperimentalWarning", PROGRAM, this.server.address];
    const [command = "", ...args] = [...(await this.#plane.inside(this.server.id)), ...program];
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], env: { PATH: TOOLS_PATH } });
    this.#servers.push(child);
    let said = "";
    while (!said.endsWith("\n")) said += String((await once(child.stdout, "data"))[0]);
    return JSON.parse(said).ca;
  }

  /** Requested, and pending. */
  async requestPeering(): Promise<void> {
    this.peeringId = await requestPeering(this.house, { from: this.#customerVpc, to: this.vpc });
  }

  /** Active, with routes on both sides. */
  async peer(): Promise<void> {
    await accept(this.house, DATASET, this.peeringId);
    await peeringIs(this.house, DATASET, { id: this.peeringId, status: "ACTIVE" });
    await this.routeBack();
  }

  /** The customer's side knows the way to the dataset. */
  async routeBack(): Promise<void> {
    const theirs = this.house.ec2(CUSTOMER);
    const to = { DestinationCidrBlock: this.vpc.cidrBlock, VpcPeeringConnectionId: this.peeringId };
    await theirs.send(new ec2.CreateRouteCommand({ RouteTableId: await this.#theirTable(), ...to }));
    await this.#plane.settled();
  }

  async forgetTheWayBack(): Promise<void> {
    const theirs = this.house.ec2(CUSTOMER);
    const RouteTableId = await this.#theirTable();
    const DestinationCidrBlock = this.vpc.cidrBlock;
    await theirs.send(new ec2.DeleteRouteCommand({ RouteTableId, DestinationCidrBlock }));
    await this.#plane.settled();
  }

  async #theirTable(): Promise<string> {
    const Filters = [{ Name: "vpc-id", Values: [this.#customerVpc] }];
    const { RouteTables } = await this.house
      .ec2(CUSTOMER)
      .send(new ec2.DescribeRouteTablesCommand({ Filters }));
    return present(RouteTables?.[0]?.RouteTableId);
  }

  /** The customer deletes the connection; our side still knows the way, into a black hole. */
  async cut(): Promise<void> {
    const VpcPeeringConnectionId = this.peeringId;
    await this.house
      .ec2(CUSTOMER)
      .send(new ec2.DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
    await this.#plane.settled();
  }

  /** Its end; however long the function takes to be made. */
  async probe(request: ProbeRequest): Promise<Probe> {
    const { probeId, ...first } = await this.house.api.call("vpcs.probe", {
      datasetName: DATASET,
      ...request,
    });
    if (first.endedDatetime !== null) return { probeId, ...first };
    return this.house.until(`the end of the probe of ${request.target}`, async () => {
      const seen = await this.house.api.call("vpcs.viewProbe", { datasetName: DATASET, probeId });
      return seen.endedDatetime !== null && seen;
    });
  }

  /** The platform's. */
  async functions(): Promise<readonly FunctionConfiguration[]> {
    return (await this.#lambda.send(new ListFunctionsCommand({}))).Functions ?? [];
  }

  get lambda(): LambdaClient {
    return this.#lambda;
  }

  async close(): Promise<void> {
    this.#lambda.destroy();
    await this.house.close();
    await this.#sandbox.close();
    for (const child of this.#servers) child.kill("SIGKILL");
  }
}
