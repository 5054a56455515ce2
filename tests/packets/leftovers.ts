/**
 * What a data plane could leave behind on this machine when its process dies: processes, namespaces, links and
 * mounts. Promises to look at the kernel's own lists, and at nothing that the data plane says of itself. A process
 * is one of its when it is of the session it was started in, whoever its parent is by now, or was in one of its
 * namespaces. (Namespaces themselves bear numbers that the kernel gives again at once.)
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What is there of this machine's own; nothing of a sandbox may ever be among it. */
export function outside(): readonly string[] {
  const named = existsSync("/run/netns") ? readdirSync("/run/netns").map((name) => `namespace ${name}`) : [];
  const links = lines("/proc/net/dev").flatMap((line) => {
    const name = /^\s*(\S+):/.exec(line)?.[1];
    return name === undefined ? [] : [`link ${name}`];
  });
  const mounts = lines("/proc/mounts").flatMap((line) => {
    const [, place = "", kind = ""] = line.split(" ");
    return kind === "nsfs" || /^\/(run|proc)\b/.test(place) ? [`mount ${place}`] : [];
  });
  return [...named, ...links, ...mounts].sort();
}

function lines(file: string): string[] {
  return readFileSync(file, "utf8").trim().split("\n");
}

const KINDS = ["net", "mnt", "pid", "user"] as const;

/** A session, and who was in it or in one of its namespaces at a moment: when each began, by process id. */
export interface Family {
  readonly session: number;
  readonly members: ReadonlyMap<string, string>;
}

export function familyOf(session: number): Family {
  const own = new Set(spacesOf("self"));
  const all = processes();
  const inSession = all.filter((pid) => statOf(pid)?.session === session);
  const spaces = new Set(inSession.flatMap(spacesOf).filter((space) => !own.has(space)));
  const members = all.filter(
    (pid) => inSession.includes(pid) || spacesOf(pid).some((one) => spaces.has(one)),
  );
  return { session, members: new Map(members.map((pid) => [pid, statOf(pid)?.began ?? ""])) };
}

/** One line for each process that is left of it. */
export function processesLeft({ session, members }: Family): string[] {
  const left = processes().filter((pid) => {
    const stat = statOf(pid);
    return stat && (stat.session === session || stat.began === members.get(pid));
  });
  return left.map((pid) => `process ${pid} ${seen(() => readFileSync(`/proc/${pid}/comm`, "utf8").trim())}`);
}

/** The first process of the session's PID namespace, once there is one. */
export function firstProcess(session: number): number | undefined {
  const isFirst = (pid: string) =>
    /^NSpid:\t\d+\t1$/m.test(seen(() => readFileSync(`/proc/${pid}/status`, "utf8")));
  const found = processes().find((pid) => statOf(pid)?.session === session && isFirst(pid));
  return found === undefined ? undefined : Number(found);
}

function processes(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
}

interface Stat {
  readonly session: number;
  readonly began: string;
}

/** None of one that is dead and not yet waited for: it holds nothing any more. See proc_pid_stat(5). */
function statOf(pid: string): Stat | undefined {
  const text = seen(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, , , session] = fields;
  return !session || state === "Z" || state === "X"
    ? undefined
    : { session: Number(session), began: fields[19] ?? "" };
}

function spacesOf(pid: string): string[] {
  return KINDS.map((kind) => seen(() => readlinkSync(`/proc/${pid}/ns/${kind}`))).filter(Boolean);
}

/** Empty when the process ends meanwhile, or is somebody else's. */
function seen(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
