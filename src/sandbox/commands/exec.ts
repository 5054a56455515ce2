/**
 * `letsdata sandbox exec`: any program of this machine inside of a host, as if it were started there.
 */
import { type CommandContext, SANDBOX_URL, type SandboxCommand } from "./command.ts";
import { enteredHost, runInside } from "./inside.ts";

interface ExecOptions {
  readonly host: string;
  readonly command: readonly string[];
  readonly sandboxUrl?: string;
}

async function exec(context: CommandContext, { host, command, sandboxUrl }: ExecOptions): Promise<number> {
  return runInside(context, await enteredHost(context.sandboxUrl(sandboxUrl), host), command);
}

export const execCommand: SandboxCommand<ExecOptions> = {
  name: "exec",
  brief: "Run a command inside of a host",
  description:
    "Runs a program of this machine in the network of a host, with this terminal's input and output, this folder and this environment. Security groups, route tables and network ACLs apply to it as they do to the host. Signals are passed on. Exits with the program's own code; 126 and 127 mean that it cannot be run and that it is not there. Only the user that runs the sandbox can do this, on the same machine.",
  examples: [
    {
      what: "Is the broker reachable from the customer's instance?",
      command: "letsdata sandbox exec i-0123456789abcdef0 -- nc -vz 10.2.0.4 9092",
    },
    { what: "A shell, by the instance's address", command: "letsdata sandbox exec 172.20.0.10 -- bash" },
    {
      what: "Where the address is in several VPCs",
      command: "letsdata sandbox exec vpc-0123456789abcdef0/172.20.0.10 -- ip route",
    },
    { what: "From outside of all VPCs", command: "letsdata sandbox exec internet -- ping -c 1 198.18.0.1" },
  ],
  options: [SANDBOX_URL],
  words: [{ name: "host", placeholder: "HOST", brief: "Instance, NAT gateway or interface id, or address" }],
  rest: { name: "command", placeholder: "COMMAND...", brief: "the command and its arguments" },
  run: exec,
};
