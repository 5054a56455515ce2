/**
 * User data: the script that a host runs when it comes up, and its console. Promises that what the script writes
 * and how it ends stands on the console, that one which fails does no harm, and that whatever it started goes
 * with its host: its processes have a namespace of their own, and the kernel ends that at once. User data that
 * is no script is kept for the metadata service, and the console says so.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
 *
 *   hostEntry ─▶ sh, first process of the host's own (stays) ─▶ the script ─▶ what it leaves running
 */
import { spawn } from "node:child_process";
import path from "node:path";
import type { Consoles } from "../consoles.ts";
import type { Clock } from "../world.ts";
import { TOOLS_PATH } from "./holder.ts";
import { hostFolder } from "./hosts.ts";

/** What runs the command behind it as the first of processes that end with it. */
export const OWN_PROCESSES = ["unshare", "--pid", "--fork", "--kill-child", "--"] as const;

/** Says the script's exit code on the fourth pipe, and stays for what the script left running. */
const RUN = `cd "$HOME" && cat > user-data && chmod 700 user-data || exit
./user-data < /dev/null 3>&- &
wait $!
echo $? >&3
exec 3>&-
while :; do sleep 1000000; done`;

/**
 * What is run in the host, with the script on its standard input: in the host's folder, with nothing of this
 * process's environment, and with the sandbox's own Node as `node`, whatever the machine has.
 */
export function runScript(hostId: string): readonly string[] {
  const PATH = `${path.dirname(process.execPath)}:${TOOLS_PATH}`;
  const names = {
    PATH,
    HOME: hostFolder(hostId),
    USER: "root",
    LOGNAME: "root",
    SHELL: "/bin/sh",
    LANG: "C.UTF-8",
  };
  return ["env", "-i", ...Object.entries(names).map(([name, value]) => `${name}=${value}`), "sh", "-c", RUN];
}

export interface ConsoleOptions {
  readonly clock: Clock;
  readonly consoles: Consoles;
}

export interface Boot extends ConsoleOptions {
  readonly instanceId: string;
  /** Of the request, in base64. */
  readonly userData: string | undefined;
  /** `runScript` in the host, with OWN_PROCESSES. */
  readonly command: readonly string[];
}

/** Resolves when the script, and all that it left running, have ended. */
export function runUserData({ clock, consoles, instanceId, userData = "", command }: Boot): Promise<void> {
  const write = (text: string | Buffer) => consoles.write(instanceId, text, clock.now());
  const say = (what: string) =>
    consoles.writeLine(instanceId, `[${new Date(clock.now()).toISOString()}] ${what}`, clock.now());
  const script = Buffer.from(userData, "base64");
  if (!script.toString("latin1").startsWith("#!")) {
    say(script.length === 0 ? "no user data" : "user data does not begin with #!: it is kept, and not run");
    return Promise.resolve();
  }
  say("user data runs");
  const [program = "", ...rest] = command;
  const child = spawn(program, rest, {
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    env: { PATH: TOOLS_PATH },
  });
  const [input, output, errors, codes] = child.stdio;
  input.on("error", () => {});
  input.end(script);
  for (const stream of [output, errors]) stream.on("data", write);
  let hasEnded = false;
  codes?.once("data", (code) => {
    hasEnded = true;
    // What the script wrote before its end is there already, and read first.
    setImmediate(() => say(`user data has ended: exit code ${String(code).trim()}`));
  });
  return new Promise((resolve) => {
    child.once("error", (error) => write(`${error.message}\n`));
    child.once("close", (_, signal) => {
      if (!hasEnded) say(signal ? "user data was ended with its host" : "user data could not be run");
      resolve();
    });
  });
}
