/**
 * What the rest of this room sees of a database, whichever it is: queries through Kysely, wake-ups, and the
 * end. Promises that every error that comes out of it is a `Failure`. The two drivers are `embedded.ts` and
 * `postgres.ts`; nothing above them asks which one it has.
 */
import type { Db } from "./tables.ts";

/** The channel that wakes reconcilers of every process. */
export const WAKE_CHANNEL = "letsdata_wake";

export interface Driver {
  readonly kind: "embedded" | "postgres";
  readonly db: Db;
  /** Calls the listener after every commit that notified `WAKE_CHANNEL`, and when one may have been missed. */
  onWake(listener: () => void): () => void;
  /** Called after each transaction that wrote: for care that the database does not take of itself. */
  afterWrite(): Promise<void>;
  close(): Promise<void>;
}
