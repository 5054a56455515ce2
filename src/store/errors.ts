/**
 * Database errors as Failures, by SQLSTATE and by the name of the violated constraint, never by message text.
 * Promises that a lost connection is `unavailable`, so that the caller tries again; what stands in no row is
 * our bug. The database's own words go to `detail`, for the log alone.
 */
import { Failure, type FailureCode } from "../domain/failure.ts";

interface Row {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint?: string;
}

const CONFLICT: Row = { code: "conflict", message: "Something else took it meanwhile", hint: "Look again." };
const AWAY: Row = {
  code: "unavailable",
  message: "The database is not reachable now",
  hint: "Try again in a moment.",
};
const BUSY: Row = {
  code: "unavailable",
  message: "The database is too busy now",
  hint: "Try again in a moment.",
};
const FULL: Row = {
  code: "unavailable",
  message: "The database has run out of a resource",
  hint: "The operator must look at its disk, memory and connections.",
};
const BAD_TEXT: Row = { code: "invalid", message: "The text holds a character that cannot be stored" };

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_STATE: Readonly<Record<string, Row>> = {
  "23505": CONFLICT,
  "23P01": CONFLICT,
  "40001": BUSY,
  "40P01": BUSY,
  "55P03": BUSY,
  "57014": BUSY,
  "25P03": BUSY,
  "22021": BAD_TEXT,
  "22P05": BAD_TEXT,
  ECONNREFUSED: AWAY,
  ECONNRESET: AWAY,
  ECONNABORTED: AWAY,
  EPIPE: AWAY,
  ETIMEDOUT: AWAY,
  EHOSTUNREACH: AWAY,
  ENETUNREACH: AWAY,
  ENOTFOUND: AWAY,
  EAI_AGAIN: AWAY,
  ENOENT: AWAY,
};

const BY_CLASS: Readonly<Record<string, Row>> = { "08": AWAY, "53": FULL, "57": AWAY };

/** What a violated constraint means to the caller. */
const BY_CONSTRAINT: Readonly<Record<string, Row>> = {
  dataset_living_name: { code: "conflict", message: "A dataset of that name exists already" },
  tenant_living_name: { code: "conflict", message: "A tenant of that name exists already" },
  tenant_range_pkey: { code: "conflict", message: "That range is already given out" },
  tenant_range_no_overlap: { code: "conflict", message: "That range is already given out" },
  dataset_range_pkey: { code: "conflict", message: "That block is in use or resting" },
  dataset_range_no_overlap: { code: "conflict", message: "That block is in use or resting" },
  pool_no_overlap: { code: "conflict", message: "Two pools of the address space overlap" },
  answer_pkey: { code: "conflict", message: "A request with this idempotency key is running" },
};

/** Asked of the whole transaction again: it was right, only at the wrong moment. */
const RETRIED: ReadonlySet<string> = new Set(["40001", "40P01"]);

/** Any error of a driver as a Failure. */
export function databaseFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const row = rowFor(thrown);
  const detail = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  if (row === undefined)
    return new Failure("internal", "Something went wrong on our side", { detail, cause: thrown });
  const hint = row.hint === undefined ? {} : { hint: row.hint };
  return new Failure(row.code, row.message, { ...hint, detail, cause: thrown });
}

/**
 * For errors of a network driver: those without any code are lost connections ("Connection terminated
 * unexpectedly" bears none), except the kinds that only a bug throws.
 */
export function connectionFailure(thrown: unknown): Failure {
  const bug = thrown instanceof TypeError || thrown instanceof RangeError;
  if (thrown instanceof Failure || bug || stateOf(thrown) !== undefined) return databaseFailure(thrown);
  return new Failure(AWAY.code, AWAY.message, {
    hint: "Try again in a moment.",
    detail: String(thrown),
    cause: thrown,
  });
}

/** True when the database asks for the transaction to be run again. */
export function asksForRetry(failure: Failure): boolean {
  const state = stateOf(failure.cause);
  return state !== undefined && RETRIED.has(state);
}

/** True when the connection that threw this must not be used again. */
export function losesConnection(failure: Failure): boolean {
  const state = stateOf(failure.cause);
  return failure.code === "unavailable" && (state === undefined || rowOfState(state) === AWAY);
}

function rowFor(thrown: unknown): Row | undefined {
  const constraint = field(thrown, "constraint");
  if (constraint !== undefined && Object.hasOwn(BY_CONSTRAINT, constraint)) return BY_CONSTRAINT[constraint];
  const state = stateOf(thrown);
  return state === undefined ? undefined : rowOfState(state);
}

function rowOfState(state: string): Row | undefined {
  return Object.hasOwn(BY_STATE, state) ? BY_STATE[state] : BY_CLASS[state.slice(0, 2)];
}

/** The SQLSTATE, or the system's error code. A refused connection to several addresses wraps its errors. */
function stateOf(thrown: unknown): string | undefined {
  if (thrown instanceof AggregateError && field(thrown, "code") === undefined)
    return stateOf(thrown.errors[0]);
  return field(thrown, "code");
}

function field(thrown: unknown, name: string): string | undefined {
  if (typeof thrown !== "object" || thrown === null) return undefined;
  const value: unknown = Reflect.get(thrown, name);
  return typeof value === "string" ? value : undefined;
}
