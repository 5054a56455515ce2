/**
 * The address plan of one tenant as a flat list, depth first: pool, tenant range, block. Another tenant's
 * blocks and names are not in it.
 */
import type { AnswerOf } from "../contract/operations.ts";
import { tenantRangeTree } from "../control/addresses.ts";
import { addressCount, type Cidr, contains, overlaps } from "../domain/cidr.ts";
import { Failure } from "../domain/failure.ts";
import type { Tenant } from "../domain/model.ts";
import type { Handlers } from "./call.ts";
import { isoOrNull } from "./moments.ts";
import { pageOf, pageRequest } from "./paging.ts";

type RangeUse = AnswerOf<"ranges.release">;
type Node = Awaited<ReturnType<typeof tenantRangeTree>>[number];

export const rangeHandlers: Handlers<"ranges.list" | "ranges.view" | "ranges.release"> = {
  async "ranges.list"({ store }, { tenant, query }) {
    const rows = flat(await tenantRangeTree(store, tenant), tenant);
    const page = pageOf(rows, pageRequest(query), keyOf);
    const notes = rows.length === 0 ? { notes: [NONE_YET] } : {};
    return { items: [...page.items], nextCursor: page.nextCursor, ...notes };
  },

  async "ranges.view"({ store }, { tenant, query }) {
    const rows = within(flat(await tenantRangeTree(store, tenant), tenant), query.cidrBlock);
    if (rows.length === 0) throw nothingIn(query.cidrBlock, tenant);
    const page = pageOf(rows, pageRequest(query), keyOf);
    return { items: [...page.items], nextCursor: page.nextCursor };
  },

  async "ranges.release"({ intent }, { actor, tenant, body }) {
    const { cidr } = await intent.endQuarantine(actor, tenant.id, body.cidrBlock);
    return {
      cidrBlock: cidr,
      kind: "free",
      state: "free",
      tenantName: null,
      datasetName: null,
      freeDatetime: null,
      addresses: addressCount(cidr),
      usedAddresses: 0,
      depth: 2,
      note: null,
    };
  },
};

const NONE_YET = "The tenant has no range yet: its first dataset with a VPC takes one.";

function nothingIn(block: Cidr, tenant: Tenant): Failure {
  return new Failure("notFound", `Tenant ${tenant.name} has nothing in ${block}`, {
    hint: "See: letsdata ranges list",
  });
}

function keyOf({ kind, cidrBlock }: RangeUse): string {
  return `${kind} ${cidrBlock}`;
}

export function flat(nodes: readonly Node[], tenant: Tenant, depth = 0): RangeUse[] {
  return nodes.flatMap((node) => [rangeUse(node, tenant, depth), ...flat(node.children, tenant, depth + 1)]);
}

/** What lies in the block, with the smallest blocks that hold it when it is itself part of one. */
export function within(rows: readonly RangeUse[], block: Cidr): RangeUse[] {
  const inside = rows.filter(({ cidrBlock }) => contains(block, cidrBlock as Cidr));
  if (inside.length > 0) return inside;
  const deepest = Math.max(
    0,
    ...rows.filter((row) => overlaps(row.cidrBlock as Cidr, block)).map(({ depth }) => depth),
  );
  return rows.filter((row) => row.depth === deepest && contains(row.cidrBlock as Cidr, block));
}

function rangeUse(node: Node, tenant: Tenant, depth: number): RangeUse {
  return {
    cidrBlock: node.cidr,
    kind: node.kind,
    state: node.state,
    tenantName: node.kind === "pool" || node.kind === "excluded" ? null : tenant.name,
    datasetName: node.datasetName,
    freeDatetime: isoOrNull(node.freeAt),
    addresses: addressCount(node.cidr),
    usedAddresses: node.usage.used,
    depth,
    note: noteOf(node),
  };
}

/** Of a used block the columns say it all, unless it collides. */
function noteOf({ label, collidesWith, kind, state }: Node): string | null {
  if (collidesWith.length > 0)
    return `collides with ${collidesWith.map((held) => `${held.cidr} (${held.label})`).join(" and ")}`;
  return label === "" || (kind === "datasetRange" && state === "used") ? null : label;
}
