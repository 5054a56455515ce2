/**
 * A model of what the data plane's scripts do to a kernel: namespaces, links and what is in them, as they stand
 * after each line. Promises to refuse (throw) what the kernel refuses: to add what is there, to take away what is
 * not, to speak of a device that does not exist.
 */
import type { Changes } from "../changes.ts";
import type { KernelObject, Programs } from "../program.ts";

interface Device {
  /** As the line that made it says. */
  readonly made: string;
  readonly peer: readonly [namespace: string, device: string];
}

interface Space {
  filter: string;
  /** What was added, by the object's key. */
  readonly objects: Map<string, KernelObject>;
  readonly devices: Map<string, Device>;
}

export class KernelModel {
  readonly spaces = new Map<string, Space>();
  readonly #known: readonly Programs[];

  /** What a line means is looked up in these. */
  constructor(...known: readonly Programs[]) {
    this.#known = known;
  }

  apply({ first, inside, last }: Changes): this {
    this.#run(first, "");
    for (const { namespace, script } of inside) this.#run(script, namespace);
    this.#run(last, "");
    return this;
  }

  /** Plain data, to be compared. */
  state(): object {
    const spaces = [...this.spaces].sort(([a], [b]) => (a < b ? -1 : 1));
    return spaces.map(([name, { filter, objects, devices }]) => ({
      name,
      filter,
      objects: [...objects].map(([key, { add }]) => `${key}: ${add}`).sort(),
      devices: [...devices].map(([device, { made }]) => `${device}: ${made}`).sort(),
    }));
  }

  #run(script: string, namespace: string): void {
    const lines = script.split("\n").values();
    for (const line of lines) {
      if (line === "nft -f - <<'END'") this.#space(namespace).filter = hereDocument(lines).join("\n");
      else if (line === "ip -batch - <<'END'")
        for (const one of hereDocument(lines)) this.#ip(one, namespace);
      else if (line.startsWith("echo ")) this.#sysctl(line, namespace);
      else if (line !== "") this.#shell(line);
    }
  }

  #shell(line: string): void {
    const [, from = "", device = ""] = /^ip -n (\S+) link del dev (\S+)$/.exec(line) ?? [];
    const [, gone = ""] = /^for p in .*; ip netns del (\S+)$/.exec(line) ?? [];
    if (device !== "") this.#unlink(from, device);
    else if (gone !== "") this.#end(gone);
    else throw new Error(`not understood: ${line}`);
  }

  #end(namespace: string): void {
    for (const device of this.#space(namespace).devices.keys()) this.#unlink(namespace, device);
    this.spaces.delete(namespace);
  }

  #unlink(namespace: string, device: string): void {
    const found = this.#space(namespace).devices.get(device);
    if (!found) throw new Error(`Cannot find device "${device}" in ${namespace}`);
    for (const [space, name] of [[namespace, device] as const, found.peer]) {
      const { devices, objects } = this.#space(space);
      devices.delete(name);
      for (const [key, { add }] of objects) if (speaksOf(add, name)) objects.delete(key);
    }
  }

  #ip(line: string, namespace: string): void {
    const [, added] = /^netns add (\S+)$/.exec(line) ?? [];
    if (added !== undefined) this.#begin(added);
    else if (line.startsWith("link add ")) this.#link(line);
    else this.#object(line, namespace);
  }

  #begin(namespace: string): void {
    if (this.spaces.has(namespace)) throw new Error(`netns ${namespace}: File exists`);
    this.spaces.set(namespace, { filter: "", objects: new Map(), devices: new Map() });
  }

  #link(line: string): void {
    const ends = [...line.matchAll(/name (\S+) (netns (\S+).*?)(?= type veth|$)/g)].map(
      ([, device = "", made = "", namespace = ""]) => ({ device, made, namespace }),
    );
    const [a, b] = ends;
    if (!a || !b) throw new Error(`not understood: ${line}`);
    this.#attach(a, b);
    this.#attach(b, a);
  }

  #attach(end: End, other: End): void {
    const { devices } = this.#space(end.namespace);
    if (devices.has(end.device)) throw new Error(`${end.device} in ${end.namespace}: File exists`);
    devices.set(end.device, { made: end.made, peer: [other.namespace, other.device] });
  }

  #object(line: string, namespace: string): void {
    const { objects, devices } = this.#space(namespace);
    const known = this.#known.flatMap(({ namespaces }) =>
      namespaces.filter(({ name }) => name === namespace).flatMap((one) => one.objects),
    );
    const added = known.find(({ add }) => add === line);
    const removed = [...objects.values()].find(({ remove }) => remove === line);
    if (removed) return void objects.delete(removed.key);
    if (!added) throw new Error(`${namespace}: nothing is taken away by: ${line}`);
    const [, device] = / dev (\S+)/.exec(line) ?? [];
    if (device !== undefined && device !== "lo" && !devices.has(device))
      throw new Error(`Cannot find device "${device}" in ${namespace}: ${line}`);
    if (objects.has(added.key) && !/ (replace|set) /.test(line)) throw new Error(`File exists: ${line}`);
    objects.set(added.key, added);
  }

  #sysctl(line: string, namespace: string): void {
    const [, value = "", name = ""] = /^echo (.*) > \/proc\/sys\/(\S+)$/.exec(line) ?? [];
    const [, device = "all"] = /^net\/ipv4\/conf\/([^/]+)\//.exec(name) ?? [];
    const { objects, devices } = this.#space(namespace);
    if (device !== "all" && !devices.has(device))
      throw new Error(`${namespace}: nonexistent directory: ${line}`);
    objects.set(`sysctl ${name}`, { key: `sysctl ${name}`, tool: "sysctl", add: `${name} ${value}` });
  }

  #space(namespace: string): Space {
    const space = this.spaces.get(namespace);
    if (!space) throw new Error(`Cannot open network namespace "${namespace}"`);
    return space;
  }
}

interface End {
  readonly device: string;
  readonly made: string;
  readonly namespace: string;
}

function hereDocument(lines: Iterator<string>): string[] {
  const document: string[] = [];
  for (let next = lines.next(); !next.done && next.value !== "END"; next = lines.next())
    document.push(next.value);
  return document;
}

/** Addresses, routes, neighbours and settings of a device go with it. */
function speaksOf(add: string, device: string): boolean {
  return (
    add.includes(` dev ${device} `) || add.endsWith(` dev ${device}`) || add.includes(`/conf/${device}/`)
  );
}
