/**
 * The command group `sandbox` as data. Whoever composes the program adapts it to its command line.
 */
import { caCommand } from "./commands/ca.ts";
import type { SandboxCommand } from "./commands/command.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { execCommand } from "./commands/exec.ts";
import { forwardCommand } from "./commands/forward.ts";
import { hostsCommand } from "./commands/hosts.ts";
import { installCommand } from "./commands/install.ts";
import { serveCommand } from "./commands/serve.ts";
import { traceCommand } from "./commands/trace.ts";

/** Each is run with the options that its own data says. */
const COMMANDS: readonly SandboxCommand<never>[] = [
  serveCommand,
  hostsCommand,
  execCommand,
  forwardCommand,
  traceCommand,
  doctorCommand,
  installCommand,
  caCommand,
];

export const sandboxCommands = {
  group: "sandbox",
  brief: "A small AWS on this machine, for trying things out without an account",
  commands: COMMANDS,
};
