/**
 * The shapes of what a customer connects to: a dataset's VPC with its subnets and gateways, the commands of the
 * customer's side, and the peering connections.
 */
import { z } from "zod";
import { VPC_SIZES } from "../domain/model.ts";
import { bootstrapBrokers } from "./connectorShapes.ts";
import { moment } from "./schemas.ts";

export const subnet = z
  .object({
    subnetId: z.string(),
    type: z.enum(["private", "public"]),
    availabilityZone: z.string(),
    availabilityZoneId: z.string(),
    cidrBlock: z.string(),
    availableIpAddressCount: z.number().int(),
  })
  .meta({ id: "Subnet" });

export const peeringGuide = z
  .object({
    credentials: z
      .string()
      .nullable()
      .describe("Makes the commands act as your account in the sandbox; null on AWS, where your own keys do"),
    request: z.string().describe("Requests the peering connection, in your account"),
    accept: z.string().describe("Accepts it on behalf of #LetsData"),
    route: z.string().describe("The route of your side, once it is active"),
    securityGroup: z.string().describe("Lets your hosts out to the dataset's range"),
    dnsHostnames: z
      .string()
      .describe(
        "Turns on DNS hostnames in your VPC. AWS gives private DNS answers over a peering to neither side before; " +
          "our side then sets its option for the dataset's names by itself",
      ),
    dns: z
      .string()
      .describe("Lets our side resolve the public names of your hosts to private addresses; rarely needed"),
    undo: z.array(z.string()).describe("Takes all of it back"),
  })
  .meta({ id: "PeeringGuide" });

export const vpc = z
  .object({
    datasetName: z.string(),
    vpcId: z.string().nullable(),
    ownerId: z.string().nullable(),
    cidrBlock: z.string(),
    region: z.string(),
    vpcSize: z.enum(VPC_SIZES),
    status: z
      .enum(["CREATING", "ACTIVE", "DELETING", "ERROR"])
      .describe("Of the VPC alone: it can be peered with while its cluster is still being made"),
    statusReason: z.string().nullable(),
    subnets: z.array(subnet),
    natGateways: z.array(
      z.object({
        natGatewayId: z.string(),
        state: z.string(),
        subnetId: z.string(),
        publicIp: z.string().nullable(),
      }),
    ),
    bootstrapBrokers: bootstrapBrokers
      .nullable()
      .describe("Where Kafka clients begin; null without a cluster"),
    peeringGuide: peeringGuide.optional(),
  })
  .meta({ id: "Vpc" });

export const PEERING_STATUSES = [
  "PENDING",
  "ACCEPTING",
  "CONFIGURING",
  "ACTIVE",
  "DELETING",
  "DELETED",
  "REJECTED",
  "REFUSED",
  "EXPIRED",
  "FAILED",
] as const;

export const peering = z
  .object({
    vpcPeeringConnectionId: z.string(),
    status: z.enum(PEERING_STATUSES).describe("Our word for where it stands"),
    awsStatus: z.string().describe("AWS's own status code; `gone` when AWS no longer shows it"),
    statusReason: z.string(),
    whoseMove: z.enum(["letsdata", "aws", "operator", "customer", "nobody"]),
    nextStep: z.string().nullable(),
    requesterOwnerId: z.string().nullable(),
    requesterVpcId: z.string().nullable(),
    requesterRegion: z.string().nullable(),
    requesterCidrBlocks: z.array(z.string()).describe("AWS may hide them until the connection is active"),
    accepterVpcId: z.string().nullable(),
    expirationTime: moment.nullable(),
    expiresInSeconds: z.number().nullable().describe("Time left to accept it"),
  })
  .meta({ id: "VpcPeeringConnection" });
