/**
 * What a function's processes wrote last, and Lambda's own lines around it. Bounded, in memory.
 */
import { Lines } from "./messages.ts";

const MOST_LINES = 1_000;
/** One line is cut there. */
const LONGEST = 64 * 1024;

export class FunctionLog {
  #lines: string[] = [];

  /** For one process, whose text comes in pieces. */
  writer(): (text: string) => void {
    const lines = new Lines();
    return (text) => {
      for (const line of lines.take(text)) this.#add(line);
    };
  }

  #add(line: string): void {
    this.#lines.push(line.slice(0, LONGEST));
    if (this.#lines.length > 2 * MOST_LINES) this.#lines = this.#lines.slice(-MOST_LINES);
  }

  /** Oldest first. */
  get lines(): readonly string[] {
    return this.#lines.slice(-MOST_LINES);
  }
}

/** What LogType=Tail gives back, in bytes. */
const TAIL = 4 * 1024;

/** Of one invocation. */
export class LogTail {
  #text = "";

  add(text: string): void {
    this.#text = (this.#text + text).slice(-TAIL);
  }

  /** In base 64. */
  get encoded(): string {
    return Buffer.from(this.#text).subarray(-TAIL).toString("base64");
  }
}
