/**
 * Reads a configuration from a file or from standard input. Comments and trailing commas are allowed, as people
 * write them. Promises that a mistake is shown with file, line, column and the line itself.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Failure } from "../domain/failure.ts";
import type { CliContext } from "./context.ts";

/** The object in the file; `-` is standard input. Throws `invalid`. */
export async function readConfiguration(
  path: string,
  context: Pick<CliContext, "cwd" | "stdin" | "stderr">,
): Promise<Record<string, unknown>> {
  const text = path === "-" ? await readStdin(context) : await readText(path, context.cwd);
  const name = path === "-" ? "standard input" : path;
  const value = await parsed(text.replace(/^\uFEFF/, ""), name);
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new Failure("invalid", `${name} holds no JSON object`, {
    hint: "A configuration begins with { and ends with }.",
  });
}

async function readStdin({ stdin, stderr }: Pick<CliContext, "stdin" | "stderr">): Promise<string> {
  if (stdin.isTTY) stderr.write("Reading the configuration from the keyboard; Ctrl-D ends it.\n");
  const parts: Uint8Array[] = [];
  for await (const part of stdin) parts.push(typeof part === "string" ? Buffer.from(part) : part);
  return Buffer.concat(parts).toString("utf8");
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "it may not be read",
  EISDIR: "it is a directory",
};

/** What the file holds. Throws `invalid`. */
export async function readText(path: string, cwd: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, path), "utf8");
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? "";
    throw new Failure("invalid", `Cannot read ${path}: ${UNREADABLE[code] ?? code}`, {
      hint: `The path is taken from ${cwd}.`,
      cause: thrown,
    });
  }
}

/** The parser's codes in plain words. */
const MISTAKES: Readonly<Record<string, string>> = {
  InvalidSymbol: "this is no JSON value (strings need double quotes)",
  InvalidNumberFormat: "this is no number",
  PropertyNameExpected: 'a property name in double quotes is expected, such as "region"',
  ValueExpected: "a value is expected",
  ColonExpected: "a colon is expected",
  CommaExpected: "a comma is expected",
  CloseBraceExpected: "a closing } is expected",
  CloseBracketExpected: "a closing ] is expected",
  EndOfFileExpected: "the JSON is over here, but more follows",
  InvalidCommentToken: "this comment does not belong here",
  UnexpectedEndOfComment: "a comment is not closed",
  UnexpectedEndOfString: "a string is not closed",
  UnexpectedEndOfNumber: "a number breaks off",
  InvalidUnicode: "this unicode escape is wrong",
  InvalidEscapeCharacter: "this escape is wrong",
  InvalidCharacter: "this character may not stand in a string",
};

async function parsed(text: string, name: string): Promise<unknown> {
  const { parse, printParseErrorCode } = await import("jsonc-parser");
  const errors: { error: number; offset: number; length: number }[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const first = errors[0];
  if (!first) return value;
  const code = printParseErrorCode(first.error);
  const { line, column, shown } = place(text, first.offset);
  throw new Failure("invalid", `${name}:${line}:${column}: ${MISTAKES[code] ?? code}\n${shown}`, {
    hint: "Mend the JSON there and run the command again.",
  });
}

/** Line and column, counted from 1, and the line with a mark below the place. */
function place(text: string, offset: number): { line: number; column: number; shown: string } {
  const before = text.slice(0, offset).split("\n");
  const line = before.length;
  const column = (before.at(-1)?.length ?? 0) + 1;
  const whole = (text.split("\n")[line - 1] ?? "").replace(/\r$/, "");
  const from = Math.max(0, column - 60);
  const shown = whole.slice(from, from + 100).replaceAll("\t", " ");
  const label = `  ${line} | `;
  return { line, column, shown: `${label}${shown}\n${" ".repeat(label.length + column - 1 - from)}^` };
}
