/**
 * The write connector's cluster as others see it: AWS's answers by the `aws` command, and the sandbox's own about the
 * processes that its brokers are.
 */
import type * as kafka from "@aws-sdk/client-kafka";
import type { DataTask, Target } from "./dataTask.ts";
import type { Stage } from "./stage.ts";

/** What the story needs of `letsdata writeConnectors view`. */
export interface Viewed {
  readonly status: string;
  readonly vpcId: string;
  readonly cidrBlock: string;
  readonly cluster: {
    readonly clusterArn: string;
    readonly state: string;
    readonly bootstrapBrokers: { readonly scram: string | null };
  } | null;
  readonly functions: readonly { readonly functionArn: string; readonly isAttached: boolean }[];
}

export interface Node {
  readonly id: number;
  readonly subnetId: string;
  readonly privateIp: string;
  /** `b-1.….kafka.us-east-1.amazonaws.com` */
  readonly name: string;
}

/** What the story has once the connector is there. */
export interface Made {
  readonly task: DataTask;
  readonly viewed: Viewed;
  readonly connector: Connector;
  readonly nodes: readonly Node[];
  readonly target: Target;
}

export class Connector {
  readonly #stage: Stage;
  readonly #arn: string;

  constructor(stage: Stage, arn: string) {
    this.#stage = stage;
    this.#arn = arn;
  }

  #aws<T>(...args: string[]): Promise<T> {
    const { tell, credentials } = this.#stage;
    return tell.aws(credentials.platformAccount, credentials, ...args);
  }

  async nodes(): Promise<Node[]> {
    const of = ["--cluster-arn", this.#arn];
    const { NodeInfoList = [] } = await this.#aws<kafka.ListNodesResponse>("kafka", "list-nodes", ...of);
    // Controllers are nodes of their own in the list.
    return NodeInfoList.flatMap(({ BrokerNodeInfo: node }) =>
      node
        ? [
            {
              id: node.BrokerId ?? 0,
              subnetId: node.ClientSubnet ?? "",
              privateIp: node.ClientVpcIpAddress ?? "",
              name: node.Endpoints?.[0] ?? "",
            },
          ]
        : [],
    );
  }

  /** AWS's state, and why it is what it is. */
  async state(): Promise<{ readonly state: string; readonly why: string }> {
    const of = ["--cluster-arn", this.#arn];
    const found = await this.#aws<kafka.DescribeClusterV2Response>("kafka", "describe-cluster-v2", ...of);
    const { State = "", StateInfo } = found.ClusterInfo ?? {};
    return { state: State, why: StateInfo?.Message ?? "" };
  }

  /** Lets users in, each by the file with its name and password; how many were taken. */
  async admit(usernames: readonly string[]): Promise<number> {
    const arns: string[] = [];
    for (const name of usernames) {
      const secret = ["--name", `AmazonMSK_${name}`, "--secret-string", `file://${name}.json`];
      const made = await this.#aws<{ ARN?: string }>("secretsmanager", "create-secret", ...secret);
      arns.push(made.ARN ?? "");
    }
    const associate = ["batch-associate-scram-secret", "--cluster-arn", this.#arn];
    const { UnprocessedScramSecrets = [] } = await this.#aws<kafka.BatchAssociateScramSecretResponse>(
      ...["kafka", ...associate, "--secret-arn-list", ...arns],
    );
    return arns.length - UnprocessedScramSecrets.length;
  }

  /** AWS knows no cluster of ours any more, and none of its brokers runs. */
  async isGone(): Promise<boolean> {
    const { ClusterInfoList = [] } = await this.#aws<kafka.ListClustersV2Response>(
      "kafka",
      "list-clusters-v2",
    );
    return ClusterInfoList.length === 0 && (await this.processes()).size === 0;
  }

  /** What each broker is, by its name: `serving`, `ended`, or `listening` where it is not Kafka. */
  async processes(): Promise<Map<string, string>> {
    const answer = await fetch(`${this.#stage.credentials.sandboxUrl}/_sandbox/brokers`);
    const { brokers } = (await answer.json()) as { brokers: { name: string; state: string }[] };
    return new Map(brokers.map(({ name, state }) => [name, state]));
  }

  /** As by a crash; whether there was something to kill. */
  async kill({ name }: Node): Promise<boolean> {
    const url = `${this.#stage.credentials.sandboxUrl}/_sandbox/brokers/${name}/kill`;
    this.#stage.tell.note(`POST ${url}`);
    return (await fetch(url, { method: "POST" })).status === 204;
  }

  /** Dead brokers are started again from now on. */
  async heal(): Promise<void> {
    const { tell, credentials } = this.#stage;
    const body = JSON.stringify({ mskHealingMs: 0 });
    const url = `${credentials.sandboxUrl}/_sandbox/settings`;
    tell.note(`PATCH ${url} ${body}   (AWS takes minutes to replace a broker)`);
    const { ok, status } = await fetch(url, { method: "PATCH", body });
    if (!ok) throw new Error(`PATCH ${url} answered ${status}`);
  }
}
