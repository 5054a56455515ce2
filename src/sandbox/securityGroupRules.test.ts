/** Rules of security groups over the wire: authorized, revoked, modified, or refused. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  type AuthorizeSecurityGroupIngressCommandInput,
  CreateSecurityGroupCommand,
  CreateTagsCommand,
  DescribeSecurityGroupRulesCommand,
  DescribeSecurityGroupsCommand,
  type EC2Client,
  type IpPermission,
  ModifySecurityGroupRulesCommand,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
  UpdateSecurityGroupRuleDescriptionsIngressCommand,
} from "@aws-sdk/client-ec2";
import { startSandbox, type TestSandbox } from "./testing.ts";
import { makeGroup, makeVpc } from "./testNetwork.ts";

describe("security group rules", () => {
  let sandbox: TestSandbox;
  let client: EC2Client;
  let GroupId: string;

  before(async () => {
    sandbox = await startSandbox();
    client = sandbox.client("111111111111", "eu-west-1");
  });
  beforeEach(async () => {
    GroupId = await makeGroup(client, await makeVpc(client), "group");
  });
  after(() => sandbox.close());

  const kafka = { IpProtocol: "tcp", FromPort: 9092, ToPort: 9098 };
  const from = (CidrIp: string, change: IpPermission = {}): IpPermission => ({
    ...kafka,
    IpRanges: [{ CidrIp }],
    ...change,
  });

  const authorize = (...IpPermissions: IpPermission[]) =>
    client.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
  const revoke = (...IpPermissions: IpPermission[]) =>
    client.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions }));

  async function ingress() {
    const Filters = [{ Name: "group-id", Values: [GroupId] }];
    const { SecurityGroupRules } = await client.send(new DescribeSecurityGroupRulesCommand({ Filters }));
    return (SecurityGroupRules ?? []).filter((rule) => !rule.IsEgress);
  }

  const cidrs = async () => (await ingress()).map((rule) => rule.CidrIpv4).toSorted();

  test("each source is a rule; the group shows those of the same ports together", async () => {
    const { SecurityGroupRules, Return } = await authorize({
      ...kafka,
      IpRanges: [{ CidrIp: "10.1.0.0/16", Description: "vpc" }, { CidrIp: "10.2.0.0/16" }],
      Ipv6Ranges: [{ CidrIpv6: "2001:db8::/32" }],
      UserIdGroupPairs: [{ GroupId }],
    });
    assert.equal(Return, true);
    assert.equal(SecurityGroupRules?.length, 4);
    assert.ok(
      SecurityGroupRules?.every((rule) => /^sgr-0[0-9a-f]{16}$/.test(rule.SecurityGroupRuleId ?? "")),
    );
    const { SecurityGroups } = await client.send(new DescribeSecurityGroupsCommand({ GroupIds: [GroupId] }));
    assert.deepEqual(SecurityGroups?.[0]?.IpPermissions, [
      {
        ...kafka,
        IpRanges: [{ CidrIp: "10.1.0.0/16", Description: "vpc" }, { CidrIp: "10.2.0.0/16" }],
        Ipv6Ranges: [{ CidrIpv6: "2001:db8::/32" }],
        PrefixListIds: [],
        UserIdGroupPairs: [{ GroupId, UserId: "111111111111" }],
      },
    ]);
  });

  test("protocols have names and numbers; only TCP, UDP and ICMP have ports", async () => {
    await authorize(
      from("10.1.0.0/16", { IpProtocol: "6" }),
      from("10.1.0.0/16", { IpProtocol: "icmp", FromPort: 3, ToPort: 4 }),
      from("10.1.0.0/16", { IpProtocol: "47" }),
      from("10.1.0.0/16", { IpProtocol: "-1" }),
    );
    const seen = (await ingress()).map((rule) => [rule.IpProtocol, rule.FromPort, rule.ToPort].join(" "));
    assert.deepEqual(seen.toSorted(), ["-1 -1 -1", "47 -1 -1", "icmp 3 4", "tcp 9092 9098"]);
    await assert.rejects(authorize(from("10.1.0.0/16")), { name: "InvalidPermission.Duplicate" });
  });

  test("the flat parameters of the oldest clients are one ingress permission", async () => {
    const input: AuthorizeSecurityGroupIngressCommandInput = { GroupId, ...kafka, CidrIp: "10.1.0.0/16" };
    await client.send(new AuthorizeSecurityGroupIngressCommand(input));
    assert.deepEqual(await cidrs(), ["10.1.0.0/16"]);
    await client.send(new RevokeSecurityGroupIngressCommand(input));
    assert.deepEqual(await cidrs(), []);
    await assert.rejects(client.send(new AuthorizeSecurityGroupEgressCommand({ ...input, GroupId })), {
      name: "InvalidParameterCombination",
    });
  });

  test("malformed permissions are refused, and then nothing changes", async () => {
    const good = from("10.1.0.0/16");
    const refused: [IpPermission, string][] = [
      [from("10.1.0.1/16"), "InvalidParameterValue"],
      [from("everywhere"), "InvalidParameterValue"],
      [from("10.2.0.0/16", { FromPort: 80, ToPort: 22 }), "InvalidParameterValue"],
      [from("10.2.0.0/16", { ToPort: 65536 }), "InvalidParameterValue"],
      [from("10.2.0.0/16", { FromPort: undefined }), "InvalidParameterValue"],
      [from("10.2.0.0/16", { IpProtocol: "pigeon" }), "InvalidParameterValue"],
      [from("10.2.0.0/16", { IpProtocol: "icmp", FromPort: -1, ToPort: 4 }), "InvalidParameterValue"],
      [{ ...kafka, Ipv6Ranges: [{ CidrIpv6: "10.0.0.0/8" }] }, "InvalidParameterValue"],
      [{ ...kafka, IpRanges: [{ CidrIp: "10.2.0.0/16", Description: "é" }] }, "InvalidParameterValue"],
      [{ ...kafka, PrefixListIds: [{ PrefixListId: "pl-00000000" }] }, "InvalidPrefixListID.NotFound"],
      [{ ...kafka, UserIdGroupPairs: [{ GroupId: "sg-00000000000000000" }] }, "InvalidGroup.NotFound"],
      [kafka, "MissingParameter"],
      [good, "InvalidParameterValue"],
    ];
    for (const [permission, name] of refused)
      await assert.rejects(authorize(good, permission), { name }, JSON.stringify(permission));
    await assert.rejects(authorize(), { name: "MissingParameter" });
    assert.deepEqual(await cidrs(), []);
  });

  test("revoking what is not there is an error outside the default VPC, and an answer in it", async () => {
    await authorize(from("10.1.0.0/16"));
    await assert.rejects(revoke(from("10.1.0.0/16"), from("10.9.0.0/16")), {
      name: "InvalidPermission.NotFound",
    });
    assert.deepEqual(await cidrs(), ["10.1.0.0/16"]);
    const answer = await revoke(from("10.1.0.0/16"));
    assert.equal(answer.Return, true);
    assert.equal(answer.RevokedSecurityGroupRules?.[0]?.CidrIpv4, "10.1.0.0/16");
    const inDefault = await client.send(
      new CreateSecurityGroupCommand({ GroupName: `web ${GroupId.slice(3)}`, Description: "default VPC" }),
    );
    const { Return, UnknownIpPermissions } = await client.send(
      new RevokeSecurityGroupIngressCommand({
        GroupId: inDefault.GroupId,
        IpPermissions: [from("10.9.0.0/16")],
      }),
    );
    assert.equal(Return, false);
    assert.deepEqual(UnknownIpPermissions?.[0]?.IpRanges, [{ CidrIp: "10.9.0.0/16" }]);
  });

  test("rules are revoked by id, in their own direction", async () => {
    const { SecurityGroupRules } = await authorize(from("10.1.0.0/16"));
    const SecurityGroupRuleIds = SecurityGroupRules?.map((rule) => rule.SecurityGroupRuleId ?? "");
    await assert.rejects(
      client.send(new RevokeSecurityGroupEgressCommand({ GroupId, SecurityGroupRuleIds })),
      { name: "InvalidSecurityGroupRuleId.NotFound" },
    );
    await client.send(new RevokeSecurityGroupIngressCommand({ GroupId, SecurityGroupRuleIds }));
    assert.deepEqual(await ingress(), []);
    await assert.rejects(client.send(new DescribeSecurityGroupRulesCommand({ SecurityGroupRuleIds })), {
      name: "InvalidSecurityGroupRuleId.NotFound",
    });
  });

  test("rules have tags of their own", async () => {
    const Tags = [{ Key: "peering", Value: "pcx-1" }];
    const { SecurityGroupRules } = await client.send(
      new AuthorizeSecurityGroupIngressCommand({
        GroupId,
        IpPermissions: [from("10.1.0.0/16")],
        TagSpecifications: [{ ResourceType: "security-group-rule", Tags }],
      }),
    );
    assert.deepEqual(SecurityGroupRules?.[0]?.Tags, Tags);
    const Resources = [SecurityGroupRules?.[0]?.SecurityGroupRuleId ?? ""];
    await client.send(new CreateTagsCommand({ Resources, Tags: [{ Key: "more", Value: "" }] }));
    const found = await client.send(
      new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: "tag-key", Values: ["more"] }] }),
    );
    assert.deepEqual(
      found.SecurityGroupRules?.map((rule) => rule.SecurityGroupRuleId),
      Resources,
    );
  });

  test("a rule is modified in place and keeps its id", async () => {
    const { SecurityGroupRules = [] } = await authorize(from("10.1.0.0/16"), from("10.2.0.0/16"));
    const [first, second] = SecurityGroupRules.map((rule) => rule.SecurityGroupRuleId ?? "");
    const modify = (rule: object) =>
      client.send(
        new ModifySecurityGroupRulesCommand({
          GroupId,
          SecurityGroupRules: [
            { SecurityGroupRuleId: second, SecurityGroupRule: { ...kafka, IpProtocol: "tcp", ...rule } },
          ],
        }),
      );
    await assert.rejects(modify({ CidrIpv4: "10.1.0.0/16" }), { name: "InvalidPermission.Duplicate" });
    await assert.rejects(modify({ CidrIpv4: "10.3.0.0/16", CidrIpv6: "::/0" }), {
      name: "InvalidParameterCombination",
    });
    await modify({ CidrIpv4: "10.3.0.0/16", Description: "moved" });
    const rules = await ingress();
    assert.deepEqual(rules.map((rule) => rule.SecurityGroupRuleId).toSorted(), [first, second].toSorted());
    const moved = rules.find((rule) => rule.SecurityGroupRuleId === second);
    assert.deepEqual([moved?.CidrIpv4, moved?.Description], ["10.3.0.0/16", "moved"]);
  });

  test("descriptions change by permission or by id", async () => {
    const { SecurityGroupRules } = await authorize(from("10.1.0.0/16"));
    const SecurityGroupRuleId = SecurityGroupRules?.[0]?.SecurityGroupRuleId;
    const update = (input: object) =>
      client.send(new UpdateSecurityGroupRuleDescriptionsIngressCommand({ GroupId, ...input }));
    const described = { ...kafka, IpRanges: [{ CidrIp: "10.1.0.0/16", Description: "one" }] };
    await update({ IpPermissions: [described] });
    assert.equal((await ingress())[0]?.Description, "one");
    await update({ SecurityGroupRuleDescriptions: [{ SecurityGroupRuleId, Description: "two" }] });
    assert.equal((await ingress())[0]?.Description, "two");
    await update({ SecurityGroupRuleDescriptions: [{ SecurityGroupRuleId }] });
    assert.equal((await ingress())[0]?.Description, undefined);
    await assert.rejects(update({ IpPermissions: [from("10.9.0.0/16")] }), {
      name: "InvalidPermission.NotFound",
    });
    await assert.rejects(update({}), { name: "MissingParameter" });
  });
});
