/**
 * What every Describe call shares: ids, filters, pages. Promises pages that stay right while rows come and go
 * (a token names the last id given, not a count). Refuses filters it does not know, as AWS does: a filter that
 * is silently ignored answers with rows nobody asked for.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
 */
import { AwsError } from "./errors.ts";
import type { Row, Tag } from "./state.ts";
import { seen } from "./visibility.ts";
import type { Call } from "./world.ts";

/** What a filter is compared with; several values match when one of them does. */
export type FilterValue = Scalar | readonly Scalar[];
type Scalar = string | number | boolean | undefined;

/** Filter name to the row's value. `tag:K`, `tag-key` and `tag-value` need no entry. */
export type FilterMap<R> = Readonly<Record<string, (row: R) => FilterValue>>;

interface Filter {
  readonly Name?: string | undefined;
  readonly Values?: readonly string[] | undefined;
}

/** The members of a Describe request that are the same everywhere. */
export interface DescribeInput {
  readonly Filters?: readonly Filter[] | undefined;
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

export interface Described<R> {
  /** The rows that are the caller's; those too new to be seen are left out. */
  readonly rows: readonly R[];
  /** The ids asked for; undefined or empty = all. */
  readonly ids?: readonly string[] | undefined;
  /** The error for ids that are not among the rows; see `notFound` in find.ts. */
  readonly notFound: (ids: readonly string[]) => AwsError;
  readonly filters: FilterMap<R>;
  /** Where the tags are not the row's own, such as a peering seen by its accepter. */
  readonly tags?: (row: R) => readonly Tag[];
  /** Bounds of MaxResults; 5 to 1000 unless the action's page says otherwise. */
  readonly pageSize?: { readonly min: number; readonly max: number };
}

/** The rows a Describe call answers with, in order of id, and the token of the next page if there is one. */
export function describe<R extends Row>(
  call: Pick<Call, "now">,
  input: DescribeInput,
  what: Described<R>,
): { rows: R[]; NextToken: string | undefined } {
  const named = withIds({ ...what, rows: seen(call, what.rows) });
  const found = matching(named, input.Filters, {
    filters: what.filters,
    tags: what.tags ?? ((row) => row.tags),
  });
  const { items, NextToken } = page(found, (row) => row.id, { ...input, ...what.pageSize });
  return { rows: items, NextToken };
}

function withIds<R extends Row>(what: Described<R>): readonly R[] {
  if (!what.ids?.length) return what.rows;
  const ids = new Set(what.ids);
  const rows = what.rows.filter((row) => ids.delete(row.id));
  if (ids.size > 0) throw what.notFound([...ids]);
  return rows;
}

interface Matching<R> {
  readonly filters: FilterMap<R>;
  readonly tags: (row: R) => readonly Tag[];
}

/** The rows that every filter lets through. A filter without a value is refused; 200 values are the limit. */
export function matching<R>(rows: readonly R[], filters: readonly Filter[] = [], by: Matching<R>): R[] {
  const values = filters.reduce((sum, filter) => sum + (filter.Values?.length ?? 0), 0);
  if (values > 200)
    throw new AwsError(
      "FilterLimitExceeded",
      "The maximum number of filter values specified on a single call is 200",
    );
  const tests = filters.map((filter) => matcher(filter, by));
  return rows.filter((row) => tests.every((test) => test(row)));
}

function matcher<R>(filter: Filter, by: Matching<R>): (row: R) => boolean {
  const name = filter.Name ?? "";
  const value = reader(name, by);
  if (!value) throw new AwsError("InvalidParameterValue", `The filter '${name}' is invalid`);
  if (!filter.Values?.length)
    throw new AwsError("InvalidParameterValue", `The filter '${name}' must have at least one value`);
  const patterns = filter.Values.map(glob);
  return (row) => {
    const values = [value(row)].flat().filter((one) => one !== undefined);
    return values.some((one) => patterns.some((pattern) => pattern.test(String(one))));
  };
}

function reader<R>(name: string, by: Matching<R>): ((row: R) => FilterValue) | undefined {
  if (name.startsWith("tag:")) {
    const key = name.slice("tag:".length);
    return (row) => by.tags(row).flatMap((tag) => (tag.Key === key ? [tag.Value] : []));
  }
  if (name === "tag-key") return (row) => by.tags(row).map((tag) => tag.Key);
  if (name === "tag-value") return (row) => by.tags(row).map((tag) => tag.Value);
  return Object.hasOwn(by.filters, name) ? by.filters[name] : undefined;
}

/** AWS's wildcards: `*` any run, `?` one character, `\` makes the next of these three literal. */
export function glob(pattern: string): RegExp {
  const source = pattern.replace(
    /\\([*?\\])|[.*+?^${}()|[\]\\]/gs,
    (special, escaped: string | undefined) => {
      if (escaped !== undefined) return `\\${escaped}`;
      if (special === "*") return ".*";
      return special === "?" ? "." : `\\${special}`;
    },
  );
  return new RegExp(`^${source}$`, "su");
}

interface Page {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
  readonly min?: number;
  readonly max?: number;
  /** For pages that cannot be, of a service with other codes than EC2's. */
  readonly codes?: { readonly size: string; readonly token: string };
}

const EC2_CODES = { size: "InvalidParameterValue", token: "InvalidNextToken" };

/** One page of things that have a unique key, in order of key. */
export function page<T>(
  all: readonly T[],
  key: (item: T) => string,
  asked: Page,
): { items: T[]; NextToken: string | undefined } {
  const { min = 5, max = 1000, codes = EC2_CODES } = asked;
  const size = asked.MaxResults ?? max;
  const bound = size < min ? `greater than ${min}` : size > max ? `less than ${max}` : undefined;
  if (bound)
    throw new AwsError(
      codes.size,
      `Value ( ${size} ) for parameter maxResults is invalid. Expecting a value ${bound}.`,
    );
  const after = asked.NextToken ? readToken(asked.NextToken, codes.token) : undefined;
  const keyed = all.map((item) => ({ item, key: key(item) })).sort((a, b) => (a.key < b.key ? -1 : 1));
  const left = after === undefined ? keyed : keyed.filter((one) => one.key > after);
  const shown = left.slice(0, size);
  const last = shown.at(-1);
  return {
    items: shown.map((one) => one.item),
    NextToken: last && left.length > size ? writeToken(last.key) : undefined,
  };
}

const TOKEN = "after:";

function writeToken(key: string): string {
  return Buffer.from(TOKEN + key).toString("base64url");
}

function readToken(token: string, code: string): string {
  const text = Buffer.from(token, "base64url").toString();
  if (text.startsWith(TOKEN)) return text.slice(TOKEN.length);
  throw new AwsError(code, "The specified NextToken is not valid");
}
