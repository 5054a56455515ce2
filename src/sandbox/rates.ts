/**
 * How often an account may call: AWS's token buckets by service and action. EC2 has one bucket an action, of a
 * size that depends on the action's category, and a few actions with sizes of their own. Lambda has one for all
 * that is no read of a function. MSK's numbers are not published: its sizes here are a guess. STS has no bucket.
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 * https://docs.aws.amazon.com/servicequotas/latest/userguide/reference_limits.html
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export interface Rate {
  /** Tells buckets of one account and region apart. */
  readonly bucket: string;
  /** Tokens the bucket holds at most; it begins full. */
  readonly capacity: number;
  readonly refillPerSecond: number;
}

export interface RatedCall {
  readonly service: string;
  readonly action: string;
  /** Whether the request bears the parameter of that name on the wire. */
  readonly has: (parameter: string) => boolean;
}

type Size = readonly [capacity: number, refillPerSecond: number];

const READ: Size = [100, 20];
const UNFILTERED_READ: Size = [50, 10];
/** Mutating and "resource-intensive" actions alike. */
const CHANGE: Size = [50, 5];

/** Those of the actions with sizes of their own that the sandbox has. */
const OWN_SIZES: Readonly<Record<string, Size>> = {
  CreateNatGateway: [10, 1],
  DeleteNatGateway: [10, 1],
  CreateVpcEndpoint: [4, 0.3],
  ModifyVpcEndpoint: [4, 0.3],
  DeleteVpcEndpoints: [4, 0.3],
  CreateTags: [100, 10],
  DeleteTags: [100, 10],
  CreateNetworkInterface: [100, 5],
  DeleteNetworkInterface: [100, 5],
  ModifyNetworkInterfaceAttribute: [100, 5],
};

/** Asked for without a filter and without pages, these draw from a second, smaller bucket. */
const COSTLY_UNFILTERED = ["DescribeSecurityGroups", "DescribeNetworkInterfaces", "DescribeInstances"];

/** Requests a second, and as many again in one burst. */
const SERVICE_QUOTAS: Readonly<Record<string, number>> = {
  GetServiceQuota: 5,
  GetAWSDefaultServiceQuota: 5,
  ListServiceQuotas: 10,
  ListAWSDefaultServiceQuotas: 10,
  ListServices: 10,
};

/** Those of Lambda's actions that do not share the one bucket of 15 a second. */
const LAMBDA_OWN: Readonly<Record<string, Size>> = {
  GetFunction: [100, 100],
  GetPolicy: [15, 15],
  /** Ten times the quota of invocations at one time. */
  Invoke: [10_000, 10_000],
};

/** A guess. */
const KAFKA_READ: Size = [20, 10];
const KAFKA_CHANGE: Size = [10, 2];

/** True for actions that only look. */
export function isRead(action: string): boolean {
  return /^(Describe|Get|List|Search)/.test(action);
}

/** The bucket a call draws a token from; undefined when its service has none. */
export function rateOf(call: RatedCall): Rate | undefined {
  const { service, action } = call;
  if (service === "ec2") return ec2Rate(call);
  if (service === "lambda") return lambdaRate(action);
  if (service === "kafka") return rate(action, isRead(action) ? KAFKA_READ : KAFKA_CHANGE);
  const perSecond = service === "servicequotas" ? SERVICE_QUOTAS[action] : undefined;
  return perSecond === undefined ? undefined : rate(action, [2 * perSecond, perSecond]);
}

function lambdaRate(action: string): Rate {
  const own = Object.hasOwn(LAMBDA_OWN, action) ? LAMBDA_OWN[action] : undefined;
  return own ? rate(action, own) : rate("control plane", [15, 15]);
}

function ec2Rate({ action, has }: RatedCall): Rate {
  const own = Object.hasOwn(OWN_SIZES, action) ? OWN_SIZES[action] : undefined;
  if (own) return rate(action, own);
  if (!isRead(action)) return rate(action, CHANGE);
  const narrowed = has("Filter") || has("MaxResults") || has("NextToken");
  if (COSTLY_UNFILTERED.includes(action) && !narrowed) return rate(`${action} unfiltered`, UNFILTERED_READ);
  return rate(action, READ);
}

function rate(bucket: string, [capacity, refillPerSecond]: Size): Rate {
  return { bucket, capacity, refillPerSecond };
}
