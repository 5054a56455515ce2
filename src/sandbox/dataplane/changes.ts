/**
 * From what is applied to what is wanted, object by object, as scripts in the order of applying. Promises that
 * the order fails closed: a new device is down until its router's filter knows it, a filter forgets a device
 * before the device goes, and forwarding is switched on last. What did not change is not touched, so that
 * connections live on.
 *
 *   first    namespaces and links come (down)
 *   inside   each namespace at once: filter ─▶ objects go ─▶ objects come ─▶ sysctls
 *   last     links and namespaces go
 */
import type { KernelObject, Link, LinkEnd, Namespace, Programs } from "./program.ts";

export interface Changes {
  /** A shell script for the holder's own namespace; empty = nothing to do. */
  readonly first: string;
  readonly inside: readonly { readonly namespace: string; readonly script: string }[];
  readonly last: string;
}

export const NOTHING: Programs = { namespaces: [], links: [] };

export function changesBetween(applied: Programs, wanted: Programs): Changes {
  const links = linkChanges(applied.links, wanted.links);
  const before = new Map(applied.namespaces.map((one) => [one.name, one]));
  const after = new Set(wanted.namespaces.map(({ name }) => name));
  const come = wanted.namespaces.filter(({ name }) => !before.has(name));
  const gone = applied.namespaces.filter(({ name }) => !after.has(name)).map(({ name }) => name);
  const stays = ({ ends }: Link) => ends.every(({ namespace }) => !gone.includes(namespace));
  return {
    first: firstScript({ inTheWay: links.inTheWay, come, links: links.come }),
    inside: wanted.namespaces.flatMap((one) => insideScript(before.get(one.name), one, links)),
    last: lastScript(links.gone.filter(stays), gone),
  };
}

interface LinkChanges {
  /** Links to make, those to be made anew among them. */
  readonly come: readonly Link[];
  readonly gone: readonly Link[];
  /** What must go before links come: the former selves of some, and whose devices' names others take. */
  readonly inTheWay: readonly Link[];
  /** The keys of links that come; what stands on them is to be made. */
  readonly unsettled: ReadonlySet<string>;
  /** The keys of links in the way; what stood on them has gone with them. */
  readonly lost: ReadonlySet<string>;
}

function linkChanges(applied: readonly Link[], wanted: readonly Link[]): LinkChanges {
  const before = new Map(applied.map((link) => [link.key, link]));
  const after = new Map(wanted.map((link) => [link.key, link]));
  const isSame = (a: Link, b: Link) => JSON.stringify(a) === JSON.stringify(b);
  const come = wanted.filter((link) => {
    const old = before.get(link.key);
    return !old || !isSame(old, link);
  });
  const unsettled = new Set(come.map(({ key }) => key));
  const taken = new Set(come.flatMap(placesOf));
  const isInTheWay = (link: Link) => placesOf(link).some((place) => taken.has(place));
  const inTheWay = applied.filter(
    (link) => unsettled.has(link.key) || (!after.has(link.key) && isInTheWay(link)),
  );
  const lost = new Set(inTheWay.map(({ key }) => key));
  return {
    come,
    inTheWay,
    gone: applied.filter(({ key }) => !after.has(key) && !lost.has(key)),
    unsettled,
    lost,
  };
}

function placesOf({ ends }: Link): string[] {
  return ends.map(({ namespace, device }) => `${namespace} ${device}`);
}

interface First {
  readonly inTheWay: readonly Link[];
  readonly come: readonly Namespace[];
  readonly links: readonly Link[];
}

function firstScript({ inTheWay, come, links }: First): string {
  const lines = [...come.map(({ name }) => `netns add ${name}`), ...links.map(linkLine)];
  return [...inTheWay.map(unlink), ...(lines.length > 0 ? [batch(lines)] : [])].join("\n");
}

/** One queue each way: two cost a third more time and memory, for nothing. */
function linkLine({ ends: [a, b], mtu }: Link): string {
  const end = ({ namespace, group, macAddress }: LinkEnd) =>
    `netns ${namespace}${group === undefined ? "" : ` group ${group}`} address ${macAddress} mtu ${mtu} numtxqueues 1 numrxqueues 1`;
  return `link add name ${a.device} ${end(a)} type veth peer name ${b.device} ${end(b)}`;
}

/** Either end takes the other with it. */
function unlink({ ends: [one] }: Link): string {
  return `ip -n ${one.namespace} link del dev ${one.device}`;
}

function lastScript(links: readonly Link[], namespaces: readonly string[]): string {
  return [...links.map(unlink), ...namespaces.map(teardown)].join("\n");
}

/** Ends a namespace. What still runs in it would keep it alive without a name; it may end by itself meanwhile. */
export function teardown(namespace: string): string {
  return `for p in $(ip netns pids ${namespace}); do kill -9 $p || true; done; ip netns del ${namespace}`;
}

function insideScript(
  before: Namespace | undefined,
  wanted: Namespace,
  links: LinkChanges,
): Changes["inside"] {
  const had = new Map(before?.objects.map((object) => [object.key, object]));
  const wants = new Set(wanted.objects.map(({ key }) => key));
  const stands = (object: KernelObject) =>
    had.get(object.key)?.add === object.add && !links.unsettled.has(object.link ?? "");
  const gone = [...had.values()].filter(({ key, link }) => !wants.has(key) && !links.lost.has(link ?? ""));
  const come = wanted.objects.filter((object) => !stands(object));
  const lines = [
    ...gone.flatMap(({ remove }) => remove ?? []),
    ...come.flatMap(({ tool, add }) => (tool === "ip" ? [add] : [])),
  ];
  const parts = [
    ...(wanted.filter === (before?.filter ?? "") ? [] : [`nft -f - <<'END'\n${wanted.filter}END`]),
    ...(lines.length > 0 ? [batch(lines)] : []),
    ...come.flatMap(({ tool, add }) => (tool === "sysctl" ? [sysctlLine(add)] : [])),
  ];
  return parts.length > 0 ? [{ namespace: wanted.name, script: parts.join("\n") }] : [];
}

function batch(lines: readonly string[]): string {
  return `ip -batch - <<'END'\n${lines.join("\n")}\nEND`;
}

/** The shell's own `echo`: no program has to start, and /proc/sys/net is that of the namespace of who writes. */
function sysctlLine(add: string): string {
  const at = add.indexOf(" ");
  return `echo ${add.slice(at + 1)} > /proc/sys/${add.slice(0, at)}`;
}
