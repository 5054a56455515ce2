/**
 * Everything the small cloud remembers: one table a noun, rows that are plain JSON and never changed in
 * place. Promises that what a request changed is kept whole or not at all: the server calls `commit` before
 * it answers and `rollback` when a handler throws. Rows of all accounts and regions lie side by side; a
 * handler sees only its caller's through `own`.
 *
 *   handler ──put/delete──▶ Table (memory) ──commit──▶ SQLite file (synchronous) ──▶ answer
 *                               ◀──rollback── thrown error
 */
export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** What every row has. `at` is epoch milliseconds on the sandbox's clock. */
export interface Row {
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly at: number;
  readonly tags: readonly Tag[];
  /** While it is too new to be seen; see visibility.ts. */
  readonly unseenUntil?: number;
}

export interface Place {
  readonly account: string;
  readonly region: string;
}

/** A table as the disk sees it. */
export interface Stored {
  readonly name: string;
  changes(): [id: string, row: Row | undefined][];
  load(row: Row): void;
  settle(): void;
  undo(): void;
  clear(): void;
}

export class Table<R extends Row> implements Stored {
  readonly name: string;
  readonly #rows = new Map<string, R>();
  /** Everybody's rows, and each account and region's, in order of id: kept so as never to sort at a read. */
  readonly #everybody: R[] = [];
  readonly #places = new Map<string, R[]>();
  /** The rows as they were before this request; undefined = did not exist. */
  readonly #before = new Map<string, R | undefined>();

  constructor(name: string) {
    this.name = name;
  }

  get(id: string): R | undefined {
    return this.#rows.get(id);
  }

  /** The caller's row of that id; another account's or region's is as good as absent. */
  own(place: Place, id: string): R | undefined {
    const row = this.#rows.get(id);
    return row && row.account === place.account && row.region === place.region ? row : undefined;
  }

  /** All rows of the caller's account and region, in order of id. */
  list(place: Place): R[] {
    return [...(this.#places.get(placeKey(place)) ?? [])];
  }

  /** All rows of everybody, in order of id: for what crosses accounts, such as peerings. */
  all(): R[] {
    return [...this.#everybody];
  }

  put(row: R): R {
    this.#remember(row.id);
    this.#set(row.id, row);
    return row;
  }

  delete(id: string): void {
    this.#remember(id);
    this.#set(id, undefined);
  }

  #remember(id: string): void {
    if (!this.#before.has(id)) this.#before.set(id, this.#rows.get(id));
  }

  #set(id: string, row: R | undefined): void {
    const old = this.#rows.get(id);
    if (old) replace(this.#rowsAt(old), id, undefined);
    if (row) replace(this.#rowsAt(row), id, row);
    replace(this.#everybody, id, row);
    if (row) this.#rows.set(id, row);
    else this.#rows.delete(id);
  }

  #rowsAt(place: Place): R[] {
    const key = placeKey(place);
    const rows = this.#places.get(key) ?? [];
    this.#places.set(key, rows);
    return rows;
  }

  /** What this request changed: id and the row now, undefined for a deleted one. */
  changes(): [id: string, row: R | undefined][] {
    return [...this.#before.keys()].map((id) => [id, this.#rows.get(id)]);
  }

  /** The rows this request made, as they are now. */
  made(): R[] {
    return [...this.#before].flatMap(([id, before]) => (before ? [] : (this.#rows.get(id) ?? [])));
  }

  settle(): void {
    this.#before.clear();
  }

  undo(): void {
    for (const [id, row] of this.#before) this.#set(id, row);
    this.#before.clear();
  }

  load(row: R): void {
    this.#set(row.id, row);
  }

  clear(): void {
    for (const id of [...this.#rows.keys()]) this.delete(id);
  }
}

function placeKey({ account, region }: Place): string {
  return `${account}/${region}`;
}

/** Puts the row where its id belongs in the sorted rows, in place of the one of that id; undefined removes. */
function replace<R extends Row>(rows: R[], id: string, row: R | undefined): void {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle]?.id ?? "") < id) low = middle + 1;
    else high = middle;
  }
  const present = rows[low]?.id === id ? 1 : 0;
  rows.splice(low, present, ...(row ? [row] : []));
}
