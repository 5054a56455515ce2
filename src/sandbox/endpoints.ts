/**
 * Gateway VPC endpoints for S3 and DynamoDB. Promises that the route to the service's prefix list appears in
 * the associated route tables (routes.ts derives it) and goes with the endpoint alone. Refuses interface
 * endpoints. https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { madeBefore, tokenOf } from "./clientTokens.ts";
import { gatewayServices, prefixListOf } from "./endpointServices.ts";
import { AwsError } from "./errors.ts";
import { find, notFound, theEndpoint, theRouteTable, theVpc } from "./find.ts";
import { zonesOf } from "./places.ts";
import { describe } from "./query.ts";
import { withinQuota } from "./quotas.ts";
import type { EndpointRow } from "./rows.ts";
import { tagSet, tagsFor } from "./tags.ts";
import type { Call, Ec2Handlers } from "./world.ts";

const FULL_ACCESS = JSON.stringify({
  Version: "2008-10-17",
  Statement: [{ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }],
});

function stateOf(call: Call, row: EndpointRow): "pending" | "available" | "deleting" {
  if (row.deletedAt !== undefined) return "deleting";
  return call.now < row.at + call.settings.endpointPendingMs ? "pending" : "available";
}

function checkService(call: Call, input: ec2.CreateVpcEndpointRequest): string {
  const { VpcEndpointType: type = "Gateway", ServiceName: name } = input;
  if (type !== "Gateway")
    throw new AwsError("UnsupportedOperation", `${type} endpoints are not part of this sandbox.`);
  if (!name) throw new AwsError("MissingParameter", "The request must contain the parameter ServiceName");
  if (!gatewayServices(call.region).includes(name))
    throw new AwsError("InvalidServiceName", `The Vpc Endpoint Service '${name}' does not exist`);
  if (input.SubnetIds?.length || input.SecurityGroupIds?.length || input.PrivateDnsEnabled)
    throw new AwsError(
      "InvalidParameter",
      "Subnets, security groups and private DNS are not supported for gateway endpoints",
    );
  return name;
}

interface Association {
  readonly vpcId: string;
  readonly serviceName: string;
  /** The endpoint that is changed, which does not stand in its own way. */
  readonly self?: string;
}

/** The tables exist, are the VPC's, and none leads to the service already. */
function tablesFor(call: Call, ids: readonly string[], to: Association): string[] {
  const others = call.tables.endpoints
    .list(call)
    .filter((row) => row.deletedAt === undefined && row.serviceName === to.serviceName && row.id !== to.self);
  for (const id of ids) {
    const table = theRouteTable(call, id);
    if (table.vpcId !== to.vpcId)
      throw new AwsError("InvalidParameter", `Route table ${id} does not belong to VPC ${to.vpcId}`);
    if (others.some((row) => row.routeTableIds.includes(id)))
      throw new AwsError(
        "RouteAlreadyExists",
        `route table ${id} already has a route with destination-prefix-list-id ${prefixListOf(to.serviceName).id}`,
      );
  }
  return [...new Set(ids)];
}

function created(call: Call, input: ec2.CreateVpcEndpointRequest): EndpointRow {
  const tags = tagsFor(input.TagSpecifications, "vpc-endpoint");
  const vpcId = theVpc(call, input.VpcId).id;
  const serviceName = checkService(call, input);
  const routeTableIds = tablesFor(call, input.RouteTableIds ?? [], { vpcId, serviceName });
  withinQuota({
    count: call.tables.endpoints.list(call).length + 1,
    quota: call.settings.gatewayEndpointsQuota,
    code: "VpcEndpointLimitExceeded",
    what: "VPC endpoints",
  });
  return call.tables.endpoints.put({
    id: call.newId("vpce"),
    account: call.account,
    region: call.region,
    at: call.now,
    tags,
    vpcId,
    serviceName,
    endpointType: "Gateway",
    routeTableIds,
    policy: input.PolicyDocument ?? FULL_ACCESS,
    ...tokenOf(input),
  });
}

function described(call: Call, row: EndpointRow): ec2.VpcEndpoint {
  return {
    VpcEndpointId: row.id,
    VpcEndpointType: row.endpointType,
    VpcId: row.vpcId,
    ServiceName: row.serviceName,
    ServiceRegion: row.region,
    // The API answers states in small letters; the SDK's type has them capitalised.
    State: stateOf(call, row) as ec2.State,
    PolicyDocument: row.policy,
    RouteTableIds: [...row.routeTableIds],
    SubnetIds: [],
    Groups: [],
    NetworkInterfaceIds: [],
    DnsEntries: [],
    PrivateDnsEnabled: false,
    RequesterManaged: false,
    IpAddressType: "ipv4",
    CreationTimestamp: new Date(row.at),
    OwnerId: row.account,
    Tags: tagSet(row.tags),
  };
}

function modified(call: Call, row: EndpointRow, input: ec2.ModifyVpcEndpointRequest): EndpointRow {
  if (row.deletedAt !== undefined)
    throw new AwsError("InvalidState", `The VPC endpoint ${row.id} is being deleted`);
  if (
    input.AddSubnetIds ||
    input.RemoveSubnetIds ||
    input.AddSecurityGroupIds ||
    input.RemoveSecurityGroupIds
  )
    throw new AwsError(
      "InvalidParameter",
      "Subnets and security groups are not supported for gateway endpoints",
    );
  const gone = input.RemoveRouteTableIds ?? [];
  const stranger = gone.find((id) => !row.routeTableIds.includes(id));
  if (stranger) throw notFound("rtb", [stranger]);
  const to = { vpcId: row.vpcId, serviceName: row.serviceName, self: row.id };
  const added = tablesFor(call, input.AddRouteTableIds ?? [], to);
  const kept = row.routeTableIds.filter((id) => !gone.includes(id));
  const policy = input.ResetPolicy ? FULL_ACCESS : (input.PolicyDocument ?? row.policy);
  return { ...row, policy, routeTableIds: [...new Set([...kept, ...added])] };
}

/** Marks the endpoint as going; what cannot be deleted is answered in the body, not as an error. */
function deleteOne(call: Call, id: string): ec2.UnsuccessfulItem[] {
  const row = find(call, "vpce", id);
  if (!row) {
    const { code, message } = notFound("vpce", [id]);
    return [{ ResourceId: id, Error: { Code: code, Message: message } }];
  }
  const deletedAt = row.deletedAt ?? call.now + call.settings.endpointPendingMs;
  call.tables.endpoints.put({ ...row, deletedAt });
  return [];
}

function serviceDetail(call: Call, name: string) {
  return {
    // Only to be paged and filtered like every other noun.
    id: name,
    account: "amazon",
    region: call.region,
    at: 0,
    tags: [],
    detail: {
      ServiceName: name,
      ServiceType: [{ ServiceType: "Gateway" }],
      ServiceRegion: call.region,
      Owner: "amazon",
      AvailabilityZones: zonesOf(call.region).map((zone) => zone.name),
      BaseEndpointDnsNames: [name.split(".").reverse().slice(0, 2).concat("amazonaws.com").join(".")],
      VpcEndpointPolicySupported: true,
      AcceptanceRequired: false,
      ManagesVpcEndpoints: false,
      Tags: [],
    } satisfies ec2.ServiceDetail,
  };
}

export const endpointHandlers = {
  CreateVpcEndpoint(call, input) {
    const [before] = madeBefore(call.tables.endpoints.list(call), input);
    const row = before ?? created(call, input);
    return { VpcEndpoint: described(call, row), ClientToken: input.ClientToken };
  },

  DeleteVpcEndpoints(call, input) {
    return { Unsuccessful: (input.VpcEndpointIds ?? []).flatMap((id) => deleteOne(call, id)) };
  },

  ModifyVpcEndpoint(call, input) {
    const row = theEndpoint(call, input.VpcEndpointId);
    call.tables.endpoints.put(modified(call, row, input));
    return { Return: true };
  },

  DescribeVpcEndpoints(call, input) {
    const { rows, NextToken } = describe(call, input, {
      rows: call.tables.endpoints.list(call),
      ids: input.VpcEndpointIds,
      notFound: (ids) => notFound("vpce", ids),
      filters: {
        "ip-address-type": () => "ipv4",
        "service-name": (row) => row.serviceName,
        "service-region": (row) => row.region,
        "vpc-endpoint-id": (row) => row.id,
        "vpc-endpoint-state": (row) => stateOf(call, row),
        "vpc-endpoint-type": (row) => row.endpointType,
        "vpc-id": (row) => row.vpcId,
      },
    });
    return { VpcEndpoints: rows.map((row) => described(call, row)), NextToken };
  },

  DescribePrefixLists(call, input) {
    const lists = gatewayServices(call.region).map(prefixListOf);
    const { rows, NextToken } = describe(call, input, {
      rows: lists.map((list) => ({ ...list, account: "amazon", region: call.region, at: 0, tags: [] })),
      ids: input.PrefixListIds,
      notFound: (ids) =>
        new AwsError("InvalidPrefixListId.NotFound", `The prefix list ID '${ids.join(", ")}' does not exist`),
      filters: { "prefix-list-id": (row) => row.id, "prefix-list-name": (row) => row.name },
    });
    const PrefixLists = rows.map((row) => ({
      PrefixListId: row.id,
      PrefixListName: row.name,
      Cidrs: [...row.cidrs],
    }));
    return { PrefixLists, NextToken };
  },

  DescribeVpcEndpointServices(call, input) {
    const { rows, NextToken } = describe(call, input, {
      rows: gatewayServices(call.region).map((name) => serviceDetail(call, name)),
      ids: input.ServiceNames,
      notFound: (names) =>
        new AwsError("InvalidServiceName", `The Vpc Endpoint Service '${names.join(", ")}' does not exist`),
      filters: {
        owner: () => "amazon",
        "service-name": (row) => row.id,
        "service-region": (row) => row.region,
        "service-type": () => "Gateway",
        "supported-ip-address-types": () => "ipv4",
      },
    });
    return {
      ServiceNames: rows.map((row) => row.id),
      ServiceDetails: rows.map((row) => row.detail),
      NextToken,
    };
  },
} satisfies Ec2Handlers;
