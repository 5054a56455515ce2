/**
 * Writes docs/vpcs.md and docs/connectors.md: the templates beside them with pieces of the story transcripts in the
 * place of their markers,
 *
 *   <!-- transcript peering create -->     the piece `## create` of tests/scripts/peering.transcript
 *
 * so that every command and every output in them was really seen. With `--check` it only says whether a file is
 * stale (exit code 1). Refuses a marker whose piece is not there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const PAGES = ["vpcs", "connectors"];
const MARKER = /^<!-- transcript (\w+) ([\w-]+) -->$/gm;

function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

function filledIn(template: string): string {
  return template.replace(MARKER, (_, story: string, piece: string) => {
    const shown = pieceOf(read(`tests/scripts/${story}.transcript`), piece);
    if (shown === null) throw new Error(`tests/scripts/${story}.transcript has no piece "${piece}"`);
    return `\`\`\`console\n${shown}\n\`\`\``;
  });
}

/** The lines from `## piece` to the next one, for reading: success goes without saying. */
function pieceOf(transcript: string, piece: string): string | null {
  const lines = transcript.split("\n");
  const start = lines.indexOf(`## ${piece}`);
  if (start < 0) return null;
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith("## "));
  const end = length < 0 ? lines.length : start + 1 + length;
  return lines
    .slice(start + 1, end)
    .map((line) => line.replace(/^2> /, "").replace(/^exit 0$/, ""))
    .map((line) => line.replace(/^exit (\d+)$/, "(exit code $1)\n"))
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

for (const page of PAGES) {
  const target = `docs/${page}.md`;
  const text = filledIn(read(`docs/${page}.template.md`));
  if (!process.argv.includes("--check")) writeFileSync(join(ROOT, target), text);
  else if (read(target) !== text) {
    console.error(`${target} is stale: run node scripts/vpcs-docs.ts`);
    process.exitCode = 1;
  }
}
