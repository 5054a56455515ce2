/**
 * The steps we can take in a network: one cloud call each, named by what it does and to which key. Data only:
 * `network/` thinks of them, `cloud/` takes them.
 */
import type { Cidr } from "./cidr.ts";
import type { ClusterSpec, ProbeSpec } from "./connector.ts";
import type { TopicWish } from "./topic.ts";
import type { AclEntry } from "./world.ts";

/** Steps that make something with an id of its own; each is journaled before it is taken. */
export type CreateStep = { readonly key: string } & (
  | { readonly do: "createVpc"; readonly cidr: Cidr }
  | { readonly do: "createSubnet"; readonly vpcId: string; readonly cidr: Cidr; readonly zoneId: string }
  | { readonly do: "createInternetGateway" }
  | { readonly do: "allocateAddress" }
  | { readonly do: "createNatGateway"; readonly subnetId: string; readonly allocationId: string }
  | { readonly do: "createRouteTable"; readonly vpcId: string }
  | { readonly do: "createEndpoint"; readonly vpcId: string; readonly routeTableIds: readonly string[] }
  | {
      readonly do: "createGroup";
      readonly vpcId: string;
      readonly name: string;
      readonly description: string;
    }
  | { readonly do: "createCluster"; readonly spec: ClusterSpec }
  | { readonly do: "createTopic"; readonly clusterArn: string; readonly topic: TopicWish }
  | { readonly do: "createProbe"; readonly spec: ProbeSpec }
);

/** Each of them, so that the compiler misses one that is left out. */
const CREATES: Readonly<Record<CreateStep["do"], true>> = {
  createVpc: true,
  createSubnet: true,
  createInternetGateway: true,
  allocateAddress: true,
  createNatGateway: true,
  createRouteTable: true,
  createEndpoint: true,
  createGroup: true,
  createCluster: true,
  createTopic: true,
  createProbe: true,
};

export function isCreate(step: Step): step is CreateStep {
  return step.do in CREATES;
}

/** A permission for a group, before it has an id. */
export interface Rule {
  readonly egress: boolean;
  readonly protocol: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly source: string;
}

/** Steps on things that are there: each may be taken twice without harm. */
export type ChangeStep = { readonly key: string } & (
  | { readonly do: "setDnsHostnames"; readonly vpcId: string }
  | { readonly do: "setDnsSupport"; readonly vpcId: string }
  | { readonly do: "attachInternetGateway"; readonly gatewayId: string; readonly vpcId: string }
  | { readonly do: "associateTable"; readonly tableId: string; readonly subnetId: string }
  | { readonly do: "replaceAssociation"; readonly associationId: string; readonly tableId: string }
  | { readonly do: "createRoute"; readonly tableId: string; readonly route: RouteWish }
  | { readonly do: "replaceRoute"; readonly tableId: string; readonly route: RouteWish }
  | { readonly do: "deleteRoute"; readonly tableId: string; readonly destination: string }
  | {
      readonly do: "setEndpointTables";
      readonly endpointId: string;
      readonly add: readonly string[];
      readonly remove: readonly string[];
    }
  | {
      readonly do: "authorizeRules";
      readonly groupId: string;
      readonly egress: boolean;
      readonly rules: readonly Rule[];
    }
  | {
      readonly do: "revokeRules";
      readonly groupId: string;
      readonly egress: boolean;
      readonly ruleIds: readonly string[];
    }
  | { readonly do: "createAclEntry"; readonly aclId: string; readonly entry: AclEntry }
  | { readonly do: "replaceAclEntry"; readonly aclId: string; readonly entry: AclEntry }
  | {
      readonly do: "deleteAclEntry";
      readonly aclId: string;
      readonly number: number;
      readonly egress: boolean;
    }
  | { readonly do: "acceptPeering"; readonly peeringId: string }
  | { readonly do: "allowPeeringDns"; readonly peeringId: string }
  | { readonly do: "rejectPeering"; readonly peeringId: string }
  | { readonly do: "deletePeering"; readonly peeringId: string }
  | {
      readonly do: "growStorage";
      readonly clusterArn: string;
      readonly revision: string;
      readonly volumeGiB: number;
    }
  | {
      readonly do: "growTopic";
      readonly clusterArn: string;
      readonly name: string;
      readonly partitions: number;
    }
  | {
      readonly do: "attachFunction";
      readonly functionArn: string;
      readonly subnetIds: readonly string[];
      readonly groupIds: readonly string[];
    }
  | { readonly do: "configureProbe"; readonly functionArn: string; readonly spec: ProbeSpec }
  | { readonly do: "updateProbeCode"; readonly functionArn: string }
);

/** Steps that take something away; its journal rows are closed when the cloud has answered. */
export type DeleteStep = { readonly key: string } & (
  | { readonly do: "detachFunction"; readonly functionArn: string }
  | { readonly do: "deleteProbe"; readonly functionArn: string }
  | { readonly do: "deleteCluster"; readonly clusterArn: string }
  | { readonly do: "deleteEndpoint"; readonly endpointId: string }
  | { readonly do: "deleteNatGateway"; readonly natGatewayId: string }
  | { readonly do: "releaseAddress"; readonly allocationId: string }
  | { readonly do: "detachInternetGateway"; readonly gatewayId: string; readonly vpcId: string }
  | { readonly do: "deleteInternetGateway"; readonly gatewayId: string }
  | { readonly do: "deleteInterface"; readonly interfaceId: string }
  | { readonly do: "deleteGroup"; readonly groupId: string }
  | { readonly do: "deleteSubnet"; readonly subnetId: string }
  | { readonly do: "deleteRouteTable"; readonly tableId: string }
  | { readonly do: "deleteVpc"; readonly vpcId: string }
);

export type Step = CreateStep | ChangeStep | DeleteStep;

export interface RouteWish {
  readonly destination: Cidr;
  readonly target: {
    readonly kind: "internetGateway" | "natGateway" | "peering";
    readonly id: string;
  };
}
