/**
 * Subnets and groups that a service (MSK, Lambda) is given to put its interfaces into: looked up among what the
 * caller has, and refused in the service's words.
 */
import type { AwsError } from "./errors.ts";
import type { SubnetRow } from "./rows.ts";
import { seen } from "./visibility.ts";
import type { Call } from "./world.ts";

export interface NetworkRefusals {
  subnet(message: string): AwsError;
  group(message: string): AwsError;
}

/** In the order asked for: all there, each once, and of one VPC. */
export function subnetsAsked(
  call: Call,
  ids: readonly string[],
  { subnet: refused }: NetworkRefusals,
): SubnetRow[] {
  const all = new Map(seen(call, call.tables.subnets.list(call)).map((row) => [row.id, row]));
  const rows = ids.map((id) => {
    const row = all.get(id);
    if (!row) throw refused(`The subnet ID '${id}' does not exist.`);
    return row;
  });
  if (new Set(ids).size < ids.length) throw refused("A subnet is named more than once.");
  const [first, ...rest] = rows;
  const stranger = rest.find(({ vpcId }) => vpcId !== first?.vpcId);
  if (stranger) throw refused(`The subnets ${first?.id} and ${stranger.id} are of different VPCs.`);
  return rows;
}

interface GroupsAsked {
  readonly vpcId: string;
  readonly ids: readonly string[];
}

/** Each once: all there, all of that VPC, and no more than an interface may have. */
export function groupsAsked(
  call: Call,
  { vpcId, ids }: GroupsAsked,
  { group: refused }: NetworkRefusals,
): string[] {
  const all = new Map(seen(call, call.tables.securityGroups.list(call)).map((row) => [row.id, row]));
  for (const id of ids) {
    const row = all.get(id);
    if (!row) throw refused(`The security group '${id}' does not exist.`);
    if (row.vpcId !== vpcId) throw refused(`The security group '${id}' is not of the subnets' VPC ${vpcId}.`);
  }
  const different = [...new Set(ids)];
  const quota = call.settings.groupsPerInterfaceQuota;
  if (different.length > quota) throw refused(`No more than ${quota} security groups may be given.`);
  return different;
}
