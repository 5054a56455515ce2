/**
 * AWS's token buckets, kept on our side so that we seldom meet theirs. One bucket for each (account, region,
 * action); callers wait in the order they came. Promises that no more calls leave than AWS's bucket would
 * take, shared evenly among the processes alive, and that a throttled answer slows that one action down until
 * it has recovered. Knows nothing of networks, and drops no call: a caller waits until `close`.
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 */
import { Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/model.ts";

/** Which of AWS's buckets a call draws from. */
export interface BucketName {
  readonly account: string;
  readonly region: string;
  /** AWS's name of the action, such as `CreateVpc`. */
  readonly action: string;
}

/** Tokens the bucket holds at most, and tokens it gains in a second. */
export interface BucketSize {
  readonly burst: number;
  readonly perSecond: number;
}

export interface Limiter {
  /** Resolves when the call may be made, in the order of asking; rejects `unavailable` after `close`. */
  take(name: BucketName): Promise<void>;
  /** AWS answered that the bucket is empty. */
  throttled(name: BucketName): void;
  /** Rejects all who wait. */
  close(): void;
}

export interface LimiterOptions {
  readonly clock: Clock;
  /** How many processes draw from the same buckets, this one among them. */
  readonly livingProcesses?: () => number;
}

const READ: BucketSize = { burst: 100, perSecond: 20 };
const CHANGE: BucketSize = { burst: 50, perSecond: 5 };

/** Actions with a bucket of their own size; EC2's other changes are 50 and 5 a second, whatever the category. */
const OWN_SIZE: Readonly<Record<string, BucketSize>> = {
  CreateNatGateway: { burst: 10, perSecond: 1 },
  DeleteNatGateway: { burst: 10, perSecond: 1 },
  CreateVpcEndpoint: { burst: 4, perSecond: 0.3 },
  ModifyVpcEndpoint: { burst: 4, perSecond: 0.3 },
  DeleteVpcEndpoints: { burst: 4, perSecond: 0.3 },
  DeleteNetworkInterface: { burst: 100, perSecond: 5 },
};

/** AWS's bucket for an action, by its name. */
export function bucketSize(action: string): BucketSize {
  return OWN_SIZE[action] ?? (/^(Describe|Get|List|Search)/.test(action) ? READ : CHANGE);
}

/** The refill doubles back in this time after the last throttled answer. */
const RECOVERY_MS = 30_000;
/** Answers to calls sent side by side are one message, not many. */
const ONE_MESSAGE_MS = 1_000;
const LEAST_FACTOR = 1 / 16;

export function limiter(options: LimiterOptions): Limiter {
  const buckets = new Map<string, Bucket>();
  const closing = new AbortController();
  const bucket = (name: BucketName): Bucket => {
    const key = `${name.account} ${name.region} ${name.action}`;
    const found = buckets.get(key);
    if (found) return found;
    const made = new Bucket(bucketSize(name.action), options, closing.signal);
    buckets.set(key, made);
    return made;
  };
  return {
    take: (name) => bucket(name).take(),
    throttled: (name) => bucket(name).throttled(),
    close: () => closing.abort(),
  };
}

interface Waiter {
  go(): void;
  refuse(reason: Failure): void;
}

class Bucket {
  readonly #size: BucketSize;
  readonly #clock: Clock;
  readonly #processes: () => number;
  readonly #closing: AbortSignal;
  readonly #waiting: Waiter[] = [];
  #tokens: number;
  #countedAt: number;
  #factor = 1;
  #throttledAt = Number.NEGATIVE_INFINITY;
  #serving = false;

  constructor(size: BucketSize, options: LimiterOptions, closing: AbortSignal) {
    this.#size = size;
    this.#clock = options.clock;
    this.#processes = options.livingProcesses ?? (() => 1);
    this.#closing = closing;
    this.#tokens = this.#share().burst;
    this.#countedAt = options.clock.now();
  }

  take(): Promise<void> {
    return new Promise((go, refuse) => {
      this.#waiting.push({ go, refuse });
      if (!this.#serving) void this.#serve();
    });
  }

  throttled(): void {
    this.#count();
    this.#tokens = 0;
    const now = this.#clock.now();
    if (now - this.#throttledAt < ONE_MESSAGE_MS) return;
    this.#factor = Math.max(LEAST_FACTOR, this.#factorNow() / 2);
    this.#throttledAt = now;
  }

  async #serve(): Promise<void> {
    this.#serving = true;
    while (this.#waiting.length > 0 && !this.#closing.aborted) {
      this.#count();
      if (this.#tokens < 1) {
        await this.#clock.sleep(this.#waitMs(), this.#closing);
        continue;
      }
      this.#tokens -= 1;
      this.#waiting.shift()?.go();
    }
    this.#serving = false;
    if (this.#closing.aborted) this.#refuseAll();
  }

  #refuseAll(): void {
    for (const waiter of this.#waiting.splice(0))
      waiter.refuse(new Failure("unavailable", "The connection to AWS is being closed"));
  }

  /** A bucket smaller than one token would never let anything pass. */
  #share(): BucketSize {
    const processes = Math.max(1, this.#processes());
    return {
      burst: Math.max(1, this.#size.burst / processes),
      perSecond: this.#size.perSecond / processes,
    };
  }

  #factorNow(): number {
    return Math.min(1, this.#factor * 2 ** ((this.#clock.now() - this.#throttledAt) / RECOVERY_MS));
  }

  #count(): void {
    const now = this.#clock.now();
    const { burst, perSecond } = this.#share();
    const gained = (Math.max(0, now - this.#countedAt) / 1000) * perSecond * this.#factorNow();
    this.#tokens = Math.min(burst, this.#tokens + gained);
    this.#countedAt = now;
  }

  #waitMs(): number {
    return Math.max(
      1,
      Math.ceil(((1 - this.#tokens) / (this.#share().perSecond * this.#factorNow())) * 1000),
    );
  }
}
