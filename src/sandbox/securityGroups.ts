/**
 * Security groups; their rules change in securityGroupRules.ts. Promises one name a VPC, the egress rule every
 * new group is born with, and that a group in use stays: on an interface, or named by another group of the VPC.
 * https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { cidr } from "../domain/cidr.ts";
import { AwsError } from "./errors.ts";
import { notFound, theVpc } from "./find.ts";
import { describedPermissions } from "./groupRulesShown.ts";
import { describe, type FilterMap } from "./query.ts";
import { withinQuota } from "./quotas.ts";
import type { GroupRuleRow, SecurityGroupRow } from "./rows.ts";
import { groupOf, securityGroupRuleHandlers } from "./securityGroupRules.ts";
import { tagSet, tagsFor } from "./tags.ts";
import type { Call, Ec2Handlers } from "./world.ts";

const ANYWHERE = cidr("0.0.0.0/0");
const NAME = /^[a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]{1,255}$/;

function vpcFor(call: Call, id: string | undefined): string {
  if (id) return theVpc(call, id).id;
  const own = call.tables.vpcs.list(call).find((row) => row.isDefault);
  if (!own) throw new AwsError("VPCIdNotSpecified", "No default VPC for this user");
  return own.id;
}

function checkNames(name: string, description: string): void {
  if (name === "default")
    throw new AwsError("InvalidParameterValue", "Cannot use reserved security group name: default");
  if (name.startsWith("sg-"))
    throw new AwsError("InvalidParameterValue", "Group names may not be in the format sg-*.");
  if (!NAME.test(name))
    throw new AwsError(
      "InvalidParameterValue",
      `Invalid value '${name}' for groupName. Character sets beyond ASCII are not supported.`,
    );
  if (!NAME.test(description))
    throw new AwsError(
      "InvalidParameterValue",
      `Invalid value '${description}' for groupDescription. Valid are 1 to 255 characters of a-zA-Z0-9 ._-:/()#,@[]+=&;{}!$*`,
    );
}

function created(call: Call, input: ec2.CreateSecurityGroupRequest): SecurityGroupRow {
  const tags = tagsFor(input.TagSpecifications, "security-group");
  const { GroupName: name = "", Description: description = "" } = input;
  const vpcId = vpcFor(call, input.VpcId);
  checkNames(name, description);
  if (call.tables.securityGroups.list(call).some((row) => row.vpcId === vpcId && row.name === name))
    throw new AwsError(
      "InvalidGroup.Duplicate",
      `The security group '${name}' already exists for VPC '${vpcId}'`,
    );
  withinQuota({
    count: call.tables.securityGroups.list(call).length + 1,
    quota: call.settings.groupsQuota,
    code: "SecurityGroupLimitExceeded",
    what: "security groups",
  });
  const { account, region, now: at } = call;
  const rules: GroupRuleRow[] = [
    {
      id: call.newId("sgr"),
      egress: true,
      protocol: "-1",
      fromPort: -1,
      toPort: -1,
      source: { type: "cidr", cidr: ANYWHERE },
      tags: [],
    },
  ];
  return call.tables.securityGroups.put({
    id: call.newId("sg"),
    account,
    region,
    at,
    tags,
    vpcId,
    name,
    description,
    rules,
  });
}

function arn(row: SecurityGroupRow): string {
  return `arn:aws:ec2:${row.region}:${row.account}:security-group/${row.id}`;
}

function permissions(call: Call, row: SecurityGroupRow, egress: boolean): ec2.IpPermission[] {
  const rules = row.rules.filter((rule) => rule.egress === egress);
  return describedPermissions(call, row, rules);
}

function described(call: Call, row: SecurityGroupRow): ec2.SecurityGroup {
  return {
    GroupId: row.id,
    GroupName: row.name,
    Description: row.description,
    VpcId: row.vpcId,
    OwnerId: row.account,
    SecurityGroupArn: arn(row),
    IpPermissions: permissions(call, row, false),
    IpPermissionsEgress: permissions(call, row, true),
    Tags: tagSet(row.tags),
  };
}

function ruleFilters(prefix: string, egress: boolean): [string, FilterMap<SecurityGroupRow>[string]][] {
  const by = (value: (rule: GroupRuleRow) => string | number | undefined) => (row: SecurityGroupRow) =>
    row.rules.filter((rule) => rule.egress === egress).map(value);
  const group = (rule: GroupRuleRow) => (rule.source.type === "group" ? rule.source : undefined);
  return [
    [`${prefix}.cidr`, by(({ source }) => (source.type === "cidr" ? source.cidr : undefined))],
    [`${prefix}.ipv6-cidr`, by(({ source }) => (source.type === "cidr6" ? source.cidr : undefined))],
    [
      `${prefix}.prefix-list-id`,
      by(({ source }) => (source.type === "prefixList" ? source.prefixListId : undefined)),
    ],
    [`${prefix}.from-port`, by((rule) => rule.fromPort)],
    [`${prefix}.to-port`, by((rule) => rule.toPort)],
    [`${prefix}.protocol`, by((rule) => rule.protocol)],
    [`${prefix}.group-id`, by((rule) => group(rule)?.groupId)],
    [`${prefix}.user-id`, by((rule) => group(rule)?.userId)],
  ];
}

const FILTERS: FilterMap<SecurityGroupRow> = {
  description: (row) => row.description,
  "group-id": (row) => row.id,
  "group-name": (row) => row.name,
  "owner-id": (row) => row.account,
  "vpc-id": (row) => row.vpcId,
  ...Object.fromEntries(ruleFilters("ip-permission", false)),
  ...Object.fromEntries(ruleFilters("egress.ip-permission", true)),
};

/** What keeps the group: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html */
function isInUse(call: Call, row: SecurityGroupRow): boolean {
  const onInterface = call.tables.interfaces.list(call).some((one) => one.groupIds.includes(row.id));
  const named = call.tables.securityGroups
    .list(call)
    .filter((other) => other.vpcId === row.vpcId && other.id !== row.id)
    .some((other) => other.rules.some(({ source }) => source.type === "group" && source.groupId === row.id));
  return onInterface || named;
}

export const securityGroupHandlers = {
  CreateSecurityGroup(call, input) {
    const row = created(call, input);
    return { GroupId: row.id, SecurityGroupArn: arn(row), Tags: tagSet(row.tags) };
  },

  DeleteSecurityGroup(call, input) {
    const row = groupOf(call, input);
    if (row.name === "default")
      throw new AwsError(
        "CannotDelete",
        `the specified group: "${row.id}" name: "default" cannot be deleted by a user`,
      );
    if (isInUse(call, row))
      throw new AwsError("DependencyViolation", `resource ${row.id} has a dependent object`);
    call.tables.securityGroups.delete(row.id);
    return { Return: true, GroupId: row.id };
  },

  DescribeSecurityGroups(call, input) {
    const byName = (input.GroupNames ?? []).map((GroupName) => groupOf(call, { GroupName }).id);
    const { rows, NextToken } = describe(call, input, {
      rows: call.tables.securityGroups.list(call),
      ids: [...(input.GroupIds ?? []), ...byName],
      notFound: (ids) => notFound("sg", ids),
      filters: FILTERS,
    });
    return { SecurityGroups: rows.map((row) => described(call, row)), NextToken };
  },

  ...securityGroupRuleHandlers,
} satisfies Ec2Handlers;
