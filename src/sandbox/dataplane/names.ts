/**
 * How things are called in the kernel. Namespaces bear AWS's ids; devices have at most 15 characters
 * (IFNAMSIZ), so they bear the last 12 digits of an id. Interface groups tell the filter what a device of a
 * router leads to.
 */
import { addressText, type Cidr, span } from "../../domain/cidr.ts";

/** The namespace that stands for everything outside. */
export const INTERNET = "internet";

/** Documentation space that is the internet's own: every address of it answers there (RFC 5737). */
export const INTERNET_BLOCK = "192.0.2.0/24";

/** The device groups of a router: its internet gateway, its peerings, and, from FIRST_SUBNET up, its subnets. */
export const GATEWAY_GROUP = 1000;
export const PEERING_GROUP = 1001;

/** In a router: the lowest number of a subnet's or a route table's own. Tables 0 to 255 are the kernel's. */
export const FIRST_NUMBER = 0x1000_0000;

export const portDevice = (interfaceId: string) => `e${interfaceId.slice(-12)}`;
export const peeringDevice = (peeringId: string) => `p${peeringId.slice(-12)}`;
/** The internet's end of a VPC's gateway; the router's own is GATEWAY_DEVICE. */
export const gatewayPeerDevice = (vpcId: string) => `g${vpcId.slice(-12)}`;
export const GATEWAY_DEVICE = "igw";

/** The router's end of every link to a host. */
export const ROUTER_MAC = "0e:00:00:00:00:01";

/** Link-local addresses of the two ends of a gateway's and of a peering's link, with their hardware addresses. */
export const GATEWAY_ENDS = [
  { address: "169.254.255.1", macAddress: "0e:00:00:00:01:01" },
  { address: "169.254.255.2", macAddress: "0e:00:00:00:01:02" },
] as const;
export const PEERING_ENDS = [
  { address: "169.254.254.1", macAddress: "0e:00:00:00:02:01" },
  { address: "169.254.254.2", macAddress: "0e:00:00:00:02:02" },
] as const;

/** https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html: .1 is the router, .2 of the VPC its DNS */
export const gatewayOf = (subnet: Cidr) => addressText(span(subnet).first + 1);
export const resolverOf = (vpcBlock: Cidr) => addressText(span(vpcBlock).first + 2);

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html */
export const METADATA_ADDRESS = "169.254.169.254";
/** https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html */
export const RESOLVER_ADDRESS = "169.254.169.253";

/** AWS's maximum transmission units, in bytes: within a VPC and over a peering in a region, to the internet. */
export const JUMBO_MTU = 9001;
/** https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html: between regions */
export const INTER_REGION_MTU = 8500;
export const INTERNET_MTU = 1500;

/**
 * A service's own network beside a VPC, which the brokers of one cluster have between them: no VPC has such
 * addresses, and no router leads there. Hosts on it are numbered from 1.
 */
export const SERVICE_DEVICE = "service";
export const SERVICE_BLOCK = "169.254.128.0/24";
export const SERVICE_GATEWAY = "169.254.128.254";
export const serviceAddress = (number: number) => `169.254.128.${number}`;
export const serviceMac = (number: number) => `0e:00:00:00:03:${number.toString(16).padStart(2, "0")}`;

/** An id as the filter's language takes it in a name: without hyphens. */
export const word = (id: string) => id.replaceAll("-", "_");
