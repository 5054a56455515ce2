/**
 * Networks for tests: the calls every noun's test begins with, made by a real client over the wire. Each
 * answers with the id of what it made.
 */
import {
  AllocateAddressCommand,
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateNatGatewayCommand,
  CreateRouteTableCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  type EC2Client,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";

export async function makeVpc(client: EC2Client, block = "10.1.0.0/16"): Promise<string> {
  const { Vpc } = await client.send(new CreateVpcCommand({ CidrBlock: block }));
  return Vpc?.VpcId ?? "";
}

/** In the region's first zone, or in the one of that letter. */
export async function makeSubnet(
  client: EC2Client,
  vpcId: string,
  block = "10.1.0.0/24",
  zone = "a",
): Promise<string> {
  const AvailabilityZone = `${await client.config.region()}${zone}`;
  const input = { VpcId: vpcId, CidrBlock: block, AvailabilityZone };
  const { Subnet } = await client.send(new CreateSubnetCommand(input));
  return Subnet?.SubnetId ?? "";
}

/** A /28 in each of the zones `a`, `b` and `c`, or in those given. */
export async function makeZonedSubnets(client: EC2Client, vpcId: string, zones = "abc"): Promise<string[]> {
  const region = await client.config.region();
  const made = [...zones].map(async (zone, at) => {
    const input = { VpcId: vpcId, CidrBlock: `10.1.1.${16 * at}/28`, AvailabilityZone: region + zone };
    return (await client.send(new CreateSubnetCommand(input))).Subnet?.SubnetId ?? "";
  });
  return Promise.all(made);
}

/** An internet gateway, attached when a VPC is given. */
export async function makeInternetGateway(client: EC2Client, vpcId?: string): Promise<string> {
  const { InternetGateway } = await client.send(new CreateInternetGatewayCommand({}));
  const InternetGatewayId = InternetGateway?.InternetGatewayId ?? "";
  if (vpcId) await client.send(new AttachInternetGatewayCommand({ InternetGatewayId, VpcId: vpcId }));
  return InternetGatewayId;
}

export async function makeAddress(client: EC2Client): Promise<string> {
  const { AllocationId } = await client.send(new AllocateAddressCommand({ Domain: "vpc" }));
  return AllocationId ?? "";
}

export async function makeRouteTable(client: EC2Client, vpcId: string): Promise<string> {
  const { RouteTable } = await client.send(new CreateRouteTableCommand({ VpcId: vpcId }));
  return RouteTable?.RouteTableId ?? "";
}

export async function makeGroup(client: EC2Client, vpcId: string, name: string): Promise<string> {
  const input = { VpcId: vpcId, GroupName: name, Description: name };
  return (await client.send(new CreateSecurityGroupCommand(input))).GroupId ?? "";
}

/** A public NAT gateway with a new address; pending. */
export async function makeNatGateway(
  client: EC2Client,
  subnetId: string,
): Promise<{ id: string; allocationId: string }> {
  const allocationId = await makeAddress(client);
  const input = { SubnetId: subnetId, AllocationId: allocationId };
  const { NatGateway } = await client.send(new CreateNatGatewayCommand(input));
  return { id: NatGateway?.NatGatewayId ?? "", allocationId };
}

/** One instance in the subnet; pending. */
export async function makeInstance(
  client: EC2Client,
  subnetId: string,
  groupIds: readonly string[] = [],
): Promise<string> {
  const groups = groupIds.length > 0 ? { SecurityGroupIds: [...groupIds] } : {};
  const input = { ImageId: "ami-12345678", MinCount: 1, MaxCount: 1, SubnetId: subnetId, ...groups };
  const { Instances } = await client.send(new RunInstancesCommand(input));
  return Instances?.[0]?.InstanceId ?? "";
}
