/**
 * Our tags and tokens. Promises that one try to make one thing has one set of tags and one client token, the
 * same after a restart: both follow from the call alone, nothing is random.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
 */
import { createHash } from "node:crypto";
import type { ResourceType, Tag, TagSpecification } from "@aws-sdk/client-ec2";
import type { StepCall } from "../cloud.ts";

export const INSTALLATION_TAG = "letsdata:installation";
export const TENANT_TAG = "letsdata:tenant";
export const DATASET_TAG = "letsdata:dataset";
export const KEY_TAG = "letsdata:key";
export const ATTEMPT_TAG = "letsdata:attempt";

/** AWS's longest tag value, in characters. */
const LONGEST_VALUE = 256;

/** The tags of the thing that this call makes. */
export function tags(installation: string, { network, step, attempt }: StepCall): Tag[] {
  const name = `letsdata-${network.datasetName}-${step.key}`;
  return [
    { Key: INSTALLATION_TAG, Value: installation },
    { Key: TENANT_TAG, Value: network.tenantId },
    { Key: DATASET_TAG, Value: network.datasetId },
    { Key: KEY_TAG, Value: step.key },
    { Key: ATTEMPT_TAG, Value: String(attempt) },
    { Key: "Name", Value: [...name].slice(0, LONGEST_VALUE).join("") },
  ];
}

/** The same, as a create call takes them: tagging and creating succeed or fail as one. */
export function tagSpecifications(type: ResourceType, made: readonly Tag[]): TagSpecification[] {
  return [{ ResourceType: type, Tags: [...made] }];
}

/** 64 ASCII characters, AWS's longest; another attempt is another token, so a failed thing is not answered again. */
export function clientToken(installation: string, { network, step, attempt }: StepCall): string {
  return createHash("sha256")
    .update(JSON.stringify([installation, network.id, step.key, attempt]))
    .digest("hex");
}

/** MSK and Lambda write tags as an object. */
export function tagMap(from: readonly Tag[]): Record<string, string> {
  return Object.fromEntries(from.map(({ Key = "", Value = "" }) => [Key, Value]));
}

/** And back. */
export function tagList(from: Readonly<Record<string, string>> = {}): Tag[] {
  return Object.entries(from).map(([Key, Value]) => ({ Key, Value }));
}

/** The value of a tag, or null when it is not there. */
export function tagValue(from: readonly Tag[] | undefined, key: string): string | null {
  return from?.find((tag) => tag.Key === key)?.Value ?? null;
}
