/**
 * Programs of other people, run for a test: to their end, or until they are told to stop. Promises that none is
 * given the credentials or settings of whoever runs the tests, and that each is ended by its own process id.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** After this many milliseconds the program is ended; five minutes by default. */
  readonly withinMs?: number;
}

/** Code 127 when there is no such program. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, withinMs = 300_000 } = options;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: environment(options.env),
      stdio: ["ignore", "pipe", "pipe"],
      ...(cwd && { cwd }),
    });
    const stdout = gathered(child.stdout);
    const stderr = gathered(child.stderr);
    const late = setTimeout(() => child.kill("SIGKILL"), withinMs);
    const end = (ran: Ran) => {
      clearTimeout(late);
      resolve(ran);
    };
    child.on("error", (error) => end({ code: 127, stdout: "", stderr: error.message }));
    child.on("close", (code) => end({ code: code ?? 1, stdout: stdout(), stderr: stderr() }));
  });
}

/** Rejects with what the program wrote when it does not end with 0. */
export async function succeed(program: string, args: readonly string[], options?: RunOptions): Promise<Ran> {
  const ran = await run(program, args, options);
  if (ran.code === 0) return ran;
  const said = `${ran.stdout}\n${ran.stderr}`.trim().slice(-4000);
  throw new Error(`${program} ${args.join(" ")} ended with ${ran.code}:\n${said}`);
}

export interface Running {
  stop(): Promise<void>;
}

export interface Started {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Asked again and again until it says yes. */
  readonly isReady: () => Promise<boolean>;
}

/** Rejects when the program ends, or is not ready within 60 seconds. */
export async function start({ program, args, env, isReady }: Started): Promise<Running> {
  const child = spawn(program, args, { env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
  const said = gathered(child.stderr);
  child.stdout.resume();
  let ended = false;
  const end = new Promise<void>((resolve) => {
    for (const event of ["close", "error"])
      child.on(event, () => {
        ended = true;
        resolve();
      });
  });
  const stop = () => stopped(child, end);
  const deadline = Date.now() + 60_000;
  while (!(await isReady())) {
    if (ended || Date.now() > deadline) {
      await stop();
      throw new Error(`${program} did not get ready: ${said().slice(-2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { stop };
}

async function stopped(child: ChildProcess, end: Promise<void>): Promise<void> {
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await end;
  clearTimeout(hard);
}

function gathered(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.on("data", (chunk) => {
    text += chunk;
  });
  return () => text;
}

/** Nothing of AWS, Terraform, Ansible or Python settings of the caller's. */
function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const strange = /^(AWS_|BOTO|MOTO_|TF_VAR_|ANSIBLE_|PYTHON|NODE_TEST|NODE_OPTIONS$)/;
  const kept = Object.entries(process.env).filter(([name]) => !strange.test(name));
  return {
    ...Object.fromEntries(kept),
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
    ...extra,
  };
}

/** A port of the loopback that was free a moment ago, for programs that cannot choose one themselves. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Says on the terminal, so that nobody overlooks it, why something is not tested; the reason for the runner. */
export function leftOut(what: string, why: string): string {
  console.error(`\n!!! NOT TESTED: ${what}\n!!! ${why}\n`);
  return why.split("\n")[0] ?? why;
}
