/**
 * The picture of a tenant's addresses: pool → tenant range → the blocks in it, with numbers. Pure data for
 * `letsdata ranges list` and `view`. Promises that the blocks under a tenant range tile it exactly: used,
 * resting, excluded and free add up to its addresses. It reads nothing and decides nothing.
 */
import { addressCount, type Cidr, compareCidrs, contains } from "../domain/cidr.ts";
import type { DatasetRange, RangeState, TenantRange } from "../domain/model.ts";
import { collisions, freeBlocks, type Held, heldText } from "./ipam.ts";

/** Numbers of addresses. Those of a pool count the tenant ranges shown in it, not the whole pool. */
export interface Usage {
  readonly addresses: number;
  readonly used: number;
  readonly quarantined: number;
  /** Kept out of use by exclusions or the tenant's own networks. */
  readonly excluded: number;
  readonly free: number;
  /** Used of all, 0 to 100, one decimal. */
  readonly percentUsed: number;
}

export type RangeNodeKind = "pool" | "tenantRange" | "datasetRange" | "free" | "excluded";

export interface RangeNode {
  readonly kind: RangeNodeKind;
  /** That of the block; a pool or tenant range shown here counts as used. */
  readonly state: RangeState | "free" | "excluded";
  readonly cidr: Cidr;
  /** What a user reads beside the block; empty for free ones and tenant ranges. */
  readonly label: string;
  readonly datasetId: string | null;
  readonly datasetName: string | null;
  /** When a quarantined block comes back, epoch milliseconds. */
  readonly freeAt: number | null;
  /** Of a used block: closed blocks that were declared after it was given. */
  readonly collidesWith: readonly Held[];
  readonly usage: Usage;
  readonly children: readonly RangeNode[];
}

export interface RangeFacts {
  readonly addressSpace: readonly Cidr[];
  readonly tenantRanges: readonly TenantRange[];
  /** Used and quarantined. */
  readonly datasetRanges: readonly DatasetRange[];
  readonly closed: readonly Held[];
}

/** The pools that hold any of the tenant ranges, lowest first. */
export function rangeTree(facts: RangeFacts): RangeNode[] {
  const nodes = facts.tenantRanges.map((range) => tenantNode(range.cidr, facts));
  const homeless = nodes.filter(({ cidr }) => !facts.addressSpace.some((pool) => contains(pool, cidr)));
  const pools = facts.addressSpace.map((pool) => poolNode(pool, "", nodesIn(pool, nodes)));
  const former = homeless.map((node) => poolNode(node.cidr, "no longer in the address space", [node]));
  return [...pools, ...former].filter(({ children }) => children.length > 0).sort(byAddress);
}

function nodesIn(pool: Cidr, nodes: readonly RangeNode[]): RangeNode[] {
  return nodes.filter(({ cidr }) => contains(pool, cidr)).sort(byAddress);
}

function byAddress(a: RangeNode, b: RangeNode): number {
  return compareCidrs(a.cidr, b.cidr);
}

function poolNode(cidr: Cidr, label: string, children: readonly RangeNode[]): RangeNode {
  return { ...plain({ kind: "pool", state: "used", cidr }), label, usage: summed(children), children };
}

function tenantNode(cidr: Cidr, facts: RangeFacts): RangeNode {
  const mine = facts.datasetRanges.filter((range) => contains(cidr, range.cidr));
  const taken = mine.map((range) => range.cidr);
  const free = freeBlocks(cidr, [...taken, ...facts.closed.map((held) => held.cidr)]);
  // What is neither taken nor free is excluded: so the parts tile the range, however closed blocks overlap each other.
  const shut = freeBlocks(cidr, [...taken, ...free]);
  const children = [
    ...mine.map((range) => datasetNode(range, facts.closed)),
    ...free.map((block) => plain({ kind: "free", state: "free", cidr: block })),
    ...shut.map((block) => excludedNode(block, facts.closed)),
  ].sort(byAddress);
  return { ...plain({ kind: "tenantRange", state: "used", cidr }), usage: summed(children), children };
}

function datasetNode(range: DatasetRange, closed: readonly Held[]): RangeNode {
  const { cidr, state, datasetId, datasetName, freeAt } = range;
  return {
    ...plain({ kind: "datasetRange", state, cidr }),
    label: state === "used" ? `dataset ${datasetName}` : `resting, was dataset ${datasetName}`,
    datasetId,
    datasetName,
    freeAt,
    collidesWith: state === "used" ? collisions(cidr, closed) : [],
  };
}

function excludedNode(cidr: Cidr, closed: readonly Held[]): RangeNode {
  return {
    ...plain({ kind: "excluded", state: "excluded", cidr }),
    label: heldText(collisions(cidr, closed)),
  };
}

function plain(block: Pick<RangeNode, "kind" | "state" | "cidr">): RangeNode {
  return {
    ...block,
    label: "",
    datasetId: null,
    datasetName: null,
    freeAt: null,
    collidesWith: [],
    usage: usageOf(block.state, addressCount(block.cidr)),
    children: [],
  };
}

function usageOf(state: RangeNode["state"], addresses: number): Usage {
  const of = (wanted: RangeNode["state"]) => (state === wanted ? addresses : 0);
  return withPercent({
    addresses,
    used: of("used"),
    quarantined: of("quarantined"),
    excluded: of("excluded"),
    free: of("free"),
  });
}

function summed(nodes: readonly RangeNode[]): Usage {
  const total = (field: keyof Usage) => nodes.reduce((sum, { usage }) => sum + usage[field], 0);
  return withPercent({
    addresses: total("addresses"),
    used: total("used"),
    quarantined: total("quarantined"),
    excluded: total("excluded"),
    free: total("free"),
  });
}

function withPercent(usage: Omit<Usage, "percentUsed">): Usage {
  const share = usage.addresses === 0 ? 0 : usage.used / usage.addresses;
  return { ...usage, percentUsed: Math.round(share * 1000) / 10 };
}
