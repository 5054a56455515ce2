/**
 * A cluster's hosts in its owner's subnets: one interface for each broker in the subnet of its zone, one for each
 * ZooKeeper node of a cluster that has them (KRaft's controllers have none), MSK's own and not their owner's to
 * touch. Promises AWS's names for them, and the addresses clients begin with.
 * https://docs.aws.amazon.com/msk/latest/developerguide/port-info.html
 * https://docs.aws.amazon.com/msk/latest/developerguide/msk-get-bootstrap-brokers.html
 */
import { createHash } from "node:crypto";
import type * as kafka from "@aws-sdk/client-kafka";
import { cannotHold, newInterface, serviceAttachment } from "./interfaceRows.ts";
import { badRequest } from "./kafkaErrors.ts";
import { clusterState, theCluster } from "./kafkaStates.ts";
import { isKraft, kafkaPage } from "./kafkaVersions.ts";
import type { SubnetRow } from "./rows.ts";
import type { ClusterNodeRow, ClusterRow, FailureRow } from "./serviceRows.ts";
import type { Call, Handlers } from "./world.ts";

/** ZooKeeper nodes, or KRaft controllers, of every cluster. */
const QUORUM = 3;

/** What a host name has room for: the cluster's name and `c` with its number, together. */
const NAME_AND_NUMBER = 24;

/** `arn:aws:kafka:…/clicks/1b4e…-2` to `clicks.a1b2c3.c2.kafka.us-east-1.amazonaws.com`. */
export function domainOf(arn: string, { region }: Pick<Call, "region">): string {
  const [, name = "", number = ""] = /:cluster\/([^/]+)\/.*-(\d+)$/.exec(arn) ?? [];
  const shown = name.toLowerCase().slice(0, NAME_AND_NUMBER - 1 - number.length);
  const hash = createHash("sha256").update(arn).digest("hex").slice(0, 6);
  return `${shown}.${hash}.c${number}.kafka.${region}.amazonaws.com`;
}

interface Asked {
  readonly arn: string;
  readonly brokerCount: number;
  readonly kafkaVersion: string;
  readonly subnets: readonly SubnetRow[];
  readonly groupIds: readonly string[];
}

const FAILURES: Readonly<Record<"noAddresses" | "overQuota", (subnetId: string) => FailureRow>> = {
  noAddresses: (id) => ({
    code: "InsufficientFreeAddresses",
    message: `The subnet ${id} does not have enough free IP addresses for the cluster's brokers.`,
  }),
  overQuota: (id) => ({
    code: "NetworkInterfaceLimitExceeded",
    message: `The account has too many network interfaces in the zone of the subnet ${id}.`,
  }),
};

/** Makes the interfaces; or says why the cluster fails, and makes none. */
export function placeNodes(call: Call, asked: Asked): readonly ClusterNodeRow[] | FailureRow {
  const zookeepers = isKraft(asked.kafkaVersion) ? 0 : QUORUM;
  const kinds = [
    ...Array.from({ length: asked.brokerCount }, (_, at) => ({ kind: "broker" as const, number: at + 1 })),
    ...Array.from({ length: zookeepers }, (_, at) => ({ kind: "zookeeper" as const, number: at + 1 })),
  ];
  const hosts = kinds.flatMap((one) => {
    const subnet = asked.subnets[(one.number - 1) % asked.subnets.length];
    return subnet ? [{ ...one, subnet }] : [];
  });
  for (const subnet of asked.subnets) {
    const why = cannotHold(call, subnet, hosts.filter((host) => host.subnet.id === subnet.id).length);
    if (why) return FAILURES[why](subnet.id);
  }
  return hosts.map(({ subnet, ...node }) => {
    const own = newInterface(call, {
      subnet,
      description: `DO NOT DELETE - Amazon MSK network interface for cluster ${asked.arn}.`,
      groupIds: asked.groupIds,
      requesterId: "amazon-msk",
      attachment: serviceAttachment(call),
    });
    call.tables.interfaces.put(own);
    return { ...node, subnetId: subnet.id, interfaceId: own.id, privateIp: own.privateIp };
  });
}

/** `b-1.clicks.a1b2c3.c2.kafka.us-east-1.amazonaws.com` */
export function nodeName(
  { domain }: Pick<ClusterRow, "domain">,
  { kind, number }: Pick<ClusterNodeRow, "kind" | "number">,
): string {
  return `${kind === "broker" ? "b" : "z"}-${number}.${domain}`;
}

export function nodesOf({ nodes }: ClusterRow, kind: ClusterNodeRow["kind"]): ClusterNodeRow[] {
  return nodes.filter((one) => one.kind === kind);
}

/** Host and port pairs of that port. */
export function addresses(row: ClusterRow, kind: ClusterNodeRow["kind"], port: number): string {
  return nodesOf(row, kind)
    .slice(0, QUORUM)
    .map((node) => `${nodeName(row, node)}:${port}`)
    .join(",");
}

/** What clients prove themselves by at a port of a broker. */
export interface ClientDoor {
  readonly proof: "plaintext" | "tls" | "scram" | "iam";
  readonly port: number;
}

/** The ports that every broker of the cluster opens to clients. */
export function openDoorsOf({ authentication, clientBroker }: ClusterRow): ClientDoor[] {
  const { unauthenticated, iam, scram, tlsAuthorities } = authentication;
  const plaintext = unauthenticated && clientBroker !== "TLS";
  const tls = (unauthenticated || tlsAuthorities.length > 0) && clientBroker !== "PLAINTEXT";
  return [
    ...(plaintext ? [{ proof: "plaintext" as const, port: 9092 }] : []),
    ...(tls ? [{ proof: "tls" as const, port: 9094 }] : []),
    ...(scram ? [{ proof: "scram" as const, port: 9096 }] : []),
    ...(iam ? [{ proof: "iam" as const, port: 9098 }] : []),
  ];
}

const BOOTSTRAP_MEMBERS = {
  plaintext: "BootstrapBrokerString",
  tls: "BootstrapBrokerStringTls",
  scram: "BootstrapBrokerStringSaslScram",
  iam: "BootstrapBrokerStringSaslIam",
} as const;

/** One string for each way in that is open; of three brokers, however many there are. */
function bootstrap(row: ClusterRow): kafka.GetBootstrapBrokersResponse {
  return Object.fromEntries(
    openDoorsOf(row).map(({ proof, port }) => [BOOTSTRAP_MEMBERS[proof], addresses(row, "broker", port)]),
  );
}

function describedNodes(row: ClusterRow): kafka.NodeInfo[] {
  const common = { AddedToClusterTime: new Date(row.at).toISOString() };
  const nodeArn = (name: string) => row.id.replace(":cluster/", ":broker/").replace(/[^/]+$/, `$&/${name}`);
  const brokers = nodesOf(row, "broker").map((node) => ({
    ...common,
    NodeType: "BROKER" as const,
    NodeARN: nodeArn(`b-${node.number}`),
    InstanceType: row.instanceType.replace(/^kafka\./, ""),
    BrokerNodeInfo: {
      AttachedENIId: node.interfaceId,
      BrokerId: node.number,
      ClientSubnet: node.subnetId,
      ClientVpcIpAddress: node.privateIp,
      CurrentBrokerSoftwareInfo: { KafkaVersion: row.kafkaVersion },
      Endpoints: [nodeName(row, node)],
    },
  }));
  const zookeepers = nodesOf(row, "zookeeper").map((node) => ({
    ...common,
    NodeARN: nodeArn(`z-${node.number}`),
    ZookeeperNodeInfo: {
      AttachedENIId: node.interfaceId,
      ClientVpcIpAddress: node.privateIp,
      Endpoints: [nodeName(row, node)],
      ZookeeperId: node.number,
    },
  }));
  return [...brokers, ...zookeepers, ...(isKraft(row.kafkaVersion) ? controllers(row, common) : [])];
}

/** Controllers are numbered from 10001 and have endpoints, but nothing in the subnets. */
function controllers(row: ClusterRow, common: { readonly AddedToClusterTime: string }): kafka.NodeInfo[] {
  return Array.from({ length: QUORUM }, (_, at) => ({
    ...common,
    ControllerNodeInfo: { Endpoints: [`c-${10_001 + at}.${row.domain}`] },
  }));
}

/** States in which there are brokers to speak with. */
const SERVING = ["ACTIVE", "HEALING", "UPDATING"];

export const kafkaNodeHandlers = {
  GetBootstrapBrokers(call, input) {
    const row = theCluster(call, input.ClusterArn);
    const state = clusterState(row, call.now);
    if (!SERVING.includes(state))
      throw badRequest(`You can't get bootstrap broker nodes for a cluster in ${state} state.`);
    return bootstrap(row);
  },

  ListNodes(call, input) {
    const row = theCluster(call, input.ClusterArn);
    if (clusterState(row, call.now) === "CREATING") return { NodeInfoList: [] };
    const all = describedNodes(row).map((node, at) => ({ node, key: String(at).padStart(4, "0") }));
    const { items, NextToken } = kafkaPage(all, ({ key }) => key, input);
    return { NodeInfoList: items.map(({ node }) => node), NextToken };
  },
} satisfies Handlers<typeof kafka>;
