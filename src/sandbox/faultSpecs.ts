/**
 * Faults as they are asked for, in JSON: which requests they hit, what they do, how often. Promises that what
 * passes here can be carried out. Refuses names and kinds it does not know: a fault that never strikes makes a
 * test pass that should not.
 */

/**
 * throttle    AWS's "too many requests"               nothing done
 * error       `code` and `status`                     nothing done
 * quota       the operation's quota is used up        nothing done
 * notFound    the id the request names is not there   nothing done
 * delay       done, and answered `delayMs` later
 * dropBefore  the connection is cut                   nothing done
 * dropAfter   done, then the connection is cut: nobody learns of it
 */
export const FAULT_KINDS = [
  "throttle",
  "error",
  "delay",
  "dropBefore",
  "dropAfter",
  "quota",
  "notFound",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface FaultSpec {
  /** `CreateVpc`, or `*` for all. */
  readonly operation: string;
  readonly kind: FaultKind;
  /** AWS's error code, in place of the kind's own. */
  readonly code?: string;
  /** HTTP status, in place of the code's own. */
  readonly status?: number;
  readonly delayMs?: number;
  /** How many requests it hits; then it is gone. */
  readonly count: number;
  /** How many requests it would hit are let through first. */
  readonly skip?: number;
  readonly service?: string;
  readonly account?: string;
  readonly region?: string;
  /**
   * Values the request must have, by member name (`VpcId`), a path through lists (`TagSpecifications.Tags.Key`)
   * or a tag (`tag:Name`, of the request's own tags). A list matches when one of its values does.
   */
  readonly match?: Readonly<Record<string, string>>;
}

/** The error of an operation whose quota is used up: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html */
export const QUOTA_ERRORS: Readonly<Record<string, string>> = {
  AcceptVpcPeeringConnection: "ActiveVpcPeeringConnectionPerVpcLimitExceeded",
  AllocateAddress: "AddressLimitExceeded",
  AssociateVpcCidrBlock: "CidrLimitExceeded",
  AuthorizeSecurityGroupEgress: "RulesPerSecurityGroupLimitExceeded",
  AuthorizeSecurityGroupIngress: "RulesPerSecurityGroupLimitExceeded",
  CreateCluster: "BadRequestException",
  CreateClusterV2: "BadRequestException",
  CreateFunction: "CodeStorageExceededException",
  CreateInternetGateway: "InternetGatewayLimitExceeded",
  CreateNatGateway: "NatGatewayLimitExceeded",
  CreateNetworkAcl: "NetworkAclLimitExceeded",
  CreateNetworkAclEntry: "NetworkAclEntryLimitExceeded",
  CreateNetworkInterface: "NetworkInterfaceLimitExceeded",
  CreateRoute: "RouteLimitExceeded",
  CreateRouteTable: "RouteTableLimitExceeded",
  CreateSecurityGroup: "SecurityGroupLimitExceeded",
  CreateSubnet: "SubnetLimitExceeded",
  CreateTags: "TagLimitExceeded",
  CreateVpc: "VpcLimitExceeded",
  CreateVpcEndpoint: "VpcEndpointLimitExceeded",
  CreateVpcPeeringConnection: "OutstandingVpcPeeringConnectionLimitExceeded",
  RunInstances: "InstanceLimitExceeded",
};

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string" && value !== "";
const isWhole =
  (min: number, max = Number.MAX_SAFE_INTEGER): Check =>
  (value) =>
    Number.isInteger(value) && Number(value) >= min && Number(value) <= max;

/** What each name may be, and how that is said. */
const MEMBERS: Readonly<Record<keyof FaultSpec, readonly [Check, string]>> = {
  operation: [isText, "the name of an operation, or *"],
  kind: [(value) => FAULT_KINDS.some((kind) => kind === value), `one of ${FAULT_KINDS.join(", ")}`],
  code: [isText, "an error code"],
  status: [isWhole(400, 599), "an HTTP status of 400 to 599"],
  delayMs: [(value) => typeof value === "number" && value >= 0 && value < 2 ** 31, "milliseconds"],
  count: [isWhole(1), "a whole number, 1 or more"],
  skip: [isWhole(0), "a whole number, 0 or more"],
  service: [isText, "the name of a service"],
  account: [isText, "the id of an account"],
  region: [isText, "the name of a region"],
  match: [isMatch, "an object: member names and texts"],
};

function isMatch(value: unknown): boolean {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  return Object.values(value).every((one) => typeof one === "string");
}

/** A fault from JSON. Throws a RangeError naming what is wrong with it. */
export function faultFrom(value: unknown): FaultSpec {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new RangeError("a fault is an object: { operation, kind, count, … }");
  for (const [name, member] of Object.entries(value)) {
    const known = Object.hasOwn(MEMBERS, name) ? MEMBERS[name as keyof FaultSpec] : undefined;
    if (!known) throw new RangeError(`a fault has no "${name}"; it has: ${Object.keys(MEMBERS).join(", ")}`);
    if (!known[0](member)) throw new RangeError(`a fault's ${name} is ${known[1]}`);
  }
  for (const name of ["operation", "kind", "count"])
    if (!Object.hasOwn(value, name)) throw new RangeError(`a fault needs its ${name}`);
  return possible(value as FaultSpec);
}

/** Of a kind that its operation can have. */
function possible(spec: FaultSpec): FaultSpec {
  const { kind, operation, code, delayMs } = spec;
  if (kind === "delay" && delayMs === undefined) throw new RangeError("a delay needs delayMs");
  const hasQuota = operation === "*" || Object.hasOwn(QUOTA_ERRORS, operation);
  if (kind === "quota" && code === undefined && !hasQuota)
    throw new RangeError(`${operation} has no quota of its own: say the code`);
  return spec;
}

/** The faults of a setting: a JSON list, or nothing. Throws a RangeError naming what is wrong with it. */
export function faultsFrom(text: string): FaultSpec[] {
  if (text.trim() === "") return [];
  const list = parsed(text);
  if (!Array.isArray(list)) throw new RangeError("the setting faults is a JSON list of faults");
  return list.map(faultFrom);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RangeError("the setting faults is not JSON");
  }
}
