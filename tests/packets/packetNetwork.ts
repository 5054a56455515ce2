/**
 * A sandbox with packets in it: the four VPCs of vpcPlans.ts, a prober in every host and on the internet. Promises
 * that what it says of a flow is what packets did, and that nothing outlives `close`. Where there can be no packets
 * it says why, and has nothing else.
 */
import type { EC2Client } from "@aws-sdk/client-ec2";
import { EC2Client as Client } from "@aws-sdk/client-ec2";
import type { DataPlane } from "../../src/sandbox/dataplane/dataPlane.ts";
import { INTERNET } from "../../src/sandbox/dataplane/names.ts";
import type { Programs } from "../../src/sandbox/dataplane/program.ts";
import { programsOf } from "../../src/sandbox/dataplane/programs.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/server.ts";
import { type Settings, settings } from "../../src/sandbox/settings.ts";
import { fastClock } from "../support/clocks.ts";
import { BuiltVpc } from "./builtVpc.ts";
import { type Connection, type Observed, type Probe, type Probes, startProbes } from "./probes.ts";
import { type Sabotage, unharmed } from "./sabotage.ts";
import { PLANS, type VpcName, type VpcPlan } from "./vpcPlans.ts";

/** The internet's host: every address of 192.0.2.0/24 is, and this one speaks first. */
export const SERVER = "192.0.2.1";

/** Every host serves these, TCP and UDP. */
const SERVED = [1, 22, 80, 443, 9000, 9092, 65_535] as const;

/** What is expected to be lost is waited for this long; what is expected to come, as long as a busy machine needs. */
export const WAIT_MS = { lost: 300, comes: 20_000 } as const;

/** What connect(2) says where there is no route, or one that swallows. */
const UNSENT = ["ENETUNREACH", "EHOSTUNREACH", "EINVAL"];

/** Nothing takes any time: what is asked for is there with the answer. */
export const AT_ONCE: Partial<Settings> = {
  vpcPendingMs: 0,
  natPendingMs: 0,
  natDeletingMs: 0,
  peeringInitiatingMs: 0,
  peeringProvisioningMs: 0,
  peeringDeletingMs: 0,
  instancePendingMs: 0,
  instanceTerminatingMs: 0,
};

export class PacketNetwork {
  readonly plane: DataPlane;
  /** Why there are no packets; false when there are. */
  readonly off: string | false;
  readonly #sandbox: Sandbox;
  readonly #clients: Client[] = [];
  readonly #saboteur: Saboteur;
  readonly #vpcs = new Map<string, BuiltVpc>();
  #probes: Probes | undefined;

  /** What a person would read. */
  readonly log: readonly string[];

  private constructor(sandbox: Sandbox, plane: DataPlane, is: { saboteur: Saboteur; log: string[] }) {
    const status = plane.status();
    this.#sandbox = sandbox;
    this.plane = plane;
    this.#saboteur = is.saboteur;
    this.log = is.log;
    this.off = status.status === "off" ? `there are no packets here: ${status.why}` : false;
  }

  static async open(): Promise<PacketNetwork> {
    const saboteur = new Saboteur();
    const log: string[] = [];
    const sandbox = await createSandbox({
      clock: fastClock(1),
      settings: settings("quick", AT_ONCE),
      packets: true,
      log: (line) => log.push(line),
      programs: (topology) => saboteur.harm(programsOf(topology)),
    });
    if (!sandbox.dataPlane) throw new Error("packets were asked for");
    const network = new PacketNetwork(sandbox, sandbox.dataPlane, { saboteur, log });
    if (!network.off)
      await network.#furnish().catch((error) => network.close().then(() => Promise.reject(error)));
    return network;
  }

  async #furnish(): Promise<void> {
    const { url } = await this.#sandbox.listen(0);
    const build = async (plan: VpcPlan) =>
      this.#vpcs.set(plan.name, await BuiltVpc.build(this.#client(url, plan), plan));
    await Promise.all(Object.values(PLANS).map(build));
    await this.plane.settled();
    const hosts = [...this.#vpcs.values()].flatMap((vpc) => vpc.hosts.map(({ id }) => id));
    const namespaces = new Map([INTERNET, ...hosts].map((id) => [id, []]));
    this.#probes = await startProbes(this.plane, { namespaces, ports: SERVED });
  }

  #client(endpoint: string, { account, region }: VpcPlan): EC2Client {
    const credentials = { accessKeyId: account, secretAccessKey: "test" };
    const client = new Client({ endpoint, region, credentials, maxAttempts: 1 });
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    await this.#probes?.close();
    for (const client of this.#clients) client.destroy();
    await this.#sandbox.close();
  }

  vpc(name: VpcName): BuiltVpc {
    const vpc = this.#vpcs.get(name);
    if (!vpc) throw new RangeError(`VPC ${name} is not built`);
    return vpc;
  }

  /** `A.broker0` or `internet`: the namespace. */
  namespace(host: string): string {
    const [vpc = "", name = ""] = host.split(".");
    return host === INTERNET ? INTERNET : this.vpc(vpc as VpcName).host(name).id;
  }

  /** The text with public addresses in the place of `{A.bastion}`, or `{A.a}`: zone a's NAT gateway. */
  filled(text: string): string {
    const address = (_: string, vpc: string, name: string) =>
      this.vpc(vpc as VpcName).publicIps.get(name) ?? `nobody's (${vpc}.${name})`;
    return text.replace(/\{(\w)\.(\w+)\}/g, address);
  }

  /**
   * Waits for what is expected: `silent`, `refused`, `answered` and, over TCP and UDP, the address the far end has
   * seen, `reached`, which is any answer at all, or `unsent`: the host's own kernel knows no way.
   */
  async flow(from: string, flow: string, expected: string): Promise<string> {
    const isJustOpened = expected === "reached" ? ({ isJustOpened: true } as const) : {};
    const probe = { ...this.#probe(from, flow), ...isJustOpened };
    const answerMs = expected === "silent" ? WAIT_MS.lost : WAIT_MS.comes;
    const { outcome, seen } = await this.#theProbes.probe(probe, { answerMs });
    if (expected === "reached" && outcome !== "silent") return "reached";
    if (expected === "unsent" && UNSENT.includes(outcome)) return "unsent";
    return seen === undefined ? outcome : `${outcome} ${seen}`;
  }

  /** An open TCP connection. */
  hold(from: string, flow: string): Promise<Connection> {
    return this.#theProbes.hold(this.#probe(from, flow), WAIT_MS.comes);
  }

  send(from: string, flow: string, bytes: number): Promise<Observed> {
    return this.#theProbes.send(this.#probe(from, flow), { bytes, waitMs: WAIT_MS.comes });
  }

  heard(host: string): Promise<readonly string[]> {
    return this.#theProbes.heard(this.namespace(host));
  }

  /** `tcp 10.1.10.10:80`, `icmp 10.1.10.10`, `udp {A.bastion}:80 as 10.1.10.99`. */
  #probe(from: string, flow: string): Probe {
    const [protocol = "", target = "", , sourceAddress] = this.filled(flow).split(" ");
    const [to = "", port = "0"] = target.split(":");
    if (protocol !== "tcp" && protocol !== "udp" && protocol !== "icmp")
      throw new RangeError(`${flow}: no such protocol`);
    const as = sourceAddress === undefined ? {} : { sourceAddress };
    return { from: this.namespace(from), protocol, to, port: Number(port), sourcePort: 0, ...as };
  }

  get #theProbes(): Probes {
    if (!this.#probes) throw new Error("there are no probers");
    return this.#probes;
  }

  /** What a shell script says in a host, in the router of a VPC (`A`) or on the internet; throws when it fails. */
  async run(where: string, script: string): Promise<string> {
    const namespace = this.#vpcs.get(where)?.id ?? this.namespace(where);
    const { code, stdout, stderr } = await this.plane.run(script, namespace);
    if (code !== 0) throw new Error(`${where}: ${script}: ${stderr}`);
    return stdout;
  }

  /** How many packets the VPC's router has dropped for that reason since its filter was changed last. */
  async dropped(vpc: VpcName, reason: string): Promise<number> {
    const told = await this.run(vpc, `nft list counter inet vpc ${reason}`);
    return Number(/packets (\d+)/.exec(told)?.[1]);
  }

  /** Applies something else than what is right, until `mend`; throws when it is the same. */
  async sabotage(sabotage: Sabotage): Promise<void> {
    this.#saboteur.sabotage = sabotage;
    await this.plane.settled();
    if (!this.#saboteur.hasHarmed) throw new Error("the sabotage has changed nothing");
  }

  /** Applies what cannot be applied; waits for nothing. */
  breakBy(sabotage: Sabotage): void {
    this.#saboteur.sabotage = sabotage;
    this.plane.wake();
  }

  async mend(): Promise<void> {
    this.#saboteur.sabotage = unharmed;
    await this.plane.settled();
  }
}

/** Stands between the programs and the kernel. */
class Saboteur {
  sabotage: Sabotage = unharmed;
  /** Whether the last programs were changed. */
  hasHarmed = false;

  harm(programs: Programs): Programs {
    const harmed = this.sabotage(programs);
    this.hasHarmed = JSON.stringify(harmed) !== JSON.stringify(programs);
    return harmed;
  }
}
