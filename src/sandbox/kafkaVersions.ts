/**
 * Which Apache Kafka versions MSK has, which brokers run them, and what may follow on what.
 * https://docs.aws.amazon.com/msk/latest/developerguide/supported-kafka-versions.html
 * https://docs.aws.amazon.com/msk/latest/developerguide/metadata-management.html
 * https://docs.aws.amazon.com/msk/latest/developerguide/msk-broker-types-express.html
 * https://docs.aws.amazon.com/msk/latest/developerguide/broker-instance-sizes.html
 */
import type * as kafka from "@aws-sdk/client-kafka";
import { badRequest } from "./kafkaErrors.ts";
import { page } from "./query.ts";
import type { Call } from "./world.ts";

/** Brokers with volumes of their own, or with storage that is MSK's business. */
export type BrokerKind = "standard" | "express";

interface Version {
  readonly name: string;
  /** Out of support versions are listed, and run on; nothing new is made of them. */
  readonly status: kafka.KafkaVersionStatus;
  readonly brokers: readonly BrokerKind[];
}

const BOTH: readonly BrokerKind[] = ["standard", "express"];
const STANDARD: readonly BrokerKind[] = ["standard"];

function version(
  name: string,
  brokers: readonly BrokerKind[],
  status: Version["status"] = "ACTIVE",
): Version {
  return { name, brokers, status };
}

/** From the oldest to the newest. */
const VERSIONS: readonly Version[] = [
  version("2.8.1", STANDARD, "DEPRECATED"),
  version("2.8.2.tiered", STANDARD, "DEPRECATED"),
  version("3.3.2", STANDARD, "DEPRECATED"),
  version("3.4.0", STANDARD, "DEPRECATED"),
  version("3.5.1", STANDARD, "DEPRECATED"),
  version("3.6.0", BOTH),
  version("3.7.x", STANDARD),
  version("3.7.x.kraft", STANDARD),
  version("3.8.x", BOTH),
  version("3.8.x.kraft", STANDARD),
  version("3.9.x", STANDARD),
  version("3.9.x.kraft", BOTH),
  version("4.0.x.kraft", STANDARD),
  version("4.1.x.kraft", STANDARD),
  version("4.2.x.kraft", ["express"]),
];

const SIZES = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"];

const INSTANCE_TYPES: readonly string[] = [
  ...SIZES.map((size) => `express.m7g.${size}`),
  ...[...SIZES, "24xlarge"].map((size) => `kafka.m5.${size}`),
  ...SIZES.map((size) => `kafka.m7g.${size}`),
  "kafka.t3.small",
];

/** True for versions whose metadata is in Kafka itself; the others' is in ZooKeeper. */
export function isKraft(name: string): boolean {
  return name.endsWith(".kraft");
}

export function brokerKind(instanceType: string): BrokerKind {
  return instanceType.startsWith("express.") ? "express" : "standard";
}

/** Throws BadRequestException for a version that nothing new is made of, in MSK's words. */
export function checkVersion(name: string): void {
  const active = VERSIONS.filter(({ status }) => status === "ACTIVE").map((one) => one.name);
  if (!active.includes(name))
    throw badRequest(
      `Unsupported KafkaVersion [${name}]. Valid values: [${active.join(", ")}]`,
      "kafkaVersion",
    );
}

/** Throws BadRequestException for an instance type that there is not, or not with that version. */
export function checkInstanceType(instanceType: string, versionName: string): void {
  const known = VERSIONS.find(({ name }) => name === versionName);
  const valid = INSTANCE_TYPES.filter(
    (one) => known?.brokers.includes(brokerKind(one)) && !(isSmall(one) && versionName.startsWith("4.")),
  );
  if (!valid.includes(instanceType))
    throw badRequest(
      `Unsupported InstanceType specified. Valid values: [${valid.join(", ")}]`,
      "instanceType",
    );
}

function isSmall(instanceType: string): boolean {
  return instanceType === "kafka.t3.small";
}

/** The last version on ZooKeeper, from which there is a way to KRaft. */
const BRIDGE = "3.9.x";

/** What a cluster of that version can be updated to; with an instance type, only what its brokers run. */
export function targetsOf(from: string, instanceType?: string): string[] {
  const at = VERSIONS.findIndex(({ name }) => name === from);
  const later = VERSIONS.slice(at + 1).filter(
    ({ name, status }) => status === "ACTIVE" && (isKraft(name) === isKraft(from) || from === BRIDGE),
  );
  const { brokers = [] } = VERSIONS[at] ?? {};
  const kinds = instanceType === undefined ? brokers : [brokerKind(instanceType)];
  const small = instanceType !== undefined && isSmall(instanceType);
  return later
    .filter(
      (one) => one.brokers.some((kind) => kinds.includes(kind)) && !(small && one.name.startsWith("4.")),
    )
    .map(({ name }) => name);
}

/** All versions there is a way from. */
export function compatibleVersions(): kafka.CompatibleKafkaVersion[] {
  return VERSIONS.map(({ name }) => ({ SourceVersion: name, TargetVersions: targetsOf(name) }));
}

/** Pages of MSK's lists. */
export function kafkaPage<T>(
  all: readonly T[],
  key: (item: T) => string,
  { MaxResults, NextToken }: { MaxResults?: number | undefined; NextToken?: string | undefined },
) {
  const codes = { size: "BadRequestException", token: "BadRequestException" };
  return page(all, key, { MaxResults, NextToken, min: 1, max: 100, codes });
}

export function listVersions(
  _call: Call,
  input: kafka.ListKafkaVersionsRequest,
): kafka.ListKafkaVersionsResponse {
  const all = VERSIONS.map(({ name: Version, status: Status }) => ({ Version, Status }));
  const { items, NextToken } = kafkaPage(all, ({ Version }) => Version, input);
  return { KafkaVersions: items, NextToken };
}
