/**
 * The sandbox's own request that follows one packet: reads what is asked for, finds both ends, and answers the
 * story. Promises a 4xx that says what is wrong with the request.
 */
import { addressNumber, addressText, cidr, span } from "../domain/cidr.ts";
import type { DataPlane } from "./dataplane/dataPlane.ts";
import { type Found, fullName, hostsNamed, type ShownHost } from "./dataplane/hostList.ts";
import { INTERNET_BLOCK } from "./dataplane/names.ts";
import type { Topology } from "./dataplane/topology.ts";
import type { End } from "./dataplane/traceEvidence.ts";
import { type TraceRequest, traced } from "./dataplane/tracing.ts";
import type { AdminAnswer } from "./ownRequests.ts";

interface Asked {
  readonly from?: unknown;
  readonly to?: unknown;
  readonly protocol?: unknown;
  readonly port?: unknown;
}

/** Throws a RangeError or SyntaxError for what cannot be asked. */
export async function trace(
  dataPlane: DataPlane,
  hosts: readonly ShownHost[],
  body: Buffer,
): Promise<AdminAnswer> {
  const asked = JSON.parse(body.toString()) as Asked;
  const { protocol, port } = wire(asked);
  const from = only(hosts, asked.from);
  if ("status" in from) return from;
  const to = destination(hosts, { name: text("to", asked.to), from, topology: dataPlane.topology() });
  if ("status" in to) return to;
  const start = { hostId: from.host.id, address: from.address ?? OUTSIDE };
  const story = await traced(dataPlane, { from: start, to, protocol, port });
  return { status: 200, value: { protocol, port, from: start, to, ...story } };
}

/** What a packet from outside bears when nobody says another one. */
const OUTSIDE = addressText(span(cidr(INTERNET_BLOCK)).first + 1);

function wire({ protocol, port }: Asked): Pick<TraceRequest, "protocol" | "port"> {
  if (protocol === "icmp") {
    if (port === undefined) return { protocol, port: undefined };
    throw new RangeError("ICMP has no ports");
  }
  if (protocol !== "tcp" && protocol !== "udp") throw new RangeError("protocol is tcp, udp or icmp");
  if (Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535)
    return { protocol, port: Number(port) };
  throw new RangeError(`the port of ${protocol} is a number from 1 to 65535`);
}

function text(name: string, value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw new RangeError(`${name} is a host or an address`);
}

/** The one host of that name. */
function only(hosts: readonly ShownHost[], name: unknown): Found | AdminAnswer {
  const found = hostsNamed(hosts, text("from", name));
  const [one] = found;
  if (one && found.length === 1) return one;
  if (!one) return { status: 404, value: { message: `there is no host "${name}"` } };
  const choices = found.map(fullName);
  return {
    status: 409,
    value: { message: `"${name}" is in several VPCs: write ${choices.join(" or ")}`, choices },
  };
}

interface Towards {
  readonly name: string;
  readonly from: Found;
  readonly topology: Topology;
}

/** An address is sent to as it stands, whoever has it; of several that have it, the nearest is meant. */
function destination(hosts: readonly ShownHost[], { name, from, topology }: Towards): End | AdminAnswer {
  const found = hostsNamed(hosts, name);
  const isAddress = addressNumber(name) !== undefined;
  if (!isAddress) {
    const one = only(hosts, name);
    return "status" in one ? one : { hostId: one.host.id, address: one.address ?? OUTSIDE };
  }
  const vpcId = from.host.vpcId;
  const peers = topology.peerings.flatMap(({ ends }) => (vpcId && ends.includes(vpcId) ? ends : []));
  const near =
    found.find(({ host }) => host.vpcId === vpcId) ??
    found.find(({ host }) => host.vpcId !== null && peers.includes(host.vpcId)) ??
    found[0];
  return { hostId: near?.host.id, address: name };
}
