/**
 * The words of what is applied to the kernel: namespaces, the links between them, and what each namespace's
 * tools are told, as text. Plain data, so that it can be compared, mutated and read by a person.
 */

/** Everything, in no order: the order of applying is that of changes.ts. */
export interface Programs {
  readonly namespaces: readonly Namespace[];
  readonly links: readonly Link[];
}

export interface Namespace {
  readonly name: string;
  /** All of its packet filter: one table, replaced whole. Empty = none. */
  readonly filter: string;
  readonly objects: readonly KernelObject[];
}

/** One thing that a tool puts there, with the words that put it there and, where that is needed, take it away. */
export interface KernelObject {
  /** What it is, whatever its value: two objects of a namespace never have the same. */
  readonly key: string;
  /** `ip`: a line for `ip -batch`; `sysctl`: a file below /proc/sys and its value, `net/ipv4/ip_forward 1`. */
  readonly tool: "ip" | "sysctl";
  readonly add: string;
  /** A line for `ip -batch`; without it the object stays, or goes with its link. */
  readonly remove?: string;
  /** The link it stands on: the object goes with it, and has to be made again when the link is. */
  readonly link?: string;
}

/** A pair of virtual Ethernet devices between two namespaces. */
export interface Link {
  /** Unlike any other link's. */
  readonly key: string;
  readonly ends: readonly [LinkEnd, LinkEnd];
  readonly mtu: number;
}

export interface LinkEnd {
  readonly namespace: string;
  /** At most 15 characters. */
  readonly device: string;
  readonly macAddress: string;
  /** Of interfaces in a router: see names.ts. */
  readonly group?: number;
}
