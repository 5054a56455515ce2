/**
 * How a person reads what lies ahead: the steps of a deletion, what things cost a month, what a dry run found,
 * what a sweep found. Tables to read, and a sentence for every sum; an unknown price is called so.
 */
import { plain } from "./render.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Makes a table of these items and columns. */
export type Lister = (items: readonly Fields[], columns: readonly string[]) => Promise<string>;

function fieldsOf(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

function rowsOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value : [];
}

/** Null while nothing is being deleted. */
export async function deleteSteps(answer: Fields, list: Lister): Promise<string[] | null> {
  const steps = rowsOf(answer.deletePlan);
  if (steps.length === 0) return null;
  const gone = steps.filter(({ state }) => state === "gone").length;
  const rows = steps.map((step) => ({
    ...step,
    whoseMove: step.state === "gone" ? null : step.whoseMove,
    blockedBy: shortened(step.blockedBy),
    usual: typeof step.usualSeconds === "number" ? usual(step.usualSeconds) : null,
  }));
  const columns = ["order", "resource", "id", "state", "blockedBy", "whoseMove", "usual", "message"];
  const heading = `Being deleted, in this order (${gone} of ${steps.length} are gone):\n`;
  return [heading, await list(rows, columns), ...hints(steps)];
}

function hints(steps: readonly Fields[]): string[] {
  return steps
    .filter(({ hint }) => typeof hint === "string")
    .map(({ resource, hint }) => `${plain(`${resource}: ${hint}`)}\n`);
}

const MOST_NAMED = 3;

/** The VPC waits for everything: the first few say enough. */
function shortened(names: unknown): unknown {
  if (!Array.isArray(names) || names.length <= MOST_NAMED) return names;
  return [...names.slice(0, MOST_NAMED), `${names.length - MOST_NAMED} more`];
}

function usual(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** What costs something or may, and the sum; nothing when nothing is there. */
export async function costs(answer: Fields, list: Lister): Promise<string[]> {
  const cost = fieldsOf(answer.cost);
  const parts = rowsOf(cost?.parts);
  if (!cost || parts.length === 0) return [];
  const paid = parts.filter(({ monthlyUsd }) => monthlyUsd !== 0);
  const rows = paid.map((part) => ({
    ...part,
    hourlyUsd: part.hourlyUsd ?? "unknown",
    monthlyUsd: known(part.monthlyUsd),
  }));
  const table = rows.length === 0 ? [] : [await list(rows, ["resource", "count", "hourlyUsd", "monthlyUsd"])];
  return [...table, `${sentence(cost)}\n`];
}

function known(dollars: unknown): string {
  return typeof dollars === "number" ? dollars.toFixed(2) : "unknown";
}

function sentence(cost: Fields): string {
  const place = plain(`${cost.region}, prices of ${cost.pricesDate}`);
  return `Costs ${sumOf(cost)} a month before traffic (${place}).`;
}

function sumOf({ monthlyUsd, atLeast }: Fields): string {
  if (typeof monthlyUsd !== "number") return "an unknown sum";
  return `${atLeast === true ? "at least " : ""}${monthlyUsd.toFixed(2)} USD`;
}

/** What a create would do. */
export async function dryRun(answer: Fields, list: Lister): Promise<string[]> {
  const parts = [await list([answer], ["datasetName", "region", "ownerId", "vpcSize", "cidrBlock"])];
  const range = fieldsOf(answer.tenantRange);
  if (range) {
    const whose = range.isNew === true ? "a new range of the tenant's" : "a range the tenant has";
    parts.push(plain(`${answer.cidrBlock} would come out of ${range.cidrBlock}, ${whose}.`).concat("\n"));
  }
  const tables: readonly [unknown, readonly string[]][] = [
    [answer.subnets, ["type", "cidrBlock"]],
    [answer.resources, ["resource", "count"]],
    [answer.quotas, ["name", "service", "code", "needed", "per"]],
  ];
  for (const [rows, columns] of tables)
    if (rowsOf(rows).length > 0) parts.push(await list(rowsOf(rows), columns));
  return [...parts, ...(await costs(answer, list)), "Nothing was written.\n"];
}

/** Every finding with what became of it, and where nobody could look. */
export async function findings(answer: Fields, list: Lister): Promise<string[]> {
  const found = rowsOf(answer.findings);
  const unseen = rowsOf(answer.cells).filter(({ error }) => error !== null);
  const rows = found.map((one) => ({ ...one, monthlyUsd: known(one.monthlyUsd) }));
  const columns = [
    "finding",
    "resource",
    "key",
    "id",
    "region",
    "reason",
    "monthlyUsd",
    "outcome",
    "message",
  ];
  const parts = found.length === 0 ? [] : [await list(rows, columns)];
  if (unseen.length > 0) parts.push(await list(unseen, ["account", "region", "error"]));
  if (Number(answer.orphans) > 0) parts.push(`What is left over costs ${sumOf(answer)} a month.\n`);
  return parts;
}
