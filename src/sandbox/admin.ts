/**
 * The sandbox's own requests, under `/_sandbox/`, in JSON and without a signature: health, settings, faults, the
 * log of requests, services' interfaces, reset, and what has to do with packets (packetRequests.ts), brokers
 * (brokerRequests.ts) and functions (functionRequests.ts). Promises a 4xx with a message for what cannot be done.
 *
 *   GET    health                        { status: "ok" }
 *   GET    settings                      all of them            PATCH  settings   { name: value, … }
 *   GET    faults                        { faults: [...] }      POST   faults     a fault -> { id }
 *   DELETE faults, faults/ID             nothing
 *   GET    requests?since=N              { requests: [...], last: N }
 *   DELETE requests                      nothing
 *   POST   interfaces                    { subnetId, … } -> { networkInterfaceId, privateIpAddress }
 *   POST   reset                         nothing
 *   GET    dataplane                     { status: "on" } or { status: "off", why }; ?settled waits for packets
 *   GET    hosts                         { hosts: [...] }
 *   POST   dataplane/trace               { from, to, protocol, port } -> { arrived, steps: [...], … }
 *   GET    hosts/NAME                    { id, address, argv, … }: what runs a command inside; NAME is an id or address
 *   GET    ca                            { certificate }: of the authority that vouches for brokers, in PEM
 *   GET    brokers                       { brokers: [{ name, state, since, … }] }
 *   GET    brokers/NAME/log              { lines: [...] }: what it said last
 *   POST   brokers/NAME/kill             nothing; the broker ends as by a crash
 *   GET    functions                     { functions: [{ name, arn, network, environments: [...], … }] }
 *   GET    functions/NAME/log            { lines: [...] }: the last of them; NAME is a name or an ARN
 */
import { brokerRequest } from "./brokerRequests.ts";
import type { Cloud } from "./cloud.ts";
import { AwsError } from "./errors.ts";
import { faultFrom } from "./faultSpecs.ts";
import { functionRequest } from "./functionRequests.ts";
import type { AdminAnswer, Administered, AdminRequest } from "./ownRequests.ts";
import { packetRequest } from "./packetRequests.ts";
import { plantingFrom } from "./servicesInterfaces.ts";

const DONE: AdminAnswer = { status: 204 };

type Route = (cloud: Cloud, request: AdminRequest) => AdminAnswer;

const ROUTES: Readonly<Record<string, Route>> = {
  "GET health": () => ({ status: 200, value: { status: "ok" } }),
  "GET settings": (cloud) => ({ status: 200, value: cloud.settings }),
  "PATCH settings": (cloud, { body }) => ({ status: 200, value: cloud.patch(JSON.parse(body.toString())) }),
  "GET faults": (cloud) => ({ status: 200, value: { faults: cloud.gate.faults.list() } }),
  "POST faults": (cloud, { body }) => {
    const id = cloud.gate.add(faultFrom(JSON.parse(body.toString())));
    return { status: 201, value: { id } };
  },
  "DELETE faults": (cloud) => {
    cloud.gate.faults.clear();
    return DONE;
  },
  "GET requests": (cloud, { query }) => ({ status: 200, value: cloud.requests.after(sinceOf(query)) }),
  "DELETE requests": (cloud) => {
    cloud.requests.clear();
    return DONE;
  },
  "POST interfaces": (cloud, { body }) => {
    const row = cloud.plant(plantingFrom(JSON.parse(body.toString())));
    return { status: 201, value: { networkInterfaceId: row.id, privateIpAddress: row.privateIp } };
  },
  "POST reset": (cloud) =>
    cloud.reset() ? DONE : { status: 500, value: { message: "the state could not be written; see the log" } },
};

function sinceOf(query: URLSearchParams): number {
  const text = query.get("since") ?? "0";
  if (!/^\d{1,15}$/.test(text)) throw new RangeError("since is the number of a request");
  return Number(text);
}

/** Answers one request; exceptions that are nobody's mistake are the caller's. */
export async function administer(what: Administered, request: AdminRequest): Promise<AdminAnswer> {
  const { method, path } = request;
  const faultId = method === "DELETE" ? /^faults\/(.+)$/.exec(path)?.[1] : undefined;
  if (faultId !== undefined)
    return what.cloud.gate.faults.remove(faultId) ? DONE : unknown(`fault ${faultId}`);
  const name = `${method} ${path}`;
  const route = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
  if (route) return attempted(() => route(what.cloud, request));
  return attempted(
    async () =>
      (await brokerRequest(what.brokers, request)) ??
      functionRequest(what, request) ??
      (await packetRequest(what.dataPlane, request)) ??
      unknown(name),
  );
}

function unknown(what: string): AdminAnswer {
  return { status: 404, value: { message: `there is no ${what} here` } };
}

async function attempted(work: () => AdminAnswer | Promise<AdminAnswer>): Promise<AdminAnswer> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof AwsError)
      return { status: thrown.status, value: { code: thrown.code, message: thrown.message } };
    if (!(thrown instanceof RangeError || thrown instanceof SyntaxError)) throw thrown;
    return { status: 400, value: { message: thrown.message } };
  }
}
