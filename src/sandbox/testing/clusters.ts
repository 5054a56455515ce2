/**
 * MSK for tests: a sandbox with a VPC, a subnet in each of three zones that MSK has, a group, and the calls that
 * tests of clusters make over and over.
 */
import { DescribeNetworkInterfacesCommand, type EC2Client, type NetworkInterface } from "@aws-sdk/client-ec2";
import {
  type Cluster,
  CreateClusterV2Command,
  DeleteClusterCommand,
  type DeleteClusterResponse,
  DescribeClusterV2Command,
  KafkaClient,
  type ProvisionedRequest,
} from "@aws-sdk/client-kafka";
import { startSandbox, type TestSandbox } from "../testing.ts";
import { makeGroup, makeVpc, makeZonedSubnets } from "../testNetwork.ts";

export const OWNER = "111111111111";
export const REGION = "us-east-1";

/** As the profile `quick` has them. */
export const CREATING = 3_000;
export const DELETING = 1_000;
export const UPDATING = 1_000;

/** What differs from three brokers of kafka.m7g.large on 3.9.x.kraft with 100 GiB, open to all. */
export interface ClusterWish extends Partial<Omit<ProvisionedRequest, "BrokerNodeGroupInfo">> {
  readonly instanceType?: string;
  readonly subnets?: readonly string[];
  /** null = not said. */
  readonly groups?: readonly string[] | null;
  readonly volumeGiB?: number | null;
  readonly tags?: Record<string, string>;
}

export class Clusters {
  readonly sandbox: TestSandbox;
  readonly ec2: EC2Client;
  readonly client: KafkaClient;
  readonly vpcId: string;
  readonly subnets: readonly string[];
  readonly groupId: string;

  private constructor(
    sandbox: TestSandbox,
    made: { readonly vpcId: string; readonly subnets: readonly string[]; readonly groupId: string },
  ) {
    this.sandbox = sandbox;
    this.ec2 = sandbox.client(OWNER, REGION);
    this.client = sandbox.of(KafkaClient, OWNER, REGION);
    this.vpcId = made.vpcId;
    this.subnets = made.subnets;
    this.groupId = made.groupId;
  }

  static async start(): Promise<Clusters> {
    const sandbox = await startSandbox();
    const ec2 = sandbox.client(OWNER, REGION);
    const vpcId = await makeVpc(ec2);
    // us-east-1c is use1-az3, where MSK is not.
    const subnets = await makeZonedSubnets(ec2, vpcId, "abd");
    return new Clusters(sandbox, { vpcId, subnets, groupId: await makeGroup(ec2, vpcId, "cluster") });
  }

  provisioned(wish: ClusterWish = {}): ProvisionedRequest {
    const { instanceType, subnets, groups = [this.groupId], volumeGiB = 100, tags: _, ...rest } = wish;
    return {
      KafkaVersion: "3.9.x.kraft",
      NumberOfBrokerNodes: 3,
      BrokerNodeGroupInfo: {
        InstanceType: instanceType ?? "kafka.m7g.large",
        ClientSubnets: [...(subnets ?? this.subnets)],
        ...(groups ? { SecurityGroups: [...groups] } : {}),
        ...(volumeGiB === null ? {} : { StorageInfo: { EbsStorageInfo: { VolumeSize: volumeGiB } } }),
      },
      ...rest,
    };
  }

  /** CREATING; its ARN. */
  async make(ClusterName: string, wish: ClusterWish = {}): Promise<string> {
    const tags = wish.tags ? { Tags: wish.tags } : {};
    const input = { ClusterName, Provisioned: this.provisioned(wish), ...tags };
    return (await this.client.send(new CreateClusterV2Command(input))).ClusterArn ?? "";
  }

  /** ACTIVE; its ARN. */
  async makeActive(name: string, wish: ClusterWish = {}): Promise<string> {
    const arn = await this.make(name, wish);
    this.sandbox.clock.advance(CREATING);
    return arn;
  }

  async shown(ClusterArn: string): Promise<Cluster> {
    return (await this.client.send(new DescribeClusterV2Command({ ClusterArn }))).ClusterInfo ?? {};
  }

  async stateOf(arn: string): Promise<string | undefined> {
    return (await this.shown(arn)).State;
  }

  remove(ClusterArn: string): Promise<DeleteClusterResponse> {
    return this.client.send(new DeleteClusterCommand({ ClusterArn }));
  }

  /** Those of the VPC. */
  async interfaces(): Promise<NetworkInterface[]> {
    const Filters = [{ Name: "vpc-id", Values: [this.vpcId] }];
    return (await this.ec2.send(new DescribeNetworkInterfacesCommand({ Filters }))).NetworkInterfaces ?? [];
  }
}
