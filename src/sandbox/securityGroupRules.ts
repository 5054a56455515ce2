/**
 * The rules of security groups: authorize, revoke, modify, describe. Promises that a request changes all the
 * rules it names or none. https://docs.aws.amazon.com/vpc/latest/userguide/working-with-security-group-rules.html
 */
import type * as ec2 from "@aws-sdk/client-ec2";
import { AwsError } from "./errors.ts";
import { theSecurityGroup } from "./find.ts";
import {
  type AskedRule,
  askedRules,
  isSameRule,
  madeRules,
  refuseDuplicates,
  sourceText,
  withDescription,
} from "./groupRules.ts";
import { describedPermissions, describedRule } from "./groupRulesShown.ts";
import { describe } from "./query.ts";
import { withinQuota } from "./quotas.ts";
import type { GroupRuleRow, SecurityGroupRow } from "./rows.ts";
import { tagsFor } from "./tags.ts";
import { seen } from "./visibility.ts";
import type { Call, Ec2Handlers } from "./world.ts";

/** The group by id, or by name in the default VPC. */
export function groupOf(
  call: Call,
  input: { GroupId?: string | undefined; GroupName?: string | undefined },
): SecurityGroupRow {
  if (input.GroupId) return theSecurityGroup(call, input.GroupId);
  if (!input.GroupName)
    throw new AwsError("MissingParameter", "The request must contain the parameter groupName or groupId");
  const vpc = call.tables.vpcs.list(call).find((row) => row.isDefault);
  const groups = seen(call, call.tables.securityGroups.list(call));
  const group = groups.find((row) => row.vpcId === vpc?.id && row.name === input.GroupName);
  if (!group)
    throw new AwsError(
      "InvalidGroup.NotFound",
      `The security group '${input.GroupName}' does not exist in default VPC '${vpc?.id ?? "none"}'`,
    );
  return group;
}

/** What authorize and revoke of both directions share. */
type RulesInput = ec2.RevokeSecurityGroupIngressRequest & {
  TagSpecifications?: ec2.TagSpecification[] | undefined;
};

/** The permissions of the request; the flat parameters of the oldest API are one permission. */
function permissionsOf(input: RulesInput, egress: boolean): ec2.IpPermission[] {
  const { CidrIp, SourceSecurityGroupName: name, SourceSecurityGroupOwnerId: owner } = input;
  if (CidrIp === undefined && name === undefined) return input.IpPermissions ?? [];
  if (egress || input.IpPermissions?.length)
    throw new AwsError(
      "InvalidParameterCombination",
      "The parameters cidrIp and sourceSecurityGroupName may not be used here: use ipPermissions",
    );
  return [
    {
      IpProtocol: input.IpProtocol ?? (name ? "-1" : undefined),
      FromPort: input.FromPort,
      ToPort: input.ToPort,
      ...(CidrIp === undefined ? {} : { IpRanges: [{ CidrIp }] }),
      ...(name === undefined ? {} : { UserIdGroupPairs: [{ GroupName: name, UserId: owner }] }),
    },
  ];
}

function authorize(call: Call, input: RulesInput, egress: boolean) {
  const group = groupOf(call, input);
  const tags = tagsFor(input.TagSpecifications, "security-group-rule");
  const asked = askedRules(call, group, {
    permissions: permissionsOf(input, egress),
    egress,
    mustExist: true,
  });
  refuseDuplicates(group.rules, asked);
  checkQuota(call, [...group.rules, ...asked], egress);
  const made = madeRules(call, asked, tags);
  const row = call.tables.securityGroups.put({ ...group, rules: [...group.rules, ...made] });
  return { Return: true, SecurityGroupRules: made.map((rule) => describedRule(call, row, rule)) };
}

function checkQuota(call: Call, rules: readonly AskedRule[], egress: boolean): void {
  const inDirection = rules.filter((rule) => rule.egress === egress);
  const six = inDirection.filter((rule) => rule.source.type === "cidr6").length;
  withinQuota({
    count: Math.max(six, inDirection.length - six),
    quota: call.settings.rulesPerGroupQuota,
    code: "RulesPerSecurityGroupLimitExceeded",
    what: "rules per security group",
  });
}

function missingRule(id: string | undefined): AwsError {
  return new AwsError(
    "InvalidSecurityGroupRuleId.NotFound",
    `The security group rule ID '${id}' does not exist`,
  );
}

function ruleById(group: SecurityGroupRow, id: string | undefined, egress?: boolean): GroupRuleRow {
  const rule = group.rules.find((one) => one.id === id);
  if (!rule || (egress !== undefined && rule.egress !== egress)) throw missingRule(id);
  return rule;
}

/**
 * In a default VPC what does not match is answered in the body; elsewhere it is an error and nothing changes.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html
 */
function revoke(call: Call, input: RulesInput, egress: boolean) {
  const group = groupOf(call, input);
  const { found, unknown } = input.SecurityGroupRuleIds?.length
    ? { found: input.SecurityGroupRuleIds.map((id) => ruleById(group, id, egress)), unknown: [] }
    : matchingRules(group, soughtRules(call, group, { input, egress }));
  if (unknown.length > 0 && !call.tables.vpcs.get(group.vpcId)?.isDefault)
    throw new AwsError(
      "InvalidPermission.NotFound",
      "The specified rule does not exist in this security group.",
    );
  const gone = new Set(found.map((rule) => rule.id));
  call.tables.securityGroups.put({ ...group, rules: group.rules.filter((rule) => !gone.has(rule.id)) });
  const UnknownIpPermissions = describedPermissions(call, group, madeRules(call, unknown, []));
  return {
    Return: unknown.length === 0,
    RevokedSecurityGroupRules: found.map((rule) => revoked(group, rule)),
    ...(unknown.length > 0 ? { UnknownIpPermissions } : {}),
  };
}

function soughtRules(
  call: Call,
  group: SecurityGroupRow,
  { input, egress }: { input: RulesInput; egress: boolean },
): AskedRule[] {
  return askedRules(call, group, { permissions: permissionsOf(input, egress), egress, mustExist: false });
}

function matchingRules(group: SecurityGroupRow, asked: readonly AskedRule[]) {
  const pairs = asked.map((rule) => ({ rule, match: group.rules.find((one) => isSameRule(one, rule)) }));
  return {
    found: pairs.flatMap(({ match }) => match ?? []),
    unknown: pairs.flatMap(({ rule, match }) => (match ? [] : rule)),
  };
}

function revoked(group: SecurityGroupRow, rule: GroupRuleRow): ec2.RevokedSecurityGroupRule {
  const { source } = rule;
  const member = {
    cidr: "CidrIpv4",
    cidr6: "CidrIpv6",
    prefixList: "PrefixListId",
    group: "ReferencedGroupId",
  };
  return {
    SecurityGroupRuleId: rule.id,
    GroupId: group.id,
    IsEgress: rule.egress,
    IpProtocol: rule.protocol,
    FromPort: rule.fromPort,
    ToPort: rule.toPort,
    [member[source.type]]: sourceText(source),
    ...(rule.description ? { Description: rule.description } : {}),
  };
}

/** The rule with that id as the request wants it: every value anew, the id and tags kept. */
function changedRule(call: Call, group: SecurityGroupRow, update: ec2.SecurityGroupRuleUpdate): GroupRuleRow {
  const old = ruleById(group, update.SecurityGroupRuleId);
  const { SecurityGroupRule: wanted = {} } = update;
  const Description = wanted.Description;
  const permission: ec2.IpPermission = {
    IpProtocol: wanted.IpProtocol,
    FromPort: wanted.FromPort,
    ToPort: wanted.ToPort,
    IpRanges: wanted.CidrIpv4 ? [{ CidrIp: wanted.CidrIpv4, Description }] : [],
    Ipv6Ranges: wanted.CidrIpv6 ? [{ CidrIpv6: wanted.CidrIpv6, Description }] : [],
    PrefixListIds: wanted.PrefixListId ? [{ PrefixListId: wanted.PrefixListId, Description }] : [],
    UserIdGroupPairs: wanted.ReferencedGroupId ? [{ GroupId: wanted.ReferencedGroupId, Description }] : [],
  };
  const asked = askedRules(call, group, { permissions: [permission], egress: old.egress, mustExist: true });
  const [rule, second] = asked;
  if (!rule || second)
    throw new AwsError("InvalidParameterCombination", "A rule has exactly one source or destination");
  return { ...rule, id: old.id, tags: old.tags };
}

function modify(call: Call, input: ec2.ModifySecurityGroupRulesRequest): void {
  const group = groupOf(call, input);
  const changed = (input.SecurityGroupRules ?? []).map((update) => changedRule(call, group, update));
  const byId = new Map(changed.map((rule) => [rule.id, rule]));
  refuseDuplicates(
    group.rules.filter((rule) => !byId.has(rule.id)),
    changed,
  );
  const rules = group.rules.map((rule) => byId.get(rule.id) ?? rule);
  call.tables.securityGroups.put({ ...group, rules });
}

function describeAgain(
  call: Call,
  input: ec2.UpdateSecurityGroupRuleDescriptionsIngressRequest,
  egress: boolean,
) {
  const group = groupOf(call, input);
  const texts = new Map<string, string | undefined>();
  for (const one of input.SecurityGroupRuleDescriptions ?? [])
    texts.set(ruleById(group, one.SecurityGroupRuleId, egress).id, one.Description);
  if (input.IpPermissions?.length)
    for (const asked of soughtRules(call, group, { input, egress })) {
      const rule = group.rules.find((one) => isSameRule(one, asked));
      if (!rule)
        throw new AwsError(
          "InvalidPermission.NotFound",
          "The specified rule does not exist in this security group.",
        );
      texts.set(rule.id, asked.description);
    }
  if (texts.size === 0)
    throw new AwsError("MissingParameter", "The request must contain ipPermissions or rule descriptions");
  const rules = group.rules.map((rule) => (texts.has(rule.id) ? reworded(rule, texts.get(rule.id)) : rule));
  call.tables.securityGroups.put({ ...group, rules });
  return { Return: true };
}

function reworded(rule: GroupRuleRow, text: string | undefined): GroupRuleRow {
  const { description: _, ...rest } = rule;
  return { ...rest, ...withDescription(text) };
}

export const securityGroupRuleHandlers = {
  AuthorizeSecurityGroupIngress: (call, input) => authorize(call, input, false),
  AuthorizeSecurityGroupEgress: (call, input) => authorize(call, input, true),
  RevokeSecurityGroupIngress: (call, input) => revoke(call, input, false),
  RevokeSecurityGroupEgress: (call, input) => revoke(call, input, true),

  ModifySecurityGroupRules(call, input) {
    modify(call, input);
    return { Return: true };
  },

  UpdateSecurityGroupRuleDescriptionsIngress: (call, input) => describeAgain(call, input, false),
  UpdateSecurityGroupRuleDescriptionsEgress: (call, input) => describeAgain(call, input, true),

  DescribeSecurityGroupRules(call, input) {
    const groups = seen(call, call.tables.securityGroups.list(call));
    const { rows, NextToken } = describe(call, input, {
      rows: groups.flatMap((group) =>
        group.rules.map((rule) => ({
          account: group.account,
          region: group.region,
          at: group.at,
          group,
          ...rule,
        })),
      ),
      ids: input.SecurityGroupRuleIds,
      notFound: (ids) => missingRule(ids.join(", ")),
      filters: {
        "group-id": (row) => row.group.id,
        "security-group-rule-id": (row) => row.id,
      },
    });
    return { SecurityGroupRules: rows.map((row) => describedRule(call, row.group, row)), NextToken };
  },
} satisfies Ec2Handlers;
