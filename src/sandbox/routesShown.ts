/**
 * What a route table leads to. Promises that local routes and the routes of gateway endpoints are derived from
 * the VPC and its endpoints, never kept, and that a route whose target is gone is a `blackhole`.
 * https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { prefixListOf } from "./endpointServices.ts";
import { instanceState } from "./instanceStates.ts";
import { natGatewayState } from "./natGateways.ts";
import { blocksOf, peeringState } from "./peeringStates.ts";
import type { RouteRow, RouteTableRow } from "./rows.ts";
import type { Call } from "./world.ts";

export type Target = RouteRow["target"];

export interface ShownRoute extends RouteRow {
  readonly state: "active" | "blackhole";
}

/** All routes of a table with their states: local ones first, then those made, then the endpoints'. */
export function routesOf(call: Pick<Call, "tables" | "now">, table: RouteTableRow): ShownRoute[] {
  const made = madeRoutes(table);
  const local = blocksOf(call.tables.vpcs.get(table.vpcId))
    .filter((block) => !made.some((route) => route.destination === block))
    .map(
      (destination): RouteRow => ({
        destination,
        kind: "cidr",
        target: { type: "local" },
        origin: "CreateRouteTable",
      }),
    );
  const routes = [...local, ...made, ...endpointRoutes(call, table)];
  return routes.map((route) => ({ ...route, state: stateOf(call, route.target) }));
}

/** The routes somebody made, as they are kept. */
export function madeRoutes(table: RouteTableRow): RouteRow[] {
  return table.routes.filter((route) => route.target.type !== "local" && route.kind === "cidr");
}

export function endpointRoutes(call: Pick<Call, "tables" | "now">, table: RouteTableRow): RouteRow[] {
  return call.tables.endpoints
    .list(table)
    .filter((row) => row.deletedAt === undefined && row.routeTableIds.includes(table.id))
    .map((row) => ({
      destination: prefixListOf(row.serviceName).id,
      kind: "prefixList",
      target: { type: "endpoint", id: row.id },
      origin: "CreateRoute",
    }));
}

function stateOf(call: Pick<Call, "tables" | "now">, target: Target): "active" | "blackhole" {
  return isThere(call, target) ? "active" : "blackhole";
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html: blackhole = the target is not available */
function isThere({ tables, now }: Pick<Call, "tables" | "now">, target: Target): boolean {
  switch (target.type) {
    case "local":
      return true;
    case "internetGateway":
      return tables.internetGateways.get(target.id)?.vpcId !== undefined;
    case "natGateway": {
      const nat = tables.natGateways.get(target.id);
      return nat !== undefined && !["deleted", "failed"].includes(natGatewayState(nat, now));
    }
    case "peering": {
      const peering = tables.peerings.get(target.id);
      return peering !== undefined && peeringState(peering, now) === "active";
    }
    case "interface":
      return tables.interfaces.get(target.id)?.attachment !== undefined;
    case "instance": {
      const instance = tables.instances.get(target.id);
      return instance !== undefined && ["pending", "running"].includes(instanceState(instance, now));
    }
    case "endpoint":
      return tables.endpoints.get(target.id) !== undefined;
  }
}

/** The route as AWS answers it. */
export function describedRoute(call: Pick<Call, "tables">, route: ShownRoute): ec2.Route {
  const destination =
    route.kind === "cidr"
      ? { DestinationCidrBlock: route.destination }
      : { DestinationPrefixListId: route.destination };
  return { ...destination, ...describedTarget(call, route.target), Origin: route.origin, State: route.state };
}

function describedTarget(call: Pick<Call, "tables">, target: Target): ec2.Route {
  switch (target.type) {
    case "local":
      return { GatewayId: "local" };
    case "internetGateway":
    case "endpoint":
      return { GatewayId: target.id };
    case "natGateway":
      return { NatGatewayId: target.id };
    case "peering":
      return { VpcPeeringConnectionId: target.id };
    case "interface":
      return { NetworkInterfaceId: target.id, ...ofInstance(call, target.id) };
    case "instance": {
      const instance = call.tables.instances.get(target.id);
      const NetworkInterfaceId = instance?.interfaceIds[0];
      return {
        InstanceId: target.id,
        ...(instance ? { InstanceOwnerId: instance.account } : {}),
        ...(NetworkInterfaceId ? { NetworkInterfaceId } : {}),
      };
    }
  }
}

function ofInstance(call: Pick<Call, "tables">, interfaceId: string): ec2.Route {
  const attachment = call.tables.interfaces.get(interfaceId)?.attachment;
  if (!attachment?.instanceId) return {};
  return { InstanceId: attachment.instanceId, InstanceOwnerId: attachment.ownerId };
}
