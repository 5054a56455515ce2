/**
 * The small cloud without its port: a signed request in, an answer out, synchronously. Promises that a request
 * is one uninterrupted change of the state, on disk before it is answered, and nothing at all when it fails.
 *
 *   claim ─▶ service ─▶ signature ─▶ action ─▶ input ─▶ handler ─▶ commit ─▶ XML
 *      └────────┴──────────┴───────────┴─────────┴─────────┴── any error ─▶ rollback ─▶ error XML
 */
import { randomBytes, randomUUID } from "node:crypto";
import { ec2Query, parseForm } from "./codec.ts";
import { furnish } from "./defaultVpc.ts";
import { type Disk, openDisk } from "./disk.ts";
import { elapse } from "./elapse.ts";
import { AwsError } from "./errors.ts";
import { SERVICES, type Service } from "./operations.ts";
import { isRegion } from "./places.ts";
import { patched, type Settings } from "./settings.ts";
import { type Claim, readClaim, type SignedRequest, verify } from "./sigv4.ts";
import { keyOf } from "./sts.ts";
import { type Call, type Clock, Tables } from "./world.ts";

export interface CloudOptions {
  readonly clock: Clock;
  readonly settings: Settings;
  /** Where the state is kept; memory only when undefined. */
  readonly dataDir?: string | undefined;
  /** Told about unexpected exceptions, one line each. */
  readonly log?: ((line: string) => void) | undefined;
}

export interface Answer {
  readonly status: number;
  readonly requestId: string;
  readonly body: string;
}

/** Errors that come before the service is known are worded like EC2's. */
const UNKNOWN: Service = { protocol: ec2Query({}, ""), handlers: {} };

export class Cloud {
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  readonly #tables = new Tables();
  readonly #disk: Disk;
  #settings: Settings;

  /** Throws when the data folder is in use or not readable by this version. */
  constructor({ clock, settings, dataDir, log = () => {} }: CloudOptions) {
    this.#clock = clock;
    this.#settings = settings;
    this.#log = log;
    this.#disk = openDisk(this.#stored(), dataDir);
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** Changes settings by name for the requests to come; a RangeError says what is wrong with the patch. */
  patch(patch: unknown): Settings {
    this.#settings = patched(this.#settings, patch);
    return this.#settings;
  }

  /** Forgets everything, of every account. False, and nothing forgotten, when the disk refuses. */
  reset(): boolean {
    try {
      this.#change(() => {
        for (const table of this.#stored()) table.clear();
      });
      return true;
    } catch (thrown) {
      this.#unexpected(thrown, "reset");
      return false;
    }
  }

  close(): void {
    this.#disk.close();
  }

  /** The one place where errors become answers. */
  answer(request: SignedRequest): Answer {
    const requestId = randomUUID();
    let service = UNKNOWN;
    try {
      const claim = readClaim(request);
      service = theService(claim);
      const call = this.#authenticated(request, claim, requestId);
      return { status: 200, requestId, body: this.#run(service, call, request) };
    } catch (thrown) {
      const error = thrown instanceof AwsError ? thrown : this.#unexpected(thrown, requestId);
      return { status: error.status, requestId, body: service.protocol.error(requestId, error) };
    }
  }

  #authenticated(request: SignedRequest, claim: Claim, requestId: string): Call {
    const now = this.#clock.now();
    const key = keyOf(this.#tables, claim.accessKeyId);
    verify(request, claim, { key, now, skewMs: this.#settings.signatureSkewMs });
    if (!isRegion(claim.region))
      throw new AwsError("AuthFailure", "Credential should be scoped to a valid region.", 401);
    return {
      account: key?.account ?? "",
      region: claim.region,
      callerArn: key?.arn ?? "",
      requestId,
      now,
      tables: this.#tables,
      settings: this.#settings,
      newId: (prefix) => `${prefix}-0${randomBytes(8).toString("hex")}`,
    };
  }

  #run({ protocol, handlers }: Service, call: Call, request: SignedRequest): string {
    const form = parseForm(request.method === "GET" ? queryOf(request.url) : request.body.toString());
    const action = form.children.get("Action")?.value;
    if (!action)
      throw new AwsError("MissingAction", "The request is missing an action or a required parameter.");
    const handler = Object.hasOwn(handlers, action) ? handlers[action] : undefined;
    if (!handler || !protocol.has(action))
      throw new AwsError("InvalidAction", `The action ${action} is not valid for this web service.`);
    const input = protocol.read(action, form);
    this.#change(() => {
      elapse(call);
      furnish(call);
    });
    return this.#change(() => protocol.write(action, call.requestId, handler(call, input)));
  }

  /** All of what `work` does to the state, or none of it. */
  #change<T>(work: () => T): T {
    try {
      const result = work();
      this.#disk.commit();
      return result;
    } catch (error) {
      this.#disk.rollback();
      throw error;
    }
  }

  #stored() {
    return Object.values(this.#tables);
  }

  #unexpected(thrown: unknown, requestId: string): AwsError {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    this.#log(`request ${requestId} failed: ${text.replace(/\s*\n\s*/g, " | ")}`);
    return new AwsError("InternalError", "An internal error has occurred", 500);
  }
}

function theService({ service: name }: Claim): Service {
  const service = Object.hasOwn(SERVICES, name) ? SERVICES[name] : undefined;
  if (service) return service;
  const names = Object.keys(SERVICES).join(", ");
  throw new AwsError("UnknownService", `There is no service ${name} here; there are: ${names}.`);
}

function queryOf(url: string): string {
  return url.slice(url.indexOf("?") + 1 || url.length);
}
