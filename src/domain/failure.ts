/**
 * The one error of the house. `message` and `hint` are for the caller, `detail` is for the log alone. The
 * code decides everything else: HTTP status, exit code, what the reconciler does. Promises that a new code
 * cannot be added without filling in its row.
 */

export interface FailureKind {
  readonly http: number;
  readonly exit: number;
  /** What the reconciler does on it. */
  readonly reconcile: "blocked" | "observe" | "retry" | "stop";
  readonly title: string;
}

const KINDS = {
  invalid: { http: 400, exit: 2, reconcile: "blocked", title: "The request is wrong" },
  unauthenticated: { http: 401, exit: 3, reconcile: "blocked", title: "No valid key" },
  forbidden: { http: 403, exit: 3, reconcile: "blocked", title: "Not allowed" },
  notFound: { http: 404, exit: 4, reconcile: "observe", title: "Not found" },
  conflict: { http: 409, exit: 5, reconcile: "observe", title: "Conflict" },
  exhausted: { http: 507, exit: 6, reconcile: "blocked", title: "Nothing left" },
  unavailable: { http: 503, exit: 7, reconcile: "retry", title: "Not available now" },
  internal: { http: 500, exit: 1, reconcile: "stop", title: "Internal error" },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof KINDS;

export interface FailureNotes {
  /** What to do next, for the caller. */
  readonly hint?: string;
  /** For the log alone: never leaves the process. */
  readonly detail?: string;
  readonly cause?: unknown;
}

export class Failure extends Error {
  readonly code: FailureCode;
  readonly hint: string | undefined;
  readonly detail: string | undefined;

  constructor(code: FailureCode, message: string, notes: FailureNotes = {}) {
    super(message, notes.cause === undefined ? undefined : { cause: notes.cause });
    this.name = "Failure";
    this.code = code;
    this.hint = notes.hint;
    this.detail = notes.detail;
  }
}

export function kindOf(code: FailureCode): FailureKind {
  return KINDS[code];
}

export function isFailureCode(text: string): text is FailureCode {
  return Object.hasOwn(KINDS, text);
}

/** Any thrown thing as a Failure; what is not one is our bug. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const detail = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return new Failure("internal", "Something went wrong on our side", {
    hint: "Try again; if it stays, report the request id.",
    detail,
    cause: thrown,
  });
}
