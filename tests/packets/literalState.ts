/**
 * A small world in literals, as the Describe calls would answer it, for the unit tests of the model: three VPCs
 * in a row of peerings, everything open. A test replaces what it is about.
 */
import type { NetworkAclEntry, Route, SecurityGroupRule } from "@aws-sdk/client-ec2";
import type { Ec2State } from "./ec2State.ts";

export const ANYWHERE = "0.0.0.0/0";
interface HostLiteral {
  readonly id: string;
  readonly vpc: string;
  readonly subnet: string;
  readonly address: string;
  readonly publicIp?: string;
  readonly checked?: boolean;
}

const HOSTS: readonly HostLiteral[] = [
  { id: "i-one", vpc: "vpc-a", subnet: "subnet-a1", address: "10.1.1.10", publicIp: "198.18.0.1" },
  { id: "i-twin", vpc: "vpc-a", subnet: "subnet-a1", address: "10.1.1.11" },
  { id: "i-two", vpc: "vpc-a", subnet: "subnet-a2", address: "10.1.2.10" },
  { id: "i-appliance", vpc: "vpc-a", subnet: "subnet-a2", address: "10.1.2.11", checked: false },
  { id: "i-peer", vpc: "vpc-b", subnet: "subnet-b1", address: "10.2.1.10" },
  { id: "i-far", vpc: "vpc-c", subnet: "subnet-c1", address: "10.3.1.10" },
];

const networkInterface = (host: HostLiteral) => ({
  NetworkInterfaceId: `eni-${host.id.slice(2)}`,
  VpcId: host.vpc,
  SubnetId: host.subnet,
  PrivateIpAddress: host.address,
  Groups: [{ GroupId: `sg-${host.id.slice(2)}` }],
  SourceDestCheck: host.checked ?? true,
  Attachment: { InstanceId: host.id, DeviceIndex: 0 },
  ...(host.publicIp ? { Association: { PublicIp: host.publicIp } } : {}),
});

const NAT = {
  NetworkInterfaceId: "eni-nat",
  VpcId: "vpc-a",
  SubnetId: "subnet-a1",
  PrivateIpAddress: "10.1.1.5",
  SourceDestCheck: false,
  Association: { PublicIp: "198.18.0.5" },
};

const vpc = (id: string, block: string) => ({
  VpcId: id,
  CidrBlockAssociationSet: [{ CidrBlock: block }],
});

export const table = (subnet: string, Routes: Route[]) => ({
  RouteTableId: `rtb-${subnet}`,
  Associations: [{ SubnetId: subnet, Main: false }],
  Routes: Routes.map((route) => ({ State: "active" as const, ...route })),
});

export const acl = (subnet: string, entries: NetworkAclEntry[]) => ({
  NetworkAclId: `acl-${subnet}`,
  Associations: [{ SubnetId: subnet }],
  Entries: entries.map((one) => ({ CidrBlock: ANYWHERE, ...one })),
});

export const ALLOW: NetworkAclEntry[] = [true, false].map((Egress) => ({
  Egress,
  RuleNumber: 100,
  Protocol: "-1",
  RuleAction: "allow",
}));

export const rule = (host: string, over: SecurityGroupRule): SecurityGroupRule => ({
  GroupId: `sg-${host}`,
  IsEgress: false,
  IpProtocol: "-1",
  FromPort: -1,
  ToPort: -1,
  ...over,
});

/** Two peers and a third beyond them; one subnet of the first with a gateway, one behind its NAT gateway. */
export const BASE: Ec2State = {
  Vpcs: [vpc("vpc-a", "10.1.0.0/16"), vpc("vpc-b", "10.2.0.0/16"), vpc("vpc-c", "10.3.0.0/16")],
  Subnets: [],
  RouteTables: [
    table("subnet-a1", [
      { DestinationCidrBlock: ANYWHERE, GatewayId: "igw-a" },
      { DestinationCidrBlock: "10.2.0.0/16", VpcPeeringConnectionId: "pcx-ab" },
    ]),
    table("subnet-a2", [
      { DestinationCidrBlock: ANYWHERE, NatGatewayId: "nat-a" },
      { DestinationCidrBlock: "10.2.0.0/16", VpcPeeringConnectionId: "pcx-ab" },
    ]),
    table("subnet-b1", [
      { DestinationCidrBlock: "10.1.0.0/16", VpcPeeringConnectionId: "pcx-ab" },
      { DestinationCidrBlock: "10.3.0.0/16", VpcPeeringConnectionId: "pcx-bc" },
    ]),
    table("subnet-c1", [{ DestinationCidrBlock: "10.0.0.0/8", VpcPeeringConnectionId: "pcx-bc" }]),
  ],
  SecurityGroupRules: HOSTS.flatMap(({ id }) => [
    rule(id.slice(2), { CidrIpv4: ANYWHERE }),
    rule(id.slice(2), { CidrIpv4: ANYWHERE, IsEgress: true }),
  ]),
  NetworkAcls: ["a1", "a2", "b1", "c1"].map((subnet) => acl(`subnet-${subnet}`, ALLOW)),
  VpcPeeringConnections: [
    ["pcx-ab", "vpc-a", "vpc-b"],
    ["pcx-bc", "vpc-b", "vpc-c"],
  ].map(([id, from, to]) => ({
    VpcPeeringConnectionId: id,
    Status: { Code: "active" },
    RequesterVpcInfo: { VpcId: from, Region: "us-east-1" },
    AccepterVpcInfo: { VpcId: to, Region: "us-east-1" },
  })),
  NetworkInterfaces: [...HOSTS.map(networkInterface), NAT],
  InternetGateways: [{ InternetGatewayId: "igw-a", Attachments: [{ VpcId: "vpc-a", State: "attached" }] }],
  NatGateways: [
    {
      NatGatewayId: "nat-a",
      State: "available",
      NatGatewayAddresses: [{ NetworkInterfaceId: "eni-nat" }],
    },
  ],
  Instances: HOSTS.map(({ id }) => ({ InstanceId: id, State: { Name: "running" } })),
};
