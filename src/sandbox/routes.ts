/**
 * The calls that change routes. Refuses targets of other networks, destinations AWS keeps for itself, and the
 * removal of local and endpoint routes. What a table then shows is in routesShown.ts.
 * https://docs.aws.amazon.com/vpc/latest/userguide/WorkWithRouteTables.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { addressNumber, type Cidr, cidr, cidrAt, contains } from "../domain/cidr.ts";
import { AwsError } from "./errors.ts";
import { find, the, theRouteTable } from "./find.ts";
import { natGatewayState } from "./natGateways.ts";
import { blocksOf, hasVpc, isLive, theVisiblePeering } from "./peeringStates.ts";
import { withinQuota } from "./quotas.ts";
import { endpointRoutes, madeRoutes, routesOf, type Target } from "./routesShown.ts";
import type { RouteRow, RouteTableRow } from "./rows.ts";
import type { Call, Ec2Handlers } from "./world.ts";

/** AWS takes a destination with host bits and keeps the canonical block. */
function destinationOf(input: ec2.CreateRouteRequest | ec2.DeleteRouteRequest): Cidr {
  const { DestinationCidrBlock: text, DestinationIpv6CidrBlock: six, DestinationPrefixListId: list } = input;
  if ([text, six, list].filter((one) => one !== undefined).length !== 1)
    throw new AwsError("MissingParameter", "The request must contain exactly one destination");
  if (list) throw new AwsError("InvalidParameterValue", `The prefix list ${list} belongs to a VPC endpoint`);
  if (six) throw new AwsError("UnsupportedOperation", "IPv6 routes are not part of this sandbox.");
  const [address = "", length = ""] = (text ?? "").split("/");
  const number = addressNumber(address);
  if (number === undefined || !/^(\d|[12]\d|3[0-2])$/.test(length))
    throw new AwsError(
      "InvalidParameterValue",
      `Value (${text}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.`,
    );
  return cidrAt(number, Number(length));
}

type TargetInput = ec2.CreateRouteRequest & { LocalTarget?: boolean | undefined };

const UNKNOWN_TARGETS = [
  "VpcEndpointId",
  "TransitGatewayId",
  "LocalGatewayId",
  "CarrierGatewayId",
  "CoreNetworkArn",
  "EgressOnlyInternetGatewayId",
] as const;

/** The one target of the request; it exists and belongs to the table's network. */
function targetOf(call: Call, table: RouteTableRow, input: TargetInput): Target {
  const unknown = UNKNOWN_TARGETS.find((name) => input[name] !== undefined);
  if (unknown)
    throw new AwsError("UnsupportedOperation", `Routes to ${unknown} are not part of this sandbox.`);
  const { GatewayId, NatGatewayId, VpcPeeringConnectionId, NetworkInterfaceId, InstanceId } = input;
  const asked = [GatewayId, NatGatewayId, VpcPeeringConnectionId, NetworkInterfaceId, InstanceId];
  if (asked.filter((one) => one !== undefined).length !== 1)
    throw new AwsError(
      "InvalidParameterCombination",
      "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId or instanceId",
    );
  if (GatewayId) return toGateway(call, table, GatewayId);
  if (NatGatewayId) return toNatGateway(call, table, NatGatewayId);
  if (VpcPeeringConnectionId) return toPeering(call, table, VpcPeeringConnectionId);
  if (NetworkInterfaceId) return toInterface(call, table, NetworkInterfaceId);
  return toInstance(call, table, InstanceId ?? "");
}

function otherNetwork(table: RouteTableRow, what: string): AwsError {
  return new AwsError(
    "InvalidParameterValue",
    `route table ${table.id} and ${what} belong to different networks`,
  );
}

function toGateway(call: Call, table: RouteTableRow, id: string): Target {
  if (id.startsWith("vpce-"))
    throw new AwsError("InvalidParameterValue", `Cannot create or replace a route to VPC endpoint ${id}`);
  const gateway = find(call, "igw", id);
  if (!gateway) throw new AwsError("InvalidGatewayID.NotFound", `The gateway ID '${id}' does not exist`);
  if (gateway.vpcId !== table.vpcId) throw otherNetwork(table, `network gateway ${id}`);
  return { type: "internetGateway", id };
}

function toNatGateway(call: Call, table: RouteTableRow, id: string): Target {
  const nat = find(call, "nat", id);
  if (!nat || ["deleted", "failed"].includes(natGatewayState(nat, call.now)))
    throw new AwsError("InvalidNatGatewayID.NotFound", `The natGateway ID '${id}' does not exist`);
  if (nat.vpcId !== table.vpcId) throw otherNetwork(table, `NAT gateway ${id}`);
  return { type: "natGateway", id };
}

/** A route to a request that is still pending is allowed; it is a blackhole until the peering is active. */
function toPeering(call: Call, table: RouteTableRow, id: string): Target {
  const peering = theVisiblePeering(call, id);
  if (!isLive(peering, call.now))
    throw new AwsError(
      "InvalidVpcPeeringConnectionID.NotFound",
      `The vpcPeeringConnection ID '${id}' does not exist`,
    );
  if (!hasVpc(peering, table.vpcId)) throw otherNetwork(table, `vpc peering connection ${id}`);
  return { type: "peering", id };
}

function toInterface(call: Call, table: RouteTableRow, id: string): Target {
  if (the(call, "eni", id).vpcId !== table.vpcId) throw otherNetwork(table, `interface ${id}`);
  return { type: "interface", id };
}

function toInstance(call: Call, table: RouteTableRow, id: string): Target {
  const instance = the(call, "i", id);
  if (instance.vpcId !== table.vpcId) throw otherNetwork(table, `instance ${id}`);
  if (instance.interfaceIds.length !== 1)
    throw new AwsError(
      "InvalidInstanceID",
      `There are multiple interfaces attached to instance '${id}'. Please specify an interface ID for the operation instead.`,
    );
  return { type: "instance", id };
}

/** Link-local space that AWS's own services answer in. */
const RESERVED = cidr("169.254.168.0/22");
/** What may stand in the local route's place, or inside the VPC: it stays in the VPC. */
const INSIDE: readonly Target["type"][] = ["interface", "instance", "natGateway"];

/**
 * A destination inside the VPC is one whole subnet's block, and its target stands inside the VPC too.
 * https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html#route-table-routes
 */
function checkDestination(call: Call, table: RouteTableRow, to: { destination: Cidr; target: Target }): void {
  const { destination, target } = to;
  if (contains(RESERVED, destination))
    throw new AwsError("InvalidParameterValue", `Cannot create a route to the reserved block ${destination}`);
  const blocks = blocksOf(call.tables.vpcs.get(table.vpcId));
  const inside = blocks.some((block) => contains(block, destination) && block !== destination);
  if (!inside) return;
  const subnets = call.tables.subnets.list(call).filter((row) => row.vpcId === table.vpcId);
  if (!subnets.some((row) => row.cidr === destination))
    throw new AwsError("InvalidParameterValue", "Route destination doesn't match any subnet CIDR blocks.");
  if (!INSIDE.includes(target.type))
    throw new AwsError(
      "InvalidParameterValue",
      "A route more specific than the local route needs a NAT gateway or a network interface as its target.",
    );
}

function withRoute(table: RouteTableRow, destination: Cidr, target: Target): RouteTableRow {
  const route: RouteRow = { destination, kind: "cidr", target, origin: "CreateRoute" };
  const at = table.routes.findIndex((one) => one.destination === destination);
  const routes = at < 0 ? [...table.routes, route] : table.routes.with(at, route);
  return { ...table, routes };
}

function withoutRoute(table: RouteTableRow, destination: Cidr): RouteTableRow {
  return { ...table, routes: table.routes.filter((one) => one.destination !== destination) };
}

export const routeHandlers = {
  CreateRoute(call, input) {
    const table = theRouteTable(call, input.RouteTableId);
    const destination = destinationOf(input);
    const target = targetOf(call, table, input);
    if (routesOf(call, table).some((route) => route.destination === destination))
      throw new AwsError("RouteAlreadyExists", `The route identified by ${destination} already exists.`);
    checkDestination(call, table, { destination, target });
    withinQuota({
      // The prefix lists of S3 and DynamoDB weigh one route each:
      // https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
      count: madeRoutes(table).length + endpointRoutes(call, table).length + 1,
      quota: call.settings.routesPerTableQuota,
      code: "RouteLimitExceeded",
      what: "routes",
    });
    call.tables.routeTables.put(withRoute(table, destination, target));
    return { Return: true };
  },

  ReplaceRoute(call, input) {
    const table = theRouteTable(call, input.RouteTableId);
    const destination = destinationOf(input);
    const target: Target = input.LocalTarget ? { type: "local" } : targetOf(call, table, input);
    const block = blocksOf(call.tables.vpcs.get(table.vpcId)).find((one) => one === destination);
    if (input.LocalTarget || block) return replaceLocal(call, table, { destination, block, target });
    if (!madeRoutes(table).some((route) => route.destination === destination))
      throw new AwsError(
        "InvalidParameterValue",
        `There is no route defined for '${destination}' in the route table. Use CreateRoute instead.`,
      );
    checkDestination(call, table, { destination, target });
    call.tables.routeTables.put(withRoute(table, destination, target));
    return {};
  },

  DeleteRoute(call, input) {
    const table = theRouteTable(call, input.RouteTableId);
    if (input.DestinationPrefixListId)
      throw new AwsError(
        "InvalidParameterValue",
        `cannot remove VPC endpoint route ${input.DestinationPrefixListId} in route table ${table.id}`,
      );
    const destination = destinationOf(input);
    const route = routesOf(call, table).find((one) => one.destination === destination);
    if (!route)
      throw new AwsError(
        "InvalidRoute.NotFound",
        `no route with destination-cidr-block ${destination} in route table ${table.id}`,
      );
    if (blocksOf(call.tables.vpcs.get(table.vpcId)).includes(destination))
      throw new AwsError(
        "InvalidParameterValue",
        `cannot remove local route ${destination} in route table ${table.id}`,
      );
    call.tables.routeTables.put(withoutRoute(table, destination));
    return {};
  },
} satisfies Ec2Handlers;

/** The local route may lead to an interface of the VPC instead, and back to local. */
function replaceLocal(
  call: Call,
  table: RouteTableRow,
  change: { destination: Cidr; block: Cidr | undefined; target: Target },
): Record<string, never> {
  const { destination, block, target } = change;
  if (!block)
    throw new AwsError(
      "InvalidParameterValue",
      `The route ${destination} is not a local route of ${table.id}`,
    );
  if (target.type !== "local" && !INSIDE.includes(target.type))
    throw new AwsError("InvalidParameterValue", `The local route ${destination} cannot have this target`);
  const cleared = withoutRoute(table, block);
  call.tables.routeTables.put(target.type === "local" ? cleared : withRoute(cleared, block, target));
  return {};
}
