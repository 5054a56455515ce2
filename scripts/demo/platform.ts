/**
 * The platform's account as the demo looks at it for itself: by the SDK, past the product, so that what the product
 * says is checked by somebody else's eyes. Reads only.
 */
import * as aws from "@aws-sdk/client-ec2";
import * as kafka from "@aws-sdk/client-kafka";
import { type Credentials, REGION } from "./telling.ts";

/** A tag that everything of ours bears. */
const OURS = "letsdata:installation";

export interface Topic {
  readonly partitions: number;
  readonly copies: number;
  /** How many copies must have a record before it counts as written. */
  readonly inSync: number;
}

export class Platform {
  readonly #ec2: aws.EC2Client;
  readonly #msk: kafka.KafkaClient;

  constructor({ sandboxUrl, platformAccount }: Credentials) {
    const credentials = { accessKeyId: platformAccount, secretAccessKey: "test" };
    const place = { endpoint: sandboxUrl, region: REGION, credentials };
    this.#ec2 = new aws.EC2Client(place);
    this.#msk = new kafka.KafkaClient(place);
  }

  /** Everything that bears a tag of ours, dead NAT gateways left out. */
  async leftovers(): Promise<string[]> {
    const Filter = [{ Name: "tag-key", Values: [OURS] }];
    const nats = await this.#ec2.send(new aws.DescribeNatGatewaysCommand({ Filter }));
    const tags = await this.#ec2.send(
      new aws.DescribeTagsCommand({ Filters: [{ Name: "key", Values: [OURS] }] }),
    );
    const dead = new Set(
      (nats.NatGateways ?? [])
        .filter(({ State }) => State === "deleted")
        .map(({ NatGatewayId }) => NatGatewayId),
    );
    return (tags.Tags ?? []).flatMap(({ ResourceId }) =>
      ResourceId && !dead.has(ResourceId) ? [ResourceId] : [],
    );
  }

  /** How many active routes lead to that connection. */
  async routesOf(connectionId: string): Promise<number> {
    const tables = await this.#ec2.send(new aws.DescribeRouteTablesCommand({}));
    return (tables.RouteTables ?? [])
      .flatMap(({ Routes }) => Routes ?? [])
      .filter((route) => route.VpcPeeringConnectionId === connectionId && route.State === "active").length;
  }

  /** What the VPC's group for peers lets in. */
  async peersRules(vpcId: string): Promise<aws.IpPermission[]> {
    const Filters = [{ Name: "vpc-id", Values: [vpcId] }];
    const groups = await this.#ec2.send(new aws.DescribeSecurityGroupsCommand({ Filters }));
    return (
      groups.SecurityGroups?.find(({ GroupName }) => GroupName === "letsdata-peers")?.IpPermissions ?? []
    );
  }

  /** The zones of these subnets. */
  async zones(SubnetIds: string[]): Promise<Set<string>> {
    const { Subnets = [] } = await this.#ec2.send(new aws.DescribeSubnetsCommand({ SubnetIds }));
    return new Set(Subnets.flatMap(({ AvailabilityZone }) => AvailabilityZone ?? []));
  }

  /** How much there is of that VPC: itself, and interfaces in it. */
  async sizeOf(vpcId: string): Promise<number> {
    const Filters = [{ Name: "vpc-id", Values: [vpcId] }];
    const { Vpcs = [] } = await this.#ec2.send(new aws.DescribeVpcsCommand({ Filters }));
    const found = await this.#ec2.send(new aws.DescribeNetworkInterfacesCommand({ Filters }));
    return Vpcs.length + (found.NetworkInterfaces?.length ?? 0);
  }

  /** As MSK tells of it. Many a version of the `aws` command does not know topics yet. */
  async topic(ClusterArn: string, TopicName: string): Promise<Topic> {
    const topic = await this.#msk.send(new kafka.DescribeTopicCommand({ ClusterArn, TopicName }));
    const configs = JSON.parse(Buffer.from(topic.Configs ?? "", "base64").toString());
    return {
      partitions: topic.PartitionCount ?? 0,
      copies: topic.ReplicationFactor ?? 0,
      inSync: Number(configs["min.insync.replicas"]),
    };
  }

  close(): void {
    this.#ec2.destroy();
    this.#msk.destroy();
  }
}
