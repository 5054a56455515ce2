/**
 * Updates of MSK's clusters and the record of them. Promises that one update runs at a time, that what it changes
 * is so when it ends and not before, and that the cluster's version is another one then. Refuses updates that
 * change nothing, and volumes that would shrink.
 * https://docs.aws.amazon.com/msk/latest/developerguide/msk-cluster-states.html
 */
import { randomUUID } from "node:crypto";
import type * as kafka from "@aws-sdk/client-kafka";
import { shownAuthentication, shownPrometheus } from "./kafkaClustersShown.ts";
import { badRequest } from "./kafkaErrors.ts";
import { checkVolume, monitoringOf, securityOf } from "./kafkaRequests.ts";
import { theCluster, theIdleCluster } from "./kafkaStates.ts";
import { checkVersion, compatibleVersions, listVersions, targetsOf } from "./kafkaVersions.ts";
import type { ClusterRow, ClusterSettingsRow } from "./serviceRows.ts";
import type { Call, Handlers } from "./world.ts";

interface Update {
  readonly type: string;
  readonly change: Partial<ClusterSettingsRow>;
  readonly before: kafka.MutableClusterInfo;
  readonly after: kafka.MutableClusterInfo;
}

/** The cluster is UPDATING from here on. */
function begun(call: Call, row: ClusterRow, { type, change, before, after }: Update) {
  const operationArn = `${row.id.replace(":cluster/", ":cluster-operation/")}/${randomUUID()}`;
  const { account, region, now, requestId, settings } = call;
  const endsAt = now + settings.mskUpdatingMs;
  const common = { account, region, at: now, tags: [] };
  const operation = { id: operationArn, clusterArn: row.id, requestId, type, endsAt, before, after };
  call.tables.clusterOperations.put({ ...common, ...operation });
  call.tables.clusters.put({ ...row, update: { operationArn, endsAt, change } });
  return { ClusterArn: row.id, ClusterOperationArn: operationArn };
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function unchanged(): Error {
  return badRequest("The request does not include any updates to the cluster.");
}

/** Sizes by broker, after the request; `ALL` stands for every broker. */
function volumesAfter(row: ClusterRow, asked: readonly kafka.BrokerEBSVolumeInfo[]): number[] {
  const volumes = [...row.volumesGiB];
  for (const { KafkaBrokerNodeId: id = "", VolumeSizeGB: size } of asked) {
    if (size === undefined) throw badRequest("The volume size must not be null.", "volumeSizeGB");
    const numbers = /^ALL$/i.test(id) ? volumes.map((_, at) => at + 1) : [Number(id)];
    for (const number of numbers) {
      const now = volumes[number - 1];
      if (now === undefined) throw badRequest(`There is no broker ${id}.`, "kafkaBrokerNodeId");
      if (size < now)
        throw badRequest(`The volume size cannot be decreased from ${now} to ${size} GiB.`, "volumeSizeGB");
      volumes[number - 1] = checkVolume(size, "volumeSizeGB");
    }
  }
  return volumes;
}

function shownVolumes(sizes: readonly number[]): kafka.MutableClusterInfo {
  const volumes = sizes.map((size, at) => ({ KafkaBrokerNodeId: String(at + 1), VolumeSizeGB: size }));
  return { BrokerEBSVolumeInfo: volumes };
}

/** https://docs.aws.amazon.com/msk/latest/developerguide/msk-update-storage.html */
function checkCooldown(call: Call, { volumesGrownAt }: ClusterRow): void {
  const { mskStorageCooldownMs } = call.settings;
  if (volumesGrownAt !== undefined && call.now < volumesGrownAt + mskStorageCooldownMs)
    throw badRequest(
      `Storage can be scaled again ${mskStorageCooldownMs / 60_000} minutes after it was last scaled.`,
    );
}

export const kafkaUpdateHandlers = {
  UpdateBrokerStorage(call, input) {
    const row = theIdleCluster(call, input);
    if (row.volumesGiB.length === 0)
      throw badRequest("The storage of Express brokers cannot be updated.", "targetBrokerEBSVolumeInfo");
    const volumesGiB = volumesAfter(row, input.TargetBrokerEBSVolumeInfo ?? []);
    if (isSame(volumesGiB, row.volumesGiB)) throw unchanged();
    checkCooldown(call, row);
    return begun(
      call,
      { ...row, volumesGrownAt: call.now },
      {
        type: "INCREASE_BROKER_STORAGE",
        change: { volumesGiB },
        before: shownVolumes(row.volumesGiB),
        after: shownVolumes(volumesGiB),
      },
    );
  },

  UpdateClusterKafkaVersion(call, input) {
    const row = theIdleCluster(call, input);
    const { TargetKafkaVersion: kafkaVersion = "", ConfigurationInfo: configuration } = input;
    checkVersion(kafkaVersion);
    if (configuration)
      throw badRequest(`The configuration ${configuration.Arn} does not exist.`, "configurationInfo");
    const targets = targetsOf(row.kafkaVersion, row.instanceType);
    if (!targets.includes(kafkaVersion))
      throw badRequest(
        `A cluster of version ${row.kafkaVersion} cannot be updated to ${kafkaVersion}. Valid values: [${targets.join(", ")}]`,
        "targetKafkaVersion",
      );
    return begun(call, row, {
      type: "UPDATE_CLUSTER_KAFKA_VERSION",
      change: { kafkaVersion },
      before: { KafkaVersion: row.kafkaVersion },
      after: { KafkaVersion: kafkaVersion },
    });
  },

  UpdateMonitoring(call, input) {
    const row = theIdleCluster(call, input);
    const change = monitoringOf(input, row);
    const now = monitoringOf({}, row);
    if (isSame(change, now)) throw unchanged();
    return begun(call, row, {
      type: "UPDATE_MONITORING",
      change,
      before: shownMonitoring(now),
      after: shownMonitoring(change),
    });
  },

  UpdateSecurity(call, input) {
    const row = theIdleCluster(call, input);
    const inCluster = input.EncryptionInfo?.EncryptionInTransit?.InCluster;
    if (inCluster !== undefined && inCluster !== row.inCluster)
      throw badRequest("Encryption within the cluster cannot be changed.", "inCluster");
    const change = securityOf(input, row);
    const now = securityOf({}, row);
    if (isSame(change, now)) throw unchanged();
    return begun(call, row, {
      type: "UPDATE_SECURITY",
      change,
      before: shownSecurity(row, now),
      after: shownSecurity(row, change),
    });
  },

  GetCompatibleKafkaVersions(call, input) {
    if (input.ClusterArn === undefined) return { CompatibleKafkaVersions: compatibleVersions() };
    const { kafkaVersion: SourceVersion, instanceType } = theCluster(call, input.ClusterArn);
    const TargetVersions = targetsOf(SourceVersion, instanceType);
    return { CompatibleKafkaVersions: [{ SourceVersion, TargetVersions }] };
  },

  ListKafkaVersions: listVersions,
} satisfies Handlers<typeof kafka>;

function shownMonitoring({ monitoring, prometheus, logging }: ReturnType<typeof monitoringOf>) {
  return {
    EnhancedMonitoring: monitoring,
    OpenMonitoring: shownPrometheus(prometheus),
    ...(logging ? { LoggingInfo: logging } : {}),
  };
}

function shownSecurity({ inCluster: InCluster }: ClusterRow, now: ReturnType<typeof securityOf>) {
  return {
    ClientAuthentication: shownAuthentication(now.authentication),
    EncryptionInfo: { EncryptionInTransit: { ClientBroker: now.clientBroker, InCluster } },
  };
}
