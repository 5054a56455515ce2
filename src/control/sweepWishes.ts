/**
 * The wish for a sweep, and the wait for its report. The sweeper (sweeper.ts), in this process or another, does
 * the work; nothing here calls a cloud.
 */
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/model.ts";
import type { Sweep } from "../domain/sweep.ts";
import type { Store } from "../store/store.ts";
import type { Actor } from "./actor.ts";
import { by } from "./people.ts";

export interface SweepDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Aborted when the process is to end: then nobody is kept waiting. */
  readonly stopping?: AbortSignal;
}

export interface SweepWishes {
  /** Asks for a sweep and waits for its end, at most 20 s; then it is as far as it is. */
  sweep(actor: Actor, wish: { readonly fix: boolean }): Promise<Sweep>;
}

/** Clients give an answer 30 s. */
const WAIT_MS = 20_000;
const STEP_MS = 100;

export function sweepWishes({ store, clock, stopping }: SweepDeps): SweepWishes {
  return {
    async sweep(actor, { fix }) {
      const began = clock.now();
      let sweep = await store.change(async (tx) => {
        const asked = await tx.askSweep({ fix, askedBy: actor.keyName });
        await tx.writeAudit({
          ...by(actor),
          tenantId: null,
          action: "sweep.run",
          subject: `sweep/${asked.id}`,
          detail: { fix },
        });
        return asked;
      });
      while (sweep.endedAt === null && clock.now() - began < WAIT_MS && !stopping?.aborted) {
        await clock.sleep(STEP_MS, stopping);
        sweep = await readAgain(store, sweep.id);
      }
      return sweep;
    },
  };
}

async function readAgain(store: Store, id: string): Promise<Sweep> {
  const sweep = await store.sweeps.byId(id);
  if (!sweep) throw new Failure("internal", `Sweep ${id} is not there any more`);
  return sweep;
}
