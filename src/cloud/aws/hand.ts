/**
 * What every step of the hands has in common: the client, the call it serves, and the words for what AWS may
 * answer. Promises that an answer which means "already so" is told apart from one that means "no", by code.
 */
import type { EC2Client, ResourceType, TagSpecification } from "@aws-sdk/client-ec2";
import type { KafkaClient } from "@aws-sdk/client-kafka";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import { Failure } from "../../domain/failure.ts";
import type { Step } from "../../domain/steps.ts";
import type { StepCall } from "../cloud.ts";
import { refusedWith } from "./callError.ts";
import type { DnsMemory } from "./dns.ts";
import { clientToken, tagSpecifications, tags } from "./tags.ts";

/** Everything a step needs to make its call. */
export interface Hand {
  readonly ec2: EC2Client;
  readonly kafka: KafkaClient;
  readonly lambda: LambdaClient;
  readonly dns: DnsMemory;
  readonly region: string;
  readonly installation: string;
  readonly call: StepCall;
}

export type StepOf<Do extends Step["do"]> = Extract<Step, { readonly do: Do }>;

/** One function a step; creates answer the new id, everything else null. */
export type Hands<Do extends Step["do"]> = {
  readonly [One in Do]: (hand: Hand, step: StepOf<One>) => Promise<string | null>;
};

/** The tags that travel in a create call. */
export function tagged({ installation, call }: Hand, type: ResourceType): TagSpecification[] {
  return tagSpecifications(type, tags(installation, call));
}

/** The token of this try; a second call with it answers what the first one made. */
export function token({ installation, call }: Hand): string {
  return clientToken(installation, call);
}

/** An id that AWS must have filled in; without it the thing is there all the same, to be found by tag. */
export function answeredId(id: string | undefined, action: string): string {
  if (id) return id;
  throw new Failure("unavailable", `AWS answered ${action} without an id`);
}

/** Makes the change; codes (in lower case) that mean it is already so are success. */
export async function change(call: Promise<unknown>, alreadySo: readonly string[] = []): Promise<null> {
  try {
    await call;
  } catch (error) {
    if (!refusedWith(error, new Set(alreadySo))) throw error;
  }
  return null;
}
