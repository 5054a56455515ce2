/**
 * The hands on AWS: the port `cloud.ts`, by AWS's SDK. Runs against AWS, and against anything that speaks its
 * wire protocol, by endpoint URL. Promises that only a `Failure` comes out, that every call passes the limiter,
 * and that nothing is remembered but how AWS answered: which account, which DNS attributes, how fast.
 */
import { DescribeAvailabilityZonesCommand } from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { Failure } from "../../domain/failure.ts";
import type { Cell, Clock } from "../../domain/model.ts";
import type { ProbeFindings } from "../../domain/probe.ts";
import type { TaggedThing } from "../../domain/sweep.ts";
import type { World } from "../../domain/world.ts";
import type {
  Cloud,
  LimitsAge,
  LookAt,
  ProbeCall,
  QuotaQuestion,
  QuotaUse,
  StepCall,
  Turn,
  Zone,
} from "../cloud.ts";
import { bucketOf } from "./bucketSizes.ts";
import type { CloudLog } from "./calls.ts";
import { type Cells, type Credentials, cells } from "./cells.ts";
import { type ClusterMemory, clusterMemory } from "./clusterMemory.ts";
import { CREATE_ACTION } from "./creates.ts";
import { type DnsMemory, dnsMemory } from "./dns.ts";
import { errandOf, errandOfLook, errandOfProbe, newTurn, onErrand } from "./errand.ts";
import { failureOf } from "./errors.ts";
import { inventory } from "./inventory.ts";
import { type Limiter, limiter, type Pressure } from "./limits.ts";
import { observe } from "./observe.ts";
import { probeName, runProbe } from "./probe.ts";
import { type QuotaMemory, quotaMemory } from "./quotaMemory.ts";
import { brokerUse, countUse, peeringLimits, readBrokerLimit, readLimits } from "./quotaUse.ts";
import { take } from "./steps.ts";

export interface AwsOptions {
  readonly clock: Clock;
  /** The value of `letsdata:installation` on everything we make. */
  readonly installation: string;
  /** Where AWS's protocols are spoken, when it is not AWS. */
  readonly endpoint?: string;
  /** Keys, or what gives them; by default the SDK's own chain. A cell's role is assumed with them. */
  readonly credentials?: Credentials;
  /** What the role's trust policy asks for. */
  readonly externalId?: string;
  readonly log?: CloudLog;
  /**
   * How many processes share the accounts' buckets, this one among them; one by default. Asked at every count:
   * a change takes effect within a second.
   */
  readonly livingProcesses?: () => number;
  /** Uniform in [0, 1), for the jitter of waits; without it they have none. */
  readonly random?: () => number;
}

export type AwsCloud = Cloud & {
  /** The rate limits that calls wait for now, by account, region and action. */
  pressure(): readonly Pressure[];
  /** Ends the connections; whoever waits for a call is refused. */
  close(): void;
};

export function awsCloud(options: AwsOptions): AwsCloud {
  const { clock, installation } = options;
  const limits = limiter(options);
  const clients = cells({
    ...options,
    limiter: limits,
    random: options.random ?? (() => 1),
    log: options.log ?? (() => {}),
  });
  const quotas = quotaMemory(clock, (cell) => readLimits(clients.clients(cell).quotas));
  const brokers = quotaMemory(clock, (cell) => readBrokerLimit(clients.clients(cell).quotas));
  const eyes: Eyes = {
    clients,
    clock,
    quotas,
    brokers,
    dns: dnsMemory(clock),
    clusters: clusterMemory(clock),
    installation,
  };
  const accounts = new Map<string, Promise<string>>();
  const zonesAsked = new Map<string, Promise<readonly Zone[]>>();
  return {
    account: (cell) => remembered(accounts, cellKey(cell), () => told(callerAccount(clients, cell))),
    zones: (cell) => shared(zonesAsked, cellKey(cell), () => told(zones(clients, cell))),
    observe: (cell, networks, signal) =>
      told(onErrand(errandOfLook(networks, signal), () => look(eyes, { cell, networks, at: clock.now() }))),
    inventory: (cell) => told(onErrand(BACKGROUND, () => count(eyes, cell))),
    quotas: (cell, asked, age) => told(used(eyes, { ...asked, cell, age })),
    peeringLimits: (cell, age) =>
      told(quotas.limits(cell, age).then((limits) => peeringLimits({ region: cell.region, limits }))),
    turn: (cell, call) => told(turn(limits, cell, call)),
    apply: (cell, call) => told(onErrand(errandOf(call), () => act(eyes, cell, call))),
    probe: (cell, call) => told(onErrand(errandOfProbe(call), () => probe(eyes, cell, call))),
    pressure: () => limits.pressure(),
    close() {
      limits.close();
      clients.close();
    },
  };
}

interface Eyes {
  readonly clients: Cells;
  readonly clock: Clock;
  readonly quotas: QuotaMemory;
  /** Asked only for who has a cluster: not every role may ask. */
  readonly brokers: QuotaMemory;
  readonly dns: DnsMemory;
  readonly clusters: ClusterMemory;
  readonly installation: string;
}

/** The border: what was thrown inside comes out as a Failure. */
async function told<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw failureOf(error);
  }
}

function cellKey({ account, roleArn, region }: Cell): string {
  return JSON.stringify([account, roleArn, region]);
}

/** The answer is kept; a failure is not. */
function remembered<Answer>(
  answers: Map<string, Promise<Answer>>,
  key: string,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const known = answers.get(key);
  if (known) return known;
  const asked = ask();
  answers.set(key, asked);
  asked.catch(() => answers.delete(key));
  return asked;
}

/** Who asks while the question is under way gets the same answer. */
function shared<Answer>(
  asked: Map<string, Promise<Answer>>,
  key: string,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const underWay = asked.get(key);
  if (underWay) return underWay;
  const answer = ask().finally(() => asked.delete(key));
  asked.set(key, answer);
  return answer;
}

async function callerAccount(clients: Cells, cell: Cell): Promise<string> {
  const { Account } = await clients.clients(cell).sts.send(new GetCallerIdentityCommand({}));
  if (Account) return Account;
  throw new Failure("internal", "AWS did not say which account our credentials act for");
}

async function zones(clients: Cells, cell: Cell): Promise<readonly Zone[]> {
  const answer = await clients.clients(cell).ec2.send(
    new DescribeAvailabilityZonesCommand({
      Filters: [
        { Name: "state", Values: ["available"] },
        { Name: "zone-type", Values: ["availability-zone"] },
      ],
    }),
  );
  return (answer.AvailabilityZones ?? [])
    .flatMap(({ ZoneId: id, ZoneName: name }) => (id && name ? [{ id, name }] : []))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

interface Look {
  readonly cell: Cell;
  readonly networks: readonly LookAt[];
  readonly at: number;
}

async function look(
  { clients, dns, clusters, installation }: Eyes,
  { cell, networks, at }: Look,
): Promise<ReadonlyMap<string, World>> {
  const { ec2, kafka, lambda } = clients.clients(cell);
  return observe({ ec2, kafka, lambda, dns, clusters, installation, networks, at });
}

/** A sweep waits for everybody who waits for one network. */
const BACKGROUND = { network: "", rank: "normal" } as const;

async function count({ clients, installation }: Eyes, cell: Cell): Promise<readonly TaggedThing[]> {
  const { ec2, kafka, lambda } = clients.clients(cell);
  return inventory({ ec2, kafka, lambda, installation, cell });
}

interface UseQuestion extends QuotaQuestion {
  readonly cell: Cell;
  readonly age: LimitsAge;
}

async function used(
  { clients, quotas, brokers }: Eyes,
  { cell, zoneIds, age, ...asked }: UseQuestion,
): Promise<readonly QuotaUse[]> {
  const { ec2, kafka } = clients.clients(cell);
  const limits = await quotas.limits(cell, age);
  const counted = countUse(ec2, { region: cell.region, limits }, zoneIds);
  if (!asked.brokers) return counted;
  const allowed = { region: cell.region, limits: await brokers.limits(cell, age) };
  return [...(await counted), await brokerUse(kafka, allowed)];
}

async function act({ clients, dns, installation }: Eyes, cell: Cell, call: StepCall): Promise<string | null> {
  const { ec2, kafka, lambda } = clients.clients(cell);
  return take({ ec2, kafka, lambda, dns, installation, region: cell.region, call });
}

function probe({ clients, installation }: Eyes, cell: Cell, call: ProbeCall): Promise<ProbeFindings> {
  const { network, wish } = call;
  return runProbe(clients.clients(cell).lambda, probeName(installation, network), wish);
}

async function turn(limits: Limiter, { account, region }: Cell, call: StepCall): Promise<Turn> {
  const action =
    call.step.do in CREATE_ACTION ? CREATE_ACTION[call.step.do as keyof typeof CREATE_ACTION] : "";
  const service = call.step.do === "createProbe" ? "lambda" : "ec2";
  if (action) await limits.take({ account, region, action: bucketOf(service, action) }, errandOf(call));
  return newTurn(action);
}
