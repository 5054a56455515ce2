/**
 * Bodies of 100 MB: refused before they have arrived, with an answer that the sender gets to read, while others
 * are served, and without the memory for them.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import { type House, openHouse } from "./support/house.ts";
import { ask } from "./support/requests.ts";

const MB = 1024 * 1024;
const HUGE = 100 * MB;
const PART = Buffer.alloc(64 * 1024, " ");

let house: House;

before(async () => {
  house = await openHouse({ reconcile: false });
});
after(() => house.close());

interface Sent {
  readonly status: number | undefined;
  readonly text: string;
  /** Bytes that were handed to the socket by the time the answer was there. */
  readonly sent: number;
}

/** Sends as long as somebody takes it, 100 MB at most. */
async function send(headers: http.OutgoingHttpHeaders): Promise<Sent> {
  const agent = new http.Agent();
  const request = http.request(`${house.url}/v1/datasets`, {
    method: "POST",
    agent,
    headers: {
      authorization: `Bearer ${house.operatorKey}`,
      "content-type": "application/json",
      ...headers,
    },
  });
  // The server hangs up on the rest, as it said it would.
  request.on("error", () => undefined);
  const closed = once(request, "close").then(() => null);
  const answered = once(request, "response").then(([response]) => response as http.IncomingMessage);
  const taken = await sendUntil(request, Promise.race([answered, closed]));
  const response = await answered;
  let text = "";
  for await (const part of response) text += part;
  request.destroy();
  agent.destroy();
  return { status: response.statusCode, text, sent: taken };
}

/** Bytes handed over until then. */
async function sendUntil(request: http.ClientRequest, then: Promise<unknown>): Promise<number> {
  let sent = 0;
  const over = then.then(() => true);
  for (let drained = Promise.resolve(false); sent < HUGE; sent += PART.length) {
    if (await Promise.race([over, drained])) break;
    drained = request.write(PART) ? drained : new Promise((go) => request.once("drain", () => go(false)));
  }
  return sent;
}

function assertTooLarge({ status, text, sent }: Sent): void {
  assert.equal(status, 413, text);
  const problem = JSON.parse(text);
  assert.deepEqual([problem.code, problem.status], ["invalid", 413]);
  assert.match(problem.message, /larger than 1048576 bytes/);
  assert.ok(sent < 20 * MB, `${sent} bytes were taken before the answer`);
}

describe("a body of 100 MB", () => {
  test("that says its length is refused at once", async () => {
    assertTooLarge(await send({ "content-length": HUGE }));
  });

  test("that does not is refused after the first of it", async () => {
    assertTooLarge(await send({ "transfer-encoding": "chunked" }));
  });

  test("sent by eight at once: the others are served, and the memory stays", async () => {
    const rss = () => process.memoryUsage().rss;
    const before = rss();
    const sending = Promise.all(Array.from({ length: 8 }, () => send({ "transfer-encoding": "chunked" })));
    for (let asked = 0; asked < 20; asked++) assert.equal((await ask(house, "GET /v1/datasets")).status, 200);
    for (const answer of await sending) assertTooLarge(answer);
    const grown = (rss() - before) / MB;
    assert.ok(grown < 150, `${Math.round(grown)} MB for 800 MB of bodies`);
    assert.equal((await ask(house, "GET /healthz")).status, 200);
  });
});
