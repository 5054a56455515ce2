/**
 * How a peering connection is shown: each side its own tags, blocks of both only once it is accepted, read from
 * the VPCs as they are now. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcPeeringConnection.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { isSide } from "./find.ts";
import { blocksOf, FAILURE, peeringState } from "./peeringStates.ts";
import type { PeeringRow } from "./rows.ts";
import { tagSet } from "./tags.ts";
import type { Call } from "./world.ts";

function statusMessage(row: PeeringRow, state: ec2.VpcPeeringConnectionStateReasonCode): string {
  switch (state) {
    case "initiating-request":
      return `Initiating Request to ${row.accepter.account}`;
    case "pending-acceptance":
      return `Pending Acceptance by ${row.accepter.account}`;
    case "provisioning":
      return "Provisioning";
    case "active":
      return "Active";
    case "deleting":
      return `Deleting by ${row.endedBy}`;
    case "deleted":
      return `Deleted by ${row.endedBy}`;
    case "rejected":
      return `Rejected by ${row.endedBy}`;
    case "failed":
      return row.failureMessage ?? FAILURE;
    case "expired":
      return "Expired";
  }
}

/** The connection as the caller sees it. */
export function describedPeering(call: Call, row: PeeringRow): ec2.VpcPeeringConnection {
  const Code = peeringState(row, call.now);
  const pending = Code === "initiating-request" || Code === "pending-acceptance";
  return {
    VpcPeeringConnectionId: row.id,
    Status: { Code, Message: statusMessage(row, Code) },
    RequesterVpcInfo: vpcInfo(call, row, "requester"),
    AccepterVpcInfo: vpcInfo(call, row, "accepter"),
    ...(pending ? { ExpirationTime: new Date(row.expiresAt) } : {}),
    Tags: tagSet(ownTags(call, row)),
  };
}

/** Tags of a peering are seen only in the account and region that set them. */
export function ownTags(call: Call, row: PeeringRow) {
  return isSide(call, row.requester) ? row.tags : row.accepterTags;
}

/**
 * AWS's reference says the blocks are shown for an active connection only, AWS's own example of a pending one
 * shows the requester's: `peeringCidrsShownWhilePending` is either.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcPeeringConnectionVpcInfo.html
 */
function vpcInfo(
  call: Call,
  row: PeeringRow,
  which: "requester" | "accepter",
): ec2.VpcPeeringConnectionVpcInfo {
  const { account, region, vpcId, dnsFromRemote } = row[which];
  const state = peeringState(row, call.now);
  const accepted = state === "active" || state === "provisioning";
  const shownEarly =
    which === "requester" && state === "pending-acceptance" && call.settings.peeringCidrsShownWhilePending;
  const blocks = accepted || shownEarly ? blocksOf(call.tables.vpcs.own({ account, region }, vpcId)) : [];
  return {
    OwnerId: account,
    VpcId: vpcId,
    Region: region,
    ...(blocks[0] ? { CidrBlock: blocks[0], CidrBlockSet: blocks.map((CidrBlock) => ({ CidrBlock })) } : {}),
    ...(state === "active" ? { PeeringOptions: describedOptions(dnsFromRemote) } : {}),
  };
}

export function describedOptions(dnsFromRemote: boolean): ec2.VpcPeeringConnectionOptionsDescription {
  return {
    AllowDnsResolutionFromRemoteVpc: dnsFromRemote,
    AllowEgressFromLocalClassicLinkToRemoteVpc: false,
    AllowEgressFromLocalVpcToRemoteClassicLink: false,
  };
}

/** The blocks shown of one side, for filters. */
export function cidrsShown(info: ec2.VpcPeeringConnectionVpcInfo | undefined): (string | undefined)[] {
  return info?.CidrBlockSet?.map((one) => one.CidrBlock) ?? [];
}
