/**
 * The socket side of the API. Promises that slow, endless or malformed requests are cut off with an answer,
 * and that closing lets what runs come to its end, for at most three seconds.
 */
import { randomUUID } from "node:crypto";
import { createServer, type Server, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { createAdaptorServer } from "@hono/node-server";
import { asFailure, Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/model.ts";
import { logged, problemBody, problemResponse } from "./errors.ts";

export interface Listener {
  /** Port 0 takes a free one. Rejects with `conflict` when the port is taken, `invalid` when it is none. */
  listen(port: number, host?: string): Promise<{ readonly url: string; readonly port: number }>;
  /** Stops accepting, finishes what runs, cuts off what takes longer than 3 s. */
  close(): Promise<void>;
}

export interface ListenerOptions {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly clock: Clock;
  readonly log: (line: Record<string, unknown>) => void;
}

/** The process has 5 s for its whole end, and the other parts need some of it. */
const DRAIN_MS = 3_000;

/** A client that sends its request slower than this is not waited for: https://nodejs.org/api/http.html#serverrequesttimeout */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16_384,
} as const;

export function listener(options: ListenerOptions): Listener {
  let closing = false;
  let server: Server | null = null;
  const fetch = async (request: Request) => {
    const response = await guarded(options, request);
    if (closing) response.headers.set("connection", "close");
    return response;
  };
  return {
    async listen(port, host = "127.0.0.1") {
      if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) throw noPort(port);
      server = createAdaptorServer({
        fetch,
        createServer,
        overrideGlobalObjects: false,
        serverOptions: LIMITS,
      }) as Server;
      server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuseBytes(options, error, socket));
      return listening(server, port, host);
    },
    async close() {
      closing = true;
      if (server) await drained(server, options.clock);
    },
  };
}

/** Whatever escapes below is our bug; it becomes an answer and a line in the log all the same. */
async function guarded({ fetch, log }: ListenerOptions, request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (thrown) {
    const failure = asFailure(thrown);
    const requestId = `req_${randomUUID()}`;
    log({ event: "request", level: "error", requestId, ...logged(failure) });
    return problemResponse(failure, requestId);
  }
}

function listening(server: Server, port: number, host: string): Promise<{ url: string; port: number }> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port)));
    server.listen(port, host, () => {
      const { port: bound } = server.address() as AddressInfo;
      resolve({ url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`, port: bound });
    });
  });
}

function noPort(port: number): Failure {
  return new Failure("invalid", `${port} is no port: a whole number from 0 to 65535 is`);
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): Failure {
  const taken = error.code === "EADDRINUSE";
  return new Failure(
    taken ? "conflict" : "unavailable",
    taken ? `Port ${port} of ${host} is taken` : `Cannot listen on ${host}:${port}: ${error.code}`,
    { hint: "Choose another address or port.", cause: error },
  );
}

async function drained(server: Server, clock: Clock): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const over = new AbortController();
  await Promise.race([closed, clock.sleep(DRAIN_MS, over.signal)]);
  over.abort();
  server.closeAllConnections();
  await closed;
}

const REFUSED: Readonly<Record<string, { readonly status: number; readonly message: string }>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    message: `Headers and URL are larger than ${LIMITS.maxHeaderSize} bytes`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: "The request did not arrive in time" },
};

/** Bytes that never became a request: there is nobody to answer but the socket itself. */
function refuseBytes({ log }: ListenerOptions, error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const { status, message } = REFUSED[error.code ?? ""] ?? { status: 400, message: "This is not HTTP" };
  const requestId = `req_${randomUUID()}`;
  const body = JSON.stringify(problemBody(new Failure("invalid", message), status, requestId));
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      "connection: close",
      "content-type: application/problem+json",
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      "",
      body,
    ].join("\r\n"),
  );
  log({ event: "request", status, requestId, message, detail: error.code });
}
