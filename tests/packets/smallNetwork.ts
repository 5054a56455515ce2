/**
 * A sandbox with one VPC and two hosts in it that let each other in, for tests of what goes wrong around packets.
 * Promises that nothing outlives `close`.
 */
import { EC2Client, RunInstancesCommand } from "@aws-sdk/client-ec2";
import type { DataPlane, DataPlaneOptions } from "../../src/sandbox/dataplane/dataPlane.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/server.ts";
import { settings } from "../../src/sandbox/settings.ts";
import { makeSubnet, makeVpc } from "../../src/sandbox/testNetwork.ts";
import type { Clock } from "../../src/sandbox/world.ts";
import { fastClock } from "../support/clocks.ts";
import { AT_ONCE, WAIT_MS } from "./packetNetwork.ts";
import { pingCommand, succeeds } from "./probes.ts";

/** The two hosts, and an address that no host has at first. */
export const [HERE, THERE, ELSEWHERE] = ["10.1.0.10", "10.1.0.11", "10.1.0.12"] as const;

export interface SmallNetworkOptions {
  readonly clock?: Clock;
  readonly dataDir?: string;
  readonly programs?: DataPlaneOptions["programs"];
}

export class SmallNetwork {
  readonly log: string[];
  readonly plane: DataPlane;
  readonly #sandbox: Sandbox;
  readonly #client: EC2Client;
  #subnetId = "";
  readonly #hosts = new Map<string, string>();

  private constructor(sandbox: Sandbox, plane: DataPlane, is: { url: string; log: string[] }) {
    this.#sandbox = sandbox;
    this.plane = plane;
    this.log = is.log;
    // Signatures are not judged by their time: the clock may be any.
    const credentials = { accessKeyId: "111111111111", secretAccessKey: "test" };
    this.#client = new EC2Client({ endpoint: is.url, region: "us-east-1", credentials, maxAttempts: 1 });
  }

  static async open({
    clock = fastClock(1),
    dataDir,
    programs,
  }: SmallNetworkOptions = {}): Promise<SmallNetwork> {
    const log: string[] = [];
    const sandbox = await createSandbox({
      clock,
      settings: settings("quick", { ...AT_ONCE, signatureSkewMs: Number.MAX_SAFE_INTEGER }),
      dataDir,
      log: (line) => log.push(line),
      packets: true,
      ...(programs ? { programs } : {}),
    });
    if (!sandbox.dataPlane) throw new Error("packets were asked for");
    const { url } = await sandbox.listen(0);
    return new SmallNetwork(sandbox, sandbox.dataPlane, { url, log });
  }

  /** The VPC and its hosts; packets flow once the plane is settled. */
  async build(): Promise<void> {
    this.#subnetId = await makeSubnet(this.#client, await makeVpc(this.#client));
    for (const address of [HERE, THERE]) await this.addHost(address);
  }

  async addHost(PrivateIpAddress: string): Promise<void> {
    const { Instances } = await this.#client.send(
      new RunInstancesCommand({
        ImageId: "ami-12345678",
        MinCount: 1,
        MaxCount: 1,
        NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: this.#subnetId, PrivateIpAddress }],
      }),
    );
    this.#hosts.set(PrivateIpAddress, Instances?.[0]?.InstanceId ?? "");
  }

  /** Whether a ping from the first host is answered. */
  pings(address: string, waitMs: number = WAIT_MS.comes): Promise<boolean> {
    return succeeds([...this.plane.entry(this.#hosts.get(HERE) ?? ""), ...pingCommand(address, waitMs)]);
  }

  async close(): Promise<void> {
    this.#client.destroy();
    await this.#sandbox.close();
  }
}
