/**
 * The wait of whoever asked for an errand: until it has ended, and no longer than their request may take. Then it is
 * answered as far as it is; nobody is kept waiting by a process that is to stop.
 */
import type { Clock } from "../domain/model.ts";

export interface Waiting {
  readonly clock: Clock;
  readonly stopping?: AbortSignal;
}

/** Clients give an answer 30 s. */
const WAIT_MS = 20_000;
const STEP_MS = 100;

export async function untilEnded<T extends { readonly endedAt: number | null }>(
  { clock, stopping }: Waiting,
  asked: T,
  again: () => Promise<T>,
): Promise<T> {
  const began = clock.now();
  let errand = asked;
  while (errand.endedAt === null && clock.now() - began < WAIT_MS && !stopping?.aborted) {
    await clock.sleep(STEP_MS, stopping);
    errand = await again();
  }
  return errand;
}
