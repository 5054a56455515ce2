/**
 * Interfaces that a service of AWS leaves in a customer's subnet: of services the sandbox has not, and of those it
 * has, but at a moment of the test's own. Promises a row like any other: it takes an address, holds its groups
 * and its subnet, and goes when its time has come (elapse.ts).
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
 */
import { notFound } from "./find.ts";
import { groupsFor, newInterface, serviceAttachment } from "./interfaceRows.ts";
import type { InterfaceRow } from "./rows.ts";
import type { Place } from "./state.ts";
import type { Call, Tables } from "./world.ts";

export interface Planting {
  readonly subnetId: string;
  /** The VPC's default group when there are none. */
  readonly groupIds?: readonly string[];
  readonly description?: string;
  /** `interface` unless given; AWS Lambda's are `lambda`. */
  readonly interfaceType?: string;
  /** True unless given: its owner may not touch it. */
  readonly requesterManaged?: boolean;
  /** When it is detached, from now; AWS Lambda's become ordinary interfaces then. Never unless given. */
  readonly availableAfterMs?: number;
  /** When it goes, from now. Never unless given. */
  readonly releasedAfterMs?: number;
}

const isText = (value: unknown) => typeof value === "string";
const isMs = (value: unknown) => typeof value === "number" && Number.isFinite(value) && value >= 0;

const MEMBERS: Readonly<Record<keyof Planting, readonly [(value: unknown) => boolean, string]>> = {
  subnetId: [isText, "a text"],
  groupIds: [(value) => Array.isArray(value) && value.every(isText), "a list of texts"],
  description: [isText, "a text"],
  interfaceType: [isText, "a text"],
  requesterManaged: [(value) => typeof value === "boolean", "a boolean"],
  availableAfterMs: [isMs, "milliseconds"],
  releasedAfterMs: [isMs, "milliseconds"],
};

/** A planting from JSON. Throws a RangeError naming what is wrong with it. */
export function plantingFrom(value: unknown): Planting {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new RangeError("an interface is an object: { subnetId, … }");
  for (const [name, member] of Object.entries(value)) {
    const known = Object.hasOwn(MEMBERS, name) ? MEMBERS[name as keyof Planting] : undefined;
    if (!known)
      throw new RangeError(`an interface has no "${name}"; it has: ${Object.keys(MEMBERS).join(", ")}`);
    if (!known[0](member)) throw new RangeError(`an interface's ${name} is ${known[1]}`);
  }
  if (!Object.hasOwn(value, "subnetId")) throw new RangeError("an interface needs its subnetId");
  return value as Planting;
}

/** Whose subnet it is; InvalidSubnetID.NotFound when it is nobody's. */
export function placeOf(tables: Tables, { subnetId }: Planting): Place {
  const subnet = tables.subnets.get(subnetId);
  if (!subnet) throw notFound("subnet", [subnetId]);
  return { account: subnet.account, region: subnet.region };
}

/** The interface, attached to something of AWS's. Errors: those of CreateNetworkInterface. */
export function plant(call: Call, what: Planting): InterfaceRow {
  const subnet = call.tables.subnets.own(call, what.subnetId);
  if (!subnet) throw notFound("subnet", [what.subnetId]);
  const { interfaceType: type = "interface", requesterManaged = true } = what;
  const later = (ms: number | undefined) => (ms === undefined ? undefined : call.now + ms);
  const [availableAt, releasedAt] = [later(what.availableAfterMs), later(what.releasedAfterMs)];
  const row = newInterface(call, {
    subnet,
    description: what.description,
    groupIds: groupsFor(call, subnet.vpcId, what.groupIds),
    interfaceType: type,
    ...(requesterManaged ? { requesterId: `amazon-${type === "lambda" ? "lambda" : "aws"}` } : {}),
    attachment: serviceAttachment(call),
  });
  return call.tables.interfaces.put({
    ...row,
    ...(availableAt === undefined ? {} : { availableAt }),
    ...(releasedAt === undefined ? {} : { releasedAt }),
  });
}
