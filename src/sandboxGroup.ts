/**
 * The sandbox's commands and errors in the words of the command line: the part of the composition root that a
 * light command needs. The sandbox knows nothing of this house; what it throws becomes a Failure here.
 */
import type { CommandOption, LocalCommand, LocalGroup, OptionValues } from "./cli/commands.ts";
import { sandboxUrlOf } from "./cli/connection.ts";
import type { CliContext } from "./cli/context.ts";
import { table } from "./cli/render.ts";
import { Failure } from "./domain/failure.ts";
import type { Clock } from "./domain/model.ts";
import type * as sandbox from "./sandbox/commands/command.ts";
import { sandboxCommands } from "./sandbox/commands.ts";
import { CommandError, DataFolderError } from "./sandbox/errors.ts";

/** What only the entry knows. */
interface Entry {
  readonly clock: Clock;
  readonly takeSignals: sandbox.CommandContext["takeSignals"];
}

/** The sandbox's own commands, as the command line wants them. */
export function sandboxGroup(entry: Entry): LocalGroup<CliContext> {
  const { group, brief, commands } = sandboxCommands;
  return {
    path: [group],
    brief,
    description: brief,
    commands: commands.map((command) => localCommand(command, entry)),
  };
}

function localCommand(command: sandbox.SandboxCommand<never>, entry: Entry): LocalCommand<CliContext> {
  return {
    ...command,
    path: [sandboxCommands.group, command.name],
    options: command.options.map(optionOf),
    run: async (options: OptionValues, context: CliContext) => {
      try {
        const values = given(command, options, context);
        return (await command.run(roomOf(context, entry), values as never)) ?? 0;
      } catch (thrown) {
        throw sandboxFailure(thrown);
      }
    },
  };
}

function optionOf({ kind, repeated, ...option }: sandbox.CommandOption): CommandOption {
  return { ...option, kind: repeated ? "list" : kind === "text" ? "string" : kind };
}

/** `CHAOS` is a setting like those that are given. */
function given(
  { options }: sandbox.SandboxCommand<never>,
  values: OptionValues,
  { env }: CliContext,
): OptionValues {
  if (!options.some(({ name }) => name === "set")) return values;
  return { ...values, set: [...chaos(env), ...(Array.isArray(values.set) ? values.set : [])] };
}

function roomOf(context: CliContext, { clock, takeSignals }: Entry): sandbox.CommandContext {
  const { stdout, stderr, env, cwd, signal } = context;
  const isTerminal = stdout.isTTY === true;
  return {
    clock,
    takeSignals,
    env,
    cwd,
    signal,
    isTerminal,
    print: (line) => void stdout.write(`${line}\n`),
    log: (line) => void stderr.write(`${line}\n`),
    table: (head, rows) => table({ head, rows, columns: isTerminal ? stdout.columns : undefined }),
    sandboxUrl: (url) => sandboxUrlOf(url, context),
  };
}

/** `CHAOS=10` lets that share of all calls to the sandbox fail. */
export function chaos(env: CliContext["env"]): readonly string[] {
  return env.CHAOS ? [`chaosPercent=${env.CHAOS}`] : [];
}

const NO_FOLDER: Readonly<Record<string, string>> = {
  EEXIST: "a file of that name is in the way",
  ENOTDIR: "a file is in the way",
  EACCES: "it may not be written to",
  EPERM: "it may not be written to",
  EROFS: "its disk is read-only",
  ENOSPC: "its disk is full",
};

/** That a folder for data cannot be had, in the house's words; null for anything else. */
export function folderFailure(thrown: unknown): Failure | null {
  const { code = "", path = "" } = thrown as NodeJS.ErrnoException;
  const why = NO_FOLDER[code];
  if (why === undefined) return null;
  return new Failure("invalid", `The data folder ${path} cannot be used: ${why}`, {
    hint: "Give it another one: --dataDir.",
    cause: thrown,
  });
}

/** The sandbox knows nothing of this house; what it throws, in the house's words. */
export function sandboxFailure(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || thrown instanceof Failure) return thrown;
  const { message, code } = thrown as NodeJS.ErrnoException;
  const sentence = message.charAt(0).toUpperCase() + message.slice(1);
  if (thrown instanceof DataFolderError)
    return new Failure("conflict", sentence, {
      hint: "Stop the other one, or give this one a folder of its own.",
      cause: thrown,
    });
  if (thrown instanceof CommandError)
    return new Failure(thrown.trouble, sentence, {
      ...(thrown.hint && { hint: thrown.hint }),
      cause: thrown,
    });
  if (code === "EADDRINUSE")
    return new Failure("conflict", "The sandbox's port is taken", {
      hint: "Choose another port; 0 takes a free one.",
      cause: thrown,
    });
  if (code === "ERR_SOCKET_BAD_PORT")
    return new Failure("invalid", "The sandbox's port must be a whole number from 0 to 65535", {
      cause: thrown,
    });
  if (thrown instanceof RangeError) return new Failure("invalid", sentence, { cause: thrown });
  return folderFailure(thrown) ?? thrown;
}
