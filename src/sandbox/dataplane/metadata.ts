/**
 * The instance metadata service, as a pure function of the rows and a request: versions 1 and 2. Which instance
 * asks is told by the address the request comes from, which the router has checked. Sessions need no memory: a
 * token says itself whose it is and until when, under the service's own secret.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
 *
 *   PUT /latest/api/token       a session token for 1 s to 6 h       (version 2)
 *   GET /latest/meta-data/...   a value; of a folder its names       (version 1 without a token)
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { instanceState } from "../instanceStates.ts";
import type { InstanceRow } from "../rows.ts";
import { metadataTree, type Tree } from "./metadataTree.ts";
import type { Look } from "./reading.ts";

export interface MetadataRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface MetadataAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** One byte a character: user data is any bytes. */
  readonly body: string;
}

export interface MetadataService {
  readonly look: Look;
  /** Where the request came from. */
  readonly vpcId: string;
  readonly from: string;
  /** Unlike any other sandbox's. */
  readonly secret: Buffer;
}

const TOKEN = "x-aws-ec2-metadata-token";
const TTL = "x-aws-ec2-metadata-token-ttl-seconds";
const LONGEST_SECONDS = 21_600;

const refused = (status: number, body: string): MetadataAnswer => ({ status, body });
const NOT_FOUND = refused(404, "404 - Not Found");

export function metadataAnswer(service: MetadataService, request: MetadataRequest): MetadataAnswer {
  const instance = instanceAt(service);
  if (!instance) return NOT_FOUND;
  if (instance.metadataOptions?.endpoint === "disabled") return refused(403, "403 - Forbidden");
  const path = pathOf(request.url);
  if (request.method === "PUT")
    return path === "/latest/api/token" ? session(service, instance, request) : NOT_FOUND;
  if (request.method !== "GET" && request.method !== "HEAD") return refused(405, "405 - Method Not Allowed");
  if (!isAdmitted(service, instance, request)) return refused(401, "401 - Unauthorized");
  return found({ latest: metadataTree(service.look, instance) }, path);
}

function pathOf(url: string): string {
  return url.replace(/[?#].*$/, "").replace(/\/{2,}/g, "/");
}

function instanceAt({ look, vpcId, from }: MetadataService): InstanceRow | undefined {
  const rows = look.tables.interfaces.all();
  const at = rows.find((row) => row.vpcId === vpcId && row.privateIp === from);
  const instance = look.tables.instances.get(at?.attachment?.instanceId ?? "");
  return instance && instanceState(instance, look.now) === "running" ? instance : undefined;
}

function session(service: MetadataService, instance: InstanceRow, request: MetadataRequest): MetadataAnswer {
  // A proxy that was talked into it is no session of the instance's own.
  if (request.headers["x-forwarded-for"] !== undefined) return refused(403, "403 - Forbidden");
  const asked = String(request.headers[TTL] ?? "");
  const seconds = /^\d{1,5}$/.test(asked) ? Number(asked) : 0;
  if (seconds < 1 || seconds > LONGEST_SECONDS) return refused(400, "400 - Bad Request");
  const body = tokenFor(service, instance, service.look.now + seconds * 1000);
  return { status: 200, headers: { [TTL]: asked }, body };
}

function tokenFor({ secret }: MetadataService, { id }: InstanceRow, until: number): string {
  const mark = createHmac("sha256", secret).update(`${id} ${until}`).digest("base64url");
  return `${until.toString(36)}-${mark}`;
}

function isAdmitted(service: MetadataService, instance: InstanceRow, { headers }: MetadataRequest): boolean {
  const token = headers[TOKEN];
  if (token === undefined) return instance.metadataOptions?.tokens !== "required";
  const until = Number.parseInt(String(token).split("-", 1)[0] ?? "", 36);
  if (!(until > service.look.now)) return false;
  const [given, right] = [String(token), tokenFor(service, instance, until)].map((one) => Buffer.from(one));
  return (
    given !== undefined &&
    right !== undefined &&
    given.length === right.length &&
    timingSafeEqual(given, right)
  );
}

/** A value, or the names in a folder, folders with a `/` behind. */
function found(root: Tree, path: string): MetadataAnswer {
  let at: Tree | string | undefined = root;
  for (const name of path.split("/").filter((part) => part !== ""))
    at = typeof at === "object" && Object.hasOwn(at, name) ? at[name] : undefined;
  if (at === undefined || (typeof at === "string" && path.endsWith("/"))) return NOT_FOUND;
  return { status: 200, body: typeof at === "string" ? at : listed(at) };
}

function listed(folder: Tree): string {
  const entries = Object.entries(folder).filter(([, value]) => value !== undefined);
  return entries.map(([name, value]) => (typeof value === "string" ? name : `${name}/`)).join("\n");
}
