/**
 * Runs a create once per Idempotency-Key: the answer is remembered in the transaction of the work itself, so
 * a repeat gets it and never a second thing. Another request with the same key is refused.
 */
import { Failure } from "../domain/failure.ts";
import type { Store, Tx } from "../store/store.ts";
import type { Once } from "./actor.ts";

export interface OnceOver {
  /** Whose keys these are: a tenant's id, or `operator`. */
  readonly scope: string;
  readonly operation: string;
  readonly once: Once | undefined;
}

export async function onceOver<T>(store: Store, over: OnceOver, work: (tx: Tx) => Promise<T>): Promise<T> {
  const { scope, operation, once } = over;
  if (!once) return store.change(work);
  return store.change(async (tx) => {
    const before = await tx.answerFor(scope, operation, once.key);
    if (before) {
      if (before.requestHash === once.requestHash) return before.body as T;
      throw new Failure("conflict", `Idempotency-Key "${once.key}" was used for another request`, {
        hint: "Use a new key for a new request.",
      });
    }
    const result = await work(tx);
    await tx.rememberAnswer(scope, operation, once.key, {
      requestHash: once.requestHash,
      status: 201,
      body: result,
    });
    return result;
  });
}
