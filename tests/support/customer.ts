/**
 * The customer's command line for tests: the real `aws` where it is installed, otherwise a stand-in that knows
 * the commands of our stories. Promises that the choice is told, that no credentials or settings of whoever
 * runs the tests are used, and that both print the same once `sameShape` has been over it.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../sources.ts";

export const CUSTOMER_ACCOUNT = "111122223333";

export interface CommandLine {
  /** With `letsdata`, `aws` and the Node that runs this first in PATH. */
  readonly env: NodeJS.ProcessEnv;
  /** Which `aws` it is, in words. */
  readonly aws: string;
}

/** Puts the commands into `folder`. `STORY_AWS=sdk` asks for the stand-in. */
export function commandLine(folder: string): CommandLine {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(join(ROOT, "bin/letsdata"), join(bin, "letsdata"));
  symlinkSync(process.execPath, join(bin, "node"));
  const env: NodeJS.ProcessEnv = {
    ...strangersLeftOut(process.env),
    PATH: `${bin}:${process.env.PATH}`,
    NO_COLOR: "1",
    XDG_CONFIG_HOME: join(folder, "config"),
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
  };
  const version = process.env.STORY_AWS === "sdk" ? null : realAws(env);
  if (version !== null) return { env, aws: `the real aws command (${version})` };
  putStandIn(join(bin, "aws"));
  return { env, aws: "A STAND-IN FOR THE aws COMMAND (on Debian: apt-get install awscli for the real one)" };
}

export function putStandIn(file: string): void {
  const program = join(ROOT, "tests/support/awsStandIn.ts");
  const options = "--disable-warning=ExperimentalWarning";
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' ${options} '${program}' "$@"\n`);
  chmodSync(file, 0o755);
}

/** Such as `aws-cli/2.9.19`; null when there is none. */
export function realAws(env: NodeJS.ProcessEnv = process.env): string | null {
  const asked = spawnSync("aws", ["--version"], { env, encoding: "utf8" });
  return asked.status === 0 ? ((asked.stdout || asked.stderr).split(" ")[0] ?? null) : null;
}

function strangersLeftOut(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const strange = /^(AWS_|LETSDATA_|DATABASE_URL$|NODE_TEST|npm_|INIT_CWD$|FORCE_COLOR$)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !strange.test(name)));
}

/** Newer than some versions of the real command, which then leave it out. */
const NOT_EVERYWHERE = new Set(["BlockPublicAccessStates"]);

/** JSON of either command in one form: keys sorted, empty things left out, indented by two. */
export function sameShape(stdout: string): string {
  if (!stdout.trim().startsWith("{")) return stdout;
  const tidy = (_: string, value: unknown): unknown => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const kept = Object.entries(value).filter(
      ([name, inner]) => !NOT_EVERYWHERE.has(name) && !isEmpty(inner),
    );
    return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return `${JSON.stringify(JSON.parse(stdout), tidy, 2)}\n`;
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** The error line alone: versions differ in what they put around it and in the exit code. */
export function sameError(stderr: string): string {
  const line = /An error occurred \(.*/.exec(stderr)?.[0];
  return line === undefined ? stderr : `${line}\n`;
}
