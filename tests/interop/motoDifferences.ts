/**
 * Where moto 5.2.5 is not like AWS, as far as our provider meets it. moto is a cloud that nobody here wrote, so
 * the list is short on purpose: each entry says what AWS does and where that stands, and asks moto whether it is
 * still so; one that moto has mended fails its test and is to be taken off. What would stop a network is put
 * right on the wire by `correct`; the rest our provider does not mind.
 */
import type { Exchange, Heard } from "./relay.ts";

/** The account that the questions are asked in. */
export const NOBODY = "555566667777";

export interface Moto {
  /** Straight to moto, for an account of no other use unless one is named; the answer's text. */
  ask(action: string, parameters?: Readonly<Record<string, string>>, account?: string): Promise<string>;
  /** The same of Service Quotas. */
  quotas(action: string, input: object): Promise<Heard>;
}

export interface Difference {
  readonly moto: string;
  readonly aws: string;
  readonly source: string;
  stillSo(moto: Moto): Promise<boolean>;
  /** The answer as AWS would have given it; may ask moto for what AWS would have done. */
  correct?(exchange: Exchange, moto: Moto): Promise<Heard>;
}

const one = (answer: string, prefix: string): string =>
  new RegExp(`${prefix}-[0-9a-f]{17}`).exec(answer)?.[0] ?? "";

async function vpc(moto: Moto, block = "10.90.0.0/16", account?: string): Promise<string> {
  return one(await moto.ask("CreateVpc", { CidrBlock: block }, account), "vpc");
}

/** A NAT gateway with an elastic IP, in a VPC without an internet gateway. */
async function nat(moto: Moto) {
  const vpcId = await vpc(moto);
  const made = await moto.ask("CreateSubnet", { VpcId: vpcId, CidrBlock: "10.90.1.0/24" });
  const allocation = one(await moto.ask("AllocateAddress", { Domain: "vpc" }), "eipalloc");
  const wish = {
    SubnetId: one(made, "subnet"),
    AllocationId: allocation,
    ClientToken: `token-${allocation}`,
  };
  const answer = await moto.ask("CreateNatGateway", wish);
  return { wish, answer, natId: one(answer, "nat"), allocation };
}

async function peering(moto: Moto, own: string, theirs: string): Promise<string> {
  const to = await vpc(moto, own);
  const from = await vpc(moto, theirs, "111122223333");
  const wish = { VpcId: from, PeerVpcId: to, PeerOwnerId: NOBODY };
  return one(await moto.ask("CreateVpcPeeringConnection", wish, "111122223333"), "pcx");
}

/** What was sent, by where it shows: moto reads the type and code of an ACL entry and forgets them. */
const icmpSent = new Map<string, string>();

function rememberIcmp({ action, parameters }: Exchange): void {
  const { NetworkAclId, RuleNumber, Egress, "Icmp.Type": type, "Icmp.Code": code } = parameters;
  if (!action.endsWith("NetworkAclEntry") || type === undefined) return;
  const shown = `<icmpTypeCode><code>${code}</code><type>${type}</type></icmpTypeCode>`;
  icmpSent.set(`${NetworkAclId} ${Egress} ${RuleNumber}`, shown);
}

function withIcmp(answer: string): string {
  return answer.replace(/<entrySet>.*?<networkAclId>(acl-[0-9a-f]{17})/gs, (acl, id: string) =>
    acl.replace(
      /<egress>(\w+)<\/egress>(<protocol>1<\/protocol>.*?<ruleNumber>(\d+)<)/gs,
      (_, egress: string, rest: string, rule: string) =>
        `<egress>${egress}</egress>${icmpSent.get(`${id} ${egress} ${rule}`) ?? ""}${rest}`,
    ),
  );
}

/** As AWS does once a NAT gateway is deleted: its address is free, its interface is gone. */
async function freeNat({ account, parameters }: Exchange, moto: Moto): Promise<void> {
  const ask = (action: string, asked: Record<string, string>) => moto.ask(action, asked, account);
  const nat = await ask("DescribeNatGateways", { "NatGatewayId.1": parameters.NatGatewayId ?? "" });
  const interfaceId = one(nat, "eni");
  const held = await ask("DescribeAddresses", {
    "Filter.1.Name": "network-interface-id",
    "Filter.1.Value.1": interfaceId,
  });
  await ask("DisassociateAddress", { AssociationId: one(held, "eipassoc") });
  await ask("DeleteNetworkInterface", { NetworkInterfaceId: interfaceId });
}

/** As AWS does with a subnet: its association with a route table goes with it. */
async function freeTable({ account, parameters }: Exchange, moto: Moto): Promise<void> {
  const filter = { "Filter.1.Name": "association.subnet-id", "Filter.1.Value.1": parameters.SubnetId ?? "" };
  const tables = await moto.ask("DescribeRouteTables", filter, account);
  const items = tables.match(/<item>(?:(?!<item>).)*?<\/item>/gs) ?? [];
  const held = items.find((item) => item.includes("rtbassoc-") && item.includes(parameters.SubnetId ?? ""));
  if (held) await moto.ask("DisassociateRouteTable", { AssociationId: one(held, "rtbassoc") }, account);
}

export const DIFFERENCES: readonly Difference[] = [
  {
    moto: "has one account, whatever the key, unless a header or an assumed role names another",
    aws: "a key belongs to an account; in the sandbox a key of 12 digits is its own (the relay sends the header)",
    source: "https://docs.getmoto.org/en/latest/docs/multi_account.html",
    stillSo: async ({ ask }) => (await ask("DescribeVpcs", {}, "")).includes("<ownerId>123456789012<"),
  },
  {
    moto: "forgets ICMP type and code of an ACL entry (it looks for them under Icmp.*, which its own parser has renamed)",
    aws: "shows them",
    source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkAclEntry.html",
    async stillSo(moto) {
      const { ask } = moto;
      const filter = { "Filter.1.Name": "vpc-id", "Filter.1.Value.1": await vpc(moto) };
      const acl = one(await ask("DescribeNetworkAcls", filter), "acl");
      const entry = {
        RuleNumber: "7",
        Protocol: "1",
        RuleAction: "allow",
        Egress: "true",
        CidrBlock: "0.0.0.0/0",
      };
      const icmp = { "Icmp.Type": "3", "Icmp.Code": "4" };
      await ask("CreateNetworkAclEntry", { NetworkAclId: acl, ...entry, ...icmp });
      const shown = await ask("DescribeNetworkAcls", filter);
      return shown.includes("<ruleNumber>7<") && !shown.includes("icmpTypeCode");
    },
    async correct(exchange) {
      rememberIcmp(exchange);
      const { action, status, answer } = exchange;
      return { status, answer: action === "DescribeNetworkAcls" ? withIcmp(answer) : answer };
    },
  },
  {
    moto: "a NAT gateway is available at once, and in a VPC without an internet gateway",
    aws: "it is pending first, and fails there with Gateway.NotAttached",
    source: "https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html",
    stillSo: async (moto) => (await nat(moto)).answer.includes("<state>available<"),
  },
  {
    moto: "does not know a NAT gateway's ClientToken: the same request again is refused",
    aws: "the same request again answers the same NAT gateway",
    source: "https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html",
    async stillSo(moto) {
      const { wish } = await nat(moto);
      return (await moto.ask("CreateNatGateway", wish)).includes("Resource.AlreadyAssociated");
    },
  },
  {
    moto: "a deleted NAT gateway is deleted at once, but keeps its address and its interface for ever",
    aws: "it is deleting first; then the address is free and the interface gone",
    source: "https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html",
    async stillSo(moto) {
      const { natId, allocation } = await nat(moto);
      await moto.ask("DeleteNatGateway", { NatGatewayId: natId });
      const address = await moto.ask("DescribeAddresses", { "AllocationId.1": allocation });
      return address.includes("<associationId>eipassoc-");
    },
    async correct(exchange, moto) {
      const { action, status, answer } = exchange;
      if (action === "DeleteNatGateway" && status === 200) await freeNat(exchange, moto);
      return { status, answer };
    },
  },
  {
    moto: "leaves a deleted subnet associated with its route table",
    aws: "takes the association away with the subnet",
    source: "https://docs.aws.amazon.com/vpc/latest/userguide/subnet-deleting.html",
    async stillSo(moto) {
      const vpcId = await vpc(moto);
      const subnet = await moto.ask("CreateSubnet", { VpcId: vpcId, CidrBlock: "10.90.1.0/24" });
      const table = one(await moto.ask("CreateRouteTable", { VpcId: vpcId }), "rtb");
      const SubnetId = one(subnet, "subnet");
      await moto.ask("AssociateRouteTable", { RouteTableId: table, SubnetId });
      await moto.ask("DeleteSubnet", { SubnetId });
      return (await moto.ask("DescribeRouteTables", { "RouteTableId.1": table })).includes(SubnetId);
    },
    async correct(exchange, moto) {
      const { action, status, answer } = exchange;
      if (action === "DeleteSubnet" && status === 200) await freeTable(exchange, moto);
      return { status, answer };
    },
  },
  {
    moto: "DescribeTags goes on listing the tags of what was deleted",
    aws: "tags go with what bears them",
    source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions",
    async stillSo(moto) {
      const vpcId = await vpc(moto);
      await moto.ask("CreateTags", { "ResourceId.1": vpcId, "Tag.1.Key": "a", "Tag.1.Value": "b" });
      await moto.ask("DeleteVpc", { VpcId: vpcId });
      return (await moto.ask("DescribeTags")).includes(vpcId);
    },
  },
  {
    moto: "has no ListServiceQuotas, and of single quotas only those of vpc",
    aws: "lists what was changed in the account (nothing, here), and knows the default of every quota: 5 elastic IPs",
    source: "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html",
    stillSo: async ({ quotas }) => (await quotas("ListServiceQuotas", { ServiceCode: "vpc" })).status >= 500,
    async correct({ service, action, status, answer }) {
      if (service !== "servicequotas" || status < 500) return { status, answer };
      if (action === "ListServiceQuotas") return { status: 200, answer: '{"Quotas":[]}' };
      return { status: 200, answer: '{"Quota":{"ServiceCode":"ec2","QuotaCode":"L-0263D0A3","Value":5}}' };
    },
  },
  {
    moto: "does not filter NAT gateways by tag: all are answered",
    aws: "filters them",
    source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNatGateways.html",
    async stillSo(moto) {
      const { natId } = await nat(moto);
      const filter = { "Filter.1.Name": "tag:nobody", "Filter.1.Value.1": "has this" };
      return (await moto.ask("DescribeNatGateways", filter)).includes(natId);
    },
  },
  {
    moto: "does not filter peering connections at all",
    aws: "filters them by status, sides, blocks and tags",
    source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcPeeringConnections.html",
    async stillSo(moto) {
      const id = await peering(moto, "10.91.0.0/16", "172.30.0.0/16");
      const filter = { "Filter.1.Name": "status-code", "Filter.1.Value.1": "rejected" };
      return (await moto.ask("DescribeVpcPeeringConnections", filter)).includes(id);
    },
  },
  {
    moto: "lets VPCs of overlapping blocks peer",
    aws: "such a request fails",
    source: "https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-limitations",
    async stillSo(moto) {
      const id = await peering(moto, "10.92.0.0/16", "10.92.0.0/16");
      const accepted = await moto.ask("AcceptVpcPeeringConnection", { VpcPeeringConnectionId: id });
      return accepted.includes("<code>active<");
    },
  },
  {
    moto: "an accepted peering connection is active at once",
    aws: "it is provisioning first",
    source: "https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-lifecycle",
    async stillSo(moto) {
      const id = await peering(moto, "10.93.0.0/16", "172.31.0.0/16");
      return (await moto.ask("AcceptVpcPeeringConnection", { VpcPeeringConnectionId: id })).includes(
        "active",
      );
    },
  },
  {
    moto: "answers everything in one page, whatever MaxResults says",
    aws: "pages",
    source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html",
    async stillSo(moto) {
      for (let count = 0; count < 6; count++) await vpc(moto, "10.94.0.0/16");
      const answer = await moto.ask("DescribeVpcs", { MaxResults: "5" });
      return answer.split("<vpcId>").length > 6 && !answer.includes("nextToken");
    },
  },
  {
    moto: "deletes a VPC with an internet gateway attached",
    aws: "DependencyViolation",
    source: "https://docs.aws.amazon.com/vpc/latest/userguide/delete-vpc.html",
    async stillSo(moto) {
      const vpcId = await vpc(moto);
      const gateway = one(await moto.ask("CreateInternetGateway"), "igw");
      await moto.ask("AttachInternetGateway", { VpcId: vpcId, InternetGatewayId: gateway });
      return !(await moto.ask("DeleteVpc", { VpcId: vpcId })).includes("<Error>");
    },
  },
];

/** What the client hears: the answer with every correction. */
export async function asAws(exchange: Exchange, moto: Moto): Promise<Heard> {
  let heard: Heard = exchange;
  for (const { correct } of DIFFERENCES) if (correct) heard = await correct({ ...exchange, ...heard }, moto);
  return heard;
}
