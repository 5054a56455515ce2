/**
 * Runs one operation of the API for one command: finds the connection, calls, follows pages, waits, prints.
 * Promises that standard output holds nothing but the result, and that a create whose connection broke is repeated
 * with the same idempotency key, so it is done once.
 */
import { randomUUID } from "node:crypto";
import { type ApiClient, ApiFailure, apiClient } from "../contract/client.ts";
import { allOperations, type Operation, type OperationId } from "../contract/operations.ts";
import { Failure } from "../domain/failure.ts";
import type { OptionValues } from "./commands.ts";
import { connectionOf } from "./connection.ts";
import { type CliContext, coloured } from "./context.ts";
import { seconds } from "./durations.ts";
import { inputOf } from "./flags.ts";
import { json, ProgressLine } from "./render.ts";
import { isDryRun, notesOf, shown } from "./views.ts";
import { lookInput, underWay, waitUntilDone } from "./wait.ts";

type Fields = Record<string, unknown>;

interface Job {
  readonly id: OperationId;
  readonly operation: Operation;
  readonly values: OptionValues;
  readonly context: CliContext;
}

export async function operate(job: Job): Promise<void> {
  const { operation, values, context } = job;
  const timeoutMs = timeoutOf(job);
  const format = formatOf(values, context);
  const { url, apiKey } = connectionOf(texts(values), context);
  const client = apiClient({ url, apiKey });
  const input = inputOf(operation, values, await bodyOf(job));
  const first = await begun(job, client, input);
  const answer = timeoutMs === null ? first : await awaited({ ...job, client, input, first, timeoutMs });
  await print({ ...job, input, answer, format });
  if (timeoutMs === null) suggestWait({ ...job, input, first });
  refuseUnlessGood(operation, answer);
}

function texts(values: OptionValues): { url?: string; apiKey?: string; profile?: string } {
  const text = (name: string) => (typeof values[name] === "string" ? { [name]: values[name] } : {});
  return { ...text("url"), ...text("apiKey"), ...text("profile") };
}

type Format = "table" | "json" | "pretty";

function formatOf(values: OptionValues, { stdout }: CliContext): Format {
  if (values.prettyPrint && values.output === "table")
    throw new Failure("invalid", "--prettyPrint prints JSON, and --output table does not");
  if (values.prettyPrint) return "pretty";
  if (values.output === "table" || values.output === "json") return values.output;
  return stdout.isTTY ? "table" : "json";
}

/** How long to wait, milliseconds; null: not at all. */
function timeoutOf({ operation, values }: Job): number | null {
  const { wait } = operation.command;
  const waits = values.wait || wait?.always;
  if (values.timeout !== undefined && !waits)
    throw new Failure("invalid", "--timeout says how long --wait stays", { hint: "Add --wait." });
  if (values.dryRun && values.wait)
    throw new Failure("invalid", "--dryRun writes nothing, so there is nothing for --wait to wait for");
  if (!wait || !waits) return null;
  return (values.timeout === undefined ? wait.defaultTimeoutSeconds : seconds(String(values.timeout))) * 1000;
}

async function bodyOf(job: Job): Promise<Fields> {
  const { operation, values, context } = job;
  const { bodyFile } = operation.command;
  if (!bodyFile) return fieldsOfFiles(job);
  const { readConfiguration } = await import("./configFile.ts");
  return readConfiguration(String(values[bodyFile]), context);
}

async function fieldsOfFiles({ operation, values, context }: Job): Promise<Fields> {
  const fields: Fields = {};
  for (const [field, flag] of Object.entries(operation.command.fileFlags ?? {})) {
    const path = values[flag];
    if (typeof path !== "string") continue;
    const { readText } = await import("./configFile.ts");
    fields[field] = await readText(path, context.cwd);
  }
  return fields;
}

/** What was asked for was done, and what came of it is no success: that is for the exit code. */
function refuseUnlessGood({ command: { outcome } }: Operation, answer: Fields): void {
  const value = outcome && answer[outcome.field];
  if (!outcome || typeof value !== "string" || outcome.good.includes(value)) return;
  const hint = answer[outcome.hint];
  throw new Failure("conflict", String(answer[outcome.told]), typeof hint === "string" ? { hint } : {});
}

/** What was asked for before and is under way is waited for again; without `--wait` the refusal stands. */
async function begun(job: Job, client: ApiClient, input: Fields): Promise<Fields> {
  const { wait } = job.operation.command;
  try {
    return await answerOf(job, client, input);
  } catch (thrown) {
    const refused = thrown instanceof Failure && thrown.code === "conflict";
    if (!refused || !job.values.wait || !wait?.underWay) throw thrown;
    const standing = await underWay({ wait, input }, { client, signal: job.context.signal });
    if (standing) return standing;
    throw thrown;
  }
}

async function answerOf(job: Job, client: ApiClient, input: Fields): Promise<Fields> {
  const idempotencyKey = job.operation.idempotent
    ? String(job.values.idempotencyKey ?? randomUUID())
    : undefined;
  const call = (fields: Fields) => calledAgain(job, { client, fields, idempotencyKey });
  return job.values.all ? allPages(call, input) : call(input);
}

interface Call {
  readonly client: ApiClient;
  readonly fields: Fields;
  readonly idempotencyKey: string | undefined;
}

const RETRY_PAUSES_MS = [500, 1500];

/** Only what is safe to do twice is done again, and only when the connection broke on the way. */
async function calledAgain(job: Job, { client, fields, idempotencyKey }: Call): Promise<Fields> {
  const { signal, clock } = job.context;
  const options = { signal, ...(idempotencyKey !== undefined && { idempotencyKey }) };
  const safe = job.operation.method === "GET" || idempotencyKey !== undefined;
  for (const pauseMs of RETRY_PAUSES_MS) {
    try {
      return await client.callAny(job.id, fields, options);
    } catch (thrown) {
      if (!safe || !cutOff(thrown)) throw thrown;
      await clock.sleep(pauseMs, signal);
      signal.throwIfAborted();
    }
  }
  return lastTry(() => client.callAny(job.id, fields, options), idempotencyKey);
}

async function lastTry(call: () => Promise<Fields>, idempotencyKey: string | undefined): Promise<Fields> {
  try {
    return await call();
  } catch (thrown) {
    if (!(thrown instanceof Failure) || idempotencyKey === undefined || !cutOff(thrown)) throw thrown;
    throw new Failure(thrown.code, thrown.message, {
      hint: `It may have been done. The same request again, done once: add --idempotencyKey ${idempotencyKey}`,
      cause: thrown,
    });
  }
}

const CUT = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

function cutOff(thrown: unknown): boolean {
  if (!(thrown instanceof Failure) || thrown instanceof ApiFailure) return false;
  for (let error: unknown = thrown.cause; error instanceof Error; error = error.cause)
    if ("code" in error && CUT.has(String(error.code))) return true;
  return false;
}

async function allPages(call: (fields: Fields) => Promise<Fields>, input: Fields): Promise<Fields> {
  const items: unknown[] = [];
  const notes = new Set<unknown>();
  for (let fields = input; ; ) {
    const page = await call(fields);
    items.push(...(Array.isArray(page.items) ? page.items : []));
    for (const note of Array.isArray(page.notes) ? page.notes : []) notes.add(note);
    if (typeof page.nextCursor !== "string")
      return { items, nextCursor: null, ...(notes.size > 0 && { notes: [...notes] }) };
    fields = { ...fields, cursor: page.nextCursor };
  }
}

async function awaited(
  job: Job & { client: ApiClient; input: Fields; first: Fields; timeoutMs: number },
): Promise<Fields> {
  const { operation, context, client, input, first, timeoutMs } = job;
  const { wait } = operation.command;
  if (!wait) return first;
  const lookAgain = lookAgainCommand(job);
  return waitUntilDone(
    { wait, input, first, timeoutMs, lookAgain },
    { client, clock: context.clock, signal: context.signal, progress: new ProgressLine(context.stderr) },
  );
}

/** The command that shows where it stands, with the connection of this one but never with a key. */
function lookAgainCommand(job: Job & { input: Fields; first: Fields }): string {
  const operation = allOperations.get(job.operation.command.wait?.operation ?? job.id) ?? job.operation;
  const fields = lookInput(operation, job.input, job.first);
  const given = { ...fields, url: job.values.url, profile: job.values.profile };
  const flags = Object.entries(given).filter(([, value]) => value !== undefined);
  const words = flags.flatMap(([name, value]) => [`--${name}`, quoted(String(value))]);
  return ["letsdata", ...operation.command.path, ...words].join(" ");
}

function quoted(word: string): string {
  return /^[\w.:/@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

async function print(job: Job & { input: Fields; answer: Fields; format: Format }): Promise<void> {
  const { context, format, answer } = job;
  const { stdout, stderr, env } = context;
  if (format !== "table") {
    stdout.write(json(answer, format === "pretty"));
    return;
  }
  const columns = stdout.isTTY ? stdout.columns : undefined;
  stdout.write(await shown({ ...job, columns, colour: coloured(stdout, env) }));
  for (const note of notesOf(job)) stderr.write(`Note: ${note}\n`);
}

function suggestWait(job: Job & { input: Fields; first: Fields }): void {
  const { wait } = job.operation.command;
  if (isDryRun(job)) return;
  if (!wait || !job.context.stderr.isTTY || wait.done.includes(String(job.first[wait.field]))) return;
  job.context.stderr.write(`It goes on in the background. Look again: ${lookAgainCommand(job)}\n`);
}
