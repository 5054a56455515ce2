/**
 * Writes docs/cli.md from the program's own command data; with `--check` it only says whether the file is stale
 * (exit code 1). It asks the program itself, so local commands are the ones that main.ts really hands in.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../docs/cli.md", import.meta.url));
const program = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const asked = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", program, "__docs"], {
  encoding: "utf8",
});
if (asked.status !== 0) {
  console.error(asked.stderr);
  process.exit(asked.status ?? 1);
}
if (process.argv.includes("--check")) {
  const stale = readFileSync(file, "utf8") !== asked.stdout;
  if (stale) console.error("docs/cli.md is stale: run node scripts/cli-docs.ts");
  process.exitCode = stale ? 1 : 0;
} else writeFileSync(file, asked.stdout);
