/**
 * Which rule, list entry or route it was, for trace.ts: among those whose counter moved while the packet passed,
 * the one that its protocol, port and addresses fit. Other traffic moves counters too; the packet's own way is
 * never told by them.
 */
import { addressNumber, type Cidr, maskLength, span } from "../../domain/cidr.ts";
import { word } from "./names.ts";
import type { Acl, GroupRule, Port, Route, Router } from "./topology.ts";
import type { Counters } from "./traceProgram.ts";

/** A packet as one router sees it. */
export interface Headers {
  readonly protocol: "tcp" | "udp" | "icmp";
  /** Where it goes to; of TCP and UDP. */
  readonly toPort: number | undefined;
  readonly source: string;
  readonly destination: string;
}

export type Direction = "in" | "out";

/** The id of the rule that let it pass: `sg-… sgr-…`. */
export function passingRule(
  { router, counters }: Place,
  port: Port,
  { direction, headers }: { readonly direction: Direction; readonly headers: Headers },
): string | null {
  const groups = router.groups.filter(({ id }) => port.groupIds.includes(id));
  const all = groups.flatMap(({ id, rules }) =>
    rules.map((rule) => ({ rule, name: `${id} ${rule.id}`, chain: word(id) })),
  );
  const hit = all.filter(({ chain, name }) => counters.rules.has(`${chain}_${direction} ${name}`));
  const fitting = hit.filter(({ rule }) => fitsRule(rule, router, { direction, headers }));
  return fitting[0]?.name ?? null;
}

/** A router with what its counters did meanwhile. */
export interface Place {
  readonly router: Router;
  readonly counters: Counters;
}

/** The entry of the list that decided: `acl-… 100`. */
export function decidingEntry(
  { counters }: Place,
  acl: Acl,
  { direction, headers }: { readonly direction: Direction; readonly headers: Headers },
): { readonly name: string; readonly action: "allow" | "deny" } | null {
  const own = acl.entries.filter(({ egress }) => egress === (direction === "out"));
  const hit = own.filter(({ number }) =>
    counters.rules.has(`${word(acl.id)}_${direction} ${acl.id} ${number}`),
  );
  const fitting = hit.find((entry) => fitsEntry(entry, { direction, headers }));
  return fitting ? { name: `${acl.id} ${fitting.number}`, action: fitting.action } : null;
}

interface Seen {
  readonly direction: Direction;
  readonly headers: Headers;
}

function otherEnd({ direction, headers }: Seen): string {
  return direction === "in" ? headers.source : headers.destination;
}

function fitsRule({ protocol, fromPort, toPort, from }: GroupRule, router: Router, seen: Seen): boolean {
  if (protocol !== "-1" && protocol !== seen.headers.protocol) return false;
  if (!fitsPorts(seen.headers, { protocol, first: fromPort, last: toPort })) return false;
  const other = otherEnd(seen);
  if (from.type === "cidr") return isIn(from.cidr, other);
  return router.groups.some(({ id, members }) => id === from.id && members.includes(other));
}

const NUMBERS: Readonly<Record<string, string>> = { tcp: "6", udp: "17", icmp: "1" };

function fitsEntry({ protocol, ports, cidr }: Acl["entries"][number], seen: Seen): boolean {
  if (protocol !== "-1" && protocol !== NUMBERS[seen.headers.protocol]) return false;
  const range = { protocol: seen.headers.protocol, first: ports?.from ?? 0, last: ports?.to ?? 65_535 };
  return fitsPorts(seen.headers, range) && isIn(cidr, otherEnd(seen));
}

interface Range {
  readonly protocol: string;
  readonly first: number;
  readonly last: number;
}

/** ICMP's type and code are in the ports' place: a moved counter is all there is to go by. */
function fitsPorts({ toPort }: Headers, { protocol, first, last }: Range): boolean {
  if (toPort === undefined || (protocol !== "tcp" && protocol !== "udp")) return true;
  return first <= toPort && toPort <= last;
}

function isIn(block: Cidr, address: string): boolean {
  const number = addressNumber(address);
  const { first, end } = span(block);
  return number !== undefined && first <= number && number < end;
}

export interface Routed {
  /** `local`, `rtb-… 10.0.0.0/8`, or the table alone when it has no route; null when no table is asked. */
  readonly by: string | null;
  readonly says: string;
}

/** What the subnet's route table says of the destination; `port` = where it came from, none over a gateway. */
export function routeOf(router: Router, port: Port | undefined, destination: string): Routed {
  const block = router.blocks.find((one) => isIn(one, destination));
  if (block) return localRoute(router, block, destination);
  if (!port)
    return {
      by: null,
      says: `only the VPC's own interfaces are reached from outside, and ${destination} is none`,
    };
  const tableId = router.subnets.find(({ id }) => id === port.subnetId)?.tableId ?? "";
  const table = router.tables.find(({ id }) => id === tableId);
  const route = longest(table?.routes ?? [], destination);
  if (!route) return { by: tableId, says: `${tableId} has no route to ${destination}` };
  return { by: `${tableId} ${route.destination}`, says: `${route.destination} ${leading(router, route)}` };
}

function localRoute({ ports }: Router, block: Cidr, destination: string): Routed {
  const port = ports.find(({ privateIp }) => privateIp === destination);
  return {
    by: "local",
    says: port ? `${block} is local: ${port.id}` : `${block} is local, and no interface has ${destination}`,
  };
}

function longest(routes: readonly Route[], destination: string): Route | undefined {
  const fitting = routes.filter((route) => isIn(route.destination, destination));
  return fitting.toSorted((a, b) => maskLength(b.destination) - maskLength(a.destination))[0];
}

function leading({ ports }: Router, { to }: Route): string {
  if (to.type === "internet") return "leads to the internet gateway";
  if (to.type === "blackhole") return "is a black hole";
  if (to.type === "peering") return `leads to ${to.id}`;
  return `leads to ${ports.find(({ id }) => id === to.id)?.hostId ?? to.id}`;
}
