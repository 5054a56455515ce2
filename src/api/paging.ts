/**
 * Pages of lists that are made in memory. A cursor names the last item that was given; promises that nothing
 * is given twice or left out while the list stays as it is, and refuses a cursor whose item is gone.
 */
import type { Page, PageRequest } from "../domain/model.ts";
import { RequestFailure } from "./errors.ts";

export function pageRequest(query: { limit: number; cursor?: string | undefined }): PageRequest {
  return { limit: query.limit, cursor: query.cursor ?? null };
}

export function pageOf<T>(items: readonly T[], request: PageRequest, keyOf: (item: T) => string): Page<T> {
  const start = request.cursor === null ? 0 : after(items.map(keyOf), request.cursor);
  const part = items.slice(start, start + request.limit);
  const last = part.at(-1);
  const more = start + part.length < items.length;
  return { items: part, nextCursor: more && last !== undefined ? encoded(keyOf(last)) : null };
}

function encoded(key: string): string {
  return Buffer.from(key).toString("base64url");
}

function after(keys: readonly string[], cursor: string): number {
  const at = keys.indexOf(Buffer.from(cursor, "base64url").toString());
  if (at >= 0) return at + 1;
  throw new RequestFailure("invalid", "The cursor is not one of this list, or the list changed since", {
    hint: "Begin again without a cursor.",
  });
}

/** Goes on page by page until the wanted number of items is found; gives up after a few short pages. */
export async function filledPage<From, To>(
  request: PageRequest,
  read: (request: PageRequest) => Promise<Page<From>>,
  view: (item: From) => Promise<To | null>,
): Promise<Page<To>> {
  const items: To[] = [];
  let { cursor } = request;
  for (let round = 0; round < 10; round++) {
    const page = await read({ limit: request.limit - items.length, cursor });
    const found = await Promise.all(page.items.map(view));
    items.push(...found.filter((item) => item !== null));
    cursor = page.nextCursor;
    if (cursor === null || items.length >= request.limit) break;
  }
  return { items, nextCursor: cursor };
}
