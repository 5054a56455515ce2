/**
 * Words between Lambda's wire and whoever runs functions: what is asked of a function, and what came of it.
 */
import type { FunctionRow } from "./serviceRows.ts";

export interface Invocation {
  readonly requestId: string;
  /** As it was invoked by. */
  readonly functionArn: string;
  /** JSON. */
  readonly payload: string;
  /** JSON. */
  readonly clientContext?: string;
}

export interface Invoked {
  /** JSON: the function's answer, or Lambda's words for its failure. */
  readonly payload: string;
  readonly isFailure: boolean;
  /** The end of what stands in its log, in base 64. */
  readonly log: string;
}

export interface FunctionsRun {
  /** Rejects with an AwsError when the function cannot be run at this moment. */
  invoke(row: FunctionRow, invocation: Invocation): Promise<Invoked>;
  /** Runs it when nobody waits any more, and again when it fails. */
  enqueue(row: FunctionRow, invocation: Invocation): void;
}
