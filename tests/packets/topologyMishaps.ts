/**
 * What happens to a random topology once it stands: connections deleted, hosts and gateways ended, rules and lists
 * changed, addresses moved, and things asked for so late that they are not ready. Routes and references to what is
 * gone stay behind.
 */
import * as ec2 from "@aws-sdk/client-ec2";
import { makeNatGateway } from "../../src/sandbox/testNetwork.ts";
import { chance, type Made, type MadeVpc, pick } from "./made.ts";
import { makePublic } from "./topologies.ts";
import { someEntry, somePermission } from "./topologyRules.ts";

/** Longer than anything of the `quick` profile takes to end. */
const ENDS_MS = 10_000;

export async function letThingsHappen(made: Made): Promise<void> {
  const { dice, sandbox } = made;
  for (const peering of made.peerings.filter(() => chance(dice, 12)))
    await peering.ends[0].client.send(
      new ec2.DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId: peering.id }),
    );
  for (const vpc of made.vpcs) await strikeVpc(made, vpc);
  sandbox.clock.advance(ENDS_MS);
  for (const vpc of made.vpcs) await askTooLate(made, vpc);
}

async function strikeVpc(made: Made, vpc: MadeVpc): Promise<void> {
  const { dice } = made;
  const { client } = vpc;
  if (chance(dice, 10))
    for (const NatGatewayId of vpc.natIds)
      await client.send(new ec2.DeleteNatGatewayCommand({ NatGatewayId }));
  if (chance(dice, 10) && vpc.hosts.length > 2)
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [vpc.hosts.at(-1)?.id ?? ""] }));
  if (vpc.gatewayId && chance(dice, 15)) await makePublic(client, pick(dice, vpc.hosts).interfaceId);
  if (chance(dice, 20)) await changeGroup(made, vpc);
  if (chance(dice, 20)) await changeList(made, vpc);
  if (chance(dice, 15)) await replaceRoute(made, vpc);
}

/** One rule goes; another comes. */
async function changeGroup(made: Made, vpc: MadeVpc): Promise<void> {
  const GroupId = pick(made.dice, vpc.groups);
  const { SecurityGroups = [] } = await vpc.client.send(
    new ec2.DescribeSecurityGroupsCommand({ GroupIds: [GroupId] }),
  );
  const IpPermissions = (SecurityGroups[0]?.IpPermissions ?? []).slice(0, 1);
  if (IpPermissions.length > 0)
    await vpc.client.send(new ec2.RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
  await vpc.client
    .send(
      new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [somePermission(made, vpc)] }),
    )
    .catch((error: unknown) => {
      // It may have the rule already, or refer to a group of a peer that is gone by now.
      const mayBe = ["InvalidPermission.Duplicate", "InvalidGroup.NotFound"];
      if (!(error instanceof ec2.EC2ServiceException && mayBe.includes(error.name))) throw error;
    });
}

/** A new entry before all others, in a list of the VPC. */
async function changeList(made: Made, vpc: MadeVpc): Promise<void> {
  const Filters = [{ Name: "vpc-id", Values: [vpc.id] }];
  const { NetworkAcls = [] } = await vpc.client.send(new ec2.DescribeNetworkAclsCommand({ Filters }));
  const own = NetworkAcls.filter((one) => (one.IsDefault ?? false) === chance(made.dice, 40));
  await vpc.client.send(
    new ec2.CreateNetworkAclEntryCommand({
      NetworkAclId: (own[0] ?? NetworkAcls[0])?.NetworkAclId,
      RuleNumber: 5,
      Egress: chance(made.dice, 50),
      ...someEntry(made),
    }),
  );
}

/** What a table leads somewhere by leads to the first host instead: its own packets, and others'. */
async function replaceRoute(made: Made, vpc: MadeVpc): Promise<void> {
  const { dice, peerings } = made;
  const peering = peerings.find((one) => one.ends.includes(vpc));
  if (!peering) return;
  const other = peering.ends.find((end) => end !== vpc);
  await vpc.client
    .send(
      new ec2.ReplaceRouteCommand({
        RouteTableId: pick(dice, vpc.tables),
        DestinationCidrBlock: other?.block,
        NetworkInterfaceId: pick(dice, vpc.hosts).interfaceId,
      }),
    )
    .catch((error: unknown) => {
      // The table has no such route, or the interface went with its host.
      if (!(error instanceof ec2.EC2ServiceException && error.name.startsWith("Invalid"))) throw error;
    });
}

/** Pending when packets are sent: the route to it is there, and leads nowhere. */
async function askTooLate(made: Made, vpc: MadeVpc): Promise<void> {
  const { dice } = made;
  if (!vpc.gatewayId || !chance(dice, 15)) return;
  const { id: NatGatewayId } = await makeNatGateway(vpc.client, pick(dice, vpc.subnets).id);
  const route = { RouteTableId: pick(dice, vpc.tables), DestinationCidrBlock: "192.0.2.0/24" };
  await vpc.client.send(new ec2.CreateRouteCommand({ ...route, NatGatewayId }));
  const subnet = pick(dice, vpc.subnets);
  await vpc.client.send(
    new ec2.RunInstancesCommand({
      ImageId: "ami-12345678",
      MinCount: 1,
      MaxCount: 1,
      SubnetId: subnet.id,
      PrivateIpAddress: subnet.block.replace(/0\/24$/, "99"),
    }),
  );
}
