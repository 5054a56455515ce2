/**
 * The source files of the house as data: what each imports, and its code without comments and texts. For the
 * tests that keep the walls. It reads TypeScript, with or without JSX, well enough for that: a scanner that
 * knows comments, strings, templates and regular expressions, and nothing of the grammar.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "..");

export interface Source {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  /** The folder under `src`; `web` for everything there; the file's own name for one that stands in `src`. */
  readonly room: string;
  /** Tests, and what exists for them alone (`testing.ts`). */
  readonly isTest: boolean;
  readonly lines: number;
  /** Comments blanked, each string replaced by its number; line numbers are those of the file. */
  readonly code: string;
  /** Specifiers in the order they stand, types included. */
  readonly imports: readonly string[];
}

/** Every source file in that folder of the repository; none when the folder is not there. */
export function readSources(folder: string): Source[] {
  const top = path.join(ROOT, folder);
  if (!existsSync(top)) return [];
  return readdirSync(top, { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name.split(path.sep).join("/")}`)
    .filter((name) => /\.(ts|tsx|mts|js|jsx|mjs)$/.test(name) && !/\/(node_modules|dist)\//.test(name))
    .sort()
    .map(readSource);
}

function readSource(file: string): Source {
  const text = readFileSync(path.join(ROOT, file), "utf8");
  const [top = "", second = ""] = file.split("/");
  const { code, strings } = scan(text);
  return {
    path: file,
    room: top === "web" ? "web" : second,
    isTest: /\.test\.tsx?$|\/testing(\/|\.ts$)/.test(file),
    lines: text.split("\n").length - (text.endsWith("\n") ? 1 : 0),
    code,
    imports: importsIn(code, strings),
  };
}

/** The file an import means, from the root; null for a package. */
export function importedFile(source: Source, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  const joined = path.posix.join(path.posix.dirname(source.path), specifier);
  return path.posix.normalize(joined).replace(/\?.*$/, "");
}

export interface Scanned {
  readonly code: string;
  readonly strings: readonly string[];
}

const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const STRING = /"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/y;
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y;
/** From a back quote, or the end of a substitution, to the next of either. */
const TEMPLATE = /[`}](?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/y;
/** After these a slash begins a regular expression; after anything else it divides. */
const BEFORE_REGEX = /(?:^|[=(,:;!&|?{}[+>*~^%-]|\breturn|\btypeof|\bcase|\bof|\bin)\s*$/;

/** The code alone, and the texts of its strings. What stands in `${}` of a template is code. */
export function scan(text: string): Scanned {
  const strings: string[] = [];
  /** For each template around us: how many braces are open in its substitution. */
  const braces: number[] = [];
  let code = "";
  let at = 0;
  const take = (token: string, kept: string) => {
    code += kept;
    at += token.length;
  };
  while (at < text.length) {
    const char = text.charAt(at);
    const template = char === "`" || (char === "}" && braces.at(-1) === 0) ? match(TEMPLATE, text, at) : null;
    const comment = match(COMMENT, text, at);
    const string = match(STRING, text, at);
    const regex = BEFORE_REGEX.test(code.slice(-40)) ? match(REGEX, text, at) : null;
    if (template !== null) {
      if (char === "}") braces.pop();
      if (template.endsWith("${")) braces.push(0);
      take(template, blank(template));
    } else if (comment !== null) take(comment, blank(comment));
    else if (string !== null) take(string, `"${strings.push(string.slice(1, -1)) - 1}"`);
    else if (regex !== null) take(regex, "0");
    else {
      const change = char === "{" ? 1 : char === "}" ? -1 : 0;
      if (braces.length > 0) braces.push((braces.pop() ?? 0) + change);
      take(char, char);
    }
  }
  return { code, strings };
}

function match(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

/** A space, and the line ends, so that line numbers stay. */
function blank(token: string): string {
  return ` ${token.replace(/[^\n]/g, "")}`;
}

/** `import … from`, `export … from`, `import "…"`, `import("…")`, and the same in types. */
export function importsIn(code: string, strings: readonly string[]): string[] {
  const pattern = /(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\()\s*"(\d+)"/g;
  return [...code.matchAll(pattern)].map(([, at]) => strings[Number(at)] ?? "");
}
