/**
 * Carries changes out in the holder's namespaces. Promises that what it reports as applied is. A namespace whose
 * program failed is torn down with the hosts that hang on it, and is not among what is applied, so that the next
 * attempt builds it anew and everybody else's connections live on.
 */
import { type Changes, changesBetween, teardown } from "./changes.ts";
import { DataPlaneError, type Holder } from "./holder.ts";
import type { Link, Programs } from "./program.ts";

/** How many namespaces are worked on at once: their tools wait for the kernel more than they work. */
const AT_ONCE = 8;

export interface Applied {
  readonly programs: Programs;
  /** What the tools said, by the namespace they failed in. */
  readonly failures: ReadonlyMap<string, string>;
}

/** Rejects with a DataPlaneError when it cannot be told what is applied: the holder is of no more use then. */
export async function apply(holder: Holder, applied: Programs, wanted: Programs): Promise<Applied> {
  const changes = changesBetween(applied, wanted);
  await must(holder, changes.first);
  const failures = await inside(holder, changes.inside);
  const torn = tornBy(failures, wanted);
  await must(holder, [changes.last, ...[...torn].map(teardown)].filter(Boolean).join("\n"));
  return { programs: without(wanted, torn), failures };
}

async function must(holder: Holder, script: string): Promise<void> {
  if (script === "") return;
  const { code, stderr } = await holder.run(`set -e\n${script}\n`);
  if (code !== 0) throw new DataPlaneError(`the kernel's tools refused: ${stderr.trim()}`);
}

async function inside(holder: Holder, todo: Changes["inside"]): Promise<Map<string, string>> {
  const failures = new Map<string, string>();
  for (let at = 0; at < todo.length; at += AT_ONCE) {
    const { stdout } = await holder.run(sideBySide(todo.slice(at, at + AT_ONCE)));
    for (const line of stdout.split("\n").filter(Boolean)) {
      const end = line.indexOf(" ");
      failures.set(line.slice(0, end), line.slice(end + 1).trim());
    }
  }
  return failures;
}

/** One shell for all of them: a process of ours for each would cost as much as the tools do. */
const RUN = `run() {
  said=$(nsenter --net="/run/netns/$1" sh -s 2>&1) || printf '%s %s\\n' "$1" "$(printf %s "$said" | tr '\\n' ' ')"
}
`;

/** Prints a line for each that fails: the namespace, and what its tools said. */
function sideBySide(todo: Changes["inside"]): string {
  const jobs = todo.map(
    ({ namespace, script }) => `run ${namespace} <<'NAMESPACE' &\nset -e\n${script}\nNAMESPACE\n`,
  );
  return `${RUN}${jobs.join("")}wait\n`;
}

/** The namespaces that failed, and the hosts whose router did. */
function tornBy(failures: ReadonlyMap<string, string>, { links }: Programs): ReadonlySet<string> {
  const hangsOn = ({ ends: [router] }: Link) => failures.has(router.namespace);
  const hosts = links.filter((link) => hangsOn(link) && isToHost(link));
  return new Set([...failures.keys(), ...hosts.map(({ ends: [, host] }) => host.namespace)]);
}

/** A host's end of a link is in no group; neither is the internet's, which is nobody's to tear down. */
function isToHost({ key, ends: [, far] }: Link): boolean {
  return far.group === undefined && !key.startsWith("igw ");
}

function without({ namespaces, links }: Programs, torn: ReadonlySet<string>): Programs {
  return {
    namespaces: namespaces.filter(({ name }) => !torn.has(name)),
    links: links.filter(({ ends }) => ends.every(({ namespace }) => !torn.has(namespace))),
  };
}
