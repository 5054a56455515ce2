/** A rest that ends early: when its time is over, when somebody nudges, or when the process is to stop. */
import type { Clock } from "../domain/model.ts";

export interface Resting {
  readonly clock: Clock;
  readonly nudged: Promise<void>;
  readonly signal: AbortSignal;
}

export async function rest({ clock, nudged, signal }: Resting, ms: number): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener("abort", end, { once: true });
  if (!signal.aborted) await Promise.race([nudged, clock.sleep(ms, over.signal)]);
  signal.removeEventListener("abort", end);
  over.abort();
}
