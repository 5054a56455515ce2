/**
 * Service Quotas, for reading: what the account's quotas are and what AWS's defaults would be. Promises the
 * numbers that the cloud itself refuses by. A quota that is still AWS's default has no applied value: asking
 * for one is NoSuchResourceException, and lists leave it out, so that clients fall back to the default.
 * Refuses requests for more: quotas are settings of the sandbox.
 * https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
 * https://github.com/hashicorp/terraform-provider-aws/issues/19745
 */
import type * as sdk from "@aws-sdk/client-service-quotas";
import { AwsError } from "./errors.ts";
import { type DescribeInput, page } from "./query.ts";
import { defaultQuota, QUOTA_CODES, type QuotaCode, SERVICE_NAMES } from "./quotaCodes.ts";
import type { Call, Handlers } from "./world.ts";

function noSuch(message: string): AwsError {
  return new AwsError("NoSuchResourceException", message);
}

function quotasOf(service: string | undefined): QuotaCode[] {
  if (!service || !Object.hasOwn(SERVICE_NAMES, service))
    throw noSuch("The request failed because the specified service does not exist.");
  return QUOTA_CODES.filter((quota) => quota.service === service);
}

function theQuota(input: sdk.GetServiceQuotaRequest): QuotaCode {
  const quota = quotasOf(input.ServiceCode).find(({ code }) => code === input.QuotaCode);
  if (quota) return quota;
  throw noSuch("The request failed because the specified quota does not exist.");
}

function isChanged(call: Call, quota: QuotaCode): boolean {
  return call.settings[quota.setting] !== defaultQuota(quota);
}

function described(call: Call, { service, code, name }: QuotaCode, value: number): sdk.ServiceQuota {
  return {
    ServiceCode: service,
    ServiceName: SERVICE_NAMES[service],
    QuotaArn: `arn:aws:servicequotas:${call.region}:${call.account}:${service}/${code}`,
    QuotaCode: code,
    QuotaName: name,
    Value: value,
    Unit: "None",
    Adjustable: true,
    GlobalQuota: false,
    QuotaAppliedAtLevel: "ACCOUNT",
  };
}

function applied(call: Call, quota: QuotaCode): sdk.ServiceQuota {
  return described(call, quota, call.settings[quota.setting]);
}

/** A default is nobody's: its ARN has no account. */
function unchanged(call: Call, quota: QuotaCode): sdk.ServiceQuota {
  const { QuotaAppliedAtLevel: _, ...rest } = described({ ...call, account: "" }, quota, defaultQuota(quota));
  return rest;
}

/** One page of what is in order of key. */
function pageOf<T>(all: readonly T[], key: (one: T) => string, asked: DescribeInput) {
  const codes = { size: "ValidationException", token: "InvalidPaginationTokenException" };
  return page(all, key, { ...asked, min: 1, max: 100, codes });
}

const codeOf = ({ code }: QuotaCode) => code;

export const serviceQuotaHandlers = {
  GetServiceQuota(call, input) {
    const quota = theQuota(input);
    if (!isChanged(call, quota))
      throw noSuch("The request failed because the specified quota has no applied value.");
    return { Quota: applied(call, quota) };
  },

  GetAWSDefaultServiceQuota(call, input) {
    return { Quota: unchanged(call, theQuota(input)) };
  },

  ListServiceQuotas(call, input) {
    const all = quotasOf(input.ServiceCode).filter((quota) => isChanged(call, quota));
    const wanted = all.filter(({ code }) => input.QuotaCode === undefined || code === input.QuotaCode);
    const { items, NextToken } = pageOf(wanted, codeOf, input);
    return { Quotas: items.map((quota) => applied(call, quota)), NextToken };
  },

  ListAWSDefaultServiceQuotas(call, input) {
    const { items, NextToken } = pageOf(quotasOf(input.ServiceCode), codeOf, input);
    return { Quotas: items.map((quota) => unchanged(call, quota)), NextToken };
  },

  ListServices(_call, input) {
    const all = Object.entries(SERVICE_NAMES).map(([ServiceCode, ServiceName]) => ({
      ServiceCode,
      ServiceName,
    }));
    const { items, NextToken } = pageOf(all, (one) => one.ServiceCode, input);
    return { Services: items, NextToken };
  },
} satisfies Handlers<typeof sdk>;
