/**
 * Where a packet to an address goes from the private subnets: the longest match in their route tables, as the cloud
 * shows them. Pure. Which of the subnets a function runs in nobody is told, so the worst of their answers counts, and
 * it is said when they differ. A private address that would leave by a NAT gateway has no route: the internet has none.
 */
import {
  addressNumber,
  type Cidr,
  cidrAt,
  contains,
  isPrivate,
  maskLength,
  parseCidr,
} from "../domain/cidr.ts";
import type { Network } from "../domain/model.ts";
import type { SeenPeering, SeenRoute, SeenRouteTable, World } from "../domain/world.ts";

export interface ProbeRoute {
  /** False: packets end on the way, or nobody takes them. */
  readonly leads: boolean;
  readonly by: "local" | "peering" | "natGateway" | "other" | "nothing";
  /** What the route points at. */
  readonly targetId: string | null;
  readonly detail: string;
  readonly nextStep: string | null;
}

export interface RouteQuestion {
  readonly network: Pick<Network, "datasetName" | "cidr">;
  readonly world: World;
  readonly address: string;
}

export function probeRoute(question: RouteQuestion): ProbeRoute {
  const { network, world, address } = question;
  const block = blockOf(address);
  if (block === null) return nowhere(`${address} is not an IPv4 address`, null);
  if (contains(network.cidr, block))
    return {
      leads: true,
      by: "local",
      targetId: null,
      detail: `local: ${network.cidr} is the VPC itself`,
      nextStep: null,
    };
  const tables = world.routeTables
    .filter(({ key }) => key.startsWith("table/private/"))
    .toSorted((one, other) => (one.key < other.key ? -1 : 1));
  if (tables.length === 0) return nowhere("the private subnets have no route tables", repairStep(question));
  const routes = tables.map((table) => ({ table, route: routeOf({ question, block, table }) }));
  const [worst] = routes.toSorted((a, b) => Number(a.route.leads) - Number(b.route.leads));
  const differ = new Set(routes.map(({ route }) => route.leads)).size > 1;
  if (!worst) return nowhere("there is no route", null);
  return differ
    ? { ...worst.route, detail: `${worst.route.detail} (in ${worst.table.key} alone)` }
    : worst.route;
}

function blockOf(address: string): Cidr | null {
  const number = addressNumber(address);
  return number === undefined ? null : cidrAt(number, 32);
}

interface Match {
  readonly question: RouteQuestion;
  readonly block: Cidr;
  readonly table: SeenRouteTable;
}

function routeOf({ question, block, table }: Match): ProbeRoute {
  const route = longestMatch(table, block);
  if (!route) return nowhere(`no route to ${question.address} in ${table.key}`, repairStep(question));
  const { destination, targetId } = route;
  const by = kindOf(question.world, targetId);
  const way = `${destination} by ${targetId}`;
  if (route.blackhole)
    return nowhere(
      `${way} is a blackhole: what it leads to is not there, or not active`,
      blackholeStep(question, targetId),
    );
  if (by === "natGateway" && isPrivate(block))
    return nowhere(
      `${question.address} is a private address, and its only way is ${way}, to the internet, which knows no private addresses`,
      privateStep(question, block),
    );
  return { leads: true, by, targetId, detail: way, nextStep: null };
}

function longestMatch({ routes }: SeenRouteTable, block: Cidr): SeenRoute | null {
  const matches = routes.flatMap((route) => {
    const parsed = parseCidr(route.destination);
    return "cidr" in parsed && contains(parsed.cidr, block)
      ? [{ route, length: maskLength(parsed.cidr) }]
      : [];
  });
  return matches.toSorted((a, b) => b.length - a.length)[0]?.route ?? null;
}

function kindOf({ peerings, natGateways }: World, targetId: string): ProbeRoute["by"] {
  if (natGateways.some(({ id }) => id === targetId)) return "natGateway";
  return peerings.some(({ id }) => id === targetId) || targetId.startsWith("pcx-") ? "peering" : "other";
}

function nowhere(detail: string, nextStep: string | null): ProbeRoute {
  return { leads: false, by: "nothing", targetId: null, detail, nextStep };
}

function repairStep({ network: { datasetName } }: RouteQuestion): string {
  return `See what the network waits for: letsdata datasets view --datasetName ${datasetName}`;
}

function listStep({ network: { datasetName } }: RouteQuestion): string {
  return `letsdata vpcs vpcPeeringConnections list --datasetName ${datasetName}`;
}

function blackholeStep(question: RouteQuestion, targetId: string): string {
  if (kindOf(question.world, targetId) !== "peering") return repairStep(question);
  return `See what became of ${targetId}: ${listStep(question)}`;
}

/** The customer's network is reached by a peering alone: which, and what is missing of it. */
function privateStep(question: RouteQuestion, block: Cidr): string {
  const { network, world, address } = question;
  const has = ({ requesterCidrs }: SeenPeering) => requesterCidrs.some((one) => contains(one, block));
  const active = world.peerings.filter(({ state }) => state === "active");
  const pending = world.peerings.filter(({ state }) => state === "pending-acceptance");
  if (active.some(has)) return `The peering is there, and its route is not: ${listStep(question)}`;
  const waiting = pending.find(has) ?? pending.find(({ requesterCidrs }) => requesterCidrs.length === 0);
  if (waiting)
    return `Accept the peering: letsdata vpcs vpcPeeringConnections accept --datasetName ${network.datasetName} --vpcPeeringConnectionId ${waiting.id} --wait`;
  if (active.length > 0)
    return `${address} lies in none of the peered VPCs' blocks (${active.map(blocksOf).join("; ")}), and peering leads no further than those`;
  return `Peer with the network that has it: letsdata vpcs list --datasetName ${network.datasetName} --peeringGuide`;
}

function blocksOf({ id, requesterCidrs }: SeenPeering): string {
  return `${id}: ${requesterCidrs.join(", ") || "not shown yet"}`;
}
