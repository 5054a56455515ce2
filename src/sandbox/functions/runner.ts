/**
 * Runs functions: an execution environment for each invocation that is under way, kept warm for the next. Promises
 * that one runs in the host of an interface that its function leaves by, or where it has to be without packets; that
 * changed code or configuration gets a new one; and that nothing of a function runs when it has gone.
 *
 *   invoke ─▶ packets settled ─▶ a warm one that still fits, or a new one ─▶ its outcome ─▶ warm again
 *   commit ─▶ wake ─▶ what does not fit any more is ended, code that is gone is removed
 */
import type { Cloud } from "../cloud.ts";
import type { DataPlane } from "../dataplane/dataPlane.ts";
import type { FunctionsRun, Invocation, Invoked } from "../functionRuns.ts";
import { LAMBDA_ERRORS, notFound, tooManyAtOnce } from "../lambdaErrors.ts";
import { Passes } from "../passes.ts";
import type { FunctionRow } from "../serviceRows.ts";
import type { Clock } from "../world.ts";
import { CodeFolders } from "./codeFolders.ts";
import { Environment } from "./environment.ts";
import { FunctionLog, LogTail } from "./functionLog.ts";
import { MACHINE, placesOf } from "./places.ts";
import { repeated } from "./repeats.ts";
import { variablesOf } from "./variables.ts";

export interface RunnerOptions {
  readonly clock: Clock;
  readonly cloud: Pick<Cloud, "tables" | "settings">;
  /** undefined = functions run as plain processes of this machine. */
  readonly plane: DataPlane | undefined;
  /** Of the code of all functions. */
  readonly folder: string;
  readonly log: (line: string) => void;
}

/** An environment and what it was made for. */
interface Kept {
  readonly environment: Environment;
  readonly arn: string;
  readonly revisionId: string;
  readonly codeId: string;
  /** A namespace, or `machine`. */
  readonly place: string;
}

export interface ShownEnvironment {
  readonly state: Environment["state"];
  /** Epoch milliseconds. */
  readonly since: number;
  readonly place: string;
  readonly pid?: number;
}

/** AWS does not say how long it keeps a warm one; minutes, as a rule. */
const IDLE_MS = 10 * 60_000;

export class Runner implements FunctionsRun {
  readonly #options: RunnerOptions;
  readonly #folders: CodeFolders;
  readonly #kept = new Set<Kept>();
  readonly #logs = new Map<string, FunctionLog>();
  readonly #busy = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #passes: Passes;

  constructor(options: RunnerOptions) {
    const { clock, log, folder } = options;
    this.#options = options;
    this.#folders = new CodeFolders(folder);
    const failed = (why: string) => log(`functions: ${why}; it is tried again`);
    this.#passes = new Passes({ clock, failed, pass: () => this.#pass() });
  }

  start(): void {
    this.#passes.start();
  }

  /** The state has changed. */
  wake(): void {
    this.#passes.wake();
  }

  async invoke(row: FunctionRow, invocation: Invocation): Promise<Invoked> {
    const key = `${row.account} ${row.region}`;
    const busy = this.#busy.get(key) ?? 0;
    if (busy >= this.#options.cloud.settings.lambdaConcurrencyQuota) throw tooManyAtOnce();
    this.#busy.set(key, busy + 1);
    try {
      return await this.#run(row.id, invocation);
    } finally {
      this.#busy.set(key, (this.#busy.get(key) ?? 1) - 1);
    }
  }

  enqueue(row: FunctionRow, invocation: Invocation): void {
    const { clock, log } = this.#options;
    const once = () => this.invoke(row, invocation);
    void repeated(once, { clock, signal: this.#stopping.signal }).catch((thrown: unknown) =>
      log(`${row.name}: an event was given up: ${thrown instanceof Error ? thrown.message : String(thrown)}`),
    );
  }

  /** Where the function may run now; none when there is no such function. */
  placesOf(arn: string): readonly string[] {
    const row = this.#options.cloud.tables.functions.get(arn);
    return row ? this.#placesOf(row) : [];
  }

  environments(arn: string): ShownEnvironment[] {
    return [...this.#kept]
      .filter((kept) => kept.arn === arn)
      .map(({ environment: { state, since, pid }, place }) => ({
        ...{ state, since, place },
        ...(pid === undefined ? {} : { pid }),
      }));
  }

  /** Oldest first. */
  log(arn: string): readonly string[] {
    return this.#logs.get(arn)?.lines ?? [];
  }

  /** Nothing is begun after this. Resolves when nothing runs. */
  async close(): Promise<void> {
    this.#stopping.abort();
    this.#passes.stop();
    await this.#endAll();
    await this.#passes.ended;
  }

  async #endAll(): Promise<void> {
    await Promise.all([...this.#kept].map((kept) => this.#give(kept)));
  }

  async #give(kept: Kept): Promise<void> {
    this.#kept.delete(kept);
    await kept.environment.end();
  }

  async #run(arn: string, invocation: Invocation): Promise<Invoked> {
    await this.#settled();
    const row = this.#theRow(arn);
    const places = this.#placesOf(row);
    const warm = [...this.#kept].findLast(
      (kept) => kept.environment.state === "idle" && this.#fits(kept, row, places),
    );
    const kept = warm ?? (await this.#launched(row, places));
    const tail = new LogTail();
    const outcome = await kept.environment.invoke(invocation, (text) => tail.add(text));
    if (kept.environment.state === "ended") this.#kept.delete(kept);
    this.wake();
    const payload = "error" in outcome ? JSON.stringify(outcome.error) : outcome.response;
    return { payload, isFailure: "error" in outcome, log: tail.encoded };
  }

  #theRow(arn: string): FunctionRow {
    const row = this.#options.cloud.tables.functions.get(arn);
    if (!row) throw notFound(`Function not found: ${arn}`);
    return row;
  }

  /** Packets obey every change that was made before. */
  async #settled(): Promise<void> {
    const { plane, log } = this.#options;
    await plane?.settled().catch((thrown: unknown) => {
      log(`functions: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      throw LAMBDA_ERRORS.failed();
    });
  }

  #placesOf(row: FunctionRow): readonly string[] {
    const { plane, clock } = this.#options;
    return placesOf(row, { now: clock.now(), topology: plane?.topology() });
  }

  #fits({ arn, revisionId, place }: Kept, row: FunctionRow, places: readonly string[]): boolean {
    return arn === row.id && revisionId === row.revisionId && places.includes(place);
  }

  async #launched(row: FunctionRow, places: readonly string[]): Promise<Kept> {
    const { clock, plane, cloud, log } = this.#options;
    const place = this.#leastUsed(places);
    if (place === undefined) {
      log(`${row.name} cannot run: none of its interfaces carries packets`);
      throw LAMBDA_ERRORS.failed();
    }
    const zip = () => Buffer.from(cloud.tables.functionCodes.get(row.codeId)?.zip ?? "", "base64");
    const folder = await this.#folders.of(row.codeId, zip);
    const entry = plane && place !== MACHINE ? await plane.inside(place, "apart") : [];
    if (this.#stopping.signal.aborted) throw LAMBDA_ERRORS.failed();
    // Whoever changes or deletes it from here on finds the environment.
    const now = this.#theRow(row.id);
    if (now.revisionId !== row.revisionId) return this.#launched(now, this.#placesOf(now));
    const variables = variablesOf(row, { folder, now: clock.now() });
    const launch = { clock, entry, folder, row, variables, log: this.#logOf(row.id).writer() };
    const { id: arn, revisionId, codeId } = row;
    const kept = { environment: new Environment(launch), arn, revisionId, codeId, place };
    this.#kept.add(kept);
    void kept.environment.ended.then(() => this.wake());
    return kept;
  }

  #leastUsed(places: readonly string[]): string | undefined {
    const uses = (place: string) => [...this.#kept].filter((kept) => kept.place === place).length;
    return places.toSorted((a, b) => uses(a) - uses(b))[0];
  }

  #logOf(arn: string): FunctionLog {
    const known = this.#logs.get(arn) ?? new FunctionLog();
    this.#logs.set(arn, known);
    return known;
  }

  /** When the next look is due. */
  async #pass(): Promise<number> {
    const { cloud, clock } = this.#options;
    const { functions, functionCodes } = cloud.tables;
    const now = clock.now();
    for (const kept of [...this.#kept]) {
      const { environment, arn } = kept;
      const row = functions.get(arn);
      const isWarm = environment.state === "idle" && now < environment.since + IDLE_MS;
      const isUseful = row && isWarm && this.#fits(kept, row, this.#placesOf(row));
      if (environment.state === "busy" ? !row : !isUseful) await this.#give(kept);
    }
    for (const arn of this.#logs.keys()) if (!functions.get(arn)) this.#logs.delete(arn);
    const used = new Set([...this.#kept].map(({ codeId }) => codeId));
    await this.#folders.keep((codeId) => used.has(codeId) || functionCodes.get(codeId) !== undefined);
    return this.#nextMoment();
  }

  #nextMoment(): number {
    const { functions } = this.#options.cloud.tables;
    const moments = [...this.#kept].flatMap(({ environment, arn }) => [
      environment.state === "idle" ? environment.since + IDLE_MS : Number.POSITIVE_INFINITY,
      functions.get(arn)?.update?.endsAt ?? Number.POSITIVE_INFINITY,
    ]);
    const now = this.#options.clock.now();
    return Math.min(...moments.filter((at) => at > now), Number.POSITIVE_INFINITY);
  }
}
