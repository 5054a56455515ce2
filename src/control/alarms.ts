/**
 * Says in the log, once each, what of a deletion takes longer than it may: whoever watches the log need not look
 * at every dataset. The deadlines are the delete plan's. After a restart it is said again.
 */
import type { DeleteRow } from "../network/deletePlan.ts";

export class Alarms {
  /** What was said, by network. */
  readonly #told = new Map<string, Set<string>>();
  readonly #log: (line: Record<string, unknown>) => void;

  constructor(log: (line: Record<string, unknown>) => void) {
    this.#log = log;
  }

  raise(
    { id, datasetName }: { readonly id: string; readonly datasetName: string },
    rows: readonly DeleteRow[],
  ) {
    const told = this.#told.get(id) ?? new Set();
    for (const { late, resource, id: thing, message, actor, hint } of rows) {
      if (!late || told.has(resource)) continue;
      this.#told.set(id, told.add(resource));
      const what = { resource, id: thing, message, whoseMove: actor, hint };
      this.#log({ level: "warn", event: "deletion takes long", network: id, dataset: datasetName, ...what });
    }
  }

  forget(networkId: string): void {
    this.#told.delete(networkId);
  }
}
