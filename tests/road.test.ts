/** The whole road through the API and back, for all three sizes; the state of the cloud is what counts. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  DescribeNetworkAclsCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeTagsCommand,
  DescribeVpcAttributeCommand,
  type Route,
} from "@aws-sdk/client-ec2";
import type { AnswerOf } from "../src/contract/operations.ts";
import { CUSTOMER, type House, openHouse, PLATFORM } from "./support/house.ts";

let house: House;
before(async () => {
  house = await openHouse();
});
after(() => house.close());

const configuration = (datasetName: string, vpcSize: "small" | "medium" | "large") => ({
  datasetName,
  region: "us-east-1" as const,
  customerAccountForAccess: CUSTOMER,
  writeConnector: {
    connectorDestination: "Kafka" as const,
    kafka: { clusterType: "none" as const },
    vpcSize,
  },
});

async function active(datasetName: string) {
  return house.until(`${datasetName} ACTIVE`, async () => {
    const dataset = await house.api.call("datasets.view", { datasetName });
    return dataset.status === "ACTIVE" && dataset;
  });
}

type Vpc = AnswerOf<"vpcs.list">["items"][number];

/** Kind and zone of the subnet that a NAT gateway stands in. */
function natHome(vpc: Vpc, natGatewayId: string | undefined) {
  const nat = vpc.natGateways.find((candidate) => candidate.natGatewayId === natGatewayId);
  const home = vpc.subnets.find(({ subnetId }) => subnetId === nat?.subnetId);
  return [home?.type, home?.availabilityZoneId];
}

const LAYOUT = {
  small: ["/25", "/28", "/28"],
  medium: ["/23", "/25", "/27"],
  large: ["/22", "/24", "/26"],
} as const;

for (const size of ["small", "medium", "large"] as const)
  describe(size, () => {
    const datasetName = `Clicks${size}`;
    let vpcId = "";

    test("is created as the page says: subnets, gateways, zones", async () => {
      await house.api.call("datasets.create", configuration(datasetName, size));
      await active(datasetName);
      const { items } = await house.api.call("vpcs.list", { datasetName });
      const [vpc] = items;
      assert.ok(vpc?.vpcId);
      vpcId = vpc.vpcId;
      const [range, privateMask, publicMask] = LAYOUT[size];
      assert.ok(vpc.cidrBlock.endsWith(range));
      assert.equal(vpc.ownerId, PLATFORM);
      const of = (type: string) => vpc.subnets.filter((subnet) => subnet.type === type);
      assert.deepEqual(
        of("private").map(({ cidrBlock }) => cidrBlock.slice(cidrBlock.indexOf("/"))),
        [privateMask, privateMask, privateMask],
      );
      assert.deepEqual(
        of("public").map(({ cidrBlock }) => cidrBlock.slice(cidrBlock.indexOf("/"))),
        [publicMask, publicMask, publicMask],
      );
      for (const type of ["private", "public"])
        assert.deepEqual(
          of(type).map((subnet) => subnet.availabilityZoneId),
          ["use1-az1", "use1-az2", "use1-az4"],
        );
      assert.deepEqual(
        vpc.natGateways.map(({ state }) => state),
        ["available", "available", "available"],
      );
    });

    test("is secured: TCP inside, closed to the world", async () => {
      const ec2 = house.ec2(PLATFORM);
      const Filters = [{ Name: "vpc-id", Values: [vpcId] }];
      const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters }));
      const rules = new Map(
        SecurityGroups.map((group) => [
          group.GroupName,
          [group.IpPermissions ?? [], group.IpPermissionsEgress ?? []].map((side) =>
            side.map(
              (rule) =>
                `${rule.IpProtocol} ${rule.FromPort}-${rule.ToPort} ${rule.IpRanges?.map(({ CidrIp }) => CidrIp)}`,
            ),
          ),
        ]),
      );
      const { items } = await house.api.call("vpcs.list", { datasetName });
      assert.deepEqual(Object.fromEntries(rules), {
        default: [[], []],
        "letsdata-cluster": [[`tcp 0-65535 ${items[0]?.cidrBlock}`], ["tcp 0-65535 0.0.0.0/0"]],
        "letsdata-peers": [[], []],
      });
      const { NetworkAcls = [] } = await ec2.send(new DescribeNetworkAclsCommand({ Filters }));
      const entries = NetworkAcls.flatMap(({ Entries = [] }) => Entries)
        .map(
          (entry) =>
            `${entry.Egress ? "out" : "in"} ${entry.RuleNumber} ${entry.Protocol} ${entry.RuleAction}`,
        )
        .sort();
      assert.deepEqual(entries, [
        "in 100 6 allow",
        "in 110 1 allow",
        "in 32767 -1 deny",
        "out 100 6 allow",
        "out 110 1 allow",
        "out 32767 -1 deny",
      ]);
    });

    test("private subnets leave through their own zone's NAT gateway, public ones through the gateway", async () => {
      const ec2 = house.ec2(PLATFORM);
      const { RouteTables = [] } = await ec2.send(
        new DescribeRouteTablesCommand({ Filters: [{ Name: "vpc-id", Values: [vpcId] }] }),
      );
      const { items } = await house.api.call("vpcs.list", { datasetName });
      const [vpc] = items;
      assert.ok(vpc);
      for (const subnet of vpc.subnets) {
        const table = RouteTables.find(({ Associations = [] }) =>
          Associations.some((association) => association.SubnetId === subnet.subnetId),
        );
        const out: Route | undefined = table?.Routes?.find(
          (route) => route.DestinationCidrBlock === "0.0.0.0/0",
        );
        assert.equal(out?.State, "active");
        if (subnet.type === "public") assert.match(out?.GatewayId ?? "", /^igw-/);
        else assert.deepEqual(natHome(vpc, out?.NatGatewayId), ["public", subnet.availabilityZoneId]);
      }
    });

    test("has DNS names, and everything bears our tags", async () => {
      const ec2 = house.ec2(PLATFORM);
      const dns = await ec2.send(
        new DescribeVpcAttributeCommand({ VpcId: vpcId, Attribute: "enableDnsHostnames" }),
      );
      assert.equal(dns.EnableDnsHostnames?.Value, true);
      const { datasetId } = await house.api.call("datasets.view", { datasetName });
      const ours = await ec2.send(
        new DescribeTagsCommand({
          Filters: [
            { Name: "key", Values: ["letsdata:dataset"] },
            { Name: "value", Values: [datasetId] },
          ],
        }),
      );
      const ids = (ours.Tags ?? []).flatMap(({ ResourceId }) => ResourceId ?? []);
      const { Tags = [] } = await ec2.send(
        new DescribeTagsCommand({ Filters: [{ Name: "resource-id", Values: ids }] }),
      );
      const keys = Tags.filter(
        ({ Key, ResourceType }) => Key === "letsdata:key" && ResourceType !== "security-group-rule",
      ).map(({ Value }) => Value);
      const zones = [0, 1, 2];
      assert.deepEqual(
        keys.sort(),
        [
          "vpc",
          "igw",
          "endpoint/s3",
          "group/cluster",
          "group/peers",
          "table/public",
          ...zones.flatMap((zone) => [
            `subnet/private/${zone}`,
            `subnet/public/${zone}`,
            `eip/${zone}`,
            `nat/${zone}`,
            `table/private/${zone}`,
          ]),
        ].sort(),
      );
      const names = Tags.filter(({ Key }) => Key === "Name").map(({ Value }) => Value);
      assert.ok(names.includes(`letsdata-${datasetName}-subnet/private/0`));
    });

    test("is deleted, and nothing is left under our tags", async () => {
      await house.api.call("datasets.delete", { datasetName });
      await house.until("DELETED", async () => {
        const dataset = await house.api.call("datasets.view", { datasetName });
        return dataset.status === "DELETED";
      });
      const { Tags = [] } = await house
        .ec2(PLATFORM)
        .send(new DescribeTagsCommand({ Filters: [{ Name: "key", Values: ["letsdata:dataset"] }] }));
      // A deleted NAT gateway stays visible for an hour: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html
      assert.deepEqual(
        Tags.filter(({ ResourceType }) => ResourceType !== "natgateway"),
        [],
      );
      const { items } = await house.api.call("ranges.list", {});
      assert.ok(items.some((range) => range.datasetName === datasetName && range.state === "quarantined"));
    });
  });
