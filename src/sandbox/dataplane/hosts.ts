/**
 * What a command finds in a host beside its network: the host's own hostname, `/etc/hosts` and
 * `/etc/resolv.conf`, and `node` where the machine has none. Pure: it makes the command line. Folder and
 * environment stay the caller's. A host shares this machine's files, and what is written there is written with
 * the sandbox's own rights; a command has no capability but that of raw sockets, whoever runs the sandbox.
 *
 *   nsenter (network, PID, mounts) ─▶ unshare (mounts, hostname) ─▶ sh, which prepares ─▶ setpriv ─▶ COMMAND
 */
import path from "node:path";
import { privateDnsName, privateDomain } from "../hostnames.ts";
import { TOOLS_PATH } from "./holder.ts";
import { RESOLVER_ADDRESS } from "./names.ts";
import type { Topology } from "./topology.ts";

/** A host's own folder, on the holder's file system: it ends with the namespaces. */
export function hostFolder(id: string): string {
  return `/run/hosts/${id}`;
}

/** What tells one host from another. */
export interface HostIdentity {
  /** Its namespace's name. */
  readonly id: string;
  readonly hostname: string;
  /** Of the primary interface; the internet's host has no one address. */
  readonly address?: string;
  /** What short names are completed with; without it there is no resolver. */
  readonly domain?: string;
}

/** The host of that id, as the topology has it; any other namespace is called what it is called. */
export function identityOf({ routers, hosts }: Topology, id: string): HostIdentity {
  const host = hosts.find((one) => one.id === id);
  const router = routers.find((one) => one.id === host?.vpcId);
  const port = router?.ports.find((one) => one.hostId === id);
  if (!router || !port) return { id, hostname: id };
  const hostname = privateDnsName(router.region, port.privateIp);
  return { id, hostname, address: port.privateIp, domain: privateDomain(router.region) };
}

/**
 * Raw sockets are the one capability that is left: distributions give it to `ping` as a file's own, and a program
 * whose file has a capability that is out of bounds does not start at all. The router's source check holds against
 * what they send, as it does in AWS.
 *
 * Where a host's own file is not there to be covered (a link into `/run`, which is empty here), it is made; where
 * that is not possible either, the command runs all the same, and the reason is on its standard error.
 */
const PREPARE = `
outer=$PATH
PATH=${TOOLS_PATH}
dir=$1 name=$2 hosts=$3 resolv=$4 node=$5
shift 5
mkdir -p "$dir"
cover() {
  printf '%s' "$2" > "$dir/new.$$" && mv "$dir/new.$$" "$dir/$1"
  target=$(readlink -m "/etc/$1")
  [ -e "$target" ] || { mkdir -p "\${target%/*}" && : > "$target"; }
  mount --bind "$dir/$1" "$target"
}
cover hosts "$hosts"
cover resolv.conf "$resolv"
hostname "$name"
mount -t proc proc /proc 2>/dev/null
setpriv=$(command -v setpriv)
PATH=$outer:$node
exec "$setpriv" --bounding-set=-all,+net_raw --inh-caps=-all --no-new-privs "$@"
`;

/** What runs the command behind it in the host; `entry` is the data plane's way into the host's namespace. */
export function hostEntry(entry: readonly string[], host: HostIdentity): readonly string[] {
  const own = ["unshare", "--mount", "--uts", "--propagation", "private", "--", "sh", "-c", PREPARE, "sh"];
  const node = path.dirname(process.execPath);
  return [...entry, ...own, hostFolder(host.id), host.hostname, hostsFile(host), resolvConf(host), node];
}

function hostsFile({ hostname, address = "127.0.1.1" }: HostIdentity): string {
  const short = hostname.split(".", 1)[0];
  const names = short === hostname ? hostname : `${hostname} ${short}`;
  return `127.0.0.1 localhost\n${address} ${names}\n`;
}

/** https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html */
function resolvConf({ domain }: HostIdentity): string {
  if (domain === undefined) return "";
  return `search ${domain}\nnameserver ${RESOLVER_ADDRESS}\noptions timeout:2 attempts:2\n`;
}
