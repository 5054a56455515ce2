/**
 * The requests that came, in order: for whoever counts calls. Keeps the last so many, in memory. Numbers go up
 * for as long as the process lives, whatever is cleared, so that a reader can go on from the last it has read.
 */
export interface LoggedRequest {
  /** 1 for the first request. */
  readonly n: number;
  /** Epoch milliseconds on the sandbox's clock. */
  readonly at: number;
  readonly service: string;
  /** Empty when the request names none. */
  readonly operation: string;
  /** Empty when the signature was not accepted. */
  readonly account: string;
  readonly region: string;
  readonly mutating: boolean;
  /** HTTP status; 0 when the connection was cut instead of an answer. */
  readonly status: number;
  /** AWS's error code, null when the work was done. */
  readonly error: string | null;
  readonly requestId: string;
  /** The kind of the fault, asked for or of chance, that hit the request. */
  readonly fault: string | null;
}

export class RequestLog {
  #entries: LoggedRequest[] = [];
  #last = 0;
  #size: number;

  /** `size` = how many are kept; 0 keeps none. */
  constructor(size: number) {
    this.#size = size;
  }

  add(request: Omit<LoggedRequest, "n">): void {
    this.#entries.push({ n: ++this.#last, ...request });
    // Cut back now and then, not at each request: a shift moves every entry.
    if (this.#entries.length > 2 * this.#size + 100) this.#trim();
  }

  /** Those numbered above `since`, oldest first, and the number of the last request that came. */
  after(since: number): { readonly requests: readonly LoggedRequest[]; readonly last: number } {
    this.#trim();
    return { requests: this.#entries.filter((entry) => entry.n > since), last: this.#last };
  }

  resize(size: number): void {
    this.#size = size;
    this.#trim();
  }

  clear(): void {
    this.#entries = [];
  }

  #trim(): void {
    this.#entries.splice(0, Math.max(0, this.#entries.length - this.#size));
  }
}
