/**
 * Waits until what was asked for is done, by looking at it again and again. Promises to say what it waits for,
 * to end at a failure with the reason, at the time limit with what is still missing, and at Ctrl-C with how to look
 * again. The work itself goes on in the server whether anybody waits or not.
 */
import type { ApiClient } from "../contract/client.ts";
import { allOperations, type Operation, type OperationId, type Wait } from "../contract/operations.ts";
import { Failure } from "../domain/failure.ts";
import { type CliClock, Interrupted } from "./context.ts";
import { elapsed } from "./durations.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface Waiting {
  readonly wait: Wait;
  /** What the operation was called with. */
  readonly input: Fields;
  /** What it answered. */
  readonly first: Fields;
  readonly timeoutMs: number;
  /** The command that shows where it stands. */
  readonly lookAgain: string;
}

/** Where the work stands that was asked for before; null when it is not under way. */
export async function underWay(
  { wait, input }: Pick<Waiting, "wait" | "input">,
  means: Pick<Means, "client" | "signal">,
): Promise<Fields | null> {
  const first = { ...input, [wait.field]: wait.done[0] };
  const seen = await look({ wait, input, first }, means).catch((thrown: unknown) => goneOr(wait, thrown));
  if (seen === "gone") return first;
  const goesOn = [...(wait.underWay ?? []), ...wait.done].includes(String(seen?.[wait.field]));
  return seen && goesOn ? seen : null;
}

function goneOr({ goneIsDone }: Wait, thrown: unknown): "gone" {
  if (goneIsDone && thrown instanceof Failure && thrown.code === "notFound") return "gone";
  throw thrown;
}

export interface Means {
  readonly client: ApiClient;
  readonly clock: CliClock;
  readonly signal: AbortSignal;
  readonly progress: { show(text: string): void; clear(): void };
}

/** The last look at it. Throws `conflict` when it failed, `unavailable` when the time is over. */
export async function waitUntilDone(waiting: Waiting, means: Means): Promise<Fields> {
  const began = means.clock.now();
  let last = waiting.first;
  try {
    for (;;) {
      if (settled(waiting, last)) return last;
      const spent = means.clock.now() - began;
      means.progress.show(summary(waiting, last, spent));
      if (spent >= waiting.timeoutMs) throw tooLong(waiting, last);
      await means.clock.sleep(Math.min(pause(spent), waiting.timeoutMs - spent), means.signal);
      const next = await lookUnlessStopped(waiting, means);
      if (next === "gone") return { ...last, [waiting.wait.field]: waiting.wait.done[0] };
      last = next ?? last;
    }
  } finally {
    means.progress.clear();
  }
}

/** Quick at first, when small things are done; then 1 s, growing to 5 s. Milliseconds. */
export function pause(spent: number): number {
  if (spent < 3000) return 250;
  return Math.min(5000, Math.max(1000, Math.round(spent / 20)));
}

function settled(waiting: Waiting, seen: Fields): boolean {
  const status = String(seen[waiting.wait.field]);
  if (waiting.wait.failed.includes(status)) throw failed(waiting, seen, status);
  return waiting.wait.done.includes(status);
}

async function lookUnlessStopped(waiting: Waiting, means: Means): Promise<Fields | "gone" | undefined> {
  if (means.signal.aborted) throw interrupted(waiting);
  try {
    return await look(waiting, means);
  } catch (thrown) {
    if (means.signal.aborted) throw interrupted(waiting);
    // A server that restarts is no failure of the work: the time limit ends it if it stays away.
    if (thrown instanceof Failure && thrown.code === "unavailable") return undefined;
    return goneOr(waiting.wait, thrown);
  }
}

async function look(
  { wait, input, first }: Pick<Waiting, "wait" | "input" | "first">,
  means: Pick<Means, "client" | "signal">,
): Promise<Fields | "gone" | undefined> {
  const operation = operationOf(wait.operation);
  const fields = lookInput(operation, input, first);
  if (wait.match === undefined) return means.client.callAny(wait.operation, fields, { signal: means.signal });
  const wanted = input[wait.match] ?? first[wait.match];
  for (let cursor: unknown; cursor !== null; ) {
    const given = cursor === undefined ? fields : { ...fields, cursor };
    const page = await means.client.callAny(wait.operation, given, { signal: means.signal });
    const items = Array.isArray(page.items) ? page.items : [];
    const found = items.find((item) => item[wait.match ?? ""] === wanted);
    if (found) return found;
    cursor = page.nextCursor ?? null;
  }
  return wait.goneIsDone ? "gone" : undefined;
}

function operationOf(id: OperationId): Operation {
  const operation = allOperations.get(id);
  if (!operation) throw new Failure("internal", `There is no operation "${id}" to wait on`);
  return operation;
}

/** Path fields from the input, or from the answer when the input was a file; query fields as they were given. */
export function lookInput(operation: Operation, input: Fields, first: Fields): Record<string, unknown> {
  const path = Object.keys(operation.params.shape).map((name) => [name, input[name] ?? first[name]]);
  const query = "tenantName" in operation.query.shape ? [["tenantName", input.tenantName]] : [];
  return Object.fromEntries([...path, ...query].filter(([, value]) => value !== undefined));
}

interface Condition {
  readonly resource: string;
  readonly state: string;
  readonly message: string;
  readonly whoseMove: string;
  readonly hint: string | null;
  readonly usualSeconds: number | null;
}

function conditionsOf(seen: Fields): Condition[] {
  return Array.isArray(seen.conditions) ? (seen.conditions as Condition[]) : [];
}

/** Blocked before waiting: it is what somebody can do something about. */
function pending(seen: Fields): Condition | undefined {
  const open = conditionsOf(seen).filter((condition) => condition.state !== "ready");
  return open.find((condition) => condition.state === "blocked") ?? open[0];
}

/** The time comes early, so that a narrow terminal cuts the reason instead. */
function summary(waiting: Waiting, seen: Fields, spent: number): string {
  const parts = [`${subject(waiting)}: ${seen[waiting.wait.field]}`, elapsed(spent)];
  return [...parts, counted(waiting, seen), reason(seen)].filter(Boolean).join("  ");
}

/** Of what is being deleted it is of interest what is gone, not what is as it should be. */
function counted({ wait }: Waiting, seen: Fields): string {
  const [things, state] = wait.done.includes("DELETED")
    ? [itemsAt(seen.deletePlan), "gone"]
    : [conditionsOf(seen), "ready"];
  if (things.length === 0) return "";
  return `${things.filter((thing) => thing.state === state).length}/${things.length} ${state}`;
}

function itemsAt(value: unknown): readonly { readonly state: string }[] {
  return Array.isArray(value) ? value : [];
}

function reason(seen: Fields): string {
  const open = pending(seen);
  if (!open) return typeof seen.statusReason === "string" ? seen.statusReason : "";
  const notes = [
    ...(open.usualSeconds ? [`usually ${elapsed(open.usualSeconds * 1000)}`] : []),
    ...(open.state === "blocked" ? [`${open.whoseMove}'s move`] : []),
  ];
  return `${open.resource}: ${open.message}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`;
}

function subject({ wait, input, first }: Waiting): string {
  const name = wait.subject ?? wait.match ?? "datasetName";
  return String(input[name] ?? first[name] ?? "It");
}

function hintOf(seen: Fields): string | undefined {
  const text = pending(seen)?.hint ?? seen.nextStep;
  return typeof text === "string" && text !== "" ? text : undefined;
}

function failed(waiting: Waiting, seen: Fields, status: string): Failure {
  const why = typeof seen.statusReason === "string" && seen.statusReason ? seen.statusReason : reason(seen);
  return new Failure("conflict", `${subject(waiting)} is ${status}${why ? `: ${why}` : ""}`, {
    hint: hintOf(seen) ?? `Look at it: ${waiting.lookAgain}`,
  });
}

function tooLong(waiting: Waiting, seen: Fields): Failure {
  const status = seen[waiting.wait.field];
  const why = reason(seen);
  const spent = elapsed(waiting.timeoutMs);
  const message = `${subject(waiting)} is still ${status} after ${spent}${why ? `; it waits for ${why}` : ""}`;
  const own = hintOf(seen);
  const again = waiting.wait.underWay ? "; or wait again with the same command" : "";
  return new Failure("unavailable", message, {
    hint: `${own ? `${own}\n` : ""}The work goes on. Look again: ${waiting.lookAgain}${again}`,
  });
}

function interrupted({ lookAgain }: Waiting): Interrupted {
  return new Interrupted(`Stopped waiting; the work goes on. Look again: ${lookAgain}`);
}
