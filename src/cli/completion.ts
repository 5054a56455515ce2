/**
 * Shell completion: `letsdata completion bash|zsh|fish` prints a script that asks `letsdata __complete` for the words
 * that fit. Promises that what is proposed is what the parser accepts, because both come from the same routes.
 */
import { type Application, type CommandContext, proposeCompletions } from "@stricli/core";
import type { LocalCommand, LocalGroup } from "./commands.ts";
import { camel, kebab } from "./spelling.ts";

export const COMPLETE = "__complete";

/** One proposal a line, `word<TAB>explanation`; `words` are those after `letsdata`, the last one unfinished. */
export async function completions(
  app: Application<CommandContext>,
  words: readonly string[],
  context: CommandContext,
): Promise<string> {
  const partial = words.at(-1) ?? "";
  const before = words.slice(0, -1).filter((word) => word !== "help");
  const all = await proposeCompletions(app, [...before, ""], context);
  const spell = partial.replace(/^-+/, "").includes("-") ? kebab : camelWord;
  return all
    .map(({ kind, completion, brief }) => ({
      word: kind === "argument:value" ? completion : spell(camelWord(completion)),
      brief,
    }))
    .filter(
      ({ word }) => word.startsWith(partial) && (partial !== "" || !word.startsWith("-") || word.length > 2),
    )
    .map(({ word, brief }) => `${word}\t${brief.replace(/\s+/g, " ")}\n`)
    .join("");
}

/** The library proposes kebab-case; the leading dashes of a flag stay. */
function camelWord(word: string): string {
  const dashes = /^-*/.exec(word)?.[0] ?? "";
  return dashes + camel(word.slice(dashes.length));
}

const BASH = `# bash completion for letsdata: source it, or put it into
# ~/.local/share/bash-completion/completions/letsdata
_letsdata() {
  local word
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    COMPREPLY+=("$word")
  done < <("\${COMP_WORDS[0]}" ${COMPLETE} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _letsdata letsdata
`;

const ZSH = `#compdef letsdata
# zsh completion for letsdata: put it as _letsdata into a folder of $fpath, or source it after compinit
_letsdata() {
  local -a proposals
  local word brief
  while IFS=$'\\t' read -r word brief; do
    proposals+=("\${word//:/\\\\:}:$brief")
  done < <("\${words[1]}" ${COMPLETE} "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#proposals} )); then
    _describe letsdata proposals
  else
    _files
  fi
}
if [ "\${funcstack[1]}" = _letsdata ]; then _letsdata "$@"; else compdef _letsdata letsdata; fi
`;

const FISH = `# fish completion for letsdata: put it into ~/.config/fish/completions/letsdata.fish
function __letsdata_complete
  set -l words (commandline -opc) (commandline -ct)
  $words[1] ${COMPLETE} $words[2..-1] 2>/dev/null
end
complete -c letsdata -a '(__letsdata_complete)'
`;

function printing(shell: string, script: string, install: string): LocalCommand {
  return {
    path: ["completion", shell],
    brief: `Print the completion script for ${shell}`,
    description: `Prints a script that teaches ${shell} the commands, flags and choices of letsdata.`,
    examples: [{ what: "For the running shell", command: install }],
    options: [],
    run: async (_options, { stdout }) => {
      stdout.write(script);
    },
  };
}

export const completionGroup: LocalGroup = {
  path: ["completion"],
  brief: "Scripts for completion in the shell",
  description: "Prints a script for your shell; source it in the shell's start file.",
  commands: [
    printing("bash", BASH, "source <(letsdata completion bash)"),
    printing("zsh", ZSH, "source <(letsdata completion zsh)"),
    printing("fish", FISH, "letsdata completion fish | source"),
  ],
};
