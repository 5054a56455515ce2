/**
 * The wish for a sweep, and the wait for its report. The sweeper (sweeper.ts), in this process or another, does
 * the work; nothing here calls a cloud.
 */
import { Failure } from "../domain/failure.ts";
import type { Sweep } from "../domain/sweep.ts";
import type { Store } from "../store/store.ts";
import type { Actor } from "./actor.ts";
import { untilEnded, type Waiting } from "./ending.ts";
import { by } from "./people.ts";

export interface SweepDeps extends Waiting {
  readonly store: Store;
}

export interface SweepWishes {
  /** Asks for a sweep and waits for its end, at most 20 s; then it is as far as it is. */
  sweep(actor: Actor, wish: { readonly fix: boolean }): Promise<Sweep>;
}

export function sweepWishes(deps: SweepDeps): SweepWishes {
  const { store } = deps;
  return {
    async sweep(actor, { fix }) {
      const asked = await store.change(async (tx) => {
        const sweep = await tx.askSweep({ fix, askedBy: actor.keyName });
        await tx.writeAudit({
          ...by(actor),
          tenantId: null,
          action: "sweep.run",
          subject: `sweep/${sweep.id}`,
          detail: { fix },
        });
        return sweep;
      });
      return untilEnded(deps, asked, () => readAgain(store, asked.id));
    },
  };
}

async function readAgain(store: Store, id: string): Promise<Sweep> {
  const sweep = await store.sweeps.byId(id);
  if (!sweep) throw new Failure("internal", `Sweep ${id} is not there any more`);
  return sweep;
}
