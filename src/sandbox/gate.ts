/**
 * What can stop a good request before its work is done: an empty token bucket, a fault somebody asked for, bad
 * luck. Promises that nothing but the settings and the faults in place decides, and chance by its seed. In
 * memory only.
 */
import { Buckets } from "./buckets.ts";
import type { Asked } from "./codec.ts";
import { Dice } from "./dice.ts";
import { type FaultSpec, faultsFrom } from "./faultSpecs.ts";
import { type Blow, chance, Faults } from "./faults.ts";
import { SERVICES, type Service } from "./operations.ts";
import { rateOf } from "./rates.ts";
import type { Settings } from "./settings.ts";
import type { Call } from "./world.ts";

/** A request at the gate: signed, its action known. */
export interface Arrival {
  readonly call: Call;
  readonly service: Service;
  /** As in the signature's scope: `ec2`. */
  readonly serviceName: string;
  readonly asked: Asked;
}

export class Gate {
  readonly faults = new Faults();
  readonly #buckets = new Buckets();
  #chaos: Dice;

  constructor(settings: Settings) {
    this.#chaos = new Dice(settings.seed, 1);
    this.#place(settings);
  }

  /** Takes up what changed of the settings. A RangeError, and nothing taken up, for faults that cannot be. */
  settle(changed: ReadonlySet<string>, settings: Settings): void {
    if (changed.has("faults")) this.#place(settings);
    if (changed.has("seed")) this.#chaos = new Dice(settings.seed, 1);
  }

  /** Puts a fault in place and answers with its id. A RangeError for operations the sandbox does not have. */
  add(spec: FaultSpec): string {
    known(spec);
    return this.faults.add(spec);
  }

  clear(): void {
    this.faults.clear();
    this.#buckets.clear();
  }

  /** Takes the request's token; the service's own error when there is none. */
  takeToken({ call, service, serviceName, asked }: Arrival): void {
    if (!call.settings.throttling) return;
    const rate = rateOf({ service: serviceName, action: asked.action, has: (name) => asked.has(name) });
    const owner = `${call.account} ${call.region} ${serviceName}`;
    if (rate && !this.#buckets.take(owner, rate, call.now)) throw service.errors.throttled();
  }

  /** What a fault or chance does to the request. */
  strike({ call, service, serviceName, asked }: Arrival, input: object): Blow | undefined {
    const { account, region, settings } = call;
    const request = { service: serviceName, operation: asked.action, account, region, input };
    const blow = this.faults.strike(request, service.errors);
    return blow ?? chance(this.#chaos, settings.chaosPercent, service.errors);
  }

  /** The faults of the settings take the place of all there are. */
  #place(settings: Settings): void {
    const specs = faultsFrom(settings.faults);
    specs.forEach(known);
    this.faults.clear();
    for (const spec of specs) this.faults.add(spec);
  }
}

function known({ operation }: FaultSpec): void {
  const exists = Object.values(SERVICES).some(({ handlers }) => Object.hasOwn(handlers, operation));
  if (operation !== "*" && !exists) throw new RangeError(`there is no operation ${operation} here`);
}
