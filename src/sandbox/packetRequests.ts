/**
 * The sandbox's own requests that have to do with packets: whether there are any, which hosts there are, and how
 * to get inside of one. Promises that what is answered obeys every change made before it was asked.
 */
import { readlinkSync } from "node:fs";
import type { DataPlane } from "./dataplane/dataPlane.ts";
import { DataPlaneError } from "./dataplane/holder.ts";
import { type Found, fullName, hostsNamed, type ShownHost, shownHosts } from "./dataplane/hostList.ts";
import type { AdminAnswer, AdminRequest } from "./ownRequests.ts";
import { trace } from "./traceRequests.ts";

/** undefined when it is no request of this kind. */
export async function packetRequest(
  dataPlane: DataPlane | undefined,
  { method, path, query, body }: AdminRequest,
): Promise<AdminAnswer | undefined> {
  if (method === "POST" && path === "dataplane/trace")
    return withHosts(dataPlane, (hosts, plane) => trace(plane, hosts, body));
  if (method !== "GET") return undefined;
  if (path === "dataplane") return { status: 200, value: await statusOf(dataPlane, query.has("settled")) };
  if (path === "hosts") return withHosts(dataPlane, (hosts) => ({ status: 200, value: { hosts } }));
  const name = /^hosts\/(.+)$/.exec(path)?.[1];
  if (name === undefined) return undefined;
  return withHosts(dataPlane, (hosts, plane) => oneHost(plane, hosts, name));
}

const NOT_ASKED_FOR = { status: "off", why: "it was started without packets" } as const;

async function statusOf(dataPlane: DataPlane | undefined, isSettled: boolean) {
  if (isSettled) await dataPlane?.settled();
  return dataPlane?.status() ?? NOT_ASKED_FOR;
}

async function withHosts(
  dataPlane: DataPlane | undefined,
  answer: (hosts: readonly ShownHost[], plane: DataPlane) => AdminAnswer | Promise<AdminAnswer>,
): Promise<AdminAnswer> {
  const status = await statusOf(dataPlane, true);
  if (!dataPlane || status.status === "off") return noPackets("why" in status ? status.why : "");
  try {
    return await answer(shownHosts(dataPlane.topology()), dataPlane);
  } catch (thrown) {
    if (thrown instanceof DataPlaneError) return noPackets(thrown.message);
    throw thrown;
  }
}

function noPackets(why: string): AdminAnswer {
  return { status: 503, value: { message: why } };
}

async function oneHost(
  dataPlane: DataPlane,
  hosts: readonly ShownHost[],
  name: string,
): Promise<AdminAnswer> {
  const found = hostsNamed(hosts, name);
  const [one] = found;
  if (!one) return { status: 404, value: { message: `there is no host "${name}"; ${known(hosts)}` } };
  if (found.length > 1) return severalHosts(found, name);
  const { host, address } = one;
  // A process id means something in its own namespace of them alone.
  const pidNamespace = readlinkSync("/proc/self/ns/pid");
  const argv = await dataPlane.inside(host.id);
  return { status: 200, value: { ...host, address, argv, pidNamespace } };
}

function severalHosts(found: readonly Found[], name: string): AdminAnswer {
  const choices = found.map(fullName);
  const message = `"${name}" is in several VPCs: write ${choices.join(" or ")}`;
  return { status: 409, value: { message, choices } };
}

/** So many hosts are named where one was sought that is not there. */
const MOST_NAMED = 10;

function known(hosts: readonly ShownHost[]): string {
  const names = hosts.map(({ id, addresses: [first] }) => (first ? `${id} (${first.privateIp})` : id));
  const more = names.length - MOST_NAMED;
  return `there are: ${names.slice(0, MOST_NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
