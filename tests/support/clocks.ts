/**
 * Clocks for tests that wait for real things: other processes, packets. Nothing but the machine's own clock stands
 * behind them, so a test that uses one must not depend on how fast the machine is.
 */
import type { Clock } from "../../src/domain/model.ts";

/** The machine's clock, ten times as fast or as is asked for. */
export function fastClock(speed = 10): Clock {
  const start = Date.now();
  return {
    now: () => Math.floor(start + (Date.now() - start) * speed),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const end = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", end);
          resolve();
        };
        const timer = setTimeout(end, ms / speed);
        signal?.addEventListener("abort", end, { once: true });
      }),
  };
}
