/**
 * What a request says about a cluster, checked as MSK checks it before anything is made: names, versions, broker
 * types, counts, volumes, proofs of identity, encryption. Refuses with BadRequestException what MSK refuses, and
 * what MSK has and the sandbox has not (serverless clusters, configurations, public access).
 * https://docs.aws.amazon.com/msk/1.0/apireference/v2-clusters.html
 */
import type * as kafka from "@aws-sdk/client-kafka";
import { badRequest } from "./kafkaErrors.ts";
import { brokerKind, checkInstanceType, checkVersion } from "./kafkaVersions.ts";
import type { AuthenticationRow, ClusterRow, ClusterSettingsRow } from "./serviceRows.ts";

/** CreateCluster says the same as CreateClusterV2's provisioned half. */
export type Provisioned = kafka.ProvisionedRequest;

/** What of a cluster's row the request alone decides. */
export type RequestedCluster = ClusterSettingsRow &
  Pick<ClusterRow, "name" | "instanceType" | "brokerCount" | "inCluster" | "storageMode" | "rebalancing">;

export function requested(name: string | undefined, input: Provisioned): RequestedCluster {
  const { BrokerNodeGroupInfo: group, KafkaVersion: kafkaVersion = "" } = input;
  const { InstanceType: instanceType = "" } = group ?? {};
  checkVersion(kafkaVersion);
  checkInstanceType(instanceType, kafkaVersion);
  checkUnsupported(input);
  const brokerCount = countOf(input);
  const express = brokerKind(instanceType) === "express";
  return {
    name: clusterName(name),
    kafkaVersion,
    instanceType,
    brokerCount,
    ...storageOf(input, { express, brokerCount }),
    ...securityOf(input, undefined),
    ...monitoringOf(input, undefined),
    inCluster: input.EncryptionInfo?.EncryptionInTransit?.InCluster ?? true,
    ...(input.StorageMode ? { storageMode: input.StorageMode } : express ? {} : { storageMode: "LOCAL" }),
    ...(express ? { rebalancing: input.Rebalancing?.Status ?? "ACTIVE" } : {}),
  };
}

function clusterName(name = ""): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9-]{0,63}$/.test(name)) return name;
  throw badRequest(
    "The parameter value contains one or more characters that are not valid, or is too long: a cluster's name has 1 to 64 letters, digits and hyphens.",
    "clusterName",
  );
}

function checkUnsupported({
  BrokerNodeGroupInfo: group,
  ConfigurationInfo: configuration,
}: Provisioned): void {
  const { PublicAccess: access, VpcConnectivity, NetworkType } = group?.ConnectivityInfo ?? {};
  if (configuration)
    throw badRequest(`The configuration ${configuration.Arn} does not exist.`, "configurationInfo");
  if ((access?.Type ?? "DISABLED") !== "DISABLED")
    throw badRequest("Public access can be turned on only after the cluster is created.", "publicAccess");
  if (VpcConnectivity || (NetworkType ?? "IPV4") !== "IPV4")
    throw badRequest("Multi-VPC connectivity and IPv6 are not part of this sandbox.", "connectivityInfo");
}

function countOf({ BrokerNodeGroupInfo: group, NumberOfBrokerNodes: count = 0 }: Provisioned): number {
  const zones = group?.ClientSubnets?.length ?? 0;
  if (!Number.isInteger(count) || count < 1)
    throw badRequest("The number of broker nodes must be 1 or more.", "numberOfBrokerNodes");
  if (zones > 0 && count % zones !== 0)
    throw badRequest(
      "The number of broker nodes must be a multiple of the number of Availability Zones of the client subnets.",
      "numberOfBrokerNodes",
    );
  return count;
}

const DEFAULT_VOLUME_GIB = 1_000;
const MAX_VOLUME_GIB = 16_384;

export function checkVolume(size: number, parameter: string): number {
  if (Number.isInteger(size) && size >= 1 && size <= MAX_VOLUME_GIB) return size;
  throw badRequest(`The volume size must be between 1 and ${MAX_VOLUME_GIB} GiB.`, parameter);
}

/** Express brokers bring their own storage. */
function storageOf(
  { BrokerNodeGroupInfo: group, StorageMode }: Provisioned,
  { express, brokerCount }: { express: boolean; brokerCount: number },
): Pick<ClusterSettingsRow, "volumesGiB" | "throughputMiB"> {
  const { EbsStorageInfo: ebs } = group?.StorageInfo ?? {};
  if (express && (ebs || StorageMode))
    throw badRequest("Storage cannot be specified for Express brokers.", "storageInfo");
  if (express) return { volumesGiB: [] };
  const size = checkVolume(ebs?.VolumeSize ?? DEFAULT_VOLUME_GIB, "volumeSize");
  const { Enabled, VolumeThroughput } = ebs?.ProvisionedThroughput ?? {};
  return {
    volumesGiB: Array.from({ length: brokerCount }, () => size),
    ...(Enabled && VolumeThroughput !== undefined ? { throughputMiB: VolumeThroughput } : {}),
  };
}

type Security = Pick<ClusterSettingsRow, "authentication" | "clientBroker">;

/**
 * Who may come in and how, with what the request leaves open as it is now, or MSK's default. Proofs other than
 * none at all need encryption. https://docs.aws.amazon.com/msk/latest/developerguide/msk-working-with-encryption.html
 */
export function securityOf(
  input: Pick<kafka.ProvisionedRequest, "ClientAuthentication" | "EncryptionInfo">,
  now: Security | undefined,
): Security {
  const authentication = input.ClientAuthentication
    ? authenticationOf(input.ClientAuthentication)
    : (now?.authentication ?? OPEN);
  const clientBroker = input.EncryptionInfo?.EncryptionInTransit?.ClientBroker ?? now?.clientBroker ?? "TLS";
  const { iam, scram, tlsAuthorities } = authentication;
  const needsTls = iam || scram || tlsAuthorities.length > 0;
  if (needsTls && clientBroker === "PLAINTEXT")
    throw badRequest(
      "Client authentication requires encryption in transit between clients and brokers: TLS or TLS_PLAINTEXT.",
      "encryptionInTransit",
    );
  return { authentication, clientBroker };
}

const OPEN: AuthenticationRow = { unauthenticated: true, iam: false, scram: false, tlsAuthorities: [] };

function authenticationOf({ Sasl, Tls, Unauthenticated }: kafka.ClientAuthentication): AuthenticationRow {
  const tls = Tls?.Enabled ?? (Tls?.CertificateAuthorityArnList?.length ?? 0) > 0;
  const tlsAuthorities = tls ? (Tls?.CertificateAuthorityArnList ?? []) : [];
  if (tls && tlsAuthorities.length === 0)
    throw badRequest("TLS authentication requires a certificate authority.", "certificateAuthorityArnList");
  const proofs = { iam: Sasl?.Iam?.Enabled ?? false, scram: Sasl?.Scram?.Enabled ?? false, tlsAuthorities };
  const some = proofs.iam || proofs.scram || tls;
  const unauthenticated = Unauthenticated?.Enabled ?? !some;
  if (!some && !unauthenticated)
    throw badRequest("At least one kind of client authentication must be turned on.", "clientAuthentication");
  return { unauthenticated, ...proofs };
}

type Monitoring = Pick<ClusterSettingsRow, "monitoring" | "prometheus" | "logging">;

const LEVELS = ["DEFAULT", "PER_BROKER", "PER_TOPIC_PER_BROKER", "PER_TOPIC_PER_PARTITION"] as const;

/** What is measured and logged, with what the request leaves open as it is now. */
export function monitoringOf(
  input: Pick<kafka.ProvisionedRequest, "EnhancedMonitoring" | "OpenMonitoring" | "LoggingInfo">,
  now: Monitoring | undefined,
): Monitoring {
  const monitoring = input.EnhancedMonitoring ?? now?.monitoring ?? "DEFAULT";
  if (!LEVELS.some((one) => one === monitoring))
    throw badRequest(`Valid values are: ${LEVELS.join(", ")}.`, "enhancedMonitoring");
  const { JmxExporter, NodeExporter } = input.OpenMonitoring?.Prometheus ?? {};
  const asked = {
    jmx: JmxExporter?.EnabledInBroker ?? false,
    node: NodeExporter?.EnabledInBroker ?? false,
  };
  const logging = input.LoggingInfo ?? now?.logging;
  return {
    monitoring,
    prometheus: input.OpenMonitoring ? asked : (now?.prometheus ?? asked),
    ...(logging ? { logging } : {}),
  };
}
