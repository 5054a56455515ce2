/**
 * Reads a request's JSON body. Promises that never more than the limit is taken into memory, and that a
 * malformed body is refused with the line and column of the slip. Refuses what no later hand could keep: text
 * that is not Unicode, NUL characters, nesting without end.
 */
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { RequestFailure } from "./errors.ts";

/** Bytes; no configuration comes near it. */
export const BODY_LIMIT = 1024 * 1024;
const DEEPEST = 64;

export async function jsonBody(request: Request): Promise<unknown> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type))
    throw new RequestFailure(
      "invalid",
      `The body is ${type ? `"${type}"` : "of no declared type"}, not JSON`,
      {
        status: 415,
        hint: "Send JSON with the header content-type: application/json.",
      },
    );
  const text = decoded(await limited(request));
  if (text.trim() === "")
    throw new RequestFailure("invalid", "The body is empty", { hint: "Send a JSON object." });
  const value = parsed(text);
  refuseUnkeepable(value);
  return value;
}

async function limited(request: Request): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length") ?? 0) > BODY_LIMIT) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body) {
    size += part.byteLength;
    // Leaving the loop cancels the stream: the rest is not read.
    if (size > BODY_LIMIT) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function tooLarge(): RequestFailure {
  return new RequestFailure("invalid", `The body is larger than ${BODY_LIMIT} bytes`, {
    status: 413,
    // The rest of the body is still on its way: this connection is of no further use.
    headers: { connection: "close" },
  });
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RequestFailure("invalid", "The body is not UTF-8 text");
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(text);
  }
}

function malformed(text: string): RequestFailure {
  if (nesting(text) > DEEPEST) return tooDeep();
  const errors: ParseError[] = [];
  parse(text, errors, { disallowComments: true, allowTrailingComma: false });
  const [first] = errors;
  if (!first) return new RequestFailure("invalid", "The body is not JSON");
  const before = text.slice(0, first.offset).split("\n");
  const column = (before.at(-1)?.length ?? 0) + 1;
  const slip = words(printParseErrorCode(first.error));
  return new RequestFailure(
    "invalid",
    `The body is not JSON: ${slip} at line ${before.length}, column ${column}`,
  );
}

/** How deep brackets go at most, also where the text is not JSON; brackets inside strings count too. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const sign of text) {
    if (sign === "[" || sign === "{") deepest = Math.max(deepest, ++depth);
    else if (sign === "]" || sign === "}") depth--;
  }
  return deepest;
}

/** `CommaExpected` → `comma expected`. */
function words(code: string): string {
  return code.replace(/(?<!^)([A-Z])/g, " $1").toLowerCase();
}

function tooDeep(): RequestFailure {
  return new RequestFailure("invalid", `The body is nested deeper than ${DEEPEST} levels`);
}

/** Without recursion, because the depth is what is being checked. */
function refuseUnkeepable(root: unknown): void {
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }];
  for (let at = open.pop(); at; at = open.pop()) {
    const { value, depth } = at;
    if (typeof value === "string") refuseText(value);
    if (typeof value !== "object" || value === null) continue;
    if (depth > DEEPEST) throw tooDeep();
    for (const [key, inner] of Object.entries(value)) {
      refuseText(key);
      open.push({ value: inner, depth: depth + 1 });
    }
  }
}

function refuseText(text: string): void {
  if (text.includes("\0") || !text.isWellFormed())
    throw new RequestFailure("invalid", "The body has a NUL character or half a Unicode character in a text");
}
