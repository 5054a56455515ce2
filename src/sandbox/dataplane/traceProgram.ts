/**
 * What is put beside a namespace's own filter to follow one packet, and what the kernel says of it afterwards, as
 * text. The table accepts everything: at each stage of routerFilter.ts it notes between which devices the packet
 * was there. Promises to see that packet alone, by its source port or its echo id, whatever else passes.
 */

/** The packet's own way, and its answer's. */
export type Way = "go" | "back";

/**
 * The stages in the order a packet passes them, each just after the one of routerFilter.ts that it is named for:
 * a packet that is seen at one and not at the next was dropped in between.
 */
export const STAGES = {
  entered: "prerouting priority -310",
  routed: "prerouting priority -140",
  forwarded: "forward priority -31",
  edge: "forward priority -25",
  acl_out: "forward priority -15",
  acl_in: "forward priority -5",
  group_out: "forward priority 5",
  group_in: "forward priority 15",
  left: "postrouting priority 200",
  /** Addressed to the namespace itself, before and after its own filter. */
  asked: "input priority -310",
  taken: "input priority 310",
} as const;

export type Stage = keyof typeof STAGES;

/** One packet: TCP's or UDP's ports, or an echo request's id as `tag`. */
export interface Packet {
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly port: number | undefined;
  readonly tag: number;
}

export function traceTable({ tag }: Packet): string {
  return `trace_${tag}`;
}

const WAYS: readonly Way[] = ["go", "back"];

export function traceProgram(packet: Packet): string {
  const stages = Object.entries(STAGES).flatMap(([stage, hook]) => [
    ...WAYS.map((way) => ` set ${stage}_${way} { type ifname . ifname; size 4096; flags dynamic; }`),
    ` chain at_${stage} { type filter hook ${hook}; policy accept;`,
    ...WAYS.map((way) => `  ${matching(packet, way)} update @${stage}_${way} { iifname . oifname counter }`),
    " }",
  ]);
  return [`table inet ${traceTable(packet)} {`, ...stages, "}", ""].join("\n");
}

/** The packet, and on the way back what answers it. */
function matching({ protocol, port, tag }: Packet, way: Way): string {
  const isGo = way === "go";
  if (protocol === "icmp") return `icmp type ${isGo ? "echo-request" : "echo-reply"} icmp id ${tag}`;
  const [source, destination] = isGo ? [tag, port] : [port, tag];
  return `${protocol} sport ${source} ${protocol} dport ${destination}`;
}

/** Where a packet was seen. */
export interface Sighting {
  readonly namespace: string;
  readonly stage: Stage;
  readonly way: Way;
  /** Devices; empty where there is none, as before the route is known. */
  readonly from: string;
  readonly to: string;
}

/** What counted since when: rules by chain and comment, drops by name. */
export interface Counters {
  readonly rules: ReadonlyMap<string, number>;
  readonly drops: ReadonlyMap<string, number>;
}

interface ListedObject {
  readonly set?: { readonly name: string; readonly elem?: readonly ListedElement[] };
  readonly rule?: {
    readonly chain: string;
    readonly comment?: string;
    readonly expr: readonly ListedCounter[];
  };
  readonly counter?: { readonly name: string; readonly packets: number };
}
interface ListedElement {
  readonly elem?: { readonly val?: { readonly concat?: readonly string[] } };
}
interface ListedCounter {
  readonly counter?: string | { readonly packets?: number };
}

/** Objects as `nft -j list table` prints them. */
function listed(json: string): readonly ListedObject[] {
  return (JSON.parse(json) as { readonly nftables: readonly ListedObject[] }).nftables;
}

export function sightingsIn(namespace: string, json: string): Sighting[] {
  return listed(json).flatMap(({ set }) => {
    const [, stage, way] = /^(\w+)_(go|back)$/.exec(set?.name ?? "") ?? [];
    if (!set || !stage || !way) return [];
    return (set.elem ?? []).map((element) => {
      const [from = "", to = ""] = element.elem?.val?.concat ?? [];
      return { namespace, stage: stage as Stage, way: way as Way, from, to };
    });
  });
}

export function countersIn(json: string): Counters {
  const objects = listed(json);
  const rules = objects.flatMap(({ rule }): [string, number][] =>
    rule?.comment === undefined ? [] : [[`${rule.chain} ${rule.comment}`, packetsOf(rule.expr)]],
  );
  const drops = objects.flatMap(({ counter }): [string, number][] =>
    counter ? [[counter.name, counter.packets]] : [],
  );
  return { rules: new Map(rules), drops: new Map(drops) };
}

/** A rule may have a counter of its own beside one by name. */
function packetsOf(expressions: readonly ListedCounter[]): number {
  const own = expressions.find(({ counter }) => typeof counter === "object")?.counter;
  return typeof own === "object" ? (own.packets ?? 0) : 0;
}

/** What moved between two looks; undefined when the table was replaced meanwhile, which starts its counters anew. */
export function moved(before: Counters, after: Counters): Counters | undefined {
  const rules = differences(before.rules, after.rules);
  const drops = differences(before.drops, after.drops);
  return rules && drops && { rules, drops };
}

function differences(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>) {
  const all = [...after].map(([name, packets]): [string, number] => [
    name,
    packets - (before.get(name) ?? 0),
  ]);
  if (all.some(([, packets]) => packets < 0)) return undefined;
  return new Map(all.filter(([, packets]) => packets > 0));
}
