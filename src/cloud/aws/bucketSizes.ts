/**
 * How large AWS's token buckets are: one bucket an action, of a size that depends on the action's category, and
 * a few actions with sizes of their own. AWS gives every account the same; who was given more by a support case
 * stays below it. https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 */

/** Tokens the bucket holds at most, and tokens it gains in a second. */
export interface BucketSize {
  readonly burst: number;
  readonly perSecond: number;
}

/** Lambda counts its control plane as one, and calls of functions apart from it: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LAMBDA = "Lambda's control plane";

const READ: BucketSize = { burst: 100, perSecond: 20 };
const CHANGE: BucketSize = { burst: 50, perSecond: 5 };

/**
 * Actions with a bucket of their own size; EC2's other changes are 50 and 5 a second, whatever the category.
 * Service Quotas: https://docs.aws.amazon.com/servicequotas/latest/userguide/reference_limits.html
 */
const OWN_SIZE: Readonly<Record<string, BucketSize>> = {
  CreateNatGateway: { burst: 10, perSecond: 1 },
  DeleteNatGateway: { burst: 10, perSecond: 1 },
  CreateVpcEndpoint: { burst: 4, perSecond: 0.3 },
  ModifyVpcEndpoint: { burst: 4, perSecond: 0.3 },
  DeleteVpcEndpoints: { burst: 4, perSecond: 0.3 },
  DeleteNetworkInterface: { burst: 100, perSecond: 5 },
  GetServiceQuota: { burst: 5, perSecond: 5 },
  GetAWSDefaultServiceQuota: { burst: 5, perSecond: 5 },
  ListServiceQuotas: { burst: 10, perSecond: 10 },
  ListAWSDefaultServiceQuotas: { burst: 10, perSecond: 10 },
  [LAMBDA]: { burst: 15, perSecond: 15 },
  // As many as the default of 10 a second for each unit of concurrency allows to one probe at a time.
  Invoke: { burst: 10, perSecond: 10 },
  // AWS does not publish MSK's: what few clusters need, and no more.
  CreateClusterV2: { burst: 5, perSecond: 1 },
  DeleteCluster: { burst: 5, perSecond: 1 },
  UpdateBrokerStorage: { burst: 5, perSecond: 1 },
  CreateTopic: { burst: 5, perSecond: 1 },
  UpdateTopic: { burst: 5, perSecond: 1 },
  DescribeTopic: { burst: 10, perSecond: 5 },
  ListClustersV2: { burst: 10, perSecond: 5 },
  ListNodes: { burst: 10, perSecond: 5 },
  GetBootstrapBrokers: { burst: 10, perSecond: 5 },
  GetCompatibleKafkaVersions: { burst: 10, perSecond: 5 },
};

/** The bucket that a call of that service draws from: mostly one of its own. */
export function bucketOf(service: string, action: string): string {
  return service === "lambda" && action !== "Invoke" ? LAMBDA : action;
}

/** AWS's bucket for an action, by its name. */
export function bucketSize(action: string): BucketSize {
  return OWN_SIZE[action] ?? (/^(Describe|Get|List|Search)/.test(action) ? READ : CHANGE);
}
