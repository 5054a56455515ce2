/**
 * What can be set about the small cloud, and its two profiles: `quick` for people and tests, `aws` with
 * AWS's own times and quotas. Every value can be overridden by name. Milliseconds throughout. Refuses names
 * it does not know and values of another kind: a setting that is silently ignored costs an afternoon.
 */
import { parseCidr } from "../domain/cidr.ts";
import { faultsFrom } from "./faultSpecs.ts";

export interface Settings {
  /** CreateVpc to `available`. */
  readonly vpcPendingMs: number;
  readonly natPendingMs: number;
  readonly natDeletingMs: number;
  /** How long a deleted or failed NAT gateway stays visible. */
  readonly natVisibleMs: number;
  /** CreateVpcPeeringConnection to `pending-acceptance`. */
  readonly peeringInitiatingMs: number;
  /** Accept to `active`. */
  readonly peeringProvisioningMs: number;
  /** `deleting` of an inter-region peering. */
  readonly peeringDeletingMs: number;
  readonly peeringExpiresMs: number;
  /** Whether the requester's blocks show while the request is pending. */
  readonly peeringCidrsShownWhilePending: boolean;
  readonly peeringVisibleToEnderMs: number;
  readonly peeringVisibleToOtherMs: number;
  readonly endpointPendingMs: number;
  readonly instancePendingMs: number;
  readonly instanceTerminatingMs: number;
  readonly instanceVisibleMs: number;
  /** How long after its NAT gateway is deleted an address still cannot be released: AuthFailure. */
  readonly eipReleaseLagMs: number;
  /** CreateCluster to ACTIVE or FAILED, DeleteCluster to gone, an update of a cluster to ACTIVE again. */
  readonly mskCreatingMs: number;
  readonly mskDeletingMs: number;
  readonly mskUpdatingMs: number;
  /** How long a cluster that is gone still has its interfaces in the subnets. */
  readonly mskInterfacesLagMs: number;
  /** From the end of a broker's process to its next start. */
  readonly mskHealingMs: number;
  /** From one growth of a cluster's volumes to the next. */
  readonly mskStorageCooldownMs: number;
  /** Of a topic's creation, growth or deletion where no broker is Kafka. */
  readonly mskTopicMs: number;
  /** How old what is told of topics may be, where brokers are Kafka and clients change topics too. */
  readonly mskTopicsOldMs: number;
  /** Of this machine: so many clusters' brokers are Kafka at once, about a gigabyte each; others' are plain listeners. */
  readonly kafkaClusters: number;
  /** Clusters made while it is set become FAILED with this code in their StateInfo. */
  readonly mskFailure: string;
  /** Of a function's creation or update that needs no new interface, and of one that does. */
  readonly lambdaPendingMs: number;
  readonly lambdaInterfacePendingMs: number;
  /** From the end of a function's detaching until its interface is `available`, its owner's to delete. */
  readonly lambdaInterfaceDetachMs: number;
  /** From a function's detaching or deletion until AWS takes its interface away. */
  readonly lambdaInterfaceReleaseMs: number;
  /** Functions made or updated while it is set fail with this reason code: `EniLimitExceeded`. */
  readonly lambdaFailure: string;
  /** How long what is new stays unseen: each request's own while, between these two. */
  readonly unseenMsMin: number;
  readonly unseenMsMax: number;
  /** Of all chance: the same seed and the same requests in the same order bring the same. */
  readonly seed: number;
  /** AWS's token buckets: see rates.ts. */
  readonly throttling: boolean;
  /** Faults in place from the start: a JSON list of what `POST /_sandbox/faults` takes. Takes the place of all. */
  readonly faults: string;
  /** The share of all requests, 0 to 100, that is throttled, answered 500 or cut off, by chance. */
  readonly chaosPercent: number;
  /** How many of the last requests `GET /_sandbox/requests` knows. */
  readonly requestLogSize: number;
  /** RFC 5737 and benchmark space the elastic IPs come from: 198.18.0.0/15 is never routed. */
  readonly publicSpace: string;
  /** How far a request's own time may be from the sandbox's clock. */
  readonly signatureSkewMs: number;
  /** Quotas, for each account and region: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
  readonly vpcsQuota: number;
  readonly subnetsPerVpcQuota: number;
  /** IPv4 blocks of a VPC, the primary one among them. */
  readonly blocksPerVpcQuota: number;
  readonly internetGatewaysQuota: number;
  readonly addressesQuota: number;
  /** Pending, available and deleting ones count. */
  readonly natGatewaysPerZoneQuota: number;
  readonly routeTablesPerVpcQuota: number;
  /** Local routes do not count. */
  readonly routesPerTableQuota: number;
  readonly groupsQuota: number;
  /** In each direction, IPv4 and IPv6 apart. */
  readonly rulesPerGroupQuota: number;
  readonly groupsPerInterfaceQuota: number;
  /** In each zone. */
  readonly interfacesQuota: number;
  readonly aclsPerVpcQuota: number;
  /** In each direction, the last deny not counted. */
  readonly entriesPerAclQuota: number;
  readonly gatewayEndpointsQuota: number;
  readonly activePeeringsPerVpcQuota: number;
  readonly pendingPeeringsPerVpcQuota: number;
  /** https://docs.aws.amazon.com/msk/latest/developerguide/limits.html */
  readonly mskBrokersQuota: number;
  readonly mskBrokersPerClusterQuota: number;
  readonly mskBrokersPerZookeeperClusterQuota: number;
  /** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
  readonly lambdaInterfacesPerVpcQuota: number;
  /** Invocations at one time, of all functions of an account and region. */
  readonly lambdaConcurrencyQuota: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const aws: Settings = {
  vpcPendingMs: 1_000,
  natPendingMs: 105_000,
  natDeletingMs: 60_000,
  natVisibleMs: HOUR,
  peeringInitiatingMs: 1_000,
  peeringProvisioningMs: 5_000,
  peeringDeletingMs: 5_000,
  peeringExpiresMs: 7 * DAY,
  peeringCidrsShownWhilePending: true,
  peeringVisibleToEnderMs: 2 * HOUR,
  peeringVisibleToOtherMs: 2 * DAY,
  endpointPendingMs: 1_000,
  instancePendingMs: 15_000,
  instanceTerminatingMs: 30_000,
  instanceVisibleMs: HOUR,
  eipReleaseLagMs: 10_000,
  mskCreatingMs: 25 * MINUTE,
  mskDeletingMs: 10 * MINUTE,
  mskUpdatingMs: 15 * MINUTE,
  mskInterfacesLagMs: 2 * MINUTE,
  mskHealingMs: 5 * MINUTE,
  mskStorageCooldownMs: 6 * HOUR,
  mskTopicMs: 5_000,
  mskTopicsOldMs: MINUTE,
  kafkaClusters: 3,
  mskFailure: "",
  lambdaPendingMs: 1_500,
  lambdaInterfacePendingMs: MINUTE,
  lambdaInterfaceDetachMs: 4 * MINUTE,
  lambdaInterfaceReleaseMs: 20 * MINUTE,
  lambdaFailure: "",
  unseenMsMin: 0,
  unseenMsMax: 5_000,
  seed: 1,
  throttling: true,
  faults: "",
  chaosPercent: 0,
  requestLogSize: 20_000,
  publicSpace: "198.18.0.0/15",
  signatureSkewMs: 5 * MINUTE,
  vpcsQuota: 5,
  subnetsPerVpcQuota: 200,
  blocksPerVpcQuota: 5,
  internetGatewaysQuota: 5,
  addressesQuota: 5,
  natGatewaysPerZoneQuota: 5,
  routeTablesPerVpcQuota: 200,
  routesPerTableQuota: 500,
  groupsQuota: 2_500,
  rulesPerGroupQuota: 60,
  groupsPerInterfaceQuota: 5,
  interfacesQuota: 5_000,
  aclsPerVpcQuota: 200,
  entriesPerAclQuota: 20,
  gatewayEndpointsQuota: 20,
  activePeeringsPerVpcQuota: 50,
  pendingPeeringsPerVpcQuota: 25,
  mskBrokersQuota: 90,
  mskBrokersPerClusterQuota: 60,
  mskBrokersPerZookeeperClusterQuota: 30,
  lambdaInterfacesPerVpcQuota: 500,
  lambdaConcurrencyQuota: 1_000,
};

/** The `quick` profile: AWS's rules with short waits, and nothing left to chance. */
const quick: Settings = {
  ...aws,
  vpcPendingMs: 50,
  natPendingMs: 2_000,
  natDeletingMs: 1_000,
  peeringInitiatingMs: 0,
  peeringProvisioningMs: 500,
  peeringDeletingMs: 200,
  endpointPendingMs: 100,
  instancePendingMs: 200,
  instanceTerminatingMs: 200,
  eipReleaseLagMs: 0,
  mskCreatingMs: 3_000,
  mskDeletingMs: 1_000,
  mskUpdatingMs: 1_000,
  mskInterfacesLagMs: 0,
  mskHealingMs: 10_000,
  mskStorageCooldownMs: 0,
  mskTopicMs: 500,
  mskTopicsOldMs: 5_000,
  lambdaPendingMs: 100,
  lambdaInterfacePendingMs: 500,
  lambdaInterfaceDetachMs: 500,
  lambdaInterfaceReleaseMs: 1_000,
  unseenMsMax: 0,
  throttling: false,
  vpcsQuota: 1_000,
  subnetsPerVpcQuota: 1_000,
  internetGatewaysQuota: 1_000,
  addressesQuota: 3_000,
  natGatewaysPerZoneQuota: 1_000,
  routeTablesPerVpcQuota: 1_000,
  routesPerTableQuota: 1_000,
  rulesPerGroupQuota: 1_000,
  aclsPerVpcQuota: 1_000,
  entriesPerAclQuota: 1_000,
  gatewayEndpointsQuota: 1_000,
  activePeeringsPerVpcQuota: 1_000,
  pendingPeeringsPerVpcQuota: 1_000,
  mskBrokersQuota: 3_000,
  lambdaInterfacesPerVpcQuota: 1_000,
  // As AWS gives new accounts: each is a process of this machine.
  lambdaConcurrencyQuota: 10,
};

export const PROFILES = { quick, aws } as const;
export type ProfileName = keyof typeof PROFILES;

export function settings(profile: ProfileName, overrides: Partial<Settings> = {}): Settings {
  return { ...PROFILES[profile], ...overrides };
}

/** The settings with what `patch` (JSON, by name) changes. Throws a RangeError naming what is wrong with it. */
export function patched(current: Settings, patch: unknown): Settings {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch))
    throw new RangeError("settings are an object: names and values");
  for (const [name, value] of Object.entries(patch)) check(current, name, value);
  return { ...current, ...patch };
}

/** A patch from `name=value` texts, as they stand on a command line. Throws a RangeError like `patched`. */
export function patchFrom(texts: readonly string[]): Partial<Settings> {
  const pairs = texts.map((text) => {
    const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (!name) throw new RangeError(`"${text}" is not a setting: write it as name=value`);
    return [name, valueFrom(value)];
  });
  const patch: Partial<Settings> = Object.fromEntries(pairs);
  patched(quick, patch);
  return patch;
}

function valueFrom(text: string): string | number | boolean {
  if (/^(true|false|on|off)$/.test(text)) return text === "true" || text === "on";
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function check(current: Settings, name: string, value: unknown): void {
  if (!Object.hasOwn(current, name))
    throw new RangeError(
      `there is no setting "${name}"; there are: ${Object.keys(current).sort().join(", ")}`,
    );
  const kind = typeof current[name as keyof Settings];
  if (typeof value !== kind) throw new RangeError(`the setting ${name} is a ${kind}`);
  if (typeof value === "number" && !(Number.isFinite(value) && value >= 0))
    throw new RangeError(`the setting ${name} is a number, 0 or more`);
  if (name === "chaosPercent" && Number(value) > 100) throw new RangeError(`the setting ${name} is 0 to 100`);
  if (name === "faults") faultsFrom(String(value));
  const parsed = name === "publicSpace" ? parseCidr(String(value)) : undefined;
  if (parsed && "problem" in parsed) throw new RangeError(`the setting ${name}: ${parsed.problem}`);
}
