/**
 * The loop of an errand beside the reconciler: turn after turn until the process is to stop, with a rest between two
 * that ends early when somebody wakes it. A turn that fails is logged, and the next one comes a little later.
 */
import { asFailure } from "../domain/failure.ts";
import type { Clock } from "../domain/model.ts";
import type { Store } from "../store/store.ts";

export interface Errand {
  readonly store: Pick<Store, "onWake">;
  readonly clock: Clock;
  readonly log: (line: Record<string, unknown>) => void;
  /** What the log calls a turn that fails. */
  readonly failed: string;
}

const AFTER_TROUBLE_MS = 5_000;

/** A turn says how long to rest after it, milliseconds; null = not at all. `nudge` ends a rest. */
export async function takeTurns(
  { store, clock, log, failed }: Errand,
  signal: AbortSignal,
  turn: (nudge: () => void) => Promise<number | null>,
): Promise<void> {
  let nudge = () => {};
  const stopListening = store.onWake(() => nudge());
  while (!signal.aborted) {
    const nudged = new Promise<void>((resolve) => {
      nudge = resolve;
    });
    try {
      const restMs = await turn(() => nudge());
      if (restMs !== null) await rest({ clock, nudged, signal }, restMs);
    } catch (thrown) {
      const { code, message, detail } = asFailure(thrown);
      log({ level: "error", event: failed, code, message, detail });
      await clock.sleep(AFTER_TROUBLE_MS, signal);
    }
  }
  stopListening();
}

interface Resting {
  readonly clock: Clock;
  readonly nudged: Promise<void>;
  readonly signal: AbortSignal;
}

async function rest({ clock, nudged, signal }: Resting, ms: number): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener("abort", end, { once: true });
  if (!signal.aborted) await Promise.race([nudged, clock.sleep(ms, over.signal)]);
  signal.removeEventListener("abort", end);
  over.abort();
}
