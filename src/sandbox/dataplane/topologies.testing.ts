/**
 * Topologies as literals for tests: what a test does not care about has a plain value. Used by tests alone.
 */
import { cidr } from "../../domain/cidr.ts";
import type { Port, Router, Topology } from "./topology.ts";

export function topologyWith(parts: Partial<Topology>): Topology {
  return { routers: [], hosts: [], peerings: [], ...parts };
}

export function routerOf(id: string, parts: Partial<Router> = {}): Router {
  return {
    id,
    account: "111111111111",
    region: "us-east-1",
    blocks: [cidr("10.0.0.0/16")],
    subnets: [],
    tables: [],
    ports: [],
    groups: [],
    acls: [],
    publicAddresses: [],
    hasInternetGateway: false,
    dnsSupport: true,
    ...parts,
  };
}

export function portOf(id: string, parts: Partial<Port> & Pick<Port, "hostId" | "privateIp">): Port {
  return {
    id,
    device: "eth0",
    subnetId: "subnet-a",
    macAddress: "02:00:00:00:00:01",
    groupIds: [],
    sourceDestCheck: true,
    isOpen: false,
    ...parts,
  };
}
