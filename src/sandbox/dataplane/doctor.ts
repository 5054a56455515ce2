/**
 * What findings about a machine mean for packets: each a pure judgement, with the one command that mends it. The
 * finding is examination.ts. The order is that of the cause: what comes first explains what would fail after it,
 * so an examination ends with the first failure.
 */

/** What is known without trying anything. */
export interface Machine {
  readonly platform: string;
  readonly release: string;
  readonly isRoot: boolean;
  readonly distribution: "debian" | "fedora" | "other";
  readonly isContainer: boolean;
  /** The mode of seccomp that this process is in: 2 = filtered. */
  readonly seccompMode: number;
  /** Of /proc/sys; undefined = the kernel has no such setting. */
  readonly settings: Readonly<Record<SettingName, number | undefined>>;
}

export type SettingName =
  | "kernel.apparmor_restrict_unprivileged_userns"
  | "kernel.unprivileged_userns_clone"
  | "user.max_user_namespaces"
  | "user.max_net_namespaces";

/** What became of a command. */
export interface Attempt {
  readonly isOk: boolean;
  readonly output: string;
  /** What it said was wrong. */
  readonly problem: string;
}

export interface Judgement {
  readonly check: string;
  /** Nothing has packets after `failed`; after `warning` something small is amiss. */
  readonly verdict: "ok" | "warning" | "failed";
  readonly says: string;
  /** What mends it: one command, or what to do where no command can. */
  readonly fix: string | null;
}

export function ok(check: string, says: string): Judgement {
  return { check, verdict: "ok", says, fix: null };
}

function failed(check: string, says: string, fix: string): Judgement {
  return { check, verdict: "failed", says, fix };
}

export function judgeKernel({ platform, release }: Machine): Judgement {
  if (platform === "linux") return ok("kernel", `Linux ${release}`);
  const fix = "Run it in a Linux virtual machine, such as Lima, Colima, Multipass or WSL2.";
  return failed("kernel", `${platform} has no network namespaces`, fix);
}

/** The packages that have each tool: of Debian and its kin, and of Fedora and its kin. */
const PACKAGES = {
  setpriv: { debian: "util-linux", fedora: "util-linux" },
  unshare: { debian: "util-linux", fedora: "util-linux" },
  nsenter: { debian: "util-linux", fedora: "util-linux" },
  mount: { debian: "mount", fedora: "util-linux" },
  ip: { debian: "iproute2", fedora: "iproute" },
  nft: { debian: "nftables", fedora: "nftables" },
  ping: { debian: "iputils-ping", fedora: "iputils" },
} as const;

export type Tool = keyof typeof PACKAGES;

export const TOOLS = Object.keys(PACKAGES) as readonly Tool[];

/** Without `ping` only what pings is missing. */
export function judgeTools(missing: readonly Tool[], machine: Machine): Judgement {
  if (missing.length === 0) return ok("tools", TOOLS.join(", "));
  const says = `${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} not installed`;
  const isSmall = missing.every((tool) => tool === "ping");
  return { check: "tools", verdict: isSmall ? "warning" : "failed", says, fix: installing(missing, machine) };
}

function installing(tools: readonly Tool[], machine: Machine): string {
  const named = (family: "debian" | "fedora") =>
    [...new Set(tools.map((tool) => PACKAGES[tool][family]))].join(" ");
  if (machine.distribution === "debian") return asRoot(machine, `apt-get install --yes ${named("debian")}`);
  if (machine.distribution === "fedora") return asRoot(machine, `dnf install --assumeyes ${named("fedora")}`);
  return `Install what Debian calls ${named("debian")} and Fedora ${named("fedora")}.`;
}

function asRoot({ isRoot }: Machine, command: string): string {
  return isRoot ? command : `sudo ${command}`;
}

export interface Versions {
  /** `nft --version`. */
  readonly nft: string;
  /** `ip -V`. */
  readonly ip: string;
  /** What `--help` of each says. */
  readonly unshare: string;
  readonly nsenter: string;
  readonly setpriv: string;
}

/** It brought intervals in concatenated sets. */
const OLDEST_NFT = [0, 9, 4] as const;

export function judgeVersions({ nft, ip, ...help }: Versions, machine: Machine): Judgement {
  const version = /v(\d+)\.(\d+)\.(\d+)/.exec(nft)?.slice(1).map(Number) ?? [];
  const isOld = ordinal(version) < ordinal(OLDEST_NFT);
  const wants = [
    ...(isOld ? [`nft ${OLDEST_NFT.join(".")} or newer`] : []),
    ...(help.unshare.includes("--kill-child") ? [] : ["unshare with --kill-child"]),
    ...(help.nsenter.includes("--preserve-credentials") ? [] : ["nsenter with --preserve-credentials"]),
    ...(help.setpriv.includes("--pdeathsig") ? [] : ["setpriv with --pdeathsig"]),
  ];
  if (wants.length === 0) return ok("versions", `nft ${version.join(".")}, ${ip}`);
  const tools = ["nft", "unshare"] as const;
  return failed("versions", `${wants.join(", ")} is needed`, installing(tools, machine));
}

/** Versions in their order; none is older than any. */
function ordinal([major = 0, minor = 0, patch = 0]: readonly number[]): number {
  return major * 1_000_000 + minor * 1_000 + patch;
}

export function judgeUserNamespace(attempt: Attempt, machine: Machine): Judgement {
  const check = "user namespace";
  if (attempt.isOk) return ok(check, machine.isRoot ? "as root" : "without root");
  const { settings, seccompMode, isContainer } = machine;
  const set = (name: SettingName, value: number) =>
    failed(
      check,
      `${attempt.problem}: ${name} is ${settings[name]}`,
      asRoot(machine, `sysctl -w ${name}=${value}`),
    );
  if (settings["user.max_user_namespaces"] === 0) return set("user.max_user_namespaces", 15_000);
  if (settings["kernel.unprivileged_userns_clone"] === 0) return set("kernel.unprivileged_userns_clone", 1);
  // A container has a seccomp and an AppArmor profile of its own, which come before the machine's setting.
  if (isContainer) return failed(check, attempt.problem, CONTAINER_FLAGS);
  if (settings["kernel.apparmor_restrict_unprivileged_userns"] === 1)
    return set("kernel.apparmor_restrict_unprivileged_userns", 0);
  if (seccompMode === 2)
    return failed(check, `${attempt.problem}: a seccomp filter is in force`, CONTAINER_FLAGS);
  return failed(check, attempt.problem, "Run it as root, or allow unprivileged user namespaces.");
}

/** What a container needs; the default profiles of both engines forbid namespaces and mask /proc. */
const CONTAINER_FLAGS =
  "Start the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined " +
  "--security-opt systempaths=unconfined (podman: --security-opt unmask=ALL), or with --privileged.";

/** Enough for the sandbox of a few datasets; a VPC takes one for each host and one for its router. */
const FEW_NAMESPACES = 200;

export function judgeNamespaces(attempt: Attempt, machine: Machine): Judgement {
  const check = "namespaces";
  if (attempt.isOk) return ok(check, "network, mount and PID namespaces, and network namespaces by name");
  const most = machine.settings["user.max_net_namespaces"];
  if (most !== undefined && most < FEW_NAMESPACES)
    return failed(
      check,
      `${attempt.problem}: user.max_net_namespaces is ${most}`,
      asRoot(machine, "sysctl -w user.max_net_namespaces=15000"),
    );
  return failed(check, attempt.problem, refusedFix(machine));
}

function refusedFix({ isContainer, seccompMode }: Machine): string {
  if (isContainer || seccompMode === 2) return CONTAINER_FLAGS;
  return "Run it as root, or allow mounts in user namespaces (AppArmor or SELinux refuses them).";
}

export function judgeProc(attempt: Attempt): Judgement {
  if (attempt.isOk) return ok("private /proc", "hosts see their own processes alone");
  const says = `${attempt.problem}: hosts see this machine's process ids`;
  return { check: "private /proc", verdict: "warning", says, fix: CONTAINER_FLAGS };
}

export function judgeSysctl(attempt: Attempt, machine: Machine): Judgement {
  if (attempt.isOk) return ok("sysctl", "forwarding can be switched on in a namespace");
  return failed("sysctl", `/proc/sys is read-only here: ${attempt.problem}`, refusedFix(machine));
}

export function judgeRouting(attempt: Attempt, machine: Machine): Judgement {
  if (attempt.isOk) return ok("routing", "virtual Ethernet pairs, interface groups, rules by mark");
  return failed("routing", attempt.problem, modules(machine, "veth"));
}

export function judgeFilter(feature: string, attempt: Attempt, machine: Machine): Judgement {
  const check = `filter: ${feature}`;
  if (attempt.isOk) return ok(check, "works");
  return failed(
    check,
    attempt.problem,
    modules(machine, "nf_tables nft_ct nft_chain_nat nft_fib_inet nf_conntrack"),
  );
}

/** A namespace cannot load modules: they have to be there before. */
function modules(machine: Machine, names: string): string {
  const command = asRoot(machine, `modprobe --all ${names}`);
  return machine.isContainer ? `On the container's host: ${command}` : command;
}

export function judgeLimits(machine: Machine): Judgement {
  const most = machine.settings["user.max_net_namespaces"];
  if (most === undefined || most >= FEW_NAMESPACES)
    return ok("limits", `${most ?? "any number of"} network namespaces`);
  return {
    check: "limits",
    verdict: "warning",
    says: `only ${most} network namespaces: one for each host and each VPC`,
    fix: asRoot(machine, "sysctl -w user.max_net_namespaces=15000"),
  };
}

/** What connecting to a port came to. */
export type Contact = "connected" | "silence" | (string & {});

export function judgeTraffic({
  allowed,
  refused,
}: {
  readonly allowed: Contact;
  readonly refused: Contact;
}): Judgement {
  const check = "traffic in a VPC";
  const says = `a port that a security group allows: ${allowed}; one that none allows: ${refused}`;
  if (allowed === "connected" && refused === "silence") return ok(check, says);
  return failed(check, says, "Report it, with the output of `letsdata sandbox doctor --output json`.");
}
