/**
 * Pages of a list. A cursor is the sort key of the last row, so that rows that come or go between two pages
 * neither repeat nor hide others. Refuses a cursor it did not make, and one of another list, as `invalid`.
 */
import { Failure } from "../domain/failure.ts";
import type { Page, PageRequest } from "../domain/model.ts";

export type SortKey = readonly (string | number)[];

/** What the parts of a list's sort key are; names the list too. */
export interface CursorShape {
  readonly list: string;
  readonly parts: readonly ("string" | "number")[];
}

/** The sort key after which the page begins; null for the first page. */
export function afterKey(shape: CursorShape, request: PageRequest): SortKey | null {
  if (request.cursor === null) return null;
  const [list, ...key] = decoded(request.cursor);
  const fits = list === shape.list && key.length === shape.parts.length;
  if (!fits || !key.every((part, index) => typeof part === shape.parts[index])) throw badCursor();
  return key as SortKey;
}

/** How many rows to ask for: one more than the page, to see whether another follows. */
export function rowsWanted(request: PageRequest): number {
  if (!Number.isInteger(request.limit) || request.limit < 1)
    throw new Failure("invalid", "A page must hold at least one item");
  return request.limit + 1;
}

/** Cuts the page from the rows read; `keyOf` is the sort key of one row. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  cut: { request: PageRequest; shape: CursorShape; keyOf(row: Row): SortKey; item(row: Row): Item },
): Page<Item> {
  const shown = rows.slice(0, cut.request.limit);
  const last = rows.length > shown.length ? shown.at(-1) : undefined;
  return {
    items: shown.map(cut.item),
    nextCursor: last === undefined ? null : encoded([cut.shape.list, ...cut.keyOf(last)]),
  };
}

function encoded(key: SortKey): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

function decoded(cursor: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (Array.isArray(value)) return value;
  } catch {
    // Not JSON: said below.
  }
  throw badCursor();
}

function badCursor(): Failure {
  return new Failure("invalid", "The cursor is not one of this list", {
    hint: "Use the nextCursor of the page before, unchanged, or leave it out to begin again.",
  });
}
