/**
 * Lambda for tests: a sandbox with a VPC, a subnet in each of three zones, two groups, and the calls that tests
 * of functions make over and over.
 */
import { DescribeNetworkInterfacesCommand, type EC2Client, type NetworkInterface } from "@aws-sdk/client-ec2";
import {
  CreateFunctionCommand,
  type CreateFunctionRequest,
  DeleteFunctionCommand,
  type FunctionConfiguration,
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
  type UpdateFunctionConfigurationRequest,
} from "@aws-sdk/client-lambda";
import { strToU8, zipSync } from "fflate";
import { startSandbox, type TestSandbox } from "../testing.ts";
import { makeGroup, makeVpc, makeZonedSubnets } from "../testNetwork.ts";

export const OWNER = "111111111111";
export const REGION = "eu-west-1";
export const ROLE = `arn:aws:iam::${OWNER}:role/functions`;

/** As the profile `quick` has them. */
export const PENDING = 100;
export const INTERFACE_PENDING = 500;
export const DETACH = 500;
export const RELEASE = 1_000;

/** Files by their names, as an archive. */
export function zipped(files: Readonly<Record<string, string>>): Uint8Array {
  return zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])));
}

/** A handler that answers with its event. */
export const ECHO_ZIP = zipped({ "index.js": "exports.handler = async (event) => event;" });

export class Functions {
  readonly sandbox: TestSandbox;
  readonly ec2: EC2Client;
  readonly client: LambdaClient;
  readonly vpcId: string;
  readonly subnets: readonly string[];
  readonly groups: readonly string[];

  private constructor(
    sandbox: TestSandbox,
    made: { readonly vpcId: string; readonly subnets: readonly string[]; readonly groups: readonly string[] },
  ) {
    this.sandbox = sandbox;
    this.ec2 = sandbox.client(OWNER, REGION);
    this.client = sandbox.of(LambdaClient, OWNER, REGION);
    this.vpcId = made.vpcId;
    this.subnets = made.subnets;
    this.groups = made.groups;
  }

  static async start(): Promise<Functions> {
    const sandbox = await startSandbox();
    const ec2 = sandbox.client(OWNER, REGION);
    const vpcId = await makeVpc(ec2);
    const subnets = await makeZonedSubnets(ec2, vpcId);
    const groups = [await makeGroup(ec2, vpcId, "one"), await makeGroup(ec2, vpcId, "two")];
    return new Functions(sandbox, { vpcId, subnets, groups });
  }

  /** The three subnets with the first group, or with those of these numbers. */
  network(...numbers: number[]): { SubnetIds: string[]; SecurityGroupIds: string[] } {
    const chosen = numbers.length > 0 ? numbers : [0];
    return {
      SubnetIds: [...this.subnets],
      SecurityGroupIds: chosen.map((at) => this.groups[at] ?? ""),
    };
  }

  make(FunctionName: string, more: Partial<CreateFunctionRequest> = {}): Promise<FunctionConfiguration> {
    const code = { Code: { ZipFile: ECHO_ZIP }, Handler: "index.handler" };
    const input = { FunctionName, Role: ROLE, Runtime: "nodejs22.x" as const, ...code, ...more };
    return this.client.send(new CreateFunctionCommand(input));
  }

  /** Active. */
  async makeActive(name: string, more: Partial<CreateFunctionRequest> = {}): Promise<void> {
    await this.make(name, more);
    this.sandbox.clock.advance(INTERFACE_PENDING);
  }

  shown(FunctionName: string): Promise<FunctionConfiguration> {
    return this.client.send(new GetFunctionConfigurationCommand({ FunctionName }));
  }

  change(
    FunctionName: string,
    more: Partial<UpdateFunctionConfigurationRequest>,
  ): Promise<FunctionConfiguration> {
    return this.client.send(new UpdateFunctionConfigurationCommand({ FunctionName, ...more }));
  }

  detach(name: string): Promise<FunctionConfiguration> {
    return this.change(name, { VpcConfig: { SubnetIds: [], SecurityGroupIds: [] } });
  }

  async remove(FunctionName: string): Promise<void> {
    await this.client.send(new DeleteFunctionCommand({ FunctionName }));
  }

  /** Those of the VPC. */
  async interfaces(): Promise<NetworkInterface[]> {
    const Filters = [{ Name: "vpc-id", Values: [this.vpcId] }];
    return (await this.ec2.send(new DescribeNetworkInterfacesCommand({ Filters }))).NetworkInterfaces ?? [];
  }
}
