/**
 * Sends one real packet and gathers what the kernel saw of it, for trace.ts to tell. Puts a table of its own
 * beside the filters it may pass and takes it away again; the filters themselves are only read.
 */
import { randomInt } from "node:crypto";
import type { DataPlane } from "./dataPlane.ts";
import { DataPlaneError } from "./holder.ts";
import { INTERNET } from "./names.ts";
import type { Topology } from "./topology.ts";
import { type Story, storyOf } from "./trace.ts";
import type { End } from "./traceEvidence.ts";
import {
  type Counters,
  countersIn,
  moved,
  type Packet,
  sightingsIn,
  traceProgram,
  traceTable,
} from "./traceProgram.ts";

export interface TraceRequest {
  /** A host that sends, and from which of its addresses. */
  readonly from: End & { readonly hostId: string };
  readonly to: End;
  readonly protocol: Packet["protocol"];
  /** Of TCP and UDP. */
  readonly port: number | undefined;
}

/** A change of the filters while the packet is on its way starts their counters anew: it is sent again. */
const MOST_TRIES = 5;

export async function traced(dataPlane: DataPlane, request: TraceRequest): Promise<Story> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const story = await tried(dataPlane, request);
    if (story) return story;
  }
  throw new DataPlaneError("the network changes all the time: no packet could be followed");
}

/** undefined when a filter was replaced meanwhile. */
async function tried(
  dataPlane: DataPlane,
  { from, to, protocol, port }: TraceRequest,
): Promise<Story | undefined> {
  await dataPlane.settled();
  const topology = dataPlane.topology();
  const packet: Packet = { protocol, port, tag: randomInt(20_000, 60_000) };
  const routers = routersOnTheWay(topology, from, to);
  const ends = [from.hostId, to.hostId, INTERNET].filter((id) => id !== undefined);
  const places = [...new Set([...routers, ...ends])];
  try {
    await forEach(places, (place) => must(dataPlane, install(packet), place));
    const before = await forEach(routers, (router) => counted(dataPlane, router));
    const complaint = await send(dataPlane, packet, { from, to });
    const after = await forEach(routers, (router) => counted(dataPlane, router));
    const sightings = await forEach(places, async (place) =>
      sightingsIn(place, await must(dataPlane, `nft -j list table inet ${traceTable(packet)}`, place)),
    );
    const counters = new Map<string, Counters>();
    for (const [index, router] of routers.entries()) {
      const change = moved(before[index] as Counters, after[index] as Counters);
      if (!change) return undefined;
      counters.set(router, change);
    }
    return storyOf({ topology, packet, from, to, complaint, counters, sightings: sightings.flat() });
  } finally {
    await forEach(places, (place) => dataPlane.run(`nft delete table inet ${traceTable(packet)}`, place));
  }
}

function forEach<T>(places: readonly string[], work: (place: string) => Promise<T>): Promise<T[]> {
  return Promise.all(places.map(work));
}

function install(packet: Packet): string {
  return `nft -f - <<'END'\n${traceProgram(packet)}END`;
}

async function counted(dataPlane: DataPlane, router: string): Promise<Counters> {
  return countersIn(await must(dataPlane, "nft -j list table inet vpc", router));
}

async function must(dataPlane: DataPlane, script: string, place: string): Promise<string> {
  const { code, stdout, stderr } = await dataPlane.run(script, place);
  if (code === 0) return stdout;
  throw new DataPlaneError(`in ${place}: ${stderr.trim()}`);
}

/** The VPCs of both ends, those that are peered with them, and those whose public address is meant. */
function routersOnTheWay({ routers, peerings }: Topology, from: End, to: End): string[] {
  const own = routers.filter(
    ({ ports, publicAddresses }) =>
      ports.some(({ hostId }) => hostId === from.hostId || hostId === to.hostId) ||
      publicAddresses.some(({ publicIp }) => publicIp === to.address),
  );
  const ids = new Set(own.map(({ id }) => id));
  const peers = peerings.filter(({ ends }) => ends.some((id) => ids.has(id))).flatMap(({ ends }) => ends);
  const known = new Set(routers.map(({ id }) => id));
  return [...new Set([...ids, ...peers])].filter((id) => known.has(id));
}

interface Ends {
  readonly from: TraceRequest["from"];
  readonly to: End;
}

/** One packet, and its answer if there is one soon. What the sender said was wrong, if anything. */
async function send(dataPlane: DataPlane, packet: Packet, { from, to }: Ends): Promise<string> {
  const { stderr } = await dataPlane.run(sender(packet, { from, to }), from.hostId);
  return stderr.trim().split("\n")[0] ?? "";
}

/** So long an answer is waited for; a second packet of TCP's own accord would come after a second. */
const ANSWER_MS = 400;

function sender({ protocol, port, tag }: Packet, { from, to }: Ends): string {
  if (protocol === "icmp") return `ping -c 1 -W 1 -e ${tag} -I ${from.address} ${to.address}`;
  const code = protocol === "tcp" ? CONNECT : DATAGRAM;
  const args = [to.address, port, from.address, tag, ANSWER_MS].join(" ");
  return `'${process.execPath}' -e '${code}' ${args}`;
}

const CONNECT = `const [host, port, localAddress, localPort, patience] = process.argv.slice(1);
const socket = require("node:net").connect({ host, port: Number(port), localAddress, localPort: Number(localPort) });
const unanswered = ["ECONNREFUSED", "ETIMEDOUT"];
socket.setTimeout(Number(patience), () => process.exit());
socket.once("connect", () => process.exit());
socket.once("error", ({ code }) => { if (!unanswered.includes(code)) console.error(code); process.exit(); });`;

const DATAGRAM = `const [host, port, localAddress, localPort, patience] = process.argv.slice(1);
const socket = require("node:dgram").createSocket("udp4");
const fail = ({ code }) => { console.error(code); process.exit(); };
socket.once("error", fail);
socket.once("message", () => process.exit());
socket.bind(Number(localPort), localAddress, () =>
  socket.send("trace", Number(port), host, (error) => (error ? fail(error) : setTimeout(process.exit, Number(patience)))));`;
