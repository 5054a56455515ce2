/**
 * The customer's reader: examples/kafkaReader.mjs on a host of theirs. Whatever it reads is entered into a ledger.
 * Promises to fail, not to wait for ever, when what should be read does not come.
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import { Ledger } from "./ledger.ts";
import type { Telling } from "./telling.ts";

/** Longer than the slowest machine takes. */
const PATIENCE_MS = 180_000;

export interface Reading {
  /** The host's id. */
  readonly host: string;
  /** With the brokers and the user. */
  readonly clientFile: string;
  readonly topic: string;
  readonly group: string;
}

export class Reader {
  readonly ledger = new Ledger();
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #changes = new EventEmitter();
  readonly #ended: Promise<number>;
  #isOver = false;
  #errors = "";

  /** Resolves when it has been started, whatever becomes of it. */
  static started(tell: Telling, { host, clientFile, topic, group }: Reading): Reader {
    const program = ["node", "examples/kafkaReader.mjs", clientFile, topic, group];
    return new Reader(tell.started("letsdata", "sandbox", "exec", host, "--", ...program));
  }

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.ledger.enter(line);
      this.#changes.emit("change");
    });
    child.stderr.on("data", (chunk) => {
      this.#errors += chunk;
      this.#changes.emit("change");
    });
    this.#ended = new Promise((resolve, reject) => {
      child.on("error", reject).on("close", (code) => {
        this.#isOver = true;
        this.#changes.emit("change");
        resolve(code ?? 1);
      });
    });
  }

  /** Resolves when so many records have been read. */
  has = (count: number) => this.#until(`${count} records are read`, () => this.ledger.size >= count);

  async #until(what: string, isSo: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (!isSo()) {
      if (this.#isOver) throw new Error(`before ${what}, it ended: ${this.#errors}`);
      await once(this.#changes, "change", { signal }).catch((thrown) => {
        throw new Error(`never: ${what}; ${this.ledger.size} were. ${this.#errors}`, { cause: thrown });
      });
    }
  }

  /** Its exit code, and what it said on its standard error, when it has ended by itself. */
  async outcome(): Promise<string> {
    await this.#until("the reader ends", () => this.#isOver);
    return `${await this.#ended}: ${this.#errors.trim()}`;
  }

  get isReading(): boolean {
    return !this.#isOver;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#ended;
  }
}
