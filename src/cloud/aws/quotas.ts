/**
 * AWS's quotas by the error that names them: what each is called in Service Quotas, its code there, and what
 * it counts, so that an operator knows which number to raise.
 * https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */
export interface Quota {
  readonly service: "vpc" | "ec2" | "kafka";
  /** Its code in Service Quotas. */
  readonly code: string;
  readonly name: string;
  readonly counts: string;
}

/** No error code of MSK's means it. https://docs.aws.amazon.com/msk/latest/developerguide/limits.html */
export const BROKERS: Quota = {
  service: "kafka",
  code: "L-EDD31C36",
  name: "Number of brokers per account",
  counts: "90 for a region unless raised; each cluster uses one a zone or more",
};

const PEERINGS: Quota = {
  service: "vpc",
  code: "L-7E9ECCDB",
  name: "Active VPC peering connections per VPC",
  counts: "50 for a VPC unless raised, 125 at most",
};
const OUTSTANDING: Quota = {
  service: "vpc",
  code: "L-DC9F7029",
  name: "Outstanding VPC peering connection requests",
  counts: "25 requests nobody has accepted or rejected, unless raised",
};

/** By AWS's error code in lower case. */
const QUOTAS: Readonly<Record<string, Quota>> = {
  vpclimitexceeded: {
    service: "vpc",
    code: "L-F678F1CE",
    name: "VPCs per Region",
    counts: "5 unless raised; the default VPC counts, each dataset uses one",
  },
  internetgatewaylimitexceeded: {
    service: "vpc",
    code: "L-A4707A72",
    name: "Internet gateways per Region",
    counts: "5 unless raised; it follows VPCs per Region, each dataset uses one",
  },
  subnetlimitexceeded: {
    service: "vpc",
    code: "L-407747CB",
    name: "Subnets per VPC",
    counts: "200 for a VPC unless raised",
  },
  addresslimitexceeded: {
    service: "ec2",
    code: "L-0263D0A3",
    name: "EC2-VPC Elastic IPs",
    counts: "5 for a region unless raised; each dataset uses three",
  },
  natgatewaylimitexceeded: {
    service: "vpc",
    code: "L-FE5A380F",
    name: "NAT gateways per Availability Zone",
    counts:
      "5 for a zone unless raised; pending and deleting ones count, each dataset uses one in three zones",
  },
  routetablelimitexceeded: {
    service: "vpc",
    code: "L-589F43AA",
    name: "Route tables per VPC",
    counts: "200 for a VPC unless raised",
  },
  routelimitexceeded: {
    service: "vpc",
    code: "L-93826ACB",
    name: "Routes per route table",
    counts: "500 for a table unless raised; each block of each peer is one",
  },
  securitygrouplimitexceeded: {
    service: "vpc",
    code: "L-E79EC296",
    name: "VPC security groups per Region",
    counts: "2,500 for a region unless raised; each dataset uses three, one of them the VPC's default",
  },
  rulespersecuritygrouplimitexceeded: {
    service: "vpc",
    code: "L-0EA8095F",
    name: "Inbound or outbound rules per security group",
    counts: "60 in and 60 out unless raised; each block of each peer is one",
  },
  networkaclentrylimitexceeded: {
    service: "vpc",
    code: "L-2AEEBF1A",
    name: "Rules per network ACL",
    counts: "20 in and 20 out unless raised",
  },
  vpcendpointlimitexceeded: {
    service: "vpc",
    code: "L-1B52E74A",
    name: "Gateway VPC endpoints per Region",
    counts: "20 for a region unless raised; each dataset uses one",
  },
  networkinterfacelimitexceeded: {
    service: "vpc",
    code: "L-DF5E4CA3",
    name: "Network interfaces per Region",
    counts: "5,000 unless raised",
  },
  activevpcpeeringconnectionpervpclimitexceeded: PEERINGS,
  vpcpeeringconnectionspervpclimitexceeded: PEERINGS,
  outstandingvpcpeeringconnectionlimitexceeded: OUTSTANDING,
  pendingvpcpeeringconnectionlimitexceeded: OUTSTANDING,
};

/** The quota that an error code means; `code` in lower case. */
export function quotaOf(code: string): Quota | undefined {
  return Object.hasOwn(QUOTAS, code) ? QUOTAS[code] : undefined;
}

/** Where the operator asks for more: each region has quotas of its own. */
export function quotaLink({ service, code }: Quota, region: string): string {
  return `https://${region}.console.aws.amazon.com/servicequotas/home/services/${service}/quotas/${code}`;
}
