/**
 * Whether what listens at a URL may tell this process which program to run: it must run on this machine, as this
 * user, and number its processes as we do. Without that, whoever takes a port could run programs as somebody
 * else. Pure judgement of what the kernel lists, and the reading of it.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { CommandError } from "../errors.ts";

export interface Sight {
  readonly url: string;
  /** /proc/net/tcp and /proc/net/tcp6. */
  readonly sockets: readonly string[];
  /** This process's user. */
  readonly uid: number;
}

/** Throws a CommandError when the sandbox is not to be trusted with what runs here. */
export function checkNeighbour({ url, sockets, uid }: Sight): void {
  const { hostname, port } = new URL(url);
  if (!LOOPBACK.test(hostname)) throw elsewhere(`the sandbox at ${url} is on another machine`);
  const owners = sockets.flatMap((text) => listeners(text, Number(port || 80)));
  if (owners.length === 0) throw elsewhere(`the sandbox at ${url} runs in another container or machine`);
  const stranger = owners.find((owner) => owner !== uid);
  if (stranger !== undefined)
    throw new CommandError(
      "forbidden",
      `the sandbox at ${url} is run by another user (uid ${stranger}, and this is uid ${uid})`,
      "Its hosts can be entered by the user that runs it alone.",
    );
}

/** Process ids of another namespace would be other processes here. */
export function checkPidNamespace(theirs: string, ours: string): void {
  if (theirs !== ours) throw elsewhere("the sandbox runs in another container");
}

export function sightOf(url: string): Sight {
  const sockets = ["/proc/net/tcp", "/proc/net/tcp6"].map((file) => {
    try {
      return readFileSync(file, "utf8");
    } catch {
      // Without IPv6 there is no list of its sockets.
      return "";
    }
  });
  return { url, sockets, uid: process.getuid?.() ?? -1 };
}

export const ownPidNamespace = () => readlinkSync("/proc/self/ns/pid");

function elsewhere(message: string): CommandError {
  return new CommandError(
    "invalid",
    message,
    "Hosts are entered where their sandbox runs: run this command there.",
  );
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** https://docs.kernel.org/networking/proc_net_tcp.html: state 0A is LISTEN, the eighth column the user. */
function listeners(text: string, port: number): number[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  return text.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , uid] = line.trim().split(/\s+/);
    return state === "0A" && local.endsWith(`:${hexPort}`) ? [Number(uid)] : [];
  });
}
