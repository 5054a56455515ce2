/**
 * User data: the script that a host runs when it comes up, and its console. Promises that what the script writes
 * and how it ends stands on the console, that one which fails does no harm, and that one which never ends goes
 * with its host. User data that is no script is kept for the metadata service, and the console says so.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
 */
import { spawn } from "node:child_process";
import path from "node:path";
import type { Consoles } from "../consoles.ts";
import type { Clock } from "../world.ts";
import { TOOLS_PATH } from "./holder.ts";
import { hostFolder } from "./hosts.ts";

const RUN = 'cd "$HOME" && cat > user-data && chmod 700 user-data && exec ./user-data < /dev/null';

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
  /** `runScript` in the host. */
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
  const child = spawn(program, rest, { stdio: ["pipe", "pipe", "pipe"], env: { PATH: TOOLS_PATH } });
  child.stdin.on("error", () => {});
  child.stdin.end(script);
  child.stdout.on("data", write);
  child.stderr.on("data", write);
  // What it left running may write on after its own end.
  child.once("exit", (code, signal) => say(`user data has ended: ${ending(code, signal)}`));
  return new Promise((resolve) => {
    child.once("error", (error) => say(`user data could not be run: ${error.message}`));
    child.once("close", () => resolve());
  });
}

function ending(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ? `killed by ${signal}` : `exit code ${code}`;
}
