/**
 * This project's programs and tests as a user without any rights. Only root can become another user. The user may not
 * be able to enter the folder that this stands in, so the child sees it in another place, in a mount namespace of its
 * own.
 */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";
import { TOOLS_PATH } from "../../src/sandbox/dataplane/holder.ts";

const ROOT = path.join(import.meta.dirname, "../..");

/** Where the user finds this project. */
export const place = mkdtempSync(path.join(tmpdir(), "letsdata-packets-"));
chmodSync(place, 0o755);
after(() => rmdirSync(place));

/** Becomes somebody without rights in a place where the folder can be read. */
const AS_NOBODY =
  'mount --bind "$1" "$2" && cd "$2" && shift 2 && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"';

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

export function nodeAsNobody(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const inside = path.relative(ROOT, process.execPath);
  const node = inside.startsWith("..") ? process.execPath : path.join(place, inside);
  const argv = [
    "--mount",
    "--propagation",
    "private",
    "sh",
    "-c",
    AS_NOBODY,
    "sh",
    ROOT,
    place,
    node,
    ...args,
  ];
  const child = spawn("unshare", argv, {
    env: { PATH: TOOLS_PATH, HOME: place, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: -1, output: error.message }));
    child.once("close", (code) => resolve({ code, output }));
  });
}

/** Why nobody can be had; false when they can. */
export async function whyNobody(): Promise<string | false> {
  if (process.getuid?.() !== 0) return "only root can become another user; other tests run as this one";
  const { code, output } = await nodeAsNobody(["-e", 'require.resolve("@aws-sdk/client-ec2")']);
  return code === 0 ? false : `another user cannot run this: ${output.trim().split("\n").at(-1)}`;
}

export interface TestedAsNobody extends Ended {
  readonly passed: number;
  /** The first reason why something was left out. */
  readonly skipped: string | undefined;
}

/** Runs these test files, from the project's root, as that user. */
export async function testAsNobody(
  files: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<TestedAsNobody> {
  const flags = ["--disable-warning=ExperimentalWarning", "--test", "--test-reporter=tap"];
  const ended = await nodeAsNobody([...flags, ...files], env);
  const passed = Number(/^# pass (\d+)$/m.exec(ended.output)?.[1]);
  return { ...ended, passed, skipped: /# SKIP (.*)$/m.exec(ended.output)?.[1] };
}
