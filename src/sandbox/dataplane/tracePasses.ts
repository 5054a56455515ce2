/**
 * One pass of a packet through a router, or into the internet: the last stage it was seen at, why it was not seen
 * at the next, and where it went. Pure, for trace.ts. Addresses are those that this router sees: a gateway and a
 * NAT gateway change them on the way.
 */
import { GATEWAY_DEVICE, INTERNET, peeringDevice, portDevice } from "./names.ts";
import type { Port, Router, Topology } from "./topology.ts";
import {
  dropsOf,
  type InRouter,
  isSeen,
  type Position,
  portBehind,
  type Step,
  seenAt,
  unexplained,
  type Walking,
} from "./traceEvidence.ts";
import { type Headers, routeOf } from "./traceRules.ts";
import { stagesOf } from "./traceStages.ts";

export interface Pass {
  readonly steps: readonly Step[];
  readonly next: Position | "arrived" | "dropped";
}

/** From its host to the router, or from the internet to the gateway that has the address. */
export function startOf(walking: Walking): Pass {
  const { way, from, to, packet, complaint, answerTo = from.address } = walking;
  const [sender, source, destination] =
    way === "go" ? [from.hostId, from.address, to.address] : [to.hostId, to.address, answerTo];
  const headers = {
    protocol: packet.protocol,
    toPort: way === "go" ? packet.port : packet.tag,
    source,
    destination,
  };
  if (sender !== undefined && isOwn(walking.topology, sender, destination)) return toItself(walking, sender);
  if (sender === INTERNET) return fromInternet(walking, headers);
  const home = sender === undefined ? undefined : homeOf(walking.topology, sender, source);
  if (!home) return lost({ place: sender ?? source, check: "sent", says: "it is no host of a VPC" });
  const device = portDevice(home.port.id);
  const place = home.port.hostId;
  if (!isSeen(walking, home.router.id, { stage: "entered", from: device }))
    return lost({ place, check: "sent", says: `nothing left the host${complaint && `: ${complaint}`}` });
  const own = { ...headers, source: home.port.privateIp };
  return {
    steps: [passed({ place, check: "sent", says: `from ${home.port.id}` })],
    next: { router: home.router, device, headers: own },
  };
}

function isOwn({ routers }: Topology, hostId: string, address: string): boolean {
  return routers.some(({ ports }) =>
    ports.some((port) => port.hostId === hostId && port.privateIp === address),
  );
}

function toItself(walking: Walking, hostId: string): Pass {
  const isTaken = isSeen(walking, hostId, { stage: "taken", from: "lo" });
  const step = {
    place: hostId,
    check: "taken",
    says: "it never left the host: the address is its own",
  } as const;
  return isTaken ? { steps: [passed(step)], next: "arrived" } : lost(step);
}

function fromInternet({ topology }: Walking, headers: Headers): Pass {
  const router = routerWithPublic(topology, headers.destination);
  const place = INTERNET;
  if (!router)
    return lost({
      place,
      check: "route",
      says: `no internet gateway has the address ${headers.destination}`,
    });
  return {
    steps: [passed({ place, check: "sent", says: `to ${router.id}` })],
    next: entering(router, headers),
  };
}

/** In the router the address is the private one already. */
function entering(router: Router, headers: Headers): Position {
  const mapped = router.publicAddresses.find(({ publicIp }) => publicIp === headers.destination);
  const destination = mapped?.privateIp ?? headers.destination;
  return { router, device: GATEWAY_DEVICE, headers: { ...headers, destination } };
}

function routerWithPublic({ routers }: Topology, address: string): Router | undefined {
  return routers.find(({ publicAddresses }) => publicAddresses.some(({ publicIp }) => publicIp === address));
}

function homeOf({ routers }: Topology, hostId: string, address: string) {
  const all = routers.flatMap((router) => router.ports.map((port) => ({ router, port })));
  const own = all.filter(({ port }) => port.hostId === hostId);
  return own.find(({ port }) => port.privateIp === address) ?? own[0];
}

/** In by a device, through the stages, out by another. */
export function routerPass(walking: Walking, position: InRouter): Pass {
  const { router, device, headers } = position;
  const place = router.id;
  const port = portBehind(router, device);
  const route = routeOf(router, port, headers.destination);
  if (!isSeen(walking, place, { stage: "routed", from: device })) return lost(admission(walking, position));
  const out = seenAt(walking, place, { stage: "forwarded", from: device })[0]?.to;
  if (out === undefined) return toRouter(walking, position);
  const routed = passed({ place, check: "route", ...route });
  const steps = [routed, ...stagesOf(walking, position, { port, out })];
  if (steps.some(({ verdict }) => verdict === "dropped")) return { steps, next: "dropped" };
  const onward = leave(walking, position, out);
  return { steps: [...steps, ...onward.steps], next: onward.next };
}

/** Why it did not get past the checks of its source and its route. */
function admission(walking: Walking, { router, device, headers }: InRouter): Said {
  const place = router.id;
  const port = portBehind(router, device);
  const drops = dropsOf(walking, router);
  if (drops.has("spoof") && port?.privateIp !== headers.source)
    return {
      place,
      check: "source",
      says: `${headers.source} is not the address of the interface: source/destination check`,
    };
  if (drops.has("peer_source"))
    return { place, check: "source", says: `${headers.source} is in no block of the VPC on the other side` };
  if (drops.has("noroute")) return { place, check: "route", ...routeOf(router, port, headers.destination) };
  return unexplained(place);
}

/** The router has addresses itself: the VPC's DNS, the metadata service, the subnets' gateways. */
function toRouter(walking: Walking, { router, device, headers }: InRouter): Pass {
  const place = router.id;
  if (isSeen(walking, place, { stage: "taken", from: device }))
    return {
      steps: [passed({ place, check: "taken", says: "the router itself answers there" })],
      next: "arrived",
    };
  if (isSeen(walking, place, { stage: "asked", from: device }))
    return lost({ place, check: "taken", says: "the router answers DNS and instance metadata only" });
  return lost({ place, check: "route", ...routeOf(router, portBehind(router, device), headers.destination) });
}

/** From the router to a host, over a peering or into the internet. */
function leave(walking: Walking, { router, headers }: InRouter, out: string): Pass {
  if (out === GATEWAY_DEVICE) {
    const mapped = router.publicAddresses.find(({ privateIp }) => privateIp === headers.source);
    const source = mapped?.publicIp ?? headers.source;
    return { steps: [], next: { router: undefined, device: "", headers: { ...headers, source } } };
  }
  const peering = walking.topology.peerings.find(({ id }) => peeringDevice(id) === out);
  const far = walking.topology.routers.find(({ id }) => id !== router.id && peering?.ends.includes(id));
  if (far) return { steps: [], next: { router: far, device: out, headers } };
  const port = portBehind(router, out);
  return port ? atHost(walking, { router, device: out, headers }, port) : lost(unexplained(router.id));
}

/** Its destination, or a NAT gateway or an appliance that passes it on. */
function atHost(walking: Walking, position: InRouter, { hostId, isOpen, privateIp }: Port): Pass {
  const { way, from, to } = walking;
  if (isSeen(walking, position.router.id, { stage: "entered", from: position.device })) {
    const changed = way === "go" ? { source: privateIp } : { destination: from.address };
    const headers = isOpen ? { ...position.headers, ...changed } : position.headers;
    return {
      steps: [passed({ place: hostId, check: "host", says: "passes it on" })],
      next: { ...position, headers },
    };
  }
  const isEnd = hostId === (way === "go" ? to : from).hostId;
  const isTaken = isEnd && isSeen(walking, hostId, { stage: "taken" });
  const says = isEnd ? "takes it" : "does not pass it on";
  return isTaken
    ? { steps: [passed({ place: hostId, check: "taken", says })], next: "arrived" }
    : lost({ place: hostId, check: "host", says: isEnd ? "its own packet filter drops it" : says });
}

export function internetPass(walking: Walking, { headers }: Position): Pass {
  const place = INTERNET;
  const router = routerWithPublic(walking.topology, headers.destination);
  if (router && isSeen(walking, router.id, { stage: "entered", from: GATEWAY_DEVICE }))
    return {
      steps: [passed({ place, check: "route", says: `to ${router.id}` })],
      next: entering(router, headers),
    };
  if (isSeen(walking, INTERNET, { stage: "taken" }))
    return { steps: [passed({ place, check: "taken", says: `as ${headers.source}` })], next: "arrived" };
  return lost({
    place,
    check: "route",
    says: `nobody on the internet has the address ${headers.destination}`,
  });
}

type Said = Pick<Step, "place" | "check" | "says"> & Partial<Pick<Step, "by">>;

function passed({ by = null, ...step }: Said): Step {
  return { ...step, verdict: "passed", by };
}

function lost(step: Said): Pass {
  return { steps: [{ ...step, verdict: "dropped", by: step.by ?? null }], next: "dropped" };
}
