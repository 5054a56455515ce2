/**
 * Where the router of a VPC sends what leaves an interface, by its subnet's route table. Promises that local
 * routes win and that a route whose target carries nothing loses what is sent along it.
 */
import type { NetworkInterface, Route, RouteTable } from "@aws-sdk/client-ec2";
import { cidr, maskLength } from "../../src/domain/cidr.ts";
import type { Ec2State } from "./ec2State.ts";
import { isIn } from "./filters.ts";

export type Place =
  | { readonly at: "leaving"; readonly port: NetworkInterface }
  /** `fromSubnet` is undefined for what comes into the VPC. */
  | { readonly at: "arriving"; readonly port: NetworkInterface; readonly fromSubnet: string | undefined }
  | { readonly at: "peer"; readonly vpcId: string; readonly fromVpc: string | undefined }
  | { readonly at: "gateway"; readonly vpcId: string | undefined }
  | { readonly at: "internet" };

/** With the reason. */
export interface Lost {
  readonly lost: string;
}

/** The local route, then the longest prefix. https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html */
export function nextHop(state: Ec2State, from: NetworkInterface, to: string): Place | Lost {
  if (isInVpc(state, from.VpcId, to)) return localHop(state, from.VpcId, { to, fromSubnet: from.SubnetId });
  const table = tableOf(state, from);
  const route = (table?.Routes ?? [])
    .filter((one) => isIn(to, one.DestinationCidrBlock))
    .reduce<Route | undefined>((best, one) => (best && length(best) >= length(one) ? best : one), undefined);
  if (!route) return { lost: `no route to ${to} in ${table?.RouteTableId}` };
  const name = `${route.DestinationCidrBlock} in ${table?.RouteTableId}`;
  if (route.State === "blackhole") return { lost: `blackhole ${name}` };
  return targetOf(state, from, route) ?? { lost: `route ${name}: its target is not ready` };
}

function length(route: Route): number {
  return maskLength(cidr(route.DestinationCidrBlock ?? "0.0.0.0/0"));
}

function tableOf(state: Ec2State, { SubnetId, VpcId }: NetworkInterface): RouteTable | undefined {
  const own = state.RouteTables.find((one) => one.Associations?.some((each) => each.SubnetId === SubnetId));
  return own ?? state.RouteTables.find((one) => one.VpcId === VpcId && one.Associations?.some((a) => a.Main));
}

function targetOf(state: Ec2State, from: NetworkInterface, route: Route): Place | undefined {
  const { GatewayId, NatGatewayId, VpcPeeringConnectionId, NetworkInterfaceId } = route;
  if (GatewayId) return { at: "gateway", vpcId: from.VpcId };
  if (VpcPeeringConnectionId) return peerHop(state, from.VpcId, VpcPeeringConnectionId);
  const nat = state.NatGateways.find((one) => NatGatewayId && one.NatGatewayId === NatGatewayId);
  const id = nat ? nat.NatGatewayAddresses?.[0]?.NetworkInterfaceId : NetworkInterfaceId;
  const port = state.NetworkInterfaces.find((one) => one.NetworkInterfaceId === id);
  return port && { at: "arriving", port, fromSubnet: from.SubnetId };
}

function peerHop(state: Ec2State, fromVpc: string | undefined, id: string): Place | undefined {
  const peering = state.VpcPeeringConnections.find((one) => one.VpcPeeringConnectionId === id);
  if (peering?.Status?.Code !== "active") return undefined;
  const ends = [peering.RequesterVpcInfo?.VpcId, peering.AccepterVpcInfo?.VpcId];
  const vpcId = ends.find((end) => end !== fromVpc);
  return vpcId === undefined ? undefined : { at: "peer", vpcId, fromVpc };
}

export function isInVpc(state: Ec2State, vpcId: string | undefined, address: string): boolean {
  const vpc = state.Vpcs.find((one) => one.VpcId === vpcId);
  return (vpc?.CidrBlockAssociationSet ?? []).some((one) => isIn(address, one.CidrBlock));
}

export function localHop(
  state: Ec2State,
  vpcId: string | undefined,
  { to, fromSubnet }: { readonly to: string; readonly fromSubnet: string | undefined },
): Place | Lost {
  const port = state.NetworkInterfaces.find((one) => one.VpcId === vpcId && one.PrivateIpAddress === to);
  return port ? { at: "arriving", port, fromSubnet } : { lost: `nobody has ${to} in ${vpcId}` };
}

export function natOn(state: Ec2State, { NetworkInterfaceId: id }: NetworkInterface) {
  return state.NatGateways.find((one) =>
    one.NatGatewayAddresses?.some((each) => each.NetworkInterfaceId === id),
  );
}

export function isRunning(state: Ec2State, instanceId: string | undefined): boolean {
  return state.Instances.some((one) => one.InstanceId === instanceId && one.State?.Name === "running");
}
