/**
 * The commands that the stand-in for `aws` knows, as data: what each is in the SDK, and its options. Words and options
 * are those of the real command.
 */
import * as ec2 from "@aws-sdk/client-ec2";
import * as kafka from "@aws-sdk/client-kafka";
import * as lambda from "@aws-sdk/client-lambda";
import * as secrets from "@aws-sdk/client-secrets-manager";

/** How an option's words become a value. `text`, `bytes` and `json` may name a file: `file://…`, `fileb://…`. */
export type Kind = "text" | "number" | "list" | "filters" | "on" | "bytes" | "json" | "base64";

export interface Known {
  readonly make: (input: never) => unknown;
  readonly options: Readonly<Record<string, readonly [member: string, kind: Kind]>>;
  /** What is written into the file that a last word names. */
  readonly saves?: string;
}

export interface Service {
  readonly client: new (config: object) => { send(command: never): Promise<unknown>; destroy(): void };
  readonly commands: Readonly<Record<string, Known>>;
}

const PEERING_ID = { "vpc-peering-connection-id": ["VpcPeeringConnectionId", "text"] } as const;
const FILTERS = { filters: ["Filters", "filters"] } as const;
const CLUSTER = { "cluster-arn": ["ClusterArn", "text"] } as const;
const FUNCTION = { "function-name": ["FunctionName", "text"] } as const;

/** https://docs.aws.amazon.com/cli/latest/reference/ec2/ */
const EC2: Readonly<Record<string, Known>> = {
  "create-vpc": {
    make: (input) => new ec2.CreateVpcCommand(input),
    options: { "cidr-block": ["CidrBlock", "text"] },
  },
  "modify-vpc-attribute": {
    make: (input) => new ec2.ModifyVpcAttributeCommand(input),
    options: { "vpc-id": ["VpcId", "text"], "enable-dns-hostnames": ["EnableDnsHostnames", "on"] },
  },
  "create-subnet": {
    make: (input) => new ec2.CreateSubnetCommand(input),
    options: { "vpc-id": ["VpcId", "text"], "cidr-block": ["CidrBlock", "text"] },
  },
  "describe-security-groups": {
    make: (input) => new ec2.DescribeSecurityGroupsCommand(input),
    options: FILTERS,
  },
  "run-instances": {
    make: (input: ec2.RunInstancesCommandInput) =>
      new ec2.RunInstancesCommand({ ...input, MinCount: 1, MaxCount: 1 }),
    options: {
      "image-id": ["ImageId", "text"],
      "subnet-id": ["SubnetId", "text"],
      "security-group-ids": ["SecurityGroupIds", "list"],
      "user-data": ["UserData", "base64"],
    },
  },
  "describe-instances": {
    make: (input) => new ec2.DescribeInstancesCommand(input),
    options: { "instance-ids": ["InstanceIds", "list"] },
  },
  "terminate-instances": {
    make: (input) => new ec2.TerminateInstancesCommand(input),
    options: { "instance-ids": ["InstanceIds", "list"] },
  },
  "create-vpc-peering-connection": {
    make: (input) => new ec2.CreateVpcPeeringConnectionCommand(input),
    options: {
      "vpc-id": ["VpcId", "text"],
      "peer-vpc-id": ["PeerVpcId", "text"],
      "peer-owner-id": ["PeerOwnerId", "text"],
      "peer-region": ["PeerRegion", "text"],
    },
  },
  "describe-vpc-peering-connections": {
    make: (input) => new ec2.DescribeVpcPeeringConnectionsCommand(input),
    options: { "vpc-peering-connection-ids": ["VpcPeeringConnectionIds", "list"], ...FILTERS },
  },
  "delete-vpc-peering-connection": {
    make: (input) => new ec2.DeleteVpcPeeringConnectionCommand(input),
    options: PEERING_ID,
  },
  "describe-route-tables": { make: (input) => new ec2.DescribeRouteTablesCommand(input), options: FILTERS },
  "create-route": {
    make: (input) => new ec2.CreateRouteCommand(input),
    options: {
      "route-table-id": ["RouteTableId", "text"],
      "destination-cidr-block": ["DestinationCidrBlock", "text"],
      ...PEERING_ID,
    },
  },
  "create-network-interface": {
    make: (input) => new ec2.CreateNetworkInterfaceCommand(input),
    options: { "subnet-id": ["SubnetId", "text"], description: ["Description", "text"] },
  },
  "delete-network-interface": {
    make: (input) => new ec2.DeleteNetworkInterfaceCommand(input),
    options: { "network-interface-id": ["NetworkInterfaceId", "text"] },
  },
};

/** https://docs.aws.amazon.com/cli/latest/reference/kafka/ */
const KAFKA: Readonly<Record<string, Known>> = {
  "list-nodes": { make: (input) => new kafka.ListNodesCommand(input), options: CLUSTER },
  "describe-cluster-v2": { make: (input) => new kafka.DescribeClusterV2Command(input), options: CLUSTER },
  "list-clusters-v2": { make: (input) => new kafka.ListClustersV2Command(input), options: {} },
  "batch-associate-scram-secret": {
    make: (input) => new kafka.BatchAssociateScramSecretCommand(input),
    options: { ...CLUSTER, "secret-arn-list": ["SecretArnList", "list"] },
  },
};

/** https://docs.aws.amazon.com/cli/latest/reference/secretsmanager/ */
const SECRETS: Readonly<Record<string, Known>> = {
  "create-secret": {
    make: (input) => new secrets.CreateSecretCommand(input),
    options: { name: ["Name", "text"], "secret-string": ["SecretString", "text"] },
  },
};

/** https://docs.aws.amazon.com/cli/latest/reference/lambda/ */
const LAMBDA: Readonly<Record<string, Known>> = {
  "create-function": {
    make: ({ ZipFile, ...input }: lambda.CreateFunctionCommandInput & lambda.FunctionCode) =>
      new lambda.CreateFunctionCommand({ ...input, Code: { ZipFile } }),
    options: {
      ...FUNCTION,
      runtime: ["Runtime", "text"],
      handler: ["Handler", "text"],
      role: ["Role", "text"],
      "zip-file": ["ZipFile", "bytes"],
      environment: ["Environment", "json"],
      timeout: ["Timeout", "number"],
      "memory-size": ["MemorySize", "number"],
    },
  },
  "get-function-configuration": {
    make: (input) => new lambda.GetFunctionConfigurationCommand(input),
    options: FUNCTION,
  },
  invoke: {
    make: (input) => new lambda.InvokeCommand(input),
    options: { ...FUNCTION, payload: ["Payload", "bytes"] },
    saves: "Payload",
  },
};

export const SERVICES: Readonly<Record<string, Service>> = {
  ec2: { client: ec2.EC2Client, commands: EC2 },
  kafka: { client: kafka.KafkaClient, commands: KAFKA },
  lambda: { client: lambda.LambdaClient, commands: LAMBDA },
  secretsmanager: { client: secrets.SecretsManagerClient, commands: SECRETS },
};
