/**
 * What the sandbox and the process of an execution environment say to each other, one JSON text a line, over a
 * channel of their own beside the process's output.
 *
 *   sandbox ──start──▶ process ──started, or failed──▶ sandbox ──invoke──▶ process ──done──▶ sandbox ──invoke──▶ …
 */

/** An error as Lambda's Node.js runtime words it. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

export interface Start {
  readonly is: "start";
  /** The folder of the code. */
  readonly root: string;
  /** `index.handler` */
  readonly handler: string;
  /** `nodejs24.x` */
  readonly runtime: string;
  /** All that the process is to have. */
  readonly environment: Readonly<Record<string, string>>;
  /** Written to the output when an answer is given: whatever was written before belongs to it. */
  readonly mark: string;
}

export interface Invoke {
  readonly is: "invoke";
  readonly requestId: string;
  readonly functionArn: string;
  /** JSON. */
  readonly payload: string;
  readonly clientContext?: string;
  readonly remainingMs: number;
}

export type ToProcess = Start | Invoke;

/** `isMarked`: the mark is on the output. */
export type FromProcess =
  | { readonly is: "started" }
  | { readonly is: "failed"; readonly error: FunctionError; readonly isMarked: boolean }
  | {
      readonly is: "done";
      readonly requestId: string;
      /** JSON. */
      readonly response?: string;
      readonly error?: FunctionError;
      readonly isMarked: boolean;
      readonly memoryMiB: number;
    };

/** The whole lines of a stream that comes in pieces. */
export class Lines {
  #rest = "";

  take(chunk: string): string[] {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines;
  }
}
