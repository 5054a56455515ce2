/**
 * What a handler is given: the tables, the clock, the settings and who calls. One handler a wire operation,
 * its input and output typed by the SDK's own command classes, so a wrong member name does not compile.
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import type { Consoles } from "./consoles.ts";
import type { FunctionsRun } from "./functionRuns.ts";
import type * as rows from "./rows.ts";
import type * as services from "./serviceRows.ts";
import type { Settings } from "./settings.ts";
import { Table } from "./state.ts";

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after `ms` milliseconds; at once, without an error, when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export class Tables {
  readonly vpcs = new Table<rows.VpcRow>("vpcs");
  readonly subnets = new Table<rows.SubnetRow>("subnets");
  readonly internetGateways = new Table<rows.InternetGatewayRow>("internetGateways");
  readonly addresses = new Table<rows.AddressRow>("addresses");
  readonly natGateways = new Table<rows.NatGatewayRow>("natGateways");
  readonly routeTables = new Table<rows.RouteTableRow>("routeTables");
  readonly securityGroups = new Table<rows.SecurityGroupRow>("securityGroups");
  readonly networkAcls = new Table<rows.NetworkAclRow>("networkAcls");
  readonly peerings = new Table<rows.PeeringRow>("peerings");
  readonly interfaces = new Table<rows.InterfaceRow>("interfaces");
  readonly instances = new Table<rows.InstanceRow>("instances");
  readonly endpoints = new Table<rows.EndpointRow>("endpoints");
  readonly clusters = new Table<services.ClusterRow>("clusters");
  readonly clusterOperations = new Table<services.ClusterOperationRow>("clusterOperations");
  readonly topics = new Table<services.TopicRow>("topics");
  readonly secrets = new Table<services.SecretRow>("secrets");
  readonly functions = new Table<services.FunctionRow>("functions");
  readonly functionCodes = new Table<services.FunctionCodeRow>("functionCodes");
  readonly sessions = new Table<rows.SessionRow>("sessions");
  readonly places = new Table<rows.PlaceRow>("places");
}

/** What the brokers of clusters are in this sandbox, and why they are not Kafka. */
export type BrokersAre =
  | { readonly are: "kafka" | "nothing" }
  | { readonly are: "listeners"; readonly why: string };

/** One request's surroundings. `account` and `region` are the caller's. */
export interface Call {
  readonly account: string;
  readonly region: string;
  /** `arn:aws:iam::111122223333:root`, or the assumed role's session. */
  readonly callerArn: string;
  readonly requestId: string;
  readonly now: number;
  readonly tables: Tables;
  readonly settings: Settings;
  readonly consoles: Consoles;
  readonly brokers: BrokersAre;
  /** undefined = nobody runs them. */
  readonly functions: FunctionsRun | undefined;
  /** A new id in AWS's form: `newId("vpc")` = `vpc-0` and 16 hex digits in all 17. */
  newId(prefix: string): string;
}

/** An answer that takes its time: what is left to be done once the change of the state is kept. */
export class Later<Output> {
  readonly finish: () => Promise<Output>;

  constructor(finish: () => Promise<Output>) {
    this.finish = finish;
  }
}

type Answered<Output> = Output | undefined | Later<Output>;

type Operation<Command> = Command extends abstract new (
  ...args: never[]
) => {
  readonly input: infer I;
  resolveMiddleware(...args: never[]): (...args: never[]) => Promise<{ output: infer O }>;
}
  ? (call: Call, input: I) => Answered<Omit<O, "$metadata">>
  : never;

/**
 * Handlers by wire name (`CreateVpc`) for the operations of an SDK client module. Synchronous: a request is
 * one uninterrupted change of the state; what it answers may come later.
 */
export type Handlers<Sdk> = {
  [K in keyof Sdk as K extends `${infer Name}Command` ? Name : never]?: Operation<Sdk[K]>;
};

export type Ec2Handlers = Handlers<typeof ec2>;
