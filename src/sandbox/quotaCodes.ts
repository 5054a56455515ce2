/**
 * The quotas of the small cloud by their codes in Service Quotas. What each is set to is a setting; what AWS
 * gives an account that never asked for more is the `aws` profile.
 * https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-connection-quotas.html
 * https://docs.aws.amazon.com/msk/latest/developerguide/limits.html
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
import { PROFILES, type Settings } from "./settings.ts";

/** The settings that are quotas. */
type QuotaSetting = Extract<keyof Settings, `${string}Quota`>;

export interface QuotaCode {
  readonly setting: QuotaSetting;
  readonly service: ServiceCode;
  /** `L-F678F1CE` */
  readonly code: string;
  readonly name: string;
}

export const SERVICE_NAMES = {
  ec2: "Amazon Elastic Compute Cloud (Amazon EC2)",
  kafka: "Amazon Managed Streaming for Apache Kafka (MSK)",
  lambda: "AWS Lambda",
  vpc: "Amazon Virtual Private Cloud (Amazon VPC)",
} as const;

export type ServiceCode = keyof typeof SERVICE_NAMES;

/** Each quota setting has its code here, or it does not compile. */
const CODES: Readonly<Record<QuotaSetting, readonly [ServiceCode, code: string, name: string]>> = {
  vpcsQuota: ["vpc", "L-F678F1CE", "VPCs per Region"],
  subnetsPerVpcQuota: ["vpc", "L-407747CB", "Subnets per VPC"],
  blocksPerVpcQuota: ["vpc", "L-83CA0A9D", "IPv4 CIDR blocks per VPC"],
  internetGatewaysQuota: ["vpc", "L-A4707A72", "Internet gateways per Region"],
  addressesQuota: ["ec2", "L-0263D0A3", "EC2-VPC Elastic IPs"],
  natGatewaysPerZoneQuota: ["vpc", "L-FE5A380F", "NAT gateways per Availability Zone"],
  routeTablesPerVpcQuota: ["vpc", "L-589F43AA", "Route tables per VPC"],
  routesPerTableQuota: ["vpc", "L-93826ACB", "Routes per route table"],
  groupsQuota: ["vpc", "L-E79EC296", "VPC security groups per Region"],
  rulesPerGroupQuota: ["vpc", "L-0EA8095F", "Inbound or outbound rules per security group"],
  groupsPerInterfaceQuota: ["vpc", "L-2AFB9258", "Security groups per network interface"],
  interfacesQuota: ["vpc", "L-DF5E4CA3", "Network interfaces per Region"],
  aclsPerVpcQuota: ["vpc", "L-B4A6D682", "Network ACLs per VPC"],
  entriesPerAclQuota: ["vpc", "L-2AEEBF1A", "Rules per network ACL"],
  gatewayEndpointsQuota: ["vpc", "L-1B52E74A", "Gateway VPC endpoints per Region"],
  activePeeringsPerVpcQuota: ["vpc", "L-7E9ECCDB", "Active VPC peering connections per VPC"],
  pendingPeeringsPerVpcQuota: ["vpc", "L-DC9F7029", "Outstanding VPC peering connection requests"],
  mskBrokersQuota: ["kafka", "L-EDD31C36", "Number of brokers per account"],
  mskBrokersPerClusterQuota: ["kafka", "L-03FD6822", "Number of brokers per KRaft cluster"],
  mskBrokersPerZookeeperClusterQuota: ["kafka", "L-FAB9E493", "Number of brokers per cluster"],
  lambdaConcurrencyQuota: ["lambda", "L-B99A9384", "Concurrent executions"],
  lambdaInterfacesPerVpcQuota: ["lambda", "L-9FEE3D26", "Elastic network interfaces per VPC"],
};

/** In order of code. */
export const QUOTA_CODES: readonly QuotaCode[] = Object.entries(CODES)
  .map(([setting, [service, code, name]]) => ({ setting: setting as QuotaSetting, service, code, name }))
  .sort((a, b) => (a.code < b.code ? -1 : 1));

/** What AWS gives without being asked. */
export function defaultQuota({ setting }: QuotaCode): number {
  return PROFILES.aws[setting];
}
