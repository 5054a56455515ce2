/**
 * The exact commands a customer is told to run, with the real ids in them; what only the customer knows
 * stands in angle brackets. Pure text: what AWS's own command line takes, as its reference documents it
 * (https://docs.aws.amazon.com/cli/latest/reference/ec2/).
 */
import type { AnswerOf } from "../contract/operations.ts";
import type { Cidr } from "../domain/cidr.ts";

/** What a command has to name besides its own things. */
export interface CommandPlace {
  readonly datasetName: string;
  /** Set when the caller's key would act for another tenant without it. */
  readonly tenantName: string | null;
  /** The account that may peer. */
  readonly customerAccount: string;
  /** Where the sandbox cloud is; null on AWS. AWS CLIs before 2.13 read no address from the environment. */
  readonly sandboxUrl: string | null;
}

export interface PeerOf {
  readonly vpcId: string;
  readonly ownerId: string;
  readonly region: string;
  readonly cidrBlock: Cidr;
}

const YOUR_REGION = "<your-region>";
const ANY_CONNECTION = "<pcx-id>";

export function peeringGuide(place: CommandPlace, peer: PeerOf): NonNullable<Guide> {
  const { cidrBlock } = peer;
  return {
    credentials: sandboxCredentials(place),
    request: requestCommand(place, peer, { vpcId: "<your-vpc-id>", region: YOUR_REGION }),
    accept: acceptCommand(place, ANY_CONNECTION),
    route: routeCommand(place, { connectionId: ANY_CONNECTION, region: YOUR_REGION, cidrBlock }),
    securityGroup: aws(place, YOUR_REGION, `authorize-security-group-egress ${egress(cidrBlock)}`),
    dnsHostnames: aws(
      place,
      YOUR_REGION,
      "modify-vpc-attribute --vpc-id <your-vpc-id> --enable-dns-hostnames",
    ),
    dns: aws(
      place,
      YOUR_REGION,
      `modify-vpc-peering-connection-options --vpc-peering-connection-id ${ANY_CONNECTION}` +
        " --requester-peering-connection-options AllowDnsResolutionFromRemoteVpc=true",
    ),
    undo: [
      dropRouteCommand(place, { region: YOUR_REGION, cidrBlock }),
      aws(place, YOUR_REGION, `revoke-security-group-egress ${egress(cidrBlock)}`),
      deleteCommand(place, ANY_CONNECTION),
    ],
  };
}

/** The sandbox's access keys are account numbers; on AWS the customer's own are nobody's business. */
function sandboxCredentials({ sandboxUrl, customerAccount }: CommandPlace): string | null {
  if (sandboxUrl === null) return null;
  return `export AWS_ACCESS_KEY_ID=${customerAccount} AWS_SECRET_ACCESS_KEY=test`;
}

type Guide = AnswerOf<"vpcs.list">["items"][number]["peeringGuide"];

export function requestCommand(
  place: CommandPlace,
  peer: PeerOf,
  yours: { readonly vpcId: string; readonly region: string },
): string {
  return aws(
    place,
    yours.region,
    `create-vpc-peering-connection --vpc-id ${yours.vpcId} --peer-vpc-id ${peer.vpcId}` +
      ` --peer-owner-id ${peer.ownerId} --peer-region ${peer.region}`,
  );
}

export function routeCommand(
  place: CommandPlace,
  route: { readonly connectionId: string; readonly region: string; readonly cidrBlock: Cidr },
): string {
  return aws(
    place,
    route.region,
    `create-route --route-table-id <your-route-table-id> --destination-cidr-block ${route.cidrBlock}` +
      ` --vpc-peering-connection-id ${route.connectionId}`,
  );
}

/** A route whose connection is gone stays with its owner as a black hole. */
export function dropRouteCommand(
  place: CommandPlace,
  route: { readonly region: string; readonly cidrBlock: Cidr },
): string {
  return aws(
    place,
    route.region,
    `delete-route --route-table-id <your-route-table-id> --destination-cidr-block ${route.cidrBlock}`,
  );
}

export function acceptCommand(place: CommandPlace, connectionId: string): string {
  return `letsdata vpcs vpcPeeringConnections accept ${named(place, connectionId)} --wait`;
}

export function deleteCommand(place: CommandPlace, connectionId: string): string {
  return `letsdata vpcs vpcPeeringConnections delete ${named(place, connectionId)} --wait`;
}

function named({ datasetName, tenantName }: CommandPlace, connectionId: string): string {
  const tenant = tenantName === null ? "" : ` --tenantName ${tenantName}`;
  return `--datasetName ${datasetName} --vpcPeeringConnectionId ${connectionId}${tenant}`;
}

/** The product opens TCP on all ports, so the customer's side has to let it out. */
function egress(cidrBlock: Cidr): string {
  return `--group-id <your-security-group-id> --protocol tcp --port 0-65535 --cidr ${cidrBlock}`;
}

function aws({ sandboxUrl }: CommandPlace, region: string, command: string): string {
  return `aws ec2 ${command} --region ${region}${sandboxUrl === null ? "" : ` --endpoint-url ${sandboxUrl}`}`;
}
