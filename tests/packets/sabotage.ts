/**
 * Protections taken away: the programs of the data plane with a rule cut out or put otherwise, before they reach
 * the kernel. Whether anything was changed is looked at by who applies them (packetNetwork.ts): a cut that misses
 * proves nothing.
 */
import type { Namespace, Programs } from "../../src/sandbox/dataplane/program.ts";

/** What becomes of the programs on their way to the kernel. */
export type Sabotage = (programs: Programs) => Programs;

export const unharmed: Sabotage = (programs) => programs;

/** One after the other. */
export function all(...sabotages: readonly Sabotage[]): Sabotage {
  return (programs) => sabotages.reduce((harmed, one) => one(harmed), programs);
}

function inNamespace(name: string, change: (namespace: Namespace) => Namespace): Sabotage {
  return ({ namespaces, links }) => ({
    namespaces: namespaces.map((one) => (one.name === name ? change(one) : one)),
    links,
  });
}

/** Every line of the namespace's filter that has these words in it goes. */
export function withoutRule(namespace: string, words: string): Sabotage {
  return inNamespace(namespace, (one) => ({
    ...one,
    filter: one.filter
      .split("\n")
      .filter((line) => !line.includes(words))
      .join("\n"),
  }));
}

export function reworded(namespace: string, from: string | RegExp, to: string): Sabotage {
  return inNamespace(namespace, (one) => ({ ...one, filter: one.filter.replace(from, to) }));
}

/** The object of that key is not put there. */
export function withoutObject(namespace: string, key: string): Sabotage {
  return inNamespace(namespace, (one) => ({
    ...one,
    objects: one.objects.filter((object) => object.key !== key),
  }));
}

/** `net/ipv4/ip_forward`, with a value of its own. */
export function withSysctl(namespace: string, name: string, value: number): Sabotage {
  return inNamespace(namespace, (one) => ({
    ...one,
    objects: one.objects.map((object) =>
      object.key === `sysctl ${name}` ? { ...object, add: `${name} ${value}` } : object,
    ),
  }));
}
