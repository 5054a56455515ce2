import assert from "node:assert/strict";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Failure } from "../domain/failure.ts";
import { type ManualClock, manualClock } from "../store/testing.ts";
import { BODY_LIMIT, jsonBody } from "./body.ts";
import { problemResponse } from "./errors.ts";
import { type Listener, listener } from "./listener.ts";

let clock: ManualClock;
let lines: Record<string, unknown>[];
let open: Listener[];
beforeEach(() => {
  clock = manualClock();
  lines = [];
  open = [];
});
afterEach(async () => {
  for (const one of open) {
    const closed = one.close();
    clock.advance(3_000);
    await closed;
  }
});

async function serving(fetch: (request: Request) => Promise<Response>) {
  const one = listener({ fetch, clock, log: (line) => void lines.push(line) });
  open.push(one);
  return { one, ...(await one.listen(0)) };
}

/** What the server says to these bytes, until it closes the connection. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (part) => {
      text += part;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}

function gate(): { readonly wait: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { wait: promise, open: resolve };
}

describe("bytes that are no request", () => {
  test("get a problem as an answer", async () => {
    const { port } = await serving(async () => new Response("ok"));
    const answer = await raw(port, "GARBAGE\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.match(answer, /"code":"invalid","message":"This is not HTTP"/);
  });

  test("headers beyond the limit are 431", async () => {
    const { port } = await serving(async () => new Response("ok"));
    const answer = await raw(port, `GET / HTTP/1.1\r\nhost: a\r\nx: ${"x".repeat(20_000)}\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 431 /);
    assert.equal(lines[0]?.status, 431);
  });
});

describe("a body beyond the limit", () => {
  const read = async (request: Request) => {
    try {
      return Response.json(await jsonBody(request));
    } catch (thrown) {
      return problemResponse(thrown instanceof Failure ? thrown : new Failure("internal", "?"), "req_1");
    }
  };

  /** Sends until the server answers or cuts; how much it took, and the answer. */
  function flood(port: number, headers: Record<string, string>): Promise<{ status: number; sent: number }> {
    return new Promise((resolve, reject) => {
      let sent = 0;
      let status = 0;
      const part = Buffer.alloc(64 * 1024, "x");
      const all = 100 * BODY_LIMIT;
      const outgoing = httpRequest(
        { port, host: "127.0.0.1", method: "POST", headers },
        (answer: IncomingMessage) => {
          status = answer.statusCode ?? 0;
          answer.resume();
          answer.on("close", () => {
            outgoing.destroy();
            resolve({ status, sent });
          });
        },
      );
      outgoing.on("error", (error) => (status === 0 ? reject(error) : undefined));
      const more = () => {
        while (sent < all && status === 0 && !outgoing.destroyed) {
          sent += part.length;
          if (!outgoing.write(part)) return void outgoing.once("drain", more);
        }
        if (status === 0 && !outgoing.destroyed) outgoing.end();
      };
      more();
    });
  }

  for (const [name, headers] of [
    ["declared", { "content-type": "application/json", "content-length": String(100 * BODY_LIMIT) }],
    ["sent in chunks", { "content-type": "application/json", "transfer-encoding": "chunked" }],
  ] as const)
    test(`${name}: 413 long before its end`, async () => {
      const { port } = await serving(read);
      const { status, sent } = await flood(port, headers);
      assert.equal(status, 413);
      assert.ok(sent < 50 * BODY_LIMIT, `${sent} bytes were taken`);
    });
});

describe("closing", () => {
  test("finishes what runs and takes nothing new", async () => {
    const begun = gate();
    const go = gate();
    const { one, url } = await serving(async () => {
      begun.open();
      await go.wait;
      return new Response("finished");
    });
    const running = fetch(url);
    await begun.wait;
    const closed = one.close();
    await assert.rejects(fetch(url, { headers: { connection: "close" } }));
    go.open();
    const response = await running;
    assert.equal(await response.text(), "finished");
    assert.equal(response.headers.get("connection"), "close");
    await closed;
  });

  test("cuts off what takes longer than 3 s", async () => {
    const begun = gate();
    const never = gate();
    const { one, url } = await serving(async () => {
      begun.open();
      await never.wait;
      return new Response("too late");
    });
    const running = assert.rejects(fetch(url));
    await begun.wait;
    const closed = one.close();
    clock.advance(3_000);
    await closed;
    await running;
    never.open();
  });

  test("before it listens is done at once", async () => {
    await listener({ fetch: async () => new Response(), clock, log: () => undefined }).close();
  });
});

test("a port that is taken is a conflict", async () => {
  const { port } = await serving(async () => new Response("ok"));
  const second = listener({ fetch: async () => new Response(), clock, log: () => undefined });
  await assert.rejects(second.listen(port), (error: Failure) => error.code === "conflict");
});

test("what escapes a handler is an internal problem, with its stack in the log alone", async () => {
  const { url } = await serving(async () => {
    throw new Error("secret of the house");
  });
  const response = await fetch(url);
  assert.equal(response.status, 500);
  assert.equal((await response.text()).includes("secret"), false);
  assert.match(String(lines[0]?.stack), /secret of the house/);
});
