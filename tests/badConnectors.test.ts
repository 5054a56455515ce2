/**
 * What is wrong around a write connector and is nobody's crash: AWS refuses what our rules let pass, a name is taken,
 * functions cannot be attached. Each is told with what to do, and goes on by itself when that was done.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CreateClusterV2Command,
  DeleteClusterCommand,
  ListClustersV2Command,
  ListTagsForResourceCommand,
} from "@aws-sdk/client-kafka";
import { GetFunctionConfigurationCommand, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { clusterName } from "../src/cloud/aws/msk.ts";
import { makeGroup, makeVpc, makeZonedSubnets } from "../src/sandbox/testNetwork.ts";
import { ConnectorGround } from "./support/connectorGround.ts";
import { makeFunction } from "./support/functions.ts";
import { PLATFORM } from "./support/house.ts";
import { present } from "./support/networks.ts";

const MINUTE = 60_000;

/** Another VPC, with subnets in three zones that MSK has and a group. */
async function elsewhere({ plane }: ConnectorGround) {
  const ec2 = plane.ec2(PLATFORM);
  const vpcId = await makeVpc(ec2);
  const subnetIds = await makeZonedSubnets(ec2, vpcId, "abd");
  return { vpcId, subnetIds, groupIds: [await makeGroup(ec2, vpcId, "elsewhere")] };
}

describe("a write connector that cannot be as it should", () => {
  let ground: ConnectorGround;
  before(async () => {
    ground = await ConnectorGround.open({
      mskCreatingMs: 2 * MINUTE,
      lambdaInterfaceReleaseMs: MINUTE,
      unseenMsMax: 0,
    });
  });
  after(() => ground.close());

  test("a version or instance type that AWS has not: its own words, ERROR, and on when it has it", async () => {
    const error = { kind: "error", code: "BadRequestException", status: 400, count: 8 };
    await ground.fault("CreateClusterV2", error);
    await ground.create({});
    await ground.plane.drive(async () => {
      await ground.reaches("ERROR");
      const told = present(await ground.conditionOf("cluster"));
      assert.deepEqual([told.state, told.actor], ["blocked", "operator"]);
      assert.match(told.message, /^AWS refused kafka:CreateClusterV2: /);
      await ground.reaches("ACTIVE");
    });
    await ground.remove();
  });

  test("a cluster's name that somebody else's has: left alone, and on when it is free", async () => {
    await ground.create({});
    const { dataset } = await ground.known();
    const { installation } = await ground.plane.store.settings();
    const { subnetIds } = await elsewhere(ground);
    const BrokerNodeGroupInfo = { InstanceType: "kafka.t3.small", ClientSubnets: subnetIds };
    const { ClusterArn } = await ground.kafka.send(
      new CreateClusterV2Command({
        ClusterName: clusterName(installation, { datasetId: dataset.id }),
        Provisioned: { KafkaVersion: "3.9.x.kraft", NumberOfBrokerNodes: 3, BrokerNodeGroupInfo },
      }),
    );
    await ground.plane.drive(async () => {
      await ground.says("cluster", /is taken by a cluster that does not bear this installation's tags/);
      await ground.reaches("ERROR");
      await ground.plane.clock.sleep(30 * MINUTE);
    });
    const { ClusterInfoList = [] } = await ground.kafka.send(new ListClustersV2Command({}));
    assert.deepEqual(
      ClusterInfoList.map(({ State }) => State),
      ["ACTIVE"],
    );
    const tagged = new ListTagsForResourceCommand({ ResourceArn: ClusterArn });
    assert.deepEqual((await ground.kafka.send(tagged)).Tags, {});
    await ground.kafka.send(new DeleteClusterCommand({ ClusterArn }));
    await ground.plane.drive(() => ground.reaches("ACTIVE"));
    await ground.remove();
  });

  test("a function that stands in another VPC: left there, and attached when it was taken out", async () => {
    const arn = await makeFunction(ground.plane.sandboxUrl, "elsewhere");
    const { vpcId, subnetIds, groupIds } = await elsewhere(ground);
    const move = (SubnetIds: readonly string[], SecurityGroupIds: readonly string[]) =>
      ground.lambda.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName: arn,
          VpcConfig: { SubnetIds: [...SubnetIds], SecurityGroupIds: [...SecurityGroupIds] },
        }),
      );
    const vpcOf = async () => {
      const shown = await ground.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: arn }));
      return shown.VpcConfig?.VpcId || undefined;
    };
    await ground.plane.drive(() => ground.plane.clock.sleep(MINUTE));
    await move(subnetIds, groupIds);
    await ground.plane.drive(() => ground.plane.clock.sleep(5 * MINUTE));
    await ground.create(null, [arn]);
    await ground.plane.drive(async () => {
      await ground.says("function/elsewhere", new RegExp(`^stands in ${vpcId}`));
      await ground.reaches("ERROR");
    });
    const told = present(await ground.conditionOf("function/elsewhere"));
    assert.match(told.hint ?? "", /^Take it out of it: aws lambda update-function-configuration/);
    assert.equal(await vpcOf(), vpcId);
    await move([], []);
    await ground.plane.drive(() => ground.reaches("ACTIVE"));
    assert.equal(await vpcOf(), (await ground.known()).status?.world?.vpcs[0]?.id);
    await ground.remove();
  });

  test("a function whose role may make no interface: the right to add is named, and on when it has it", async () => {
    const arn = await makeFunction(ground.plane.sandboxUrl, "powerless");
    await ground.plane.drive(() => ground.plane.clock.sleep(MINUTE));
    await ground.plane.admin("PATCH", "settings", { lambdaFailure: "InsufficientRolePermissions" });
    await ground.create(null, [arn]);
    await ground.plane.drive(async () => {
      await ground.says("function/powerless", /^AWS could not attach it: InsufficientRolePermissions/);
      await ground.reaches("ERROR");
      const told = present(await ground.conditionOf("function/powerless"));
      assert.match(told.hint ?? "", /^Attach AWSLambdaVPCAccessExecutionRole to its role/);
      await ground.plane.admin("PATCH", "settings", { lambdaFailure: "" });
      await ground.reaches("ACTIVE");
    });
    await ground.remove();
  });
});
