/**
 * The two AWS services that gateway endpoints lead to, with their prefix lists. The sandbox's blocks are
 * documentation space (RFC 5737), so that nothing here is ever routed for real.
 * https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
 */
import { createHash } from "node:crypto";

const SERVICES = { s3: "198.51.100.0/24", dynamodb: "203.0.113.0/24" } as const;

export interface PrefixListOfService {
  /** Depends on the service's name alone, so it differs from region to region as AWS's do. */
  readonly id: string;
  readonly name: string;
  readonly cidrs: readonly string[];
}

/** The names of the gateway services in the region: `com.amazonaws.eu-west-1.s3`. */
export function gatewayServices(region: string): string[] {
  return Object.keys(SERVICES).map((service) => `com.amazonaws.${region}.${service}`);
}

/** The prefix list of a service named by `gatewayServices`. */
export function prefixListOf(serviceName: string): PrefixListOfService {
  const service = serviceName.slice(serviceName.lastIndexOf(".") + 1);
  const hash = createHash("sha256").update(serviceName).digest("hex");
  const block = service === "dynamodb" ? SERVICES.dynamodb : SERVICES.s3;
  return { id: `pl-${hash.slice(0, 8)}`, name: serviceName, cidrs: [block] };
}
