/**
 * The small cloud's HTTP port. AWS's services are on every path, told apart by the scope of the signature;
 * `/_sandbox/...` is the sandbox's own, without a signature (admin.ts). Promises one mutation at a time and an
 * answer to everything that is HTTP, unless a fault says otherwise. Refuses bodies above 1 MB (functions' code:
 * AWS's 70 MB), and pages of other origins.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { administer } from "./admin.ts";
import { type Brokers, openBrokers } from "./brokers/room.ts";
import type { Places } from "./brokers/software.ts";
import { type Answer, Cloud, type CloudOptions } from "./cloud.ts";
import { type DataPlane, type DataPlaneOptions, startDataPlane } from "./dataplane/dataPlane.ts";
import { filesFolder } from "./filesFolder.ts";
import { openFunctions } from "./functions/room.ts";
import type { Runner } from "./functions/runner.ts";
import type { Clock } from "./world.ts";

export interface SandboxOptions extends Omit<CloudOptions, "onChange"> {
  /** Whether packets are to obey the state, where the kernel allows it. */
  readonly packets?: boolean;
  /** Where Kafka may be, for the brokers of clusters; without it they are plain listeners. */
  readonly kafka?: Places | undefined;
  /** What is applied for a topology; a test may hand in another. */
  readonly programs?: DataPlaneOptions["programs"];
}

export interface Sandbox {
  /** undefined when no packets were asked for. */
  readonly dataPlane: DataPlane | undefined;
  /** Port 0 = any free port. Rejects when the port cannot be had. */
  listen(port: number, host?: string): Promise<{ readonly url: string; readonly port: number }>;
  /** Ends open connections and frees the data folder. May be called twice. */
  close(): Promise<void>;
}

/** The most a request's body may have, in bytes. */
const BODY_LIMIT = 1024 * 1024;

/** Of AWS Lambda's: 50 MB of code, as base 64. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const CODE_LIMIT = 70_167_211;

/** Opens the state; nothing listens yet. Rejects when the data folder is in use or of a newer version. */
export async function createSandbox(options: SandboxOptions): Promise<Sandbox> {
  let dataPlane: DataPlane | undefined;
  let brokers: Brokers | undefined;
  let functions: Runner | undefined;
  const onChange = () => {
    dataPlane?.wake();
    brokers?.fleet?.wake();
    functions?.wake();
  };
  const cloud = new Cloud({ ...options, onChange });
  const { clock, log = () => {}, programs, dataDir, kafka } = options;
  const { tables, consoles } = cloud;
  if (options.packets) dataPlane = await startDataPlane({ clock, log, tables, consoles, programs });
  if (dataPlane?.status().status !== "on")
    consoles.excuse("Nothing runs on this instance: the sandbox carries no packets here.");
  const { folder, remove: removeFiles } = filesFolder(dataDir);
  brokers = await openBrokers({ clock, cloud, dataPlane, folder, kafka, log });
  functions = openFunctions({ clock, cloud, dataPlane, folder, log });
  const stopping = new AbortController();
  const desk: Desk = { cloud, dataPlane, brokers, functions, clock, signal: stopping.signal };
  const server = http.createServer((request, response) => void serve(desk, request, response));
  // Longer than clients keep idle connections, so that none is closed under a request.
  server.keepAliveTimeout = 65_000;
  const closeAll = async () => {
    const run = Promise.all([brokers?.close(), functions?.close()]);
    await Promise.all([stop(server), run.then(() => dataPlane?.close())]);
    cloud.close();
    removeFiles();
  };
  let closed: Promise<void> | undefined;
  return {
    dataPlane,
    listen: (port, host = "127.0.0.1") => listen(server, port, host),
    close() {
      stopping.abort();
      closed ??= closeAll();
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

interface Desk {
  readonly cloud: Cloud;
  readonly dataPlane: DataPlane | undefined;
  readonly brokers: Brokers;
  readonly functions: Runner;
  readonly clock: Clock;
  /** Aborted when the server closes. */
  readonly signal: AbortSignal;
}

async function serve(
  desk: Desk,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const isCode = request.headers.authorization?.includes("/lambda/aws4_request") ?? false;
  const body = await readBody(request, isCode ? CODE_LIMIT : BODY_LIMIT);
  if (body === "broken") response.destroy();
  else if (body === "tooLarge") send(response, isCode ? CODE_TOO_LARGE : TOO_LARGE);
  else if (request.url?.startsWith(OWN_PATHS)) send(response, await own(desk, request, body));
  else await sendAnswer(desk, response, answer(desk.cloud, request, body));
}

/** An answer of AWS's, now, later or never. */
async function sendAnswer(
  { clock, signal }: Desk,
  response: http.ServerResponse,
  answered: Answer | Promise<Answer>,
): Promise<void> {
  const one = await answered;
  if (one.delayMs > 0) await clock.sleep(one.delayMs, signal);
  if (one.cut) response.destroy();
  else send(response, aws(one));
}

/** `broken` = the client went away in the middle: there is nobody to answer. */
async function readBody(
  request: http.IncomingMessage,
  limit: number,
): Promise<Buffer | "tooLarge" | "broken"> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      size += chunk.length;
      // Read to its end all the same: a client hears an answer only after it has sent everything.
      if (size <= limit) chunks.push(chunk);
    }
  } catch {
    return "broken";
  }
  return size > limit ? "tooLarge" : Buffer.concat(chunks);
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

function send(response: http.ServerResponse, { status, headers, body }: Reply): void {
  const length = status === 204 ? {} : { "content-length": Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...length });
  response.end(body);
}

function aws({ status, requestId, contentType, headers, body }: Omit<Answer, "cut" | "delayMs">): Reply {
  const all = { "content-type": contentType, "x-amzn-requestid": requestId, ...headers };
  return { status, headers: all, body };
}

const TOO_LARGE: Reply = aws({
  status: 413,
  requestId: "",
  contentType: "text/xml;charset=UTF-8",
  headers: {},
  body:
    "<Response><Errors><Error><Code>RequestEntityTooLarge</Code>" +
    `<Message>The request is larger than ${BODY_LIMIT} bytes.</Message></Error></Errors></Response>`,
});

const CODE_TOO_LARGE: Reply = aws({
  status: 413,
  requestId: "",
  contentType: "application/json",
  headers: { "x-amzn-errortype": "RequestEntityTooLargeException" },
  body: JSON.stringify({ message: `Request must be smaller than ${CODE_LIMIT} bytes.` }),
});

function answer(cloud: Cloud, request: http.IncomingMessage, body: Buffer): Answer | Promise<Answer> {
  const { method = "", url = "/", headersDistinct: headers } = request;
  return cloud.answer({ method, url, headers, body });
}

const OWN_PATHS = "/_sandbox/";

/** The sandbox's own requests. */
async function own(desk: Desk, request: http.IncomingMessage, body: Buffer): Promise<Reply> {
  const { method = "", url = "", headers } = request;
  // A page of the web that a developer happens to visit must not reset their cloud.
  if (headers.origin !== undefined) return json(403, { message: "requests of web pages are refused" });
  const [pathname = "", query = ""] = url.slice(OWN_PATHS.length).split("?", 2);
  const { status, value } = await administer(desk, {
    method,
    path: decoded(pathname),
    query: new URLSearchParams(query),
    body,
  });
  return json(status, value);
}

/** As it is when it is not encoded rightly: then nothing is found by that name. */
function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

function json(status: number, value: object | undefined): Reply {
  if (!value) return { status, headers: {}, body: "" };
  return { status, headers: { "content-type": "application/json" }, body: `${JSON.stringify(value)}\n` };
}
