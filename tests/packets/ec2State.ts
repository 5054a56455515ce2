/**
 * What AWS answers about the networks of some accounts and regions, put side by side: the only thing that the
 * model of reachability is given. Promises each thing once, though both sides of a peering show it.
 */
import * as ec2 from "@aws-sdk/client-ec2";

/** The lists of the Describe calls, by the names they have there. */
export interface Ec2State {
  readonly Vpcs: readonly ec2.Vpc[];
  readonly Subnets: readonly ec2.Subnet[];
  readonly RouteTables: readonly ec2.RouteTable[];
  readonly SecurityGroupRules: readonly ec2.SecurityGroupRule[];
  readonly NetworkAcls: readonly ec2.NetworkAcl[];
  readonly VpcPeeringConnections: readonly ec2.VpcPeeringConnection[];
  readonly NetworkInterfaces: readonly ec2.NetworkInterface[];
  readonly InternetGateways: readonly ec2.InternetGateway[];
  readonly NatGateways: readonly ec2.NatGateway[];
  readonly Instances: readonly ec2.Instance[];
}

/** One client an account and region. */
export async function readState(clients: readonly ec2.EC2Client[]): Promise<Ec2State> {
  const states = await Promise.all(clients.map(stateOf));
  return {
    Vpcs: states.flatMap((one) => one.Vpcs),
    Subnets: states.flatMap((one) => one.Subnets),
    RouteTables: states.flatMap((one) => one.RouteTables),
    SecurityGroupRules: states.flatMap((one) => one.SecurityGroupRules),
    NetworkAcls: states.flatMap((one) => one.NetworkAcls),
    VpcPeeringConnections: [
      ...new Map(
        states.flatMap((one) => one.VpcPeeringConnections).map((one) => [one.VpcPeeringConnectionId, one]),
      ).values(),
    ],
    NetworkInterfaces: states.flatMap((one) => one.NetworkInterfaces),
    InternetGateways: states.flatMap((one) => one.InternetGateways),
    NatGateways: states.flatMap((one) => one.NatGateways),
    Instances: states.flatMap((one) => one.Instances),
  };
}

async function stateOf(client: ec2.EC2Client): Promise<Ec2State> {
  const [vpcs, subnets, tables, rules, acls, peerings, interfaces, gateways, nats, instances] =
    await Promise.all([
      client.send(new ec2.DescribeVpcsCommand({})),
      client.send(new ec2.DescribeSubnetsCommand({})),
      client.send(new ec2.DescribeRouteTablesCommand({})),
      client.send(new ec2.DescribeSecurityGroupRulesCommand({})),
      client.send(new ec2.DescribeNetworkAclsCommand({})),
      client.send(new ec2.DescribeVpcPeeringConnectionsCommand({})),
      client.send(new ec2.DescribeNetworkInterfacesCommand({})),
      client.send(new ec2.DescribeInternetGatewaysCommand({})),
      client.send(new ec2.DescribeNatGatewaysCommand({})),
      client.send(new ec2.DescribeInstancesCommand({})),
    ]);
  return {
    Vpcs: whole(vpcs.Vpcs, vpcs),
    Subnets: whole(subnets.Subnets, subnets),
    RouteTables: whole(tables.RouteTables, tables),
    SecurityGroupRules: whole(rules.SecurityGroupRules, rules),
    NetworkAcls: whole(acls.NetworkAcls, acls),
    VpcPeeringConnections: whole(peerings.VpcPeeringConnections, peerings),
    NetworkInterfaces: whole(interfaces.NetworkInterfaces, interfaces),
    InternetGateways: whole(gateways.InternetGateways, gateways),
    NatGateways: whole(nats.NatGateways, nats),
    Instances: whole(instances.Reservations, instances).flatMap((one) => one.Instances ?? []),
  };
}

/** A small topology fits on one page; a model of half of it would be wrong without a word. */
function whole<T>(list: readonly T[] | undefined, answer: { NextToken?: string | undefined }): readonly T[] {
  if (answer.NextToken) throw new Error("the answer has a second page: the topology is too large to compare");
  return list ?? [];
}
