/**
 * What MSK's list of clusters does not tell: where clients begin, where the brokers stand, what they could be
 * upgraded to. Asked for by cluster, three calls each, and remembered for as long as its revision stands and it is
 * not too old. Promises that one look asks for few clusters, and for a cluster only while AWS answers (ACTIVE); that
 * each has its turn, however many there are; and that a new one, for which somebody waits, comes first.
 */
import {
  type Cluster,
  GetBootstrapBrokersCommand,
  GetCompatibleKafkaVersionsCommand,
  type KafkaClient,
  type NodeInfo,
  paginateListNodes,
} from "@aws-sdk/client-kafka";
import type { BootstrapBrokers, SeenBroker, SeenCluster } from "../../domain/connector.ts";
import type { Clock } from "../../domain/model.ts";
import { refusedWith } from "./callError.ts";

export type ClusterDetail = Pick<SeenCluster, "bootstrap" | "brokers" | "upgrades">;

export interface ClusterMemory {
  /** Asks for what is not known of these clusters, of a few at most. */
  learn(client: KafkaClient, clusters: readonly Cluster[]): Promise<void>;
  known(cluster: Cluster): ClusterDetail;
}

const UNKNOWN: ClusterDetail = {
  bootstrap: { plaintext: null, tls: null, scram: null, iam: null },
  brokers: [],
  upgrades: [],
};

/** Brokers are replaced and versions come out without a new revision. */
const OLD_MS = 600_000;
const MOST_IN_A_LOOK = 4;
/** Its state changed between the list and the question. */
const NOT_NOW = new Set(["badrequestexception", "notfoundexception", "conflictexception"]);

interface Known {
  readonly revision: string;
  readonly at: number;
  readonly detail: ClusterDetail;
}

export function clusterMemory(clock: Clock): ClusterMemory {
  const memory = new Map<string, Known>();
  /** When each was asked for last, with or without an answer. */
  const asked = new Map<string, number>();
  const isDue = ({ ClusterArn = "", CurrentVersion = "", State }: Cluster): boolean => {
    const known = memory.get(ClusterArn);
    const stands = known?.revision === CurrentVersion && clock.now() - known.at < OLD_MS;
    return State === "ACTIVE" && !stands;
  };
  const ask = async (client: KafkaClient, { ClusterArn = "", CurrentVersion = "" }: Cluster) => {
    asked.set(ClusterArn, clock.now());
    const detail = await detailOf(client, ClusterArn);
    if (detail) memory.set(ClusterArn, { revision: CurrentVersion, at: clock.now(), detail });
  };
  const lastAsked = ({ ClusterArn = "" }: Cluster) => asked.get(ClusterArn) ?? 0;
  const made = ({ CreationTime }: Cluster) => CreationTime?.getTime() ?? 0;
  return {
    async learn(client, clusters) {
      const due = clusters.filter(isDue).sort((a, b) => lastAsked(a) - lastAsked(b) || made(b) - made(a));
      await Promise.all(due.slice(0, MOST_IN_A_LOOK).map((cluster) => ask(client, cluster)));
    },
    known: ({ ClusterArn = "" }) => memory.get(ClusterArn)?.detail ?? UNKNOWN,
  };
}

async function detailOf(client: KafkaClient, ClusterArn: string): Promise<ClusterDetail | null> {
  try {
    const [brokers, bootstrap, upgrades] = await Promise.all([
      brokersOf(client, ClusterArn),
      bootstrapOf(client, ClusterArn),
      upgradesOf(client, ClusterArn),
    ]);
    return { brokers, bootstrap, upgrades };
  } catch (error) {
    if (refusedWith(error, NOT_NOW)) return null;
    throw error;
  }
}

async function brokersOf(client: KafkaClient, ClusterArn: string): Promise<readonly SeenBroker[]> {
  const nodes: NodeInfo[] = [];
  for await (const page of paginateListNodes({ client, pageSize: 100 }, { ClusterArn }))
    nodes.push(...(page.NodeInfoList ?? []));
  return nodes
    .flatMap(({ BrokerNodeInfo: broker }) =>
      broker?.AttachedENIId
        ? [
            {
              brokerId: broker.BrokerId ?? 0,
              interfaceId: broker.AttachedENIId,
              subnetId: broker.ClientSubnet ?? "",
              address: broker.ClientVpcIpAddress ?? "",
            },
          ]
        : [],
    )
    .sort((a, b) => a.brokerId - b.brokerId);
}

async function bootstrapOf(client: KafkaClient, ClusterArn: string): Promise<BootstrapBrokers> {
  const answer = await client.send(new GetBootstrapBrokersCommand({ ClusterArn }));
  return {
    plaintext: answer.BootstrapBrokerString || null,
    tls: answer.BootstrapBrokerStringTls || null,
    scram: answer.BootstrapBrokerStringSaslScram || null,
    iam: answer.BootstrapBrokerStringSaslIam || null,
  };
}

async function upgradesOf(client: KafkaClient, ClusterArn: string): Promise<readonly string[]> {
  const answer = await client.send(new GetCompatibleKafkaVersionsCommand({ ClusterArn }));
  return (answer.CompatibleKafkaVersions ?? []).flatMap(({ TargetVersions = [] }) => TargetVersions);
}
