/**
 * How the API says no: problem+json after RFC 9457 (https://www.rfc-editor.org/rfc/rfc9457), with the code,
 * the message and the hint of a `Failure`. Promises that `detail`, stacks and causes never leave the process.
 * A refusal that HTTP has a status of its own for (405, 413, …) keeps one of the house's codes.
 */
import type { z } from "zod";
import type { problem } from "../contract/schemas.ts";
import { Failure, type FailureCode, type FailureNotes, kindOf } from "../domain/failure.ts";

export interface FieldProblem {
  /** The path of the field, such as `writeConnector.vpcSize`; empty for the whole body. */
  readonly field: string;
  readonly message: string;
}

export interface RequestFailureNotes extends FailureNotes {
  readonly status?: number;
  readonly problems?: readonly FieldProblem[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal of the request as such, before anybody was asked. */
export class RequestFailure extends Failure {
  readonly status: number;
  readonly problems: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: FailureCode, message: string, notes: RequestFailureNotes = {}) {
    super(code, message, notes);
    this.name = "RequestFailure";
    this.status = notes.status ?? kindOf(code).http;
    this.problems = notes.problems ?? [];
    this.headers = notes.headers ?? {};
  }
}

export function problemResponse(failure: Failure, requestId: string): Response {
  const own = failure instanceof RequestFailure ? failure : null;
  const status = own?.status ?? kindOf(failure.code).http;
  const headers: Record<string, string> = { "content-type": "application/problem+json", ...own?.headers };
  if (failure.code === "unauthenticated") headers["www-authenticate"] = "Bearer";
  return new Response(JSON.stringify(problemBody(failure, status, requestId)), { status, headers });
}

/** `type` is a name and not an address: the code says everything, and the hint says what to do. */
export function problemBody(failure: Failure, status: number, requestId: string): z.output<typeof problem> {
  const problems = failure instanceof RequestFailure ? failure.problems : [];
  return {
    type: `urn:letsdata:problem:${failure.code}`,
    title: kindOf(failure.code).title,
    status,
    code: failure.code,
    message: failure.message,
    hint: failure.hint ?? null,
    requestId,
    ...(problems.length > 0 && { problems: [...problems] }),
  };
}

/** What the log keeps of a failure; only our own bugs and what is not available bring their stack along. */
export function logged(failure: Failure): Record<string, unknown> {
  const ours = kindOf(failure.code).http >= 500 && failure.code !== "exhausted";
  return {
    code: failure.code,
    message: failure.message,
    ...(failure.detail !== undefined && { detail: failure.detail }),
    ...(ours && { stack: stackOf(failure.cause ?? failure) }),
  };
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}

export function missing(what: string, name: string): Failure {
  return new Failure("notFound", `There is no ${what} "${name}"`);
}
