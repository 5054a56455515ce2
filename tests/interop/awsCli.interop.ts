/**
 * The `aws` command line against the sandbox's EC2, as people would type: a VPC, subnets, pages, filters, waiters,
 * a peering, tags, errors.
 */
import assert from "node:assert/strict";
import { type As, type Walks, walk } from "./awsCli.ts";
import { CUSTOMER, PLATFORM } from "./sandbox.ts";

const WALKS: Walks = {
  async "a VPC with subnets, and waiters"(aws) {
    const { Account } = await aws.type<{ Account: string }>("sts get-caller-identity");
    assert.equal(Account, PLATFORM);
    const tags = "ResourceType=vpc,Tags=[{Key=Name,Value=a&<b>},{Key=team,Value=blue}]";
    const made = await aws.type<{ Vpc: { VpcId: string } }>(
      "ec2 create-vpc --cidr-block 10.40.0.0/16 --tag-specifications",
      [tags],
    );
    const { VpcId } = made.Vpc;
    await aws.type(`ec2 wait vpc-available --vpc-ids ${VpcId}`);
    await aws.type(`ec2 modify-vpc-attribute --vpc-id ${VpcId} --enable-dns-hostnames`);
    for (const third of [1, 2])
      await aws.type(`ec2 create-subnet --vpc-id ${VpcId} --cidr-block 10.40.${third}.0/24`);
    await aws.type("ec2 wait subnet-available --filters", [`Name=vpc-id,Values=${VpcId}`]);
    const names = await aws.type<string[]>("ec2 describe-subnets --query Subnets[].CidrBlock --filters", [
      `Name=vpc-id,Values=${VpcId}`,
      "Name=cidr-block,Values=10.40.*.0/24",
    ]);
    assert.deepEqual(names.sort(), ["10.40.1.0/24", "10.40.2.0/24"]);
    const [named] = await aws.type<{ Tags: unknown }[]>("ec2 describe-vpcs --query Vpcs --filters", [
      "Name=tag:Name,Values=a&<*",
    ]);
    assert.deepEqual(named?.Tags, [
      { Key: "Name", Value: "a&<b>" },
      { Key: "team", Value: "blue" },
    ]);
  },

  async pages(aws) {
    const as = { account: "400000000001" };
    for (let number = 0; number < 6; number++)
      await aws.type(`ec2 create-vpc --cidr-block 10.${number}.0.0/16`, [], as);
    const all = await aws.type<{ Vpcs: unknown[] }>("ec2 describe-vpcs --page-size 5", [], as);
    assert.equal(all.Vpcs.length, 7);
    const some = await aws.type<{ Vpcs: unknown[]; NextToken: string }>(
      "ec2 describe-vpcs --page-size 5 --max-items 5",
      [],
      as,
    );
    assert.equal(some.Vpcs.length, 5);
    const rest = await aws.type<{ Vpcs: unknown[] }>(
      `ec2 describe-vpcs --page-size 5 --starting-token ${some.NextToken}`,
      [],
      as,
    );
    assert.equal(rest.Vpcs.length, 2);
  },

  async "a peering across accounts"(aws) {
    const them = { account: CUSTOMER };
    const vpcOf = async (block: string, as: As = {}) =>
      (await aws.type<{ Vpc: { VpcId: string } }>(`ec2 create-vpc --cidr-block ${block}`, [], as)).Vpc.VpcId;
    const ours = await vpcOf("10.60.0.0/16");
    const theirs = await vpcOf("172.22.0.0/16", them);
    const wish = `--vpc-id ${theirs} --peer-vpc-id ${ours} --peer-owner-id ${PLATFORM}`;
    const made = await aws.type<{ VpcPeeringConnection: { VpcPeeringConnectionId: string } }>(
      `ec2 create-vpc-peering-connection ${wish}`,
      [],
      them,
    );
    const named = `--vpc-peering-connection-id ${made.VpcPeeringConnection.VpcPeeringConnectionId}`;
    const ids = named.replace("-id ", "-ids ");
    await aws.type(`ec2 wait vpc-peering-connection-exists ${ids}`);
    await aws.refused("OperationNotPermitted", `ec2 accept-vpc-peering-connection ${named}`, them);
    await aws.type(`ec2 accept-vpc-peering-connection ${named}`);
    const path = "VpcPeeringConnections[0].[RequesterVpcInfo.OwnerId,AccepterVpcInfo.OwnerId]";
    const owners = await aws.type(`ec2 describe-vpc-peering-connections ${ids} --query ${path}`);
    assert.deepEqual(owners, [CUSTOMER, PLATFORM]);
    await aws.type(`ec2 delete-vpc-peering-connection ${named}`, [], them);
    await aws.type(`ec2 wait vpc-peering-connection-deleted ${ids}`);
  },

  async "an instance, its names and its console"(aws) {
    const made = await aws.type<{ Instances: { InstanceId: string }[] }>(
      "ec2 run-instances --image-id ami-12345678 --metadata-options HttpTokens=required --user-data",
      ["#!/bin/sh\necho hello\n"],
    );
    const id = made.Instances[0]?.InstanceId;
    await aws.type(`ec2 wait instance-running --instance-ids ${id}`);
    const path = "Reservations[].Instances[].[PublicDnsName,MetadataOptions.HttpTokens]";
    const [shown = []] = await aws.type<string[][]>(
      `ec2 describe-instances --instance-ids ${id} --query ${path}`,
    );
    assert.match(shown[0] ?? "", /^ec2-198-\d+-\d+-\d+\.compute-1\.amazonaws\.com$/);
    assert.equal(shown[1], "required");
    // The command decodes it.
    const { Output } = await aws.type<{ Output: string }>(`ec2 get-console-output --instance-id ${id}`);
    assert.match(Output, /^Nothing runs on this instance/);
  },

  async errors(aws) {
    await aws.refused("InvalidVpcID.NotFound", "ec2 describe-vpcs --vpc-ids vpc-0123456789abcdef0");
    await aws.refused("InvalidVpc.Range", "ec2 create-vpc --cidr-block 10.0.0.0/8");
    await aws.refused("DryRunOperation", "ec2 create-vpc --cidr-block 10.0.0.0/16 --dry-run");
    await aws.refused("InvalidParameterValue", "ec2 describe-vpcs --filters Name=colour,Values=blue");
    await aws.refused("AuthFailure", "ec2 describe-vpcs", { secret: "wrong" });
  },
};

await walk("the aws command line against the sandbox", WALKS);
