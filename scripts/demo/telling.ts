/**
 * How the demo tells its story: each command is shown as a user would type it, each fact is checked before it is
 * said. Promises that a fact that is not so ends the demo.
 */
import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { CommandLine } from "../../tests/support/customer.ts";

export const REGION = "us-east-1";

export interface Credentials {
  readonly sandboxUrl: string;
  readonly platformAccount: string;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Telling {
  say(text: string): void;
  note(text: string): void;
  check(what: string, fact: boolean): void;
  verified(): number;
  /** Shows the command, runs it, answers what became of it. */
  tried(command: string, ...args: string[]): Promise<Ran>;
  /** Shows the command and starts it; its input and output are the caller's. */
  started(command: string, ...args: string[]): ChildProcessWithoutNullStreams;
  /** A command of ours that must succeed; its JSON. */
  letsdata<T>(...args: string[]): Promise<T>;
  /** `aws …` of that account that must succeed; its JSON. Debian's aws knows no AWS_ENDPOINT_URL. */
  aws<T>(account: string, credentials: Credentials, ...args: string[]): Promise<T>;
  /** `aws ec2 …`, the same way. */
  ec2<T>(account: string, credentials: Credentials, ...args: string[]): Promise<T>;
}

export function telling(folder: string, { env }: CommandLine): Telling {
  const isColoured = process.stdout.isTTY && !process.env.NO_COLOR;
  let verified = 0;

  const started = (command: string, args: readonly string[], own: NodeJS.ProcessEnv = {}) => {
    shown(command, args);
    return spawn(command, args, { cwd: folder, env: { ...env, ...own } });
  };
  const tried = (command: string, args: readonly string[], own?: NodeJS.ProcessEnv) =>
    ended(started(command, args, own));
  const must = async <T>(command: string, args: readonly string[], own?: NodeJS.ProcessEnv): Promise<T> => {
    const { code, stdout, stderr } = await tried(command, args, own);
    if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${stderr}`);
    return (stdout.trim() ? JSON.parse(stdout) : {}) as T;
  };
  const aws = <T>(account: string, { sandboxUrl }: Credentials, args: readonly string[]): Promise<T> =>
    must("aws", [...args, "--endpoint-url", sandboxUrl], {
      AWS_ACCESS_KEY_ID: account,
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_DEFAULT_REGION: REGION,
    });
  return {
    say: (text) => console.log(isColoured ? `\n\x1b[1m${text}\x1b[0m` : `\n${text}`),
    note: (text) => console.log(`  ${text}`),
    check(what, fact) {
      assert.ok(fact, what);
      verified += 1;
      console.log(`  ✔ ${what}`);
    },
    verified: () => verified,
    tried: (command, ...args) => tried(command, args),
    started: (command, ...args) => started(command, args),
    letsdata: (...args) => must("letsdata", args),
    aws: (account, credentials, ...args) => aws(account, credentials, args),
    ec2: (account, credentials, ...args) => aws(account, credentials, ["ec2", ...args]),
  };
}

function shown(command: string, args: readonly string[]): void {
  const quoted = args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg}'`));
  console.log(`  $ ${command} ${quoted.join(" ")}`);
}

function ended(child: ChildProcessWithoutNullStreams): Promise<Ran> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}
