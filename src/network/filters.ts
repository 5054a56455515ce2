/**
 * Groups and the ACL: what lets packets through. Both are held to exactly what is desired: a rule somebody
 * deleted comes back, a rule somebody added goes.
 */
import type { Rule } from "../domain/steps.ts";
import type { AclEntry, SeenGroup, SeenRule } from "../domain/world.ts";
import type { Desired, DesiredGroup } from "./desired.ts";
import { type Draft, made, type Sight } from "./sight.ts";

interface FilterInput {
  readonly desired: Desired;
  readonly sight: Sight;
  readonly draft: Draft;
}

export function buildGroups({ desired, sight, draft }: FilterInput, vpcId: string): void {
  for (const group of desired.groups) {
    const found = findGroup({ sight, draft }, group, vpcId);
    if (found) buildRules({ sight, draft }, group, found);
  }
}

function findGroup(
  { sight, draft }: Omit<FilterInput, "desired">,
  group: DesiredGroup,
  vpcId: string,
): SeenGroup | null {
  const { key, name, description } = group;
  const looked = sight.look(
    sight.world.groups.filter((one) => one.vpcId === vpcId),
    key,
  );
  if (key !== "group/default")
    return made(draft, looked, { do: "createGroup", key, vpcId, name, description });
  if (looked.is === "seen") return looked.thing;
  draft.waiting({ resource: key, message: "comes with the VPC; AWS does not show it yet" });
  return null;
}

function buildRules(
  { sight, draft }: Omit<FilterInput, "desired">,
  group: DesiredGroup,
  found: SeenGroup,
): void {
  const before = draft.moves.length;
  const extra = found.rules.filter((rule) => !group.rules.some((wanted) => sameRule(wanted, rule)));
  const held = group.key === "group/peers" && routedPastWish(sight, draft);
  for (const egress of [false, true]) {
    const rules = group.rules.filter(
      (wanted) => wanted.egress === egress && !found.rules.some((rule) => sameRule(wanted, rule)),
    );
    const ruleIds = extra.filter((rule) => rule.egress === egress).map(({ ruleId }) => ruleId);
    const place = { key: group.key, groupId: found.id, egress };
    if (ruleIds.length > 0 && !held) draft.move({ do: "revokeRules", ...place, ruleIds });
    if (rules.length > 0) draft.move({ do: "authorizeRules", ...place, rules });
  }
  const resource = { resource: group.key, id: found.id };
  if (draft.moves.length > before)
    draft.waiting({ ...resource, message: "its rules are being set", actor: "letsdata" });
  else if (held && extra.length > 0)
    draft.waiting({ ...resource, message: "its rules go after the routes", actor: "letsdata" });
  else draft.ready({ ...resource, message: rulesSaid(group.rules.length) });
}

function rulesSaid(count: number): string {
  if (count === 0) return "no rule: nothing passes";
  return count === 1 ? "1 rule" : `${count} rules`;
}

/**
 * Routes go before rules when a peering ends: as long as a route is about to be deleted in this pass, the
 * peers' rules stay.
 */
function routedPastWish(sight: Sight, draft: Draft): boolean {
  const dropped = new Set(
    draft.moves.flatMap(({ step }) =>
      step.do === "deleteRoute" ? [`${step.tableId} ${step.destination}`] : [],
    ),
  );
  return sight.world.routeTables.some((table) =>
    table.routes.some(
      ({ destination, targetId }) => targetId.startsWith("pcx-") && dropped.has(`${table.id} ${destination}`),
    ),
  );
}

function sameRule(a: Rule, b: Rule | SeenRule): boolean {
  return (
    a.egress === b.egress &&
    a.protocol === b.protocol &&
    a.fromPort === b.fromPort &&
    a.toPort === b.toPort &&
    a.source === b.source
  );
}

export function buildAcl({ desired, sight, draft }: FilterInput, vpcId: string): void {
  const key = "acl/default";
  const acl = sight.world.acls.find((candidate) => candidate.vpcId === vpcId && candidate.isDefault);
  if (!acl) {
    draft.waiting({ resource: key, message: "comes with the VPC; AWS does not show it yet" });
    return;
  }
  const before = draft.moves.length;
  const at = (entry: AclEntry) =>
    acl.entries.find(({ number, egress }) => number === entry.number && egress === entry.egress);
  for (const entry of desired.acl) {
    const there = at(entry);
    if (!there) draft.move({ do: "createAclEntry", key, aclId: acl.id, entry });
    else if (!sameEntry(entry, there)) draft.move({ do: "replaceAclEntry", key, aclId: acl.id, entry });
  }
  for (const { number, egress } of acl.entries)
    if (!desired.acl.some((entry) => entry.number === number && entry.egress === egress))
      draft.move({ do: "deleteAclEntry", key, aclId: acl.id, number, egress });
  const resource = { resource: key, id: acl.id };
  if (draft.moves.length > before)
    draft.waiting({ ...resource, message: "its entries are being set", actor: "letsdata" });
  else draft.ready({ ...resource, message: "TCP and path-MTU discovery only" });
}

function sameEntry(a: AclEntry, b: AclEntry): boolean {
  return (
    a.protocol === b.protocol &&
    a.action === b.action &&
    a.cidr === b.cidr &&
    a.ports?.from === b.ports?.from &&
    a.ports?.to === b.ports?.to &&
    a.icmp?.type === b.icmp?.type &&
    a.icmp?.code === b.icmp?.code
  );
}
