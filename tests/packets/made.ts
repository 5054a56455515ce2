/** A random topology as it is being made: what stands by now, and the chance that decides what comes next. */
import type { EC2Client } from "@aws-sdk/client-ec2";
import type { Dice } from "../../src/sandbox/dice.ts";
import type { TestSandbox } from "../../src/sandbox/testing.ts";

export interface MadeVpc {
  readonly client: EC2Client;
  readonly place: { readonly account: string; readonly region: string };
  readonly id: string;
  readonly block: string;
  readonly gatewayId: string | undefined;
  readonly subnets: readonly { readonly id: string; readonly block: string }[];
  readonly groups: readonly string[];
  readonly tables: string[];
  readonly hosts: MadeHost[];
  /** NAT gateways, and the subnet of theirs. */
  readonly natIds: string[];
  readonly natSubnetId: string | undefined;
}

export interface MadeHost {
  readonly id: string;
  readonly address: string;
  readonly interfaceId: string;
}

export interface MadePeering {
  readonly id: string;
  readonly ends: readonly [MadeVpc, MadeVpc];
  readonly isActive: boolean;
}

/** A topology while it is being made. */
export interface Made {
  readonly sandbox: TestSandbox;
  readonly dice: Dice;
  readonly vpcs: readonly MadeVpc[];
  readonly peerings: readonly MadePeering[];
  /** Instances that forward others' packets. */
  readonly forwarding: string[];
}

/** Nobody's address (RFC 5737), which hosts that forward have besides their own. */
export const ALIAS = "203.0.113.8";

/** True in that many of 100 cases. */
export function chance(dice: Dice, percent: number): boolean {
  return dice.next() * 100 < percent;
}

/** One of a list that is not empty. */
export function pick<T>(dice: Dice, all: readonly [T, ...T[]] | readonly T[]): T {
  const one = dice.oneOf(all);
  if (one === undefined) throw new RangeError("nothing to choose from");
  return one;
}
