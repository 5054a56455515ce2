/**
 * The small cloud without its port: a signed request in, what becomes of it out, synchronously but for what takes its
 * time by nature. Promises that a request is one uninterrupted change of the state, on disk before it is answered, and
 * nothing at all when it fails; and that every signed request is in the log, whatever became of it.
 *
 *   claim ─▶ service ─▶ signature ─▶ action ─▶ token ─▶ input ─▶ fault? ─▶ handler ─▶ commit ─▶ (later) ─▶ answer
 *      └────────┴──────────┴───────────┴────────┴─────────┴────────┴──────────┴── any error ─▶ rollback ─▶ error
 */
import { randomBytes, randomUUID } from "node:crypto";
import { ec2Query, type Written } from "./codec.ts";
import { Consoles } from "./consoles.ts";
import { furnish } from "./defaultVpc.ts";
import { Dice } from "./dice.ts";
import { type Disk, openDisk } from "./disk.ts";
import { elapse } from "./elapse.ts";
import { AwsError, internalError } from "./errors.ts";
import type { Blow } from "./faults.ts";
import type { FunctionsRun } from "./functionRuns.ts";
import { Gate } from "./gate.ts";
import { type Handler, SERVICES, type Service } from "./operations.ts";
import { isRegion } from "./places.ts";
import { isRead } from "./rates.ts";
import { RequestLog } from "./requestLog.ts";
import type { InterfaceRow } from "./rows.ts";
import type { ClusterRow, TopicRow } from "./serviceRows.ts";
import { type Planting, placeOf, plant } from "./servicesInterfaces.ts";
import { patched, type Settings } from "./settings.ts";
import { type Claim, readClaim, type SignedRequest, verify } from "./sigv4.ts";
import type { Place } from "./state.ts";
import { keyOf } from "./sts.ts";
import { hideNew } from "./visibility.ts";
import { type BrokersAre, type Call, type Clock, Later, Tables } from "./world.ts";

export interface CloudOptions {
  readonly clock: Clock;
  readonly settings: Settings;
  /** Where the state is kept; memory only when undefined. */
  readonly dataDir?: string | undefined;
  /** Told about unexpected exceptions, one line each. */
  readonly log?: ((line: string) => void) | undefined;
  /** Called after each change of the state, once it is kept. */
  readonly onChange?: (() => void) | undefined;
}

export interface Answer {
  readonly status: number;
  readonly requestId: string;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Instead of being answered, the connection is to be cut. */
  readonly cut: boolean;
  /** How long the answer is to be kept back. */
  readonly delayMs: number;
}

/** A request on its way, for the log and for those who word its answer. */
interface Visit {
  readonly requestId: string;
  readonly at: number;
  service: Service;
  claim?: Claim;
  operation?: string;
  account?: string;
  blow?: Blow;
}

type Worded = Written & { readonly status: number };

const notAService = () => new AwsError("UnknownService", "There is no such service here.");

/** Errors that come before the service is known are worded like EC2's. */
const UNKNOWN: Service = {
  protocol: ec2Query({}, ""),
  handlers: {},
  errors: { throttled: notAService, failed: internalError },
};

export class Cloud {
  /** Where faults are put in place. */
  readonly gate: Gate;
  readonly requests: RequestLog;
  /** Said by whoever runs them. */
  brokers: BrokersAre = { are: "nothing" };
  /** Whoever runs them. */
  functions: FunctionsRun | undefined;
  /** Written by whoever runs the hosts. */
  readonly consoles = new Consoles();
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  readonly #onChange: () => void;
  /** Everybody's rows: for what looks at the whole state, such as the data plane, and changes nothing. */
  readonly tables = new Tables();
  readonly #disk: Disk;
  #settings: Settings;
  #visibility: Dice;

  /** Throws when the data folder is in use or not readable by this version, and for faults that cannot be. */
  constructor({ clock, settings, dataDir, log = () => {}, onChange = () => {} }: CloudOptions) {
    this.#clock = clock;
    this.#settings = settings;
    this.#log = log;
    this.#onChange = onChange;
    this.#visibility = new Dice(settings.seed);
    this.gate = new Gate(settings);
    this.requests = new RequestLog(settings.requestLogSize);
    this.#disk = openDisk(this.#stored(), dataDir);
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** Changes settings by name for the requests to come; a RangeError says what is wrong with the patch. */
  patch(patch: unknown): Settings {
    const settings = patched(this.#settings, patch);
    const changed = new Set(Object.keys(patch as object));
    this.gate.settle(changed, settings);
    if (changed.has("seed")) this.#visibility = new Dice(settings.seed);
    this.requests.resize(settings.requestLogSize);
    this.#settings = settings;
    return settings;
  }

  /** Forgets everything, of every account. False, and nothing forgotten, when the disk refuses. */
  reset(): boolean {
    try {
      this.#change(() => {
        for (const table of this.#stored()) table.clear();
      });
    } catch (thrown) {
      this.#report(thrown, "reset");
      return false;
    }
    this.gate.clear();
    this.requests.clear();
    return true;
  }

  /** Puts a service's interface into a subnet, whoever's it is. Throws an AwsError when it cannot be. */
  plant(what: Planting): InterfaceRow {
    return this.#change(() => {
      const place = placeOf(this.tables, what);
      const call = this.#call(place, { requestId: randomUUID(), callerArn: "", now: this.#clock.now() });
      elapse(call);
      return plant(call, what);
    });
  }

  /** Keeps what has become of a cluster's brokers, if the cluster is still there. Throws when the disk refuses. */
  noteBrokers(arn: string, noted: Pick<ClusterRow, "brokers" | "failure">): void {
    const { brokers, failure } = noted;
    this.#change(() => {
      const row = this.tables.clusters.get(arn);
      if (!row) return;
      const { brokers: _, ...rest } = row;
      const end = failure ? { failsAt: this.#clock.now(), failure } : {};
      this.tables.clusters.put({ ...rest, ...(brokers ? { brokers } : {}), ...end });
    });
  }

  /** Keeps what a cluster's brokers say of its topics. Throws when the disk refuses. */
  noteTopics({
    put,
    remove,
  }: {
    readonly put: readonly TopicRow[];
    readonly remove: readonly string[];
  }): void {
    this.#change(() => {
      for (const row of put) if (this.tables.clusters.get(row.clusterArn)) this.tables.topics.put(row);
      for (const id of remove) this.tables.topics.delete(id);
    });
  }

  close(): void {
    this.#disk.close();
  }

  /** The one place where errors become answers. */
  answer(request: SignedRequest): Answer | Promise<Answer> {
    const visit: Visit = { requestId: randomUUID(), at: this.#clock.now(), service: UNKNOWN };
    const done = (written: Written) => this.#logged(visit, { status: 200, ...written });
    const failed = (thrown: unknown) => this.#refused(visit, thrown);
    try {
      const served = this.#served(request, visit);
      return served instanceof Later ? served.finish().then(done).catch(failed) : done(served);
    } catch (thrown) {
      return failed(thrown);
    }
  }

  #refused(visit: Visit, thrown: unknown): Answer {
    const error = thrown instanceof AwsError ? thrown : this.#unexpected(thrown, visit);
    const worded = visit.service.protocol.error(visit.requestId, error);
    return this.#logged(visit, { status: error.status, ...worded }, error);
  }

  #served(request: SignedRequest, visit: Visit): Written | Later<Written> {
    const claim = readClaim(request);
    visit.claim = claim;
    const service = theService(claim);
    visit.service = service;
    const asked = service.protocol.ask(request);
    visit.operation = asked.action;
    const call = this.#authenticated(request, claim, visit);
    const handler = theHandler(service, asked.action);
    const arrival = { call, service, serviceName: claim.service, asked };
    this.gate.takeToken(arrival);
    const input = asked.input();
    const blow = this.gate.strike(arrival, input);
    if (blow) visit.blow = blow;
    if (blow?.error) throw blow.error;
    return this.#run({ service, action: asked.action, handler }, call, input);
  }

  #logged(visit: Visit, answer: Worded, error?: AwsError): Answer {
    const { claim, operation = "", account = "", blow, service, at, requestId } = visit;
    const { status, body, headers = {} } = answer;
    if (claim)
      this.requests.add({
        at,
        service: claim.service,
        operation,
        account,
        region: claim.region,
        mutating: claim.service !== "sts" && !isRead(operation),
        status: blow?.cut ? 0 : status,
        error: error?.code ?? null,
        requestId,
        fault: blow?.kind ?? null,
      });
    const delayMs = blow && "delayMs" in blow ? blow.delayMs : 0;
    const { contentType } = service.protocol;
    return { status, requestId, contentType, headers, body, cut: blow?.cut ?? false, delayMs };
  }

  #authenticated(request: SignedRequest, claim: Claim, visit: Visit): Call {
    const { requestId, at: now } = visit;
    const key = keyOf(this.tables, claim.accessKeyId);
    verify(request, claim, { key, now, skewMs: this.#settings.signatureSkewMs });
    if (!isRegion(claim.region))
      throw new AwsError("AuthFailure", "Credential should be scoped to a valid region.", 401);
    const { account = "", arn: callerArn = "" } = key ?? {};
    visit.account = account;
    return this.#call({ account, region: claim.region }, { requestId, callerArn, now });
  }

  #call({ account, region }: Place, who: Pick<Call, "requestId" | "callerArn" | "now">): Call {
    return {
      account,
      region,
      ...who,
      tables: this.tables,
      settings: this.#settings,
      consoles: this.consoles,
      brokers: this.brokers,
      functions: this.functions,
      newId: (prefix) => `${prefix}-0${randomBytes(8).toString("hex")}`,
    };
  }

  #run(
    what: { service: Service; action: string; handler: Handler },
    call: Call,
    input: object,
  ): Written | Later<Written> {
    const { unseenMsMin, unseenMsMax } = this.#settings;
    const write = (output: object | undefined) =>
      what.service.protocol.write(what.action, call.requestId, output);
    this.#change(() => {
      elapse(call);
      furnish(call);
    });
    return this.#change(() => {
      const output = what.handler(call, input);
      hideNew(call, () => this.#visibility.between(unseenMsMin, unseenMsMax));
      return output instanceof Later ? new Later(async () => write(await output.finish())) : write(output);
    });
  }

  /** All of what `work` does to the state, or none of it. */
  #change<T>(work: () => T): T {
    try {
      const result = work();
      const isChanged = this.#stored().some((table) => table.changes().length > 0);
      this.#disk.commit();
      if (isChanged) this.#onChange();
      return result;
    } catch (error) {
      this.#disk.rollback();
      throw error;
    }
  }

  #stored() {
    return Object.values(this.tables);
  }

  #unexpected(thrown: unknown, { requestId, service }: Visit): AwsError {
    this.#report(thrown, requestId);
    return service.errors.failed();
  }

  #report(thrown: unknown, requestId: string): void {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    this.#log(`request ${requestId} failed: ${text.replace(/\s*\n\s*/g, " | ")}`);
  }
}

function theService({ service: name }: Claim): Service {
  const service = Object.hasOwn(SERVICES, name) ? SERVICES[name] : undefined;
  if (service) return service;
  const names = Object.keys(SERVICES).join(", ");
  throw new AwsError("UnknownService", `There is no service ${name} here; there are: ${names}.`);
}

function theHandler({ protocol, handlers }: Service, action: string): Handler {
  const handler = Object.hasOwn(handlers, action) ? handlers[action] : undefined;
  if (!handler || !protocol.has(action)) throw protocol.unknown(action);
  return handler;
}
