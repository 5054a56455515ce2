/**
 * Faults for the generated programs, as a bug of the generator would bring them: what is applied for a topology,
 * and the same with one protection or one way missing. The kernel takes each of them without a complaint.
 */
import type { KernelObject, Namespace, Programs } from "../../src/sandbox/dataplane/program.ts";

export interface ProgramFault {
  readonly name: string;
  /** The programs with the fault in them; the same ones where there is no place for it. */
  readonly into: (programs: Programs) => Programs;
}

/** Every line of a filter as `change` has it; undefined = without the line. */
function inFilters(change: (line: string) => string | undefined): ProgramFault["into"] {
  const changed = (one: Namespace): Namespace => {
    const lines = one.filter.split("\n").flatMap((line) => change(line) ?? []);
    return { ...one, filter: lines.join("\n") };
  };
  return (programs) => ({ ...programs, namespaces: programs.namespaces.map(changed) });
}

function inObjects(change: (all: readonly KernelObject[]) => readonly KernelObject[]): ProgramFault["into"] {
  const changed = (one: Namespace): Namespace => ({ ...one, objects: change(one.objects) });
  return (programs) => ({ ...programs, namespaces: programs.namespaces.map(changed) });
}

const without = (pattern: RegExp) => inFilters((line) => (pattern.test(line) ? undefined : line));

/** Another line before each that matches. */
const before = (pattern: RegExp, added: string) =>
  inFilters((line) => (pattern.test(line) ? `${added}\n${line}` : line));

/** The random entries are numbered below 100; the one that lets the rest through, and the last deny, stay. */
const aclEntriesDropped = inFilters((line) => {
  const number = Number(/comment "acl-\w+ (\d+)"/.exec(line)?.[1] ?? 100);
  return number < 100 ? undefined : line;
});

const groupJumpLeftOut = inFilters((line) =>
  /^ chain e\w+_in \{/.test(line) ? line.replace(/jump \w+_in;/, "") : line,
);

const portsOffByOne = inFilters((line) =>
  line.replace(/dport (\d+)-(\d+) /, (all, from, to) =>
    Number(to) < 65535 ? `dport ${from}-${Number(to) + 1} ` : all,
  ),
);

const ROUTE = /^(route replace .* table )(\d+)$/;

/** A router's tables change places: the routes of each are put into the next one. */
const routesInTheWrongTable = inObjects((objects) => {
  const tableOf = ({ add }: KernelObject) => /^rule add pref 100 .* lookup (\d+)$/.exec(add)?.[1];
  const tables = objects.flatMap((object) => tableOf(object) ?? []);
  return objects.map((object) => {
    const [, what, table = ""] = ROUTE.exec(object.add) ?? [];
    const at = tables.indexOf(table);
    if (what === undefined || at < 0) return object;
    const other = tables[(at + 1) % tables.length] ?? table;
    const remove = object.remove?.replace(/\d+$/, other);
    return { ...object, key: `${object.key} in ${other}`, add: what + other, ...(remove ? { remove } : {}) };
  });
});

const blackholesMissing = inObjects((objects) =>
  objects.filter(({ key, add }) => !(key.startsWith("route ") && add.includes(" blackhole "))),
);

export const PROGRAM_FAULTS: readonly ProgramFault[] = [
  { name: "an ACL's entries left out", into: aclEntriesDropped },
  { name: "a group of an interface left out", into: groupJumpLeftOut },
  { name: "the source check of peerings left out", into: without(/counter name peer_source drop/) },
  { name: "routes in the wrong table", into: routesInTheWrongTable },
  { name: "blackholes left out", into: blackholesMissing },
  { name: "a NAT gateway that keeps the source", into: without(/^ +snat to /) },
  {
    name: "ACLs that remember connections",
    into: before(/iifgroup \. oifgroup @same_subnet accept/, "  ct state established,related accept"),
  },
  { name: "ACLs asked within a subnet", into: without(/iifgroup \. oifgroup @same_subnet accept/) },
  { name: "the destination check left out", into: without(/counter name dstcheck drop/) },
  { name: "a range of ports one too long", into: portsOffByOne },
  { name: "the source check left out", into: without(/counter name spoof drop/) },
];
