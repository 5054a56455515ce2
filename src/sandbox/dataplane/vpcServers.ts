/**
 * The resolver and the metadata service of one VPC, on sockets that listen in its router. Promises that each
 * answer is made from the state at that moment, and that nobody who sends rubbish, or nothing, disturbs anybody
 * else. Who asks is the address a packet comes from: the router has checked it.
 */
import type dgram from "node:dgram";
import http from "node:http";
import net from "node:net";
import type { Resolve } from "./dns.ts";
import { resolverFor } from "./dns.ts";
import { answerTo } from "./dnsMessages.ts";
import type { Door, Opened } from "./listeners.ts";
import { metadataAnswer } from "./metadata.ts";
import { METADATA_ADDRESS, RESOLVER_ADDRESS } from "./names.ts";
import type { Look } from "./reading.ts";

const DNS_PORT = 53;
/** https://www.rfc-editor.org/rfc/rfc7766#section-6.2.3: seconds, not minutes */
const IDLE_MS = 10_000;

/** What is to be opened in a router; `resolver` is the VPC's own address of it. */
export function doorsOf(resolver: string): Door[] {
  const dns = [RESOLVER_ADDRESS, resolver].flatMap((address) =>
    (["udp", "tcp"] as const).map((protocol) => ({ protocol, address, port: DNS_PORT })),
  );
  return [...dns, { protocol: "tcp", address: METADATA_ADDRESS, port: 80 }];
}

export interface Served {
  readonly vpcId: string;
  /** The state at this moment. */
  readonly look: () => Look;
  readonly secret: Buffer;
}

/** Serves until the function that it answers with is called; that closes the sockets too. */
export function serveDoors(opened: readonly Opened[], served: Served): () => void {
  const connections = new Set<net.Socket>();
  const metadata = http.createServer((request, response) => answerMetadata(served, request, response));
  const resolve: Resolve = (question) => resolverFor(served.look(), served.vpcId)(question);
  for (const { socket, port } of opened) {
    if (!(socket instanceof net.Server)) answerDatagrams(socket, resolve);
    else
      socket.on("connection", (connection) => {
        connections.add(connection);
        connection.setTimeout(IDLE_MS, () => connection.destroy());
        connection.once("close", () => connections.delete(connection));
        if (port === DNS_PORT) answerStream(connection, resolve);
        else metadata.emit("connection", connection);
      });
  }
  return () => {
    for (const { socket } of opened) socket.close();
    for (const connection of connections) connection.destroy();
  };
}

function answerDatagrams(socket: dgram.Socket, resolve: Resolve): void {
  // The kernel's refusals: the host that asked has gone.
  socket.on("error", () => {});
  socket.on("message", (query, { address, port }) => {
    const answer = answerTo(query, "udp", resolve);
    if (answer) socket.send(answer, port, address, () => {});
  });
}

const LENGTH_BYTES = 2;

/** Each message has its length before it; several may come one after the other. */
function answerStream(connection: net.Socket, resolve: Resolve): void {
  let buffered = Buffer.alloc(0);
  connection.on("error", () => {});
  connection.on("data", (chunk) => {
    buffered = Buffer.concat([buffered, chunk]);
    for (let query = firstOf(buffered); query; query = firstOf(buffered)) {
      buffered = buffered.subarray(LENGTH_BYTES + query.length);
      const answer = answerTo(query, "tcp", resolve);
      if (answer) connection.write(Buffer.concat([lengthOf(answer), answer]));
      else connection.destroy();
    }
  });
}

function firstOf(stream: Buffer): Buffer | undefined {
  if (stream.length < LENGTH_BYTES) return undefined;
  const end = LENGTH_BYTES + stream.readUInt16BE(0);
  return stream.length < end ? undefined : stream.subarray(LENGTH_BYTES, end);
}

function lengthOf(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(message.length);
  return length;
}

function answerMetadata(served: Served, request: http.IncomingMessage, response: http.ServerResponse): void {
  const { method = "", url = "", headers } = request;
  const { vpcId, secret } = served;
  const from = request.socket.remoteAddress ?? "";
  // What a request may bear is of no interest, and read to its end all the same.
  request.resume();
  const {
    status,
    headers: more,
    body,
  } = metadataAnswer({ look: served.look(), vpcId, from, secret }, { method, url, headers });
  const bytes = Buffer.from(body, "latin1");
  response.writeHead(status, {
    server: "EC2ws",
    "content-type": "text/plain",
    "content-length": bytes.length,
    ...more,
  });
  response.end(method === "HEAD" ? undefined : bytes);
}
