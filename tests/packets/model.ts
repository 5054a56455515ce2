/**
 * Who reaches whom in a VPC, by AWS's documentation alone: a packet and its answer are led from place to place
 * over what the Describe calls show. Promises a verdict for every flow and, for a silence, the rule, route or
 * list that causes it. It is the other opinion on what packets do, so it knows nothing of how they are made to.
 * Refuses (throws) UDP to a closed port: what becomes of the ICMP error is not modelled. Not modelled either:
 * IPv6, prefix lists, secondary addresses, routes more specific than the local one, and that a NAT gateway may
 * choose any source port from 1024 up (it keeps the sender's here).
 *
 *   leaving an interface ─▶ peer's VPC ──────────▶ arriving at an interface ─▶ the host, or on through it
 *            └────────────▶ gateway ─▶ internet ─────────▲          (NAT gateways, hosts that forward)
 */
import type { NetworkInterface } from "@aws-sdk/client-ec2";
import type { Ec2State } from "./ec2State.ts";
import { aclRefusal, groupsAllow, isIn, type Packet, type Protocol, type Way } from "./filters.ts";
import { isInVpc, isRunning, type Lost, localHop, natOn, nextHop, type Place } from "./nextHops.ts";

export interface Flow {
  /** An instance's id, or `internet`. */
  readonly from: string;
  /** An address. */
  readonly to: string;
  readonly protocol: Protocol;
  /** 0 for ICMP, as is the source's. */
  readonly port: number;
  readonly sourcePort: number;
  /** Another source address than the sender's own. */
  readonly forged?: string;
}

export type Verdict =
  /** `seen` is the source address as the destination sees it. */
  | { readonly kind: "answered"; readonly seen: string }
  /** TCP's RST: the host was reached, nobody listens. */
  | { readonly kind: "refused" }
  /** `arrives`: the packet does, its answer does not. */
  | { readonly kind: "silent"; readonly reason: string; readonly arrives: boolean };

/** What EC2 does not know: what runs on the hosts and on the internet. */
export interface Guests {
  /** Ports every host serves, TCP and UDP. */
  readonly served: readonly number[];
  /** Instances that forward what is not for them, and that all have one more address: `alias`. */
  readonly forwarding: readonly string[];
  readonly alias: string;
  /** The block of hosts on the internet, and the one of them that opens connections. */
  readonly internet: { readonly block: string; readonly client: string };
}

interface Moved {
  readonly place: Place;
  readonly packet: Packet;
}
/** At the end of its way: at that interface's host, or on the internet. */
interface Delivered {
  readonly at: NetworkInterface | "internet";
  readonly packet: Packet;
}

/** One connection's walk; interfaces and NAT gateways remember its first packet for its answer. */
interface Walk {
  readonly state: Ec2State;
  readonly guests: Guests;
  readonly tracked: Set<string | undefined>;
  /** NAT gateway's interface to the address it hides. */
  readonly hidden: Map<string | undefined, string>;
  readonly isAnswer: boolean;
}

/** More interfaces than any way has: beyond it a packet goes round in circles. */
const MOST_MOVES = 32;
export const CIRCLES = "it goes round in circles";

export function verdictOf(state: Ec2State, flow: Flow, guests: Guests): Verdict {
  const origin = originOf(state, flow.from);
  if (!origin) return silent(`${flow.from} is not running`);
  const own = origin === "internet" ? guests.internet.client : addressOf(origin);
  const packet = firstPacket(flow, flow.forged ?? own);
  if (packet.source === packet.destination) return greeting(flow, guests, packet.source);
  const walk: Walk = { state, guests, tracked: new Set(), hidden: new Map(), isAnswer: false };
  const there = carry(walk, { place: placeFrom(origin), packet });
  if ("lost" in there) return silent(there.lost);
  const answer = { place: placeFrom(there.at), packet: answerTo(there.packet) };
  const back = carry({ ...walk, isAnswer: true }, answer);
  if ("lost" in back) return unanswered(`its answer: ${back.lost}`);
  const isHome = idOf(back.at) === idOf(origin) && back.packet.source === flow.to;
  if (!isHome) return unanswered(`its answer comes from ${back.packet.source} to ${idOf(back.at)}`);
  return greeting(flow, guests, there.packet.source);
}

function silent(reason: string): Verdict {
  return { kind: "silent", reason, arrives: false };
}

function unanswered(reason: string): Verdict {
  return { kind: "silent", reason, arrives: true };
}

function greeting({ protocol, port }: Flow, { served }: Guests, seen: string): Verdict {
  if (protocol === "icmp" || served.includes(port)) return { kind: "answered", seen };
  if (protocol === "tcp") return { kind: "refused" };
  throw new RangeError(`UDP to port ${port}, which nobody serves, is not modelled`);
}

function originOf(state: Ec2State, from: string): NetworkInterface | "internet" | undefined {
  if (from === "internet") return "internet";
  return state.NetworkInterfaces.find(
    ({ Attachment: one }) => one?.InstanceId === from && one.DeviceIndex === 0 && isRunning(state, from),
  );
}

function placeFrom(origin: NetworkInterface | "internet"): Place {
  return origin === "internet" ? { at: "internet" } : { at: "leaving", port: origin };
}

function idOf(place: NetworkInterface | "internet"): string | undefined {
  return place === "internet" ? place : place.NetworkInterfaceId;
}

function addressOf(port: NetworkInterface): string {
  return port.PrivateIpAddress ?? "";
}

const ECHO = 8;
const ECHO_REPLY = 0;

function firstPacket({ protocol, to, port, sourcePort }: Flow, source: string): Packet {
  return { protocol, source, destination: to, sourcePort, destinationPort: port, icmpType: ECHO };
}

function answerTo({ protocol, source, destination, sourcePort, destinationPort }: Packet): Packet {
  return {
    protocol,
    source: destination,
    destination: source,
    sourcePort: destinationPort,
    destinationPort: sourcePort,
    icmpType: ECHO_REPLY,
  };
}

function carry(walk: Walk, from: Moved): Delivered | Lost {
  let moved = from;
  for (let moves = 0; moves < MOST_MOVES; moves++) {
    const next = step(walk, moved);
    if (!("place" in next)) return next;
    moved = next;
  }
  return { lost: CIRCLES };
}

function step(walk: Walk, { place, packet }: Moved): Moved | Delivered | Lost {
  switch (place.at) {
    case "leaving":
      return leave(walk, place.port, packet);
    case "arriving":
      return arrive(walk, place, packet);
    case "peer":
      return enterPeer(walk, place, packet);
    case "gateway":
      return leaveByGateway(walk, place.vpcId, packet);
    case "internet":
      return crossInternet(walk, packet);
  }
}

function leave(walk: Walk, port: NetworkInterface, packet: Packet): Moved | Lost {
  const own = port.NetworkInterfaceId;
  if (port.SourceDestCheck && packet.source !== port.PrivateIpAddress)
    return { lost: `source check of ${own}` };
  if (!passesGroups(walk, port, { packet, way: "out" })) return { lost: `groups of ${own}, out` };
  const next = nextHop(walk.state, port, packet.destination);
  if ("lost" in next) return next;
  const staysInSubnet = next.at === "arriving" && next.port.SubnetId === port.SubnetId;
  const refusal = staysInSubnet ? undefined : aclRefusal(walk.state, port.SubnetId, packet, "out");
  return refusal === undefined ? { place: next, packet } : { lost: refusal };
}

/**
 * Groups are stateful: what answers a packet that an interface let through passes there.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
 */
function passesGroups(
  walk: Walk,
  port: NetworkInterface,
  { packet, way }: { readonly packet: Packet; readonly way: Way },
): boolean {
  if (natOn(walk.state, port)) return true;
  if (walk.isAnswer && walk.tracked.has(port.NetworkInterfaceId)) return true;
  if (!groupsAllow(walk.state, port, packet, way)) return false;
  walk.tracked.add(port.NetworkInterfaceId);
  return true;
}

function arrive(
  walk: Walk,
  { port, fromSubnet }: Extract<Place, { at: "arriving" }>,
  packet: Packet,
): Moved | Delivered | Lost {
  const { state, guests } = walk;
  const own = port.NetworkInterfaceId;
  const isNat = natOn(state, port) !== undefined;
  if (!isNat && !isRunning(state, port.Attachment?.InstanceId)) return { lost: `no host runs behind ${own}` };
  // Within a subnet its list is not asked. https://docs.aws.amazon.com/vpc/latest/userguide/nacl-basics.html
  const isSame = fromSubnet === port.SubnetId;
  const refusal = isSame ? undefined : aclRefusal(state, port.SubnetId, packet, "in");
  if (refusal !== undefined) return { lost: refusal };
  if (isNat) return throughNat(walk, port, packet);
  const isOwn = packet.destination === port.PrivateIpAddress;
  if (port.SourceDestCheck && !isOwn) return { lost: `destination check of ${own}` };
  if (!passesGroups(walk, port, { packet, way: "in" })) return { lost: `groups of ${own}, in` };
  const forwards = guests.forwarding.includes(port.Attachment?.InstanceId ?? "");
  if (isOwn || (forwards && packet.destination === guests.alias)) return { at: port, packet };
  return forwards
    ? { place: { at: "leaving", port }, packet }
    : { lost: `the host behind ${own} does not forward` };
}

/** https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html: no connection is opened to one. */
function throughNat(walk: Walk, port: NetworkInterface, packet: Packet): Moved | Lost {
  const own = port.NetworkInterfaceId;
  const nat = natOn(walk.state, port);
  if (nat?.State !== "available") return { lost: `${nat?.NatGatewayId} is ${nat?.State}` };
  const place: Place = { at: "leaving", port };
  const isToItself = packet.destination === port.PrivateIpAddress;
  const hidden = walk.isAnswer && isToItself ? walk.hidden.get(own) : undefined;
  if (hidden !== undefined) return { place, packet: { ...packet, destination: hidden } };
  if (isToItself || walk.isAnswer) return { lost: `${nat.NatGatewayId} knows no such connection` };
  walk.hidden.set(own, packet.source);
  return { place, packet: { ...packet, source: addressOf(port) } };
}

/**
 * Neither through it to a third network, nor from one.
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-limitations
 */
function enterPeer(
  { state }: Walk,
  { vpcId, fromVpc }: Extract<Place, { at: "peer" }>,
  packet: Packet,
): Moved | Lost {
  const { source, destination: to } = packet;
  if (!isInVpc(state, fromVpc, source)) return { lost: `${source} is no address of ${fromVpc}` };
  if (!isInVpc(state, vpcId, to)) return { lost: `${to} is beyond ${vpcId}` };
  const place = localHop(state, vpcId, { to, fromSubnet: undefined });
  return "lost" in place ? place : { place, packet };
}

/** https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html: one public address for one private. */
function leaveByGateway({ state }: Walk, vpcId: string | undefined, packet: Packet): Moved | Lost {
  const port = state.NetworkInterfaces.find(
    (one) => one.VpcId === vpcId && one.PrivateIpAddress === packet.source,
  );
  const source = port?.Association?.PublicIp;
  if (!source) return { lost: `${packet.source} has no public address` };
  return { place: { at: "internet" }, packet: { ...packet, source } };
}

function crossInternet({ state, guests }: Walk, packet: Packet): Moved | Delivered | Lost {
  const { destination: to } = packet;
  if (isIn(to, guests.internet.block)) return { at: "internet", packet };
  const port = state.NetworkInterfaces.find((one) => one.Association?.PublicIp === to);
  if (!port) return { lost: `nobody on the internet has ${to}` };
  const attached = state.InternetGateways.flatMap((one) => one.Attachments ?? []);
  if (!attached.some((one) => one.VpcId === port.VpcId)) return { lost: `${port.VpcId} has no gateway` };
  const place: Place = { at: "arriving", port, fromSubnet: undefined };
  return { place, packet: { ...packet, destination: addressOf(port) } };
}
