/**
 * On whose behalf a call is made: the limiter asks it of every call, and the SDK's clients have no room to carry
 * it through pagers and commands. Promises that everything a piece of work sends, however deep inside, goes
 * under its errand; what is sent without one is a single question, and urgent.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { ProbeCall, StepCall, Turn } from "../cloud.ts";
import type { Caller } from "./limits.ts";

export interface Errand extends Caller {
  /** The turn its first call has had already. */
  readonly turn?: Turn;
}

const errands = new AsyncLocalStorage<Errand>();
const SINGLE: Errand = { network: "", rank: "urgent" };

export function onErrand<Result>(errand: Errand, work: () => Promise<Result>): Promise<Result> {
  return errands.run(errand, work);
}

export function presentErrand(): Errand {
  return errands.getStore() ?? SINGLE;
}

/** What takes something away goes first: as long as it stands it may cost money. */
const TAKES_AWAY = /^(delete|release|detach|reject|revoke)/;

export function errandOf({ network, step, signal, turn }: StepCall): Errand {
  return {
    network: network.id,
    rank: TAKES_AWAY.test(step.do) ? "urgent" : "normal",
    ...(signal && { signal }),
    ...(turn && { turn }),
  };
}

/** Somebody waits for it. */
export function errandOfProbe({ network, signal }: ProbeCall): Errand {
  return { network: network.id, rank: "urgent", ...(signal && { signal }) };
}

/** Somebody may be waiting for a look at few networks; one at many is the background's. */
const FEW = 10;

export function errandOfLook(networks: readonly { readonly id: string }[], signal?: AbortSignal): Errand {
  const rank = networks.length <= FEW ? "urgent" : "normal";
  return { network: networks[0]?.id ?? "", rank, ...(signal && { signal }) };
}

const unused = new WeakMap<Turn, string>();

/** A turn in that action's bucket, for one call. */
export function newTurn(action: string): Turn {
  const turn: Turn = { action };
  unused.set(turn, action);
  return turn;
}

/** True once: the call needs no further turn. */
export function spend(turn: Turn | undefined, action: string): boolean {
  if (!turn || unused.get(turn) !== action) return false;
  return unused.delete(turn);
}
