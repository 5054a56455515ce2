/**
 * Puts store, cloud, will and API together for `letsdata serve`, and takes them apart again in the reverse
 * order. Promises `ready` only once the API answers, one operator key per data folder, and to be gone within
 * 5 s of the signal. The half of the composition root that needs the heavy rooms; main.ts imports it lazily.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { apiServer } from "./api/server.ts";
import type { LocalRoom, OptionValues } from "./cli/commands.ts";
import { sandboxUrlOf } from "./cli/connection.ts";
import { type AwsCloud, awsCloud } from "./cloud/aws/ec2.ts";
import { type Actor, createIntent, type Intent } from "./control/intent.ts";
import type { PriceTable } from "./control/outlook.ts";
import { keyHash } from "./control/people.ts";
import { pricesFrom } from "./control/prices.ts";
import { createProber } from "./control/prober.ts";
import { functionRoleAccount } from "./control/probeWishes.ts";
import { createReconciler } from "./control/reconciler.ts";
import { createSweeper } from "./control/sweeper.ts";
import { asFailure, Failure } from "./domain/failure.ts";
import type { Clock, Region } from "./domain/model.ts";
import { kafkaPlaces } from "./sandbox/brokers/software.ts";
import { createSandbox } from "./sandbox/server.ts";
import { patchFrom, settings } from "./sandbox/settings.ts";
import { chaos, folderFailure, sandboxFailure } from "./sandboxGroup.ts";
import { openStore } from "./store/database.ts";
import type { Store } from "./store/store.ts";

/** What only the entry knows. */
export interface ServeRoom extends LocalRoom {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly random: () => number;
}

/** The account the sandbox gives the platform; the customer's is whatever account they sign as. */
const SANDBOX_PLATFORM_ACCOUNT = "999999999999";
const STOP_WITHIN_MS = 3_800;
/**
 * From the signal: as long as this the calls that are on their way are waited for. A create whose answer is
 * not heard is looked for by its tag at the next start, which may take the whole consistency window.
 */
const LAST_CALLS_MS = 2_800;

export async function serve(options: OptionValues, room: ServeRoom): Promise<number> {
  const { clock } = room;
  const stack: (() => Promise<void>)[] = [];
  const log = (line: Record<string, unknown>) =>
    void room.stderr.write(`${JSON.stringify({ at: new Date(clock.now()).toISOString(), ...line })}\n`);
  try {
    const url = await compose({ options, room, log, onStop: (stop) => void stack.push(stop) });
    room.stdout.write(`ready ${url}\n`);
    await new Promise<void>((done) => {
      if (room.signal.aborted) done();
      else room.signal.addEventListener("abort", () => done(), { once: true });
    });
    log({ event: "stopping" });
    return 0;
  } finally {
    const ended = (async () => {
      for (const stop of stack.reverse()) await stop();
    })();
    const over = new AbortController();
    await Promise.race([ended, clock.sleep(STOP_WITHIN_MS, over.signal)]);
    over.abort();
  }
}

interface Composition {
  readonly options: OptionValues;
  readonly room: ServeRoom;
  readonly log: (line: Record<string, unknown>) => void;
  readonly onStop: (stop: () => Promise<void>) => void;
}

/** Store, cloud, will, API; the URL of the API once it answers. */
async function compose(composition: Composition): Promise<string> {
  const { options, room, log, onStop } = composition;
  const { clock } = room;
  const prices = pricesGiven(options);
  const functionRole = functionRoleGiven(options);
  const dataDir = resolve(text(options, "dataDir") ?? ".letsdata");
  makeFolder(dataDir);
  const store = await openTheStore(composition, dataDir);
  const onAws = text(options, "cloud") === "aws";
  const sandboxUrl = onAws ? undefined : await sandbox(composition, dataDir);
  const processes = await census(composition, store);
  const cloud = await theCloud(composition, store, { sandboxUrl, livingProcesses: () => processes.living });
  const roleArn = text(options, "roleArn") ?? null;
  const cellOf = platformCell(roleArn, async (region) =>
    sandboxUrl ? SANDBOX_PLATFORM_ACCOUNT : cloud.account({ id: "platform", account: "", roleArn, region }),
  );
  const intent = createIntent({
    ...{ store, clock, cellOf, randomBytes, stopping: room.signal },
    ...prices,
    ...functionRole,
  });
  startTheWill(composition, { store, cloud, ...prices });
  const platform = sandboxUrl ? { sandboxUrl } : {};
  const api = apiServer({ store, intent, clock, log, ready: () => store.ping(), platform, ...prices });
  onStop(() => api.close());
  const { url } = await api.listen(number(options, "port") ?? 0, text(options, "host") ?? "127.0.0.1");
  await writeCredentials({ store, intent, dataDir, url, sandboxUrl });
  return url;
}

interface WillParts {
  readonly store: Store;
  readonly cloud: AwsCloud;
  readonly prices?: PriceTable;
}

/** The reconciler, and sweeper and prober beside it. */
function startTheWill({ options, room, log, onStop }: Composition, parts: WillParts): void {
  const { clock } = room;
  const windowMs = 1000 * (number(options, "consistencySeconds") ?? 300);
  const resyncMs = 1000 * (number(options, "resyncSeconds") ?? 30);
  const reconciler = createReconciler({ ...parts, clock, log, windowMs, resyncMs });
  const sweeper = createSweeper({ ...parts, clock, log, windowMs });
  const prober = createProber({ ...parts, clock, log });
  let asked = 0;
  room.signal.addEventListener("abort", () => (asked = clock.now()), { once: true });
  const stopping = new AbortController();
  const running = Promise.all([reconciler, sweeper, prober].map((one) => one.run(stopping.signal)));
  onStop(async () => {
    stopping.abort();
    const ended = new AbortController();
    void running.finally(() => ended.abort());
    await clock.sleep(Math.max(0, asked + LAST_CALLS_MS - clock.now()), ended.signal);
    parts.cloud.close();
    await running;
  });
}

/** The operator's own price table, when they gave one. */
function pricesGiven(options: OptionValues): { readonly prices?: PriceTable } {
  const file = text(options, "pricesFile");
  if (file === undefined) return {};
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new Failure("invalid", `There is no prices file ${file}`);
  return { prices: pricesFrom(readFileSync(file, "utf8"), file) };
}

/** What functions of ours run as, when the operator made a role for them. */
function functionRoleGiven(options: OptionValues): { readonly functionRoleArn?: string } {
  const functionRoleArn = text(options, "functionRoleArn");
  if (functionRoleArn === undefined) return {};
  if (functionRoleAccount(functionRoleArn) === null)
    throw new Failure("invalid", `--functionRoleArn ${functionRoleArn} is not the ARN of a role`, {
      hint: "It looks like arn:aws:iam::123456789012:role/NAME",
    });
  return { functionRoleArn };
}

const HEARTBEAT_MS = 10_000;

/** This process says that it lives, as long as it does; all of them share a cell's budget of calls. */
async function census(
  { room, log, onStop }: Composition,
  store: Store,
): Promise<{ readonly living: number }> {
  const id = randomBytes(8).toString("hex");
  const counted = { living: await store.work.heartbeat(id) };
  const over = new AbortController();
  const beating = (async () => {
    while (!over.signal.aborted) {
      await room.clock.sleep(HEARTBEAT_MS, over.signal);
      if (over.signal.aborted) break;
      counted.living = await store.work.heartbeat(id).catch((thrown: unknown) => {
        log({ level: "warn", event: "no heartbeat", message: asFailure(thrown).message });
        return counted.living;
      });
    }
    await store.work.farewell(id).catch(() => undefined);
  })();
  onStop(() => {
    over.abort();
    return beating;
  });
  return counted;
}

async function theCloud(
  { options, room, log, onStop }: Composition,
  store: Store,
  { sandboxUrl, livingProcesses }: { sandboxUrl: string | undefined; livingProcesses: () => number },
) {
  const { installation } = await store.settings();
  const endpoint = sandboxUrl ?? room.env.AWS_ENDPOINT_URL;
  const externalId = text(options, "externalId");
  const cloud = awsCloud({
    clock: room.clock,
    installation,
    random: room.random,
    livingProcesses,
    log: (event, fields) => log({ event, ...fields }),
    ...(endpoint ? { endpoint } : {}),
    ...(sandboxUrl
      ? { credentials: { accessKeyId: SANDBOX_PLATFORM_ACCOUNT, secretAccessKey: "test" } }
      : {}),
    ...(externalId ? { externalId } : {}),
  });
  onStop(async () => cloud.close());
  return cloud;
}

async function openTheStore({ room, log, onStop }: Composition, dataDir: string): Promise<Store> {
  const databaseUrl = room.env.DATABASE_URL;
  if (!databaseUrl && !existsSync(join(dataDir, "database/database")))
    log({ event: "first start", message: `making a database in ${dataDir}, which takes some seconds` });
  const store = await openStore({
    clock: room.clock,
    ...(databaseUrl ? { databaseUrl } : { dataDir: join(dataDir, "database") }),
  });
  onStop(() => store.close());
  return store;
}

/** The URL of the sandbox: the one given, or one of our own beside the database. */
async function sandbox({ options, room, log, onStop }: Composition, dataDir: string): Promise<string> {
  const given = text(options, "sandboxUrl");
  if (given) return sandboxUrlOf(given, { env: room.env, cwd: "" });
  const profile = text(options, "sandboxProfile") === "aws" ? "aws" : "quick";
  try {
    const cloud = await createSandbox({
      clock: room.clock,
      settings: settings(profile, patchFrom([...chaos(room.env), ...list(options, "sandboxSet")])),
      dataDir: join(dataDir, "sandbox"),
      packets: text(options, "sandboxPackets") !== "off",
      kafka: kafkaPlaces(text(options, "sandboxKafka"), { env: room.env, cwd: "", dataDir }),
      log: (message) => log({ event: "sandbox", message }),
    });
    onStop(() => cloud.close());
    return (await cloud.listen(number(options, "sandboxPort") ?? 0)).url;
  } catch (thrown) {
    throw sandboxFailure(thrown);
  }
}

function makeFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw folderFailure(thrown) ?? thrown;
  }
}

/** The account that new networks go to: the role's own, or whoever the credentials are. Asked once. */
function platformCell(roleArn: string | null, whoAmI: (region: Region) => Promise<string>) {
  const fromRole = roleArn ? /^arn:[^:]+:iam::(\d{12}):role\//.exec(roleArn)?.[1] : undefined;
  if (roleArn && !fromRole) throw new Failure("invalid", `--roleArn ${roleArn} is not the ARN of a role`);
  let account = fromRole;
  return async (region: Region) => {
    account ??= await whoAmI(region);
    return { account, roleArn };
  };
}

interface Credentials {
  readonly url: string;
  readonly apiKey: string;
  readonly sandboxUrl: string | null;
  readonly platformAccount: string | null;
}

interface Handover {
  readonly store: Store;
  readonly intent: Intent;
  readonly dataDir: string;
  readonly url: string;
  readonly sandboxUrl: string | undefined;
}

const FIRST_START: Actor = { keyId: "serve", keyName: "letsdata serve", role: "admin", tenantId: null };

/** The first start makes the tenant `default` and an operator key; later starts keep the key while it works. */
async function writeCredentials({ store, intent, dataDir, url, sandboxUrl }: Handover): Promise<void> {
  if (!(await store.tenantByName("default")))
    await intent.createTenant(FIRST_START, { name: "default", avoidCidrs: [] }).catch((thrown: unknown) => {
      // Another process may have made it a moment ago.
      if (asFailure(thrown).code !== "conflict") throw thrown;
    });
  const file = join(dataDir, "credentials.json");
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Partial<Credentials>) : {};
  const known = before.apiKey ? await store.keyByHash(keyHash(before.apiKey)) : null;
  const apiKey =
    before.apiKey && known && known.revokedAt === null
      ? before.apiKey
      : (await intent.createKey(FIRST_START, { tenantId: null, name: "operator", role: "admin" })).secret;
  const credentials: Credentials = {
    url,
    apiKey,
    sandboxUrl: sandboxUrl ?? null,
    platformAccount: sandboxUrl ? SANDBOX_PLATFORM_ACCOUNT : null,
  };
  writeFileSync(`${file}.new`, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  chmodSync(`${file}.new`, 0o600);
  renameSync(`${file}.new`, file);
}

function text(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

function number(options: OptionValues, name: string): number | undefined {
  const value = options[name];
  return typeof value === "number" ? value : undefined;
}

function list(options: OptionValues, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value : [];
}
