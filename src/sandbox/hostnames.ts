/**
 * The names AWS gives to addresses, and which VPCs have them.
 * https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
 */
import type { VpcRow } from "./rows.ts";

/** The domain of the region's private names; the oldest region has one of its own. */
export function privateDomain(region: string): string {
  return region === "us-east-1" ? "ec2.internal" : `${region}.compute.internal`;
}

export function publicDomain(region: string): string {
  return region === "us-east-1" ? "compute-1.amazonaws.com" : `${region}.compute.amazonaws.com`;
}

export function privateDnsName(region: string, ip: string): string {
  return `ip-${ip.replaceAll(".", "-")}.${privateDomain(region)}`;
}

export function publicDnsName(region: string, ip: string): string {
  return `ec2-${ip.replaceAll(".", "-")}.${publicDomain(region)}`;
}

/**
 * Whether addresses of the VPC have names: "if at least one of the attributes is set to false", there is no
 * public name, and the resolver knows none of the private ones.
 */
export function hasHostnames(vpc: VpcRow | undefined): boolean {
  return (vpc?.dnsSupport && vpc.dnsHostnames) === true;
}
