/**
 * Keeps account of what a reader has read, and compares it with what the data task says it wrote (see
 * examples/dataTask.mjs): every order once, under its customer's key, and the orders of a customer from one partition in
 * the order they were written. What a reader gets twice at the same place it has read twice; the same order at two
 * places was written twice, and that is a fault.
 */

/** As the data task has it. */
const CUSTOMERS = 500;

const RECORD = /^(\d+)\t(\d+)\t([^\t]*)\t([^\t]*)$/;

interface Entry {
  readonly partition: string;
  readonly offset: bigint;
  readonly key: string;
  readonly value: string;
}

export class Ledger {
  /** By place: partition and offset. */
  readonly #entries = new Map<string, Entry>();

  /** One line of the reader: partition, offset, key and value, with tabs between. */
  enter(line: string): void {
    const [, partition = "", offset = "", key = "", value = ""] = RECORD.exec(line) ?? [];
    if (partition === "") throw new Error(`this is no record: ${line}`);
    this.#entries.set(`${partition}/${offset}`, { partition, offset: BigInt(offset), key, value });
  }

  /** How many places have been read. */
  get size(): number {
    return this.#entries.size;
  }

  /** How many partitions records came from. */
  get partitions(): number {
    return new Set([...this.#entries.values()].map(({ partition }) => partition)).size;
  }

  /** Orders 0 to `count - 1` that are missing or there more than once, and what is there and is none of them. */
  notOnce(count: number): string[] {
    const seen = new Map<string, number>();
    for (const { value } of this.#entries.values()) seen.set(value, (seen.get(value) ?? 0) + 1);
    const wrong: string[] = [];
    for (let order = 0; order < count; order += 1) {
      const times = seen.get(`order ${order}`) ?? 0;
      if (times !== 1) wrong.push(`order ${order} is there ${times} times`);
      seen.delete(`order ${order}`);
    }
    return [...wrong, ...[...seen.keys()].map((value) => `"${value}" was never written`)];
  }

  /** Records whose key is not that of their order's customer. */
  misnamed(): string[] {
    return [...this.#entries.values()]
      .filter(({ key, value }) => key !== `customer-${Number(value.replace("order ", "")) % CUSTOMERS}`)
      .map(({ key, value }) => `${value} has the key ${key}`);
  }

  /** Keys whose records are in several partitions, or not in the order that they were written in. */
  disordered(): string[] {
    const last = new Map<string, { readonly partition: string; readonly order: number }>();
    const wrong = new Set<string>();
    const read = [...this.#entries.values()].sort((a, b) => (a.offset < b.offset ? -1 : 1));
    for (const { partition, key, value } of read) {
      const order = Number(value.replace("order ", ""));
      const before = last.get(key);
      if (before && (before.partition !== partition || before.order >= order)) wrong.add(key);
      last.set(key, { partition, order });
    }
    return [...wrong];
  }
}
