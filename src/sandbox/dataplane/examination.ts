/**
 * The examination of a machine: finds out, step by step, whether the kernel and the tools carry packets, and
 * ends with the first step that fails; doctor.ts judges. Everything that is tried is in namespaces of its own
 * that end with the try. The last step is the smallest real VPC.
 */
import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { platform, release } from "node:os";
import type { Clock } from "../world.ts";
import * as doctor from "./doctor.ts";
import { DataPlaneError, startHolder, TOOLS_PATH } from "./holder.ts";
import { trafficOfSmallestVpc } from "./smallestVpc.ts";

/** Yields each judgement as it is made. */
export async function* examination(clock: Clock): AsyncGenerator<doctor.Judgement> {
  for (const step of steps(clock)) {
    const judgement = await step();
    yield judgement;
    if (judgement.verdict === "failed") return;
  }
}

type Step = () => doctor.Judgement | Promise<doctor.Judgement>;

function steps(clock: Clock): readonly Step[] {
  const machine = machineHere();
  // Which namespaces this user may have is found out on the way.
  let way = "";
  const attempt = (script: string, input = "") => attempted(clock, ["sh", "-c", script], input);
  const inside = (script: string, input = "") => attempt(`${unsharing(way)} sh -c '${script}'`, input);
  return [
    () => doctor.judgeKernel(machine),
    () => doctor.judgeTools(doctor.TOOLS.filter(isMissing), machine),
    async () => doctor.judgeVersions(await versions(attempt), machine),
    async () => {
      const found = await wayIn(attempt, machine);
      way = found.way;
      return doctor.judgeUserNamespace(found.attempt, machine);
    },
    async () => doctor.judgeNamespaces(await inside(NAMED_NAMESPACE), machine),
    async () => doctor.judgeProc(await inside("mount -t proc proc /proc")),
    async () => doctor.judgeSysctl(await inside(FORWARDING), machine),
    async () => doctor.judgeRouting(await inside(ROUTING), machine),
    ...Object.entries(FILTERS).map(([feature, table]) => async () => {
      return doctor.judgeFilter(feature, await inside("nft -f -", table), machine);
    }),
    () => doctor.judgeLimits(machine),
    () => traffic(clock),
  ];
}

const USER = "--user --map-root-user";

function unsharing(user: string): string {
  return `unshare ${user} --net --mount --pid --fork --kill-child --propagation private`;
}

type Attempting = (script: string) => Promise<doctor.Attempt>;

/** Root of a container may lack the rights that a user namespace of its own gives it: both are tried, as ever. */
async function wayIn(attempt: Attempting, { isRoot }: doctor.Machine) {
  const asRoot = isRoot ? await attempt(`${unsharing("")} true`) : undefined;
  if (asRoot?.isOk) return { way: "", attempt: asRoot };
  return { way: USER, attempt: await attempt(`unshare ${USER} true`) };
}

const NAMED_NAMESPACE =
  "mount -t tmpfs tmpfs /run && mkdir /run/netns && ip link set lo up && ip netns add probe";
const FORWARDING = "mount -t proc proc /proc 2>/dev/null; echo 1 > /proc/sys/net/ipv4/ip_forward";
const ROUTING = [
  "ip link add name v0 group 268435456 numtxqueues 1 numrxqueues 1 type veth peer name v1",
  "ip link set dev v0 up",
  "ip addr add 10.0.0.1/32 dev v0",
  "ip rule add pref 100 fwmark 268435457 lookup 268435457",
  "ip rule add pref 32000 blackhole",
  "ip route add default via 10.0.0.2 dev v0 onlink table 268435457",
  "ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0 nud permanent",
].join(" && ");

const FILTERS: Readonly<Record<string, string>> = {
  base: "table inet t { chain c { type filter hook forward priority 0; policy drop; counter accept; }\n}\n",
  "connection tracking":
    "table inet t { chain c { type filter hook forward priority 0; ct state established,related accept; ct state new ct mark set 7; ct status & dnat == 0 drop; ct direction reply accept; }\n}\n",
  "address translation":
    "table inet t { map m { type ipv4_addr : ipv4_addr; elements = { 198.18.0.1 : 10.0.0.1 }; }\n chain c { type nat hook prerouting priority dstnat; dnat ip to ip daddr map @m; }\n}\n",
  maps: 'table inet t { chain x { accept; }\n map v { type ifname : verdict; elements = { "e0" : jump x }; }\n map r { type devgroup : mark; elements = { 1 : 1001 }; }\n chain c { type filter hook prerouting priority raw; meta mark set iifgroup map @r; iifname vmap @v; }\n}\n',
  "intervals of several fields":
    'table inet t { set s { type ifname . ipv4_addr; flags interval; elements = { "p0" . 10.0.0.0/16 }; }\n chain c { type filter hook prerouting priority raw; iifname . ip saddr != @s drop; }\n}\n',
  "route look-up":
    "table inet t { chain c { type filter hook prerouting priority mangle; fib daddr . mark oif missing drop; }\n}\n",
};

async function traffic(clock: Clock): Promise<doctor.Judgement> {
  const holder = await startHolder(clock);
  try {
    return doctor.judgeTraffic(await trafficOfSmallestVpc(holder));
  } catch (thrown) {
    if (!(thrown instanceof DataPlaneError)) throw thrown;
    return doctor.judgeTraffic({ allowed: thrown.message, refused: "not tried" });
  } finally {
    await holder.close();
  }
}

async function versions(attempt: Attempting): Promise<doctor.Versions> {
  const said = async (command: string) => {
    const { output, problem } = await attempt(command);
    return `${output}\n${problem}`.trim();
  };
  return {
    nft: await said("nft --version"),
    ip: await said("ip -V"),
    unshare: await said("unshare --help"),
    nsenter: await said("nsenter --help"),
    setpriv: await said("setpriv --help"),
  };
}

function isMissing(tool: doctor.Tool): boolean {
  return !TOOLS_PATH.split(":").some((folder) => {
    try {
      accessSync(`${folder}/${tool}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** An honest try takes some hundredths of a second. */
const HANGS_AFTER_MS = 15_000;

function attempted(clock: Clock, argv: readonly string[], input: string): Promise<doctor.Attempt> {
  const [program = "", ...args] = argv;
  // A group of its own: when it hangs, what it started hangs with it.
  const child = spawn(program, args, { env: { PATH: TOOLS_PATH, LANG: "C" }, detached: true });
  const over = new AbortController();
  let output = "";
  let problem = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (problem += chunk));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  void clock.sleep(HANGS_AFTER_MS, over.signal).then(() => {
    if (over.signal.aborted || child.pid === undefined || child.exitCode !== null) return;
    process.kill(-child.pid, "SIGKILL");
    problem = `it hung for ${HANGS_AFTER_MS / 1000} s`;
  });
  return new Promise((resolve) => {
    const end = (isOk: boolean) => {
      over.abort();
      resolve({ isOk, output: output.trim(), problem: firstLine(problem) });
    };
    child.once("error", (error) => {
      problem = error.message;
      end(false);
    });
    child.once("close", (code) => end(code === 0));
  });
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}

function machineHere(): doctor.Machine {
  const status = read("/proc/self/status") ?? "";
  return {
    platform: platform(),
    release: release(),
    isRoot: process.getuid?.() === 0,
    distribution: distributionOf(read("/etc/os-release") ?? ""),
    // https://docs.podman.io/en/latest/markdown/podman-run.1.html: both engines leave a file behind
    isContainer: ["/.dockerenv", "/run/.containerenv"].some((file) => existsSync(file)),
    seccompMode: Number(/^Seccomp:\s+(\d)/m.exec(status)?.[1] ?? 0),
    settings: {
      "kernel.apparmor_restrict_unprivileged_userns": setting("kernel.apparmor_restrict_unprivileged_userns"),
      "kernel.unprivileged_userns_clone": setting("kernel.unprivileged_userns_clone"),
      "user.max_user_namespaces": setting("user.max_user_namespaces"),
      "user.max_net_namespaces": setting("user.max_net_namespaces"),
    },
  };
}

/** https://www.freedesktop.org/software/systemd/man/latest/os-release.html */
function distributionOf(osRelease: string): doctor.Machine["distribution"] {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap(([, names = ""]) =>
    names.split(" "),
  );
  if (ids.some((id) => id === "debian" || id === "ubuntu")) return "debian";
  return ids.some((id) => id === "fedora" || id === "rhel") ? "fedora" : "other";
}

function setting(name: doctor.SettingName): number | undefined {
  const value = read(`/proc/sys/${name.replaceAll(".", "/")}`);
  return value === undefined ? undefined : Number(value);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    // A setting that this kernel has not, or that this process may not see.
    return undefined;
  }
}
