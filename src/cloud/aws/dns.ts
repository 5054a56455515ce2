/**
 * What we know of VPCs' DNS attributes. DescribeVpcAttribute answers one attribute of one VPC and has no batch
 * form, so they are not read at every look: only while not known to be on, and then once an hour. Promises
 * that a VPC never read comes first, that a look reads no more than it was allowed, and bounded memory.
 * Refuses to guess at a VPC just made: AWS's own defaults are noted at CreateVpc. One that another process
 * made is taken to be right until its turn to be read, which is the first look at it as a rule.
 * https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
 */
import type { Clock } from "../../domain/model.ts";

/** AWS's names, in the order they are read: hostnames is the one that AWS leaves off. */
export const DNS_ATTRIBUTES = ["enableDnsHostnames", "enableDnsSupport"] as const;
export type DnsAttribute = (typeof DNS_ATTRIBUTES)[number];

export interface DnsQuestion {
  readonly vpcId: string;
  readonly attribute: DnsAttribute;
}

export interface DnsMemory {
  known(question: DnsQuestion): boolean;
  /** What to read now, most urgent first, `most` at most. */
  due(vpcIds: readonly string[], most: number): readonly DnsQuestion[];
  /** AWS said so, or has just made it so. */
  learn(question: DnsQuestion, on: boolean): void;
  forget(vpcId: string): void;
}

interface Answer {
  readonly on: boolean;
  readonly at: number;
}

const TRUSTED_MS = 3_600_000;
const MOST_ANSWERS = 20_000;

export function dnsMemory(clock: Clock): DnsMemory {
  const answers = new Map<string, Answer>();
  const keyOf = ({ vpcId, attribute }: DnsQuestion): string => `${vpcId} ${attribute}`;
  const isDue = (question: DnsQuestion): boolean => {
    const answer = answers.get(keyOf(question));
    return !answer?.on || clock.now() - answer.at >= TRUSTED_MS;
  };
  const readAt = (question: DnsQuestion): number => answers.get(keyOf(question))?.at ?? -1;
  return {
    known: (question) => answers.get(keyOf(question))?.on ?? true,
    due: (vpcIds, most) =>
      DNS_ATTRIBUTES.flatMap((attribute) => vpcIds.map((vpcId) => ({ vpcId, attribute })))
        .filter(isDue)
        .sort((a, b) => readAt(a) - readAt(b))
        .slice(0, most),
    learn(question, on) {
      const key = keyOf(question);
      answers.delete(key);
      answers.set(key, { on, at: clock.now() });
      const oldest = answers.keys().next();
      if (answers.size > MOST_ANSWERS && !oldest.done) answers.delete(oldest.value);
    },
    forget(vpcId) {
      for (const attribute of DNS_ATTRIBUTES) answers.delete(keyOf({ vpcId, attribute }));
    },
  };
}
