/**
 * An asynchronous invocation: tried until the function has answered, as often and as long as Lambda does unless it is
 * told otherwise. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
import { AwsError } from "../errors.ts";
import type { Invoked } from "../functionRuns.ts";
import type { Clock } from "../world.ts";

/** After an error of the function's: so long until the second try, and until the third. */
const RETRY_MS = [60_000, 120_000];
/** When it could not be run at all: at first so long, then twice as long each time, and at most so long. */
const PAUSE_MS = { first: 1_000, most: 300_000 };
/** An event that is older is given up. */
const OLDEST_MS = 6 * 3_600_000;

/** Resolves when nothing is left to be tried. Rejects when the function is not there, or the event too old. */
export async function repeated(
  once: () => Promise<Invoked>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const until = clock.now() + OLDEST_MS;
  const retries = [...RETRY_MS];
  let pause: number = PAUSE_MS.first;
  while (!signal.aborted) {
    const came = await once().catch((thrown: unknown) => refused(thrown));
    if (came instanceof AwsError) {
      if (clock.now() >= until) throw came;
      await clock.sleep(pause, signal);
      pause = Math.min(2 * pause, PAUSE_MS.most);
      continue;
    }
    const wait = came.isFailure ? retries.shift() : undefined;
    if (wait === undefined) return;
    await clock.sleep(wait, signal);
  }
}

/** What may be otherwise later; throws what will not. */
function refused(thrown: unknown): AwsError {
  if (thrown instanceof AwsError && (thrown.status === 429 || thrown.status >= 500)) return thrown;
  throw thrown;
}
