/**
 * The demo's packets: a host that listens as a broker would in the dataset's private subnet, hosts of the
 * customer's, and what reaches what, by real connections. Says loudly when this machine carries no packets.
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type * as aws from "@aws-sdk/client-ec2";
import { CUSTOMER_ACCOUNT } from "../../tests/support/customer.ts";
import type { Credentials, Telling } from "./telling.ts";

const IMAGE = "ami-00000001";
const PORT = "9092";
/** An address of the internet's namespace. */
const INTERNET_HOST = "192.0.2.1";

export interface Host {
  readonly id: string;
  readonly vpcId: string;
  readonly privateIp: string;
}

/** Why this machine carries no packets; null when it does. */
export async function whyNoPackets({ sandboxUrl }: Credentials): Promise<string | null> {
  const answer = await fetch(`${sandboxUrl}/_sandbox/dataplane`);
  const { status, why } = (await answer.json()) as { status: "on" | "off"; why?: string };
  return status === "on" ? null : (why ?? "");
}

export class Traffic {
  readonly #tell: Telling;
  readonly #credentials: Credentials;

  constructor(tell: Telling, credentials: Credentials) {
    this.#tell = tell;
    this.#credentials = credentials;
  }

  /** A host in that subnet, with that user data. */
  async host(account: string, subnetId: string, more: readonly string[] = []): Promise<Host> {
    const made = await this.#tell.ec2<aws.Reservation>(
      account,
      this.#credentials,
      ...["run-instances", "--image-id", IMAGE, "--subnet-id", subnetId, ...more],
    );
    const [instance] = made.Instances ?? [];
    const { InstanceId: id = "", VpcId: vpcId = "", PrivateIpAddress: privateIp = "" } = instance ?? {};
    return { id, vpcId, privateIp };
  }

  /** The broker's stand-in: it answers on TCP port 9092 with the address it is called from. */
  async listener(vpcId: string, subnetId: string): Promise<Host> {
    const { platformAccount } = this.#credentials;
    const filters = [`Name=vpc-id,Values=${vpcId}`, "Name=group-name,Values=letsdata-cluster,letsdata-peers"];
    const { SecurityGroups = [] } = await this.#tell.ec2<aws.DescribeSecurityGroupsResult>(
      platformAccount,
      this.#credentials,
      ...["describe-security-groups", "--filters", ...filters],
    );
    const groups = SecurityGroups.flatMap(({ GroupId }) => GroupId ?? []);
    const userData = ["--user-data", "file://examples/listener.sh"];
    return this.host(platformAccount, subnetId, ["--security-group-ids", ...groups, ...userData]);
  }

  /** A VPC of the customer's with one subnet and a host in it. */
  async customerHost(vpcId: string, block: string): Promise<Host> {
    const { Subnet } = await this.#tell.ec2<aws.CreateSubnetResult>(
      CUSTOMER_ACCOUNT,
      this.#credentials,
      ...["create-subnet", "--vpc-id", vpcId, "--cidr-block", block],
    );
    return this.host(CUSTOMER_ACCOUNT, Subnet?.SubnetId ?? "");
  }

  /** The customer's own way to that block, in their VPC's main table. */
  async customersRoute(vpcId: string, block: string, connectionId: string): Promise<void> {
    const ec2 = <T>(...args: string[]) => this.#tell.ec2<T>(CUSTOMER_ACCOUNT, this.#credentials, ...args);
    const { RouteTables = [] } = await ec2<aws.DescribeRouteTablesResult>(
      ...["describe-route-tables", "--filters", `Name=vpc-id,Values=${vpcId}`],
    );
    await ec2(
      ...["create-route", "--route-table-id", RouteTables[0]?.RouteTableId ?? ""],
      ...["--destination-cidr-block", block, "--vpc-peering-connection-id", connectionId],
    );
  }

  /** One packet, followed by the kernel's counters. */
  async arrives(from: string, to: string, how: readonly string[]): Promise<boolean> {
    const { code, stderr } = await this.#tell.tried("letsdata", "sandbox", "trace", from, to, ...how);
    if (code > 1) throw new Error(stderr);
    return code === 0;
  }

  tcp = (from: string, to: string) => this.arrives(from, to, ["tcp", PORT]);
  udp = (from: string, to: string) => this.arrives(from, to, ["udp", PORT]);
  ping = (from: string, to: string) => this.arrives(from, to, ["icmp"]);

  /** A connection that is held open. */
  async connect(from: string, to: string): Promise<Held> {
    const argv = ["sandbox", "exec", from, "--", "node", "examples/connect.mjs", to, PORT];
    return Held.begun(this.#tell.started("letsdata", ...argv));
  }

  /** What the host is seen as from outside: the answer of a server in the internet's namespace. */
  async seenAs(from: string): Promise<string> {
    const listen = ["sandbox", "exec", "internet", "--", "sh", "examples/listener.sh"];
    const server = await Held.begun(this.#tell.started("letsdata", ...listen));
    try {
      const held = await this.connect(from, INTERNET_HOST);
      held.end();
      return held.greeting.replace("hello ", "");
    } finally {
      server.kill();
    }
  }
}

/** A program of ours that talks line by line: a connection to the listener echoes each. */
export class Held {
  readonly #child: ChildProcessWithoutNullStreams;
  /** Its first line. */
  greeting = "";
  #said = "";
  #wake = () => {};
  #isOver = false;

  static async begun(child: ChildProcessWithoutNullStreams): Promise<Held> {
    const held = new Held(child);
    held.greeting = await held.#line();
    return held;
  }

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stdout.on("data", (chunk) => {
      this.#said += chunk;
      this.#wake();
    });
    child.on("close", () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  /** The next line it says, without its end; empty when there will be none. */
  async #line(): Promise<string> {
    while (!this.#said.includes("\n") && !this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const [line = "", ...rest] = this.#said.split("\n");
    this.#said = rest.join("\n");
    return line;
  }

  /** Whether a line that is sent comes back; `connect.mjs` waits 2 s for it. */
  async isAlive(): Promise<boolean> {
    this.#child.stdin.write("still there?\n");
    return (await this.#line()) === "still there?";
  }

  end(): void {
    this.#child.stdin.end();
  }

  kill(): void {
    this.#child.kill();
  }
}
