/**
 * AWS's token buckets, kept on our side so that we seldom meet theirs. One bucket for each (account, region,
 * action). Promises that no more calls leave than AWS's bucket would take, shared evenly among the processes
 * alive; that who waits goes in the order of `fairQueue.ts`; that a throttled answer slows that one action
 * down until it has recovered; and that long waits are told. Refuses to drop a call by itself: one waits until
 * its signal is aborted, or until `close`.
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 */
import { Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/model.ts";
import { NotSent } from "../cloud.ts";
import { type BucketSize, bucketSize } from "./bucketSizes.ts";
import { FairQueue, type Rank } from "./fairQueue.ts";

/** Which of AWS's buckets a call draws from. */
export interface BucketName {
  readonly account: string;
  readonly region: string;
  /** AWS's name of the action, such as `CreateVpc`. */
  readonly action: string;
}

/** Who wants to call. */
export interface Caller {
  /** Networks take turns. */
  readonly network: string;
  readonly rank: Rank;
  /** Aborted: a call that still waits is not made. */
  readonly signal?: AbortSignal;
}

/** How one bucket stands. */
export interface Pressure extends BucketName {
  /** Calls that wait. */
  readonly waiting: number;
  /** Until the last of them may leave, milliseconds, about. */
  readonly waitMs: number;
  /** Since when calls have had to wait; null when none has to. */
  readonly emptySince: number | null;
  /** What it gains in a second now: less than AWS's own number when shared, or slowed down by throttling. */
  readonly perSecond: number;
}

export interface Limiter {
  /**
   * Resolves when the call may be made. Rejects with `NotSent` when the caller's signal is aborted first, and
   * `unavailable` after `close`.
   */
  take(name: BucketName, caller?: Caller): Promise<void>;
  /** AWS answered that the bucket is empty, and perhaps for how long, milliseconds. */
  throttled(name: BucketName, retryAfterMs?: number): void;
  /** The buckets that calls wait for, or did until a moment ago. */
  pressure(): readonly Pressure[];
  /** Rejects all who wait. */
  close(): void;
}

export interface LimiterOptions {
  readonly clock: Clock;
  /** How many processes draw from the same buckets, this one among them; asked at every count. */
  readonly livingProcesses?: () => number;
  readonly log?: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** From nothing to the whole refill, evenly: what was halved is whole again in half of it. */
const RECOVERY_MS = 60_000;
const LEAST_FACTOR = 1 / 16;
/** Answers to calls sent side by side are one message, not many. */
const ONE_MESSAGE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** A count while waiting: the number of living processes may have changed. */
const RECOUNT_MS = 1_000;
/** AWS counts too, and may round otherwise: we are never ahead of it by a rounding error. */
const ROUNDING = 1 - 1e-9;
const TOLD_AFTER_MS = 10_000;
const TOLD_EVERY_MS = 30_000;

export function limiter(options: LimiterOptions): Limiter {
  const buckets = new Map<string, Bucket>();
  const closing = new AbortController();
  const bucket = (name: BucketName): Bucket => {
    const key = `${name.account} ${name.region} ${name.action}`;
    const found = buckets.get(key);
    if (found) return found;
    const made = new Bucket(name, options, closing.signal);
    buckets.set(key, made);
    return made;
  };
  return {
    take: (name, caller = { network: "", rank: "normal" }) => bucket(name).take(caller),
    throttled: (name, retryAfterMs) => bucket(name).throttled(retryAfterMs),
    pressure: () => [...buckets.values()].flatMap((one) => one.pressure() ?? []),
    close: () => closing.abort(),
  };
}

interface Waiter {
  go(): void;
  refuse(reason: Failure): void;
}

class Bucket {
  readonly #name: BucketName;
  readonly #options: LimiterOptions;
  readonly #closing: AbortSignal;
  readonly #queue = new FairQueue<Waiter>();
  #tokens: number;
  #countedAt: number;
  #factor = 1;
  #throttledAt = Number.NEGATIVE_INFINITY;
  /** AWS asked us to be silent until then. */
  #pausedUntil = 0;
  #serving = false;
  #emptySince: number | null = null;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(name: BucketName, options: LimiterOptions, closing: AbortSignal) {
    this.#name = name;
    this.#options = options;
    this.#closing = closing;
    this.#tokens = this.#share().burst;
    this.#countedAt = options.clock.now();
    closing.addEventListener("abort", () => this.#refuseAll(), { once: true });
  }

  async take(caller: Caller): Promise<void> {
    if (this.#closing.aborted) throw closed();
    this.#count();
    if (caller.signal?.aborted) throw this.#notSent(this.#queue.size);
    if (this.#queue.size === 0 && this.#tokens >= 1) this.#tokens -= 1;
    else await this.#wait(caller);
  }

  throttled(retryAfterMs = 0): void {
    this.#count();
    const now = this.#options.clock.now();
    this.#tokens = 0;
    this.#pausedUntil = Math.max(this.#pausedUntil, now + Math.min(retryAfterMs, LONGEST_PAUSE_MS));
    if (now - this.#throttledAt < ONE_MESSAGE_MS) return;
    this.#factor = Math.max(LEAST_FACTOR, this.#factorAt(now) / 2);
    this.#throttledAt = now;
  }

  pressure(): Pressure | null {
    this.#count();
    if (this.#emptySince === null && this.#queue.size === 0) return null;
    const waiting = this.#queue.size;
    return {
      ...this.#name,
      waiting,
      waitMs: waiting === 0 ? 0 : this.#msUntil(waiting),
      emptySince: this.#emptySince,
      perSecond: this.#perSecond(),
    };
  }

  #wait({ network, rank, signal }: Caller): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const end = () => signal?.removeEventListener("abort", leave);
      const waiter: Waiter = {
        go: () => {
          end();
          resolve();
        },
        refuse: (reason) => {
          end();
          reject(reason);
        },
      };
      const leave = () => {
        const ahead = this.#queue.ahead(waiter, { network, rank });
        this.#queue.leave(waiter, { network, rank, now: clock.now() });
        waiter.refuse(this.#notSent(ahead));
      };
      signal?.addEventListener("abort", leave);
      this.#queue.add(waiter, { network, rank, now: clock.now() });
      if (!this.#serving) void this.#serve();
    });
  }

  async #serve(): Promise<void> {
    this.#serving = true;
    while (this.#queue.size > 0) {
      this.#count();
      if (this.#tokens >= 1) {
        this.#tokens -= 1;
        this.#queue.next()?.go();
        continue;
      }
      this.#tell();
      await this.#options.clock.sleep(Math.min(this.#msUntil(1), RECOUNT_MS), this.#closing);
    }
    this.#serving = false;
  }

  #refuseAll(): void {
    for (const waiter of this.#queue.drain()) waiter.refuse(closed());
  }

  #notSent(ahead: number): NotSent {
    const seconds = Math.max(1, Math.round(this.#msUntil(ahead + 1) / 1000));
    const calls = ahead === 1 ? "1 call" : `${ahead} calls`;
    return new NotSent(
      `waits for AWS's rate limit of ${this.#name.action}: ${calls} ahead, about ${seconds} s`,
      { hint: "Nothing to do: it goes on by itself." },
    );
  }

  /** A line for the log when calls have had to wait for long, and not too often. */
  #tell(): void {
    const now = this.#options.clock.now();
    this.#emptySince ??= now;
    if (now - this.#emptySince <= TOLD_AFTER_MS || now - this.#toldAt < TOLD_EVERY_MS) return;
    this.#toldAt = now;
    this.#options.log?.("calls wait for aws's rate limit", {
      ...this.#name,
      waiting: this.#queue.size,
      aboutSeconds: Math.round(this.#msUntil(this.#queue.size) / 1000),
      emptySeconds: Math.round((now - this.#emptySince) / 1000),
      perSecond: this.#perSecond(),
    });
  }

  /** A bucket smaller than one token would never let anything pass. */
  #share(): BucketSize {
    const processes = Math.max(1, this.#options.livingProcesses?.() ?? 1);
    const { burst, perSecond } = bucketSize(this.#name.action);
    return { burst: Math.max(1, burst / processes), perSecond: perSecond / processes };
  }

  #perSecond(): number {
    return this.#share().perSecond * this.#factorAt(this.#options.clock.now());
  }

  #factorAt(moment: number): number {
    return Math.min(1, this.#factor + Math.max(0, moment - this.#throttledAt) / RECOVERY_MS);
  }

  #count(): void {
    const now = this.#options.clock.now();
    const from = Math.max(this.#countedAt, Math.min(this.#pausedUntil, now));
    const { burst, perSecond } = this.#share();
    const factor = (this.#factorAt(from) + this.#factorAt(now)) / 2;
    const gained = (Math.max(0, now - from) / 1000) * perSecond * factor * ROUNDING;
    this.#tokens = Math.min(burst, this.#tokens + gained);
    this.#countedAt = now;
    const isWell = this.#tokens >= Math.min(burst, Math.max(2, burst / 2));
    if (isWell && this.#queue.size === 0) this.#emptySince = null;
  }

  /** Milliseconds until that many tokens will have been there. */
  #msUntil(tokens: number): number {
    const paused = Math.max(0, this.#pausedUntil - this.#options.clock.now());
    return paused + Math.max(1, Math.ceil(((tokens - this.#tokens) / this.#perSecond()) * 1000));
  }
}

function closed(): Failure {
  return new Failure("unavailable", "The connection to AWS is being closed");
}
