/**
 * The sandbox's own requests, under `/_sandbox/`, in JSON and without a signature: health, settings, faults, the
 * log of requests, services' interfaces, reset. Promises a 4xx with a message for what cannot be done.
 *
 *   GET    health                        { status: "ok" }
 *   GET    settings                      all of them            PATCH  settings   { name: value, … }
 *   GET    faults                        { faults: [...] }      POST   faults     a fault -> { id }
 *   DELETE faults, faults/ID             nothing
 *   GET    requests?since=N              { requests: [...], last: N }
 *   DELETE requests                      nothing
 *   POST   interfaces                    { subnetId, … } -> { networkInterfaceId, privateIpAddress }
 *   POST   reset                         nothing
 */
import type { Cloud } from "./cloud.ts";
import { AwsError } from "./errors.ts";
import { faultFrom } from "./faultSpecs.ts";
import { plantingFrom } from "./servicesInterfaces.ts";

export interface AdminRequest {
  readonly method: string;
  /** What follows `/_sandbox/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

export interface AdminAnswer {
  readonly status: number;
  /** undefined = nothing to say. */
  readonly value?: object;
}

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
export function administer(cloud: Cloud, request: AdminRequest): AdminAnswer {
  const { method, path } = request;
  const faultId = method === "DELETE" ? /^faults\/(.+)$/.exec(path)?.[1] : undefined;
  if (faultId !== undefined) return cloud.gate.faults.remove(faultId) ? DONE : unknown(`fault ${faultId}`);
  const what = `${method} ${path}`;
  const route = Object.hasOwn(ROUTES, what) ? ROUTES[what] : undefined;
  return route ? attempted(() => route(cloud, request)) : unknown(what);
}

function unknown(what: string): AdminAnswer {
  return { status: 404, value: { message: `there is no ${what} here` } };
}

function attempted(work: () => AdminAnswer): AdminAnswer {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof AwsError)
      return { status: thrown.status, value: { code: thrown.code, message: thrown.message } };
    if (!(thrown instanceof RangeError || thrown instanceof SyntaxError)) throw thrown;
    return { status: 400, value: { message: thrown.message } };
  }
}
