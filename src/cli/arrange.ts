/**
 * Puts the arguments in the order the parser wants: the command's words first, then flags. So `help vpcs list`,
 * `--url ... vpcs list` and `--flag=` (an empty value) work as people write them. Refuses an unknown flag before the
 * command, since nobody can tell whether the next word is its value.
 */
import { Failure } from "../domain/failure.ts";
import type { CommandData } from "./commands.ts";
import { HOISTED } from "./globals.ts";
import { camel, kebab } from "./spelling.ts";

const BUILT_IN = new Set(["--help", "-h", "--version", "-v"]);

export interface Arranged {
  /** The words of the command that was named, as far as they are known. */
  readonly path: readonly string[];
  readonly argv: readonly string[];
}

/** Arguments up to `--`, and those behind it, which belong to another program; undefined without `--`. */
export function cutAtDashes(argv: readonly string[]) {
  const at = argv.indexOf("--");
  return at < 0 ? { argv, behind: undefined } : { argv: argv.slice(0, at), behind: argv.slice(at + 1) };
}

/** Throws `invalid`. */
export function arranged(given: readonly string[], commands: readonly CommandData[]): Arranged {
  const asked = given[0] === "help" ? [...given.slice(1), "--help"] : given;
  const argv = asked.flatMap((word) => (/^--[a-z][\w-]*=$/i.test(word) ? [word.slice(0, -1), ""] : [word]));
  const path: string[] = [];
  const hoisted: string[] = [];
  const helps = argv.some((word) => BUILT_IN.has(word));
  let at = 0;
  for (; at < argv.length && !isCommand(path, commands); at++) {
    const word = argv[at] ?? "";
    const meant = shortFor(path, argv.slice(at), commands);
    if (meant && !helps) {
      path.push(meant);
      break;
    }
    if (word.startsWith("-")) {
      const taken = flagAhead(argv, at);
      hoisted.push(...taken);
      at += taken.length - 1;
    } else if (!leadsOn([...path, camel(word)], commands)) break;
    else path.push(camel(word));
  }
  const last = at === argv.length ? shortFor(path, [], commands) : undefined;
  if (last && !helps) path.push(last);
  const rest = argv.slice(at);
  if (isCommand(path, commands)) return { path, argv: [...path, ...hoisted, ...rest] };
  // Without a command only help can be meant; the parser compares an unknown word with kebab-case names.
  const [unknown, ...after] = rest;
  const known = hoisted.filter((word) => BUILT_IN.has(word));
  return { path, argv: [...path, ...(unknown === undefined ? known : [kebab(unknown), ...after])] };
}

function isCommand(path: readonly string[], commands: readonly CommandData[]): boolean {
  const key = path.join(" ");
  return commands.some((command) => command.path.join(" ") === key);
}

function leadsOn(path: readonly string[], commands: readonly CommandData[]): boolean {
  return commands.some((command) => path.every((word, index) => command.path[index] === word));
}

/** The last word of a command that may go without it, when nothing that follows leads elsewhere. */
function shortFor(
  path: readonly string[],
  rest: readonly string[],
  commands: readonly CommandData[],
): string | undefined {
  const short = commands.find(
    ({ act, path: own }) =>
      act.kind === "api" &&
      act.operation.command.short === true &&
      own.slice(0, -1).join(" ") === path.join(" "),
  );
  const leads = rest.some((word) => !word.startsWith("-") && leadsOn([...path, camel(word)], commands));
  const stray = rest[0] !== undefined && !rest[0].startsWith("-");
  return short && !leads && !stray ? short.path.at(-1) : undefined;
}

/** A flag before the command's words, with its value. */
function flagAhead(argv: readonly string[], at: number): string[] {
  const word = argv[at] ?? "";
  if (BUILT_IN.has(word)) return [word];
  const option = HOISTED.get(camel(word.replace(/^-+/, "").replace(/=.*$/s, "")));
  if (!option || !word.startsWith("--"))
    throw new Failure("invalid", `Unknown flag ${word} before the command`, {
      hint: "Flags of a command stand behind its words. See `letsdata --help`.",
    });
  if (option.kind === "boolean" || word.includes("=")) return [word];
  const value = argv[at + 1];
  if (value === undefined) throw new Failure("invalid", `--${option.name} needs a value`);
  return [word, value];
}
