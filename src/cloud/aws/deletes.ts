/**
 * Steps that take something away. Promises that a thing which is not there any more counts as taken away, and
 * that what still hangs on it comes out as `conflict`. Releases addresses by allocation id alone: a public
 * address may belong to another account by now.
 */
import {
  DeleteInternetGatewayCommand,
  DeleteNatGatewayCommand,
  DeleteNetworkInterfaceCommand,
  DeleteRouteTableCommand,
  DeleteSecurityGroupCommand,
  DeleteSubnetCommand,
  DeleteVpcCommand,
  DeleteVpcEndpointsCommand,
  DetachInternetGatewayCommand,
  type EC2Client,
  RejectVpcPeeringConnectionCommand,
  ReleaseAddressCommand,
  type UnsuccessfulItem,
} from "@aws-sdk/client-ec2";
import { Failure } from "../../domain/failure.ts";
import type { DeleteStep } from "../../domain/steps.ts";
import { type CallError, notes, refusedWith, refusedWithin } from "./callError.ts";
import { failureOf } from "./errors.ts";
import { change, type Hands } from "./hand.ts";
import { lambdaDeletes } from "./lambda.ts";
import { mskDeletes } from "./msk.ts";
import { probeDeletes } from "./probe.ts";
import * as reads from "./reads.ts";

export const deletes: Hands<DeleteStep["do"]> = {
  ...lambdaDeletes,
  ...mskDeletes,
  ...probeDeletes,

  async deleteEndpoint({ ec2, region }, { endpointId }) {
    const answer = await ec2.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds: [endpointId] }));
    for (const item of answer.Unsuccessful ?? []) refuseUnlessGone(item, region);
    return null;
  },

  deleteNatGateway: ({ ec2 }, { natGatewayId }) =>
    change(ec2.send(new DeleteNatGatewayCommand({ NatGatewayId: natGatewayId })), [
      "natgatewaynotfound",
      "invalidnatgatewayid.notfound",
    ]),

  async releaseAddress({ ec2 }, { allocationId }) {
    try {
      await ec2.send(new ReleaseAddressCommand({ AllocationId: allocationId }));
    } catch (error) {
      if (refusedWith(error, STILL_HELD)) throw stillHeld(error, allocationId);
      if (!refusedWith(error, ALREADY_RELEASED)) throw error;
    }
    return null;
  },

  detachInternetGateway: ({ ec2 }, { gatewayId, vpcId }) =>
    change(ec2.send(new DetachInternetGatewayCommand({ InternetGatewayId: gatewayId, VpcId: vpcId })), [
      "gateway.notattached",
      "invalidinternetgatewayid.notfound",
      "invalidvpcid.notfound",
    ]),

  deleteInternetGateway: ({ ec2 }, { gatewayId }) =>
    change(ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId: gatewayId })), [
      "invalidinternetgatewayid.notfound",
    ]),

  deleteInterface: ({ ec2 }, { interfaceId }) =>
    change(ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: interfaceId })), [
      "invalidnetworkinterfaceid.notfound",
    ]),

  deleteGroup: ({ ec2 }, { groupId }) =>
    change(ec2.send(new DeleteSecurityGroupCommand({ GroupId: groupId })), [
      "invalidgroup.notfound",
      "invalidsecuritygroupid.notfound",
    ]),

  deleteSubnet: ({ ec2 }, { subnetId }) =>
    change(ec2.send(new DeleteSubnetCommand({ SubnetId: subnetId })), ["invalidsubnetid.notfound"]),

  deleteRouteTable: ({ ec2 }, { tableId }) =>
    change(ec2.send(new DeleteRouteTableCommand({ RouteTableId: tableId })), [
      "invalidroutetableid.notfound",
    ]),

  async deleteVpc({ ec2, dns }, { vpcId }) {
    for (let left = MOST_TRIES; ; left--) {
      await rejectRequests(ec2, vpcId);
      const held = await tryDeleteVpc(ec2, vpcId);
      if (!held) break;
      if (left === 1) throw stillNeeded(held, vpcId);
    }
    dns.forget(vpcId);
    return null;
  },
};

/** DeleteVpcEndpoints answers 200 and lists in the body what it did not do. */
function refuseUnlessGone({ Error: refusal }: UnsuccessfulItem, region: string): void {
  const code = (refusal?.Code ?? "").toLowerCase();
  if (code.startsWith("invalidvpcendpoint") && code.endsWith(".notfound")) return;
  throw failureOf(
    refusedWithin({ code, message: refusal?.Message ?? "", action: "ec2:DeleteVpcEndpoints", region }),
  );
}

const ALREADY_RELEASED = new Set(["invalidallocationid.notfound", "invalidaddressid.notfound"]);

/**
 * While AWS is still taking the address off a NAT gateway that it already shows as deleted, it answers
 * AuthFailure or names a network interface: https://github.com/hashicorp/terraform-provider-aws/issues/49299
 */
const STILL_HELD = new Set(["authfailure", "invalidipaddress.inuse", "invalidnetworkinterfaceid.notfound"]);

function stillHeld(error: CallError, allocationId: string): Failure {
  return new Failure("unavailable", `AWS still has the address ${allocationId} on its NAT gateway`, {
    hint: "Nothing to do: AWS takes it off within a few minutes, and the release is tried again.",
    ...notes(error),
  });
}

/**
 * A request to peer with the VPC blocks its deletion, and the customer can make a new one at any moment, so
 * rejecting and deleting go back to back, again and again:
 * https://docs.aws.amazon.com/vpc/latest/peering/delete-vpc-peering-connection.html
 */
const MOST_TRIES = 20;

/** Somebody else ended the request first. */
const ALREADY_ENDED = ["invalidstatetransition", "invalidvpcpeeringconnectionid.notfound"];

async function rejectRequests(ec2: EC2Client, vpcId: string): Promise<void> {
  const pending = await reads.peerings(ec2, [
    [
      { Name: "accepter-vpc-info.vpc-id", Values: [vpcId] },
      { Name: "status-code", Values: ["pending-acceptance"] },
    ],
  ]);
  await Promise.all(
    pending.map(({ VpcPeeringConnectionId }) =>
      change(ec2.send(new RejectVpcPeeringConnectionCommand({ VpcPeeringConnectionId })), ALREADY_ENDED),
    ),
  );
}

const NEEDED = new Set(["dependencyviolation"]);

/** Null when the VPC is gone; AWS's refusal when something still needs it. */
async function tryDeleteVpc(ec2: EC2Client, vpcId: string): Promise<CallError | null> {
  try {
    return await change(ec2.send(new DeleteVpcCommand({ VpcId: vpcId })), ["invalidvpcid.notfound"]);
  } catch (error) {
    if (refusedWith(error, NEEDED)) return error;
    throw error;
  }
}

/** AWS names no cause here. */
function stillNeeded(error: CallError, vpcId: string): Failure {
  return new Failure("conflict", `AWS does not delete ${vpcId}: something in it is still in use`, {
    hint: "It is tried again. If it stays, look in the VPC for network interfaces, security groups, endpoints, gateways and peering connections that letsdata did not make.",
    ...notes(error),
  });
}
