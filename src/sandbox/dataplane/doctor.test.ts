import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Attempt,
  type Judgement,
  judgeFilter,
  judgeKernel,
  judgeLimits,
  judgeNamespaces,
  judgeProc,
  judgeRouting,
  judgeSysctl,
  judgeTools,
  judgeTraffic,
  judgeUserNamespace,
  judgeVersions,
  type Machine,
} from "./doctor.ts";

const MACHINE: Machine = {
  platform: "linux",
  release: "6.1.0",
  isRoot: false,
  distribution: "debian",
  isContainer: false,
  seccompMode: 0,
  settings: {
    "kernel.apparmor_restrict_unprivileged_userns": undefined,
    "kernel.unprivileged_userns_clone": undefined,
    "user.max_user_namespaces": 15_000,
    "user.max_net_namespaces": 15_000,
  },
};

const FINE: Attempt = { isOk: true, output: "", problem: "" };
const broken = (problem: string): Attempt => ({ isOk: false, output: "", problem });
const withSettings = (settings: Partial<Machine["settings"]>, parts: Partial<Machine> = {}): Machine => ({
  ...MACHINE,
  ...parts,
  settings: { ...MACHINE.settings, ...settings },
});

function fixOf({ verdict, fix }: Judgement): string {
  assert.equal(verdict, "failed");
  return fix ?? "";
}

const FLAGS = /seccomp=unconfined.*apparmor=unconfined.*systempaths=unconfined.*unmask=ALL.*--privileged/;

describe("tools", () => {
  const judged = (parts: Partial<Machine>, ...missing: Parameters<typeof judgeTools>[0]) =>
    judgeTools(missing, { ...MACHINE, ...parts });

  test("that are missing are named, with the one command that installs them", () => {
    const debian = judged({}, "nft", "ip", "mount");
    assert.equal(debian.says, "nft, ip, mount are not installed");
    assert.equal(fixOf(debian), "sudo apt-get install --yes nftables iproute2 mount");
    const fedora = judged({ distribution: "fedora", isRoot: true }, "ip", "unshare", "nsenter");
    assert.equal(fixOf(fedora), "dnf install --assumeyes iproute util-linux");
    assert.match(fixOf(judged({ distribution: "other" }, "ip")), /Debian calls iproute2 and Fedora iproute/);
  });

  test("are fine without ping, but for pings", () => {
    assert.deepEqual(judged({}, "ping"), {
      check: "tools",
      verdict: "warning",
      says: "ping is not installed",
      fix: "sudo apt-get install --yes iputils-ping",
    });
    assert.equal(judged({}).verdict, "ok");
  });

  test("that are too old are told apart from new ones", () => {
    const help = { unshare: "--kill-child", nsenter: "--preserve-credentials", setpriv: "--pdeathsig" };
    const versions = (nft: string, parts = {}) =>
      judgeVersions({ nft, ip: "ip utility, iproute2-6.1.0", ...help, ...parts }, MACHINE);
    assert.equal(versions("nftables v1.0.6 (Lester Gooch #5)").verdict, "ok");
    assert.equal(versions("nftables v0.9.4 (Jive at Five)").verdict, "ok");
    assert.equal(versions("nftables v0.10.0 (x)").verdict, "ok");
    assert.equal(versions("nftables v0.9.3 (Topsy)").says, "nft 0.9.4 or newer is needed");
    assert.equal(fixOf(versions("nftables v0.8.9 (x)")), "sudo apt-get install --yes nftables util-linux");
    assert.match(versions("").says, /nft 0.9.4/);
    assert.match(versions("nftables v1.0.6", { unshare: "" }).says, /unshare with --kill-child/);
    assert.match(versions("nftables v1.0.6", { nsenter: "" }).says, /nsenter with --preserve-credentials/);
    assert.match(versions("nftables v1.0.6", { setpriv: "" }).says, /setpriv with --pdeathsig/);
  });
});

describe("user namespaces", () => {
  const refused = broken("unshare: unshare failed: Operation not permitted");
  const judged = (machine: Machine, attempt = refused) => judgeUserNamespace(attempt, machine);

  test("that the kernel's limit forbids look like a full disk", () => {
    const full = broken("unshare: unshare failed: No space left on device");
    const judgement = judged(withSettings({ "user.max_user_namespaces": 0 }, { isContainer: true }), full);
    assert.match(judgement.says, /No space left on device: user.max_user_namespaces is 0/);
    assert.equal(fixOf(judgement), "sudo sysctl -w user.max_user_namespaces=15000");
  });

  test("that Debian's or Ubuntu's setting forbids", () => {
    assert.equal(
      fixOf(judged(withSettings({ "kernel.unprivileged_userns_clone": 0 }))),
      "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    );
    assert.equal(
      fixOf(judged(withSettings({ "kernel.apparmor_restrict_unprivileged_userns": 1 }))),
      "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    );
  });

  test("that a container forbids: which flags, whatever AppArmor's setting for the machine", () => {
    assert.match(fixOf(judged({ ...MACHINE, isContainer: true })), FLAGS);
    assert.match(fixOf(judged({ ...MACHINE, seccompMode: 2 })), FLAGS);
    const both = withSettings({ "kernel.apparmor_restrict_unprivileged_userns": 1 }, { isContainer: true });
    assert.match(fixOf(judged(both)), FLAGS);
  });

  test("that are forbidden for another reason, or allowed", () => {
    assert.match(fixOf(judged(MACHINE)), /Run it as root/);
    assert.equal(judged(MACHINE, FINE).says, "without root");
    assert.equal(judged({ ...MACHINE, isRoot: true }, FINE).says, "as root");
  });
});

describe("the rest", () => {
  test("a kernel that is not Linux", () => {
    const judgement = judgeKernel({ ...MACHINE, platform: "darwin", release: "24.0" });
    assert.equal(judgement.says, "darwin has no network namespaces");
    assert.match(fixOf(judgement), /Lima.*WSL2/);
    assert.equal(judgeKernel(MACHINE).verdict, "ok");
  });

  test("too few network namespaces, or a refused mount", () => {
    const full = broken("unshare: unshare failed: No space left on device");
    assert.equal(
      fixOf(judgeNamespaces(full, withSettings({ "user.max_net_namespaces": 1 }))),
      "sudo sysctl -w user.max_net_namespaces=15000",
    );
    const mount = broken("mount: /run: permission denied.");
    assert.match(fixOf(judgeNamespaces(mount, MACHINE)), /AppArmor or SELinux/);
    assert.match(fixOf(judgeNamespaces(mount, { ...MACHINE, isContainer: true })), FLAGS);
    assert.equal(judgeNamespaces(FINE, MACHINE).verdict, "ok");
  });

  test("a masked /proc is a pity, a read-only /proc/sys an end", () => {
    const masked = judgeProc(broken("mount: /proc: permission denied."));
    assert.equal(masked.verdict, "warning");
    assert.match(masked.fix ?? "", FLAGS);
    assert.equal(judgeProc(FINE).verdict, "ok");
    const readOnly = broken("sh: 1: cannot create /proc/sys/net/ipv4/ip_forward: Read-only file system");
    assert.match(fixOf(judgeSysctl(readOnly, { ...MACHINE, isContainer: true })), FLAGS);
    assert.equal(judgeSysctl(FINE, MACHINE).verdict, "ok");
  });

  test("modules that are not loaded", () => {
    const unknown = broken("Error: Unknown device type.");
    assert.equal(fixOf(judgeRouting(unknown, MACHINE)), "sudo modprobe --all veth");
    const inContainer = { ...MACHINE, isContainer: true, isRoot: true };
    assert.match(
      fixOf(judgeFilter("nat", broken("x"), inContainer)),
      /^On the container's host: modprobe .*nft_chain_nat/,
    );
    assert.deepEqual(judgeFilter("nat", FINE, MACHINE).check, "filter: nat");
    assert.equal(judgeRouting(FINE, MACHINE).verdict, "ok");
  });

  test("a low limit is only a warning once a VPC could be had", () => {
    const low = judgeLimits(withSettings({ "user.max_net_namespaces": 100 }));
    assert.equal(low.verdict, "warning");
    assert.equal(low.fix, "sudo sysctl -w user.max_net_namespaces=15000");
    assert.equal(judgeLimits(MACHINE).verdict, "ok");
    assert.equal(judgeLimits(withSettings({ "user.max_net_namespaces": undefined })).verdict, "ok");
  });

  test("packets that do not behave", () => {
    assert.equal(judgeTraffic({ allowed: "connected", refused: "silence" }).verdict, "ok");
    for (const [allowed, refused] of [
      ["silence", "silence"],
      ["connected", "connected"],
      ["connected", "ECONNREFUSED"],
      ["ECONNREFUSED", "silence"],
    ] as const)
      assert.equal(judgeTraffic({ allowed, refused }).verdict, "failed");
  });
});
