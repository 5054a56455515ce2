/**
 * Which flows to try in a topology: by chance, but such as somebody would wonder about. Within a VPC, to peers and
 * beyond them, out to the internet and in from it, to addresses that nobody has. Promises that the same dice choose
 * the same hosts and ports, whatever ids and public addresses AWS gave.
 */
import type { Dice } from "../../src/sandbox/dice.ts";
import type { Ec2State } from "./ec2State.ts";
import { type Made, type MadeHost, type MadeVpc, pick } from "./made.ts";
import type { Flow, Guests } from "./model.ts";

/** Every host serves these, TCP and UDP; the next one up is closed. */
export const SERVED = [4000, 4001, 4002] as const;
const CLOSED = 4003;

/** The internet's own host. */
const INTERNET_HOST = "192.0.2.1";

export function guestsOf({ forwarding }: Made): Guests {
  return { served: SERVED, forwarding, internet: { block: "192.0.2.0/24", client: INTERNET_HOST } };
}

/** A round of flows has ports of its own: the kernel remembers connections for a while. */
export function flowsOf(
  made: Made,
  state: Ec2State,
  { count, round }: { readonly count: number; readonly round: number },
): Flow[] {
  return Array.from({ length: count }, (_, at) => {
    const { from, to } = ends(made, state);
    return { from, to, ...what(made.dice, 33_000 + round * 100 + at) };
  });
}

function what(dice: Dice, sourcePort: number): Pick<Flow, "protocol" | "port" | "sourcePort"> {
  const protocol = pick(dice, ["tcp", "tcp", "tcp", "udp", "udp", "icmp"] as const);
  if (protocol === "icmp") return { protocol, port: 0, sourcePort: 0 };
  return { protocol, port: pick(dice, protocol === "tcp" ? [...SERVED, CLOSED] : SERVED), sourcePort };
}

type Ends = Pick<Flow, "from" | "to">;

function ends(made: Made, state: Ec2State): Ends {
  const { dice } = made;
  const vpc = pick(dice, made.vpcs);
  const host = pick(dice, vpc.hosts);
  const way = pick(dice, [
    "within",
    "within",
    "peer",
    "peer",
    "peer",
    "beyond",
    "out",
    "in",
    "public",
    "none",
  ]);
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
    default:
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
