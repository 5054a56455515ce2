/**
 * An API for tests: the real store in memory, the real intent, no cloud. What the cloud shows is said by the
 * test with `look`, as the reconciler would write it down. Not used by the product.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { allOperations } from "../contract/operations.ts";
import { type Actor, createIntent, type Intent } from "../control/intent.ts";
import type { Condition, Layout, Role } from "../domain/model.ts";
import type { World } from "../domain/world.ts";
import type { Store } from "../store/store.ts";
import { type ManualClock, manualClock, memoryStore } from "../store/testing.ts";
import { type ApiServer, apiServer } from "./server.ts";

export interface Ask {
  readonly key?: string;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The JSON of the answer. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads into answers of every shape
  readonly body: any;
}

export interface TestHouse {
  readonly api: ApiServer;
  readonly store: Store;
  readonly intent: Intent;
  readonly clock: ManualClock;
  /** The log so far. */
  readonly lines: Record<string, unknown>[];
  readonly operatorKey: string;
  ask(request: string, ask?: Ask): Promise<Reply>;
  /** A tenant with a key of each role. */
  tenant(name: string): Promise<{ readonly id: string } & Readonly<Record<Role, string>>>;
  /** Writes down what the cloud shows of a dataset's network. */
  look(tenantId: string, datasetName: string, seen: Sight): Promise<void>;
  close(): Promise<void>;
}

export interface Sight {
  readonly world: World;
  readonly conditions?: readonly Condition[];
  readonly layout?: Layout;
  readonly ready?: boolean;
}

const ROOT: Actor = { keyId: "key_root", keyName: "root", role: "admin", tenantId: null };

export async function testHouse(
  platform: { sandboxUrl?: string } = {},
  given: { functionRoleArn?: string } = {},
): Promise<TestHouse> {
  const clock = manualClock();
  const store = await memoryStore(clock);
  const cellOf = async () => ({ account: "999999999999", roleArn: null });
  const intent = createIntent({ store, clock, cellOf, randomBytes, ...given });
  const lines: Record<string, unknown>[] = [];
  const log = (line: Record<string, unknown>) => void lines.push(line);
  const api = apiServer({ store, intent, clock, log, ready: async () => {}, platform });
  // As the first start of the product does.
  await intent.createTenant(ROOT, { name: "default", avoidCidrs: [] });
  const operator = await intent.createKey(ROOT, { tenantId: null, name: "operator", role: "admin" });
  return {
    api,
    store,
    intent,
    clock,
    lines,
    operatorKey: operator.secret,
    ask: (request, ask) => send(api, request, ask),
    tenant: (name) => newTenant({ store, intent }, name),
    look: (tenantId, datasetName, seen) => look({ store, clock }, { tenantId, datasetName, seen }),
    close: async () => {
      await api.close();
      await store.close();
    },
  };
}

async function send(api: ApiServer, request: string, { key, body, headers }: Ask = {}): Promise<Reply> {
  const [method = "GET", path = "/"] = request.split(" ");
  const sent = new Headers(headers);
  if (key !== undefined) sent.set("authorization", `Bearer ${key}`);
  if (body !== undefined && !sent.has("content-type")) sent.set("content-type", "application/json");
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const init = { method, headers: sent, ...(body !== undefined && { body: text }) };
  const response = await api.fetch(new Request(`http://api.test${path}`, init));
  const reply = await response.text();
  const json = /json/.test(response.headers.get("content-type") ?? "") && reply !== "";
  return {
    status: response.status,
    headers: response.headers,
    text: reply,
    body: json ? JSON.parse(reply) : null,
  };
}

async function newTenant({ store, intent }: { store: Store; intent: Intent }, name: string) {
  const existing = await store.tenantByName(name);
  const { id } = existing ?? (await intent.createTenant(ROOT, { name, avoidCidrs: [] }));
  const keyFor = async (role: Role) =>
    (await intent.createKey(ROOT, { tenantId: id, name: `${name}-${role}`, role })).secret;
  return { id, viewer: await keyFor("viewer"), member: await keyFor("member"), admin: await keyFor("admin") };
}

async function look(
  { store, clock }: { store: Store; clock: ManualClock },
  { tenantId, datasetName, seen }: { tenantId: string; datasetName: string; seen: Sight },
): Promise<void> {
  const scope = store.tenant(tenantId);
  const dataset = await scope.dataset(datasetName);
  const network = dataset && (await scope.network(dataset.id));
  assert.ok(network, `${datasetName} has a network`);
  await store.change((tx) => tx.wake(network.id));
  const leases = await store.work.claim(1000, 60_000);
  const lease = leases.find(({ networkId }) => networkId === network.id);
  assert.ok(lease, `nobody else works on ${datasetName}`);
  const writes = store.pass(lease);
  if (seen.layout) await writes.saveLayout(seen.layout);
  if (seen.ready) await writes.markReady();
  await writes.saveStatus({ conditions: seen.conditions ?? [], world: seen.world, observedAt: clock.now() });
  for (const one of leases) await store.work.finish(one, null);
}

/** Fails unless the answer has the very shape that the table promises. */
export function assertPromised(id: Parameters<typeof allOperations.get>[0], reply: Reply): void {
  const operation = allOperations.get(id);
  assert.ok(operation);
  assert.equal(reply.status, operation.status, reply.text);
  const parsed = operation.answer.strict().safeParse(reply.body);
  assert.ok(parsed.success, `${id}: ${parsed.error?.message} in ${reply.text}`);
  assert.deepEqual(parsed.data, reply.body, `${id} answers fields that the table does not promise`);
}

/** Fails unless it is a problem of that kind, and nothing of the house shows. */
export function assertProblem(reply: Reply, status: number, code: string): void {
  assert.equal(reply.status, status, reply.text);
  assert.equal(reply.headers.get("content-type"), "application/problem+json");
  assert.equal(reply.body.code, code);
  assert.equal(reply.body.status, status);
  assert.equal(reply.body.type, `urn:letsdata:problem:${code}`);
  assert.equal(reply.body.requestId, reply.headers.get("x-request-id"));
  assert.equal("stack" in reply.body || "detail" in reply.body, false);
}
