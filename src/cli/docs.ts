/**
 * The reference of the command line as Markdown, from the same data that parses it. Promises the same text for the
 * same commands, so a test can tell when docs/cli.md is stale.
 */
import { allGroups, apiCommands, groupTexts, localCommands } from "./catalog.ts";
import type { CommandData, CommandOption } from "./commands.ts";
import type { CliContext } from "./context.ts";

/** The whole document. */
export function cliDocs(groups: CliContext["groups"]): string {
  const all = allGroups(groups);
  const commands = [...apiCommands(), ...localCommands(all)];
  const texts = groupTexts(all);
  // Commands without a group come first: under another group's heading they would look like its own.
  const heads = [...new Set(["", ...commands.map((command) => command.path.slice(0, -1).join(" "))])];
  const sections = heads.map((head) => {
    const below = commands.filter((command) => command.path.slice(0, -1).join(" ") === head);
    const text = texts.get(head);
    const title =
      head === "" ? "## letsdata\n\n" : `## letsdata ${head}\n\n${text ? `${text.description}\n\n` : ""}`;
    return `${title}${below.map(commandSection).join("\n")}`;
  });
  return `${preface(commands)}\n${sections.join("\n")}`;
}

function preface(commands: readonly CommandData[]): string {
  const rows = commands.map(({ path, brief }) => {
    const name = `letsdata ${path.join(" ")}`;
    return `| [\`${name}\`](#${anchor(name)}) | ${cell(brief)} |`;
  });
  const common = commands.find((command) => command.act.kind === "api")?.globals ?? [];
  return `# The command line

Made by \`node scripts/cli-docs.ts\` from the same data as \`letsdata --help\`: change it there.

Names are camelCase; kebab-case is accepted too (\`--datasetName\`, \`--dataset-name\`). \`letsdata help <command>\` and
\`letsdata <command> --help\` print what stands here. Results go to standard output, everything else to standard error.

| command | what it does |
| --- | --- |
${rows.join("\n")}

## Options of every command that asks the API

${optionTable(common)}
A list is printed as \`{"items": [...], "nextCursor": ...}\`; \`--all\` follows \`nextCursor\`.

URL and key come from, in this order: \`--url\`, \`--apiKey\` and \`--profile\`; \`LETSDATA_URL\`, \`LETSDATA_API_KEY\` and
\`LETSDATA_PROFILE\`; the profile \`default\` of \`~/.config/letsdata/profiles.json\` (under \`$XDG_CONFIG_HOME\` if set; readable
by you alone); \`credentials.json\` in the data folder \`.letsdata\` (or \`LETSDATA_DATA_DIR\`) of the current folder. A key from
a file is sent only to the URL that stands beside it.

## Exit codes

| exit | meaning |
| ---: | --- |
| 0 | done |
| 1 | an error of ours |
| 2 | the request or a flag is wrong |
| 3 | no valid key, or not allowed |
| 4 | no such thing |
| 5 | the state says no, or what \`--wait\` waited for failed |
| 6 | no range left, or a quota |
| 7 | not available now, or \`--timeout\` is over |
| 130 | interrupted by Ctrl-C |
`;
}

function anchor(name: string): string {
  return name.toLowerCase().replaceAll(" ", "-");
}

function commandSection(command: CommandData): string {
  const tenant = command.globals.filter(({ name }) => name === "tenantName");
  const options = [...command.options, ...tenant];
  const rows = [...wordRows(command), ...options.map(optionRow)];
  return `### letsdata ${command.path.join(" ")}

${command.description}

${rows.length > 0 ? `${tableOf(rows)}\n` : ""}\`\`\`sh
${command.examples.map(({ what, command: line }) => `${what ? `# ${what}\n` : ""}${line}`).join("\n\n")}
\`\`\`
`;
}

function optionTable(options: readonly CommandOption[]): string {
  return tableOf(options.map(optionRow));
}

function optionRow(option: CommandOption): string {
  return `| \`${usage(option)}\` | ${cell(option.brief)} | ${cell(fallback(option))} |`;
}

/** The words behind the command's own, and what stands behind `--`. */
function wordRows({ words, rest }: CommandData): string[] {
  const all = words.map(({ placeholder, values, brief, optional }) => {
    const word = values?.join("\\|") ?? placeholder;
    return `| \`${word}\` | ${cell(brief)} | ${optional ? "" : "*required*"} |`;
  });
  return rest ? [...all, `| \`-- ${rest.placeholder}\` | ${cell(rest.brief)} | *required* |`] : all;
}

function tableOf(rows: readonly string[]): string {
  return `| option | what it says | default |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

function usage({ name, kind, placeholder, values }: CommandOption): string {
  if (kind === "boolean") return `--${name}`;
  return `--${name} ${values ? values.join("\\|") : (placeholder ?? "VALUE")}`;
}

function fallback(option: CommandOption): string {
  if (option.required) return "*required*";
  return option.default === undefined ? "" : `\`${option.default}\``;
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replace(/\s+/g, " ");
}
