/**
 * The data task: a Lambda function that its user made from examples/dataTask.mjs, and which the product attaches to the
 * dataset's private subnets. It writes when it is invoked, and says what Kafka says of the topic's partitions.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deploymentPackage } from "./deploymentPackage.ts";
import type { Stage } from "./stage.ts";

/** Longer than Kafka needs to find new leaders. */
const TIMEOUT_S = "180";
const NAME = "orders-task";

export interface User {
  readonly username: string;
  readonly password: string;
}

export interface Partition {
  readonly leader: number;
  readonly replicas: readonly number[];
}

export interface Written {
  readonly written: number;
  readonly partitions: readonly Partition[];
}

interface Wish {
  readonly user: User;
  /** In PEM: the authority that vouches for the brokers. */
  readonly authority: string;
}

export interface Target {
  readonly brokers: readonly string[];
  readonly topic: string;
}

export class DataTask {
  readonly name = NAME;
  readonly arn: string;
  readonly #stage: Stage;
  #written = 0;

  private constructor(stage: Stage, arn: string) {
    this.#stage = stage;
    this.arn = arn;
  }

  /** Made, and in no VPC yet. */
  static async made(stage: Stage, { user, authority }: Wish): Promise<DataTask> {
    const { tell, credentials, folder } = stage;
    const { username: KAFKA_USER, password: KAFKA_PASSWORD } = user;
    const module = join(folder, "examples/dataTask.mjs");
    const zip = deploymentPackage({
      module,
      needs: ["@platformatic/kafka"],
      beside: { "ca.pem": authority },
    });
    writeFileSync(join(folder, "task.zip"), zip);
    writeFileSync(
      join(folder, "environment.json"),
      JSON.stringify({ Variables: { KAFKA_USER, KAFKA_PASSWORD } }),
    );
    const { FunctionArn = "" } = await tell.aws<{ FunctionArn?: string }>(
      credentials.platformAccount,
      credentials,
      ...["lambda", "create-function", "--function-name", NAME, "--runtime", "nodejs22.x"],
      ...["--handler", "dataTask.handler", "--zip-file", "fileb://task.zip"],
      ...["--role", `arn:aws:iam::${credentials.platformAccount}:role/functions`],
      ...["--environment", "file://environment.json", "--timeout", TIMEOUT_S, "--memory-size", "512"],
    );
    return new DataTask(stage, FunctionArn);
  }

  /** How many orders it has written. */
  get written(): number {
    return this.#written;
  }

  /** The subnets that it is attached to. */
  async subnets(): Promise<string[]> {
    const { tell, credentials } = this.#stage;
    const { VpcConfig } = await tell.aws<{ VpcConfig?: { SubnetIds?: string[] } }>(
      credentials.platformAccount,
      credentials,
      ...["lambda", "get-function-configuration", "--function-name", this.name],
    );
    return VpcConfig?.SubnetIds ?? [];
  }

  /** The next orders; throws what the function could not do. */
  async write(count: number, target: Target): Promise<Written> {
    const { tell, credentials, folder } = this.#stage;
    writeFileSync(join(folder, "event.json"), JSON.stringify({ ...target, first: this.#written, count }));
    const { FunctionError } = await tell.aws<{ FunctionError?: string }>(
      credentials.platformAccount,
      credentials,
      ...["lambda", "invoke", "--function-name", this.name, "--payload", "fileb://event.json"],
      ...["--cli-read-timeout", TIMEOUT_S, "answer.json"],
    );
    const answer = readFileSync(join(folder, "answer.json"), "utf8");
    if (FunctionError) throw new Error(`${this.name} failed: ${answer}`);
    const did = JSON.parse(answer) as Written;
    this.#written += did.written;
    return did;
  }
}
