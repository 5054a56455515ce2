/**
 * Turns answers into text: JSON, tables without borders that fit the terminal, and one progress line that is
 * rewritten. Promises that no value is cut: a table that does not fit wraps at spaces and commas, and when even that does
 * not fit, each row becomes a block of `field value` lines. Control characters in values never reach the terminal.
 */
import type { OutputStream } from "./context.ts";

export interface TableData {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Width to fit, characters; without it a row is as wide as it is. */
  readonly columns?: number | undefined;
  readonly colour?: boolean;
}

const GAP = 2;

/** The table as text, ending with a line break. */
export async function table(data: TableData): Promise<string> {
  const natural = data.head.map((name, column) => widest(data, column, name));
  const limit = data.columns ?? Number.POSITIVE_INFINITY;
  if (sum(natural) <= limit) return bordered(data, natural);
  const least = data.head.map((name, column) => longestWord(data, column, name));
  if (sum(least) > limit) return records(data);
  return bordered(data, shrunk(natural, least, limit));
}

function sum(widths: readonly number[]): number {
  return widths.reduce((all, width) => all + width + GAP, -GAP);
}

function column(data: TableData, index: number): string[] {
  return data.rows.map((row) => row[index] ?? "");
}

function widest(data: TableData, index: number, name: string): number {
  return Math.max(name.length, ...column(data, index).map((cell) => [...cell].length));
}

function longestWord(data: TableData, index: number, name: string): number {
  const words = column(data, index).flatMap((cell) => cell.split(/ +/));
  return Math.max(name.length, ...words.map((word) => [...word].length));
}

/** Takes the missing room from the widest columns first. */
function shrunk(natural: readonly number[], least: readonly number[], limit: number): number[] {
  const widths = [...natural];
  while (sum(widths) > limit) {
    const able = widths.map((width, index) => (width > (least[index] ?? 0) ? width : 0));
    const index = able.indexOf(Math.max(...able));
    widths[index] = (widths[index] ?? 0) - 1;
  }
  return widths;
}

const NO_BORDERS = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", mid: "", "mid-mid": "" },
  ...{ right: "", "right-mid": "", middle: "" },
};

async function bordered(data: TableData, widths: readonly number[]): Promise<string> {
  const { default: Table } = await import("cli-table3");
  const colour = data.colour === true;
  const drawn = new Table({
    head: data.head.map((name) => (colour ? bold(name) : name)),
    chars: NO_BORDERS,
    colWidths: widths.map((width) => width + GAP),
    style: { head: [], border: [], "padding-left": 0, "padding-right": GAP },
    wordWrap: true,
  });
  for (const row of data.rows) drawn.push(row.map((cell) => (colour ? painted(cell) : cell)));
  const lines = drawn.toString().split("\n");
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

function records(data: TableData): string {
  const label = Math.max(...data.head.map((name) => name.length)) + GAP;
  const paint = data.colour === true ? painted : (cell: string) => cell;
  const block = (row: readonly string[]) =>
    data.head.map((name, index) => `${name.padEnd(label)}${paint(row[index] ?? "")}\n`).join("");
  return data.rows.map(block).join("\n");
}

const GOOD = new Set(["ACTIVE", "ready", "free"]);
const BAD = new Set(["ERROR", "FAILED", "REFUSED", "REJECTED", "EXPIRED", "blocked"]);
const MOVING =
  /^(CREATING|INITIALIZING|PENDING|ACCEPTING|CONFIGURING|DELETING|waiting|deleting|quarantined)$/;

function painted(cell: string): string {
  if (GOOD.has(cell)) return `\u001b[32m${cell}\u001b[39m`;
  if (BAD.has(cell)) return `\u001b[31m${cell}\u001b[39m`;
  return MOVING.test(cell) ? `\u001b[33m${cell}\u001b[39m` : cell;
}

export function bold(text: string): string {
  return `\u001b[1m${text}\u001b[22m`;
}

/** The value at a dotted path, as a cell. */
export function cellAt(item: unknown, path: string): string {
  let value = item;
  for (const name of path.split("."))
    value =
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  return cell(value);
}

function cell(value: unknown): string {
  if (value === null || value === undefined || value === "") return "-";
  if (Array.isArray(value)) return value.length === 0 ? "-" : value.map(cell).join(", ");
  return plain(typeof value === "object" ? JSON.stringify(value) : String(value));
}

/** Some texts come from other people's resources: they must not steer the terminal. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
}

export function json(value: unknown, pretty: boolean): string {
  return `${JSON.stringify(value, null, pretty ? 2 : undefined)}\n`;
}

/** One line on a terminal that is written over; on anything else it writes nothing. */
export class ProgressLine {
  readonly #stream: OutputStream;
  #shown = false;

  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  show(text: string): void {
    if (!this.#stream.isTTY) return;
    const room = (this.#stream.columns ?? 80) - 1;
    const shown = [...plain(text)];
    const line = shown.length > room ? `${shown.slice(0, room - 3).join("")}...` : shown.join("");
    this.#stream.write(`\r\u001b[2K${line}`);
    this.#shown = true;
  }

  clear(): void {
    if (this.#shown) this.#stream.write("\r\u001b[2K");
    this.#shown = false;
  }
}
