/**
 * Requests as any HTTP client makes them, and what is expected of a refusal: status, code, media type, a
 * message that says what is wrong and a hint that says what would be right.
 */
import assert from "node:assert/strict";
import type { House } from "./house.ts";
import { CUSTOMER } from "./house.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: an answer's fields are what the tests are about.
  readonly body: any;
}

export interface Asked {
  /** The operator's by default; null sends none. */
  readonly key?: string | null;
  /** JSON, or text as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** `ask(house, "POST /v1/datasets", { body })`. */
export async function ask(
  house: Pick<House, "url" | "operatorKey">,
  what: string,
  asked: Asked = {},
): Promise<Reply> {
  const { key = house.operatorKey, body, signal } = asked;
  const [method = "GET", path = "/"] = what.split(" ");
  const response = await fetch(`${house.url}${path}`, {
    method,
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...asked.headers,
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    ...(signal && { signal }),
  });
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, text, body: text === "" ? null : JSON.parse(text) };
}

/**
 * The same for requests that need a look at the cloud: on a busy machine the 10 s they wait for it may pass on a
 * fast clock, and then they say to try again.
 */
export async function askPatiently(
  house: Pick<House, "url" | "operatorKey">,
  what: string,
  asked: Asked = {},
): Promise<Reply> {
  for (let left = 20; ; left--) {
    const reply = await ask(house, what, asked);
    if (reply.status !== 503 || left === 0) return reply;
  }
}

/** A configuration that is right but for what `writeConnector` and `rest` say. */
export function kafka(
  datasetName: string,
  writeConnector: Readonly<Record<string, unknown>> = {},
  rest: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    datasetName,
    region: "us-east-1",
    customerAccountForAccess: CUSTOMER,
    writeConnector: {
      connectorDestination: "Kafka",
      kafka: { clusterType: "none" },
      vpcSize: "small",
      ...writeConnector,
    },
    ...rest,
  };
}

export interface Refusal {
  readonly status: number;
  readonly code: string;
  /** All of these are in the message. */
  readonly says: readonly (string | RegExp)[];
  /** All of these are in the hint. */
  readonly hints?: readonly (string | RegExp)[];
}

export function assertRefused(reply: Reply, { status, code, says, hints = [] }: Refusal): void {
  assert.deepEqual([reply.status, reply.body?.code], [status, code], reply.text);
  assert.equal(reply.headers.get("content-type"), "application/problem+json");
  assert.equal(reply.body.requestId, reply.headers.get("x-request-id"));
  for (const part of says) assertHolds(reply.body.message, part);
  for (const part of hints) assertHolds(reply.body.hint ?? "", part);
}

function assertHolds(text: string, part: string | RegExp): void {
  if (typeof part === "string") assert.ok(text.includes(part), `"${part}" is not in: ${text}`);
  else assert.match(text, part);
}
