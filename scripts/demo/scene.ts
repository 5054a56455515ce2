/**
 * What the demo shows by traffic, act by act: before the connection is accepted, while it is active, and after it
 * is deleted. Each fact is a packet that was followed or a connection that was held.
 */
import type * as aws from "@aws-sdk/client-ec2";
import { CUSTOMER_ACCOUNT } from "../../tests/support/customer.ts";
import type { Credentials, Telling } from "./telling.ts";
import { type Held, type Host, Traffic, whyNoPackets } from "./traffic.ts";

export interface Zonal {
  readonly vpcId: string;
  readonly cidrBlock: string;
  readonly subnets: readonly {
    readonly type: string;
    readonly availabilityZone: string;
    readonly subnetId: string;
  }[];
  readonly natGateways: readonly { readonly subnetId: string; readonly publicIp: string }[];
}

export class Scene {
  readonly #tell: Telling;
  readonly #credentials: Credentials;
  readonly #made: Made;
  #held: Held | undefined;

  private constructor(tell: Telling, credentials: Credentials, made: Made) {
    this.#tell = tell;
    this.#credentials = credentials;
    this.#made = made;
  }

  /** The hosts; null, and said why, when this machine carries no packets. */
  static async set(tell: Telling, credentials: Credentials, vpcs: Vpcs): Promise<Scene | null> {
    const why = await whyNoPackets(credentials);
    if (why !== null) {
      tell.note(`NO PACKETS ON THIS MACHINE, so no traffic is shown: ${why}`);
      tell.note("`letsdata sandbox doctor` says what is missing.");
      return null;
    }
    const traffic = new Traffic(tell, credentials);
    const { vpc } = vpcs;
    const first = vpc.subnets.find(({ type }) => type === "private")?.subnetId ?? "";
    const broker = await traffic.listener(vpc.vpcId, first);
    const customer = await traffic.customerHost(vpcs.customer, "172.20.1.0/24");
    const other = ["create-vpc", "--cidr-block", "172.21.0.0/16"];
    const { Vpc } = await tell.ec2<aws.CreateVpcResult>(CUSTOMER_ACCOUNT, credentials, ...other);
    const stranger = await traffic.customerHost(Vpc?.VpcId ?? "", "172.21.1.0/24");
    tell.note(`${broker.id} listens on ${broker.privateIp}:9092, as a broker would`);
    return new Scene(tell, credentials, { traffic, vpc, broker, customer, stranger });
  }

  async beforeAccept(): Promise<void> {
    const { id } = this.#made.customer;
    this.#tell.check(
      "nothing gets through yet",
      !(await this.#made.traffic.tcp(id, this.#made.broker.privateIp)),
    );
  }

  /** The customer's own route; then what the page promises, by packets. */
  async whilePeered(connectionId: string): Promise<void> {
    const { traffic, vpc, broker, customer, stranger } = this.#made;
    await traffic.customersRoute(customer.vpcId, vpc.cidrBlock, connectionId);
    const to = broker.privateIp;
    const { id, privateIp } = customer;
    this.#tell.check("TCP from the customer's host arrives", await traffic.tcp(id, to));
    this.#tell.check("UDP does not", !(await traffic.udp(id, to)));
    this.#tell.check("ping does not", !(await traffic.ping(id, to)));
    this.#tell.check("nor TCP from another VPC", !(await traffic.tcp(stranger.id, to)));
    this.#tell.check("nor from the internet", !(await traffic.tcp("internet", to)));
    this.#held = await traffic.connect(id, to);
    this.#tell.check(
      `a connection stands, and the broker sees it come from ${privateIp}`,
      this.#held.greeting === `hello ${privateIp}` && (await this.#held.isAlive()),
    );
    await this.#outbound();
  }

  /** The broker leaves by the NAT gateway of its own zone. */
  async #outbound(): Promise<void> {
    const { subnets, natGateways } = this.#made.vpc;
    const zone = subnets.find(({ type }) => type === "private")?.availabilityZone;
    const own = subnets.find(({ type, availabilityZone }) => type === "public" && availabilityZone === zone);
    const nat = natGateways.find(({ subnetId }) => subnetId === own?.subnetId);
    const seen = await this.#made.traffic.seenAs(this.#made.broker.id);
    this.#tell.check(`to the internet it is ${seen}, its own zone's NAT gateway`, seen === nat?.publicIp);
  }

  async afterDelete(): Promise<void> {
    this.#tell.check("the connection that stood is cut", !(await this.#held?.isAlive()));
    const { id } = this.#made.customer;
    this.#tell.check(
      "a new one does not come about",
      !(await this.#made.traffic.tcp(id, this.#made.broker.privateIp)),
    );
    const end = ["terminate-instances", "--instance-ids", this.#made.broker.id];
    await this.#tell.ec2(this.#credentials.platformAccount, this.#credentials, ...end);
  }
}

interface Vpcs {
  readonly vpc: Zonal;
  /** The customer's VPC. */
  readonly customer: string;
}

interface Made {
  readonly traffic: Traffic;
  readonly vpc: Zonal;
  readonly broker: Host;
  readonly customer: Host;
  readonly stranger: Host;
}
