/**
 * The `aws` command lines of this machine, and somebody who types at them: the one that is found first, and
 * Debian's when that is another one.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { leftOut, type Ran, run } from "./programs.ts";
import { type OpenSandbox, openSandbox, PLATFORM } from "./sandbox.ts";

interface Cli {
  readonly program: string;
  readonly version: string;
}

/** Each version once, however many names it has. */
async function installed(): Promise<Cli[]> {
  const found = new Map<string, Cli>();
  for (const program of ["aws", "/usr/bin/aws"]) {
    const { code, stdout, stderr } = await run(program, ["--version"]);
    const version = (stdout || stderr).split(" ")[0] ?? "";
    if (code === 0 && !found.has(version)) found.set(version, { program, version });
  }
  return [...found.values()];
}

export interface As {
  readonly account?: string;
  readonly secret?: string;
}

export class Typist {
  readonly #program: string;
  readonly #url: string;

  constructor(program: string, url: string) {
    this.#program = program;
    this.#url = url;
  }

  /** `type("ec2 create-vpc --cidr-block 10.0.0.0/16")`: words are split at spaces, more are given whole. */
  run(
    line: string,
    more: readonly string[] = [],
    { account = PLATFORM, secret = "test" }: As = {},
  ): Promise<Ran> {
    const env = {
      AWS_ACCESS_KEY_ID: account,
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_DEFAULT_REGION: "us-east-1",
    };
    // Debian 12's knows no AWS_ENDPOINT_URL, so the endpoint is always named.
    const args = [...line.split(" "), ...more, "--output", "json", "--endpoint-url", this.#url];
    return run(this.#program, args, { env });
  }

  async type<T>(line: string, more: readonly string[] = [], as: As = {}): Promise<T> {
    const { code, stdout, stderr } = await this.run(line, more, as);
    assert.equal(code, 0, `aws ${line}: ${stderr}`);
    return (stdout.trim() ? JSON.parse(stdout) : {}) as T;
  }

  async refused(code: string, line: string, as: As = {}): Promise<void> {
    const ran = await this.run(line, [], as);
    assert.notEqual(ran.code, 0, `aws ${line} was not refused`);
    assert.match(ran.stderr, new RegExp(`An error occurred \\(${code.replace(".", "\\.")}\\)`));
  }
}

export type Walks = Readonly<Record<string, (aws: Typist) => Promise<void>>>;

/** A test for each walk with each command line, each in a sandbox of its own; loudly none where there is no aws. */
export async function walk(what: string, walks: Walks): Promise<void> {
  const clis = await installed();
  if (clis.length === 0) leftOut(what, "there is no aws; on Debian: apt-get install awscli");
  for (const { program, version } of clis)
    describe(version, { concurrency: 2 }, () => {
      for (const [name, walked] of Object.entries(walks))
        test(name, async () => {
          const sandbox: OpenSandbox = await openSandbox();
          try {
            await walked(new Typist(program, sandbox.url));
            assert.deepEqual(sandbox.complaints, []);
          } finally {
            await sandbox.close();
          }
        });
    });
}
