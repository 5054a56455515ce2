/**
 * The creates: one call each, tags in it, client tokens where EC2 has them. Promises to answer the new id or to
 * reject; whether a call without an answer made something is for the journal to find out by tag.
 */
import {
  AllocateAddressCommand,
  CreateInternetGatewayCommand,
  CreateNatGatewayCommand,
  CreateRouteTableCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  CreateVpcEndpointCommand,
} from "@aws-sdk/client-ec2";
import type { CreateStep } from "../../domain/steps.ts";
import { answeredId, type Hands, tagged, token } from "./hand.ts";
import { mskCreates } from "./msk.ts";
import { topicCreates } from "./mskTopics.ts";
import { probeCreates } from "./probe.ts";

/** The one call each create makes. */
export const CREATE_ACTION: Readonly<Record<CreateStep["do"], string>> = {
  createVpc: "CreateVpc",
  createSubnet: "CreateSubnet",
  createInternetGateway: "CreateInternetGateway",
  allocateAddress: "AllocateAddress",
  createNatGateway: "CreateNatGateway",
  createRouteTable: "CreateRouteTable",
  createEndpoint: "CreateVpcEndpoint",
  createGroup: "CreateSecurityGroup",
  createCluster: "CreateClusterV2",
  createProbe: "CreateFunction",
  createTopic: "CreateTopic",
};

export const creates: Hands<CreateStep["do"]> = {
  ...mskCreates,
  ...probeCreates,
  ...topicCreates,

  async createVpc(hand, { cidr }) {
    const answer = await hand.ec2.send(
      new CreateVpcCommand({ CidrBlock: cidr, TagSpecifications: tagged(hand, "vpc") }),
    );
    const vpcId = answeredId(answer.Vpc?.VpcId, "CreateVpc");
    // A VPC's defaults: https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
    hand.dns.learn({ vpcId, attribute: "enableDnsSupport" }, true);
    hand.dns.learn({ vpcId, attribute: "enableDnsHostnames" }, false);
    return vpcId;
  },

  async createSubnet(hand, { vpcId, cidr, zoneId }) {
    const answer = await hand.ec2.send(
      new CreateSubnetCommand({
        VpcId: vpcId,
        CidrBlock: cidr,
        AvailabilityZoneId: zoneId,
        TagSpecifications: tagged(hand, "subnet"),
      }),
    );
    return answeredId(answer.Subnet?.SubnetId, "CreateSubnet");
  },

  async createInternetGateway(hand) {
    const answer = await hand.ec2.send(
      new CreateInternetGatewayCommand({ TagSpecifications: tagged(hand, "internet-gateway") }),
    );
    return answeredId(answer.InternetGateway?.InternetGatewayId, "CreateInternetGateway");
  },

  async allocateAddress(hand) {
    const answer = await hand.ec2.send(
      new AllocateAddressCommand({ Domain: "vpc", TagSpecifications: tagged(hand, "elastic-ip") }),
    );
    return answeredId(answer.AllocationId, "AllocateAddress");
  },

  async createNatGateway(hand, { subnetId, allocationId }) {
    const answer = await hand.ec2.send(
      new CreateNatGatewayCommand({
        SubnetId: subnetId,
        AllocationId: allocationId,
        ConnectivityType: "public",
        ClientToken: token(hand),
        TagSpecifications: tagged(hand, "natgateway"),
      }),
    );
    return answeredId(answer.NatGateway?.NatGatewayId, "CreateNatGateway");
  },

  async createRouteTable(hand, { vpcId }) {
    const answer = await hand.ec2.send(
      new CreateRouteTableCommand({
        VpcId: vpcId,
        ClientToken: token(hand),
        TagSpecifications: tagged(hand, "route-table"),
      }),
    );
    return answeredId(answer.RouteTable?.RouteTableId, "CreateRouteTable");
  },

  async createEndpoint(hand, { vpcId, routeTableIds }) {
    const answer = await hand.ec2.send(
      new CreateVpcEndpointCommand({
        VpcEndpointType: "Gateway",
        VpcId: vpcId,
        ServiceName: `com.amazonaws.${hand.region}.s3`,
        RouteTableIds: [...routeTableIds],
        ClientToken: token(hand),
        TagSpecifications: tagged(hand, "vpc-endpoint"),
      }),
    );
    return answeredId(answer.VpcEndpoint?.VpcEndpointId, "CreateVpcEndpoint");
  },

  async createGroup(hand, { vpcId, name, description }) {
    const answer = await hand.ec2.send(
      new CreateSecurityGroupCommand({
        VpcId: vpcId,
        GroupName: name,
        Description: description,
        TagSpecifications: tagged(hand, "security-group"),
      }),
    );
    return answeredId(answer.GroupId, "CreateSecurityGroup");
  },
};
