/**
 * VPC peering connections: request, accept, reject, delete, describe, options. Promises that both accounts and
 * both regions see one connection, each with its own tags, and that only the accepter's account, in the
 * accepter's region, accepts. Its states are in peeringStates.ts.
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { AwsError } from "./errors.ts";
import { isSide, notFound, theVpc } from "./find.ts";
import {
  cannotPeer,
  endedPeering,
  FAILURE,
  hasVpc,
  invalidTransition,
  isLive,
  peeringState,
  theVisiblePeering,
  visiblePeerings,
} from "./peeringStates.ts";
import { cidrsShown, describedOptions, describedPeering, ownTags } from "./peeringsShown.ts";
import { isRegion } from "./places.ts";
import { describe } from "./query.ts";
import { withinQuota } from "./quotas.ts";
import type { PeeringRow, PeeringSide } from "./rows.ts";
import { tagsFor } from "./tags.ts";
import type { Call, Ec2Handlers } from "./world.ts";

function requested(call: Call, input: ec2.CreateVpcPeeringConnectionRequest): PeeringRow {
  const requester = side(call.account, call.region, theVpc(call, input.VpcId).id);
  if (!input.PeerVpcId)
    throw new AwsError("MissingParameter", "The request must contain the parameter peerVpcId");
  const { PeerOwnerId = call.account, PeerRegion = call.region } = input;
  const accepter = side(PeerOwnerId, PeerRegion, input.PeerVpcId);
  if (accepter.vpcId === requester.vpcId)
    throw new AwsError(
      "InvalidParameterValue",
      `The VPC ${requester.vpcId} cannot be both the requester and the accepter of a peering connection`,
    );
  if (isSide(call, accepter)) theVpc(call, accepter.vpcId);
  const tags = tagsFor(input.TagSpecifications, "vpc-peering-connection");
  const { peeringInitiatingMs, peeringExpiresMs } = call.settings;
  const pendingAt = call.now + peeringInitiatingMs;
  return {
    id: call.newId("pcx"),
    account: call.account,
    region: call.region,
    at: call.now,
    tags,
    requester,
    accepter,
    accepterTags: [],
    pendingAt,
    expiresAt: call.now + peeringExpiresMs,
    ...(cannotPeer(call, requester, accepter) ? { failsAt: pendingAt, failureMessage: FAILURE } : {}),
  };
}

function side(account: string, region: string, vpcId: string): PeeringSide {
  if (!/^\d{12}$/.test(account))
    throw new AwsError("InvalidParameterValue", `The account ID '${account}' is not valid`);
  if (!isRegion(region)) throw new AwsError("InvalidParameterValue", `The region '${region}' is not valid`);
  return { account, region, vpcId, dnsFromRemote: false };
}

/**
 * A second request of the same direction is answered with the first one. The other direction makes a second
 * connection, which cannot be accepted while the first is active.
 * https://github.com/hashicorp/terraform-provider-aws/issues/27750 and /44315
 */
function sameRequest(call: Call, wanted: PeeringRow): PeeringRow | undefined {
  return visiblePeerings(call).find(
    (row) =>
      isLive(row, call.now) &&
      row.requester.vpcId === wanted.requester.vpcId &&
      row.accepter.vpcId === wanted.accepter.vpcId,
  );
}

/** The accepter's own moves: accept and reject. */
function asAccepter(call: Call, id: string | undefined, verb: "accept" | "reject"): PeeringRow {
  const row = theVisiblePeering(call, id);
  if (row.accepter.account !== call.account)
    throw new AwsError("OperationNotPermitted", `User ${call.account} cannot ${verb} peering ${row.id}`);
  if (row.accepter.region !== call.region)
    throw new AwsError(
      "OperationNotPermitted",
      `Incorrect region (${call.region}) specified for this request. VPC peering connection ${row.id} must be ${verb}ed in region ${row.accepter.region}`,
    );
  return row;
}

/** Counted for one VPC: requests it made that are pending, or connections that are active. */
function checkQuota(call: Call, vpcId: string, state: "pending-acceptance" | "active"): void {
  const own = call.tables.peerings.all().filter((row) => hasVpc(row, vpcId));
  const states =
    state === "active" ? ["active", "provisioning"] : ["initiating-request", "pending-acceptance"];
  const counted = own.filter((row) => states.includes(peeringState(row, call.now)));
  const { activePeeringsPerVpcQuota, pendingPeeringsPerVpcQuota } = call.settings;
  withinQuota(
    state === "active"
      ? {
          count: counted.length + 1,
          quota: activePeeringsPerVpcQuota,
          code: "ActiveVpcPeeringConnectionPerVpcLimitExceeded",
          what: "active VPC peering connections",
        }
      : {
          count: counted.filter((row) => row.requester.vpcId === vpcId).length + 1,
          quota: pendingPeeringsPerVpcQuota,
          code: "OutstandingVpcPeeringConnectionLimitExceeded",
          what: "outstanding VPC peering connection requests",
        },
  );
}

function refuseSecondActive(call: Call, row: PeeringRow): void {
  const twin = call.tables.peerings
    .all()
    .find(
      (other) =>
        other.id !== row.id &&
        hasVpc(other, row.requester.vpcId) &&
        hasVpc(other, row.accepter.vpcId) &&
        ["active", "provisioning"].includes(peeringState(other, call.now)),
    );
  if (twin)
    throw new AwsError(
      "VpcPeeringConnectionAlreadyExists",
      `The vpc peering connection identified by ${twin.id} already exists.`,
    );
}

type Options = ec2.PeeringConnectionOptionsRequest | undefined;

/** One side with the option asked for. Both VPCs need DNS hostnames and support for the DNS option. */
function withOptions(
  call: Call,
  row: PeeringRow,
  change: { which: "requester" | "accepter"; asked: Options },
) {
  const { which, asked } = change;
  const old = row[which];
  if (!asked) return old;
  if (asked.AllowEgressFromLocalClassicLinkToRemoteVpc || asked.AllowEgressFromLocalVpcToRemoteClassicLink)
    throw new AwsError("InvalidParameterValue", "EC2-Classic is retired: ClassicLink options cannot be set");
  if (!isSide(call, old))
    throw new AwsError(
      "OperationNotPermitted",
      `User ${call.account} cannot modify the ${which}'s options of peering ${row.id} in region ${call.region}`,
    );
  const dnsFromRemote = asked.AllowDnsResolutionFromRemoteVpc ?? old.dnsFromRemote;
  if (dnsFromRemote) needDnsHostnames(call, row);
  return { ...old, dnsFromRemote };
}

/** https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-dns.html */
function needDnsHostnames(call: Call, row: PeeringRow): void {
  for (const one of [row.requester, row.accepter]) {
    const vpc = call.tables.vpcs.own(one, one.vpcId);
    if (!(vpc?.dnsHostnames && vpc.dnsSupport))
      throw new AwsError(
        "InvalidVpcPeeringConnectionState.DnsHostnamesDisabled",
        `To enable DNS hostname resolution for the VPC peering connection, DNS hostname support must be enabled for the VPC ${one.vpcId}.`,
      );
  }
}

export const peeringHandlers = {
  CreateVpcPeeringConnection(call, input) {
    const wanted = requested(call, input);
    const before = sameRequest(call, wanted);
    if (!before) checkQuota(call, wanted.requester.vpcId, "pending-acceptance");
    const row = before ?? call.tables.peerings.put(wanted);
    return { VpcPeeringConnection: describedPeering(call, row) };
  },

  AcceptVpcPeeringConnection(call, input) {
    const row = asAccepter(call, input.VpcPeeringConnectionId, "accept");
    if (peeringState(row, call.now) !== "pending-acceptance")
      throw invalidTransition(row, call.now, "active");
    refuseSecondActive(call, row);
    for (const { vpcId } of [row.accepter, row.requester]) checkQuota(call, vpcId, "active");
    const activeAt = call.now + call.settings.peeringProvisioningMs;
    const accepted = call.tables.peerings.put({ ...row, acceptedAt: call.now, activeAt });
    return { VpcPeeringConnection: describedPeering(call, accepted) };
  },

  RejectVpcPeeringConnection(call, input) {
    const row = asAccepter(call, input.VpcPeeringConnectionId, "reject");
    if (peeringState(row, call.now) !== "pending-acceptance")
      throw invalidTransition(row, call.now, "rejected");
    call.tables.peerings.put({ ...row, rejectedAt: call.now, endedBy: call.account });
    return { Return: true };
  },

  DeleteVpcPeeringConnection(call, input) {
    const row = theVisiblePeering(call, input.VpcPeeringConnectionId);
    if (!isLive(row, call.now)) throw invalidTransition(row, call.now, "deleting");
    const pending = row.acceptedAt === undefined;
    if (pending && row.requester.account !== call.account)
      throw new AwsError("OperationNotPermitted", `User ${call.account} cannot delete peering ${row.id}`);
    call.tables.peerings.put(endedPeering(call, row));
    return { Return: true };
  },

  DescribeVpcPeeringConnections(call, input) {
    const shown = (row: PeeringRow) => describedPeering(call, row);
    const { rows, NextToken } = describe(call, input, {
      rows: visiblePeerings(call),
      ids: input.VpcPeeringConnectionIds,
      notFound: (ids) => notFound("pcx", ids),
      filters: {
        "accepter-vpc-info.cidr-block": (row) => cidrsShown(shown(row).AccepterVpcInfo),
        "accepter-vpc-info.owner-id": (row) => row.accepter.account,
        "accepter-vpc-info.vpc-id": (row) => row.accepter.vpcId,
        "requester-vpc-info.cidr-block": (row) => cidrsShown(shown(row).RequesterVpcInfo),
        "requester-vpc-info.owner-id": (row) => row.requester.account,
        "requester-vpc-info.vpc-id": (row) => row.requester.vpcId,
        "expiration-time": (row) => shown(row).ExpirationTime?.toISOString(),
        "status-code": (row) => peeringState(row, call.now),
        "status-message": (row) => shown(row).Status?.Message,
        "vpc-peering-connection-id": (row) => row.id,
      },
      tags: (row) => ownTags(call, row),
    });
    return { VpcPeeringConnections: rows.map(shown), NextToken };
  },

  ModifyVpcPeeringConnectionOptions(call, input) {
    const row = theVisiblePeering(call, input.VpcPeeringConnectionId);
    if (peeringState(row, call.now) !== "active")
      throw new AwsError(
        "OperationNotPermitted",
        `Peering ${row.id} is not active. Peering options can be added only to active peerings.`,
      );
    const { RequesterPeeringConnectionOptions: forRequester, AccepterPeeringConnectionOptions: forAccepter } =
      input;
    if (!forRequester && !forAccepter)
      throw new AwsError("MissingParameter", "The request must contain peering connection options of a side");
    const requester = withOptions(call, row, { which: "requester", asked: forRequester });
    const accepter = withOptions(call, row, { which: "accepter", asked: forAccepter });
    call.tables.peerings.put({ ...row, requester, accepter });
    return {
      ...(forRequester
        ? { RequesterPeeringConnectionOptions: describedOptions(requester.dnsFromRemote) }
        : {}),
      ...(forAccepter ? { AccepterPeeringConnectionOptions: describedOptions(accepter.dnsFromRemote) } : {}),
    };
  },
} satisfies Ec2Handlers;
