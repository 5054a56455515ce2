/**
 * The command group `sandbox` as data. Whoever composes the program adapts it to its command line.
 */
import type { SandboxCommand } from "./commands/command.ts";
import { serveCommand } from "./commands/serve.ts";

const COMMANDS: readonly SandboxCommand[] = [serveCommand];

export const sandboxCommands = {
  group: "sandbox",
  brief: "A small AWS on this machine, for trying things out without an account.",
  commands: COMMANDS,
};
