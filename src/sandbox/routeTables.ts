/**
 * Route tables and which subnets use them; the routes inside are in routes.ts. Promises that a subnet has at
 * most one explicit table and every VPC exactly one main table, which no call can take away.
 * https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { madeBefore, tokenOf } from "./clientTokens.ts";
import { AwsError } from "./errors.ts";
import { notFound, theRouteTable, theSubnet, theVpc } from "./find.ts";
import { describe, type FilterMap } from "./query.ts";
import { withinQuota } from "./quotas.ts";
import { routeHandlers } from "./routes.ts";
import { describedRoute, routesOf } from "./routesShown.ts";
import type { RouteTableRow } from "./rows.ts";
import { tagSet, tagsFor } from "./tags.ts";
import type { Call, Ec2Handlers } from "./world.ts";

type Association = RouteTableRow["associations"][number];

function created(call: Call, input: ec2.CreateRouteTableRequest): RouteTableRow {
  const tags = tagsFor(input.TagSpecifications, "route-table");
  const vpc = theVpc(call, input.VpcId);
  withinQuota({
    count: call.tables.routeTables.list(call).filter((row) => row.vpcId === vpc.id).length + 1,
    quota: call.settings.routeTablesPerVpcQuota,
    code: "RouteTableLimitExceeded",
    what: "route tables",
  });
  return call.tables.routeTables.put({
    id: call.newId("rtb"),
    account: call.account,
    region: call.region,
    at: call.now,
    tags,
    vpcId: vpc.id,
    routes: [],
    associations: [],
    ...tokenOf(input),
  });
}

function described(call: Call, row: RouteTableRow): ec2.RouteTable {
  return {
    RouteTableId: row.id,
    VpcId: row.vpcId,
    OwnerId: row.account,
    PropagatingVgws: [],
    Routes: routesOf(call, row).map((route) => describedRoute(call, route)),
    Associations: row.associations.map((one) => describedAssociation(row, one)),
    Tags: tagSet(row.tags),
  };
}

function describedAssociation(row: RouteTableRow, one: Association): ec2.RouteTableAssociation {
  return {
    RouteTableAssociationId: one.id,
    RouteTableId: row.id,
    Main: one.main,
    ...(one.subnetId ? { SubnetId: one.subnetId } : {}),
    AssociationState: { State: "associated" },
  };
}

function filters(call: Call): FilterMap<RouteTableRow> {
  const routes = (row: RouteTableRow) => described(call, row).Routes ?? [];
  return {
    "association.gateway-id": () => undefined,
    "association.main": (row) => (row.associations.length ? row.associations.map((one) => one.main) : false),
    "association.route-table-association-id": (row) => row.associations.map((one) => one.id),
    "association.route-table-id": (row) => (row.associations.length ? row.id : undefined),
    "association.subnet-id": (row) => row.associations.map((one) => one.subnetId),
    "owner-id": (row) => row.account,
    "route-table-id": (row) => row.id,
    "route.destination-cidr-block": (row) => routes(row).map((one) => one.DestinationCidrBlock),
    "route.destination-ipv6-cidr-block": () => undefined,
    "route.destination-prefix-list-id": (row) => routes(row).map((one) => one.DestinationPrefixListId),
    "route.egress-only-internet-gateway-id": () => undefined,
    "route.gateway-id": (row) => routes(row).map((one) => one.GatewayId),
    "route.instance-id": (row) => routes(row).map((one) => one.InstanceId),
    "route.nat-gateway-id": (row) => routes(row).map((one) => one.NatGatewayId),
    "route.origin": (row) => routes(row).map((one) => one.Origin),
    "route.state": (row) => routes(row).map((one) => one.State),
    "route.transit-gateway-id": () => undefined,
    "route.vpc-peering-connection-id": (row) => routes(row).map((one) => one.VpcPeeringConnectionId),
    "vpc-id": (row) => row.vpcId,
  };
}

/** The table and its association with that id. */
function theAssociation(call: Call, id: string | undefined): { table: RouteTableRow; one: Association } {
  for (const table of call.tables.routeTables.list(call)) {
    const one = table.associations.find((each) => each.id === id);
    if (one) return { table, one };
  }
  throw new AwsError("InvalidAssociationID.NotFound", `The association ID '${id}' does not exist`);
}

function explicitTable(call: Call, subnetId: string): { table: RouteTableRow; one: Association } | undefined {
  for (const table of call.tables.routeTables.list(call)) {
    const one = table.associations.find((each) => each.subnetId === subnetId);
    if (one) return { table, one };
  }
  return undefined;
}

function associated(call: Call, table: RouteTableRow, subnetId: string): string {
  const subnet = theSubnet(call, subnetId);
  if (subnet.vpcId !== table.vpcId)
    throw new AwsError(
      "InvalidParameterValue",
      `route table ${table.id} and subnet ${subnet.id} belong to different networks`,
    );
  const before = explicitTable(call, subnet.id);
  if (before?.table.id === table.id) return before.one.id;
  if (before)
    throw new AwsError(
      "Resource.AlreadyAssociated",
      `the specified association for route table ${table.id} conflicts with an existing association`,
    );
  return addAssociation(call, table, { main: false, subnetId: subnet.id });
}

function addAssociation(call: Call, table: RouteTableRow, what: Omit<Association, "id">): string {
  const id = call.newId("rtbassoc");
  call.tables.routeTables.put({ ...table, associations: [...table.associations, { id, ...what }] });
  return id;
}

function removeAssociation(call: Call, table: RouteTableRow, id: string): RouteTableRow {
  const associations = table.associations.filter((one) => one.id !== id);
  return call.tables.routeTables.put({ ...table, associations });
}

/** A table that is gone leaves its gateway endpoints behind, without it. */
function leaveEndpoints(call: Call, tableId: string): void {
  for (const row of call.tables.endpoints.list(call))
    if (row.routeTableIds.includes(tableId))
      call.tables.endpoints.put({ ...row, routeTableIds: row.routeTableIds.filter((id) => id !== tableId) });
}

export const routeTableHandlers = {
  CreateRouteTable(call, input) {
    const [before] = madeBefore(call.tables.routeTables.list(call), input);
    const row = before ?? created(call, input);
    return { RouteTable: described(call, row), ClientToken: input.ClientToken };
  },

  DeleteRouteTable(call, input) {
    const row = theRouteTable(call, input.RouteTableId);
    if (row.associations.length > 0)
      throw new AwsError(
        "DependencyViolation",
        `The routeTable '${row.id}' has dependencies and cannot be deleted.`,
      );
    leaveEndpoints(call, row.id);
    call.tables.routeTables.delete(row.id);
    return {};
  },

  DescribeRouteTables(call, input) {
    const { rows, NextToken } = describe(call, input, {
      rows: call.tables.routeTables.list(call),
      ids: input.RouteTableIds,
      notFound: (ids) => notFound("rtb", ids),
      filters: filters(call),
      pageSize: { min: 5, max: 100 },
    });
    return { RouteTables: rows.map((row) => described(call, row)), NextToken };
  },

  AssociateRouteTable(call, input) {
    const table = theRouteTable(call, input.RouteTableId);
    if (input.GatewayId)
      throw new AwsError("UnsupportedOperation", "Gateway route tables are not part of this sandbox.");
    if (!input.SubnetId)
      throw new AwsError("MissingParameter", "The request must contain the parameter subnetId");
    const AssociationId = associated(call, table, input.SubnetId);
    return { AssociationId, AssociationState: { State: "associated" } };
  },

  DisassociateRouteTable(call, input) {
    const { table, one } = theAssociation(call, input.AssociationId);
    if (one.main)
      throw new AwsError(
        "InvalidParameterValue",
        `cannot disassociate the main route table association ${one.id}`,
      );
    removeAssociation(call, table, one.id);
    return {};
  },

  ReplaceRouteTableAssociation(call, input) {
    const { table: from, one } = theAssociation(call, input.AssociationId);
    const to = theRouteTable(call, input.RouteTableId);
    if (to.vpcId !== from.vpcId)
      throw new AwsError(
        "InvalidParameterValue",
        `route table ${to.id} and association ${one.id} belong to different networks`,
      );
    const { id: _, ...what } = one;
    const left = removeAssociation(call, from, one.id);
    const NewAssociationId = addAssociation(call, to.id === left.id ? left : to, what);
    return { NewAssociationId, AssociationState: { State: "associated" } };
  },

  ...routeHandlers,
} satisfies Ec2Handlers;
