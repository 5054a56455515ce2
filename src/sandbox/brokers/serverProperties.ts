/**
 * What a cluster's rows mean for Apache Kafka: the configuration of one of its brokers, and the ports that are open
 * to clients, as pure functions. Promises MSK's ports and MSK's defaults where a client can see them, and threads
 * and buffers of a size that lets a cluster run beside everything else of a machine with two cores. Brokers speak
 * with each other on a network of the service's own (see names.ts), as MSK's do: no security group of the
 * customer's is asked.
 * https://docs.aws.amazon.com/msk/latest/developerguide/port-info.html
 * https://docs.aws.amazon.com/msk/latest/developerguide/msk-default-configuration.html
 */
import { serviceAddress } from "../dataplane/names.ts";
import { nodeName, nodesOf, openDoorsOf } from "../kafkaNodes.ts";
import type { ClusterNodeRow, ClusterRow } from "../serviceRows.ts";

/** On the service's own network. */
export const CONTROLLER_PORT = 9093;
export const REPLICATION_PORT = 9095;

/** As many as MSK has; with fewer brokers there is one, since two would both be needed. */
const CONTROLLERS = 3;

/** Files of a broker, beside its configuration; paths are absolute. */
export interface BrokerFiles {
  readonly logDir: string;
  /** PEM: private key and certificate; and the authority that clients' certificates must be of. */
  readonly keyStore: string;
  readonly trustStore: string;
}

type Properties = Readonly<Record<string, string | number | boolean>>;

/** The text of `server.properties`; the same rows make the same text. */
export function serverProperties(row: ClusterRow, node: ClusterNodeRow, files: BrokerFiles): string {
  const all: Properties = {
    ...quorum(row, node),
    ...listeners(row, node),
    ...security(row, files),
    ...defaults(row),
    ...SMALL,
    "broker.rack": node.subnetId,
    "log.dirs": files.logDir,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

function controllersOf(row: ClusterRow): ClusterNodeRow[] {
  const brokers = nodesOf(row, "broker");
  return brokers.slice(0, brokers.length < CONTROLLERS ? 1 : CONTROLLERS);
}

function quorum(row: ClusterRow, { number }: ClusterNodeRow): Properties {
  const voters = controllersOf(row).map((one) => one.number);
  return {
    "process.roles": voters.includes(number) ? "broker,controller" : "broker",
    "node.id": number,
    "controller.quorum.voters": voters
      .map((voter) => `${voter}@${serviceAddress(voter)}:${CONTROLLER_PORT}`)
      .join(","),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "REPLICATION",
  };
}

/** MSK's names of the listeners. */
const CLIENTS = {
  plaintext: { name: "CLIENT", protocol: "PLAINTEXT" },
  tls: { name: "CLIENT_SECURE", protocol: "SSL" },
  scram: { name: "CLIENT_SASL_SCRAM", protocol: "SASL_SSL" },
} as const;

function listeners(row: ClusterRow, node: ClusterNodeRow): Properties {
  const open = openDoorsOf(row).flatMap(({ proof, port }) =>
    proof === "iam" ? [] : [{ ...CLIENTS[proof], port }],
  );
  const own = serviceAddress(node.number);
  const replication = `REPLICATION://${own}:${REPLICATION_PORT}`;
  const isController = controllersOf(row).some(({ number }) => number === node.number);
  return {
    listeners: [
      ...open.map(({ name, port }) => `${name}://${node.privateIp}:${port}`),
      replication,
      ...(isController ? [`CONTROLLER://${own}:${CONTROLLER_PORT}`] : []),
    ].join(","),
    "advertised.listeners": [
      ...open.map(({ name, port }) => `${name}://${nodeName(row, node)}:${port}`),
      replication,
    ].join(","),
    "listener.security.protocol.map": [
      ...Object.values(CLIENTS).map(({ name, protocol }) => `${name}:${protocol}`),
      "REPLICATION:PLAINTEXT",
      "CONTROLLER:PLAINTEXT",
    ].join(","),
  };
}

const SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;";

function security({ authentication }: ClusterRow, { keyStore, trustStore }: BrokerFiles): Properties {
  const { tlsAuthorities, unauthenticated } = authentication;
  const isAsked = unauthenticated ? "requested" : "required";
  return {
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": keyStore,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": trustStore,
    "listener.name.client_secure.ssl.client.auth": tlsAuthorities.length > 0 ? isAsked : "none",
    "sasl.enabled.mechanisms": "SCRAM-SHA-512",
    "listener.name.client_sasl_scram.scram-sha-512.sasl.jaas.config": SCRAM_LOGIN,
  };
}

/** MSK's own, by the number of zones. */
function defaults({ subnetIds, brokerCount }: ClusterRow): Properties {
  const zones = Math.min(subnetIds.length, brokerCount);
  const inSync = zones > 2 ? 2 : 1;
  return {
    "auto.create.topics.enable": false,
    "default.replication.factor": zones,
    "min.insync.replicas": inSync,
    "offsets.topic.replication.factor": zones,
    "transaction.state.log.replication.factor": zones,
    "transaction.state.log.min.isr": inSync,
    "share.coordinator.state.topic.replication.factor": zones,
    "share.coordinator.state.topic.min.isr": inSync,
    "unclean.leader.election.enable": true,
  };
}

/** Kafka's defaults are for machines of their own. */
const SMALL: Properties = {
  "num.network.threads": 1,
  "num.io.threads": 2,
  "background.threads": 2,
  "num.recovery.threads.per.data.dir": 1,
  "offsets.topic.num.partitions": 3,
  "transaction.state.log.num.partitions": 3,
  "share.coordinator.state.topic.num.partitions": 3,
  "log.cleaner.dedupe.buffer.size": 8_388_608,
  // On a busy machine a second without a word is no sign of death.
  "controller.quorum.election.timeout.ms": 3_000,
  "controller.quorum.fetch.timeout.ms": 6_000,
};
