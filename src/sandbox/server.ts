/**
 * The small cloud's HTTP port. AWS's services are on every path, told apart by the scope of the signature;
 * `/_sandbox/...` is the sandbox's own, without a signature: health, settings, reset. Promises one mutation at
 * a time and an answer to everything that is HTTP. Refuses bodies above 1 MB, and pages of other origins.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { type Answer, Cloud, type CloudOptions } from "./cloud.ts";

export interface Sandbox {
  /** Port 0 = any free port. Rejects when the port cannot be had. */
  listen(port: number, host?: string): Promise<{ readonly url: string; readonly port: number }>;
  /** Ends open connections and frees the data folder. May be called twice. */
  close(): Promise<void>;
}

/** The most a request's body may have, in bytes. */
const BODY_LIMIT = 1024 * 1024;

/** Opens the state; nothing listens yet. Rejects when the data folder is in use or of a newer version. */
export async function createSandbox(options: CloudOptions): Promise<Sandbox> {
  const cloud = new Cloud(options);
  const server = http.createServer((request, response) => void serve(cloud, request, response));
  // Longer than clients keep idle connections, so that none is closed under a request.
  server.keepAliveTimeout = 65_000;
  let closed: Promise<void> | undefined;
  return {
    listen: (port, host = "127.0.0.1") => listen(server, port, host),
    close() {
      closed ??= stop(server).then(() => cloud.close());
      return closed;
    },
  };
}

function listen(server: http.Server, port: number, host: string): ReturnType<Sandbox["listen"]> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      const address = server.address() as AddressInfo;
      const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
      resolve({ url: `http://${name}:${address.port}`, port: address.port });
    });
  });
}

function stop(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function serve(
  cloud: Cloud,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  if (body === "broken") response.destroy();
  else send(response, body === "tooLarge" ? TOO_LARGE : reply(cloud, request, body));
}

/** `broken` = the client went away in the middle: there is nobody to answer. */
async function readBody(request: http.IncomingMessage): Promise<Buffer | "tooLarge" | "broken"> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      size += chunk.length;
      // Read to its end all the same: a client hears an answer only after it has sent everything.
      if (size <= BODY_LIMIT) chunks.push(chunk);
    }
  } catch {
    return "broken";
  }
  return size > BODY_LIMIT ? "tooLarge" : Buffer.concat(chunks);
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function send(response: http.ServerResponse, { status, headers, body }: Reply): void {
  const length = status === 204 ? {} : { "content-length": Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...length });
  response.end(body);
}

function xml({ status, requestId, body }: Answer): Reply {
  return {
    status,
    headers: { "content-type": "text/xml;charset=UTF-8", "x-amzn-requestid": requestId },
    body,
  };
}

const TOO_LARGE: Reply = xml({
  status: 413,
  requestId: "",
  body:
    "<Response><Errors><Error><Code>RequestEntityTooLarge</Code>" +
    `<Message>The request is larger than ${BODY_LIMIT} bytes.</Message></Error></Errors></Response>`,
});

function reply(cloud: Cloud, request: http.IncomingMessage, body: Buffer): Reply {
  const { method = "", url = "/", headersDistinct: headers } = request;
  const [pathname = ""] = url.split("?", 1);
  if (!pathname.startsWith(OWN_PATHS)) return xml(cloud.answer({ method, url, headers, body }));
  // A page of the web that a developer happens to visit must not reset their cloud.
  if (headers.origin !== undefined) return json(403, { message: "requests of web pages are refused" });
  return administer(cloud, `${method} ${pathname.slice(OWN_PATHS.length)}`, body);
}

const OWN_PATHS = "/_sandbox/";

function json(status: number, value: object): Reply {
  return { status, headers: { "content-type": "application/json" }, body: `${JSON.stringify(value)}\n` };
}

/** The sandbox's own requests. */
function administer(cloud: Cloud, what: string, body: Buffer): Reply {
  switch (what) {
    case "GET health":
      return json(200, { status: "ok" });
    case "GET settings":
      return json(200, cloud.settings);
    case "PATCH settings":
      return patchSettings(cloud, body);
    case "POST reset":
      return cloud.reset()
        ? { status: 204, headers: {}, body: "" }
        : json(500, { message: "the state could not be written; see the log" });
    default:
      return json(404, { message: `there is no ${what} here` });
  }
}

function patchSettings(cloud: Cloud, body: Buffer): Reply {
  try {
    return json(200, cloud.patch(JSON.parse(body.toString())));
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
    return json(400, { message: error.message });
  }
}
