/**
 * The command line's front door: arguments in, exit code out. Promises that results go to standard output and all
 * else to standard error, that the exit code is the failure's own, and that nothing is thrown at the caller.
 */
import { readFile } from "node:fs/promises";
import { type CommandContext, run } from "@stricli/core";
import { Failure } from "../domain/failure.ts";
import { arranged, cutAtDashes } from "./arrange.ts";
import { type AnyGroup, allGroups, apiCommands, groupTexts, localCommands } from "./catalog.ts";
import type { CommandData, LocalCommand, OptionValues } from "./commands.ts";
import { COMPLETE, completions } from "./completion.ts";
import { type CliContext, coloured } from "./context.ts";
import { type ParserPlan, parserOf, usageOf } from "./parser.ts";
import { report } from "./report.ts";

export type { CliContext } from "./context.ts";

/** Prints the reference of the commands; scripts/cli-docs.ts keeps docs/cli.md by it. */
export const DOCS = "__docs";

const ROOT = {
  brief: "Networks for datasets, and peering with them",
  description: `Gives every dataset's write connector a network of its own, and lets you connect to it.

Where the API is and which key to use comes from, in this order:
  --url, --apiKey, --profile
  LETSDATA_URL, LETSDATA_API_KEY; LETSDATA_PROFILE
  the profile "default" of ~/.config/letsdata/profiles.json (see \`letsdata profiles\`)
  .letsdata/credentials.json below this folder (LETSDATA_DATA_DIR), which \`letsdata serve\` writes

Exit codes: 0 done, 2 wrong request, 3 no valid key or not allowed, 4 not found, 5 conflict,
6 nothing left, 7 not available now or time over, 1 internal error, 130 interrupted.

EXAMPLES
  # Start everything here, with an embedded cloud
  letsdata serve

  # A dataset with its VPC
  letsdata datasets create --configFile examples/dataset.json --wait

  # Connect to it
  letsdata vpcs list --datasetName Clicks --peeringGuide
  letsdata vpcs vpcPeeringConnections accept --datasetName Clicks --vpcPeeringConnectionId pcx-0123456789abcdef0`,
};

/** Resolves to the process's exit code; never rejects. */
export async function runCli(given: CliContext): Promise<number> {
  const { argv, behind } = cutAtDashes(given.argv);
  const context = { ...given, argv };
  try {
    return await started(context, behind);
  } catch (thrown) {
    return report(thrown, context);
  }
}

async function started(context: CliContext, behind: readonly string[] | undefined): Promise<number> {
  const groups = allGroups(context.groups);
  if (context.argv[0] === DOCS) {
    const { cliDocs } = await import("./docs.ts");
    context.stdout.write(cliDocs(context.groups));
    return 0;
  }
  const commands = [...apiCommands(), ...localCommands(groups)];
  const outcome: Outcome = { exit: 0, thrown: [] };
  const app = parserOf(planOf({ context, commands, groups, outcome, behind }));
  const streams = parserStreams(context);
  if (context.argv[0] === COMPLETE) {
    context.stdout.write(await completions(app, context.argv.slice(1), streams));
    return 0;
  }
  const { argv, path } = arranged(context.argv, commands);
  checkRest(path, { commands, argv, behind });
  await run(app, argv, streams);
  if (outcome.thrown.length > 0) throw combined(outcome.thrown, path);
  return outcome.exit;
}

interface Outcome {
  exit: number;
  readonly thrown: unknown[];
}

interface Run {
  readonly context: CliContext;
  readonly commands: readonly CommandData[];
  readonly groups: readonly AnyGroup[];
  readonly outcome: Outcome;
  /** What stands behind `--`. */
  readonly behind: readonly string[] | undefined;
}

function planOf({ context, commands, groups, outcome, behind }: Run): ParserPlan {
  return {
    commands,
    groups: new Map([...groupTexts(groups), ["", ROOT]]),
    caught: (thrown) => outcome.thrown.push(thrown),
    version: versionOfPackage,
    run: async (command, values) => {
      const rest = command.rest ? { [command.rest.name]: behind ?? [] } : {};
      outcome.exit = await perform(command, { ...values, ...rest }, context);
    },
  };
}

async function perform({ act }: CommandData, values: OptionValues, context: CliContext): Promise<number> {
  if (act.kind === "local")
    return (await (act.command as LocalCommand<CliContext>).run(values, context)) ?? 0;
  const { operate } = await import("./operate.ts");
  await operate({ id: act.id, operation: act.operation, values, context });
  return 0;
}

interface Given {
  readonly commands: readonly CommandData[];
  readonly argv: readonly string[];
  readonly behind: readonly string[] | undefined;
}

/** A command that runs another program needs its words behind `--`; any other has nothing to stand there. */
function checkRest(path: readonly string[], { commands, argv, behind }: Given): void {
  const command = commands.find((one) => one.path.join(" ") === path.join(" "));
  const name = ["letsdata", ...path].join(" ");
  if (!command || argv.some((word) => word === "--help" || word === "-h")) return;
  if (!command.rest && behind)
    throw new Failure("invalid", `\`${name}\` takes nothing behind --`, { hint: `See \`${name} --help\`.` });
  if (command.rest && !behind?.length)
    throw new Failure("invalid", `It is not said what to run: ${command.rest.brief}`, {
      hint: `Write it as \`${name} ${usageOf(command)}\`.`,
    });
}

/** The parser prints help and version only; mistakes come back as failures. */
function parserStreams({ stdout, env }: CliContext): CommandContext {
  const depth = coloured(stdout, env) ? 4 : 1;
  return {
    process: {
      stdout: { write: (text: string) => void stdout.write(text), getColorDepth: () => depth },
      stderr: { write: () => {} },
    },
  };
}

/** Several flags may be wrong at once: all of them are told together. */
function combined(thrown: readonly unknown[], path: readonly string[]): unknown {
  const [first] = thrown;
  const usage = thrown.every((one) => one instanceof Failure && one.code === "invalid" && !one.hint);
  if (!usage) return first;
  const message = thrown.map((one) => (one as Failure).message).join("; ");
  return new Failure("invalid", message, { hint: `See \`${["letsdata", ...path, "--help"].join(" ")}\`.` });
}

async function versionOfPackage(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return String((JSON.parse(text) as { version: unknown }).version);
}
