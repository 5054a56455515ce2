import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { Failure } from "../domain/failure.ts";
import { ApiFailure, apiClient } from "./client.ts";

interface Got {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

/** Answers what the test set, and keeps what it was asked. */
let server: Server;
let url = "";
let reply = { status: 200, type: "application/json", body: "{}" };
let got: Got[] = [];

before(async () => {
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { method = "", url: path = "", headers } = request;
    got.push({ method, url: path, headers, body: Buffer.concat(parts).toString() });
    response.writeHead(reply.status, { "content-type": reply.type, "x-request-id": "req_1" }).end(reply.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

function client(more: { url?: string; timeoutMs?: number } = {}) {
  got = [];
  return apiClient({ url, apiKey: "ld_test", ...more });
}

function answers(status: number, body: unknown, type = "application/json"): void {
  reply = { status, type, body: typeof body === "string" ? body : JSON.stringify(body) };
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const thrown = await promise.then(
    () => assert.fail("no failure"),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof Failure, String(thrown));
  return thrown;
}

describe("a call", () => {
  test("puts each field where the table has it", async () => {
    answers(202, { vpcPeeringConnectionId: "pcx-0123456789abcdef0" });
    await client().call("vpcPeeringConnections.accept", {
      datasetName: "Clicks",
      vpcPeeringConnectionId: "pcx-0123456789abcdef0",
      tenantName: "acme",
    });
    assert.equal(got[0]?.method, "POST");
    assert.equal(
      got[0]?.url,
      "/v1/datasets/Clicks/vpcPeeringConnections/pcx-0123456789abcdef0/accept?tenantName=acme",
    );
    assert.equal(got[0]?.body, "");
    assert.equal(got[0]?.headers.authorization, "Bearer ld_test");
  });

  test("sends the rest as the body, with the idempotency key", async () => {
    answers(201, { keyId: "key_1" });
    const answer = await client().call(
      "keys.create",
      { name: "dashboards", role: "viewer", tenantName: "acme" },
      { idempotencyKey: "once-1" },
    );
    assert.equal(answer.keyId, "key_1");
    assert.equal(got[0]?.url, "/v1/keys?tenantName=acme");
    assert.deepEqual(JSON.parse(got[0]?.body ?? ""), { name: "dashboards", role: "viewer" });
    assert.equal(got[0]?.headers["idempotency-key"], "once-1");
  });

  test("sends no idempotency key where none is taken", async () => {
    await client().callAny("datasets.list", { limit: 5, cursor: undefined }, { idempotencyKey: "once-1" });
    assert.equal(got[0]?.url, "/v1/datasets?limit=5");
    assert.equal(got[0]?.headers["idempotency-key"], undefined);
  });

  test("keeps what a name needs encoded inside its part of the path", async () => {
    await client().callAny("datasets.view", { datasetName: "a/../b?c" });
    assert.equal(got[0]?.url, "/v1/datasets/a%2F..%2Fb%3Fc");
  });

  test("goes to an API below a path", async () => {
    await client({ url: `${url}/letsdata/` }).callAny("datasets.list", {});
    assert.equal(got[0]?.url, "/letsdata/v1/datasets");
  });

  test("refuses fields that the operation does not know, and a missing part of the path", async () => {
    const unknown = await failureOf(client().callAny("datasets.view", { datasetName: "Clicks", limit: 1 }));
    assert.deepEqual([unknown.code, unknown.message], ["invalid", "Unknown: limit"]);
    const missing = await failureOf(client().callAny("datasets.view", {}));
    assert.equal(missing.message, "datasetName is missing");
    assert.equal(got.length, 0);
  });
});

describe("a refusal", () => {
  test("keeps code, message, hint and request id", async () => {
    answers(404, {
      code: "notFound",
      message: "There is no dataset Clicks",
      hint: "See: letsdata datasets list",
    });
    const failure = await failureOf(client().call("datasets.view", { datasetName: "Clicks" }));
    assert.ok(failure instanceof ApiFailure);
    assert.deepEqual(
      [failure.code, failure.message, failure.hint, failure.requestId, failure.status],
      ["notFound", "There is no dataset Clicks", "See: letsdata datasets list", "req_1", 404],
    );
  });

  test("that is not the API's says so", async () => {
    answers(502, "<html>Bad gateway</html>", "text/html");
    const failure = await failureOf(client().callAny("datasets.list", {}));
    assert.equal(failure.code, "unavailable");
    assert.match(failure.message, /answered 502, but not as the API does/);
    answers(200, "<html>Welcome</html>", "text/html");
    assert.equal((await failureOf(client().callAny("datasets.list", {}))).code, "invalid");
  });
});

describe("a server that is not there", () => {
  test("is unavailable, with its URL and what to do", async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const failure = await failureOf(client({ url: `http://127.0.0.1:${port}` }).callAny("datasets.list", {}));
    assert.equal(failure.code, "unavailable");
    assert.equal(failure.message, `Cannot reach the API at http://127.0.0.1:${port}: nothing listens there`);
    assert.match(failure.hint ?? "", /letsdata serve/);
  });

  test("that never answers is unavailable too", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    try {
      const slow = client({ url: `http://127.0.0.1:${port}`, timeoutMs: 20 });
      const failure = await failureOf(slow.callAny("datasets.list", {}));
      assert.match(failure.message, /did not answer within 0.02 s/);
      const aborted = AbortSignal.abort(new Error("stopped"));
      await assert.rejects(slow.callAny("datasets.list", {}, { signal: aborted }), /stopped/);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});

test("a wrong URL and a broken key are refused before any call", () => {
  assert.throws(() => apiClient({ url: "localhost:80", apiKey: "ld_test" }), /is not the URL of an API/);
  assert.throws(() => apiClient({ url, apiKey: "ld_te\nst" }), /characters that no key has/);
});
