/** What somebody does by hand to things of ours, beside the product: networks, clusters and functions spoiled. */
import {
  CreateNetworkAclEntryCommand,
  type EC2Client,
  ModifyVpcEndpointCommand,
  ReplaceRouteCommand,
  ReplaceRouteTableAssociationCommand,
} from "@aws-sdk/client-ec2";
import { DeleteClusterCommand, type KafkaClient, ListClustersCommand } from "@aws-sdk/client-kafka";
import { LambdaClient, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import type { World } from "../../src/domain/world.ts";
import { PLATFORM } from "./house.ts";
import { present } from "./networks.ts";

/** A route, an association, an ACL entry and an endpoint's tables: all that can be changed in place. */
export async function spoil(ec2: EC2Client, world: World): Promise<void> {
  const thing = (list: "routeTables" | "natGateways" | "endpoints", key: string) =>
    present(world[list].find((one) => one.key === key && !("state" in one && one.state === "deleted")));
  const table = thing("routeTables", "table/private/0");
  const [association] = present(world.routeTables.find(({ id }) => id === table.id)).associations;
  await ec2.send(
    new ReplaceRouteCommand({
      RouteTableId: table.id,
      DestinationCidrBlock: "0.0.0.0/0",
      NatGatewayId: thing("natGateways", "nat/1").id,
    }),
  );
  await ec2.send(
    new ReplaceRouteTableAssociationCommand({
      AssociationId: present(association).id,
      RouteTableId: thing("routeTables", "table/private/1").id,
    }),
  );
  await ec2.send(
    new CreateNetworkAclEntryCommand({
      NetworkAclId: present(world.acls[0]).id,
      RuleNumber: 50,
      Egress: false,
      Protocol: "17",
      PortRange: { From: 53, To: 53 },
      RuleAction: "allow",
      CidrBlock: "0.0.0.0/0",
    }),
  );
  const VpcEndpointId = thing("endpoints", "endpoint/s3").id;
  await ec2.send(new ModifyVpcEndpointCommand({ VpcEndpointId, RemoveRouteTableIds: [table.id] }));
}

/** By the old ListClusters, which is no operation of the product's. */
export async function deleteClusters(kafka: KafkaClient): Promise<void> {
  const { ClusterInfoList = [] } = await kafka.send(new ListClustersCommand({}));
  for (const { ClusterArn } of ClusterInfoList) await kafka.send(new DeleteClusterCommand({ ClusterArn }));
}

export async function takeOutOfVpc(endpoint: string, FunctionName: string): Promise<void> {
  const credentials = { accessKeyId: PLATFORM, secretAccessKey: "test" };
  const client = new LambdaClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
  const VpcConfig = { SubnetIds: [], SecurityGroupIds: [] };
  try {
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, VpcConfig }));
  } finally {
    client.destroy();
  }
}

/** Clusters that are made from now on fail, for that reason; without one they are made. */
export async function failNextClusters(sandboxUrl: string, mskFailure = ""): Promise<void> {
  const body = JSON.stringify({ mskFailure });
  const answer = await fetch(`${sandboxUrl}/_sandbox/settings`, { method: "PATCH", body });
  if (!answer.ok) throw new Error(await answer.text());
}
