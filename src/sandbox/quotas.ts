/**
 * Quotas: how many of a thing an account, a VPC or a table may have. The numbers are settings; the codes are
 * AWS's. https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
 */
import { AwsError } from "./errors.ts";

interface Limited {
  /** How many there would be. */
  readonly count: number;
  readonly quota: number;
  /** `AddressLimitExceeded` */
  readonly code: string;
  /** What there would be too many of: `addresses`. */
  readonly what: string;
}

/** Throws `code` when there would be more than the quota allows. */
export function withinQuota({ count, quota, code, what }: Limited): void {
  if (count > quota) throw new AwsError(code, `The maximum number of ${what} has been reached.`);
}
