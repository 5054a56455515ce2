/**
 * `letsdata sandbox doctor` on this machine as it is, and in namespaces in which something is taken away: what is
 * missing is named, and the exit code says whether there would be packets. What cannot be taken away here, such
 * as AppArmor's leave, is judged in src/sandbox/dataplane/doctor.test.ts.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";

const BINARY = join(import.meta.dirname, "../bin/letsdata");

interface Report {
  readonly packets: "on" | "off";
  readonly checks: readonly {
    readonly check: string;
    readonly verdict: string;
    readonly says: string;
    readonly fix: string | null;
  }[];
}

/** What the doctor says in namespaces of its own, made by `unshare` with these options, after `before`. */
function doctor(unshare: readonly string[], before: string): { status: number | null; report: Report } {
  const doctorCommand = `exec setpriv --inh-caps=-all --ambient-caps=-all '${BINARY}' sandbox doctor`;
  const ran = spawnSync("unshare", [...unshare, "sh", "-c", `${before}\n${doctorCommand}`], {
    encoding: "utf8",
  });
  return { status: ran.status, report: JSON.parse(ran.stdout || `{"checks":[],"packets":"${ran.stderr}"}`) };
}

const canUnshare = spawnSync("unshare", ["--user", "--map-root-user", "--mount", "true"]).status === 0;
const skip = canUnshare ? false : "user namespaces cannot be had here, so nothing can be taken away";

describe("where something is missing, the doctor ends with it, and exits with 3", { skip }, () => {
  const findings = (unshare: readonly string[], before: string) => {
    const { status, report } = doctor(unshare, before);
    assert.equal(status, 3, JSON.stringify(report));
    assert.equal(report.packets, "off");
    assert.deepEqual(
      report.checks.slice(0, -1).filter(({ verdict }) => verdict === "failed"),
      [],
    );
    return report.checks.at(-1);
  };

  test("without nft", () => {
    const last = findings(["--user", "--map-root-user", "--mount"], withoutNft());
    assert.equal(last?.check, "tools");
    assert.match(last?.says ?? "", /nft (is|.*are) not installed/);
    assert.match(last?.fix ?? "", /nftables/);
  });

  test("as a user who may not have a user namespace", () => {
    const before = "echo 0 > /proc/sys/user/max_user_namespaces";
    const last = findings(["--user", "--map-user=1000", "--keep-caps"], before);
    assert.equal(last?.check, "user namespace");
    assert.equal(last?.fix, "sudo sysctl -w user.max_user_namespaces=15000");
  });

  test("where there may be no more than one network namespace", () => {
    const last = findings(["--user", "--map-root-user"], "echo 1 > /proc/sys/user/max_net_namespaces");
    assert.equal(last?.check, "namespaces");
    assert.equal(last?.fix, "sysctl -w user.max_net_namespaces=15000");
  });
});

/** In a mount namespace: there is no program where `nft` was. */
function withoutNft(): string {
  const path = "PATH=$PATH:/usr/sbin:/sbin";
  const nft = spawnSync("sh", ["-c", `${path} command -v nft`], { encoding: "utf8" }).stdout.trim();
  return nft ? `mount --bind /dev/null ${nft}` : "";
}

test("where there can be no packets the sandbox says so once, and why, and answers all the same", {
  skip,
}, async () => {
  const serve = `${withoutNft()}\nexec '${BINARY}' sandbox serve --port 0`;
  const child = spawn("unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", serve]);
  let log = "";
  child.stderr.on("data", (chunk) => (log += chunk));
  const [ready] = await once(createInterface(child.stdout), "line");
  const url = String(ready).replace("ready ", "");
  const ask = async (path: string) => (await fetch(`${url}/_sandbox/${path}`)).json();
  assert.deepEqual(await ask("health"), { status: "ok" });
  const { status, why } = (await ask("dataplane?settled")) as { status: string; why: string };
  assert.equal(status, "off");
  assert.match(why, /nft/);
  child.kill("SIGTERM");
  await once(child, "close");
  assert.equal(
    log,
    `no packets here, control plane only: ${why}; \`letsdata sandbox doctor\` says what to do\n`,
  );
});

test("on this machine, the exit code says what the report does", () => {
  const { status, stdout } = spawnSync(BINARY, ["sandbox", "doctor", "--output", "json"], {
    encoding: "utf8",
  });
  const { packets, checks }: Report = JSON.parse(stdout);
  assert.equal(status, packets === "on" ? 0 : 3, stdout);
  const last = checks.at(-1);
  if (packets === "on") assert.match(last?.says ?? "", /allows: connected; one that none allows: silence$/);
  else assert.equal(last?.verdict, "failed");
});
