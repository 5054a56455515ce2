/**
 * Which flows to try in a topology: by chance, but such as somebody would wonder about. Within a VPC, to peers and
 * beyond them, out to the internet and in from it, to addresses that nobody has. Promises that the same dice choose
 * the same hosts and ports, whatever ids and public addresses AWS gave.
 */
import type { Dice } from "../../src/sandbox/dice.ts";
import type { Ec2State } from "./ec2State.ts";
import { ALIAS, chance, type Made, type MadeHost, type MadeVpc, pick } from "./made.ts";
import type { Flow, Guests } from "./model.ts";

/** Every host serves these, TCP and UDP; the next one up is closed. */
export const SERVED = [4000, 4001, 4002] as const;
const CLOSED = 4003;

/** The internet's own host. */
const INTERNET_HOST = "192.0.2.1";

/** A source address that is nobody's, another one for each host: none takes its own for another's. */
export function forgedBy(made: Made, id: string): string {
  return `203.0.113.${100 + allHosts(made).findIndex((host) => host.id === id)}`;
}

export function guestsOf({ forwarding }: Made): Guests {
  return {
    served: SERVED,
    forwarding,
    alias: ALIAS,
    internet: { block: "192.0.2.0/24", client: INTERNET_HOST },
  };
}

/** A flow whose source port is chosen when it is tried. */
export type Wanted = Omit<Flow, "sourcePort">;

/** What a host sends to itself never leaves it, and is left out. */
export function flowsOf(made: Made, state: Ec2State, count: number): Wanted[] {
  const flows: Wanted[] = [];
  while (flows.length < count) {
    const flow = chance(made.dice, 15) ? forgery(made) : { ...ends(made, state), ...what(made.dice) };
    if (!isToItself(made, flow)) flows.push(flow);
  }
  return flows;
}

function isToItself(made: Made, { from, to }: Wanted): boolean {
  if (from === "internet") return to === INTERNET_HOST;
  return allHosts(made).some((host) => host.id === from && host.address === to);
}

/** Often from a host that forwards: its source may be unchecked. Often to one: its group is open. */
function forgery(made: Made): Wanted {
  const { dice } = made;
  const forwarders = made.vpcs.flatMap((vpc) =>
    vpc.hosts.filter((host) => made.forwarding.includes(host.id)).map((host) => ({ vpc, host })),
  );
  const some = { vpc: pick(dice, made.vpcs) };
  const anybody = { ...some, host: pick(dice, some.vpc.hosts) };
  const forwarder = dice.oneOf(forwarders) ?? anybody;
  const neighbour = { vpc: forwarder.vpc, host: pick(dice, forwarder.vpc.hosts) };
  const by = pick(dice, [anybody, forwarder, neighbour]);
  const near = pick(dice, [by.vpc, ...peersOf(made, by.vpc)]);
  const open = near.hosts.filter((host) => made.forwarding.includes(host.id));
  const to = pick(dice, [...open, ...open, ...near.hosts]).address;
  return {
    from: by.host.id,
    to,
    protocol: "udp",
    port: pick(dice, SERVED),
    forged: forgedBy(made, by.host.id),
  };
}

function what(dice: Dice): Pick<Flow, "protocol" | "port"> {
  const protocol = pick(dice, ["tcp", "tcp", "tcp", "udp", "udp", "icmp"] as const);
  if (protocol === "icmp") return { protocol, port: 0 };
  return { protocol, port: pick(dice, protocol === "tcp" ? [...SERVED, CLOSED, CLOSED] : SERVED) };
}

type Ends = Pick<Flow, "from" | "to">;

const WAYS = [
  ...(["within", "within", "within", "peer", "peer", "peer", "peer"] as const),
  ...(["beyond", "out", "out", "in", "public", "alias", "alias", "unusual"] as const),
] as const;

function ends(made: Made, state: Ec2State): Ends {
  const { dice } = made;
  const vpc = pick(dice, made.vpcs);
  const host = pick(dice, vpc.hosts);
  const way = pick(dice, WAYS);
  const from = host.id;
  switch (way) {
    case "within":
      return {
        from,
        to: pick(
          dice,
          vpc.hosts.filter((other) => other !== host),
        ).address,
      };
    case "peer":
      return { from, to: pick(dice, pick(dice, peersOf(made, vpc)).hosts).address };
    case "beyond":
      return { from, to: pick(dice, pick(dice, made.vpcs).hosts).address };
    case "out":
      return { from, to: INTERNET_HOST };
    case "in":
      return { from: "internet", to: publicOf(state, pick(dice, allHosts(made)).interfaceId) };
    case "public":
      return { from, to: publicOf(state, pick(dice, allHosts(made)).interfaceId) };
    case "alias":
      return made.forwarding.includes(from) ? { from, to: INTERNET_HOST } : { from, to: ALIAS };
    case "unusual":
      return { from, to: unusual(made, state, vpc) };
  }
}

function allHosts({ vpcs }: Made): MadeHost[] {
  return vpcs.flatMap((vpc) => vpc.hosts);
}

/** The VPCs at the other end of its peerings, whatever became of those; itself without any. */
function peersOf({ peerings }: Made, vpc: MadeVpc): MadeVpc[] {
  const peers = peerings.filter((one) => one.ends.includes(vpc)).flatMap(({ ends }) => ends);
  const others = peers.filter((one) => one !== vpc);
  return others.length > 0 ? others : [vpc];
}

/** The host's public address; one of the internet's when it has none. */
function publicOf(state: Ec2State, interfaceId: string): string {
  const found = state.NetworkInterfaces.find((one) => one.NetworkInterfaceId === interfaceId);
  return found?.Association?.PublicIp ?? INTERNET_HOST;
}

/** What nobody has, and what takes no connections: a NAT gateway by either of its addresses. */
function unusual({ dice }: Made, state: Ec2State, vpc: MadeVpc): string {
  const nat = state.NatGateways.find((one) => one.NatGatewayId === vpc.natIds[0])?.NatGatewayAddresses?.[0];
  const { block } = pick(dice, vpc.subnets);
  const nobody = block.replace(/0\/24$/, "200");
  return pick(dice, [nobody, nat?.PrivateIp ?? nobody, nat?.PublicIp ?? "198.19.255.1"]);
}
