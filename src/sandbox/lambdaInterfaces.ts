/**
 * Lambda's interfaces in its users' subnets: one for each subnet and set of groups, shared by all functions that
 * have both. Promises that one is there from the first function that needs it, and goes some time after the last,
 * not before: a function that is detached gives it back to its owner on the way, a function that is deleted
 * without keeps it in use until AWS takes it away.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
 *
 *   in use ──last function detached──▶ … ──▶ available, its owner's to delete ──▶ gone
 *      └─────last function deleted───▶ … ──────────────────────────────────────────▲
 */
import { randomUUID } from "node:crypto";
import { cannotHold, newInterface, serviceAttachment } from "./interfaceRows.ts";
import type { InterfaceRow, SubnetRow } from "./rows.ts";
import type { FailureRow, FunctionRow, FunctionVpcRow } from "./serviceRows.ts";
import type { Call } from "./world.ts";

/** All that functions use now, or will use when their update is done. */
function inUse(call: Call): Set<string> {
  const rows = call.tables.functions.list(call);
  return new Set(rows.flatMap((row) => [...row.interfaceIds, ...(row.update?.interfaceIds ?? [])]));
}

function isOf(row: InterfaceRow, subnetId: string, { groupIds }: FunctionVpcRow): boolean {
  return row.subnetId === subnetId && [...row.groupIds].sort().join() === [...groupIds].sort().join();
}

const FAILURES: Readonly<Record<"noAddresses" | "overQuota", FailureRow>> = {
  noAddresses: {
    code: "SubnetOutOfIPAddresses",
    message: "The function could not be created because a subnet has run out of IP addresses.",
  },
  overQuota: {
    code: "EniLimitExceeded",
    message: "The function could not be created because the limit of network interfaces has been reached.",
  },
};

export interface Attached {
  readonly interfaceIds: readonly string[];
  /** Whether there are new ones among them, which take their time. */
  readonly isNew: boolean;
}

/** The network's interfaces, those that are missing made; or why they cannot be, and none made. */
export function attach(call: Call, name: string, vpc: FunctionVpcRow): Attached | FailureRow {
  const { interfaces, subnets } = call.tables;
  const shared = [...inUse(call)].flatMap((id) => interfaces.get(id) ?? []);
  const found = vpc.subnetIds.map((id) => shared.find((row) => isOf(row, id, vpc)));
  const missing = vpc.subnetIds.flatMap((id, at) => (found[at] ? [] : (subnets.get(id) ?? [])));
  const failure = cannotAttach(call, vpc, missing);
  if (failure) return failure;
  const made = new Map(missing.map((subnet) => [subnet.id, newOne(call, { name, subnet, vpc })]));
  const interfaceIds = vpc.subnetIds.flatMap((id, at) => found[at]?.id ?? made.get(id)?.id ?? []);
  return { interfaceIds, isNew: made.size > 0 };
}

function cannotAttach(call: Call, { vpcId }: FunctionVpcRow, missing: readonly SubnetRow[]) {
  const rows = call.tables.interfaces.list(call);
  const there = rows.filter((row) => row.vpcId === vpcId && row.interfaceType === "lambda").length;
  if (there + missing.length > call.settings.lambdaInterfacesPerVpcQuota) return FAILURES.overQuota;
  const [why] = missing.flatMap((subnet) => cannotHold(call, subnet, 1) ?? []);
  return why && FAILURES[why];
}

function newOne(
  call: Call,
  { name, subnet, vpc }: { name: string; subnet: SubnetRow; vpc: FunctionVpcRow },
): InterfaceRow {
  const own = newInterface(call, {
    subnet,
    description: `AWS Lambda VPC ENI-${name}-${randomUUID()}`,
    groupIds: vpc.groupIds,
    interfaceType: "lambda",
    requesterId: "amazon-lambda",
    attachment: serviceAttachment(call),
  });
  return call.tables.interfaces.put(own);
}

interface Leaving {
  /** When the last function left it. */
  readonly at: number;
  /** Whether it was detached, not deleted. */
  readonly isDetached: boolean;
}

/** Lets go of those that no function uses any more. */
export function release(call: Call, ids: readonly string[], { at, isDetached }: Leaving): void {
  const { lambdaInterfaceDetachMs, lambdaInterfaceReleaseMs } = call.settings;
  const still = inUse(call);
  for (const id of ids) {
    const row = call.tables.interfaces.get(id);
    if (!row || still.has(id)) continue;
    call.tables.interfaces.put({
      ...row,
      ...(isDetached ? { availableAt: at + lambdaInterfaceDetachMs } : {}),
      releasedAt: at + lambdaInterfaceReleaseMs,
    });
  }
}

/** What time alone has brought the caller's functions: an update is done, and what it leaves is let go. */
export function elapseFunctions(call: Call): void {
  for (const row of call.tables.functions.list(call))
    if (row.update && row.update.endsAt <= call.now) finish(call, row, row.update);
}

function finish(call: Call, row: FunctionRow, update: NonNullable<FunctionRow["update"]>): void {
  const { update: _, ...rest } = row;
  const { failure, endsAt, interfaceIds } = update;
  call.tables.functions.put(failure ? { ...rest, updateFailure: failure } : { ...rest, interfaceIds });
  if (!failure) release(call, row.interfaceIds, { at: endsAt, isDetached: true });
}
