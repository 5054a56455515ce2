/**
 * What every SDK call passes through, each attempt of it: the limiter, the retries, and the turning of thrown
 * things into `CallError`. Promises that a create which has neither a client token nor a natural key is never
 * sent twice unless AWS said that it did nothing: its answer may be lost while the thing stands, and the
 * journal finds it by tag. Refuses to wait for a state: that is the reconciler's.
 */
import type { Clock } from "../../domain/model.ts";
import { bucketOf } from "./bucketSizes.ts";
import { CallError, retryAfterMs, type Trouble } from "./callError.ts";
import { presentErrand, spend } from "./errand.ts";
import type { Limiter } from "./limits.ts";

/** One line for the log: what happened, and its numbers. */
export type CloudLog = (message: string, fields: Readonly<Record<string, unknown>>) => void;

export interface CallTools {
  readonly clock: Clock;
  readonly limiter: Limiter;
  /** Uniform in [0, 1), for jitter. */
  readonly random: () => number;
  readonly log: CloudLog;
}

/** Whom a client speaks to. */
export interface ClientPlace {
  readonly service: "ec2" | "sts" | "servicequotas" | "kafka" | "lambda";
  readonly account: string;
  readonly region: string;
  readonly endpoint: string;
}

/**
 * Without a client token: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html. A second
 * CreateSubnet, CreateSecurityGroup, CreateClusterV2 or CreateFunction would be refused, but with an error that hides
 * that the first one worked. An Invoke that is not answered in time may still run: who asked says whether again.
 */
const NEVER_TWICE = new Set([
  "CreateVpc",
  "CreateSubnet",
  "CreateInternetGateway",
  "AllocateAddress",
  "CreateSecurityGroup",
  "CreateClusterV2",
  "CreateFunction",
  "Invoke",
]);

/** A throttled call did nothing, so patience costs only time; the limiter has slowed down by then. */
const ATTEMPTS = { unsent: 3, throttled: 8, unanswered: 3, refused: 1 } satisfies Record<Trouble, number>;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5_000;

type Next<Args, Result> = (args: Args) => Promise<Result>;

/** The middleware for a client's `initialize` step, outside everything else the SDK does. */
export function guarded(place: ClientPlace, tools: CallTools) {
  return <Args, Result>(
    next: Next<Args, Result>,
    context: { commandName?: string | undefined },
  ): Next<Args, Result> => {
    const action = (context.commandName ?? "").replace(/Command$/, "");
    return (args) => attempts({ action, place, tools, once: () => next(args) });
  };
}

interface Attempts<Result> {
  readonly action: string;
  readonly place: ClientPlace;
  readonly tools: CallTools;
  readonly once: () => Promise<Result>;
}

async function attempts<Result>({ action, place, tools, once }: Attempts<Result>): Promise<Result> {
  const bucket = { account: place.account, region: place.region, action: bucketOf(place.service, action) };
  const to = { ...place, action: `${place.service}:${action}` };
  const errand = presentErrand();
  let last: CallError | undefined;
  for (let attempt = 1; ; attempt++) {
    const caller = last ? { ...errand, rank: "again" as const } : errand;
    const had = !last && spend(errand.turn, action);
    const turn = await outcome(async () => had || tools.limiter.take(bucket, caller), to);
    if ("failed" in turn) throw last ?? turn.failed;
    const answer = await outcome(once, to);
    if ("result" in answer) return answer.result;
    last = answer.failed;
    const { trouble } = last;
    if (trouble === "throttled") tools.limiter.throttled(bucket, retryAfterMs(last, tools.clock.now()));
    if (attempt >= attemptsFor(trouble, action)) throw last;
    tools.log("aws call is tried again", { action, region: place.region, attempt, trouble });
    await tools.clock.sleep(backOff(attempt, tools.random), errand.signal);
  }
}

type Outcome<Result> = { readonly result: Result } | { readonly failed: CallError };

async function outcome<Result>(
  once: () => Promise<Result>,
  place: ClientPlace & { readonly action: string },
): Promise<Outcome<Result>> {
  try {
    return { result: await once() };
  } catch (thrown) {
    // Our own role's AssumeRole fails inside this call and has said so.
    return { failed: thrown instanceof CallError ? thrown : new CallError(thrown, place) };
  }
}

function attemptsFor(trouble: Trouble, action: string): number {
  return trouble === "unanswered" && NEVER_TWICE.has(action) ? 1 : ATTEMPTS[trouble];
}

/** Full jitter: callers that failed together do not come back together. */
function backOff(attempt: number, random: () => number): number {
  return random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
}
